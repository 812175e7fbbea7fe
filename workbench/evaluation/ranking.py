"""Exact ranks of the relevant passages in every cell of a task, from one pass over blocks of similarities.

Rank = 1 + the candidates with a higher similarity + those with the same similarity and a smaller id. Both numbers are
counted; nothing is sorted, so the cost does not depend on the depth and the memory is that of one block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask
from workbench.errors import WorkError
from workbench.evaluation.first_passages import BestPassages, with_best
from workbench.evaluation.pools import Floats, Integers, Pools, QueryRows, pool_columns, query_rows
from workbench.evaluation.results import Rankings
from workbench.records import SETTINGS, Setting

Progress = Callable[[int, int], None]
"""Called with the query rows done and the query rows in all."""

BLOCK_ROWS = 1024
"""Query rows multiplied at a time: enough for the matrix product's full rate."""
PIECE_ROWS = 128
"""Query rows that a thread of the CPU counts at a time, at most."""
COUNTS = 2**21
"""Counts (relevant, tile) that it holds, at most."""
CACHE_BYTES = 2**20
"""Similarities and outcomes of comparisons that a thread works on at a time: half a second-level cache."""
THRESHOLDS = 16
"""Relevants of a query row that are compared at a time."""


def rank_task(
    task: RetrievalTask,
    query_vectors: Floats,
    passage_vectors: Floats,
    *,
    memory_bytes: int = 2**30,
    settings: Sequence[Setting] = SETTINGS,
    device: str = "cpu",
    top: bool = True,
    progress: Progress | None = None,
) -> Rankings:
    """Rank every relevant passage of every question in every language and pool.

    Parameters
    ----------
    query_vectors
        float32 [query texts, d], of unit length: the similarity is the dot product.
    passage_vectors
        float32 [passage texts, d], likewise.
    memory_bytes
        Bound on the similarities in memory; a copy of the passage vectors in the order of the pools comes on top.
    device
        Where similarities are computed and compared, as torch names it.
    top
        Whether to keep the first passages and the languages retrieved as well.

    Raises
    ------
    WorkError
        A vector is not finite.
    """
    check_vectors(query_vectors, len(task.query_texts), "query")
    check_vectors(passage_vectors, len(task.passage_texts), "passage")
    rows, pools = query_rows(task), pool_columns(task)
    similarities = Similarities.of(passage_vectors, pools, device, memory_bytes)
    own, merged = np.zeros((2, rows.relevants.sum()), np.int64)
    best = BestPassages.empty(len(rows.text), len(task.languages)) if top else None
    done = 0
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        for part in similarities.parts(len(rows.text)):
            block = similarities.block(query_vectors[rows.text[part]])
            columns, relevants = relevant_columns(task, rows, part, pools), rows.relevants[part]
            own_ranks, merged_ranks = block_ranks(block, columns, relevants, pools, threads)
            real = np.arange(columns.shape[1]) < relevants[:, None]
            until = done + int(relevants.sum())
            own[done:until], merged[done:until] = own_ranks[real], merged_ranks[real]
            if best is not None:
                best.fill(part, block, pools, settings)
            done = until
            if progress is not None:
                progress(part.stop, len(rows.text))
    return assemble(task, rows, pools.sizes, own, merged, best, settings)


def check_vectors(vectors: Floats, texts: int, kind: str) -> None:
    if vectors.ndim != 2 or len(vectors) != texts or vectors.dtype != np.float32:
        raise ValueError(f"{kind} vectors: {vectors.dtype} {vectors.shape}, expected float32 [{texts}, d]")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise WorkError(f"{kind} vectors: {np.count_nonzero(~finite)} of {texts} are not finite, the encoder is broken")


@dataclass(frozen=True)
class Similarities:
    """Blocks of similarities, one after the other in the same memory."""

    passages: torch.Tensor
    """float32 [columns, d]"""
    buffer: torch.Tensor
    """float32 [rows of a block, columns]"""
    padding: torch.Tensor
    copies: torch.Tensor
    sources: torch.Tensor

    @classmethod
    def of(cls, vectors: Floats, pools: Pools, device: str, memory_bytes: int) -> Similarities:
        width = len(pools.texts)
        # four bytes a similarity; on a GPU, one and four for the outcome of its comparison
        rows = min(BLOCK_ROWS, max(1, memory_bytes // (9 * width)))
        return cls(
            passages=torch.from_numpy(vectors[pools.texts]).to(device),
            buffer=torch.empty((rows, width), device=device),
            padding=torch.from_numpy(pools.padding).to(device),
            copies=torch.from_numpy(pools.copies[0]).to(device),
            sources=torch.from_numpy(pools.copies[1]).to(device),
        )

    def parts(self, rows: int) -> Iterator[slice]:
        step = len(self.buffer)
        return (slice(start, min(start + step, rows)) for start in range(0, rows, step))

    def block(self, queries: Floats) -> torch.Tensor:
        """[queries, columns] their similarities; valid until the next call."""
        block = self.buffer[: len(queries)]
        torch.mm(torch.from_numpy(queries).to(block.device), self.passages.T, out=block)
        block[:, self.padding] = -torch.inf
        # a matrix product may round equal columns differently at the edges of its tiles, but equal texts must tie
        block[:, self.copies] = block[:, self.sources]
        return block


def relevant_columns(task: RetrievalTask, rows: QueryRows, part: slice, pools: Pools) -> Integers:
    """[rows, most relevants] the column of each relevant; a row with fewer has any column in the other places."""
    offsets = np.arange(rows.relevants[part].max())
    places = np.minimum(offsets, rows.relevants[part][:, None] - 1)
    return pools.columns[task.relevant_candidates[rows.first[part][:, None] + places]]


def block_ranks(
    block: torch.Tensor, columns: Integers, relevants: Integers, pools: Pools, threads: ThreadPoolExecutor
) -> tuple[Integers, Integers]:
    """[rows, most relevants] rank of each in the pool of its language, and among all candidates.

    `relevants` [rows] is how many a row has, falling; the other places of the row are left undefined.
    """
    if block.device.type != "cpu":
        return device_ranks(block, columns, relevants, pools)
    values = block.numpy()
    rows = max(1, min(PIECE_ROWS, COUNTS // (columns.shape[1] * len(pools.tiles))))
    pieces = [slice(start, start + rows) for start in range(0, len(block), rows)]
    ranks = list(threads.map(lambda p: cpu_ranks(values[p], columns[p], relevants[p], pools), pieces))
    own, merged = zip(*ranks, strict=True)
    return np.concatenate(own), np.concatenate(merged)


def cpu_ranks(block: Floats, columns: Integers, relevants: Integers, pools: Pools) -> tuple[Integers, Integers]:
    """`block_ranks` by one thread."""
    thresholds = np.take_along_axis(block, columns, axis=1)
    counts = lane_sums(compared(block, thresholds, relevants, pools.tiles))
    in_pool = pools.tile_languages == pools.languages[pools.candidates[columns]][..., None]
    own = np.where(in_pool, counts, 0).sum(axis=-1)
    return settled(own, counts.sum(axis=-1), block.__getitem__, thresholds, columns, pools)


def compared(block: Floats, thresholds: Floats, relevants: Integers, tiles: Integers) -> NDArray[np.uint64]:
    """[2, rows, most relevants, tiles] in a byte each of eight parts: columns above, and columns above or level."""
    width, at_once = block.shape[1], min(thresholds.shape[1], THRESHOLDS)
    # few long calls: between two calls a thread must wait for the interpreter
    rows = max(1, CACHE_BYTES // (width * (block.itemsize + at_once)))
    bits = np.empty((rows, at_once, width), np.bool_)
    lanes = np.zeros((2, *thresholds.shape, len(tiles)), np.uint64)
    for row in range(0, len(block), rows):
        for k in range(0, relevants[row], at_once):
            part = slice(row, row + rows), slice(k, k + at_once)
            limits = thresholds[part][..., None]
            outcomes = bits[: limits.shape[0], : limits.shape[1]]
            for compare, sums in zip((np.greater, np.greater_equal), lanes, strict=True):
                compare(block[part[0], None], limits, out=outcomes)
                np.add.reduceat(outcomes.view(np.uint64), tiles, axis=2, out=sums[part])
    return lanes


def lane_sums(words: NDArray[np.uint64]) -> Integers:
    """The sum of the eight bytes of every word."""
    pairs = np.uint64(0x00FF00FF00FF00FF)
    halves = (words & pairs) + ((words >> np.uint64(8)) & pairs)
    return ((halves * np.uint64(0x0001000100010001)) >> np.uint64(48)).astype(np.int64)


def device_ranks(
    block: torch.Tensor, columns: Integers, relevants: Integers, pools: Pools
) -> tuple[Integers, Integers]:
    """`block_ranks` by torch, on any device."""
    thresholds = block.gather(1, torch.from_numpy(columns).to(block.device))
    members = torch.from_numpy(pool_members(pools)).to(block.device)
    counts = torch.zeros((2, *columns.shape, len(pools.sizes)), device=block.device)
    for k in range(columns.shape[1]):
        rows = np.count_nonzero(relevants > k)
        for compare, into in zip((torch.gt, torch.ge), counts, strict=True):
            # float32 holds every count below 2^24 exactly
            into[:rows, k] = compare(block[:rows], thresholds[:rows, k : k + 1]).float() @ members
    per_pool = counts.cpu().numpy().astype(np.int64)
    languages = pools.languages[pools.candidates[columns]]
    own = np.take_along_axis(per_pool, np.broadcast_to(languages[..., None], (2, *columns.shape, 1)), axis=-1)[..., 0]
    values = thresholds.cpu().numpy()
    return settled(own, per_pool.sum(axis=-1), lambda row: block[row].cpu().numpy(), values, columns, pools)


def pool_members(pools: Pools) -> Floats:
    """[columns, languages] 1 where the column's candidate is in the language."""
    members = np.zeros((len(pools.candidates), len(pools.sizes)), np.float32)
    members[pools.columns, pools.languages] = 1
    return members


def settled(
    own: Integers,
    merged: Integers,
    row_values: Callable[[int], Floats],
    thresholds: Floats,
    columns: Integers,
    pools: Pools,
) -> tuple[Integers, Integers]:
    """Ranks from [2, rows, relevants] candidates above a relevant, and above or level with it (itself included).

    Few relevants are level with another candidate; for those the ids decide.
    """
    own_ranks, merged_ranks = own[0] + 1, merged[0] + 1
    for row, k in zip(*np.nonzero(merged[1] - merged[0] > 1), strict=True):
        relevant = pools.candidates[columns[row, k]]
        level = pools.candidates[np.flatnonzero(row_values(row) == thresholds[row, k])]
        before = level[level < relevant]
        merged_ranks[row, k] += len(before)
        own_ranks[row, k] += np.count_nonzero(pools.languages[before] == pools.languages[relevant])
    return own_ranks, merged_ranks


def assemble(
    task: RetrievalTask,
    rows: QueryRows,
    pool_sizes: Integers,
    own: Integers,
    merged: Integers,
    best: BestPassages | None,
    settings: Sequence[Setting],
) -> Rankings:
    """The ranks of all relevants of all query rows as the sorted columns of `Rankings`; `pool_sizes` [languages]."""
    row, relevant = rows.pairs()
    candidate = task.relevant_candidates[relevant]
    query_language, passage_language = rows.language[row], task.candidate_languages[candidate]
    one_pool = np.where(
        query_language == passage_language, SETTINGS.index("monolingual"), SETTINGS.index("cross_lingual")
    )
    setting = np.concatenate([one_pool, np.full(len(row), SETTINGS.index("multilingual"))])
    pool_language = np.concatenate([passage_language, np.full(len(row), len(task.languages))])
    rank = np.concatenate([own, merged])
    cell = (setting * len(task.languages) + np.tile(query_language, 2)) * (len(task.languages) + 1) + pool_language
    beyond = len(task.candidate_ids) + 1
    key = (cell * len(task.query_ids) + np.tile(rows.query[row], 2)) * (beyond + 1) + np.where(rank, rank, beyond)
    wanted = np.flatnonzero(np.isin(setting, [SETTINGS.index(s) for s in settings]))
    # ranks of one query in one pool are distinct; what is beyond the depth stays in the task's order
    order = wanted[np.argsort(key[wanted], kind="stable")]
    pair = order % len(row)
    rankings = Rankings(
        languages=task.languages,
        pool_sizes=np.append(pool_sizes, pool_sizes.sum()),
        setting=setting[order].astype(np.int8),
        query_language=query_language[pair],
        pool_language=pool_language[order].astype(np.int16),
        query=rows.query[row[pair]],
        candidate=candidate[pair],
        passage_language=passage_language[pair],
        relevance=task.relevances[relevant[pair]],
        rank=rank[order].astype(np.int32),
    )
    return rankings if best is None else with_best(rankings, task, rows, best)
