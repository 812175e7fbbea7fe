"""The approximate index against all vectors, on clustered vectors: build time, recall@100, search time.

`python tests/benchmarks/bench_search.py [texts] [index]` (a million, and what `auto` comes to) prints a line a step.
The vectors lie on disk as a run's do, and both searches go through the same function.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from workbench.evaluation.indexes import IndexPlan, plan_index, search_pool
from workbench.evaluation.lists import Lists
from workbench.evaluation.progress import Clock
from workbench.evaluation.vectors import CHUNK_TEXTS, StoredVectors

DIMENSION = 128
QUERIES = 2000
DEPTH = 1000
PER_CLUSTER = 1000
"""Passages around one centre, on average."""
SPREAD = 1.0
"""Distance of a passage from its centre, in distances of the centre from the origin: clusters that overlap a little."""


def chunks(texts: int) -> Iterator[np.ndarray]:
    """Unit vectors around random centres, the same ones every time."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((max(1, texts // PER_CLUSTER), DIMENSION), np.float32)
    for start in range(0, texts, CHUNK_TEXTS):
        size = min(CHUNK_TEXTS, texts - start)
        near = centres[random.integers(0, len(centres), size)]
        yield normed(near + SPREAD * random.standard_normal((size, DIMENSION), np.float32))


def normed(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def stored(folder: Path, texts: int) -> StoredVectors:
    files = []
    for number, chunk in enumerate(chunks(texts)):
        files.append(folder / f"{number:06d}.npy")
        np.save(files[-1], chunk)
    return StoredVectors(tuple(files), texts, CHUNK_TEXTS, DIMENSION)


def made_queries(vectors: StoredVectors) -> np.ndarray:
    """Near a passage each, as a question is near its answer."""
    random = np.random.default_rng(1)
    chosen = np.sort(random.choice(vectors.texts, min(QUERIES, vectors.texts), replace=False))
    return normed(vectors.rows(chosen) + 0.05 * random.standard_normal((len(chosen), DIMENSION), np.float32))


def search(plan: IndexPlan, vectors: StoredVectors, queries: np.ndarray) -> tuple[Lists, Clock]:
    numbers, clock = np.arange(vectors.texts, dtype=np.int32), Clock()
    lists = search_pool(
        plan,
        vectors,
        numbers,
        numbers,
        queries,
        DEPTH,
        memory_bytes=2**30,
        device="cpu",
        language="en",
        report=lambda *_: None,
        clock=clock,
    )
    return lists, clock


def shared(found: Lists, exact: Lists, depth: int) -> float:
    pairs = zip(found.keys[:, :depth], exact.keys[:, :depth], strict=True)
    return float(np.mean([len(np.intersect1d(a, b)) / depth for a, b in pairs]))


def main(texts: int, kind: str) -> None:
    plan = plan_index(kind, texts, DEPTH)  # type: ignore[arg-type]
    print(f"{texts:,} texts, {DIMENSION} dimensions, {torch.get_num_threads()} threads: {plan.kind} {plan.parameters}")
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        vectors = stored(Path(folder), texts)
        queries = made_queries(vectors)
        print(f"vectors made in {time.perf_counter() - started:.1f} s")
        exact, flat = search(IndexPlan("flat", texts, {}), vectors, queries)
        found, clock = search(plan, vectors, queries)
    build, taken, whole = clock.seconds.get("indexing", 0.0), clock.seconds["searching"], flat.seconds["searching"]
    print(f"{'build':28s} {build:8.2f} s")
    print(f"{'search':28s} {taken:8.2f} s   {len(queries)} queries to the depth {DEPTH}")
    print(f"{'search of all vectors':28s} {whole:8.2f} s")
    print(f"{'all vectors : index':28s} {whole / taken:8.2f}     with its build {whole / (build + taken):.2f}")
    recall, deep = shared(found, exact, 100), shared(found, exact, DEPTH)
    print(f"{'recall@100 of the exact':28s} {recall:8.4f}     @{DEPTH} {deep:.4f}")
    print(f"{'peak memory':28s} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, sys.argv[2] if len(sys.argv) > 2 else "auto")
