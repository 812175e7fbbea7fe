"""Differences of arms with their intervals: how sure is an effect of a sampling, and what could have been found.

Two things vary: the questions (drawn by paragraph) and the seeds of the training. They are crossed, as every seed is
measured on all questions, so the variance of a difference is that of the seeds over their number plus that of the
questions' mean over the seeds. With one seed a statement is about the questions only: these two checkpoints.

What a seed does to single questions (their interaction) is in both parts, and so counts twice: an interval is then too
wide, by a factor of at most 1.4. That is left so, as Satterthwaite's degrees of freedom err the other way with few
seeds. Where seeds add ten times the variance of questions and there is no interaction, intervals of .95 cover .87 with
two seeds, .92 with three and .94 with five; with an interaction as large as the rest they cover .95 to .98.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from workbench.analysis.samples import ArmValues, Group, Sample, Values, blocks
from workbench.errors import InputError

LEVEL = 0.95
"""Of intervals."""
POWER = 0.8
"""With which the smallest detectable difference is detected."""
MOST_SEEDS = 1000
"""So many are tried to find how many a difference takes."""
MARGIN = 0.005
"""How much worse counts as no worse, in map."""


@dataclass(frozen=True)
class Effect:
    """A difference of two arms in one group of cells."""

    group: str
    difference: float
    """First minus second arm."""
    low: float
    high: float
    """The interval of `LEVEL`; NaN where the group's questions are on one unit."""
    error: float
    """Standard error."""
    freedom: float
    """Degrees of freedom (Satterthwaite 1946)."""
    seeds: int
    """Seeds of the arm that has fewer."""
    seed_deviation: float
    """Standard deviation of the seeds' differences; NaN with one seed."""
    paired: bool
    """Whether the two arms have the same seeds, and are compared seed by seed."""

    @property
    def about(self) -> str:
        """What the interval speaks of."""
        return "samplings" if self.seeds > 1 else "questions only, one seed"

    @property
    def p(self) -> float:
        """Two-sided, of no difference."""
        return float(2 * stats.t.sf(abs(self.difference) / self.error, self.freedom)) if self.error > 0 else np.nan

    @property
    def detectable(self) -> float:
        """The smallest difference that such data find with a power of `POWER`; knows nothing of the observed one."""
        return detectable(self.error, self.freedom)


def detectable(error: float, freedom: float) -> float:
    """(t(.975) + t(.8)) standard errors."""
    return float(stats.t.ppf((1 + LEVEL) / 2, freedom) + stats.t.ppf(POWER, freedom)) * error


def effect(sample: Sample, first: str, second: str, group: Group) -> Effect:
    """The difference of two arms, `first` minus `second`."""
    one, other = sample.arm(first), sample.arm(second)
    if one.seeds == other.seeds:
        return paired_effect(sample, one.values - other.values, group)
    return unpaired_effect(sample, one, other, group)


def paired_effect(sample: Sample, differences: Values, group: Group) -> Effect:
    """Of differences [rows, seeds] seed by seed."""
    seeds = differences.shape[1]
    by_seed = np.array([group_mean(sample, column, group) for column in differences.T])
    questions, freedom = clustered_variance(sample, differences.mean(axis=1), group), units_of(sample, group) - 1
    if seeds == 1:
        return made(group, by_seed, [questions], [freedom], seeds, paired=True)
    variance = by_seed.var(ddof=1) / seeds
    return made(group, by_seed, [variance, questions], [seeds - 1, freedom], seeds, paired=True)


def unpaired_effect(sample: Sample, one: ArmValues, other: ArmValues, group: Group) -> Effect:
    """Of arms with different seeds: each adds the variance of its own."""
    means = [np.array([group_mean(sample, v, group) for v in arm.values.T]) for arm in (one, other)]
    questions = clustered_variance(sample, one.values.mean(axis=1) - other.values.mean(axis=1), group)
    parts = [(mean.var(ddof=1) / len(mean), len(mean) - 1) for mean in means if len(mean) > 1]
    seeds = min(len(one.seeds), len(other.seeds))
    if seeds == 1:
        parts = []  # one arm's seeds say nothing of the other's
    variances, freedoms = zip(*parts, (questions, units_of(sample, group) - 1), strict=True)
    return made(group, means[0].mean() - means[1].mean(), variances, freedoms, seeds, paired=False)


def made(
    group: Group,
    by_seed: Values | float,
    variances: list[float] | tuple[float, ...],
    freedoms: list[int] | tuple[int, ...],
    seeds: int,
    *,
    paired: bool,
) -> Effect:
    """An effect from the parts of its variance."""
    difference = float(np.mean(by_seed))
    error, freedom = combined(np.array(variances, float), np.array(freedoms, float))
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    deviation = float(np.std(by_seed, ddof=1)) if paired and seeds > 1 else np.nan
    return Effect(
        group.name, difference, difference - half, difference + half, error, freedom, seeds, deviation, paired
    )


def combined(variances: Values, freedoms: Values) -> tuple[float, float]:
    """Standard error and degrees of freedom of a sum of independent parts (Satterthwaite 1946)."""
    total = float(variances.sum())
    if (freedoms < 1).any():
        return np.nan, np.nan
    if total <= 0:
        return 0.0, float(freedoms.sum())
    return float(np.sqrt(total)), total**2 / float((variances**2 / freedoms).sum())


def group_mean(sample: Sample, values: Values, group: Group) -> float:
    """The mean over the cells of their means over queries."""
    return float(sample.means(values) @ group.weights)


def units_of(sample: Sample, group: Group) -> int:
    """The units that have a query in the group's cells: those that its variance is over."""
    return int((sample.counts[:, group.weights > 0] > 0).any(axis=1).sum())


def clustered_variance(sample: Sample, values: Values, group: Group) -> float:
    """Of the group's mean, when units are drawn: the sum of squares of their contributions, G / (G - 1) times.

    A unit contributes to each cell the residuals of its queries over the cell's number of queries; G = `units_of`. NaN
    with one unit.
    """
    contributions = (sample.sums(values) - sample.counts * sample.means(values)) / sample.queries @ group.weights
    units = units_of(sample, group)
    return float((contributions**2).sum() * units / (units - 1)) if units > 1 else np.nan


@dataclass(frozen=True)
class Needed:
    """How many seeds a difference takes."""

    difference: float
    seeds: int | None
    """None = not even `MOST_SEEDS` do."""
    by_questions: float
    """The smallest difference that these questions could show with seeds without end."""


def seeds_needed(
    sample: Sample, first: str, second: str, group: Group, differences: Sequence[float]
) -> tuple[Effect, list[Needed]]:
    """The seeds with which differences would be detected with a power of `POWER`, judged by a pilot with a few.

    Of the questions' variance only what all seeds share stays however many seeds there are; the rest falls with them.

    Returns
    -------
    The pilot's effect, and what each of the differences takes.

    Raises
    ------
    InputError
        The arms have one seed, or unequal ones; the group's questions are all on one unit.
    """
    one, other = sample.arm(first), sample.arm(second)
    if one.seeds != other.seeds or len(one.seeds) < 2:
        have = " and ".join(f"{arm.arm} has {', '.join(map(str, arm.seeds))}" for arm in (one, other))
        raise InputError(f"power: seeds of the pilot: {have}; allowed: two seeds or more, the same in both arms")
    units, pilot_seeds = units_of(sample, group), len(one.seeds)
    if units < 2:
        raise InputError(
            f"power: {group.name} of {sample.task}: all its questions are on one unit; allowed: two or more"
        )
    by_seed = one.values - other.values
    pilot = paired_effect(sample, by_seed, group)
    own = interaction_variance(sample, by_seed, group)
    shared = max(0.0, clustered_variance(sample, by_seed.mean(axis=1), group) - own / pilot_seeds)
    seeds = np.arange(2, MOST_SEEDS + 1)
    parts = np.array([pilot.seed_deviation**2 / seeds, shared + own / seeds])
    found = [
        detectable(*combined(part, np.array([n - 1.0, units - 1.0]))) for n, part in zip(seeds, parts.T, strict=True)
    ]
    floor = detectable(float(np.sqrt(shared)), units - 1)
    enough = [np.flatnonzero(np.array(found) <= difference) for difference in differences]
    return pilot, [
        Needed(difference, int(seeds[places[0]]) if len(places) else None, floor)
        for difference, places in zip(differences, enough, strict=True)
    ]


def interaction_variance(sample: Sample, by_seed: Values, group: Group) -> float:
    """What one seed's own effect on single questions adds to the variance of its mean; `by_seed` [rows, seeds]."""
    own = by_seed - by_seed.mean(axis=1, keepdims=True)
    return sum(clustered_variance(sample, column, group) for column in own.T) / (by_seed.shape[1] - 1)


def bootstrap(
    sample: Sample, values: Values, groups: list[Group], *, draws: int = 10_000, seed: int = 0
) -> tuple[Values, Values]:
    """[groups] low and high ends of percentile intervals of the groups' means, units drawn with replacement.

    A cell that a draw has no query of keeps its observed mean in that draw.
    """
    sums, counts = sample.sums(values), sample.counts
    weights = np.array([group.weights for group in groups]).T
    observed = sample.means(values)
    units = len(sample.units)
    random = np.random.default_rng(seed)
    drawn = np.empty((draws, len(groups)))
    for block in blocks(draws, max(sums.shape)):
        times = random.multinomial(units, np.full(units, 1 / units), len(block)).astype(float)
        number = times @ counts
        means = np.divide(times @ sums, number, out=np.broadcast_to(observed, number.shape).copy(), where=number > 0)
        drawn[block.start : block.stop] = means @ weights
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
