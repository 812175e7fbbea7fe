"""Randomisation tests: against scipy, by hand, and by calibration."""

import numpy as np
import pytest
from scipy import stats

from workbench.analysis import samples
from workbench.analysis.randomisation import DRAWS, compare_arms, compare_pair, holm, signs


def test_all_arrangements_of_a_few_units_by_hand() -> None:
    # sums 3, 1, 2: of the 8 arrangements those with |sum| >= 6 are +++ and ---
    tested = compare_pair(np.array([[3.0], [1.0], [2.0]]))
    assert tested.draws == 8
    assert tested.p.tolist() == tested.p_family.tolist() == tested.p_holm.tolist() == [0.25]


def test_step_down_by_hand() -> None:
    # two units: arrangements ++ +- -+ --; first cell 1, 1: |z| = 2 0 0 2; second cell 2, 0: |z| = 2 2 2 2 (over 2)
    tested = compare_pair(np.array([[1.0, 2.0], [1.0, 0.0]]))
    assert tested.p.tolist() == [0.5, 1.0]
    # the first cell has sqrt(2), the second 1: the largest of both is at least sqrt(2) in two of four
    assert tested.p_family.tolist() == [0.5, 1.0]
    assert tested.p_holm.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("units", [5, 9])
def test_exact_p_values_are_scipys(units: int) -> None:
    sums = np.random.default_rng(units).normal(0.4, 1, (units, 6))
    tested = compare_pair(sums)
    for cell, column in enumerate(sums.T):
        theirs = stats.permutation_test((column,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert tested.p[cell] == pytest.approx(theirs.pvalue, abs=1e-12)


def test_drawn_p_values_are_near_the_exact_ones() -> None:
    sums = np.random.default_rng(3).normal(0.3, 1, (13, 8))
    exact, drawn = compare_pair(sums, draws=2**13), compare_pair(sums, draws=8000)
    assert (exact.draws, drawn.draws) == (2**13, 8000)
    error = np.sqrt(exact.p * (1 - exact.p) / 8000)
    assert (np.abs(exact.p - drawn.p) < 4 * error + 2 / 8000).all()
    assert drawn.p.min() > 1 / 8001 - 1e-12


def test_p_values_by_their_definitions() -> None:
    """Draw by draw and cell by cell, with t itself: (1 + b) / (1 + B), stepped down from the largest t."""
    sums = np.random.default_rng(6).normal(np.linspace(0, 0.9, 7), 1, (25, 7))
    tested = compare_pair(sums, draws=400, seed=3)
    drawn, _ = signs(25, 400, 3)
    observed = np.abs(stats.ttest_1samp(sums, 0).statistic)
    chance = np.array([np.abs(stats.ttest_1samp(sums * one[:, None], 0).statistic) for one in drawn])
    assert tested.p == pytest.approx((1 + (chance >= observed).sum(axis=0)) / 401)
    family, least = np.empty(7), 0.0
    falling = np.argsort(-observed)
    for step, cell in enumerate(falling):
        above = (chance[:, falling[step:]].max(axis=1) >= observed[cell]).sum()
        family[cell] = least = max(least, (1 + above) / 401)
    assert tested.p_family == pytest.approx(family)


def test_a_sum_of_zero_in_any_order_is_a_tie() -> None:
    # 0.1 + 0.2 - 0.3 is 5.6e-17, with other signs 0: as extreme
    values = np.array([0.1, 0.2, -0.3])
    assert compare_pair(np.concatenate([values, values[::-1]])[:, None], draws=64).p.tolist() == [1.0]


def test_memory_changes_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    two, three = random.normal(size=(30, 4)), random.normal(size=(3, 30, 4))
    at_once = compare_pair(two, draws=50), compare_arms(three, draws=50)
    monkeypatch.setattr(samples, "NUMBERS_AT_ONCE", 100)
    one_by_one = compare_pair(two, draws=50), compare_arms(three, draws=50)
    for whole, parts in zip(at_once, one_by_one, strict=True):
        assert np.array_equal(whole.p, parts.p) and np.array_equal(whole.p_family, parts.p_family)


def test_the_same_seed_gives_the_same_numbers() -> None:
    sums = np.random.default_rng(0).normal(0.1, 1, (40, 5))
    one, again, other = (compare_pair(sums, draws=500, seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(one.p, again.p) and np.array_equal(one.p_family, again.p_family)
    assert not np.array_equal(one.p, other.p)


def test_a_cell_without_any_difference_is_never_significant() -> None:
    tested = compare_pair(np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]))
    assert tested.p.tolist() == [1.0, 0.25]


def test_corrections_never_lower_a_p_value_and_keep_its_order() -> None:
    random = np.random.default_rng(5)
    sums = random.normal(random.normal(0, 0.4, 30), 1, (25, 30))
    tested = compare_pair(sums, draws=2000)
    assert (tested.p_family >= tested.p - 1e-12).all() and (tested.p_holm >= tested.p - 1e-12).all()
    z = np.abs(sums.sum(axis=0)) / np.sqrt((sums**2).sum(axis=0))
    assert (np.diff(tested.p_family[np.argsort(-z)]) >= 0).all()


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])


def test_signs_are_balanced() -> None:
    drawn, whole = signs(40, 4000, 0)
    assert not whole and set(np.unique(drawn)) == {-1, 1}
    assert np.abs(drawn.mean(axis=0)).max() < 5 / np.sqrt(4000)


def rejections(effect: float, runs: int, *, share: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """[runs, cells] p and family p of correlated cells; a `share` of the cells, the first ones, has the effect."""
    p, family = [], []
    cells, units = 12, 30
    for run in range(runs):
        random = np.random.default_rng([run, 99])
        sums = random.normal(size=(units, 1)) + random.standard_t(4, (units, cells))
        sums[:, : round(share * cells)] += effect
        tested = compare_pair(sums, draws=200, seed=run)
        p.append(tested.p)
        family.append(tested.p_family)
    return np.array(p), np.array(family)


def test_under_a_true_null_no_level_is_exceeded() -> None:
    runs = 1000
    p, family = rejections(0.0, runs)
    for level in (0.01, 0.05, 0.2):
        slack = 3 * np.sqrt(level * (1 - level) / runs)
        assert (p[:, 0] <= level).mean() <= level + slack
        assert (family.min(axis=1) <= level).mean() <= level + slack
    # and it is no test that never rejects
    assert (p[:, 0] <= 0.2).mean() > 0.15 and (family.min(axis=1) <= 0.2).mean() > 0.14


def test_a_planted_effect_is_found_and_the_rest_is_left_alone() -> None:
    runs = 300
    _, family = rejections(1.5, runs, share=0.5)
    assert (family[:, :6] <= 0.05).mean() > 0.8
    wrong = (family[:, 6:] <= 0.05).any(axis=1).mean()
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_two_arms_are_the_case_of_a_pair() -> None:
    random = np.random.default_rng(1)
    sums = random.normal(size=(2, 20, 4)) + np.array([0.4, 0.0])[:, None, None]
    one, several = compare_pair(sums[0] - sums[1], draws=8000), compare_arms(sums, draws=8000)
    assert several.p.shape == (1, 4)
    assert several.p[0] == pytest.approx(one.p, abs=0.03)
    assert several.p_family[0] == pytest.approx(one.p_family, abs=0.03)


def test_several_arms_keep_the_level_over_pairs_and_cells() -> None:
    runs, wrong, found = 300, 0, 0.0
    for run in range(runs):
        random = np.random.default_rng([run, 4])
        sums = random.normal(size=(1, 20, 1)) + random.normal(size=(3, 20, 5))
        wrong += bool((compare_arms(sums, draws=200, seed=run).p_family <= 0.05).any())
        sums[0] += 1.6
        tested = compare_arms(sums, draws=200, seed=run)
        found += float((tested.p_family[:2] <= 0.05).mean())
    assert wrong / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert found / runs > 0.9


def test_the_usual_number_of_draws() -> None:
    assert compare_pair(np.random.default_rng(0).normal(size=(30, 2))).draws == DRAWS
