"""Figures of an arm, and their differences from another arm's, with intervals: means over cells, other statistics.

As with differences (`effects`), the error has two parts: that of the seeds over their number, and that of the
questions, drawn by paragraph. Of means it is the clustered one, of anything else the bootstrap's. With one seed an
interval speaks of the questions only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

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


@dataclass(frozen=True)
class Second:
    """The arm that another one is held against. Where there is one, the last of all runs are its."""

    arm: str
    runs: int
    paired: bool
    """Whether both have the same seeds, and are compared seed by seed."""


def figure_of(effect: Effect, least: float = -np.inf, most: float = np.inf) -> Figure:
    """An effect as a figure; the interval ends where the statistic does."""
    low, high = np.clip([effect.low, effect.high], least, most).tolist()
    return Figure(effect.difference, low, high, effect.seeds, effect.about)


def averaged(values: Values, second: Second | None) -> Values:
    """[...] the mean over the runs of values [..., runs]; of two arms, the first's less the second's."""
    if second is None:
        return np.asarray(values.mean(axis=-1))
    return np.asarray(values[..., : -second.runs].mean(axis=-1) - values[..., -second.runs :].mean(axis=-1))


def means(sample: Sample, values: Values, groups: Sequence[Group], second: Second | None = None) -> list[Figure]:
    """[groups] the means of `values` [rows, runs], or their differences."""
    weights = np.array([group.weights for group in groups]).T
    by_run = np.array([sample.means(column) for column in values.T]) @ weights
    average = averaged(values, second)
    parts = (sample.sums(average) - sample.counts * sample.means(average)) / sample.queries @ weights
    units = ((sample.counts > 0).astype(float) @ (weights > 0) > 0).sum(axis=0)  # as `effects.units_of`, at once
    more = np.divide(units, units - 1, out=np.full(len(groups), np.nan), where=units > 1)
    questions = (parts**2).sum(axis=0) * more
    return [
        figure_of(with_error(by_run[:, place], questions[place], units[place], group, second))
        for place, group in enumerate(groups)
    ]


def with_error(
    by_run: Values, questions: float, units: int, group: Group = WHOLE, second: Second | None = None
) -> Effect:
    """A value a run, and the variance that the questions bring in, as an effect: of one arm, or of two as `effect`."""
    parts = [by_run] if second is None else [by_run[: -second.runs], by_run[-second.runs :]]
    if second and second.paired:
        parts = [parts[0] - parts[1]]
    seeds = min(map(len, parts))
    of_seeds = [(part.var(ddof=1) / len(part), len(part) - 1) for part in parts] if seeds > 1 else []
    variances, freedoms = zip(*of_seeds, (questions, units - 1), strict=True)
    paired = len(parts) == 1
    value = parts[0] if paired else float(parts[0].mean() - parts[1].mean())
    return made(group, value, variances, freedoms, seeds, paired=paired)


@lru_cache(maxsize=4)
def drawn_units(units: int, *, draws: int = DRAWS, seed: int = 0) -> Drawn:
    """The units of each bootstrap draw; read-only, as it is kept for the statistics that draw alike."""
    times: Drawn = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), draws).astype(float)
    times.flags.writeable = False
    return times


def statistic(
    by_run: Sequence[Callable[[Drawn], Values]],
    units: int,
    *,
    used: int,
    second: Second | None = None,
    least: float = -np.inf,
    most: float = np.inf,
    seed: int = 0,
) -> Figure:
    """The mean over runs of a statistic that is no mean, or its difference; one draw of units serves both arms.

    Parameters
    ----------
    by_run
        For each run, what gives [draws] the statistic from how often each unit was drawn [draws, units]; NaN where
        a draw does not have it.
    used
        Units that the statistic depends on; of one alone there is no interval.
    least, most
        Where the statistic of one arm ends.
    """
    if second:
        least, most = least - most, most - least
    observed = np.array([float(of_run(np.ones((1, units)))[0]) for of_run in by_run])
    variance = np.nan
    if used > 1:
        times = drawn_units(units, seed=seed)
        drawn = averaged(np.stack([of_run(times) for of_run in by_run], axis=-1), second)
        known = drawn[np.isfinite(drawn)]
        variance = float(known.var(ddof=1)) if len(known) > 1 else np.nan
    return figure_of(with_error(observed, variance, used, second=second), least, most)


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
