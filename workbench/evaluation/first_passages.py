"""The first passages of every query in every pool, and the languages that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask
from workbench.evaluation.pools import Pools, QueryRows
from workbench.evaluation.results import (
    SHARE_DEPTHS,
    TOP_ALL,
    TOP_POOL,
    Rankings,
    RetrievedLanguages,
    TopPassages,
)
from workbench.records import SETTINGS, Setting


@dataclass(frozen=True)
class BestPassages:
    """The first passages of every query row, filled block by block; -1 where a pool has no more."""

    own: NDArray[np.int32]
    """[rows, languages, TOP_POOL] index into the candidate ids."""
    merged: NDArray[np.int32]
    """[rows, TOP_ALL] likewise."""

    @classmethod
    def empty(cls, rows: int, languages: int) -> BestPassages:
        own = np.full((rows, languages, TOP_POOL), -1, np.int32)
        return cls(own, np.full((rows, TOP_ALL), -1, np.int32))

    def fill(self, part: slice, block: torch.Tensor, pools: Pools, settings: Sequence[Setting]) -> None:
        """Search the block of the rows `part` as far as the settings need it."""
        if "multilingual" in settings:
            depth = min(TOP_ALL, len(pools.columns))
            self.merged[part, :depth] = first_passages(block, pools.candidates, depth, len(pools.columns))
        if set(settings) <= {"multilingual"}:
            return
        for language, (start, size) in enumerate(zip(pools.starts, pools.sizes, strict=True)):
            stretch, depth = slice(start, start + size), min(TOP_POOL, size)
            found = first_passages(block[:, stretch], pools.candidates[stretch], depth, size)
            self.own[part, language, :depth] = found


def first_passages(block: torch.Tensor, candidates: NDArray[np.int32], depth: int, size: int) -> NDArray[np.int32]:
    """[rows, depth] the most similar candidates, equal ones by id; `size` of the columns are no padding."""
    return candidates[first_columns(block, candidates, depth, size)]


def first_columns(block: torch.Tensor, keys: NDArray[np.int32], depth: int, size: int) -> NDArray[np.int64]:
    """[rows, depth] the columns of the highest similarities, equal ones by their keys, [columns] or [rows, columns].

    `size`, at least `depth`, of the columns are no padding; padding is of similarity minus infinity.
    """
    # one more than asked for shows a tie across the cut
    best = torch.topk(block, min(depth + 1, size), dim=1)
    values, at = best.values.cpu().numpy(), best.indices.cpu().numpy()
    found = at[:, :depth]
    for row in np.flatnonzero((values[:, 1:] == values[:, :-1]).any(axis=1)):
        similarities, of_row = block[row].cpu().numpy(), keys if keys.ndim == 1 else keys[row]
        level = np.flatnonzero(similarities >= values[row, depth - 1])
        order = np.lexsort((of_row[level], -similarities[level]))
        found[row] = level[order[:depth]]
    return found


def with_best(rankings: Rankings, task: RetrievalTask, rows: QueryRows, best: BestPassages) -> Rankings:
    """The rankings with the first passages of each query of each cell, and their languages."""
    starts = rankings.query_starts
    setting, query = rankings.setting[starts], rankings.query[starts]
    query_language, pool_language = rankings.query_language[starts], rankings.pool_language[starts]
    row_of = np.zeros(task.queries.shape, np.int64)
    row_of[rows.query, rows.language] = np.arange(len(rows.text))
    row = row_of[query, query_language]
    # the multilingual cells are the last
    cut = np.searchsorted(setting, SETTINGS.index("multilingual"))
    own, merged = best.own[row[:cut], pool_language[:cut]], best.merged[row[cut:]]
    listed, position = np.concatenate([np.argwhere(own >= 0), np.argwhere(merged >= 0) + np.array([cut, 0])]).T
    top = TopPassages(
        setting=setting[listed],
        query_language=query_language[listed],
        pool_language=pool_language[listed],
        query=query[listed],
        position=(position + 1).astype(np.int16),
        candidate=np.concatenate([own[own >= 0], merged[merged >= 0]]),
    )
    return replace(rankings, top=top, retrieved=retrieved(query_language[cut:], query[cut:], merged, task))


def retrieved(
    query_language: NDArray[np.int16], query: NDArray[np.int32], merged: NDArray[np.int32], task: RetrievalTask
) -> RetrievedLanguages:
    """Count the languages of the first passages `merged` [queries, TOP_ALL] of the multilingual pool."""
    shape = (len(merged), len(SHARE_DEPTHS), len(task.languages))
    counts = np.zeros(shape, np.int16)
    for column, depth in enumerate(SHARE_DEPTHS):
        at, position = np.nonzero(merged[:, :depth] >= 0)
        languages = task.candidate_languages[merged[at, position]]
        flat = np.bincount(at * shape[2] + languages, minlength=shape[0] * shape[2])
        counts[:, column] = flat.reshape(shape[0], shape[2])
    row, number, language = np.nonzero(counts)
    return RetrievedLanguages(
        query_language=query_language[row],
        query=query[row],
        depth=np.array(SHARE_DEPTHS, np.int16)[number],
        passage_language=language.astype(np.int16),
        passages=counts[row, number, language],
    )
