"""A retrieval task from passages and questions that are met one by one, in any order."""

from array import array
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask


class TaskBuilder:
    """Candidates and queries as they are met; equal texts are held once."""

    def __init__(self) -> None:
        self._passage_texts: dict[str, int] = {}
        self._candidate_ids: list[str] = []
        self._candidate_languages: list[str] = []
        self._candidate_texts = array("i")
        self._query_texts: dict[str, int] = {}
        self._query_ids: list[str] = []
        self._questions: list[dict[str, int]] = []
        self._paragraphs: list[str] = []
        self._articles: list[str] = []
        self._relevants: list[tuple[int, ...]] = []

    def add_candidate(self, candidate_id: str, language: str, text: str) -> int:
        """A passage, whose id is no other's; gives the number by which queries name it."""
        self._candidate_ids.append(candidate_id)
        self._candidate_languages.append(language)
        self._candidate_texts.append(self._passage_texts.setdefault(text, len(self._passage_texts)))
        return len(self._candidate_ids) - 1

    def add_query(
        self, query_id: str, questions: Mapping[str, str], paragraph: str, article: str, relevant: Collection[int]
    ) -> None:
        """A question by language, whose id is no other's, and the numbers of its relevant passages."""
        self._query_ids.append(query_id)
        self._questions.append(
            {
                language: self._query_texts.setdefault(question, len(self._query_texts))
                for language, question in questions.items()
            }
        )
        self._paragraphs.append(paragraph)
        self._articles.append(article)
        self._relevants.append(tuple(sorted(relevant)))

    def task(self, name: str, notes: Mapping[str, str]) -> RetrievalTask:
        """What was met so far: its languages are those of a candidate or of a question."""
        languages = sorted({*self._candidate_languages, *(code for each in self._questions for code in each)})
        columns = {language: column for column, language in enumerate(languages)}
        candidates = ascending(self._candidate_ids)
        queries = ascending(self._query_ids)
        places = np.empty(len(candidates), np.int32)
        places[candidates] = np.arange(len(candidates))
        pairs = sorted(
            (row, int(places[number])) for row, query in enumerate(queries) for number in self._relevants[query]
        )
        matrix = np.full((len(queries), len(languages)), -1, np.int32)
        for row, query in enumerate(queries):
            for language, question in self._questions[query].items():
                matrix[row, columns[language]] = question
        return RetrievalTask(
            name=name,
            languages=tuple(languages),
            query_texts=tuple(self._query_texts),
            passage_texts=tuple(self._passage_texts),
            query_ids=taken(self._query_ids, queries),
            queries=matrix,
            paragraphs=taken(self._paragraphs, queries),
            articles=taken(self._articles, queries),
            candidate_ids=taken(self._candidate_ids, candidates),
            candidate_languages=np.array([columns[self._candidate_languages[n]] for n in candidates], np.int16),
            candidates=np.array(self._candidate_texts, np.int32)[candidates],
            relevant_queries=np.array([row for row, _ in pairs], np.int32),
            relevant_candidates=np.array([candidate for _, candidate in pairs], np.int32),
            relevances=np.ones(len(pairs), np.int16),
            notes=notes,
        )


def ascending(ids: Sequence[str]) -> NDArray[np.int64]:
    """The places of the ids in their order."""
    return np.array(sorted(range(len(ids)), key=ids.__getitem__), np.int64)


def taken(values: Sequence[str], places: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(values[place] for place in places.tolist())
