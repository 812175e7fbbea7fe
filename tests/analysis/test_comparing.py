"""Pairs of arms in groups and cells."""

import math
from itertools import product

import numpy as np
import pytest

from tests.analysis.made import make_sample, setting_groups
from workbench.analysis.comparing import cell_tests, contributions, group_tests

DRAW = np.random.default_rng(5)
LOW, HIGH, SAME = (np.clip(DRAW.normal(m, 0.1, (8, 2, 3, 2)), 0, 1) for m in (0.3, 0.6, 0.3))


def test_each_arm_is_held_against_those_before_it() -> None:
    sample = make_sample(8, 3, 2, {"low": LOW, "high": HIGH, "same": SAME})
    found = group_tests(sample, setting_groups(sample), draws=500)
    assert [(test.arm, test.against) for test in found] == [("high", "low"), ("same", "low"), ("same", "high")]
    assert found[0].mean == pytest.approx(HIGH.mean()) and found[0].effect.difference == pytest.approx(
        HIGH.mean() - LOW.mean()
    )
    assert found[0].p_tukey is not None and found[0].p_tukey < 0.01 and found[1].p_tukey is not None
    assert found[1].p_tukey > 0.3
    cells = cell_tests(sample, draws=500)
    assert [(tests.arm, tests.against) for tests in cells] == [(test.arm, test.against) for test in found]
    assert cells[0].significant.tolist() == [1, 1, 1] and cells[2].significant.tolist() == [-1, -1, -1]
    assert not cells[1].significant.any()


def test_a_test_of_a_group_is_that_of_its_mean_under_all_signs() -> None:
    sample = make_sample(8, 3, 2, {"low": LOW, "same": SAME})
    (group,) = setting_groups(sample)
    (found,) = group_tests(sample, [group], draws=1000)
    by_unit = (SAME - LOW).mean(axis=3).sum(axis=1).mean(axis=1) / 16  # [units] of 2 queries, 16 queries a cell
    difference = sample.arms[1].values.mean(axis=1) - sample.arms[0].values.mean(axis=1)
    assert contributions(sample, difference, [group])[:, 0] == pytest.approx(by_unit)
    assert by_unit.sum() == pytest.approx(found.effect.difference)
    every = np.abs([np.dot(signs, by_unit) for signs in product((1, -1), repeat=8)])
    assert found.p_checkpoints == pytest.approx((every >= abs(by_unit.sum()) - 1e-12).mean())
    assert found.p_tukey is None


def test_arms_are_averaged_over_their_seeds() -> None:
    sample = make_sample(8, 3, 2, {"low": LOW, "high": HIGH})
    (tests,) = cell_tests(sample, draws=300)
    assert tests.means == pytest.approx(HIGH.mean(axis=(0, 1, 3)))
    assert tests.differences == pytest.approx((HIGH - LOW).mean(axis=(0, 1, 3)))
    assert (tests.low < tests.differences).all() and (tests.differences < tests.high).all()
    assert tests.draws == 256, "all arrangements of eight paragraphs"


@pytest.mark.parametrize("far", [0.0, 3.0])
def test_marks_are_family_wise_over_all_pairs_of_arms(far: float) -> None:
    """Arms alike, or two alike beside one that is far off, with skewed values: a wrong mark in 5 % of comparisons."""
    random = np.random.default_rng(11)
    wrong, times, found = 0, 400, 0
    for _ in range(times):
        of_unit = random.exponential(size=(30, 1, 1, 1))
        values = [random.exponential(size=(30, 1, 4, 1)) * of_unit for _ in range(3)]
        sample = make_sample(30, 4, 1, {"far": values[0] + far, "one": values[1], "other": values[2]})
        tests = {(t.arm, t.against): t.significant.any() for t in cell_tests(sample, draws=199)}
        wrong += tests["other", "one"] or (far == 0 and any(tests.values()))
        found += tests["one", "far"]
    assert wrong / times < 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / times)
    assert far == 0 or found == times


def test_an_arm_far_off_hides_nothing_between_the_others() -> None:
    sample = make_sample(8, 3, 2, {"far": LOW + 5, "low": LOW, "high": HIGH})
    last = cell_tests(sample, draws=500)[-1]
    assert (last.arm, last.against) == ("high", "low") and last.significant.tolist() == [1, 1, 1]
