"""Which pairs, in which languages, a training batch holds: functions of (seed, step).

Every draw has a stream of its own (`Stream`), and the pairs of a batch are settled without a look at the languages
drawn for them, so that runs of one seed that differ in the sampling meet the same pairs at the same places of the
same steps wherever the data allow: common random numbers.

A batch never holds two pairs of one text group (`workbench.data.pairs.text_groups`): no pair_id twice, no normalised
query or passage twice. Whole groups, rather than the texts of the languages drawn, because two pairs whose headings
are the same in English ask the same in any two languages, and because the choice must not depend on the languages.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs, text_groups, text_keys
from workbench.errors import InputError
from workbench.records import Strategy

Kind = Literal["english", "pooled", "mono", "cross", "mixed"]

ANY = "any language"
TWO = "two languages"
"""What a pair must have to enter a batch; the third requirement is one language, by its code."""
TRIES = 16
"""Random orders of the pairs that are tried where hard negatives can keep a batch from being filled."""


class Stream(IntEnum):
    """One independent stream of random numbers for each thing that is drawn."""

    ORDER = 0
    SUBSTITUTES = 1
    KIND = 2
    LANGUAGE = 3
    SET = 4
    COLUMNS = 5


@dataclass(frozen=True, eq=False)
class Batch:
    """Pairs of one training set and the language of each side."""

    step: int
    """0-based."""
    training_set: int
    """Index into the sampler's sets."""
    kind: Kind
    """A hybrid batch is `mono` or `cross`."""
    pairs: NDArray[np.int64]
    """[batch] row in the set."""
    query_languages: NDArray[np.int64]
    """[batch] column in the set's languages."""
    passage_languages: NDArray[np.int64]
    """[batch] column in the set's languages."""


class Source:
    """One training set as the sampler sees it."""

    def __init__(self, pairs: ParallelPairs) -> None:
        keys = text_keys(pairs.texts)
        same = (pairs.negatives >= 0) & (keys[pairs.negatives] == keys[pairs.passages]) & pairs.has
        self.name = pairs.name
        self.languages = pairs.languages
        self.notes = pairs.notes
        self.blank = int((~pairs.has).all(axis=1).sum())
        """Pairs in no language: they share texts with held-out pairs (`hold_out_all`) or tasks (`leakage`)."""
        self.contradictions = int(same.sum())
        """Texts that are both the passage of a pair and its hard negative; the pair is not used in that language."""
        self.has: NDArray[np.bool_] = pairs.has & ~same
        self.counts: NDArray[np.int64] = self.has.sum(axis=1)
        """[pairs] languages of each."""
        self.rows = np.arange(len(self.counts))
        self.groups = text_groups(pairs, keys)
        self.barred = barred_groups(pairs, keys, self.groups)
        """[pairs, languages] group whose passage is a hard negative of the pair, -1 for none; None for no such pair."""

    def usable(self, need: str, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """[rows] whether a pair has what the batch needs."""
        if need in (ANY, TWO):
            return self.counts[rows] >= (1 if need == ANY else 2)
        if need not in self.languages:
            return np.zeros(len(rows), bool)
        return self.has[rows, self.languages.index(need)]

    def size(self, need: str) -> int:
        """How many pairs are usable."""
        return int(self.usable(need, self.rows).sum())

    def together(self, need: str, size: int) -> int:
        """How many usable pairs go together in a batch of `size`.

        Where they have fewer groups than that, one of each. Else hard negatives may still stand in the way, and then
        it is what half of `TRIES` random orders gather, the same orders for every seed.
        """
        rows = self.rows[self.usable(need, self.rows)]
        groups = len(np.unique(self.groups[rows]))
        if groups < size or self.barred is None:
            return groups
        random = np.random.default_rng(0)
        return sorted(size - self.draw(rows, need, size, random)[1] for _ in range(TRIES))[TRIES // 2]

    def draw(
        self, rows: NDArray[np.int64], need: str, size: int, random: np.random.Generator
    ) -> tuple[NDArray[np.int64], int]:
        """[size] a batch from `rows`, and how many of its places are vacant, no pair being left that goes with it."""
        batch = random.choice(rows, size)
        return batch, fill(self, need, batch, substitutes(rows, random))


def barred_groups(pairs: ParallelPairs, keys: NDArray[np.int32], groups: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """[pairs, languages] the group that has the hard negative as a passage, -1 for none; None where all are -1."""
    of_key = np.full(len(keys) + 1, -1, np.int64)
    of_key[keys[pairs.passages[pairs.has]]] = groups[np.nonzero(pairs.has)[0]]
    barred = of_key[np.where(pairs.negatives >= 0, keys[pairs.negatives], len(keys))]
    return barred if (barred >= 0).any() else None


class Sampler:
    """The batches of a run. It keeps nothing but caches: `batch(step)` can be asked in any order.

    Step s of a set takes the slice [s * batch_size, (s + 1) * batch_size) of the endless row of the set's
    permutations, one an epoch, also where another set is drawn at other steps: places stay comparable between runs.
    With one set and nothing to skip, each pair thus comes once an epoch; with several, once in the mean. A pair that
    cannot enter the batch is replaced, at its place, from an order of substitutes of that step. Where hard negatives
    of the pairs that came first leave too few others, the batch is drawn anew.

    Parameters
    ----------
    sets
        One or more; a batch is from one of them, drawn in proportion to its pairs that the batch could hold.
    alpha
        hybrid: probability of a mono batch; mixed: of a same-language pair; else ignored.

    Raises
    ------
    InputError
        No set can fill a batch.
    """

    def __init__(
        self, sets: Sequence[ParallelPairs], strategy: Strategy, alpha: float, batch_size: int, seed: int
    ) -> None:
        self.strategy = strategy
        self.alpha = alpha
        self.batch_size = batch_size
        self.seed = seed
        self.warnings: list[str] = []
        """What a user should know: pairs, languages or sets that are drawn less than one would expect."""
        self._sources = [Source(pairs) for pairs in sets]
        self._warn_of_contents()
        self._together = {need: [s.together(need, batch_size) for s in self._sources] for need in self._needs()}
        self._shares = {need: self._share_out(need) for need in self._together}
        self._languages = [need for need, share in self._shares.items() if need not in (ANY, TWO) and share is not None]
        self._check_filled()
        self._orders: list[dict[int, NDArray[np.int64]]] = [{} for _ in sets]

    @property
    def epoch_steps(self) -> int:
        """Steps in which as many pairs are drawn as there are."""
        return math.ceil(sum(source.size(ANY) for source in self._sources) / self.batch_size)

    def batch(self, step: int) -> Batch:
        """The batch of a step, 0-based."""
        kind = self._kind(step)
        need = self._need(kind, step)
        index = self._pick_set(need, step)
        rows = self._rows(index, need, step)
        return Batch(step, index, kind, rows, *self._columns(index, kind, need, rows, step))

    # what can be drawn

    def _needs(self) -> list[str]:
        """What the strategy may ask of a pair."""
        if self.strategy == "english":
            return ["en"]
        if self.strategy in ("pooled", "mixed"):
            return [ANY]
        languages = sorted({language for source in self._sources for language in source.languages})
        mono = self.strategy == "mono" or (self.strategy == "hybrid" and self.alpha > 0)
        cross = self.strategy == "cross" or (self.strategy == "hybrid" and self.alpha < 1)
        return [*(languages if mono else []), *([TWO] if cross else [])]

    def _share_out(self, need: str) -> NDArray[np.float64] | None:
        """[sets] upper bounds of the sets' shares of [0, 1), by usable pairs; None where no set fills a batch."""
        sizes = []
        for source, together in zip(self._sources, self._together[need], strict=True):
            pairs = source.size(need)
            sizes.append(pairs if together >= self.batch_size else 0)
            if pairs and not sizes[-1]:
                use = f"mono batches in {need!r}" if self.strategy in ("mono", "hybrid") and need != TWO else "batches"
                self.warnings.append(
                    f"{source.name}: left out of {use}: {pairs} pairs with {named(need)}, of which {together} go "
                    f"together, too few for a batch of {self.batch_size}"
                )
        return np.cumsum(sizes) / sum(sizes) if any(sizes) else None

    def _warn_of_contents(self) -> None:
        for source in self._sources:
            pairs, largest = source.size(ANY), int(np.bincount(source.groups).max(initial=0))
            self.warnings += [f"{source.name}: {note}" for note in source.notes]
            if source.blank:
                self.warnings.append(
                    f"{source.name}: {source.blank} of {len(source.counts)} pairs are never drawn: they share texts "
                    "with held-out pairs or evaluation tasks"
                )
            if source.contradictions:
                self.warnings.append(
                    f"{source.name}: {source.contradictions} passages are also their pair's hard negative: the pair is "
                    "not drawn in that language"
                )
            if largest * self.batch_size > max(pairs, self.batch_size):
                self.warnings.append(
                    f"{source.name}: {largest} of {pairs} pairs share texts with one another; a batch holds one of "
                    "them, so they are drawn less often than others"
                )
            if self.strategy == "mixed" and (single := int((source.counts == 1).sum())):
                self.warnings.append(f"{source.name}: {single} of {pairs} pairs have one language only and stay in it")

    def _check_filled(self) -> None:
        """Every kind of batch that can be drawn can be filled."""
        lacking = [need for need, share in self._shares.items() if share is None]
        wanted = [need for need in lacking if need in (ANY, TWO) or not self._languages]
        if not wanted:
            return
        found = [
            f"{source.name} ({' '.join(source.languages)}) has "
            + ", ".join(f"{self._together[need][index]} with {named(need)}" for need in wanted)
            for index, source in enumerate(self._sources)
        ]
        raise InputError(
            f"train.sampling.strategy {self.strategy!r}: no training set has train.batch_size {self.batch_size} pairs "
            f"that go together, no text twice and no passage the hard negative of another: {'; '.join(found)}"
        )

    # what is drawn

    def _stream(self, stream: Stream, *at: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, stream, *at])

    def _kind(self, step: int) -> Kind:
        if self.strategy != "hybrid":
            return self.strategy
        return "mono" if self._stream(Stream.KIND, step).random() < self.alpha else "cross"

    def _need(self, kind: Kind, step: int) -> str:
        if kind == "mono":
            return self._languages[int(self._stream(Stream.LANGUAGE, step).random() * len(self._languages))]
        return {"english": "en", "cross": TWO}.get(kind, ANY)

    def _pick_set(self, need: str, step: int) -> int:
        share = self._shares[need]
        assert share is not None
        return int(np.searchsorted(share, self._stream(Stream.SET, step).random(), side="right"))

    def _rows(self, index: int, need: str, step: int) -> NDArray[np.int64]:
        """[batch] the slice of the step, pairs that cannot be used or do not go together replaced at their place."""
        source, rows = self._sources[index], self._slice(index, step)
        random = self._stream(Stream.SUBSTITUTES, index, step)
        if not fill(source, need, rows, substitutes(source.rows, random)):
            return rows
        usable = source.rows[source.usable(need, source.rows)]
        for _ in range(TRIES):
            rows, vacant = source.draw(usable, need, self.batch_size, random)
            if not vacant:
                return rows
        raise InputError(
            f"{source.name}: only {self.batch_size - vacant} pairs with {named(need)} go together in the batch of "
            f"step {step + 1}, train.batch_size is {self.batch_size}: hard negatives of some are passages of others"
        )

    def _slice(self, index: int, step: int) -> NDArray[np.int64]:
        """[batch] the rows that the set's permutations have for this step."""
        size = len(self._sources[index].groups)
        places = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs = np.unique(places // size).tolist()
        parts = [self._order(index, epoch)[places[places // size == epoch] % size] for epoch in epochs]
        return np.concatenate(parts)

    def _order(self, index: int, epoch: int) -> NDArray[np.int64]:
        """The permutation of an epoch; kept for as long as the slices of following steps need it."""
        kept = self._orders[index]
        if epoch not in kept:
            if len(kept) > 1:
                kept.clear()
            kept[epoch] = self._stream(Stream.ORDER, index, epoch).permutation(len(self._sources[index].groups))
        return kept[epoch]

    def _columns(
        self, index: int, kind: Kind, need: str, rows: NDArray[np.int64], step: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """[batch], [batch] the columns of the queries' and the passages' languages."""
        source = self._sources[index]
        if kind in ("english", "mono"):
            column = np.full(len(rows), source.languages.index(need))
            return column, column
        has, counts = source.has[rows], source.counts[rows]
        draws = self._stream(Stream.COLUMNS, step).random((3, len(rows)))
        first = (draws[0] * counts).astype(int)
        second = (draws[1] * (counts - 1)).astype(int)
        second += second >= first
        if kind == "pooled":
            second = first
        if kind == "mixed":
            second = np.where((draws[2] < self.alpha) | (counts == 1), first, second)
        return nth_true(has, first), nth_true(has, second)


class Together:
    """The pairs admitted to a batch so far, by what they exclude."""

    def __init__(self, source: Source) -> None:
        self._groups = source.groups
        self._all_barred = source.barred
        self._taken: set[int] = set()
        self._barred: set[int] = set()

    def admit(self, row: int) -> bool:
        """Take the pair unless it shares a text with one that is in, or a hard negative of either is in the other."""
        group = int(self._groups[row])
        barred = set() if self._all_barred is None else set(self._all_barred[row].tolist()) - {-1}
        if group in self._taken or group in self._barred or not barred.isdisjoint(self._taken):
            return False
        self._taken.add(group)
        self._barred |= barred
        return True


def fill(source: Source, need: str, batch: NDArray[np.int64], spares: Iterable[NDArray[np.int64]]) -> int:
    """Replace, in `batch` itself, pairs that cannot be used or do not go together with those before them.

    Returns how many places no spare was found for.
    """
    together = Together(source)
    usable = source.usable(need, batch).tolist()
    vacant = [place for place, row in enumerate(batch.tolist()) if not (usable[place] and together.admit(row))]
    if not vacant:
        return 0
    for part in spares:
        for row in part[source.usable(need, part)].tolist():
            if together.admit(row):
                batch[vacant.pop(0)] = row
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


def named(need: str) -> str:
    return need if need in (ANY, TWO) else repr(need)


def nth_true(has: NDArray[np.bool_], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """[rows] the column of each row's n-th true value, n from 0."""
    return (np.cumsum(has, axis=1) == places[:, None] + 1).argmax(axis=1)
