"""A retrieval task from judged questions and a pool of candidates: the end of the loaders of judged benchmarks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask
from workbench.data.tasks.lareqa import unique


@dataclass(frozen=True)
class Pool:
    """The candidates of a task; the fields are those of `RetrievalTask`."""

    candidate_ids: Sequence[str]
    candidate_languages: NDArray[np.int16]
    candidates: NDArray[np.int32]
    passage_texts: Sequence[str]


@dataclass(frozen=True)
class Question:
    """One question in all its languages."""

    texts: Mapping[str, str]
    """By language."""
    relevant: Mapping[int, int]
    """Index of each relevant candidate, and its grade; at least one."""


def judged_task(
    name: str,
    languages: Sequence[str],
    pool: Pool,
    questions: Mapping[str, Question],
    article_of: Callable[[str], str],
    notes: Mapping[str, str],
) -> RetrievalTask:
    """Questions by id, and their candidates, as a task.

    Such benchmarks know no paragraphs. Questions on one passage are not independent, so the first relevant candidate's
    id stands for the paragraph: the unit of resampling. `article_of` makes the article's name of it.
    """
    query_ids = sorted(questions)
    asked = [(row, language, text) for row, i in enumerate(query_ids) for language, text in questions[i].texts.items()]
    query_texts, indexes = unique([text for _, _, text in asked])
    matrix = np.full((len(query_ids), len(languages)), -1, np.int32)
    for (row, language, _), index in zip(asked, indexes, strict=True):
        matrix[row, languages.index(language)] = index
    relevant = [
        (row, candidate, grade)
        for row, i in enumerate(query_ids)
        for candidate, grade in sorted(questions[i].relevant.items())
    ]
    rows, candidates, grades = zip(*relevant, strict=True)
    paragraphs = tuple(pool.candidate_ids[min(questions[i].relevant)] for i in query_ids)
    return RetrievalTask(
        name=name,
        languages=tuple(languages),
        query_texts=query_texts,
        passage_texts=pool.passage_texts,
        query_ids=tuple(query_ids),
        queries=matrix,
        paragraphs=paragraphs,
        articles=tuple(article_of(paragraph) for paragraph in paragraphs),
        candidate_ids=pool.candidate_ids,
        candidate_languages=pool.candidate_languages,
        candidates=pool.candidates,
        relevant_queries=np.array(rows, np.int32),
        relevant_candidates=np.array(candidates, np.int32),
        relevances=np.array(grades, np.int16),
        notes=dict(notes),
    )
