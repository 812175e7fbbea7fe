"""Small tasks and training sets from rows, for the leakage check."""

from collections.abc import Sequence

import numpy as np

from workbench.data.pairs import ParallelPairs, Texts
from workbench.data.task import RetrievalTask

TrainingRow = tuple[str, str, str, str] | tuple[str, str, str, str, str]
"""pair_id, language, query, passage and, where there is one, the hard negative."""


def make_set(rows: Sequence[TrainingRow], name: str = "train") -> ParallelPairs:
    languages = tuple(sorted({row[1] for row in rows}))
    ids = list(dict.fromkeys(row[0] for row in rows))
    texts = Texts()
    parts = [np.full((len(ids), len(languages)), -1, np.int32) for _ in range(3)]
    for pair_id, language, *fields in rows:
        for part, number in zip(parts, texts.add(fields), strict=False):
            part[ids.index(pair_id), languages.index(language)] = number
    return ParallelPairs(name, languages, tuple(ids), texts.unique, *parts)


def make_task(
    queries: Sequence[tuple[str, str]], passages: Sequence[tuple[str, str]], from_templates: bool = False
) -> RetrievalTask:
    """Queries and passages as (language, text), with the ids q00, q01, ... and c00, c01, ..."""
    languages = tuple(sorted({language for language, _ in [*queries, *passages]}))
    query_texts, passage_texts = Texts(), Texts()
    matrix = np.full((len(queries), len(languages)), -1, np.int32)
    for row, (language, text) in enumerate(queries):
        matrix[row, languages.index(language)] = query_texts.add([text])[0]
    return RetrievalTask(
        name="task",
        languages=languages,
        candidates=np.array(passage_texts.add(text for _, text in passages), np.int32),
        query_texts=query_texts.unique,
        passage_texts=passage_texts.unique,
        query_ids=[f"q{n:02}" for n in range(len(queries))],
        queries=matrix,
        paragraphs=[""] * len(queries),
        articles=[""] * len(queries),
        candidate_ids=[f"c{n:02}" for n in range(len(passages))],
        candidate_languages=np.array([languages.index(language) for language, _ in passages], np.int16),
        relevant_queries=np.zeros(0, np.int32),
        relevant_candidates=np.zeros(0, np.int32),
        relevances=np.zeros(0, np.int16),
        from_templates=from_templates,
    )
