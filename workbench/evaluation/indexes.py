"""Indexes over the vectors of one pool: all vectors one after the other, inverted lists, a graph.

The only importer of faiss. A run asks a few thousand queries of vectors that no other run has, so an index must be
built in the time that it saves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from workbench.errors import WorkError
from workbench.evaluation.lists import Lists, with_block
from workbench.evaluation.pools import Floats
from workbench.evaluation.progress import Clock
from workbench.evaluation.vectors import StoredVectors, gib, vector_bytes
from workbench.records import Progress

Kind = Literal["flat", "ivf", "hnsw"]

FLAT_TEXTS = 500_000
"""`auto` searches all vectors of a pool of so many texts, and uses inverted lists above.

Measured with 2 cores and 128 dimensions to a depth of 1000: of a million texts, all vectors take 6 ms a query and are
exact; lists take 1.7 ms and 3 s to build, and win after 700 queries. At 50,000 texts a graph takes 1 ms and 5 s to
build where all vectors take 0.5 ms, so that only `index: hnsw` chooses it.
"""
LISTS_PROBED = 1 / 16
"""Share of the inverted lists that a query visits: recall@100 of .97 where clusters overlap, 1 where they do not."""
LISTS_AT_LEAST = 8
DEPTHS_PROBED = 4
"""The lists visited hold so many times the depth, on average."""
TRAINING_TEXTS = 64
"""Vectors for each list, from which the lists' centres are learnt."""
TRAINING_ROUNDS = 10
GRAPH_LINKS = 32
GRAPH_BUILD_WIDTH = 100
GRAPH_SEARCH_WIDTH = 256
"""Candidates that the search of the graph keeps, at least; and at least the depth."""
GROWTH = 1.5
"""Memory of an index that grows, over that of its vectors."""
QUERIES_AT_ONCE = 256
"""Queries searched between two looks at whether to stop."""


@dataclass(frozen=True)
class IndexPlan:
    """How one pool is searched; a function of the task and its options alone, and part of the task's identity."""

    kind: Kind
    texts: int
    """Distinct texts in the pool."""
    parameters: Mapping[str, int]
    """As faiss names them: `nlist` and `nprobe` of ivf; `M`, `efConstruction` and `efSearch` of hnsw."""


def plan_index(kind: Literal["auto", "flat", "ivf", "hnsw"], texts: int, depth: int) -> IndexPlan:
    """The index for a pool of so many distinct texts."""
    if kind == "auto":
        kind = "flat" if texts <= FLAT_TEXTS else "ivf"
    if kind == "ivf":
        lists = max(1, math.isqrt(texts))
        enough = math.ceil(DEPTHS_PROBED * depth * lists / max(texts, 1))
        probes = min(lists, max(LISTS_AT_LEAST, enough, math.ceil(LISTS_PROBED * lists)))
        return IndexPlan(kind, texts, {"nlist": lists, "nprobe": probes})
    if kind == "hnsw":
        widths = {"efConstruction": GRAPH_BUILD_WIDTH, "efSearch": max(depth, GRAPH_SEARCH_WIDTH)}
        return IndexPlan(kind, texts, {"M": GRAPH_LINKS, **widths})
    return IndexPlan(kind, texts, {})


def check_plan(plan: IndexPlan, dimension: int, language: str) -> None:
    """Refuse, before anything is encoded, an index that this machine cannot hold.

    Raises
    ------
    WorkError
        faiss is not installed, or the memory that is free now would not do.
    """
    if plan.kind == "flat":
        return
    if find_spec("faiss") is None:
        raise WorkError(f"index: {plan.kind} needs the package faiss-cpu; install it, or choose index: flat")
    links = 2 * GRAPH_LINKS * 4 if plan.kind == "hnsw" else 0
    needed = int(GROWTH * (vector_bytes(plan.texts, dimension) + plan.texts * (8 + links)))
    free = psutil.virtual_memory().available
    if needed > free:
        raise WorkError(
            f"index: {plan.kind} over the {plan.texts:,} texts in {language!r} needs about {gib(needed)} of memory, "
            f"and {gib(free)} are free; index: flat reads the vectors from disk and needs little"
        )


def search_pool(
    plan: IndexPlan,
    vectors: StoredVectors,
    texts: NDArray[np.int32],
    keys: NDArray[np.int32],
    queries: Floats,
    depth: int,
    *,
    memory_bytes: int,
    device: str,
    language: str,
    report: Progress,
    clock: Clock,
) -> Lists:
    """The `depth` most similar texts of a pool for every query.

    Parameters
    ----------
    texts
        [texts] ascending numbers of the pool's texts among the stored vectors.
    keys
        [texts] what the lists name a text by; of equally similar ones the smaller key comes first.
    memory_bytes
        Bound on the similarities in memory (flat).
    device
        Where flat similarities are computed, as torch names it; the other kinds work on the CPU.
    """
    depth = min(depth, len(texts))
    if plan.kind == "flat":
        blocks = told(vectors.blocks(texts), len(texts), f"searching {language}", report)
        lists = search_all(blocks, keys, queries, depth, memory_bytes, device)
    else:
        index = built(plan, vectors, texts, language, report)
        clock("indexing")
        lists = search_index(index, keys, queries, depth, f"searching {language}", report)
    clock("searching")
    return lists


def told(
    blocks: Iterator[tuple[slice, Floats]], total: int, stage: str, report: Progress
) -> Iterator[tuple[slice, Floats]]:
    """The blocks, reported one by one when they are done with."""
    for part, vectors in blocks:
        yield part, vectors
        report(stage, part.stop, total)


def search_all(
    blocks: Iterator[tuple[slice, Floats]],
    keys: NDArray[np.int32],
    queries: Floats,
    depth: int,
    memory_bytes: int,
    device: str,
) -> Lists:
    """Exact: blocks of vectors pass by once, and every query keeps its best."""
    lists = Lists.empty(len(queries), depth)
    asked = torch.from_numpy(queries).to(device)
    for part, vectors in blocks:
        passages = torch.from_numpy(vectors).to(device)
        # 4 bytes a similarity, 1 for the outcome of its comparison, 4 to spare
        rows = max(1, min(1024, memory_bytes // (9 * len(vectors))))
        for start in range(0, len(queries), rows):
            stretch = slice(start, start + rows)
            best = with_block(lists.part(stretch), asked[stretch] @ passages.T, keys[part])
            lists.put(stretch, best)
    return lists


def built(plan: IndexPlan, vectors: StoredVectors, texts: NDArray[np.int32], language: str, report: Progress) -> Any:
    """An index of faiss with the vectors in it, in the order of `texts`; the same one every time."""
    import faiss

    # a graph that several threads build at once depends on which is faster
    faiss.omp_set_num_threads(1 if plan.kind == "hnsw" else torch.get_num_threads())
    stage = f"indexing {language}"
    report(stage, 0, len(texts))
    index = trained_lists(plan, vectors, texts) if plan.kind == "ivf" else empty_graph(plan, vectors.dimension)
    for part, block in vectors.blocks(texts):
        index.add(block)
        report(stage, part.stop, len(texts))
    faiss.omp_set_num_threads(torch.get_num_threads())
    return index


def trained_lists(plan: IndexPlan, vectors: StoredVectors, texts: NDArray[np.int32]) -> Any:
    import faiss

    lists = plan.parameters["nlist"]
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(vectors.dimension), vectors.dimension, lists, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter, index.cp.spherical = TRAINING_ROUNDS, True
    # all of the sample, however small; else faiss warns
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, TRAINING_TEXTS
    sample = min(len(texts), TRAINING_TEXTS * lists)
    chosen = np.random.default_rng(0).choice(len(texts), sample, replace=False)
    index.train(vectors.rows(texts[np.sort(chosen)]))
    index.nprobe = plan.parameters["nprobe"]
    return index


def empty_graph(plan: IndexPlan, dimension: int) -> Any:
    import faiss

    index = faiss.IndexHNSWFlat(dimension, plan.parameters["M"], faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = plan.parameters["efConstruction"]
    index.hnsw.efSearch = plan.parameters["efSearch"]
    return index


def search_index(
    index: Any, keys: NDArray[np.int32], queries: Floats, depth: int, stage: str, report: Progress
) -> Lists:
    """What faiss finds, perhaps less than `depth`; of equal similarities at the very end any may be missing."""
    lists = Lists.empty(len(queries), depth)
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        stretch = slice(start, start + QUERIES_AT_ONCE)
        similarities, places = index.search(queries[stretch], depth)
        found = places >= 0
        lists.put(stretch, Lists(np.where(found, similarities, -np.inf), np.where(found, keys[places], -1)))
        report(stage, min(stretch.stop, len(queries)), len(queries))
    return lists
