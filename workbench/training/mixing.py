"""How often batches, and the places in them, are synthetic: shares that are exact in expectation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.records import TrainSpec


@dataclass(frozen=True)
class Mix:
    """How much of what is sampled is synthetic; neither share: what people wrote, and the rest where they did not."""

    share: float | None = None
    """Of the pairs, in each kind of batch; a pair is synthetic if either of its texts is."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Of the texts in a language, 0 where none is named; a pair in one language has both texts of one origin where it
    can. A text that there is of one origin alone is that; those that there are of both make up for it."""


def mix_of(spec: TrainSpec) -> Mix:
    """What the config says."""
    return Mix(spec.synthetic.share, spec.synthetic.shares) if spec.synthetic else Mix()


def balanced(
    weights: NDArray[np.float64], human: NDArray[np.bool_], synthetic: NDArray[np.bool_], share: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and synthetic shares of the kinds of batch, so that a `share` of all that is drawn is synthetic.

    The weights stay as they are where that can be. Where too many batches could only be human, or only synthetic,
    these come less often, and the others are all of the other origin.

    Parameters
    ----------
    weights
        [kinds] how often each is drawn; sums to 1; 0 where it has neither origin.
    human, synthetic
        [kinds] whether batches of the kind can be filled with pairs of that origin.

    Returns
    -------
    [kinds] weights that sum to 1, [kinds] the share of the places in a batch of the kind that is synthetic.

    Raises
    ------
    InputError
        Nothing is synthetic and the share is above 0, or all is and it is below 1.
    """
    only_human, only_synthetic = human & ~synthetic, synthetic & ~human
    humanly, synthetically = weights[only_human].sum(), weights[only_synthetic].sum()
    if not synthetic.any() and share > 0:
        raise InputError("no batch can be filled with synthetic pairs; allowed: 0")
    if not human.any() and share < 1:
        raise InputError("no batch can be filled with pairs of human texts; allowed: 1")
    if share > 1 - humanly:
        return rescaled(weights, only_human, 1 - share), np.where(only_human, 0.0, 1.0)
    if share < synthetically:
        return rescaled(weights, only_synthetic, share), np.where(only_synthetic, 1.0, 0.0)
    both = 1 - humanly - synthetically
    inner = min(1.0, max(0.0, (share - synthetically) / both)) if both > 0 else 0.0
    return weights, np.where(only_human, 0.0, np.where(only_synthetic, 1.0, inner))


def rescaled(weights: NDArray[np.float64], part: NDArray[np.bool_], total: float) -> NDArray[np.float64]:
    """The weights, those of `part` with this sum and the others with the rest."""
    inside, outside = weights[part].sum(), weights[~part].sum()
    return np.where(part, weights * (total / inside), weights * ((1 - total) / outside if outside else 0.0))
