"""How many seeds it takes to find a difference between arms, judged by pilot runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.analysis.effects import seeds_needed
from workbench.analysis.samples import Group, Sample
from workbench.analysis.stored import Unit
from workbench.errors import InputError
from workbench.reports.comparison_tables import named, note_leaks
from workbench.reports.comparisons import samples, with_leaks
from workbench.reports.overview import Row
from workbench.reports.tables import print_table

DIFFERENCES = (0.005, 0.01, 0.02)
"""For which the seeds are told where no difference is asked for."""


def power_rows(
    store: Path,
    arms: Sequence[str],
    measure: str = "map",
    task: str | None = None,
    unit: Unit = "paragraph",
    differences: Sequence[float] = DIFFERENCES,
) -> list[Row]:
    """One row for each task, setting, pair of arms and difference: the seeds in each arm that would show it.

    `seeds_needed` is null where not even `effects.MOST_SEEDS` do, as the questions alone vary too much: `by_questions`
    is the smallest difference that they could show. Power .8, two-sided at .05.

    Raises
    ------
    InputError
        As `compared` does; a pilot arm has one seed, or the two have different ones; all questions are on one unit; a
        difference is not positive.
    """
    for difference in differences:
        if not difference > 0:
            raise InputError(f"--difference {difference}: allowed: above 0")
    rows = (
        needed_rows(sample, other.arm, sample.arms[0].arm, group, differences)
        for sample, groups in samples(store, arms, measure, task, unit)
        for other in sample.arms[1:]
        for group in groups
    )
    return with_leaks(store, [row for part in rows for row in part])


def needed_rows(sample: Sample, arm: str, against: str, group: Group, differences: Sequence[float]) -> list[Row]:
    pilot, found = seeds_needed(sample, arm, against, group, differences)
    return [
        {
            "task": sample.task,
            "setting": group.name,
            "measure": sample.measure,
            "arm": arm,
            "against": against,
            "difference": needed.difference,
            "seeds_needed": needed.seeds,
            "by_questions": needed.by_questions,
            "pilot_seeds": pilot.seeds,
            "seed_deviation": pilot.seed_deviation,
            "detectable": pilot.detectable,
        }
        for needed in found
    ]


def print_power(rows: Sequence[Row]) -> None:
    """`power_rows` for reading."""
    lines = [
        {
            "task": row["task"],
            "setting": row["setting"],
            **named(row),
            "difference": row["difference"],
            "seeds needed": "none do" if row["seeds_needed"] is None else row["seeds_needed"],
            "by questions": row["by_questions"],
            "pilot seeds": row["pilot_seeds"],
            "seed sd": row["seed_deviation"],
        }
        for row in rows
    ]
    print_table(
        lines, names=4, title=f"seeds in each arm that find a difference in {rows[0]['measure']} (power .8, p < .05)"
    )
    print("by questions: the smallest difference that these questions could show, with seeds without end")
    note_leaks(rows)
