"""What the ranking of a task leaves behind, as flat columns: ranks in, measures and tables out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.records import ALL_POOLS

TOP_POOL = 10
"""Passages kept per query in the pool of one language."""
TOP_ALL = 100
"""Passages kept per query in the pool of all languages."""
SHARE_DEPTHS = (10, TOP_ALL)
"""Depths at which the languages retrieved from the pool of all languages are counted."""


@dataclass(frozen=True)
class TopPassages:
    """The best-ranked passages of every query of every cell, in the order of the cells, queries and positions."""

    setting: NDArray[np.int8]
    """[rows] index into `records.SETTINGS`."""
    query_language: NDArray[np.int16]
    """[rows] index into the task's languages."""
    pool_language: NDArray[np.int16]
    """[rows] index into `Rankings.pools`."""
    query: NDArray[np.int32]
    """[rows] index into the task's query ids."""
    position: NDArray[np.int16]
    """[rows] 1-based; equal similarities stand in the order of the ids."""
    candidate: NDArray[np.int32]
    """[rows] index into the task's candidate ids."""


@dataclass(frozen=True)
class RetrievedLanguages:
    """How many of the first passages of the multilingual pool are in which language; zeros are left out."""

    query_language: NDArray[np.int16]
    """[rows] index into the task's languages."""
    query: NDArray[np.int32]
    """[rows] index into the task's query ids."""
    depth: NDArray[np.int16]
    """[rows] one of `SHARE_DEPTHS`."""
    passage_language: NDArray[np.int16]
    """[rows] index into the task's languages."""
    passages: NDArray[np.int16]
    """[rows] passages in that language among the first `depth`."""


@dataclass(frozen=True)
class Rankings:
    """The rank of every relevant passage in every cell: one row a (cell, query, relevant).

    Rows are sorted by setting, query language, pool language, query and rank, those beyond the depth last.
    """

    languages: tuple[str, ...]
    """ISO 639-1, as in the task."""
    pool_sizes: NDArray[np.int64]
    """[languages + 1] candidates of each language, and of all languages together."""
    setting: NDArray[np.int8]
    """[rows] index into `records.SETTINGS`."""
    query_language: NDArray[np.int16]
    """[rows] index into `languages`."""
    pool_language: NDArray[np.int16]
    """[rows] index into `pools`."""
    query: NDArray[np.int32]
    """[rows] index into the task's query ids."""
    candidate: NDArray[np.int32]
    """[rows] the relevant passage: index into the task's candidate ids."""
    passage_language: NDArray[np.int16]
    """[rows] its own language: index into `languages`."""
    relevance: NDArray[np.int16]
    """[rows] its grade, at least 1."""
    rank: NDArray[np.int32]
    """[rows] 1-based; 0 = beyond the depth searched."""
    top: TopPassages | None = None
    retrieved: RetrievedLanguages | None = None

    @property
    def pools(self) -> tuple[str, ...]:
        """The languages, and the name of the pool that joins them."""
        return (*self.languages, ALL_POOLS)

    @property
    def query_starts(self) -> NDArray[np.int64]:
        """[(cell, query) pairs] their first rows."""
        return run_starts(self.query, self.pool_language, self.query_language, self.setting)

    @property
    def cell_starts(self) -> NDArray[np.int64]:
        """[cells] their first rows."""
        return run_starts(self.pool_language, self.query_language, self.setting)


def run_starts(*columns: NDArray[np.integer]) -> NDArray[np.int64]:
    """The first row of every run of rows that are equal in all columns."""
    new = np.zeros(len(columns[0]), np.bool_)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(new)
