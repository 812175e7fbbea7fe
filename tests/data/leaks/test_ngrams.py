import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.examples import PROPERTY
from workbench.data.leaks.ngrams import Units, chunks, gram_size, read_units

TEXTS = st.lists(
    st.text(st.sampled_from("aBß1é é\u0301 ,.'\n\u200d\u00adनमस्ते漢字かなไทย🙂\x00"), max_size=40), max_size=8
)


def words(text: str) -> list[str]:
    """The units of a text, character by character."""
    kept = "".join(
        c if unicodedata.category(c)[0] in "LMN" else "" if unicodedata.category(c) == "Cf" else " "
        for c in unicodedata.normalize("NFKC", text).casefold()
    )
    return kept.split()


def split(text: str, language: str) -> list[str]:
    return list("".join(words(text))) if language in ("zh", "ja", "th") else words(text)


@PROPERTY
@given(TEXTS, st.sampled_from(["en", "hi", "zh", "th"]), st.integers(1, 4))
def test_hashes_are_equal_exactly_where_units_are(texts: list[str], language: str, size: int) -> None:
    units = read_units(texts, language)
    expected = [split(text, language) for text in texts]
    assert np.diff(units.starts).tolist() == [len(part) for part in expected]
    flat = [unit for part in expected for unit in part]
    assert same(units.hashes.tolist(), flat)
    grams, text = units.grams(size)
    windows = [(n, tuple(part[i : i + size])) for n, part in enumerate(expected) for i in range(len(part) - size + 1)]
    assert text.tolist() == [n for n, _ in windows]
    assert same(grams.tolist(), [gram for _, gram in windows])
    assert same(units.whole().tolist(), [tuple(part) for part in expected])


def same(left: list, right: list) -> bool:
    """Whether two lists have their repetitions at the same places."""
    return len(left) == len(right) and len(set(zip(left, right, strict=True))) == len(set(left)) == len(set(right))


@PROPERTY
@given(TEXTS, TEXTS)
def test_a_text_has_the_same_hashes_in_any_company(texts: list[str], others: list[str]) -> None:
    alone, together = read_units(texts, "en"), read_units([*others, *texts], "en")
    first = together.starts[len(others)]
    assert np.array_equal(together.hashes[first:], alone.hashes)
    assert np.array_equal(together.whole()[len(others) :], alone.whole())


@pytest.mark.parametrize(
    ("left", "right", "language"),
    [
        ("Wo liegt die STRASSE?", "wo liegt, die straße", "de"),
        ("नमस्ते दुनिया", "नमस्\u200dते  दुनिया।", "hi"),
        ("東京は、大きい。", "東京 は大きい", "ja"),
        ("ＡＢＣ １２３", "abc 123", "en"),
        ("co\u00adoperate", "cooperate", "en"),
        ("cafe\u0301", "café", "fr"),
    ],
)
def test_these_have_the_same_units(left: str, right: str, language: str) -> None:
    assert read_units([left], language).hashes.tolist() == read_units([right], language).hashes.tolist()


def test_marks_do_not_break_words() -> None:
    assert len(read_units(["हिन्दी में किताबें"], "hi").hashes) == 3
    assert len(re.findall(r"\w+", "हिन्दी में किताबें")) > 3, "which the standard library's \\w does"


def test_order_counts_and_no_two_of_many_words_are_taken_for_each_other() -> None:
    some = read_units(["dog bites man", "man bites dog", "dogb ites man"], "en")
    assert len(set(some.whole().tolist())) == 3
    many = read_units([f"{a}{b}{c}" for a in range(40) for b in "abcdefgh" for c in range(100)], "en")
    assert len(np.unique(many.hashes)) == len(many.hashes) == 32_000


def test_sizes() -> None:
    assert [gram_size(language, "passage") for language in ("en", "hi", "zh", "ja", "th")] == [8, 8, 13, 21, 40]
    assert [gram_size(language, "query") for language in ("en", "hi", "zh", "ja", "th")] == [5, 5, 8, 13, 25]


def test_long_texts_and_no_texts() -> None:
    long = "word " * 200_000
    units: Units = read_units(["a", long, "b"], "en")
    assert np.diff(units.starts).tolist() == [1, 200_000, 1]
    assert len(np.unique(units.grams(8)[0])) == 1
    assert len(read_units([], "en").grams(5)[0]) == 0
    assert [numbers for numbers, _ in chunks(["a", long, "b", "c"], [0, 1, 2, 3])] == [[0, 1], [2, 3]]
