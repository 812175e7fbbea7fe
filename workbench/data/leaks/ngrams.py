"""Word and character n-grams of many texts as 64-bit hashes, in numpy.

Texts are taken as `pairs.normalised` has them: NFKC, case folded. Of that a *unit* is a word, a run of letters, marks
and digits, or in languages that are written without spaces between words one such character. All else separates,
but for format characters (zero-width joiners, soft hyphens), which are left out: copies of a text often lose them.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]

WORDS = {"passage": 8, "query": 5}
"""Words of an n-gram by the kind of evaluation text."""
CHARACTERS = {
    "zh": {"passage": 13, "query": 8},
    "ja": {"passage": 21, "query": 13},
    **{language: {"passage": 40, "query": 25} for language in ("th", "km", "lo", "my")},
}
"""Characters of an n-gram: as many as stand for 8 and 5 English words in parallel texts. Per English word there are
1.6 to 1.7 in Chinese and 4.7 to 5.5 in Thai (XQuAD, software help), 2.6 in Japanese (software help); Khmer, Lao and
Burmese are taken to be like Thai."""
CHUNK_CHARACTERS = 2**18
"""Read at a time: arrays of this length fit a processor's cache."""
BETWEEN, UNIT, IGNORED = 0, 1, 2
BASE = 0x9E3779B97F4A7C15
"""Of the polynomial; odd, so that it has an inverse modulo 2**64."""


@dataclass(frozen=True)
class Units:
    """The units of some texts, one text after the other."""

    hashes: Hashes
    """[units]"""
    starts: Numbers
    """[texts + 1] the first unit of each text, and their number."""

    @cached_property
    def sums(self) -> Hashes:
        return prefix_sums(self.hashes)

    def grams(self, size: int) -> tuple[Hashes, Numbers]:
        """The n-grams of `size` units, and [n-grams] the text of each; repeated ones are repeated."""
        counts = np.maximum(np.diff(self.starts) - size + 1, 0)
        text = np.repeat(np.arange(len(counts)), counts)
        first = np.arange(len(text)) + (self.starts[:-1] - (np.cumsum(counts) - counts))[text]
        return span_hashes(self.sums, first, first + size), text

    def whole(self) -> Hashes:
        """[texts] a hash of all units: equal for texts that are equal, and for some that differ in punctuation."""
        return span_hashes(self.sums, self.starts[:-1], self.starts[1:])


def gram_size(language: str, kind: str) -> int:
    """Units of an n-gram."""
    return CHARACTERS.get(language, WORDS)[kind]


def read_units(texts: Sequence[str], language: str) -> Units:
    """The units of texts in a language."""
    folded = [unicodedata.normalize("NFKC", text).casefold() for text in texts]
    lengths = np.fromiter(map(len, folded), np.int64, len(folded)) + 1
    content = "\n".join([*folded, ""]).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(content, "<u4")
    starts = np.concatenate([[0], np.cumsum(lengths)])
    classes = character_classes()[codes]
    ignored = classes == IGNORED
    if ignored.any():
        starts -= np.concatenate([[0], np.cumsum(ignored)])[starts]
        codes, classes = codes[~ignored], classes[~ignored]
    inside = classes == UNIT
    if language in CHARACTERS:
        places = np.flatnonzero(inside)
        return Units(mixed(codes[places].astype(np.uint64)), np.searchsorted(places, starts))
    # every text is followed by a separator, so each change into a word has one out of it
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    if len(inside) and inside[0]:
        edges = np.concatenate([[0], edges])
    first, last = edges[::2], edges[1::2]
    return Units(span_hashes(prefix_sums(codes), first, last), np.searchsorted(first, starts))


@functools.cache
def character_classes() -> NDArray[np.uint8]:
    """By code point: BETWEEN, UNIT or IGNORED."""
    of_category = {"L": UNIT, "M": UNIT, "N": UNIT, "Cf": IGNORED}
    classes = np.full(0x110000, BETWEEN, np.uint8)
    for plane in (*range(4), 14):  # the others hold no characters
        codes = range(plane * 0x10000, (plane + 1) * 0x10000)
        categories = map(unicodedata.category, map(chr, codes))
        classes[codes] = [of_category.get(c) or of_category.get(c[0], BETWEEN) for c in categories]
    return classes


def prefix_sums(values: NDArray[np.unsignedinteger]) -> Hashes:
    """[values + 1] sums of value i times BASE**i, modulo 2**64."""
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values * powers(BASE, len(values)), out=sums[1:])
    return sums


def span_hashes(sums: Hashes, first: Numbers, last: Numbers) -> Hashes:
    """A hash of the values in each span [first, last): the same wherever these values stand.

    The polynomial of the values modulo 2**64, mixed. Two different spans have the same hash with a chance near 2**-64
    unless somebody constructs them: 10**8 n-grams looked up among 10**7 meet a false one in about 1 of 18,000 checks.
    """
    inverse = pow(BASE, -1, 2**64)
    return mixed((sums[last] - sums[first]) * powers(inverse, len(sums))[first])


def powers(base: int, count: int) -> Hashes:
    """base**0, base**1, ... modulo 2**64."""
    return all_powers(base, max(CHUNK_CHARACTERS, 1 << count.bit_length()))[:count]


@functools.lru_cache(maxsize=4)
def all_powers(base: int, count: int) -> Hashes:
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


def mixed(values: Hashes) -> Hashes:
    """Every bit of the result hangs on every bit of the value (SplitMix64's finaliser, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


class Texts(Protocol):
    """Where texts are got by their numbers."""

    def __getitem__(self, number: int, /) -> str: ...


def chunks(texts: Texts, numbers: Iterable[int]) -> Iterator[tuple[list[int], list[str]]]:
    """The texts with these numbers, about CHUNK_CHARACTERS at a time, each list with its numbers."""
    taken: list[int] = []
    held: list[str] = []
    length = 0
    for number in numbers:
        taken.append(number)
        held.append(texts[number])
        length += len(held[-1])
        if length >= CHUNK_CHARACTERS:
            yield taken, held
            taken, held, length = [], [], 0
    if taken:
        yield taken, held
