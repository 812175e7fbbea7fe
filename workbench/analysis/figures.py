"""Figures of one arm with their intervals: means over cells, and statistics that are no means.

As with differences (`effects`), the error has two parts: that of the seeds over their number, and that of the
questions, drawn by paragraph. Of means it is the clustered one, of anything else the bootstrap's. With one seed an
interval speaks of the questions only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.effects import Effect, made
from workbench.analysis.samples import Group, Sample, Values

DRAWS = 1000
"""Of a bootstrap that gives a standard error; a percentile would take more."""
WHOLE = Group("", np.ones(1))
"""Of statistics that are no means of cells."""
Drawn = NDArray[np.float64]
"""[draws, units] how often each unit was drawn."""


@dataclass(frozen=True)
class Figure:
    """A value with its interval of 95 %."""

    value: float
    low: float
    """NaN where there is one unit only: nothing then tells how much questions vary."""
    high: float
    seeds: int
    about: str
    """What the interval speaks of: samplings, or questions only."""


def figure_of(effect: Effect, least: float = -np.inf, most: float = np.inf) -> Figure:
    """An effect as a figure; the interval ends where the statistic does."""
    low, high = np.clip([effect.low, effect.high], least, most).tolist()
    return Figure(effect.difference, low, high, effect.seeds, effect.about)


def means(sample: Sample, values: Values, groups: Sequence[Group]) -> list[Figure]:
    """[groups] the means of `values` [rows, seeds]."""
    weights = np.array([group.weights for group in groups]).T
    by_seed = np.array([sample.means(column) for column in values.T]) @ weights
    average = values.mean(axis=1)
    parts = (sample.sums(average) - sample.counts * sample.means(average)) / sample.queries @ weights
    units = len(sample.units)
    questions = (parts**2).sum(axis=0) * units / (units - 1) if units > 1 else np.full(len(groups), np.nan)
    return [
        figure_of(with_error(by_seed[:, place], questions[place], units, group)) for place, group in enumerate(groups)
    ]


def with_error(by_seed: Values, questions: float, units: int, group: Group = WHOLE) -> Effect:
    """A value a seed, and the variance that the questions bring in, as an effect."""
    seeds = len(by_seed)
    if seeds == 1:
        return made(group, by_seed, [questions], [units - 1], 1, paired=True)
    return made(group, by_seed, [by_seed.var(ddof=1) / seeds, questions], [seeds - 1, units - 1], seeds, paired=True)


def drawn_units(units: int, *, draws: int = DRAWS, seed: int = 0) -> Drawn:
    """The units of each bootstrap draw."""
    return np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), draws).astype(float)


def statistic(
    by_seed: Sequence[Callable[[Drawn], Values]],
    units: int,
    *,
    least: float = -np.inf,
    most: float = np.inf,
    seed: int = 0,
) -> Figure:
    """The mean over seeds of a statistic that is no mean.

    Parameters
    ----------
    by_seed
        For each seed, what gives [draws] the statistic from how often each unit was drawn [draws, units]; NaN where
        a draw does not have it.
    """
    observed = np.array([float(of_seed(np.ones((1, units)))[0]) for of_seed in by_seed])
    if units < 2:
        return figure_of(with_error(observed, np.nan, units), least, most)
    times = drawn_units(units, seed=seed)
    averaged = np.mean([of_seed(times) for of_seed in by_seed], axis=0)
    known = averaged[np.isfinite(averaged)]
    variance = float(known.var(ddof=1)) if len(known) > 1 else np.nan
    return figure_of(with_error(observed, variance, units), least, most)


def medians(values: Values, unit: NDArray[np.integer], times: Drawn) -> Values:
    """[draws] the median of values [rows] when their units are drawn so often; NaN for a draw without any."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    reached = np.cumsum(times[:, unit[order]], axis=1)
    number = reached[:, -1]
    lower, upper = ((reached > place[:, None]).argmax(axis=1) for place in ((number - 1) // 2, number // 2))
    return np.where(number > 0, (ranked[lower] + ranked[upper]) / 2, np.nan)


def kendall_w(rank_sums: Values, ties: Values, queries: Values, times: Drawn) -> Values:
    """[draws] Kendall's coefficient of concordance of queries that rank the same languages; 1 = all rank them alike.

    W = 12 S / (n^2 (m^3 - m) - n T) of n queries and m languages, S the squares of the rank sums' deviations, T the
    ties' correction (Kendall and Gibbons 1990, ch. 6). Without any agreement it is 1/n on average. NaN without queries.

    Parameters
    ----------
    rank_sums
        [units, languages] ranks added up over a unit's queries.
    ties
        [units] sums over its queries of t^3 - t, t the sizes of groups of equal ranks.
    queries
        [units]
    """
    sums, number, tied = times @ rank_sums, times @ queries, times @ ties
    languages = rank_sums.shape[1]
    deviations = ((sums - sums.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    most = number**2 * (languages**3 - languages) - number * tied
    return np.divide(12 * deviations, most, out=np.full(len(times), np.nan), where=most > 0)
