"""Which batches can be drawn, how often each, and how much of them is synthetic: settled before the first step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError, allowed
from workbench.training.mixing import Mix, balanced
from workbench.training.sources import PAIR, SAME, TWO, Origin, Source


@dataclass(frozen=True)
class Plan:
    """The batches of one kind."""

    needs: tuple[str, ...]
    """What its batches may ask of their pairs; mono: the languages, else one."""
    weights: NDArray[np.float64]
    """[needs, sets] how often a batch of the kind asks for it, and is of the set; sums to 1."""
    synthetic: NDArray[np.float64] | None
    """[needs, sets] the share of the places of such a batch that is synthetic; None: not drawn place by place."""

    def pick_need(self, draw: float) -> int:
        """The place of a need, by a number in [0, 1)."""
        return picked(self.weights.sum(axis=1), draw)

    def pick_set(self, need: int, draw: float) -> int:
        """The place of a set."""
        return picked(self.weights[need], draw)


def picked(weights: NDArray[np.float64], draw: float) -> int:
    """The first place up to which the weights have more than `draw` of their sum; never one without weight."""
    upto = np.cumsum(weights) / weights.sum()
    last = int(np.flatnonzero(weights)[-1])
    return min(int(np.searchsorted(upto, draw, side="right")), last)


@dataclass(frozen=True)
class Capacity:
    """How many pairs of each set go together in a batch, by need and origin."""

    needs: tuple[str, ...]
    together: NDArray[np.int64]
    """[origins, needs, sets], no more than it takes to fill a batch."""
    sizes: NDArray[np.int64]
    """[needs, sets] pairs that are usable in texts of either origin."""

    @classmethod
    def of(cls, sources: Sequence[Source], needs: Sequence[str], batch_size: int, mix: Mix) -> "Capacity":
        def together(origin: Origin, need: str, source: Source) -> int:
            if mix.share is None or (origin == Origin.SYNTHETIC and not source.has_synthetic):
                return 0
            return source.together(need, origin, batch_size)

        def either(need: str, source: Source, human: int) -> int:
            # most sets have nothing synthetic, and then the two are the same
            same = mix.share is not None and not source.has_synthetic
            return human if same else source.together(need, Origin.EITHER, batch_size)

        found = np.zeros((len(Origin), len(needs), len(sources)), np.int64)
        for row, need in enumerate(needs):
            for column, source in enumerate(sources):
                human = together(Origin.HUMAN, need, source)
                synthetic = together(Origin.SYNTHETIC, need, source)
                found[:, row, column] = human, synthetic, either(need, source, human)
        sizes = [[source.size(need, Origin.EITHER) for source in sources] for need in needs]
        return cls(tuple(needs), found, np.array(sizes, np.int64).reshape(len(needs), len(sources)))

    def filled(self, batch_size: int, mix: Mix) -> NDArray[np.bool_]:
        """[needs, sets] whether the set fills such a batch."""
        if mix.share is None:
            return self.together[Origin.EITHER] >= batch_size
        able: NDArray[np.bool_] = np.any(self.together[: Origin.EITHER] >= batch_size, axis=0)
        return able


def make_plan(capacity: Capacity, batch_size: int, mix: Mix, kind: str) -> Plan:
    """How often each batch of a kind is drawn.

    What is asked for, such as the language, comes equally often; the set in proportion to its pairs that the batch
    could hold. A share that is synthetic changes that only where it cannot be had otherwise (`balanced`).

    Raises
    ------
    InputError
        The share cannot be had.
    """
    filled = capacity.filled(batch_size, mix)
    sizes = np.where(filled, capacity.sizes, 0).astype(float)
    of_need = sizes.sum(axis=1, keepdims=True)
    weights = np.divide(sizes, of_need, out=np.zeros_like(sizes), where=of_need > 0) / max(1, (of_need > 0).sum())
    if mix.share is None or not filled.any():
        return Plan(capacity.needs, weights, None)
    human, synthetic = (capacity.together[origin] >= batch_size for origin in (Origin.HUMAN, Origin.SYNTHETIC))
    try:
        parts = balanced(weights.ravel(), human.ravel(), synthetic.ravel(), mix.share)
    except InputError as error:
        raise InputError(f"train.synthetic.share {mix.share:g}: {kind} batches: {error}") from error
    weights, shares = (part.reshape(sizes.shape) for part in parts)
    return Plan(capacity.needs, weights, shares)


def synthetic_odds(sources: Sequence[Source], mix: Mix) -> tuple[list[NDArray[np.float64]], list[str]]:
    """[sets] [languages] how often a text that there is of both origins is synthetic; and what a user should know.

    Such texts make up for those that there are of one origin alone, so that the language has its share in each set.

    Raises
    ------
    InputError
        No set has synthetic texts in a language that is to have a share of them.
    """
    made = sorted({language for source in sources for language in source.made_in})
    for language, share in mix.shares.items():
        if share and language not in made:
            raise InputError(
                f"train.synthetic.shares.{language}: {share:g}, but no training set has synthetic texts in "
                f"{language!r}; {allowed(language, made)}"
            )
    odds, warnings = [], []
    for source in sources:
        shares = np.array([mix.shares.get(language, 0.0) for language in source.languages])
        lowest, highest = source.possible_shares()
        of_both = np.divide(shares - lowest, highest - lowest, out=np.zeros_like(shares), where=highest > lowest)
        odds.append(of_both.clip(0, 1))
        warnings += [
            f"{source.name}: train.synthetic.shares.{language} {share:g} cannot be had: {low:.3f} to {high:.3f} of its "
            "texts there can be synthetic"
            for language, share, low, high in zip(source.languages, shares, lowest, highest, strict=True)
            if language in mix.shares and not low <= share <= high
        ]
    return odds, warnings


def named(need: str) -> str:
    return need if need in (SAME, TWO, PAIR) else repr(need)
