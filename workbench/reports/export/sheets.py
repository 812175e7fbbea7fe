"""A report's tables of words and numbers that are read line by line: differences, bias, evenness, published figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workbench.reports.bias import KINDS, measure_name, robustness_name, summary
from workbench.reports.export.figures import measure_name as name_of_measure
from workbench.reports.export.results import TaskResults
from workbench.reports.leakage import marked
from workbench.reports.overview import Row
from workbench.reports.tables import figure, p_value
from workbench.reports.translated import TRANSLATED


@dataclass(frozen=True)
class Sheet:
    """A table as it is printed, none of it as markup."""

    title: str
    columns: str
    """`l` for each column that stands to the left, `r` for one that stands to the right."""
    head: tuple[str, ...]
    blocks: tuple[tuple[tuple[str, ...], ...], ...]
    """Lines of cells, in blocks that are set off from each other."""
    notes: tuple[str, ...] = ()


def sheets_of(results: TaskResults, heads: Sequence[str]) -> list[Sheet]:
    """Those of a task that have a line; `heads` are the arms' names with their marks."""
    found = (difference_sheet(results, heads), *bias_sheets(results), published_sheet(results))
    return [sheet for sheet in found if sheet.blocks]


def difference_sheet(results: TaskResults, heads: Sequence[str]) -> Sheet:
    """Of each arm's figures from those of the first, with their intervals."""
    blocks: list[tuple[tuple[str, ...], ...]] = []
    for group, lines in results.headlines.groups:
        rows: list[tuple[str, ...]] = []
        for line in lines:
            for head, (effect, p) in zip(heads[1:], line.effects, strict=True):
                is_known = not (math.isnan(effect.low) or math.isnan(effect.high))
                interval = f"{signed(effect.low)} to {signed(effect.high)}" if is_known else ""
                detectable = "" if math.isnan(effect.detectable) else figure(effect.detectable)
                named = f"{line.head}{TRANSLATED if line.translated else ''}"
                rows.append((group, named, head, signed(effect.difference), interval, p_value(p), detectable,
                             effect.about))  # fmt: skip
        if rows:
            blocks.append(without_repeats(rows))
    columns = ("", "", "arm", "difference", "95 % interval", "p (Holm)", "smallest detectable", "speaks of")
    return Sheet(f"Differences from {heads[0]}", "lllrrrrl", columns, tuple(blocks))


def without_repeats(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """The first two columns only where they change."""
    found = [rows[0]]
    for last, row in pairwise(rows):
        found.append(("" if row[0] == last[0] else row[0], "" if row[:2] == last[:2] else row[1], *row[2:]))
    return tuple(found)


def bias_sheets(results: TaskResults) -> list[Sheet]:
    """Means over languages of the measures of bias, and how even the arms are over language pairs.

    First those of the arms, then the differences from the first.
    """
    kinds = {kind for kind, _ in KINDS}
    of_pairs = [row for row in results.evenness if row["figure"] not in kinds]
    parts = (
        ("Bias between languages", results.bias, measure_name),
        (f"Robustness over language pairs, {name_of_measure(results.measure)}", of_pairs, robustness_name),
    )
    return [
        summary_sheet(title, [row for row in rows if row["against"] == against], name)
        for title, rows, name in parts
        for against in dict.fromkeys(row["against"] for row in rows)
    ]


def summary_sheet(title: str, rows: Sequence[Row], name: Callable[[Row], str | None]) -> Sheet:
    """Of rows of all arms, or of all differences; `name` as `summary` takes it. What is undefined is told below."""
    first = rows[0]
    if first["against"]:
        title = f"{title}: difference from {marked(first['against'], first['against_leaked'])}"
    lines = {name(row): row.get("note") for row in rows}
    defined = {name(row) for row in rows if row["value"] is not None}
    found = summary([row for row in rows if name(row) in defined], name)
    arms = [arm for arm in (found[0] if found else {}) if arm]
    cells = tuple((line[""], *(line[arm] or "" for arm in arms)) for line in found)
    about = sorted({row["about"] for row in rows if row["about"]})
    notes = [f"95 % intervals in brackets: {'; '.join(about)}. By language: workbench bias."]
    notes += [f"{words}: {note}." for words, note in lines.items() if words and words not in defined]
    return Sheet(title, "l" + "r" * len(arms), ("", *arms), (cells,) if cells else (), tuple(notes))


def published_sheet(results: TaskResults) -> Sheet:
    """A line a published model and sampling, a block a paper."""
    names = list(dict.fromkeys(name for one in results.published for name in one.figures))
    sources = list(dict.fromkeys(one.source for one in results.published))
    blocks: list[tuple[tuple[str, ...], ...]] = []
    notes = []
    for source in sources:
        models = [one for one in results.published if one.source == source]
        figures = [[figure(one.figures[name]) if name in one.figures else "" for name in names] for one in models]
        blocks.append(tuple((one.model, one.sampling, *of) for one, of in zip(models, figures, strict=True)))
        differs = dict.fromkeys(what for one in models for what in one.differs)
        notes.append(
            f"{source}; what differs: {'; '.join(differs)}. A difference from these figures is not tested: they have "
            "no seeds and no intervals."
        )
    head = ("model", "sampling", *names)
    return Sheet("Published", "ll" + "r" * len(names), head, tuple(blocks), tuple(notes))


def signed(value: float) -> str:
    """A difference: `+.0123`, `−12.3`; empty where it is not known."""
    if math.isnan(value):
        return ""
    return f"+{figure(value)}" if value > 0 else figure(value).replace("-", "−", 1)
