"""Numbers, copies and lengths of a text and its source, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.synthesis.agreement import characters, is_copy, length_outliers, many_words, numbers, numbers_agree


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no number, not one", []),
        ("flight 007 to gate 7", ["7", "7"]),
        ("٢٠٢٤ كتابًا و٧ أقلام", ["2024", "7"]),
        ("२०२४ में", ["2024"]),
        ("第１２章", ["12"]),
        ("1,000,000 or 1.000.000 or 1 000 000 or 1'000'000 or 10,00,000", ["1000000"] * 5),
        ("٬١٬٠٠٠", ["1000"]),
        ("3.14 and 3,14", ["3", "14", "3", "14"]),
        ("10,000.50", ["10000", "50"]),
        ("22.11.2026, 2026-11-22, 11/22/2026", ["22", "11", "2026"] * 3),
        ("in 2010 500 people", ["2010", "500"]),
        ("x² and ½ and Ⅻ", []),
        ("0 and 000", ["0", "0"]),
    ],
)
def test_numbers(text: str, found: list[str]) -> None:
    assert sorted(numbers(text).elements()) == sorted(found)


@pytest.mark.parametrize(
    ("text", "source", "agree"),
    [
        ("Die Brücke ist 1.250 Meter lang.", "The bridge is 1,250 metres long.", True),
        ("طول الجسر ١٬٢٥٠ مترًا.", "The bridge is 1,250 metres long.", True),
        ("在1985年5月3日", "on 3 May 1985", True),
        ("1985年に", "in 1985", True),
        ("Die Brücke ist lang.", "The bridge is 1,250 metres long.", False),
        ("Die Brücke ist 1.520 Meter lang.", "The bridge is 1,250 metres long.", False),
        # small numbers may be words on either side, but not other numbers
        ("Er hat 2 Brüder.", "He has two brothers.", True),
        ("Er hat zwei Brüder.", "He has 2 brothers.", True),
        ("Er hat 3 Brüder.", "He has 2 brothers.", False),
        ("Er hat 13 Brüder.", "He has thirteen brothers.", False),
        # most agree
        ("Von 1905 bis 1917 lebten 88 Menschen hier.", "From 1905 to 1917, 80 people lived here.", True),
        ("Von 1905 bis 1918 lebten 80 Menschen hier.", "From 1906 to 1917, 80 people lived here.", False),
        ("keine", "none", True),
        ("9" * 5000, "9" * 5000, True),
    ],
)
def test_numbers_agree(text: str, source: str, agree: bool) -> None:
    assert numbers_agree(text, source) is agree
    assert numbers_agree(source, text) is agree


@given(st.lists(st.integers(0, 10**7), max_size=6), st.randoms(use_true_random=False))
def test_order_and_separators_of_numbers_are_ignored(values: list[int], random: object) -> None:
    mixed = list(values)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert numbers_agree("; ".join(f"{v:,}".replace(",", ".") for v in mixed), "; ".join(f"{v:,}" for v in values))


@pytest.mark.parametrize(
    ("text", "source", "copy"),
    [
        ("Where is the  Old bridge?", "where is the old bridge?", True),
        ("Where is the old bridge?", "Where is the old bridge?", True),
        ("Wo ist die alte Brücke?", "Where is the old bridge?", False),
        ("Amsterdam", "Amsterdam", False),
        ("42 / 17", "42 / 17", False),
        ("GPT-4", "GPT-4", False),
        ("New York", "New York", True),
        ("莎士比亚", "莎士比亚", False),
        ("莎士比亚是在哪里出生的？", "莎士比亚是在哪里出生的？", True),
    ],
)
def test_copies(text: str, source: str, copy: bool) -> None:
    assert is_copy(text, source) is copy


def test_marks_part_no_words() -> None:
    assert not many_words("हिन्दी")
    assert many_words("हिन्दी भाषा")


def outliers(texts: list[int], sources: list[int], factor: float = 2.0) -> list[bool]:
    return length_outliers(np.array([texts], float), np.array([sources], float), factor).tolist()


def test_lengths_are_held_against_the_median_ratio() -> None:
    # a third of the source, as Chinese of English; the last two are twice as long and a quarter of what is expected
    assert outliers([40, 30, 20, 100, 8], [120, 90, 60, 120, 100]) == [False, False, False, True, True]


def test_the_bound_is_the_factor() -> None:
    # the median ratio is 1; 10 characters are added to both: 190 + 10 is twice 90 + 10
    assert outliers([90, 90, 190], [90, 90, 90]) == [False, False, False]
    assert outliers([90, 90, 191], [90, 90, 90]) == [False, False, True]
    assert outliers([90, 90, 40], [90, 90, 90]) == [False, False, False]
    assert outliers([90, 90, 39], [90, 90, 90]) == [False, False, True]


def test_short_texts_may_differ_more() -> None:
    assert outliers([50, 50, 12], [50, 50, 2]) == [False, False, False]


def test_the_median_is_of_what_stays() -> None:
    # with all of them the median ratio is 1 and the second is inside; without the third it is .5, and it is not
    found = outliers([100, 200, 1000, 100], [200, 200, 100, 200], 1.8)
    assert found == [False, True, True, False]


def test_a_side_that_was_not_made_is_not_looked_at() -> None:
    lengths = np.stack([characters(["x" * 50, None, "x" * 50]), characters([None, None, "x" * 50])])
    sources = np.stack([characters(["y" * 50] * 3), characters(["y" * 500] * 3)])
    assert length_outliers(lengths, sources, 2.0).tolist() == [False, False, False]


def test_no_rows() -> None:
    assert length_outliers(np.zeros((2, 0)), np.zeros((2, 0)), 2.0).tolist() == []


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), max_size=20), st.floats(1.1, 5))
def test_what_stays_stays(rows: list[tuple[int, int]], factor: float) -> None:
    texts, sources = [text for text, _ in rows], [source for _, source in rows]
    odd = outliers(texts, sources, factor)
    kept = [row for row, off in enumerate(odd) if not off]
    assert not any(outliers([texts[row] for row in kept], [sources[row] for row in kept], factor))
