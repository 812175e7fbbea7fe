"""Exact ranks of the relevant passages in every cell of a task, from one pass over blocks of similarities.

Rank = 1 + the candidates with a higher similarity + those with the same similarity and a smaller id. Both numbers are
counted; nothing is sorted, so the cost does not depend on the depth and the memory is that of one block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask
from workbench.errors import WorkError
from workbench.evaluation.results import (
    SHARE_DEPTHS,
    TOP_ALL,
    TOP_POOL,
    Rankings,
    RetrievedLanguages,
    TopPassages,
)
from workbench.records import SETTINGS, Setting

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
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
LANE = 8
"""Outcomes of comparisons (bytes) that are added as one 64-bit word."""
TILE_WORDS = 255
"""Words that can be added before a byte of the sum overflows."""


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
    best = BestPassages.empty(len(rows.text), pools) if top else None
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
    return assemble(task, rows, pools, own, merged, best, settings)


def check_vectors(vectors: Floats, texts: int, kind: str) -> None:
    if vectors.ndim != 2 or len(vectors) != texts or vectors.dtype != np.float32:
        raise ValueError(f"{kind} vectors: {vectors.dtype} {vectors.shape}, expected float32 [{texts}, d]")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise WorkError(f"{kind} vectors: {np.count_nonzero(~finite)} of {texts} are not finite, the encoder is broken")


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


@dataclass(frozen=True)
class BestPassages:
    """The first passages of every query row, filled block by block; -1 where a pool has no more."""

    own: NDArray[np.int32]
    """[rows, languages, TOP_POOL] index into the candidate ids."""
    merged: NDArray[np.int32]
    """[rows, TOP_ALL] likewise."""

    @classmethod
    def empty(cls, rows: int, pools: Pools) -> BestPassages:
        own = np.full((rows, len(pools.sizes), TOP_POOL), -1, np.int32)
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
    # one more than asked for shows a tie across the cut
    best = torch.topk(block, min(depth + 1, size), dim=1)
    values, at = best.values.cpu().numpy(), best.indices.cpu().numpy()
    found = candidates[at[:, :depth]]
    for row in np.flatnonzero((values[:, 1:] == values[:, :-1]).any(axis=1)):
        similarities = block[row].cpu().numpy()
        level = np.flatnonzero(similarities >= values[row, depth - 1])
        order = np.lexsort((candidates[level], -similarities[level]))
        found[row] = candidates[level[order[:depth]]]
    return found


def assemble(
    task: RetrievalTask,
    rows: QueryRows,
    pools: Pools,
    own: Integers,
    merged: Integers,
    best: BestPassages | None,
    settings: Sequence[Setting],
) -> Rankings:
    """The ranks of all relevants of all query rows as the sorted columns of `Rankings`."""
    row = np.repeat(np.arange(len(rows.text)), rows.relevants)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(rows.relevants) - rows.relevants, rows.relevants)
    relevant = rows.first[row] + offset
    candidate = task.relevant_candidates[relevant]
    query_language, passage_language = rows.language[row], task.candidate_languages[candidate]
    one_pool = np.where(
        query_language == passage_language, SETTINGS.index("monolingual"), SETTINGS.index("cross_lingual")
    )
    setting = np.concatenate([one_pool, np.full(len(row), SETTINGS.index("multilingual"))])
    pool_language = np.concatenate([passage_language, np.full(len(row), len(task.languages))])
    rank = np.concatenate([own, merged])
    cell = (setting * len(task.languages) + np.tile(query_language, 2)) * (len(task.languages) + 1) + pool_language
    key = (cell * len(task.query_ids) + np.tile(rows.query[row], 2)) * (len(task.candidate_ids) + 1) + rank
    wanted = np.flatnonzero(np.isin(setting, [SETTINGS.index(s) for s in settings]))
    # ranks of one query in one pool are distinct, so the key decides alone
    order = wanted[np.argsort(key[wanted])]
    pair = order % len(row)
    rankings = Rankings(
        languages=task.languages,
        pool_sizes=np.append(pools.sizes, pools.sizes.sum()),
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
