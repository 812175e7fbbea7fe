"""What the bias screen can show of the rows of `bias_rows`: tables, bars, maps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.reports.bias import measure_name
from workbench.reports.leakage import FOOTNOTE
from workbench.reports.overview import Row
from workbench.reports.tables import figure, shown
from workbench.tui.widgets.bars import Bar, BarTable
from workbench.tui.widgets.heatmap import Matrix, cell_text

MEAN = "mean"
"""The line of a map that is over query languages."""
MOST_LOG = 5.0
"""Powers of two from 1 that the colours of a ratio tell apart."""


@dataclass(frozen=True)
class View:
    """One way to look at the bias."""

    title: str
    shape: Literal["summary", "bars", "maps"]
    variants: Mapping[str, str]
    """By what they are called, the measures that it can show."""
    words: str
    """What the figures are."""
    by: Literal["query_language", "passage_language"] = "query_language"
    """What bars are of."""


VIEWS = (
    View("summary", "summary", {"": ""}, "over all query languages, each counting alike"),
    View(
        "rank distance",
        "bars",
        {"mean": "rank_distance", "median": "rank_distance_median", "over pool": "rank_distance_relative"},
        "largest minus smallest rank of the parallel relevants, by query language",
    ),
    View(
        "language share@10",
        "maps",
        {"relative": "language_share_relative@10", "raw": "language_share@10"},
        "share of the first 10; relative: over the share of the pool, 1 = as by chance",
    ),
    View(
        "language share@100",
        "maps",
        {"relative": "language_share_relative@100", "raw": "language_share@100"},
        "share of the first 100; relative: over the share of the pool, 1 = as by chance",
    ),
    View(
        "own language first",
        "bars",
        {"": "own_language_first"},
        "how often the parallel passage in the query's own language is ranked best",
    ),
    View(
        "rank by passage language",
        "bars",
        {"mean rank": "mean_rank", "single-target": "single_target_rank"},
        "without queries in that language; single-target: other relevants left out",
        by="passage_language",
    ),
    View(
        "rank by language pair",
        "maps",
        {"mean rank": "mean_rank", "single-target": "single_target_rank"},
        "mean rank in the pool of all; single-target: other relevants left out",
    ),
    View(
        "language cost",
        "maps",
        {"cost": "language_cost", "single-target MRR": "single_target_mrr"},
        "cost: MRR in the passages' own pool minus single-target MRR in that of all",
    ),
    View(
        "agreement of queries",
        "bars",
        {"": "kendall_w"},
        "Kendall's W: do queries put the other languages in one order? 1 = all alike",
    ),
)


def is_relative(measure: str) -> bool:
    return measure.startswith("language_share_relative")


def of_measure(rows: Iterable[Row], measure: str) -> list[Row]:
    return [row for row in rows if row["measure"] == measure]


def arms_in(rows: Iterable[Row]) -> list[tuple[str, str | None]]:
    """(arm, against), in their order."""
    return list(dict.fromkeys((row["arm"], row["against"]) for row in rows))


def languages_in(rows: Iterable[Row], name: str) -> list[str]:
    return sorted({row[name] for row in rows} - {"*", "own"})


def value_words(row: Row) -> str:
    """The figure with its interval, or why there is none."""
    if row["value"] is None:
        return shown(row["note"])
    interval = "" if row["low"] is None else f" [{figure(row['low'])}, {figure(row['high'])}]"
    return figure(row["value"]) + interval


def where_words(view: View, row: Row) -> str:
    """What a figure is of: the measure in the summary, else its languages."""
    if view.shape == "summary":
        return str(measure_name(row))
    query, passage = row["query_language"], row["passage_language"]
    parts = [f"query {'mean' if query == '*' else query}"] if view.by == "query_language" else []
    return ", ".join([*parts, *([f"passage {passage}"] if passage != "*" else [])])


def legend_words(rows: Sequence[Row], roomy: bool, noted: bool) -> str:
    """What intervals speak of, and what the marks say; `noted`: whether a language has a ring."""
    seeds = {row["seeds"] for row in rows if row["seeds"]}
    of = f"of the samplings, {min(seeds, default=0)} seeds"
    if {row["about"] for row in rows if row["about"]} != {"samplings"}:
        of = "questions only, one seed" + ": no claim about samplings" * roomy
    parts = [f"95 % intervals: {of}"]
    if noted:
        parts.append("° not in training")
    if any(row["leaked"] for row in rows):
        parts.append(FOOTNOTE)
    return "   ".join(parts)


def summary_lines(rows: Sequence[Row]) -> dict[str, dict[tuple[str, str | None], Row]]:
    """By what a measure is called, and by arm: the rows that are of all languages together."""
    lines: dict[str, dict[tuple[str, str | None], Row]] = {}
    for row in rows:
        name = measure_name(row)
        if name is not None:
            lines.setdefault(name, {})[row["arm"], row["against"]] = row
    return lines


def bar_rows(rows: Sequence[Row], view: View, measure: str) -> list[Row]:
    """Those of single languages; the mean over query languages last, where it is of all passages."""
    other = "passage_language" if view.by == "query_language" else "query_language"
    found = [row for row in of_measure(rows, measure) if row[other] == "*" and row[view.by] != "own"]
    if view.by == "passage_language":
        return [row for row in found if row[view.by] != "*"]
    return found


def bar_table(rows: Sequence[Row], view: View, names: Mapping[str, str], noted: frozenset[str]) -> BarTable:
    """Bars by language, a series an arm."""
    arms = arms_in(rows)
    labels = languages_in(rows, view.by) + (["*"] if any(row[view.by] == "*" for row in rows) else [])
    places = {(row["arm"], row[view.by]): row for row in rows}
    largest = max((abs(row["value"]) for row in rows if row["value"] is not None), default=0)
    numbers = {
        place: number_texts(row, 1 if largest >= 10 else 2 if largest >= 1 else 4) for place, row in places.items()
    }
    widths = [max((len(texts[part]) for texts in numbers.values()), default=0) for part in range(3)]

    def bar(arm: str, label: str) -> Bar:
        row = places.get((arm, label))
        if row is None or row["value"] is None:
            return Bar(None, "" if row is None else shown(row["note"]))
        value, low, high = (text.rjust(width) for text, width in zip(numbers[arm, label], widths, strict=True))
        return Bar(row["value"], value if not low.strip() else f"{value} [{low}, {high}]")

    return BarTable(
        labels=[MEAN if label == "*" else label for label in labels],
        series=[shown(names[arm]) for arm, _ in arms],
        bars=[[bar(arm, label) for arm, _ in arms] for label in labels],
        noted=noted,
    )


def number_texts(row: Row, decimals: int) -> tuple[str, str, str]:
    """Value and interval, with the decimals that all bars have; empty where there is none."""

    def text(value: float | None) -> str:
        if value is None:
            return ""
        said = f"{value:.{decimals}f}"
        return said.replace("0.", ".", 1) if abs(value) < 1 and decimals == 4 else said

    return text(row["value"]), text(row["low"]), text(row["high"])


def map_rows(rows: Sequence[Row], measure: str) -> list[Row]:
    """Those of a passage language: by query language, and their mean."""
    return [row for row in of_measure(rows, measure) if row["passage_language"] not in ("*", "own")]


def map_values(rows: Sequence[Row], measure: str, differences: bool) -> list[float]:
    """What the colours stand for."""
    return [coloured(row["value"], measure, differences) for row in rows if row["value"] is not None]


def coloured(value: float, measure: str, differences: bool) -> float:
    """A ratio by its logarithm, so that twice and half are as far from 1."""
    if differences or not is_relative(measure):
        return value
    return max(-MOST_LOG, min(MOST_LOG, math.log2(value))) if value > 0 else -MOST_LOG


def limits_of(values: Sequence[float], diverging: bool) -> tuple[float, float]:
    """The ends of the scale that all arms' maps share."""
    if not values:
        return 0.0, 1.0
    if diverging:
        most = max(map(abs, values)) or 1.0
        return -most, most
    return min(values), max(values)


def map_matrix(
    rows: Sequence[Row], measure: str, differences: bool, limits: tuple[float, float], noted: frozenset[str]
) -> Matrix:
    """Query languages down, the mean over them last; passage languages across."""
    passages = languages_in(rows, "passage_language")
    queries = [*languages_in(rows, "query_language"), *(["*"] if any(r["query_language"] == "*" for r in rows) else [])]
    places = {(row["query_language"], row["passage_language"]): row["value"] for row in rows}
    values = [[places.get((a, b)) for b in passages] for a in queries]
    return Matrix(
        rows=[MEAN if a == "*" else a for a in queries],
        columns=passages,
        values=[[None if v is None else coloured(v, measure, differences) for v in line] for line in values],
        texts=[["" if v is None else cell_text(v, signs=differences) for v in line] for line in values],
        diverging=differences or is_relative(measure),
        noted=noted,
        limits=limits,
    )
