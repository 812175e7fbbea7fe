"""A retrieval task from a pool of candidates and judged questions: the end of every loader of a task."""

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask


@dataclass(frozen=True)
class Pool:
    """The candidates of a task; the fields are those of `RetrievalTask`."""

    candidate_ids: Sequence[str]
    candidate_languages: NDArray[np.int16]
    candidates: NDArray[np.int32]
    passage_texts: Sequence[str]


@dataclass(frozen=True)
class JudgedQuestion:
    """One question in all its languages."""

    texts: dict[str, str]
    """By language."""
    relevant: dict[int, int]
    """Index of each relevant candidate, and its grade."""
    paragraph: str
    """The unit of resampling."""
    article: str


def as_task(
    name: str,
    languages: Sequence[str],
    pool: Pool,
    questions: Mapping[str, JudgedQuestion],
    notes: Mapping[str, str],
) -> RetrievalTask:
    """Questions by id, and their candidates, as a task; at least one question has a relevant candidate."""
    query_ids = sorted(questions)
    judged = [questions[query_id] for query_id in query_ids]
    asked = [(row, language, text) for row, one in enumerate(judged) for language, text in one.texts.items()]
    query_texts, indexes = unique([text for _, _, text in asked])
    matrix = np.full((len(judged), len(languages)), -1, np.int32)
    for (row, language, _), index in zip(asked, indexes, strict=True):
        matrix[row, languages.index(language)] = index
    relevant = [(row, candidate, grade) for row, one in enumerate(judged) for candidate, grade in one.relevant.items()]
    rows, candidates, grades = zip(*sorted(relevant), strict=True)
    return RetrievalTask(
        name=name,
        languages=tuple(languages),
        query_texts=query_texts,
        passage_texts=pool.passage_texts,
        query_ids=tuple(query_ids),
        queries=matrix,
        paragraphs=tuple(one.paragraph for one in judged),
        articles=tuple(one.article for one in judged),
        candidate_ids=pool.candidate_ids,
        candidate_languages=pool.candidate_languages,
        candidates=pool.candidates,
        relevant_queries=np.array(rows, np.int32),
        relevant_candidates=np.array(candidates, np.int32),
        relevances=np.array(grades, np.int16),
        notes=dict(notes),
    )


def unique(texts: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The distinct texts, and [texts] which of them each one is."""
    places: dict[str, int] = {}
    indexes = np.array([places.setdefault(text, len(places)) for text in texts], np.int32)
    return tuple(places), indexes


class TaskBuilder:
    """Candidates and questions that are met one by one, in any order; equal passages are held once."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}
        self._ids: list[str] = []
        self._languages: list[str] = []
        self._candidates = array("i")
        self._questions: dict[str, JudgedQuestion] = {}

    def add_candidate(self, candidate_id: str, language: str, text: str) -> int:
        """A passage, whose id is no other's; gives the number by which questions name it."""
        self._ids.append(candidate_id)
        self._languages.append(language)
        self._candidates.append(self._texts.setdefault(text, len(self._texts)))
        return len(self._ids) - 1

    def add_query(
        self, query_id: str, texts: Mapping[str, str], paragraph: str, article: str, relevant: Collection[int]
    ) -> None:
        """A question by language, whose id is no other's, and the numbers of its relevant passages."""
        self._questions[query_id] = JudgedQuestion(dict(texts), dict.fromkeys(relevant, 1), paragraph, article)

    def task(self, name: str, notes: Mapping[str, str]) -> RetrievalTask:
        """What was met so far: its languages are those of a candidate or of a question."""
        languages = sorted({*self._languages, *(code for one in self._questions.values() for code in one.texts)})
        order = sorted(range(len(self._ids)), key=self._ids.__getitem__)
        pool = Pool(
            candidate_ids=tuple(self._ids[number] for number in order),
            candidate_languages=np.array([languages.index(self._languages[number]) for number in order], np.int16),
            candidates=np.array(self._candidates, np.int32)[order],
            passage_texts=tuple(self._texts),
        )
        places = np.empty(len(order), np.int32)
        places[order] = np.arange(len(order))
        questions = {
            query_id: replace(one, relevant={int(places[number]): grade for number, grade in one.relevant.items()})
            for query_id, one in self._questions.items()
        }
        return as_task(name, languages, pool, questions, notes)
