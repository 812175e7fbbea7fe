"""The demonstration set: facts about places that do not exist, asked and answered in ten languages.

A place has a name, written in the script of each language, and one value for each attribute. A fact is one question
and one sentence that answers it. Training and evaluation have different places; their names are made of the same
syllables and their facts of the same values, so that what is learnt of the first can serve the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random

import numpy as np

from workbench.data.demo_words import ARTICLES, ENDINGS, SCRIPTS, STEMS, TEMPLATES, TERMS, VALUES
from workbench.data.pairs import ParallelPairs, Texts
from workbench.data.task import RetrievalTask
from workbench.errors import InputError, allowed

NAME = "demo"
VERSION = "1"
"""Changes with any text or draw; it enters the fingerprint."""
LANGUAGES: tuple[str, ...] = tuple(sorted(TERMS))
"""ISO 639-1, sorted."""

SEED = 20261122
TRAINING_PLACES = 400
TRAINING_FACTS = 9
"""Facts told of a training place."""
TASK_PLACES = 60
QUESTIONS = 5
"""Questions about a place of the task; the sentences of all its facts are candidates."""


@dataclass(frozen=True)
class Fact:
    """One attribute of one place, in no language yet."""

    place: int
    """Counted through training and task."""
    syllables: tuple[int, ...]
    """The place's name: indexes into STEMS, the last one into ENDINGS."""
    attribute: str
    value: int
    """Index into the attribute's values."""
    wording: int
    """1 or 2: which of the attribute's sentences tells it."""

    @property
    def entity(self) -> str:
        """The place as four digits."""
        return f"{self.place:04d}"

    @property
    def fact_id(self) -> str:
        """The place and the attribute's number; ascends as the facts do."""
        return f"{self.entity}-{list(TEMPLATES).index(self.attribute):02d}"

    def question(self, language: str) -> str:
        return TEMPLATES[self.attribute][language][0].format(name=name(self.syllables, language))

    def sentence(self, language: str) -> str:
        template = TEMPLATES[self.attribute][language][self.wording]
        value = values(self.attribute, language)[self.value]
        return template.format(name=name(self.syllables, language), value=value)


def training_pairs(languages: Sequence[str] | None = None) -> ParallelPairs:
    """3,600 pairs of a question and the sentence that answers it, each in all of `languages` (none: all ten).

    Raises
    ------
    InputError
        A language that the set does not have.
    """
    languages = checked(languages)
    facts = [fact for place in places()[:TRAINING_PLACES] for fact in in_turn(place, TRAINING_FACTS)]
    texts = Texts()
    queries = [texts.add(fact.question(language) for language in languages) for fact in facts]
    passages = [texts.add(fact.sentence(language) for language in languages) for fact in facts]
    return ParallelPairs(
        name=NAME,
        languages=languages,
        pair_ids=tuple(f"{NAME}-{number:05d}" for number in range(len(facts))),
        texts=texts.unique,
        queries=np.array(queries, np.int32),
        passages=np.array(passages, np.int32),
        negatives=np.full((len(facts), len(languages)), -1, np.int32),
    )


def retrieval_task(languages: Sequence[str] | None = None) -> RetrievalTask:
    """300 questions about places that no training pair names, in each of `languages` (none: all ten).

    The candidates of a language are all 720 sentences about those places: beside its answer, a question meets eleven
    other sentences about its own place. Its paragraph is the place, its article the kind of place.

    Raises
    ------
    InputError
        A language that the set does not have.
    """
    languages = checked(languages)
    held_out = places()[TRAINING_PLACES:]
    kinds = {place[0].entity: word(values("kind", "en")[place[0].value]) for place in held_out}
    facts = [fact for place in held_out for fact in place]
    asked = [fact for place in held_out for fact in in_turn(place, QUESTIONS)]
    rows = {fact: row for row, fact in enumerate(facts)}
    questions, sentences = Texts(), Texts()
    queries = [questions.add(fact.question(language) for language in languages) for fact in asked]
    candidates = [sentences.add(fact.sentence(language) for fact in facts) for language in languages]
    relevant = np.array([[len(facts) * column + rows[fact] for column in range(len(languages))] for fact in asked])
    return RetrievalTask(
        name=NAME,
        languages=languages,
        query_texts=questions.unique,
        passage_texts=sentences.unique,
        query_ids=tuple(fact.fact_id for fact in asked),
        queries=np.array(queries, np.int32),
        paragraphs=tuple(fact.entity for fact in asked),
        articles=tuple(kinds[fact.entity] for fact in asked),
        candidate_ids=tuple(f"{language}-{fact.fact_id}" for language in languages for fact in facts),
        candidate_languages=np.repeat(np.arange(len(languages), dtype=np.int16), len(facts)),
        candidates=np.array(candidates, np.int32).ravel(),
        relevant_queries=np.repeat(np.arange(len(asked), dtype=np.int32), len(languages)),
        relevant_candidates=relevant.astype(np.int32).ravel(),
        relevances=np.ones(relevant.size, np.int16),
        from_templates=True,
    )


def lexicon(language: str) -> dict[str, str]:
    """English word, lower-cased -> its one-word translation, in the form that it has in the set's sentences.

    Holds the values and the templates' main words; a value that takes two words in either language is left out.

    Raises
    ------
    InputError
        A language that the set does not have.
    """
    checked([language])
    entries = list(zip(TERMS["en"].split(), TERMS[language].split(), strict=True))
    for attribute in VALUES:
        entries += zip(values(attribute, "en"), values(attribute, language), strict=True)
    return {word(english).lower(): word(other) for english, other in entries if word(english) and word(other)}


def checked(languages: Sequence[str] | None) -> tuple[str, ...]:
    """The languages asked for, sorted, or all."""
    for language in languages or ():
        if language not in LANGUAGES:
            raise InputError(f"the demo set has no language {language!r}; {allowed(language, LANGUAGES)}")
    return LANGUAGES if languages is None else tuple(sorted(set(languages)))


@cache
def places() -> tuple[tuple[Fact, ...], ...]:
    """Every place as its facts, one an attribute in the order of TEMPLATES; the places of the task come last."""
    random = Random(SEED)
    stems, endings = (range(len(part["latin"].split())) for part in (STEMS, ENDINGS))
    names = [(first, second, ending) for first, second, ending in product(stems, stems, endings) if first != second]
    # of Python's random numbers only random() is promised to stay the same between versions
    names.sort(key=lambda _: random.random())
    return tuple(
        tuple(
            Fact(
                place=place,
                syllables=syllables,
                attribute=attribute,
                value=int(random.random() * len(values(attribute, "en"))),
                wording=1 + int(random.random() * 2),
            )
            for attribute in TEMPLATES
        )
        for place, syllables in enumerate(names[: TRAINING_PLACES + TASK_PLACES])
    )


def in_turn(place: Sequence[Fact], count: int) -> list[Fact]:
    """So many facts of a place; over many places the attributes come equally often."""
    start = place[0].place * count
    return sorted((place[(start + turn) % len(place)] for turn in range(count)), key=place.index)


@cache
def name(syllables: tuple[int, ...], language: str) -> str:
    """A place's name in the script of the language."""
    script = SCRIPTS.get(language, "latin")
    *stems, ending = syllables
    parts = [STEMS[script].split()[stem] for stem in stems] + [ENDINGS[script].split()[ending]]
    # only where there are capital letters does this change anything
    return "".join(parts).capitalize()


@cache
def values(attribute: str, language: str) -> tuple[str, ...]:
    return tuple(VALUES[attribute][language].split(", "))


def word(value: str) -> str:
    """A value without its article; empty where more than one word is left."""
    words = [part for part in value.split() if part not in ARTICLES]
    return words[0] if len(words) == 1 else ""
