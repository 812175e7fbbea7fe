"""What the screen of comparisons shows of some arms on a task, read from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.reports.arm_choices import setting_means, untrained_languages
from workbench.reports.comparison_tables import published_rows
from workbench.reports.comparisons import arm_cells, comparison
from workbench.reports.overview import Row


@dataclass(frozen=True)
class Compared:
    """Some arms, the baseline first."""

    arms: Sequence[str]
    means: list[Row]
    effects: list[Row]
    """Against the baseline."""
    cells: list[Row]
    """Differences from the baseline; with one arm its figures."""
    published: list[Row]
    untrained: Mapping[str, frozenset[str]]
    """By arm languages that no training pair was in."""

    @property
    def several(self) -> bool:
        """Whether something is held against the baseline."""
        return bool(self.effects)

    def cells_of(self, arm: str) -> list[Row]:
        """An arm's cells, for its map."""
        return [row for row in self.cells if row["arm"] == arm] if self.several else self.cells

    def cell(self, arm: str, query_language: str, pool_language: str) -> Row | None:
        """One of them, if there is such a cell."""
        place = query_language, pool_language
        found = (row for row in self.cells_of(arm) if (row["query_language"], row["pool_language"]) == place)
        return next(found, None)

    def unseen(self, arm: str) -> frozenset[str]:
        """Languages that were in no training pair of the arms that its map is of."""
        of = (arm, self.arms[0]) if self.several else (arm,)
        return frozenset().union(*(self.untrained.get(one, frozenset()) for one in of))


def read_compared(store: Path, arms: Sequence[str], task: str, measure: str) -> Compared:
    """Read and test them; it takes seconds.

    Raises
    ------
    InputError
        The arms do not have that task in common, or the measure has no value per query.
    """
    means = setting_means(store, arms, task, measure)
    published = published_rows(store, arms, measure, task)
    untrained = untrained_languages(store, arms, task)
    if len(arms) == 1:
        return Compared(arms, means, [], arm_cells(store, arms[0], measure, task), published, untrained)
    found = comparison(store, arms, measure, task)
    effects, cells = ([row for row in rows if row["against"] == arms[0]] for rows in (found.effects, found.cells))
    return Compared(arms, means, effects, cells, published, untrained)
