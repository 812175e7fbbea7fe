"""How a task is laid out for ranking: its queries as rows, its candidates as columns, the pools side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

LANE = 8
"""Outcomes of comparisons (bytes) that are added as one 64-bit word."""
TILE_WORDS = 255
"""Words that can be added before a byte of the sum overflows."""


@dataclass(frozen=True)
class QueryRows:
    """A question in a language, once for each; those with as many relevants stand together."""

    text: NDArray[np.int32]
    """[rows] index into the query texts."""
    language: NDArray[np.int16]
    query: NDArray[np.int32]
    """[rows] index into the query ids."""
    first: Integers
    """[rows] the first of its relevants in the task's columns; they are adjacent there."""
    relevants: Integers
    """[rows] how many it has, at least 1, falling."""

    def pairs(self) -> tuple[Integers, Integers]:
        """Every relevant of every row, one row after the other: its row, and its place in the task's relevants."""
        row = np.repeat(np.arange(len(self.text)), self.relevants)
        offset = np.arange(len(row)) - np.repeat(np.cumsum(self.relevants) - self.relevants, self.relevants)
        return row, self.first[row] + offset


def query_rows(task: RetrievalTask) -> QueryRows:
    edges = np.searchsorted(task.relevant_queries, np.arange(len(task.query_ids) + 1))
    numbers = np.diff(edges)
    query, language = np.nonzero((task.queries >= 0) & (numbers > 0)[:, None])
    order = np.argsort(-numbers[query], kind="stable")
    query, language = query[order], language[order]
    return QueryRows(
        text=task.queries[query, language],
        language=language.astype(np.int16),
        query=query.astype(np.int32),
        first=edges[query],
        relevants=numbers[query],
    )


@dataclass(frozen=True)
class Pools:
    """The candidates as columns of a block: the pools side by side, ids ascending in each.

    A pool starts at a multiple of `LANE` columns; the columns in between are padding, of similarity minus infinity.
    """

    texts: NDArray[np.int32]
    """[columns] index into the passage texts; padding has the first."""
    candidates: NDArray[np.int32]
    """[columns] index into the candidate ids, -1 for padding."""
    columns: Integers
    """[candidates] its column."""
    languages: NDArray[np.int16]
    """[candidates] the language: its pool."""
    starts: Integers
    """[languages] first column of the pool."""
    sizes: Integers
    """[languages] candidates in it."""
    padding: Integers
    """[padding] columns."""
    copies: tuple[Integers, Integers]
    """[copies] columns whose text stands in an earlier column, and that column."""
    tiles: Integers
    """[tiles] first word of each stretch of one pool that is at most `TILE_WORDS` long."""
    tile_languages: NDArray[np.int16]
    """[tiles]"""


def pool_columns(task: RetrievalTask) -> Pools:
    sizes = np.bincount(task.candidate_languages, minlength=len(task.languages))
    words = -(-sizes // LANE)
    starts = LANE * (np.cumsum(words) - words)
    order = np.argsort(task.candidate_languages, kind="stable")
    before = np.cumsum(sizes) - sizes
    columns = np.empty(len(order), np.int64)
    columns[order] = np.arange(len(order)) + np.repeat(starts - before, sizes)
    candidates = np.full(LANE * words.sum(), -1, np.int32)
    candidates[columns] = np.arange(len(order))
    texts = np.where(candidates < 0, 0, task.candidates[candidates]).astype(np.int32)
    tiles = [np.arange(start // LANE, start // LANE + n, TILE_WORDS) for start, n in zip(starts, words, strict=True)]
    return Pools(
        texts=texts,
        candidates=candidates,
        columns=columns,
        languages=task.candidate_languages,
        starts=starts,
        sizes=sizes,
        padding=np.flatnonzero(candidates < 0),
        copies=copied_columns(texts, candidates),
        tiles=np.concatenate(tiles),
        tile_languages=np.repeat(np.arange(len(tiles), dtype=np.int16), [len(t) for t in tiles]),
    )


def copied_columns(texts: NDArray[np.int32], candidates: NDArray[np.int32]) -> tuple[Integers, Integers]:
    """Columns of a text seen in an earlier column, and the first column of that text."""
    real = np.flatnonzero(candidates >= 0)
    _, first, inverse = np.unique(texts[real], return_index=True, return_inverse=True)
    source = real[first[inverse]]
    copied = source != real
    return real[copied], source[copied]
