"""Which arms, tasks and measures the screens of comparisons have to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.analysis.stored import common_task
from workbench.errors import InputError
from workbench.reports.arm_choices import arm_listing, common_measures
from workbench.reports.overview import Row
from workbench.tui.arms_dialog import MOST

NOTHING = "no results yet: press 2, Enter, l to run the quickstart"


@dataclass(frozen=True)
class Choice:
    """What can be compared, and what of it is."""

    listing: Sequence[Row] = ()
    """All arms with results."""
    arms: tuple[str, ...] = ()
    """The baseline first."""
    measures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By task that the arms have in common."""
    problem: str = ""
    """Why there is nothing to show."""

    @property
    def leaked(self) -> frozenset[str]:
        """Arms of which a run trained on texts of its tasks."""
        return frozenset(row["arm"] for row in self.listing if row["leaked"])


def read_choice(store: Path, asked: Sequence[str]) -> Choice:
    """The arms that are asked for and have results, else the two newest."""
    if not store.exists():
        return Choice(problem=NOTHING)
    listing = arm_listing(store)
    if not listing:
        return Choice(problem=NOTHING)
    known = {row["arm"] for row in listing}
    arms = ([arm for arm in asked if arm in known] or newest(listing))[:MOST]
    measures = common_measures(store, arms)
    problem = ""
    if not measures:
        try:
            common_task(store, arms, None)
        except InputError as error:
            problem = str(error)
    return Choice(listing, tuple(arms), measures, problem)


def newest(listing: Sequence[Row]) -> list[str]:
    """The newest arm and the newest before it that was measured on one of its tasks; or itself alone. Arms that were
    trained come first, as one run of an encoder says nothing of samplings.

    The earlier one is the baseline, but no hybrid arm is where the other is none.
    """
    first, *others = sorted(listing, key=lambda row: row["sampling"] is None)
    tasks = set(first["tasks"].split(", "))
    pair = [*[row for row in others if tasks & set(row["tasks"].split(", "))][:1], first]
    return [row["arm"] for row in sorted(pair, key=lambda row: row["sampling"] == "hybrid")]
