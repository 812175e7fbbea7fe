"""Ranks and measures of 132 XQuAD-R-sized cells from given vectors, against the bare matrix product of their shapes.

`python tests/benchmarks/bench_ranking.py [repetitions]` prints seconds, the ratio and the memory above the inputs.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from workbench.data.task import RetrievalTask
from workbench.evaluation.measures import measure_cells
from workbench.evaluation.ranking import BLOCK_ROWS, rank_task

CANDIDATES = {
    "ar": 1222, "de": 1276, "el": 1234, "en": 1180, "es": 1215, "hi": 1244,
    "ru": 1219, "th": 852, "tr": 1167, "vi": 1209, "zh": 1196,
}  # fmt: skip
QUERIES = 1190
DIMENSION = 384


def made_task() -> RetrievalTask:
    """A task of XQuAD-R's sizes: every question in every language, one relevant candidate in each."""
    sizes = np.array(list(CANDIDATES.values()))
    languages, total = len(sizes), sizes.sum()
    queries = np.arange(QUERIES * languages, dtype=np.int32).reshape(QUERIES, languages)
    relevant = np.arange(QUERIES)[:, None] % sizes + (np.cumsum(sizes) - sizes)
    return RetrievalTask(
        name="made",
        languages=tuple(CANDIDATES),
        query_texts=range(queries.size),  # type: ignore[arg-type]
        passage_texts=range(total),  # type: ignore[arg-type]
        query_ids=[f"{n:05d}" for n in range(QUERIES)],
        queries=queries,
        paragraphs=[""] * QUERIES,
        articles=[""] * QUERIES,
        candidate_ids=[f"{n:06d}" for n in range(total)],
        candidate_languages=np.repeat(np.arange(languages, dtype=np.int16), sizes),
        candidates=np.arange(total, dtype=np.int32),
        relevant_queries=np.repeat(np.arange(QUERIES, dtype=np.int32), languages),
        relevant_candidates=relevant.ravel().astype(np.int32),
        relevances=np.ones(relevant.size, np.int16),
    )


def made_vectors(task: RetrievalTask) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors; a question is near its answers, so that ranks are low as a real encoder's are."""
    draw = np.random.default_rng(0)
    passages = draw.standard_normal((len(task.passage_texts), DIMENSION)).astype(np.float32)
    queries = draw.standard_normal((len(task.query_texts), DIMENSION)).astype(np.float32)
    answers = task.relevant_candidates.reshape(QUERIES, -1)
    queries.reshape(*answers.shape, DIMENSION)[:] += 0.2 * passages[answers].sum(axis=1, keepdims=True)
    return tuple(v / np.linalg.norm(v, axis=1, keepdims=True) for v in (queries, passages))  # type: ignore[return-value]


def bare_product(queries: np.ndarray, passages: np.ndarray) -> None:
    """The same product in the same blocks, and nothing done with it."""
    left, right = torch.from_numpy(queries), torch.from_numpy(passages)
    out = torch.empty(BLOCK_ROWS, len(right))
    for start in range(0, len(left), BLOCK_ROWS):
        rows = left[start : start + BLOCK_ROWS]
        torch.mm(rows, right.T, out=out[: len(rows)])


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(repetitions: int) -> None:
    task = made_task()
    queries, passages = made_vectors(task)
    torch.mm(torch.ones(64, 64), torch.ones(64, 64))
    before = peak_mib()
    parts: dict[str, list[float]] = {
        "bare matrix product": [],
        "ranks": [],
        "measures": [],
        "ranks and top passages": [],
    }
    for _ in range(repetitions):
        parts["ranks"].append(seconds(lambda: rank_task(task, queries, passages, top=False)))
        rankings = rank_task(task, queries, passages, top=False)
        parts["measures"].append(seconds(lambda r=rankings: measure_cells(r)))
        if len(parts["measures"]) == 1:
            print(f"{'peak memory above the inputs':32s} {peak_mib() - before:8.0f} MiB")
        parts["bare matrix product"].append(seconds(lambda: bare_product(queries, passages)))
        parts["ranks and top passages"].append(seconds(lambda: rank_task(task, queries, passages)))
    for name, times in parts.items():
        print(f"{name:32s} {statistics.median(times):8.3f} s   fastest {min(times):.3f}")
    ratios = (np.array(parts["ranks"]) + parts["measures"]) / parts["bare matrix product"]
    print(
        f"{'ranks and measures, ratio':32s} {statistics.median(ratios):8.2f}     {ratios.min():.2f}-{ratios.max():.2f}"
    )
    print(f"{'peak memory, top passages too':32s} {peak_mib() - before:8.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
