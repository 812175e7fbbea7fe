"""The demonstration set: its sizes, its scripts, what is held out, and that it never changes unnoticed."""

import hashlib
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from workbench.data import demo
from workbench.data.pairs import ParallelPairs, text_groups, text_keys
from workbench.data.task import RetrievalTask
from workbench.errors import InputError

SCRIPT_OF = {"ar": "ARABIC", "hi": "DEVANAGARI", "ru": "CYRILLIC", "zh": "CJK"}
CONTENT = {"1": "17fcfc2fb4d6a9a3"}
"""The content hash of each version."""


@pytest.fixture(scope="module")
def pairs() -> ParallelPairs:
    return demo.training_pairs()


@pytest.fixture(scope="module")
def task() -> RetrievalTask:
    return demo.retrieval_task()


def texts_of(pairs: ParallelPairs, task: RetrievalTask, language: str) -> list[str]:
    """Every text of a language, of training and task."""
    column = demo.LANGUAGES.index(language)
    training = [*pairs.queries[:, column], *pairs.passages[:, column]]
    own = task.candidate_languages == column
    return [
        *(pairs.texts[text] for text in training),
        *(task.query_texts[text] for text in task.queries[:, column]),
        *(task.passage_texts[text] for text in task.candidates[own]),
    ]


def content_hash() -> str:
    pairs, task = demo.training_pairs(), demo.retrieval_task()
    parts = [
        *(pairs.texts, pairs.pair_ids, pairs.queries.tolist(), pairs.passages.tolist(), task.query_texts),
        *(task.passage_texts, task.query_ids, task.queries.tolist(), task.paragraphs, task.articles),
        *(task.candidate_ids, task.candidates.tolist(), task.relevant_candidates.tolist()),
        [list(demo.lexicon(language).items()) for language in demo.LANGUAGES],
    ]
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def test_sizes(pairs: ParallelPairs, task: RetrievalTask) -> None:
    assert (
        demo.LANGUAGES
        == pairs.languages
        == task.languages
        == ("ar", "de", "en", "es", "fr", "hi", "pt", "ru", "tr", "zh")
    )
    assert pairs.queries.shape == pairs.passages.shape == (3600, 10)
    assert task.queries.shape == (300, 10)
    assert np.bincount(task.candidate_languages).tolist() == [720] * 10
    assert pairs.has.all()
    assert (task.queries >= 0).all()
    assert (pairs.negatives == -1).all()


def test_names_and_ids(pairs: ParallelPairs, task: RetrievalTask) -> None:
    assert pairs.name == task.name == "demo"
    assert pairs.pair_ids[42] == "demo-00042"
    assert task.candidate_ids[3] == "ar-0400-03"
    for ids in (pairs.pair_ids, task.query_ids, task.candidate_ids):
        assert list(ids) == sorted(set(ids))
    assert list(task.paragraphs) == [query_id[:4] for query_id in task.query_ids]
    kinds = {demo.word(kind) for kind in demo.values("kind", "en")}
    assert set(task.articles) == kinds
    assert len(set(zip(task.paragraphs, task.articles, strict=True))) == demo.TASK_PLACES


def test_indexes_are_valid_and_texts_unique(pairs: ParallelPairs, task: RetrievalTask) -> None:
    assert len(set(pairs.texts)) == len(pairs.texts)
    assert set(np.unique([pairs.queries, pairs.passages]).tolist()) == set(range(len(pairs.texts)))
    assert len(set(task.query_texts)) == len(task.query_texts)
    assert set(np.unique(task.queries).tolist()) == set(range(len(task.query_texts)))
    assert len(set(task.passage_texts)) == len(task.passage_texts)
    assert set(np.unique(task.candidates).tolist()) == set(range(len(task.passage_texts)))
    assert len(task.candidates) == len(task.candidate_ids) == len(task.candidate_languages)
    assert (np.diff(task.relevant_queries) >= 0).all()
    assert pairs.queries.dtype == task.queries.dtype == task.candidates.dtype == np.int32


def test_no_two_pairs_share_a_text(pairs: ParallelPairs) -> None:
    """Otherwise batches could not hold every mix of pairs."""
    assert len(set(text_groups(pairs, text_keys(pairs.texts)).tolist())) == len(pairs.pair_ids)


def test_one_relevant_candidate_a_language_and_distractors_of_its_place(task: RetrievalTask) -> None:
    assert (task.relevances == 1).all()
    languages = task.candidate_languages[task.relevant_candidates].reshape(300, 10)
    assert (languages == np.arange(10)).all()
    for query, candidate in zip(task.relevant_queries.tolist(), task.relevant_candidates.tolist(), strict=True):
        assert task.candidate_ids[candidate][3:] == task.query_ids[query]
    places = [candidate_id[:7] for candidate_id in task.candidate_ids]
    asked = {f"{language}-{place}" for language in task.languages for place in task.paragraphs}
    assert {places.count(place) for place in asked} == {12}


def test_the_relevant_candidate_names_the_place_of_the_question(task: RetrievalTask) -> None:
    for fact in (fact for place in demo.places()[demo.TRAINING_PLACES :] for fact in place):
        for language in task.languages:
            assert demo.name(fact.syllables, language) in fact.question(language)
            assert demo.name(fact.syllables, language) in fact.sentence(language)
            assert demo.values(fact.attribute, language)[fact.value] in fact.sentence(language)


@pytest.mark.parametrize("language", demo.LANGUAGES)
def test_places_of_the_task_are_held_out(pairs: ParallelPairs, task: RetrievalTask, language: str) -> None:
    names = [demo.name(place[0].syllables, language) for place in demo.places()]
    assert len(set(names)) == len(names) == demo.TRAINING_PLACES + demo.TASK_PLACES
    column = demo.LANGUAGES.index(language)
    trained = "\n".join(pairs.texts[text] for text in [*pairs.queries[:, column], *pairs.passages[:, column]])
    assert not any(name in trained for name in names[demo.TRAINING_PLACES :])
    assert set(pairs.texts).isdisjoint([*task.query_texts, *task.passage_texts])


@pytest.mark.parametrize("language", demo.LANGUAGES)
def test_every_letter_is_of_the_script(pairs: ParallelPairs, task: RetrievalTask, language: str) -> None:
    letters = {sign for text in texts_of(pairs, task, language) for sign in text if sign.isalpha()}
    script = SCRIPT_OF.get(language, "LATIN")
    assert {unicodedata.name(letter).split()[0] for letter in letters} == {script}


@pytest.mark.parametrize("language", demo.LANGUAGES)
def test_texts_are_sentences_without_digits(pairs: ParallelPairs, task: RetrievalTask, language: str) -> None:
    for text in texts_of(pairs, task, language):
        assert text[-1] in ".?؟।。？"
        assert text == text.strip()
        assert not any(sign.isdigit() or sign in "{}" for sign in text)


@pytest.mark.parametrize("language", demo.LANGUAGES)
def test_lists_are_aligned(language: str) -> None:
    for attribute, templates in demo.TEMPLATES.items():
        values = demo.values(attribute, language)
        assert len(set(values)) == len(values) == len(demo.values(attribute, "en"))
        question, *sentences = templates[language]
        assert question.count("{name}") == 1
        assert "{value}" not in question
        assert all(sentence.count("{name}") == sentence.count("{value}") == 1 for sentence in sentences)
    for part in (demo.STEMS, demo.ENDINGS):
        syllables = part[demo.SCRIPTS.get(language, "latin")].split()
        assert len(set(syllables)) == len(syllables) == len(part["latin"].split())


@pytest.mark.parametrize("language", demo.LANGUAGES)
def test_lexicon_is_of_words_in_the_texts(pairs: ParallelPairs, task: RetrievalTask, language: str) -> None:
    entries = demo.lexicon(language)
    assert len(entries) > 120
    english, other = ("\n".join(texts_of(pairs, task, of)) for of in ("en", language))
    for word, translation in entries.items():
        assert word in english.lower()
        assert word == word.lower()
        assert translation in other
        assert len(word.split()) == len(translation.split()) == 1


def test_lexicon_examples() -> None:
    assert demo.lexicon("de")["village"] == "Dorf"
    assert demo.lexicon("fr")["flute"] == "flûte"
    assert demo.lexicon("zh")["bridge"] == "桥"
    assert "northeast" in demo.lexicon("ru")
    assert "northeast" not in demo.lexicon("ar"), "two words in Arabic"
    terms = demo.TERMS["en"].split()
    values = [demo.word(value).lower() for attribute in demo.VALUES for value in demo.values(attribute, "en")]
    assert len(set(terms + values)) == len(terms + values), "an English word with two translations"


def test_some_languages_only(task: RetrievalTask) -> None:
    pairs, part = demo.training_pairs(["zh", "en"]), demo.retrieval_task(["zh", "en"])
    assert pairs.languages == part.languages == ("en", "zh")
    assert pairs.queries.shape == (3600, 2)
    whole = dict(zip(task.candidate_ids, (task.passage_texts[text] for text in task.candidates), strict=True))
    texts = {part.passage_texts[text] for text in part.candidates}
    assert texts == {whole[candidate_id] for candidate_id in part.candidate_ids}
    assert set(part.candidate_languages.tolist()) == {0, 1}


def test_unknown_language() -> None:
    for call in (
        lambda: demo.training_pairs(["en", "th"]),
        lambda: demo.retrieval_task(["th"]),
        lambda: demo.lexicon("th"),
    ):
        with pytest.raises(InputError, match=r"no language 'th'; allowed: ar, de, en"):
            call()


def test_attributes_come_equally_often(pairs: ParallelPairs, task: RetrievalTask) -> None:
    asked = [query_id[-2:] for query_id in task.query_ids]
    assert {asked.count(number) for number in set(asked)} == {25}
    facts = [fact.attribute for place in demo.places()[: demo.TRAINING_PLACES] for fact in demo.in_turn(place, 9)]
    assert {facts.count(attribute) for attribute in demo.TEMPLATES} == {300}


def test_content_belongs_to_the_version() -> None:
    """Whoever changes a word or a draw gives the set a new version, and its hash here."""
    assert content_hash() == CONTENT[demo.VERSION]


@pytest.mark.parametrize("hash_seed", ["1", "4711"])
def test_the_same_in_every_process(hash_seed: str) -> None:
    code = "from tests.data.test_demo import content_hash; print(content_hash())"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=root, capture_output=True, check=True)
    assert done.stdout.decode().strip() == content_hash()
