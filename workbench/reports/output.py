"""What commands say: results on stdout, narration on stderr."""

import sys
from collections.abc import Sequence
from pathlib import Path

from workbench.reports import tables
from workbench.reports.leakage import marked, print_footnote
from workbench.reports.overview import Row, arm_figures, arm_table, differences, listing_table
from workbench.reports.translated import print_translated


def print_arms(store: Path, arms: Sequence[str], as_json: bool) -> None:
    """Arms' headline figures over their seeds, and the differences from the first of them."""
    figures = arm_figures(store, arms)
    if as_json:
        emit(figures, as_json)
    else:
        print_figures(figures, arms)


def print_figures(figures: Sequence[Row], arms: Sequence[str], measure: str = "map") -> None:
    """Figures of arms for reading, those of `measure` first."""
    tables.print_table(arm_table(figures, measure), names=2, title="mean ± standard deviation over the runs of an arm")
    print_footnote(figures)
    print_translated(figures)
    changes = differences(figures, arms[0])
    if changes:
        print()
        base = marked(arms[0], any(row["leaked"] for row in figures if row["arm"] == arms[0]))
        tables.print_table(arm_table(changes, measure), names=2, title=f"difference from {base} (of the means)")
        print_footnote(changes)


def print_runs(rows: Sequence[Row]) -> None:
    """`run_listing` for reading."""
    tables.print_table(listing_table(rows))
    print_footnote(rows)
    print_translated({"translated": any(row.get("translated", {}).values())} for row in rows)


def emit_lines(rows: Sequence[Row], column: str, as_json: bool) -> None:
    """For a program a list of objects, for a person and a shell the one column that matters, a line each."""
    if as_json:
        emit(rows, as_json)
    else:
        print("\n".join(str(row[column]) for row in rows))


def emit(rows: Sequence[Row], as_json: bool, columns: Sequence[str] | None = None) -> None:
    """For a program a list of objects, for a person a table."""
    if as_json:
        print(tables.as_json(rows))
    else:
        tables.print_table(rows, columns=columns)


def note(text: str) -> None:
    """Narration."""
    if text:
        print(text, file=sys.stderr)
