"""A retrieval task in memory, as every loader returns it and the evaluation takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RetrievalTask:
    """Queries, candidates and which is relevant to which, over several languages.

    Texts are held once each and named by their index, so that equal texts are encoded once and tie exactly.
    """

    name: str
    languages: tuple[str, ...]
    """ISO 639-1, sorted; the columns of `queries` and the numbers in `candidate_languages`."""
    query_texts: Sequence[str]
    """[query texts], unique."""
    passage_texts: Sequence[str]
    """[passage texts], unique: what is encoded as the passage."""
    query_ids: Sequence[str]
    """[queries], ascending and unique; one id = the same question in all its languages."""
    queries: NDArray[np.int32]
    """[queries, languages] index into `query_texts`, -1 where the question does not exist in the language."""
    paragraphs: Sequence[str]
    """[queries] the paragraph that the question is about: the unit of resampling."""
    articles: Sequence[str]
    """[queries] the article that the paragraph is from."""
    candidate_ids: Sequence[str]
    """[candidates], ascending and unique."""
    candidate_languages: NDArray[np.int16]
    """[candidates] index into `languages`."""
    candidates: NDArray[np.int32]
    """[candidates] index into `passage_texts`."""
    relevant_queries: NDArray[np.int32]
    """[relevants] index into `query_ids`, ascending."""
    relevant_candidates: NDArray[np.int32]
    """[relevants] index into `candidate_ids`."""
    relevances: NDArray[np.int16]
    """[relevants] grade, at least 1."""
    from_templates: bool = False
    """Whether the texts are made from templates: n-grams that they share with others are then no sign of a leak."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What else was decided in making the task and goes with its results, such as {"splitter": "sentencex 1.0.32"}."""
