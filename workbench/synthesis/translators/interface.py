"""What every translator gives: texts in one language in, the same number of texts in another one out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import regex

from workbench.errors import WorkError

BREAKS = regex.compile(r"[\p{Cc}\p{Zl}\p{Zp}]+")
"""Line breaks of every kind, and the other control characters: programs trip over them."""


class Translator(Protocol):
    """A machine that translates; loading one costs nothing, its first translation may."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that changes what it gives, and nothing else; JSON can hold it."""
        ...

    @property
    def name(self) -> str:
        """Short, for people: `nllb-200-distilled-600M`, `apertium`."""
        ...

    def check(self, source: str, targets: Sequence[str]) -> None:
        """
        Raises
        ------
        InputError
            It cannot translate from `source` into each of `targets` (ISO 639-1); says what it can do.
        """

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """The translation of each text, in their order, in one line each; that of a blank text is empty.

        Raises
        ------
        WorkError
            It failed; an `Unfinished` holds what was translated before.
        """
        ...


@runtime_checkable
class PairTranslator(Protocol):
    """A translator that is another one for each pair of languages, such as a checkpoint each."""

    def pair_identity(self, source: str, target: str) -> Mapping[str, Any]:
        """All that changes what it gives for one pair of languages."""
        ...


class Unfinished(WorkError):
    """A translator failed after some of its texts; those need not be paid for again."""

    def __init__(self, message: str, finished: Mapping[str, str]) -> None:
        super().__init__(message)
        self.finished = finished
        """Translation by text."""


def identity_of(translator: Translator, source: str, target: str) -> Mapping[str, Any]:
    """All that changes what a translator gives for a pair of languages."""
    return translator.pair_identity(source, target) if isinstance(translator, PairTranslator) else translator.identity


def one_line(text: str) -> str:
    """A text with a blank in place of line breaks and control characters, and without lone surrogates."""
    return BREAKS.sub(" ", text).strip().encode("utf-8", "replace").decode()


def around_blanks(texts: Sequence[str], translate: Callable[[list[str]], list[str]]) -> list[str]:
    """`translate` of the texts as single lines, without the blank ones; those stay empty."""
    lines = [one_line(text) for text in texts]
    translations = iter(translate([line for line in lines if line]))
    return [next(translations) if line else "" for line in lines]
