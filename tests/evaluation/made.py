"""Small random tasks with all that makes ranking hard, and their ranks by the definition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask
from workbench.records import ALL_POOLS

LANGUAGES = ("ar", "de", "en", "th")


@dataclass(frozen=True)
class Sizes:
    languages: int = 3
    questions: int = 5
    candidates: int = 30
    texts: int = 20
    """Distinct passage texts; fewer than candidates means copies."""
    relevants: int = 3
    """At most so many of a question."""
    levels: int = 2
    """Values of a vector's components; few levels make many equal similarities."""
    dimension: int = 4


def made_task(sizes: Sizes, seed: int) -> tuple[RetrievalTask, NDArray[np.float32], NDArray[np.float32]]:
    """A task with ids of all languages interleaved and questions missing in some, and its query and passage vectors.

    Components are small integers, so that every similarity is exact in whatever order it is summed.
    """
    random = np.random.default_rng(seed)
    shape = (sizes.questions, sizes.languages)
    queries = np.where(random.random(shape) < 0.8, np.arange(sizes.questions * sizes.languages).reshape(shape), -1)
    pairs = [
        (question, candidate)
        for question in range(sizes.questions)
        for candidate in random.permutation(sizes.candidates)[: random.integers(0, sizes.relevants + 1)]
    ]
    relevant_queries, relevant_candidates = np.array(pairs, np.int32).reshape(-1, 2).T
    task = RetrievalTask(
        name="made",
        languages=LANGUAGES[: sizes.languages],
        query_texts=[f"question {n}" for n in range(sizes.questions * sizes.languages)],
        passage_texts=[f"passage {n}" for n in range(sizes.texts)],
        query_ids=[f"q{n:04d}" for n in range(sizes.questions)],
        queries=queries.astype(np.int32),
        paragraphs=[f"p{n // 2}" for n in range(sizes.questions)],
        articles=[f"a{n // 4}" for n in range(sizes.questions)],
        candidate_ids=[f"c{n:06d}" for n in range(sizes.candidates)],
        candidate_languages=random.integers(0, sizes.languages, sizes.candidates).astype(np.int16),
        candidates=random.integers(0, sizes.texts, sizes.candidates).astype(np.int32),
        relevant_queries=relevant_queries,
        relevant_candidates=relevant_candidates,
        relevances=random.integers(1, 4, len(pairs)).astype(np.int16),
    )
    query_vectors = random.integers(-sizes.levels, sizes.levels + 1, (len(task.query_texts), sizes.dimension))
    passage_vectors = random.integers(-sizes.levels, sizes.levels + 1, (sizes.texts, sizes.dimension))
    return task, query_vectors.astype(np.float32), passage_vectors.astype(np.float32)


Row = tuple[str, str, str, str, str, int]


def pool_of(task: RetrievalTask, language: str) -> list[int]:
    every = range(len(task.candidate_ids))
    return [c for c in every if language in (ALL_POOLS, task.languages[task.candidate_languages[c]])]


def ranked_pools(
    task: RetrievalTask, query_vectors: NDArray, passage_vectors: NDArray
) -> dict[tuple[str, str, int], list[int]]:
    """(query language, pool language, question): its candidates from first to last, by sorting."""
    ranked = {}
    for question, language in np.argwhere(task.queries >= 0):
        vector = query_vectors[task.queries[question, language]].astype(np.float64)
        similarity = passage_vectors[task.candidates].astype(np.float64) @ vector
        for pool in (*task.languages, ALL_POOLS):
            order = sorted(pool_of(task, pool), key=lambda c: (-similarity[c], task.candidate_ids[c]))
            ranked[task.languages[language], pool, int(question)] = order
    return ranked


def setting_of(query_language: str, pool_language: str) -> str:
    if pool_language == ALL_POOLS:
        return "multilingual"
    return "monolingual" if query_language == pool_language else "cross_lingual"


def expected_ranks(task: RetrievalTask, ranked: dict[tuple[str, str, int], list[int]]) -> list[tuple]:
    """(setting, query language, pool language, question, candidate, relevance, rank) in no order."""
    rows = []
    relevants = list(zip(task.relevant_queries, task.relevant_candidates, task.relevances, strict=True))
    for (language, pool, question), order in ranked.items():
        for query, candidate, relevance in relevants:
            if query == question and candidate in order:
                cell = (setting_of(language, pool), language, pool)
                rows.append((*cell, question, int(candidate), int(relevance), order.index(candidate) + 1))
    return rows
