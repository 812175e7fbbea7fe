"""What stands in the tables of the Data screen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from workbench.reports.tables import Column as Printed
from workbench.reports.tables import aligned, shown
from workbench.tui.pane import Row
from workbench.tui.widgets.table import Column

SETS = (
    Column("name", "name"),
    Column("kind", "kind"),
    Column("here", "on this machine"),
    Column("size", "size"),
    Column("languages", "languages"),
    Column("licence", "licence"),
    Column("source", "from"),
)
PARTS = (
    Column("language", "language"),
    Column("id", "id"),
    Column("part", "part"),
    Column("text", "text"),
)
LEAKS = (
    Column("run_id", "run"),
    Column("outcome", "leaks"),
    Column("hits", "texts", right=True),
    Column("pairs", "pairs", right=True),
    Column("on_leak", "on_leak"),
    Column("experiment", "experiment"),
)
WORDS = ("language", "made by")
"""Columns of words; the others of a language are numbers."""
SHORT = {"hard negatives": "negatives", "median": "mid", "longest": "max"}
"""Words of their heads that would take more room than the numbers."""


def columns_of(rows: Sequence[Row]) -> tuple[Column, ...]:
    """What is counted of each language; hard negatives where there are any."""
    names = (
        [name for name in rows[0] if name != "hard negatives" or any(row[name] for row in rows)] if rows else WORDS[:1]
    )
    return tuple(Column(name, short(name), right=name not in WORDS) for name in names)


def short(name: str) -> str:
    for word, instead in SHORT.items():
        name = name.replace(word, instead)
    return name


def parts_of(examples: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each text, the text last: widths of some scripts differ between terminals."""
    rows: list[dict[str, Any]] = []
    for example in examples:
        for part in ("query", "passage"):
            if part in example:
                other = example.get("passage language", example["language"]) if part == "passage" else None
                name = f"passage, {other}" if other not in (None, example["language"]) else part
                row = {"language": example["language"], "id": example["id"], "part": name, "text": example[part]}
                rows.append({**row, "place": len(rows)})
    return rows


def as_lines(rows: Sequence[Row]) -> str:
    """The hits of a run's check: for each task and training set a line a language and kind of text."""
    rows = [{**row, "left out": "yes" if row["dropped"] else "no"} for row in rows]
    names = ("language", "kind", "texts", "hits", "exact", "pairs", "left out")
    head, *lines = aligned([Printed(name, [shown(row[name]) for row in rows]) for name in names])
    told = []
    for (task, training_set), group in groupby(
        zip(rows, lines, strict=True), lambda pair: (pair[0]["task"], pair[0]["training_set"])
    ):
        told += ["", f"task {shown(task)}, training set {shown(training_set)}", head, *(line for _, line in group)]
    return "\n".join(told[1:])
