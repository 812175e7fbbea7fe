"""How even an arm is over language pairs: the spread of the cells' figures and the worst of them, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.effects import Effect, made, units_of
from workbench.analysis.samples import Group, Sample, Values

Statistic = Literal["spread", "worst_tenth"]
DRAWS = 1000
"""Of units, with replacement; a standard error takes no more."""
AT_ONCE = 250


def within(sample: Sample, chosen: Sequence[bool]) -> Sample:
    """The sample of some cells alone."""
    keep = np.asarray(chosen)[sample.cell]
    place = np.cumsum(chosen) - 1
    return replace(
        sample,
        cells=tuple(cell for cell, is_chosen in zip(sample.cells, chosen, strict=True) if is_chosen),
        cell=place[sample.cell[keep]].astype(np.int32),
        unit=sample.unit[keep],
        arms=tuple(replace(arm, values=arm.values[keep]) for arm in sample.arms),
    )


def spread(sample: Sample, values: Values, times: Values) -> Values:
    """[draws] standard deviation (n - 1) over the cells of their means; `times` [draws, units] = how often drawn."""
    return np.nanstd(means(sample, values, times), axis=1, ddof=1)


def worst_tenth(sample: Sample, values: Values, times: Values, *, seed: int = 0) -> Values:
    """[draws] the mean of the worst tenth of the cells, chosen on half of the units, measured on the other; swapped.

    Chosen and measured on the same questions it would be too low: the luckless cells are chosen.
    """
    half = np.random.default_rng(seed).permutation(len(sample.units)) < len(sample.units) // 2
    found = []
    for mask in (half, ~half):
        choice, measured = means(sample, values, times * mask), means(sample, values, times * ~mask)
        known = np.isfinite(choice) & np.isfinite(measured)
        order = np.argsort(np.where(known, choice, np.inf), axis=1, kind="stable")
        number = np.maximum(1, np.round(known.sum(axis=1) / 10)).astype(int)
        first = np.arange(order.shape[1]) < number[:, None]
        found.append(np.where(first, np.take_along_axis(measured, order, axis=1), 0).sum(axis=1) / number)
    both: Values = np.mean(found, axis=0)
    return both


STATISTICS = {"spread": spread, "worst_tenth": worst_tenth}


def means(sample: Sample, values: Values, times: Values) -> Values:
    """[draws, cells] means over the queries; NaN where a draw has none."""
    sums, number = times @ sample.sums(values), times @ sample.counts
    return np.divide(sums, number, out=np.full(number.shape, np.nan), where=number > 0)


def evenness_effect(sample: Sample, first: str, second: str, group: Group, of: Statistic, *, seed: int = 0) -> Effect:
    """The difference of two arms in a statistic over the cells of a group, `first` minus `second`.

    The variance is that of the seeds and that of the questions, as in `effects.effect`; the latter by a bootstrap of
    units, one draw for all cells, seeds and arms. The noise of the questions adds to the spread of both arms.
    """
    part = within(sample, (group.weights > 0).tolist())
    arms = part.arm(first), part.arm(second)
    units = len(part.units)
    observed = [table(part, arm.values, of, np.ones((1, units)))[0] for arm in arms]
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(0, DRAWS, AT_ONCE):
        times = random.multinomial(units, np.full(units, 1 / units), AT_ONCE).astype(float)
        one, other = (table(part, arm.values, of, times).mean(axis=1) for arm in arms)
        drawn.append(one - other)
    questions = float(np.nanvar(np.concatenate(drawn), ddof=1)) if units > 1 else np.nan
    paired = arms[0].seeds == arms[1].seeds
    seeds = min(len(arm.seeds) for arm in arms)
    by_seed = [observed[0] - observed[1]] if paired else observed
    parts = [(o.var(ddof=1) / len(o), len(o) - 1) for o in by_seed] if seeds > 1 else []
    variances, freedoms = zip(*parts, (questions, units_of(sample, group) - 1), strict=True)
    difference = by_seed[0] if paired else float(observed[0].mean() - observed[1].mean())
    return made(group, difference, variances, freedoms, seeds, paired=paired)


def table(sample: Sample, values: NDArray[np.float64], of: Statistic, times: Values) -> Values:
    """[draws, seeds] the statistic of each seed's values [rows, seeds]."""
    return np.stack([STATISTICS[of](sample, column, times) for column in values.T], axis=1)
