"""The ranks of some runs on one task as columns of numbers: what statistics start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.records import Setting
from workbench.store.connection import reading


@dataclass(frozen=True)
class RankRows:
    """One row a (run, cell, query, relevant), sorted so; what the numbers stand for beside them."""

    run_ids: tuple[str, ...]
    cells: tuple[tuple[Setting, str, str], ...]
    """(setting, query language, pool language), in the order of the settings, then by language, `*` last."""
    query_ids: tuple[str, ...]
    paragraphs: tuple[str, ...]
    """[queries]"""
    articles: tuple[str, ...]
    """[queries]"""
    run: NDArray[np.int32]
    """[rows] index into `run_ids`."""
    cell: NDArray[np.int32]
    """[rows] index into `cells`."""
    query: NDArray[np.int32]
    """[rows] index into `query_ids`."""
    relevance: NDArray[np.int16]
    """[rows] grade, at least 1."""
    rank: NDArray[np.int32]
    """[rows] 1-based; 0 = beyond the depth searched."""


CELLS = """
select c.cell, setting, query_language, pool_language
from stored.cells c join stored.tasks t using (task)
where t.name = $task and t.task_id = $task_id
order by list_position(['monolingual', 'cross_lingual', 'multilingual'], setting), query_language,
    pool_language = '*', pool_language
"""
QUERIES = """
select query, query_id, paragraph, article
from stored.queries q join stored.tasks t using (task)
where t.name = $task and t.task_id = $task_id order by query_id
"""
RANKS = """
select r.run_id, f.cell, v.query, v.relevance, coalesce(f.rank, 0)::integer as rank
from stored.relevant_ranks f
join stored.runs r on r.run = f.run
join stored.cells c on c.cell = f.cell
join stored.tasks t on t.task = c.task
join stored.relevants v on v.relevant = f.relevant
where list_contains($run_ids, r.run_id) and t.name = $task and t.task_id = $task_id
"""


def rank_rows(store: Path, task: str, task_id: str, run_ids: Sequence[str]) -> RankRows:
    """The ranks of the relevants of all queries of a task under some runs.

    Raises as `reading` does.
    """
    names = {"task": task, "task_id": task_id}
    with reading(store) as connection:
        cells = connection.execute(CELLS, names).fetchall()
        queries = connection.execute(QUERIES, names).fetchall()
        found = connection.execute(RANKS, {**names, "run_ids": list(run_ids)}).fetchnumpy()
    run_place = {run_id: place for place, run_id in enumerate(run_ids)}
    run = np.array([run_place[run_id] for run_id in found["run_id"].tolist()], np.int32)
    cell = recoded(found["cell"], [row[0] for row in cells])
    query = recoded(found["query"], [row[0] for row in queries])
    rank = np.asarray(found["rank"])
    order = np.lexsort((np.where(rank > 0, rank, np.iinfo(np.int32).max), query, cell, run))
    return RankRows(
        run_ids=tuple(run_ids),
        cells=tuple((setting, query_language, pool) for _, setting, query_language, pool in cells),
        query_ids=tuple(row[1] for row in queries),
        paragraphs=tuple(row[2] or row[1] for row in queries),
        articles=tuple(row[3] or row[1] for row in queries),
        run=run[order],
        cell=cell[order],
        query=query[order],
        relevance=np.asarray(found["relevance"])[order].astype(np.int16),
        rank=rank[order].astype(np.int32),
    )


def recoded(codes: NDArray[np.integer], known: Sequence[int]) -> NDArray[np.int32]:
    """Codes of the store as places in a list of them."""
    places = np.full(max(known, default=0) + 1, -1, np.int32)
    places[np.asarray(known, np.int64)] = np.arange(len(known))
    return places[np.asarray(codes)]
