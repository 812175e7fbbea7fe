"""One training set as the sampler sees it: what its pairs can give to a batch, and which of them go together."""

from collections.abc import Iterable, Iterator
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs, text_groups, text_keys
from workbench.records import MIXED_LANGUAGES

SAME = "any language"
PAIR = "any languages"
TWO = "two languages"
"""What a pair must have to enter a batch: query and passage in one language, in any, in two; or in one named by its
code."""
TRIES = 16
"""Random orders of the pairs that are tried where hard negatives, or synthetic texts that recur, can keep a batch from
being filled."""


class Origin(IntEnum):
    """Which texts a pair is drawn with."""

    HUMAN = 0
    """Both written by people."""
    SYNTHETIC = 1
    """At least one synthetic; a synthetic one on every side that has any."""
    EITHER = 2
    """Those written by people, synthetic ones where there are none."""


class Source:
    """One training set as the sampler sees it."""

    def __init__(self, pairs: ParallelPairs) -> None:
        keys = text_keys(pairs.texts)
        same = (pairs.negatives >= 0) & (keys[pairs.negatives] == keys[pairs.passages]) & (pairs.passages >= 0)
        self.name = pairs.name
        self.languages = tuple(sorted(set(pairs.languages)))
        """Each once; what follows counts places in it, where not said otherwise."""
        self.notes = pairs.notes
        self.blank = int((~pairs.has).all(axis=1).sum())
        """Pairs in no language: they share texts with held-out pairs (`hold_out_all`) or tasks (`leakage`)."""
        self.contradictions = int(same.sum())
        """Texts that are both the passage of a pair and its hard negative; the pair is not used in that language."""
        self.rows = np.arange(len(pairs.pair_ids))
        self.columns = columns_of(pairs, self.languages)
        asked, answered = ((part >= 0) & ~same for part in (pairs.queries, pairs.passages))
        self.queries = by_origin(asked, self.columns)
        """[2, pairs, languages] whether there is a human, a synthetic query."""
        self.passages = by_origin(answered, self.columns)
        self.marks = Marks(pairs, keys, text_groups(pairs, keys))
        self._usable: dict[tuple[str, Origin], NDArray[np.bool_]] = {}

    @property
    def has_synthetic(self) -> bool:
        return bool(self.queries[1].any() or self.passages[1].any())

    @property
    def made_in(self) -> list[str]:
        """The languages with synthetic texts."""
        return [language for language, column in zip(self.languages, self.columns[1], strict=True) if column >= 0]

    def possible_shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """[languages], [languages] the lowest and highest share of a language's texts that can be synthetic.

        The texts count that its pairs have: of a text without a human, or a synthetic, version there is no choice.
        """
        human, made = (np.concatenate([self.queries[its], self.passages[its]]) for its in (0, 1))
        texts = np.maximum(1, (human | made).sum(axis=0))
        return (made & ~human).sum(axis=0) / texts, made.sum(axis=0) / texts

    def sides(self, origin: Origin, rows: NDArray[np.int64] | slice = slice(None)) -> "Sides":
        """What `rows` can be drawn with."""
        return Sides(origin, self.queries[:, rows], self.passages[:, rows])

    def pick(
        self, side: int, rows: NDArray[np.int64], languages: NDArray[np.int64], synthetic: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """[rows] the column of the query (`side` 0) or the passage (1) of each pair in its language.

        The synthetic text where it is wanted and there is one, and where there is no human one.
        """
        human, made = (self.passages if side else self.queries)[:, rows, languages]
        return self.columns[(made & (synthetic | ~human)).astype(int), languages]

    def usable(self, need: str, origin: Origin) -> NDArray[np.bool_]:
        """[pairs] whether a pair has what the batch needs, in texts of that origin."""
        at = need, origin
        if at not in self._usable:
            self._usable[at] = self._has(need, origin)
        return self._usable[at]

    def _has(self, need: str, origin: Origin) -> NDArray[np.bool_]:
        sides = self.sides(origin)
        if need in (SAME, TWO, PAIR):
            mixed = self.languages.index(MIXED_LANGUAGES) if MIXED_LANGUAGES in self.languages else None
            found = np.zeros(len(self.rows), np.bool_)
            if need in (SAME, PAIR):
                found |= sides.same(drop=mixed if need == PAIR else None).any(axis=1)
            if need in (TWO, PAIR):
                found |= sides.two(drop=mixed)
            return found
        if need not in self.languages:
            return np.zeros(len(self.rows), np.bool_)
        return sides.same()[:, self.languages.index(need)]

    def size(self, need: str, origin: Origin) -> int:
        """How many pairs are usable."""
        return int(self.usable(need, origin).sum())

    def together(self, need: str, origin: Origin, size: int) -> int:
        """How many usable pairs go together in a batch of `size`.

        Where they have fewer groups than that, no more than one of each. Hard negatives and synthetic texts that recur
        may stand in the way, and then it is what half of `TRIES` random orders gather, the same for every seed.
        """
        rows = self.rows[self.usable(need, origin)]
        groups = len(np.unique(self.marks.groups[rows]))
        if groups < size or self.marks.are_groups:
            return groups
        random, origins = np.random.default_rng(0), np.full(size, origin)
        return sorted(size - self.draw(need, origins, random)[1] for _ in range(TRIES))[TRIES // 2]

    def draw(self, need: str, origins: NDArray[np.int64], random: np.random.Generator) -> tuple[NDArray[np.int64], int]:
        """[batch] pairs of these origins, and how many places are vacant, no pair being left that goes with them."""
        fitting = {origin: self.rows[self.usable(need, origin)] for origin in map(Origin, np.unique(origins).tolist())}
        every = np.unique(np.concatenate(list(fitting.values()))) if len(fitting) > 1 else next(iter(fitting.values()))
        batch = np.zeros(len(origins), np.int64)
        for origin, rows in fitting.items():
            batch[origins == origin] = random.choice(rows, int((origins == origin).sum()))
        return batch, fill(self, need, origins, batch, substitutes(every, random))


class Sides:
    """The queries and passages that pairs can be drawn with, for one origin of the pair.

    Parameters
    ----------
    queries, passages
        [2, rows, languages] whether there is a human, a synthetic text.
    """

    def __init__(self, origin: Origin, queries: NDArray[np.bool_], passages: NDArray[np.bool_]) -> None:
        synthetic = origin == Origin.SYNTHETIC
        human = origin == Origin.HUMAN
        self.queries: NDArray[np.bool_] = queries[0] if human else queries[0] | queries[1]
        """[rows, languages]"""
        self.passages: NDArray[np.bool_] = passages[0] if human else passages[0] | passages[1]
        # of a synthetic pair, two texts that are not are no choice
        self.plain_queries = self.queries & ~queries[1] if synthetic else np.zeros_like(self.queries)
        self.plain_passages = self.passages & ~passages[1] if synthetic else np.zeros_like(self.passages)

    def same(self, drop: int | None = None) -> NDArray[np.bool_]:
        """[rows, languages] whether query and passage can both be in the language; never in `drop`."""
        found = self.queries & self.passages & ~(self.plain_queries & self.plain_passages)
        if drop is not None:
            found[:, drop] = False
        return found

    def two(self, drop: int | None = None) -> NDArray[np.bool_]:
        """[rows] whether query and passage can be in two languages, neither of them `drop`."""
        return (crossed(self.queries, self.passages, drop) - crossed(self.plain_queries, self.plain_passages, drop)) > 0

    def table(self, drop: int | None) -> NDArray[np.bool_]:
        """[rows, languages, languages] whether the query can be in the one and the passage in the other.

        The language `drop` goes with itself alone.
        """
        found = self.queries[:, :, None] & self.passages[:, None, :]
        found &= ~(self.plain_queries[:, :, None] & self.plain_passages[:, None, :])
        if drop is not None:
            alone = found[:, drop, drop].copy()
            found[:, drop, :] = found[:, :, drop] = False
            found[:, drop, drop] = alone
        return found


def crossed(queries: NDArray[np.bool_], passages: NDArray[np.bool_], drop: int | None) -> NDArray[np.int64]:
    """[rows] in how many ways query and passage can be in two languages, neither of them `drop`."""
    if drop is not None:
        queries, passages = (np.delete(part, drop, axis=1) for part in (queries, passages))
    return queries.sum(axis=1) * passages.sum(axis=1) - (queries & passages).sum(axis=1)


def columns_of(pairs: ParallelPairs, languages: tuple[str, ...]) -> NDArray[np.int64]:
    """[2, languages] the column of the human, of the synthetic texts in each language, -1 for none."""
    columns = np.full((2, len(languages)), -1)
    for column, (language, maker) in enumerate(zip(pairs.languages, pairs.makers, strict=True)):
        columns[int(maker is not None), languages.index(language)] = column
    return columns


def by_origin(has: NDArray[np.bool_], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[2, pairs, languages] from [pairs, columns]."""
    padded = np.column_stack([has, np.zeros(len(has), np.bool_)])  # the last column is where -1 points
    return np.stack([padded[:, part] for part in columns])


class Marks:
    """What of a set's pairs must not meet in a batch, as numbers.

    A pair has a mark for its text group, and for each text beyond that one for the query and one for the passage that
    are synthetic in some pair and stand in others, too: each of these two, and no third that shares other texts.
    """

    def __init__(self, pairs: ParallelPairs, keys: NDArray[np.int32], groups: NDArray[np.int64]) -> None:
        parts = (pairs.queries, pairs.passages)
        made = np.array([maker is not None for maker in pairs.makers], np.bool_)
        negative = np.zeros(len(keys), np.bool_)
        negative[keys[pairs.negatives[pairs.negatives >= 0]]] = True
        rows = np.concatenate([np.nonzero(part >= 0)[0] for part in parts])
        texts = np.concatenate([keys[part[part >= 0]] + side * len(keys) for side, part in enumerate(parts)])
        synthetic = np.zeros(2 * len(keys), np.bool_)
        for side, part in enumerate(parts):
            synthetic[keys[part[(part >= 0) & made]] + side * len(keys)] = True
        at = synthetic[texts]
        # each text of a pair once
        cells = np.unique(np.stack([rows[at], texts[at]]), axis=1)
        several = np.bincount(cells[1], minlength=2 * len(keys)) > 1
        several |= np.concatenate([np.zeros(len(keys), np.bool_), negative])
        cells = cells[:, several[cells[1]]]
        self.groups = groups
        self.most = int(np.bincount(cells[1]).max(initial=0))
        """The most pairs that have one of the marks for texts."""
        self.has_texts = bool(cells.size)
        self._starts = np.searchsorted(cells[0], np.arange(len(groups) + 1))
        self._texts = cells[1] + len(groups)
        self._barred = self._of_negatives(pairs, keys, made)

    def _of_negatives(
        self, pairs: ParallelPairs, keys: NDArray[np.int32], made: NDArray[np.bool_]
    ) -> NDArray[np.int64] | None:
        """[pairs, columns or twice as many] marks of the passages that are hard negatives of the pair, -1 for none."""
        groups, texts = np.full((2, len(keys) + 1), -1, np.int64)
        answered = (pairs.passages >= 0) & ~made
        groups[keys[pairs.passages[answered]]] = self.groups[np.nonzero(answered)[0]]
        marked = self._texts - len(self.groups)
        passages = marked[marked >= len(keys)]
        texts[passages - len(keys)] = passages + len(self.groups)
        of = np.where(pairs.negatives >= 0, keys[pairs.negatives], len(keys))
        barred = np.hstack([groups[of], texts[of]]) if passages.size else groups[of]
        return barred if (barred >= 0).any() else None

    @property
    def are_groups(self) -> bool:
        """Whether pairs of two groups always go together."""
        return self._barred is None and not self.has_texts

    def of(self, row: int) -> set[int]:
        """The pair's own."""
        return {int(self.groups[row]), *self._texts[self._starts[row] : self._starts[row + 1]].tolist()}

    def barred(self, row: int) -> set[int]:
        """Those of the passages that are hard negatives of the pair."""
        return set() if self._barred is None else set(self._barred[row].tolist()) - {-1}


class Together:
    """The pairs admitted to a batch so far, by what they exclude."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._taken: set[int] = set()
        self._barred: set[int] = set()

    def admit(self, row: int) -> bool:
        """Take the pair unless it shares a text with one that is in, or a hard negative of either is in the other."""
        own, barred = self._marks.of(row), self._marks.barred(row)
        if not (own.isdisjoint(self._taken) and own.isdisjoint(self._barred) and barred.isdisjoint(self._taken)):
            return False
        self._taken |= own
        self._barred |= barred
        return True


def fill(
    source: Source,
    need: str,
    origins: NDArray[np.int64],
    batch: NDArray[np.int64],
    spares: Iterable[NDArray[np.int64]],
) -> int:
    """Replace, in `batch` itself, pairs that cannot be used or do not go together with those before them.

    `origins` [batch] is what each place asks for. Returns how many places no spare was found for.
    """
    together = Together(source.marks)
    usable = {origin: source.usable(need, origin) for origin in map(Origin, np.unique(origins).tolist())}
    fits = [usable[Origin(origin)][row] for origin, row in zip(origins.tolist(), batch.tolist(), strict=True)]
    vacant = [place for place, row in enumerate(batch.tolist()) if not (fits[place] and together.admit(row))]
    if not vacant:
        return 0
    for part in spares:
        wanted = [usable[origin] for origin in usable]
        for row in part[np.any([able[part] for able in wanted], axis=0)].tolist():
            place = next((place for place in vacant if usable[Origin(origins[place])][row]), None)
            if place is not None and together.admit(row):
                batch[place] = row
                vacant.remove(place)
                if not vacant:
                    return 0
    return len(vacant)


def substitutes(rows: NDArray[np.int64], random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """The rows in a random order, piece by piece, at last all of them.

    A large set begins with single draws, which may repeat a row: they nearly always fill the batch, and a permutation
    of a million pairs takes longer than all else.
    """
    for _ in range(16 if len(rows) > 2**16 else 0):
        yield random.choice(rows, 2**12)
    yield random.permutation(rows)
