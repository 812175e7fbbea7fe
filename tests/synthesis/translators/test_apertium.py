"""The `command` translator with a real program; skipped where apertium is not installed."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from workbench.data.demo import name, places, training_pairs
from workbench.records import TranslatorSpec
from workbench.synthesis.identification import Identifier
from workbench.synthesis.translators.interface import Translator
from workbench.synthesis.translators.loading import load_translator

pytestmark = pytest.mark.skipif(shutil.which("apertium") is None, reason="apertium is not installed")


@pytest.fixture(scope="module")
def apertium() -> Translator:
    translator = load_translator(TranslatorSpec(kind="command", command="apertium -u eng-spa"), Path())
    translator.check("en", ["es"])
    return translator


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """200 queries and 200 passages, in turn."""
    pairs = training_pairs(("en",))
    rows = [row for pair in range(200) for row in (pairs.queries[pair, 0], pairs.passages[pair, 0])]
    return [pairs.texts[row] for row in rows]


def check_names(texts: Sequence[str], translations: Sequence[str]) -> None:
    """Each translation has the place of its own text, and no other text's."""
    names = {name(place[0].syllables, "en").casefold() for place in places()}
    assert len(translations) == len(texts)
    for text, translation in zip(texts, translations, strict=True):
        (own,) = {place for place in names if place in text.casefold()}
        assert {place for place in names if place in translation.casefold()} == {own}


def test_queries_and_passages_become_spanish_on_their_own_lines(apertium: Translator, texts: list[str]) -> None:
    translations = apertium.translate(texts, "en", "es")
    check_names(texts, translations)
    identifier = Identifier(["en", "es"])
    spanish = sum(identifier.likeliest(text) == "es" for text in translations)
    assert spanish >= 0.95 * len(texts)


def test_texts_without_an_end_do_not_flow_into_the_next(apertium: Translator, texts: list[str]) -> None:
    bare = [text.rstrip("?.") for text in texts[:60]]
    translations = apertium.translate(bare, "en", "es")
    check_names(bare, translations)
    assert not any(text.endswith(".") for text in translations)
    # a question alone at the end of one's line, and the next line's first words, would else change places
    texts = ["who is the king", "apples and", "It is made in the U.S.", "Mail and telephone"]
    together = apertium.translate(texts, "en", "es")
    assert together == [apertium.translate([text], "en", "es")[0] for text in texts]
