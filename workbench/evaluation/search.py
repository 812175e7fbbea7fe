"""Ranks down to a depth, for pools of millions: the pools are searched one by one, their lists merged as they come.

What comes back is what `rank_task` gives, with the rank 0 for a relevant beyond the depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask
from workbench.evaluation.first_passages import BestPassages
from workbench.evaluation.indexes import IndexPlan, plan_index, search_pool
from workbench.evaluation.lists import Lists, best_of
from workbench.evaluation.pools import Floats, Integers, QueryRows, query_rows
from workbench.evaluation.progress import Clock
from workbench.evaluation.ranking import assemble, check_vectors
from workbench.evaluation.results import TOP_ALL, TOP_POOL, Rankings
from workbench.evaluation.vectors import StoredVectors
from workbench.records import Progress, Setting, TaskSpec

PAIRS_AT_ONCE = 4096
"""Relevants that are looked for in their lists at a time."""


@dataclass(frozen=True)
class PoolTexts:
    """The distinct texts of one language's candidates, and who has them."""

    texts: NDArray[np.int32]
    """[texts] ascending: index into the task's passage texts."""
    members: NDArray[np.int32]
    """[candidates] grouped by text, ids ascending in each group."""
    starts: Integers
    """[texts] the first member of each."""

    @property
    def first(self) -> NDArray[np.int32]:
        """[texts] the candidate with the smallest id; it stands for all of its text while the pool is searched."""
        return self.members[self.starts]

    @property
    def copies(self) -> Integers:
        """[texts] candidates that have it."""
        return np.diff(self.starts, append=len(self.members))


def pool_texts(task: RetrievalTask, language: int) -> PoolTexts:
    members = np.flatnonzero(task.candidate_languages == language).astype(np.int32)
    of_member = task.candidates[members]
    if (of_member[1:] < of_member[:-1]).any():
        order = np.argsort(of_member, kind="stable")
        members, of_member = members[order], of_member[order]
    texts, starts = np.unique(of_member, return_index=True)
    return PoolTexts(texts, members, starts)


def index_plans(task: RetrievalTask, spec: TaskSpec) -> dict[str, IndexPlan]:
    """How each language's pool is searched, where the task has a depth; languages without candidates are left out."""
    if spec.depth is None:
        return {}
    plans = {}
    for number, language in enumerate(task.languages):
        if texts := len(np.unique(task.candidates[task.candidate_languages == number])):
            plans[language] = plan_index(spec.index, texts, spec.depth)
    return plans


def search_task(
    task: RetrievalTask,
    query_vectors: Floats,
    vectors: StoredVectors,
    spec: TaskSpec,
    *,
    memory_bytes: int = 2**30,
    device: str = "cpu",
    report: Progress,
    clock: Clock,
) -> Rankings:
    """Rank the relevants that are among the first `spec.depth` of each pool; the clock takes indexing and searching.

    Only pools and queries that the settings need are searched: a query of a language, in the pools where it has
    something relevant; for the multilingual setting in all pools.

    Parameters
    ----------
    query_vectors
        float32 [query texts, d], of unit length.
    vectors
        Of the task's passage texts.
    memory_bytes
        Bound on the similarities in memory; the lists, 8 bytes for each query and place, come on top.

    Raises
    ------
    WorkError
        A query vector is not finite.
    """
    assert spec.depth is not None
    check_vectors(query_vectors, len(task.query_texts), "query")
    depth, rows, plans = spec.depth, query_rows(task), index_plans(task, spec)
    row, relevant = rows.pairs()
    candidate = task.relevant_candidates[relevant]
    own, merged = np.zeros((2, len(row)), np.int64)
    best = BestPassages.empty(len(rows.text), len(task.languages))
    everything = Lists.empty(len(rows.text), 0)
    met = np.zeros(len(task.passage_texts), np.bool_)
    for number, language in enumerate(task.languages):
        wanted = rows_to_search(task, rows, number, spec.settings)
        if language not in plans or not len(wanted):
            continue
        pool = pool_texts(task, number)
        found = search_pool(
            plans[language],
            vectors,
            pool.texts,
            pool.first,
            query_vectors[rows.text[wanted]],
            depth,
            memory_bytes=memory_bytes,
            device=device,
            language=language,
            report=report,
            clock=clock,
        )
        lists = with_copies(found, pool, task, depth)
        in_pool = np.flatnonzero((task.candidate_languages[candidate] == number) & np.isin(row, wanted))
        own[in_pool] = places(lists.keys, np.searchsorted(wanted, row[in_pool]), candidate[in_pool])
        put_first(best.own[:, number], wanted, lists.keys, TOP_POOL)
        if "multilingual" in spec.settings:
            if met[pool.texts].any():
                lists = levelled(lists, everything, task)
            everything = best_of(everything, lists, depth)
            met[pool.texts] = True
    merged[:] = places(everything.keys, row, candidate)
    put_first(best.merged, np.arange(len(rows.text)), everything.keys, TOP_ALL)
    clock("searching")
    sizes = np.bincount(task.candidate_languages, minlength=len(task.languages))
    return assemble(task, rows, sizes, own, merged, best, spec.settings)


def rows_to_search(task: RetrievalTask, rows: QueryRows, language: int, settings: Sequence[Setting]) -> Integers:
    """The query rows, ascending, whose first passages in the pool of a language are needed."""
    if "multilingual" in settings:
        return np.arange(len(rows.text))
    row, relevant = rows.pairs()
    there = task.candidate_languages[task.relevant_candidates[relevant]] == language
    answered = np.unique(row[there])
    own = rows.language[answered] == language
    keep = (own & ("monolingual" in settings)) | (~own & ("cross_lingual" in settings))
    return answered[keep]


def with_copies(found: Lists, pool: PoolTexts, task: RetrievalTask, depth: int) -> Lists:
    """Lists of candidates from lists of texts, each named by its first candidate: copies come in and tie.

    They are as long as the depth and the pool allow, in order: similarities falling, smaller ids first.
    """
    if len(pool.members) == len(pool.texts):
        return best_of(found, Lists.empty(len(found.keys), 0), depth)
    copies = np.minimum(pool.copies, depth)  # no more of a text can come into a list
    whole = Lists.empty(len(found.keys), min(depth, len(pool.members)))
    for n, (row, keys) in enumerate(zip(found.similarities, found.keys, strict=True)):
        text = np.searchsorted(pool.texts, task.candidates[keys[keys >= 0]])
        times = copies[text]
        offset = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        candidates = pool.members[np.repeat(pool.starts[text], times) + offset]
        similarities = np.repeat(row[keys >= 0], times)
        order = np.lexsort((candidates, -similarities))[: whole.keys.shape[1]]
        whole.similarities[n, : len(order)], whole.keys[n, : len(order)] = similarities[order], candidates[order]
    return whole


def levelled(lists: Lists, before: Lists, task: RetrievalTask) -> Lists:
    """The lists with the similarities that `before`, of the same queries in other pools, has of the same texts.

    A product may round the same two vectors differently in another block, but equal texts must tie.
    """
    similarities = lists.similarities.copy()
    for n, (keys, known) in enumerate(zip(lists.keys, before.keys, strict=True)):
        texts, row = task.candidates[known[known >= 0]], before.similarities[n, known >= 0]
        order = np.argsort(texts)
        here = task.candidates[keys]
        found = np.flatnonzero((keys >= 0) & np.isin(here, texts))
        similarities[n, found] = row[order[np.searchsorted(texts, here[found], sorter=order)]]
    return Lists(similarities, lists.keys)


def places(listed: NDArray[np.int32], row: Integers, candidate: NDArray[np.int32]) -> Integers:
    """[pairs] the 1-based place of each candidate in its row's list, 0 = it is not there."""
    ranks = np.zeros(len(row), np.int64)
    for start in range(0, len(row), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        pair, place = np.nonzero(listed[row[part]] == candidate[part, None])
        ranks[start + pair] = place + 1
    return ranks


def put_first(into: NDArray[np.int32], rows: Integers, listed: NDArray[np.int32], most: int) -> None:
    """The first passages of these rows, as many as there are up to `most`."""
    depth = min(most, listed.shape[1])
    into[rows, :depth] = listed[:, :depth]
