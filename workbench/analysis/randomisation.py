"""Paired randomisation tests of two arms' checkpoints, and of several, in all cells at once.

Were two arms alike, each unit (paragraph) could as well have had their values the other way round. So signs are drawn
by unit, the same for all cells, which keeps the dependence between cells: the sums under all draws are one matrix
product. A test speaks of these checkpoints on such questions, not of the samplings that made them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.samples import Values, blocks

DRAWS = 10_000
TIE = 1e-9
"""Statistics that differ by less count as equal: they are sums in another order, standardised."""


@dataclass(frozen=True)
class TestedCells:
    """Per cell (for several arms, per pair of arms and cell) the p-values of a two-sided test."""

    p: Values
    """For the cell by itself."""
    p_family: Values
    """Step-down max |t| over all cells (Westfall & Young 1993, algorithm 4.1): the probability of one wrong rejection
    among all of them is kept."""
    p_holm: Values
    """Holm's correction of `p`; knows nothing of the dependence between cells."""
    draws: int
    """Arrangements that were tried; all there are where these are fewer than were asked for."""


def signs(units: int, draws: int, seed: int) -> tuple[NDArray[np.int8], bool]:
    """[draws, units] signs, and whether these are all arrangements there are."""
    if 2**units <= draws:
        return np.array(list(product((1, -1), repeat=units)), np.int8), True
    random = np.random.default_rng(seed)
    return (2 * random.integers(0, 2, (draws, units), np.int8) - 1), False


def compare_pair(sums: Values, *, draws: int = DRAWS, seed: int = 0) -> TestedCells:
    """Test for each cell whether the mean difference of two arms is zero.

    Parameters
    ----------
    sums
        [units, cells] differences added up over the queries of a unit in a cell.
    draws
        Arrangements to try; a cell's p-value is (1 + those at least as extreme) / (1 + draws), and exact where all
        arrangements are tried.
    """
    arrangements, whole = signs(len(sums), draws, seed)
    scale = np.sqrt((sums**2).sum(axis=0))
    tally = Tally(standardised(sums.sum(axis=0), scale))
    for block in blocks(len(arrangements), max(sums.shape)):
        tally.add(standardised(arrangements[block.start : block.stop].astype(float) @ sums, scale))
    return tally.result(whole)


def standardised(totals: Values, scale: Values) -> Values:
    """|z|: the total over its standard deviation under the draws, which is the same for all of them.

    t is a rising function of it, one for all cells that have the same units, so that largest z and largest t decide
    alike; z does not blow up where a total is as large as it can be.
    """
    return np.divide(np.abs(totals), scale, out=np.zeros(np.shape(totals)), where=scale > 0)


def compare_arms(sums: Values, *, draws: int = DRAWS, seed: int = 0) -> TestedCells:
    """Test all pairs of several arms: randomised Tukey HSD (Carterette 2012, section 4.3), over all cells.

    The arms' values change places within each unit; what is compared with is the largest difference of any two arms.

    Parameters
    ----------
    sums
        [arms, units, cells] values added up over the queries of a unit in a cell.

    Returns
    -------
    P-values [pairs, cells], the pairs as in `itertools.combinations(range(arms), 2)`.
    """
    arms, units, cells = sums.shape
    first, second = np.array(list(combinations(range(arms), 2))).T
    centred = sums - sums.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=(0, 1)) * 2 / max(arms - 1, 1))
    totals = centred.sum(axis=1)
    tally = Tally(standardised(totals[first] - totals[second], scale))
    random = np.random.default_rng(seed)
    for block in blocks(draws, arms * max(units, cells)):
        places = np.argsort(random.random((len(block), units, arms)), axis=2)
        drawn = np.zeros((arms, len(block), cells))
        for place, arm in product(range(arms), repeat=2):
            drawn[place] += (places[:, :, place] == arm).astype(float) @ centred[arm]
        tally.add(standardised(drawn.max(axis=0) - drawn.min(axis=0), scale))
    return tally.result(whole=False)


class Tally:
    """Counts, draw by draw, how often chance is at least as extreme as what was observed."""

    def __init__(self, observed: Values) -> None:
        """`observed` [cells], or [pairs, cells] where a cell's draws stand for the largest of all pairs."""
        self.observed = np.atleast_2d(observed)
        self.shape = observed.shape
        self.limits = self.observed - TIE
        # step-down: from the cell with the smallest best statistic upwards
        self.order = np.argsort(self.observed.max(axis=0), kind="stable")
        self.above = np.zeros(self.observed.shape, np.int64)
        self.family = np.zeros(self.observed.shape, np.int64)
        self.draws = 0

    def add(self, drawn: Values) -> None:
        """[draws, cells] statistics of draws."""
        self.draws += len(drawn)
        highest = np.empty_like(drawn)
        highest[:, self.order] = np.maximum.accumulate(drawn[:, self.order], axis=1)
        for pair, limits in enumerate(self.limits):
            self.above[pair] += (drawn >= limits).sum(axis=0)
            self.family[pair] += (highest >= limits).sum(axis=0)

    def result(self, whole: bool) -> TestedCells:
        """P-values; `whole` = the draws are all arrangements there are, what was observed among them."""
        extra = 0 if whole else 1
        p, family = ((counts + extra) / (self.draws + extra) for counts in (self.above, self.family))
        falling = self.order[::-1]
        family[:, falling] = np.maximum.accumulate(family[:, falling], axis=1)
        return TestedCells(
            p=p.reshape(self.shape),
            p_family=family.reshape(self.shape),
            p_holm=holm(p.ravel()).reshape(self.shape),
            draws=self.draws,
        )


def holm(p: Values) -> Values:
    """Holm's step-down correction (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected
