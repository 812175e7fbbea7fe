"""The splitter gives texts back exactly, and words can change without growing together."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.synthesis.words import is_word, rebuilt, split, word_places

TEXTS = st.text(st.characters(exclude_categories=("Cs",))) | st.text("ab 'ก้า我カ.-1\n")


@given(TEXTS)
def test_joined_the_pieces_are_the_text(text: str) -> None:
    assert "".join(split(text)) == text
    assert "" not in split(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The city's a-bomb, “don’t” 3.14!", ["The", "city's", "a", "bomb", "don’t", "3.14"]),
        ("  A\tB\r\nC  ", ["A", "B", "C"]),
        ("我喜欢北京。", ["我", "喜", "欢", "北", "京"]),
        ("東京タワーと", ["東", "京", "タワー", "と"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("ชาวไทย 2 คน", ["ช", "า", "ว", "ไ", "ท", "ย", "2", "ค", "น"]),
        ("नमस्ते, दुनिया।", ["नमस्ते", "दुनिया"]),
        ("مرحبا، يا عالم؟", ["مرحبا", "يا", "عالم"]),
        ("안녕 세계", ["안녕", "세계"]),
        ("cafe\u0301 été", ["cafe\u0301", "été"]),
        ("… — ¿?! 👩‍👧 \n", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    pieces = split(text)
    assert "".join(pieces) == text
    assert [pieces[place] for place in word_places(pieces)] == words


@given(TEXTS)
def test_nothing_changed_is_the_text(text: str) -> None:
    pieces = split(text)
    assert rebuilt(pieces, {}) == text
    if not text[:1].isspace() and not text[-1:].isspace():
        assert rebuilt(pieces, {place: pieces[place] for place in word_places(pieces)}) == text


def replaced(text: str, words: dict[str, str]) -> str:
    pieces = split(text)
    return rebuilt(pieces, {place: words[piece] for place, piece in enumerate(pieces) if piece in words})


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("The big, big  house.", {"big": "große"}, "The große, große  house."),
        ("The big, big  house.", {"big": ""}, "The,  house."),
        ("The big house", {"The": ""}, "big house"),
        ("The big house", {"house": ""}, "The big"),
        ("The big house", {"The": "", "big": ""}, "house"),
        ("(The) house", {"The": ""}, "() house"),
        ("我爱你", {"我": "I", "爱": "love"}, "I love你"),
        ("我爱你", {"我": "I", "爱": "", "你": "you"}, "I you"),
        ("A我B", {"我": ""}, "A B"),
        ("我爱你", {"爱": ""}, "我你"),
        ("one two", {"one": "หนึ่ง", "two": "二"}, "หนึ่ง 二"),
    ],
)
def test_rebuilt(text: str, words: dict[str, str], expected: str) -> None:
    assert replaced(text, words) == expected


@given(st.lists(st.sampled_from(["我", "ก้", "カ", "one", "9", "è"]), min_size=1), st.data())
def test_words_never_grow_together(words: list[str], data: st.DataObject) -> None:
    pieces = [piece for word in words for piece in (word, " ")][:-1] if data.draw(st.booleans()) else split("我" * 9)
    places = word_places(pieces)
    changed = {place: data.draw(st.sampled_from(["two", "ตา", "3", "们"])) for place in places}
    found = split(rebuilt(pieces, changed))
    parts = [part for place in places for part in split(changed[place])]
    assert [piece for piece in found if is_word(piece)] == parts
    assert not any(left.isspace() and right.isspace() for left, right in pairwise(found))
