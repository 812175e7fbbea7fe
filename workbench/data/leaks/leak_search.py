"""The search of the leakage check: texts of one language looked up by the hashes of their n-grams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.data.leaks.ngrams import Hashes, Numbers, Units, chunks, gram_size, read_units
from workbench.data.pairs import ParallelPairs, normalised
from workbench.data.task import RetrievalTask
from workbench.records import Progress

Kind = Literal["query", "passage"]
INDEXED_TEXTS = 200_000
"""Of more evaluation texts of a kind and language only those are indexed that may be hits."""
MARK_BITS = (16, 30)
"""Least and most bits of a hash by which marks are kept; a mark is a byte."""


class Counter:
    """Reports how many training texts are read."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def add(self, texts: int) -> None:
        self.done += texts
        if self.progress:
            self.progress("leakage", self.done, self.total)


class Marks:
    """A set of hashes in little memory; it has others too, about one in eight at the size that it is made for."""

    def __init__(self, size: int) -> None:
        least, most = MARK_BITS
        bits = min(most, max(least, (8 * size).bit_length()))
        self.shift = np.uint64(64 - bits)
        self.table = np.zeros(1 << bits, np.bool_)

    def add(self, hashes: Hashes) -> None:
        self.table[hashes >> self.shift] = True

    def has(self, hashes: Hashes) -> NDArray[np.bool_]:
        return self.table[hashes >> self.shift]


class Column:
    """The training texts of one set in one language, the synthetic ones too."""

    def __init__(self, number: int, pairs: ParallelPairs, language: str) -> None:
        self.number, self.pairs, self.language = number, pairs, language
        places = [place for place, its in enumerate(pairs.languages) if its == language]
        parts = [part[:, place] for part in (pairs.queries, pairs.passages, pairs.negatives) for place in places]
        holders = [np.flatnonzero(part >= 0) for part in parts]
        texts = np.concatenate([part[rows] for part, rows in zip(parts, holders, strict=True)])
        order = np.argsort(texts, kind="stable")
        self.texts: NDArray[np.int32] = texts[order]
        """[uses] the texts in use, ascending, as often as pairs use them."""
        self.users: NDArray[np.int32] = np.concatenate(holders)[order].astype(np.int32)
        """[uses] the pair."""
        self.size = len(np.unique(self.texts))
        """Distinct texts."""

    def read(self, counter: Counter) -> Iterator[tuple[Numbers, Units]]:
        """The units of all texts, with the texts' numbers, some at a time."""
        for numbers, texts in chunks(self.pairs.texts, np.unique(self.texts).tolist()):
            yield np.array(numbers), read_units(texts, self.language)
            counter.add(len(numbers))

    def pairs_of(self, texts: NDArray[np.integer]) -> tuple[Numbers, Numbers]:
        """The pairs that use these texts, one text after the other, and for each its text's place in `texts`."""
        first = np.searchsorted(self.texts, texts, "left")
        uses = np.searchsorted(self.texts, texts, "right") - first
        places = np.repeat(np.arange(len(texts)), uses)
        within = np.arange(len(places)) - (np.cumsum(uses) - uses)[places]
        return self.users[first[places] + within].astype(np.int64), places

    def closest(self, pair: int, text: str, size: int) -> str:
        """Of the pair's texts the one that equals `text`, or else shares the most of its n-grams of `size` units."""
        mine = [self.pairs.texts[number] for number in np.unique(self.texts[self.users == pair]).tolist()]
        wanted, _ = read_units([text], self.language).grams(size)

        def common(other: str) -> tuple[bool, int]:
            grams, _ = read_units([other], self.language).grams(size)
            return normalised(other) == normalised(text), len(np.intersect1d(grams, wanted))

        return max(mine, key=common)


class Evaluated:
    """The distinct evaluation texts of one kind in one language, task after task."""

    def __init__(self, tasks: Mapping[str, RetrievalTask], language: str, kind: Kind) -> None:
        self.tasks = {name: task for name, task in tasks.items() if language in task.languages}
        self.language, self.kind, self.size = language, kind, gram_size(language, kind)
        parts = [self._texts_of(task) for task in self.tasks.values()]
        self.task = np.repeat(np.arange(len(parts), dtype=np.int16), [len(part[0]) for part in parts])
        """[texts] place of the task in `tasks`."""
        # of pools of millions, so in half the bytes
        columns = [np.concatenate(column).astype(np.int32) for column in zip(*parts, strict=True)]
        self.text, self.first, self.uses = columns
        """[texts] number of the text in its task; the first query or candidate with it; how many have it."""

    def _texts_of(self, task: RetrievalTask) -> tuple[NDArray, NDArray, NDArray]:
        place = task.languages.index(self.language)
        if self.kind == "query":
            texts = task.queries[:, place]
            items = np.flatnonzero(texts >= 0)
        else:
            texts, items = task.candidates, np.flatnonzero(task.candidate_languages == place)
        text, first, uses = np.unique(texts[items], return_index=True, return_counts=True)
        return text, items[first], uses

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, place: int) -> str:
        task = list(self.tasks.values())[self.task[place]]
        texts = task.query_texts if self.kind == "query" else task.passage_texts
        return texts[self.text[place]]

    def name(self, place: int) -> str:
        """The query id or candidate id."""
        task = list(self.tasks.values())[self.task[place]]
        ids = task.query_ids if self.kind == "query" else task.candidate_ids
        return ids[self.first[place]]

    @property
    def is_large(self) -> bool:
        return len(self) > INDEXED_TEXTS

    def read(self, places: Sequence[int] | Numbers) -> Iterator[tuple[Numbers, Units, Hashes, Numbers]]:
        """Some at a time: places of texts, their units, and the distinct n-grams to look up with each one's text.

        Texts made from templates have no n-grams to look up.
        """
        templates = np.array([task.from_templates for task in self.tasks.values()], np.bool_)
        for taken, texts in chunks(self, map(int, places)):
            numbers, units = np.array(taken), read_units(texts, self.language)
            grams, text = distinct(*units.grams(self.size))
            sought = ~templates[self.task[numbers[text]]]
            yield numbers, units, grams[sought], text[sought]


@dataclass(frozen=True)
class Hits:
    """One row for each hit and pair that it concerns, hits ascending, the pair nearest to the hit first."""

    text: Numbers
    """[rows] place among the evaluated texts."""
    training_set: Numbers
    """[rows] number of the set."""
    pair: Numbers
    """[rows] row of the pair in its set."""
    exact: NDArray[np.bool_]
    """[rows] whether a text of the pair equals the hit."""


def possible_hits(side: Evaluated, columns: Sequence[Column], counter: Counter) -> Numbers:
    """The places of all texts that are hits, and of a few others, without an index of the texts.

    In place of the training texts' n-grams it looks at marks of them.
    """
    marks = Marks(64 * sum(column.size for column in columns))
    wholes = [np.zeros(0, np.uint64)]
    for column in columns:
        for _, units in column.read(counter):
            marks.add(units.grams(side.size)[0])
            wholes.append(units.whole())
    equal = np.unique(np.concatenate(wholes))
    kept = [np.zeros(0, np.int64)]
    for places, units, grams, text in side.read(range(len(side))):
        sizes = np.bincount(text, minlength=len(places))
        held = np.bincount(text[marks.has(grams)], minlength=len(places))
        kept.append(places[((2 * held >= sizes) & (sizes > 0)) | np.isin(units.whole(), equal)])
    return np.concatenate(kept)


def distinct(grams: Hashes, text: Numbers) -> tuple[Hashes, Numbers]:
    """Each n-gram of a text once; texts ascending."""
    order = np.lexsort((grams, text))
    grams, text = grams[order], text[order]
    new = np.ones(len(text), np.bool_)
    new[1:] = (grams[1:] != grams[:-1]) | (text[1:] != text[:-1])
    return grams[new], text[new]


class Index:
    """Evaluation texts by their n-grams, and what is found of them in training texts."""

    def __init__(self, side: Evaluated, places: Sequence[int] | Numbers) -> None:
        self.side = side
        grams, texts, wholes, whole_texts = [], [], [], []
        for taken, units, hashes, text in side.read(places):
            grams.append(hashes)
            texts.append(taken[text])
            wholes.append(units.whole())
            whole_texts.append(taken)
        none, nowhere = np.zeros(0, np.uint64), np.zeros(0, np.int64)
        self.keys, self.gram = np.unique(np.concatenate([none, *grams]), return_inverse=True)
        """[distinct n-grams] ascending; [texts' n-grams] which of them, texts ascending"""
        self.sizes = np.bincount(np.concatenate([nowhere, *texts]), minlength=len(side))
        """[texts] n-grams of each."""
        self.marks = Marks(len(self.keys))
        self.marks.add(self.keys)
        whole = np.concatenate([none, *wholes])
        order = np.argsort(whole, kind="stable")
        self.wholes, self.whole_text = whole[order], np.concatenate([nowhere, *whole_texts])[order]
        self.held: list[list[tuple[NDArray[np.int32], NDArray[np.int32]]]] = []
        """By column: n-gram and number of the training text that has it."""
        self.equal: list[tuple[int, int, int]] = []
        """Evaluation text, place of the column, number of the training text."""

    def look_into(self, column: Column, numbers: Numbers, units: Units) -> None:
        """Find out what is held by some training texts of a column; columns come one after the other."""
        grams, text = units.grams(self.side.size)
        maybe = np.flatnonzero(self.marks.has(grams))
        gram = np.searchsorted(self.keys, grams[maybe])
        gram[gram == len(self.keys)] = 0
        sure = self.keys[gram] == grams[maybe] if len(self.keys) else np.zeros(len(maybe), np.bool_)
        self.held[-1].append((gram[sure].astype(np.int32), numbers[text[maybe[sure]]].astype(np.int32)))
        wholes = units.whole()
        first = np.searchsorted(self.wholes, wholes, "left")
        last = np.searchsorted(self.wholes, wholes, "right")
        for place in np.flatnonzero(first < last).tolist():
            number = int(numbers[place])
            form = normalised(column.pairs.texts[number])
            same = (t for t in self.whole_text[first[place] : last[place]].tolist() if normalised(self.side[t]) == form)
            self.equal += [(text, len(self.held) - 1, number) for text in same if form]

    def hits(self, columns: Sequence[Column]) -> Hits:
        """What is concerned, once every column has been looked into."""
        bases = np.cumsum([0, *(len(column.pairs.pair_ids) for column in columns)])
        exact = self._equal_pairs(columns, bases)
        found = np.zeros(len(self.keys), np.bool_)
        for parts in self.held:
            for gram, _ in parts:
                found[gram] = True
        starts = np.concatenate([[0], np.cumsum(self.sizes)])
        held = np.diff(np.concatenate([[0], np.cumsum(found[self.gram])])[starts])
        is_hit = (2 * held >= self.sizes) & (self.sizes > 0)
        holders = Holders(self._holders(columns, bases, self.gram[np.repeat(is_hit, self.sizes)]), int(bases[-1]))
        is_hit[list(exact)] = True
        rows = []
        for text in np.flatnonzero(is_hit).tolist():
            equal = exact.get(text, np.zeros(0, np.int64))
            pairs, shares = holders.concerned(self.gram[starts[text] : starts[text + 1]], equal)
            is_equal = np.isin(pairs, equal)
            order = np.lexsort((pairs, -shares, ~is_equal))
            rows.append((text, pairs[order], is_equal[order]))
        nowhere = np.zeros(0, np.int64)
        pair = np.concatenate([nowhere, *(pairs for _, pairs, _ in rows)])
        place = np.searchsorted(bases, pair, "right") - 1
        return Hits(
            text=np.concatenate([nowhere, *(np.full(len(pairs), text) for text, pairs, _ in rows)]),
            training_set=np.array([column.number for column in columns], np.int64)[place],
            pair=pair - bases[place],
            exact=np.concatenate([nowhere, *(is_equal for *_, is_equal in rows)]).astype(np.bool_),
        )

    def _equal_pairs(self, columns: Sequence[Column], bases: Numbers) -> dict[int, Numbers]:
        """By evaluation text: the pairs, counted over all columns, with a text that equals it."""
        equal: dict[int, list[Numbers]] = {}
        for text, place, number in self.equal:
            pairs, _ = columns[place].pairs_of(np.array([number]))
            equal.setdefault(text, []).append(pairs + bases[place])
        return {text: np.unique(np.concatenate(parts)) for text, parts in equal.items()}

    def _holders(self, columns: Sequence[Column], bases: Numbers, wanted: Numbers) -> Numbers:
        """[n-gram and pair, each two once, ascending] gram * pairs + pair, of the wanted n-grams."""
        is_wanted = np.zeros(len(self.keys), np.bool_)
        is_wanted[wanted] = True
        codes = [np.zeros(0, np.int64)]
        for column, base, parts in zip(columns, bases, self.held, strict=False):
            for gram, text in parts:
                gram, text = gram[is_wanted[gram]], text[is_wanted[gram]]
                pairs, places = column.pairs_of(text)
                codes.append(np.unique(gram[places].astype(np.int64) * bases[-1] + base + pairs))
        return np.unique(np.concatenate(codes))


class Holders:
    """Which pairs hold which n-grams."""

    def __init__(self, codes: Numbers, pairs: int) -> None:
        self.grams, self.pairs = np.divmod(codes, max(1, pairs))
        self.is_gone = np.zeros(pairs, np.bool_)

    def concerned(self, grams: Numbers, equal: Numbers) -> tuple[Numbers, Numbers]:
        """The pairs that a hit with these n-grams concerns, ascending, and how many of them each holds.

        `equal` are those with a text that equals it.
        """
        first, last = (np.searchsorted(self.grams, grams, side) for side in ("left", "right"))
        label = np.repeat(np.arange(len(grams)), last - first)
        place = np.arange(len(label)) + (first - (np.cumsum(last - first) - (last - first)))[label]
        pair = self.pairs[place]
        holding, held = np.unique(pair, return_counts=True)
        gone = np.union1d(holding[2 * held >= len(grams)], equal)
        while True:
            self.is_gone[gone] = True
            others = ~self.is_gone[pair]
            label, pair = label[others], pair[others]
            left, holders = np.unique(label, return_counts=True)
            if not len(left) or 2 * len(left) < len(grams):
                break
            gone = np.union1d(gone, pair[label == left[np.argmin(holders)]])
        self.is_gone[gone] = False
        shares = np.zeros(len(gone), np.int64)
        known = np.isin(gone, holding)
        shares[known] = held[np.searchsorted(holding, gone[known])]
        return gone, shares


def look_up(sides: Sequence[Evaluated], columns: Sequence[Column], counter: Counter) -> list[Hits]:
    """The hits of each side, from one reading of the training texts; a large side costs one more beforehand."""
    indexes = []
    for side in sides:
        places = possible_hits(side, columns, counter) if side.is_large else np.arange(len(side))
        indexes.append(Index(side, places))
    for column in columns:
        for index in indexes:
            index.held.append([])
        for numbers, units in column.read(counter):
            for index in indexes:
                index.look_into(column, numbers, units)
    return [index.hits(columns) for index in indexes]
