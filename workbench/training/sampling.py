"""Which pairs, in which languages, a training batch holds: functions of (seed, step).

Every draw has a stream of its own (`Stream`), and the pairs of a batch are settled without a look at the languages
drawn for them, so that runs of one seed that differ in the sampling meet the same pairs at the same places of the
same steps wherever the data allow: common random numbers.

A batch never holds two pairs of one text group (`workbench.data.pairs.text_groups`): no pair_id twice, no normalised
query or passage twice. Whole groups, rather than the texts of the languages drawn, because two pairs whose headings
are the same in English ask the same in any two languages, and because the choice must not depend on the languages.
Synthetic texts make no groups, as misaligned ones would tie all pairs together: there two pairs that share one do not
meet, again in whichever languages.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs
from workbench.errors import InputError
from workbench.records import MIXED_LANGUAGES, Strategy
from workbench.training.language_pairs import language_pairs
from workbench.training.mixing import Mix
from workbench.training.planning import Capacity, Plan, make_plan, named, synthetic_odds
from workbench.training.sources import PAIR, SAME, TRIES, TWO, Origin, Source, fill, substitutes

Kind = Literal["english", "pooled", "mono", "cross", "mixed"]
NO_MIX = Mix()


class Stream(IntEnum):
    """One independent stream of random numbers for each thing that is drawn."""

    ORDER = 0
    SUBSTITUTES = 1
    KIND = 2
    LANGUAGE = 3
    SET = 4
    COLUMNS = 5
    ORIGIN = 6


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


class Sampler:
    """The batches of a run. It keeps nothing but caches: `batch(step)` can be asked in any order.

    Step s of a set takes the slice [s * batch_size, (s + 1) * batch_size) of the endless row of the set's
    permutations, one an epoch, also where another set is drawn at other steps: places stay comparable between runs.
    With one set and nothing to skip, each pair thus comes once an epoch; with several, once in the mean. A pair that
    cannot enter the batch is replaced, at its place, from an order of substitutes of that step. Where hard negatives
    or synthetic texts of the pairs that came first leave too few others, the batch is drawn anew.

    Parameters
    ----------
    sets
        One or more; a batch is from one of them, drawn in proportion to its pairs that the batch could hold.
    alpha
        hybrid: probability of a mono batch; mixed: of a same-language pair; else ignored.
    mix
        How much of it is synthetic, where the sets have synthetic texts.

    Raises
    ------
    InputError
        No set can fill a batch, or the share of synthetic pairs cannot be had.
    """

    def __init__(
        self,
        sets: Sequence[ParallelPairs],
        strategy: Strategy,
        alpha: float,
        batch_size: int,
        seed: int,
        mix: Mix = NO_MIX,
    ) -> None:
        self.strategy = strategy
        self.alpha = alpha
        self.batch_size = batch_size
        self.seed = seed
        self.mix = mix
        self.warnings: list[str] = []
        """What a user should know: pairs, languages or sets that are drawn less than one would expect."""
        self._sources = [Source(pairs) for pairs in sets]
        self._warn_of_contents()
        self._odds, warnings = synthetic_odds(self._sources, mix)
        self.warnings += warnings
        self._plans = {kind: self._plan(kind) for kind in self._kinds()}
        self._orders: list[dict[int, NDArray[np.int64]]] = [{} for _ in sets]

    @property
    def epoch_steps(self) -> int:
        """Steps in which as many pairs are drawn as there are."""
        need = SAME if self.strategy == "pooled" else PAIR  # the first counts pairs in several languages (`mul`)
        return math.ceil(sum(source.size(need, Origin.EITHER) for source in self._sources) / self.batch_size)

    def batch(self, step: int) -> Batch:
        """The batch of a step, 0-based."""
        kind = self._kind(step)
        plan = self._plans[kind]
        at = plan.pick_need(self._stream(Stream.LANGUAGE, step).random())
        index = plan.pick_set(at, self._stream(Stream.SET, step).random())
        need = plan.needs[at]
        origins = self._origins(None if plan.synthetic is None else plan.synthetic[at, index], step)
        rows = self._rows(index, need, origins, step)
        return Batch(step, index, kind, rows, *self._columns(index, kind, need, rows, origins, step))

    # what can be drawn

    def _kinds(self) -> list[Kind]:
        if self.strategy != "hybrid":
            return [self.strategy]
        ends: list[tuple[Kind, bool]] = [("mono", self.alpha > 0), ("cross", self.alpha < 1)]
        return [kind for kind, drawn in ends if drawn]

    def _plan(self, kind: Kind) -> Plan:
        """What the batches of a kind ask for, and how often; warns of what cannot be drawn."""
        languages = sorted({language for source in self._sources for language in source.languages} - {MIXED_LANGUAGES})
        needs = {"english": ["en"], "mono": languages, "pooled": [SAME], "cross": [TWO], "mixed": [PAIR]}[kind]
        capacity = Capacity.of(self._sources, needs, self.batch_size, self.mix)
        self._check_filled(kind, capacity)
        plan = make_plan(capacity, self.batch_size, self.mix, kind)
        if plan.synthetic is not None:
            self._warn_of_origins(kind, capacity)
            self._warn_of_share(kind, plan)
        return plan

    def _check_filled(self, kind: Kind, capacity: Capacity) -> None:
        """Some batch of the kind can be filled; warns of those that cannot."""
        filled = capacity.filled(self.batch_size, self.mix)
        together = capacity.together.max(axis=0)
        for row, need in enumerate(capacity.needs):
            for column, source in enumerate(self._sources):
                if (pairs := capacity.sizes[row, column]) and not filled[row, column]:
                    use = f"mono batches in {need!r}" if kind == "mono" else "batches"
                    self.warnings.append(
                        f"{source.name}: left out of {use}: {pairs} pairs with {named(need)}, of which "
                        f"{together[row, column]} go together, too few for a batch of {self.batch_size}"
                    )
        if filled.any():
            return
        found = [
            f"{source.name} ({' '.join(source.languages)}) has "
            + ", ".join(f"{together[row, column]} with {named(need)}" for row, need in enumerate(capacity.needs))
            for column, source in enumerate(self._sources)
        ]
        raise InputError(
            f"train.sampling.strategy {self.strategy!r}: no training set has train.batch_size {self.batch_size} pairs "
            f"that go together, no text twice and no passage the hard negative of another: {'; '.join(found)}"
        )

    def _warn_of_origins(self, kind: Kind, capacity: Capacity) -> None:
        """What has too few pairs of one origin is drawn in the other alone."""
        share, filled = self.mix.share, capacity.filled(self.batch_size, self.mix)
        for origin, asked in ((Origin.HUMAN, share != 1), (Origin.SYNTHETIC, share != 0)):
            together = capacity.together[origin]
            for row, column in np.argwhere(filled & (together > 0) & (together < self.batch_size) & asked).tolist():
                what = "synthetic pairs" if origin == Origin.SYNTHETIC else "pairs of human texts"
                self.warnings.append(
                    f"{self._sources[column].name}: no {what} in {kind} batches with {named(capacity.needs[row])}: "
                    f"{together[row, column]} go together, too few for a batch of {self.batch_size}"
                )

    def _warn_of_share(self, kind: Kind, plan: Plan) -> None:
        """Languages or sets come unequally often where a share cannot be had otherwise."""
        drawn = plan.weights.sum(axis=1)
        possible = drawn > 0
        if len(plan.needs) > 1 and np.ptp(drawn[possible]) > 1e-9:
            often = ", ".join(f"{need} {part:.3f}" for need, part in zip(plan.needs, drawn.tolist(), strict=True))
            self.warnings.append(
                f"train.synthetic.share {self.mix.share:g} needs languages unequally often in {kind} batches: {often}"
            )

    def _warn_of_contents(self) -> None:
        for source in self._sources:
            pairs = source.size(PAIR, Origin.EITHER)
            largest = max(source.marks.most, int(np.bincount(source.marks.groups).max(initial=0)))
            self.warnings += [f"{source.name}: {note}" for note in source.notes]
            if source.blank:
                self.warnings.append(
                    f"{source.name}: {source.blank} of {len(source.rows)} pairs are never drawn: they share texts "
                    "with held-out pairs or evaluation tasks"
                )
            if MIXED_LANGUAGES in source.languages and self.strategy != "pooled":
                self.warnings.append(
                    f"{source.name}: its texts in several languages ({MIXED_LANGUAGES}) are not drawn: only the "
                    "sampling 'pooled' draws such"
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
            if self.strategy == "mixed" and (single := pairs - source.size(TWO, Origin.EITHER)):
                self.warnings.append(f"{source.name}: {single} of {pairs} pairs have one language only and stay in it")

    # what is drawn

    def _stream(self, stream: Stream, *at: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, stream, *at])

    def _kind(self, step: int) -> Kind:
        if self.strategy != "hybrid":
            return self.strategy
        return "mono" if self._stream(Stream.KIND, step).random() < self.alpha else "cross"

    def _origins(self, synthetic: float | None, step: int) -> NDArray[np.int64]:
        """[batch] the origin that each place asks for: as a share rises, places become synthetic and none goes back.

        Places draw from strata, one of each, so that every batch has its share, up to one place.
        """
        if synthetic is None:
            return np.full(self.batch_size, Origin.EITHER)
        random = self._stream(Stream.ORIGIN, step)
        draws = (random.permutation(self.batch_size) + random.random()) / self.batch_size
        return np.where(draws < synthetic, Origin.SYNTHETIC, Origin.HUMAN)

    def _rows(self, index: int, need: str, origins: NDArray[np.int64], step: int) -> NDArray[np.int64]:
        """[batch] the slice of the step, pairs that cannot be used or do not go together replaced at their place."""
        source, rows = self._sources[index], self._slice(index, step)
        random = self._stream(Stream.SUBSTITUTES, index, step)
        if not fill(source, need, origins, rows, substitutes(source.rows, random)):
            return rows
        for _ in range(TRIES):
            rows, vacant = source.draw(need, origins, random)
            if not vacant:
                return rows
        raise InputError(
            f"{source.name}: only {self.batch_size - vacant} pairs with {named(need)} go together in the batch of "
            f"step {step + 1}, train.batch_size is {self.batch_size}: hard negatives of some are passages of others, "
            "or synthetic texts recur"
        )

    def _slice(self, index: int, step: int) -> NDArray[np.int64]:
        """[batch] the rows that the set's permutations have for this step."""
        size = len(self._sources[index].rows)
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
            kept[epoch] = self._stream(Stream.ORDER, index, epoch).permutation(len(self._sources[index].rows))
        return kept[epoch]

    def _columns(
        self,
        index: int,
        kind: Kind,
        need: str,
        rows: NDArray[np.int64],
        origins: NDArray[np.int64],
        step: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """[batch], [batch] the columns of the queries' and the passages' texts."""
        source = self._sources[index]
        draws = self._stream(Stream.COLUMNS, step).random((5, len(rows)))
        if kind in ("english", "mono"):
            asked = answered = np.full(len(rows), source.languages.index(need))
        else:
            asked, answered = language_pairs(kind, self.alpha, source, rows, origins, draws[:3])
        wanted = self._wanted(index, asked, answered, origins, draws[3:])
        return source.pick(0, rows, asked, wanted[0]), source.pick(1, rows, answered, wanted[1])

    def _wanted(
        self,
        index: int,
        asked: NDArray[np.int64],
        answered: NDArray[np.int64],
        origins: NDArray[np.int64],
        draws: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """[2, batch] whether query and passage are to be synthetic where they can."""
        if not self.mix.shares:
            return np.stack([origins == Origin.SYNTHETIC] * 2)
        odds = self._odds[index]
        of_pair = np.where(asked == answered, draws[0], draws[1])
        return np.stack([draws[0] < odds[asked], of_pair < odds[answered]])
