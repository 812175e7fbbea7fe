"""Every pair of a sample's arms, in groups of cells (settings) and in single cells.

Two kinds of answer stand side by side. An `Effect` speaks of the samplings, where there are several seeds; a
randomisation test and a bootstrap speak of the checkpoints that were made, over the questions alone: they work on
each arm's values averaged over its seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from workbench.analysis.effects import Effect, bootstrap, effect, group_mean
from workbench.analysis.randomisation import DRAWS, compare_arms, compare_pair
from workbench.analysis.samples import Group, Sample, Values, cell_groups

SIGNIFICANT = 0.05
"""Below it a family-wise p-value gets its mark."""


@dataclass(frozen=True)
class GroupTest:
    """An arm against another one in one group of cells."""

    arm: str
    against: str
    mean: float
    """Of `arm`, over seeds."""
    against_mean: float
    effect: Effect
    """`arm` minus `against`."""
    p_checkpoints: float
    """Paired randomisation test of the arms' seed-averaged values."""
    p_tukey: float | None
    """The same, corrected over all pairs of arms (randomised Tukey HSD); None with two arms."""


@dataclass(frozen=True)
class CellTests:
    """An arm against another one in every cell; all arrays are [cells]."""

    arm: str
    against: str
    means: Values
    """Of `arm`, over seeds."""
    differences: Values
    """`arm` minus `against`."""
    low: Values
    """Of a bootstrap interval of 95 %, paragraphs drawn with replacement."""
    high: Values
    p: Values
    p_family: Values
    """Over all cells, and all pairs of arms, of the comparison."""
    p_holm: Values
    draws: int

    @property
    def significant(self) -> Values:
        """1 where `arm` is higher, -1 where it is lower, 0 where chance could have made the difference."""
        return np.where(self.p_family < SIGNIFICANT, np.sign(self.differences), 0.0)


def arm_pairs(sample: Sample) -> list[tuple[int, int]]:
    """(arm, against): each arm against those named before it, the first one first."""
    return [(later, earlier) for earlier, later in combinations(range(len(sample.arms)), 2)]


def averaged(sample: Sample) -> list[Values]:
    """By arm the values [rows], averaged over seeds."""
    return [arm.values.mean(axis=1) for arm in sample.arms]


def contributions(sample: Sample, values: Values, groups: Sequence[Group]) -> Values:
    """[units, groups] what each unit adds to a group's mean."""
    return np.asarray(sample.sums(values) / sample.queries @ np.array([group.weights for group in groups]).T)


def group_tests(sample: Sample, groups: Sequence[Group], *, draws: int = DRAWS, seed: int = 0) -> list[GroupTest]:
    """Test every pair of arms in every group; pairs as in `arm_pairs`, the groups of a pair in their order."""
    values = averaged(sample)
    parts = [contributions(sample, of_arm, groups) for of_arm in values]
    several = compare_arms(np.stack(parts), draws=draws, seed=seed) if len(parts) > 2 else None
    found = []
    for number, (first, second) in enumerate(arm_pairs(sample)):
        tested = compare_pair(parts[first] - parts[second], draws=draws, seed=seed)
        arm, against = sample.arms[first].arm, sample.arms[second].arm
        for place, group in enumerate(groups):
            found.append(
                GroupTest(
                    arm=arm,
                    against=against,
                    mean=group_mean(sample, values[first], group),
                    against_mean=group_mean(sample, values[second], group),
                    effect=effect(sample, arm, against, group),
                    p_checkpoints=float(tested.p[place]),
                    p_tukey=None if several is None else float(several.p[number, place]),
                )
            )
    return found


def cell_tests(sample: Sample, *, draws: int = DRAWS, seed: int = 0) -> list[CellTests]:
    """Test every pair of arms in every cell; family-wise over all of them.

    One draw of signs serves all pairs and cells, and each difference is held against its own scale: that keeps the
    family-wise error for large samples whichever arms differ (Romano & Wolf 2005), and exactly for two arms. Tukey's
    largest difference of any two arms would assume all of them alike: beside one that is far off, nothing would be
    found between the others.
    """
    values = averaged(sample)
    pairs = arm_pairs(sample)
    differences = [values[arm] - values[against] for arm, against in pairs]
    tested = compare_pair(np.hstack([sample.sums(of_pair) for of_pair in differences]), draws=draws, seed=seed)
    p, p_family, p_holm = (part.reshape(len(pairs), -1) for part in (tested.p, tested.p_family, tested.p_holm))
    found = []
    for number, ((arm, against), difference) in enumerate(zip(pairs, differences, strict=True)):
        low, high = bootstrap(sample, difference, cell_groups(sample), draws=draws, seed=seed)
        found.append(
            CellTests(
                arm=sample.arms[arm].arm,
                against=sample.arms[against].arm,
                means=sample.means(values[arm]),
                differences=sample.means(difference),
                low=low,
                high=high,
                p=p[number],
                p_family=p_family[number],
                p_holm=p_holm[number],
                draws=tested.draws,
            )
        )
    return found
