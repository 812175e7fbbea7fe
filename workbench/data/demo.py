"""The demonstration set: facts about places that do not exist, asked and answered in ten languages.

A place has a name, written in the script of each language, and for each attribute one value. A fact is one question
and one sentence that answers it. Training and evaluation have different places; their names are made of the same
syllables and their facts of the same values, so that what is learnt of the first can serve the second.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

import numpy as np

from workbench.data.demo_words import ARTICLES, ENDINGS, SCRIPTS, STEMS, TEMPLATES, TERMS, VALUES
from workbench.data.pairs import ParallelPairs
from workbench.data.task import RetrievalTask
from workbench.errors import InputError, allowed

Item = TypeVar("Item")

NAME = "demo"
VERSION = "1"
"""Changes with any text or draw; it enters the fingerprint."""
LANGUAGES: tuple[str, ...] = tuple(sorted(TEMPLATES["kind"]))
"""ISO 639-1, sorted."""

ATTRIBUTES = tuple(TEMPLATES)
SEED = 20261122
TRAINING_PLACES = 400
TRAINING_FACTS = 9
"""Facts of a training place; its kind is always among them."""
TASK_PLACES = 60
QUESTIONS = 5
"""Questions about a place of the task; all its facts are candidates."""


@dataclass(frozen=True)
class Place:
    """One invented place and its facts."""

    number: int
    """Counted through training and task."""
    syllables: tuple[int, ...]
    """Indexes into STEMS, the last one into ENDINGS."""
    attributes: tuple[str, ...]
    """What is told of it, the attribute of each sentence."""
    values: tuple[int, ...]
    """Indexes into the attributes' values."""
    wordings: tuple[int, ...]
    """1 or 2: which of the attributes' two sentences tells it."""

    @property
    def entity(self) -> str:
        return f"{self.number:04d}"


def training_pairs(languages: Sequence[str] | None = None) -> ParallelPairs:
    """3,600 question-sentence pairs, each in all of `languages` (none: all ten).

    Raises
    ------
    InputError
        A language that the set does not have.
    """
    languages = checked(languages)
    facts = [(place, fact) for place in places()[:TRAINING_PLACES] for fact in range(len(place.attributes))]
    texts = Texts()
    rows = [[texts.add(question(place, fact, language)) for language in languages] for place, fact in facts]
    answers = [[texts.add(sentence(place, fact, language)) for language in languages] for place, fact in facts]
    return ParallelPairs(
        name=NAME,
        languages=languages,
        pair_ids=tuple(f"{NAME}-{number:05d}" for number in range(len(facts))),
        texts=texts.all,
        queries=np.array(rows, np.int32),
        passages=np.array(answers, np.int32),
        negatives=np.full((len(facts), len(languages)), -1, np.int32),
    )
