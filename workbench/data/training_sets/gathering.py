"""Training pairs from the rows of data sets: met one by one, in any order, gathered to matrices."""

from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs, Texts
from workbench.data.reading.json_values import optional, parts
from workbench.errors import InputError


class PairRows:
    """Query-passage pairs, each in one language, equal texts held once."""

    def __init__(self) -> None:
        self._texts = Texts()
        self._pairs: dict[str, int] = {}
        self._languages: dict[str, int] = {}
        self._met: set[tuple[int, int]] = set()
        self._columns = tuple(array("i") for _ in range(5))

    def add(self, pair_id: str, language: str, query: str, passage: str, negative: str | None, where: str) -> None:
        """One pair in one language.

        Raises
        ------
        InputError
            It has been met before; the message starts with `where`.
        """
        pair = self._pairs.setdefault(pair_id, len(self._pairs))
        column = self._languages.setdefault(language, len(self._languages))
        if (pair, column) in self._met:
            raise InputError(f"{where}: id {pair_id!r} has been met before in {language!r}; allowed: once")
        self._met.add((pair, column))
        texts = self._texts.add([query, passage] if negative is None else [query, passage, negative])
        values = (pair, column, *texts, *([-1] if negative is None else []))
        for values_so_far, value in zip(self._columns, values, strict=True):
            values_so_far.append(value)

    def as_pairs(
        self, name: str, where: Path, notes: Sequence[str] = (), languages: Sequence[str] = ()
    ) -> ParallelPairs:
        """The set; pair_ids and languages ascend, whatever the order in which they were met.

        Raises
        ------
        InputError
            No pair was met, or none in one of `languages`; the message starts with `where`.
        """
        empty = ", ".join(repr(language) for language in languages if language not in self._languages)
        if not self._pairs or empty:
            which = f" in {empty}" if empty else ""
            raise InputError(f"{where}: holds no pairs{which}{''.join(f'; {note}' for note in notes)}")
        pair_ids, rows = ascending(self._pairs)
        languages, columns = ascending(self._languages)
        pairs, cells, *texts = (np.frombuffer(values, np.int32) for values in self._columns)

        def matrix(values: NDArray[np.int32]) -> NDArray[np.int32]:
            result = np.full((len(pair_ids), len(languages)), -1, np.int32)
            result[rows[pairs], columns[cells]] = values
            return result

        queries, passages, negatives = (matrix(values) for values in texts)
        return ParallelPairs(name, languages, pair_ids, self._texts.unique, queries, passages, negatives, tuple(notes))


def ascending(indexes: dict[str, int]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The keys of `indexes` in order, and [keys] the place of each index in it."""
    found = tuple(sorted(indexes))
    places = np.empty(len(found), np.int64)
    places[[indexes[key] for key in found]] = np.arange(len(found))
    return found, places


def first_passage(row: object, key: str, where: str) -> str | None:
    """The first passage with a text in the list at `key`: objects with `text` and, where there is one, `title`.

    A title stands before its text, with a blank between. None where no passage has a text.
    """
    for passage, place in parts(row, key, where):
        content = optional(passage, "text", str, place) or ""
        if content.strip():
            title = optional(passage, "title", str, place) or ""
            return f"{title} {content}" if title.strip() else content
    return None
