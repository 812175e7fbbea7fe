"""The map of a comparison: the cells of language pairs as a matrix, and a cell in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.records import ALL_POOLS
from workbench.reports.leakage import FOOTNOTE
from workbench.reports.overview import Row
from workbench.reports.tables import figure, p_value, shown
from workbench.reports.translated import TRANSLATED, TRANSLATED_FOOTNOTE
from workbench.tui.macro import plain, signed
from workbench.tui.widgets.heatmap import Matrix, cell_text

ALL = "all"
"""The column of the pool of all languages; a star there would look like a mark."""


def matrix_of(rows: Sequence[Row], value: str, unseen: frozenset[str]) -> Matrix:
    """Query languages down, pools across, that of all languages last."""
    queries = sorted({row["query_language"] for row in rows})
    pools = sorted({row["pool_language"] for row in rows}, key=lambda pool: (pool == ALL_POOLS, pool))
    values: list[list[float | None]] = [[None] * len(pools) for _ in queries]
    texts = [[""] * len(pools) for _ in queries]
    marks = max((len(marks_of(row)) for row in rows), default=0)
    for row in rows:
        place, pool = queries.index(row["query_language"]), pools.index(row["pool_language"])
        values[place][pool] = row[value]
        text = cell_text(row[value], signs=value == "difference")
        texts[place][pool] = text + marks_of(row).ljust(marks)
    labels = [ALL if pool == ALL_POOLS else pool for pool in pools]
    return Matrix(queries, labels, values, texts, "", value == "difference", unseen)


def marks_of(row: Row) -> str:
    return row.get("mark", "") + TRANSLATED * bool(row["translated"])


def legend_words(rows: Sequence[Row], unseen: frozenset[str], leaked: bool) -> str:
    """What the marks in a map say, of those that it has; `leaked`: whether an arm's name has one."""
    parts = []
    if any("mark" in row for row in rows):
        parts.append("* family-wise p < .05, these checkpoints only")
    if unseen & {name for row in rows for name in (row["query_language"], row["pool_language"])}:
        parts.append("° not in training")
    if any(row["translated"] for row in rows):
        parts.append(TRANSLATED_FOOTNOTE)
    if leaked:
        parts.append(FOOTNOTE)
    return "   ".join(parts)


def cell_words(row: Row, names: Mapping[str, str]) -> str:
    """A cell in a sentence."""
    pool = "all languages" if row["pool_language"] == ALL_POOLS else row["pool_language"]
    where = f"{row['setting'].replace('_', '-')}, query {row['query_language']}, pool {pool}"
    count = f"{row['queries']} queries"
    if row.get("against") is None:
        sd = "" if row["sd"] is None else f" ±{figure(row['sd'])}"
        return f"{where}: {row['measure']} {figure(row['mean'])}{sd}, {row['n']} seeds, {count}"
    base = row["mean"] - row["difference"]
    real = "significant *" if row["mark"] else "not significant"
    return (
        f"{where}: {shown(names[row['against']])} {figure(base)}, {shown(names[row['arm']])} {figure(row['mean'])}, "
        f"difference {signed(row['difference'])} [{plain(row['low'])}, {plain(row['high'])}], p {p_value(row['p'])}, "
        f"family-wise {p_value(row['p_family'])}: {real}; {count}"
    )
