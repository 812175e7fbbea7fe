"""The ranks of parallel passages side by side, by passage language: what the bias between languages is measured on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.store.connection import reading

BEYOND, NONE = 0, -1
"""In place of a rank: beyond the depth searched; no relevant passage in that language, or no such cell."""


@dataclass(frozen=True)
class ParallelRanks:
    """The queries of the multilingual setting under some runs of one task: one row a (query language, query)."""

    run_ids: tuple[str, ...]
    languages: tuple[str, ...]
    """Of queries or passages, sorted; the last axis of the arrays."""
    pool_sizes: NDArray[np.int64]
    """[languages] candidates; 0 where there are none."""
    left_out: tuple[str, ...]
    """Languages that do not count in means over languages: the task's option leave_out."""
    query_language: NDArray[np.int32]
    """[rows] index into `languages`; rows are sorted by it."""
    paragraphs: tuple[str, ...]
    """[rows]"""
    articles: tuple[str, ...]
    """[rows]"""
    relevants: NDArray[np.int32]
    """[rows, languages] relevant passages."""
    merged: NDArray[np.int32]
    """[runs, rows, languages] rank of the best relevant passage of a language in the pool of all, or `BEYOND`,
    `NONE`."""
    above: NDArray[np.int32]
    """[runs, rows, languages] the relevants of other languages that stand above it."""
    alone: NDArray[np.int32]
    """[runs, rows, languages] the best rank in the pool of that language alone, or `BEYOND`, `NONE`."""
    shares: dict[int, NDArray[np.float64]]
    """By depth [runs, rows, languages] the share of the first passages that is in a language; NaN without passages."""
    listed: NDArray[np.int32]
    """[relevants, 4] run, row, language and rank (or `BEYOND`) of every relevant in the pool of all."""

    @property
    def single_target(self) -> NDArray[np.int32]:
        """[runs, rows, languages] ranks as if the relevants of other languages were not there, or `BEYOND`, `NONE`."""
        return np.where(self.merged > 0, self.merged - self.above, self.merged)


TASK = """
select candidates, coalesce(try_cast(options -> 'leave_out' as varchar[]), []),
    (select list(distinct query_language) from stored.cells c where c.task = t.task)
from stored.tasks t where name = $task and task_id = $task_id
"""
QUERIES = """
select query, coalesce(paragraph, query_id), coalesce(article, query_id)
from stored.queries q join stored.tasks t using (task) where t.name = $task and t.task_id = $task_id
order by query_id
"""
PLACES = """list_position($run_ids, r.run_id)::integer - 1 as run,
    list_position($languages, c.query_language)::integer - 1 as query_language"""
OF_TASK = """join stored.runs r on r.run = f.run
join stored.cells c on c.cell = f.cell
join stored.tasks t on t.task = c.task"""
WANTED = "list_contains($run_ids, r.run_id) and t.name = $task and t.task_id = $task_id"
RANKS = f"""
select {PLACES}, c.setting = 'multilingual' as merged, v.query,
    list_position($languages, p.passage_language)::integer - 1 as language, coalesce(f.rank, 0)::integer as rank
from stored.relevant_ranks f
{OF_TASK}
join stored.relevants v on v.relevant = f.relevant
join stored.passages p on p.passage = v.passage
where {WANTED}
"""
RETRIEVED = f"""
select {PLACES}, f.query, f.depth::integer as depth, list_position($languages, l.name)::integer - 1 as language,
    f.passages
from stored.retrieved_languages f
{OF_TASK}
join stored.languages l on l.language = f.language
where {WANTED}
"""


def parallel_ranks(store: Path, task: str, task_id: str, run_ids: Sequence[str]) -> ParallelRanks:
    """The ranks of the relevants of a task under some runs, by passage language.

    Raises
    ------
    InputError
        The task has no multilingual setting, or the runs were not measured on the same queries; as `reading` does.
    """
    names = {"task": task, "task_id": task_id}
    with reading(store) as connection:
        candidates, left_out, asking = connection.execute(TASK, names).fetchall()[0]
        pools: dict[str, int] = json.loads(candidates or "{}")
        languages = sorted({*pools, *asking})
        queries = connection.execute(QUERIES, names).fetchall()
        chosen = {**names, "run_ids": list(run_ids), "languages": languages}
        ranks = connection.execute(RANKS, chosen).fetchnumpy()
        retrieved = connection.execute(RETRIEVED, chosen).fetchnumpy()
    for columns in (ranks, retrieved):
        columns["row"] = row_keys(columns, [row[0] for row in queries])
    merged = {name: np.asarray(column)[ranks["merged"]] for name, column in ranks.items()}
    rows = np.unique(merged["row"])
    if not len(rows):
        raise InputError(f"{task}: it has no multilingual setting; the bias between languages is measured there")
    alone = {name: np.asarray(column)[~np.asarray(ranks["merged"])] for name, column in ranks.items()}
    shape = len(run_ids), len(rows), len(languages)
    listed, in_alone = listing(merged, rows), listing(alone, rows)
    relevants = np.zeros(shape, np.int32)
    np.add.at(relevants, (*listed[:, :3].T,), 1)
    if (relevants != relevants[:1]).any():
        raise InputError(f"{task}: the runs were not measured on the same queries")
    of_query = rows % len(queries)
    return ParallelRanks(
        run_ids=tuple(run_ids),
        languages=tuple(languages),
        pool_sizes=np.array([pools.get(language, 0) for language in languages], np.int64),
        left_out=tuple(left_out),
        query_language=(rows // len(queries)).astype(np.int32),
        paragraphs=tuple(queries[place][1] for place in of_query.tolist()),
        articles=tuple(queries[place][2] for place in of_query.tolist()),
        relevants=relevants[0],
        merged=best(listed, listed[:, 3], shape),
        above=np.maximum(best(listed, places(listed), shape) - 1, 0),
        alone=best(in_alone, in_alone[:, 3], shape),
        shares=shares(retrieved, rows, shape),
        listed=listed,
    )


def row_keys(columns: dict[str, Any], queries: Sequence[int]) -> NDArray[np.int64]:
    """One integer for each (query language, query), in the order of the languages and the query ids."""
    place = np.full(max(queries, default=0) + 1, -1, np.int64)
    place[np.asarray(queries, np.int64)] = np.arange(len(queries))
    return np.asarray(columns["query_language"], np.int64) * len(queries) + place[np.asarray(columns["query"])]


def listing(columns: dict[str, Any], rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """[relevants, 4] run, row, language, rank: sorted by run, row and rank, those beyond the depth last."""
    known = np.isin(columns["row"], rows)
    row = np.searchsorted(rows, columns["row"])
    found = np.stack([columns["run"], row, columns["language"], columns["rank"]], axis=1)[known].astype(np.int32)
    last = np.where(found[:, 3] > 0, found[:, 3], np.iinfo(np.int32).max)
    return found[np.lexsort((last, found[:, 1], found[:, 0]))]


def places(listed: NDArray[np.int32]) -> NDArray[np.int64]:
    """[relevants] 1 for the best-ranked of a run and row, 2 for the next."""
    new = np.ones(len(listed), np.bool_)
    new[1:] = (listed[1:, :2] != listed[:-1, :2]).any(axis=1)
    starts = np.flatnonzero(new)
    return np.arange(1, len(listed) + 1) - np.repeat(starts, np.diff(starts, append=len(listed)))


def best(listed: NDArray[np.int32], values: NDArray, shape: tuple[int, int, int]) -> NDArray[np.int32]:
    """[runs, rows, languages] the value of the best-ranked relevant of each language, or `NONE`."""
    table = np.full(shape, NONE, np.int32)
    place = np.ravel_multi_index((*listed[:, :3].T.astype(np.int64),), shape)
    found, first = np.unique(place, return_index=True)
    table.ravel()[found] = values[first]
    return table


def shares(
    retrieved: dict[str, Any], rows: NDArray[np.int64], shape: tuple[int, int, int]
) -> dict[int, NDArray[np.float64]]:
    found = {}
    known = np.isin(retrieved["row"], rows)
    for depth in np.unique(retrieved["depth"]).tolist():
        chosen = known & (np.asarray(retrieved["depth"]) == depth)
        run, row, language, passages = (
            np.asarray(retrieved[name])[chosen] for name in ("run", "row", "language", "passages")
        )
        counts = np.zeros(shape)
        counts[run, np.searchsorted(rows, row), language] = passages
        total = counts.sum(axis=-1, keepdims=True)
        found[int(depth)] = np.divide(counts, total, out=np.full(shape, np.nan), where=total > 0)
    return found
