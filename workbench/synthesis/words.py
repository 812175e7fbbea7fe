"""Texts as words and what stands between them.

Words are those of Unicode's word boundaries (UAX #29, as the package `regex` has them), by rules alone and without
dictionaries. `don't`, `3.14` and `e.g` are one word, `a-bomb` is two. In scripts that set no blanks between words a
word is what the rules make of it: a letter with its marks in Thai, Lao, Khmer and Burmese, a character in Chinese and
in Hiragana, a run of Katakana.
"""

from collections.abc import Mapping, Sequence

import regex

PIECES = regex.compile(r"(?sw).+?\b")


def split(text: str) -> list[str]:
    """Words and what is between them; joined, the pieces are the text."""
    return PIECES.findall(text)


def is_word(piece: str) -> bool:
    """Whether a piece has a letter or a digit."""
    return piece[:1].isalnum() or (len(piece) > 1 and any(map(str.isalnum, piece)))


def word_places(pieces: Sequence[str]) -> list[int]:
    """Which of the pieces are words."""
    return [place for place, piece in enumerate(pieces) if is_word(piece)]


def rebuilt(pieces: Sequence[str], changed: Mapping[int, str]) -> str:
    """The text with other words in these places; an empty one leaves the word out, and the blank before it.

    All else stays as it is, but that a blank comes between two words that would grow into one, as happens where a
    script without blanks meets one with them.
    """
    parts = list(pieces)
    seams = left_out = False
    for place, word in changed.items():
        parts[place] = word
        seams = seams or any(map(is_word, (*pieces[max(place - 1, 0) : place], *pieces[place + 1 : place + 2])))
        if not word:
            left_out = True
            if place and pieces[place - 1].isspace():
                parts[place - 1] = ""
    text = "".join(spaced(parts) if seams else parts)
    return text.strip() if left_out else text


def spaced(parts: Sequence[str]) -> list[str]:
    """The parts that are not empty, with a blank between words that would grow into one."""
    result: list[str] = []
    for part in filter(None, parts):
        if result and is_word(part) and is_word(result[-1]) and grow(result[-1], part):
            result.append(" ")
        result.append(part)
    return result


def grow(left: str, right: str) -> bool:
    """Whether the splitter would see one word where these two meet."""
    return len(split(left + right)) < len(split(left)) + len(split(right))
