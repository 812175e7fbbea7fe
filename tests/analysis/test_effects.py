"""Differences and their intervals: worked out by hand, and by calibration."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.analysis.made import make_sample, setting_groups
from workbench.analysis.effects import (
    bootstrap,
    clustered_variance,
    combined,
    detectable,
    effect,
    group_mean,
    interaction_variance,
    seeds_needed,
    units_of,
)
from workbench.analysis.evenness import worst_tenth
from workbench.analysis.samples import ArmValues, Group, cell_groups, group_of
from workbench.errors import InputError


def by_hand() -> tuple[np.ndarray, np.ndarray]:
    """3 units, 1 query each, 1 cell, 2 seeds: differences 1 2 3 and 2 2 5."""
    other = np.zeros((3, 1, 1, 2))
    one = np.array([[1.0, 2.0], [2.0, 2.0], [3.0, 5.0]]).reshape(3, 1, 1, 2)
    return one, other


def test_a_difference_of_two_seeds_by_hand() -> None:
    one, other = by_hand()
    sample = make_sample(3, 1, 1, {"a": one, "b": other})
    (group,) = setting_groups(sample)
    found = effect(sample, "a", "b", group)
    assert found.difference == pytest.approx(2.5)  # seeds' means 2 and 3
    # seeds: variance .5, over 2 = .25; questions: means 1.5 2 4, residuals -1 -.5 1.5, squares 3.5, / 9 * 3 / 2
    assert found.error == pytest.approx(np.sqrt(0.25 + 3.5 / 9 * 1.5))
    variances = 0.25, 3.5 / 9 * 1.5
    freedom = sum(variances) ** 2 / (variances[0] ** 2 / 1 + variances[1] ** 2 / 2)
    assert found.freedom == pytest.approx(freedom)
    half = stats.t.ppf(0.975, freedom) * found.error
    assert (found.low, found.high) == pytest.approx((2.5 - half, 2.5 + half))
    assert (found.seeds, found.paired, found.about) == (2, True, "samplings")
    assert found.seed_deviation == pytest.approx(np.sqrt(0.5))
    assert found.detectable == pytest.approx((stats.t.ppf(0.975, freedom) + stats.t.ppf(0.8, freedom)) * found.error)


def test_one_seed_speaks_of_questions_only() -> None:
    one, other = by_hand()
    sample = make_sample(3, 1, 1, {"a": one[..., :1], "b": other[..., :1]})
    found = effect(sample, "a", "b", setting_groups(sample)[0])
    # units with one query each: the interval of a paired t test
    theirs = stats.ttest_rel([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])
    assert found.p == pytest.approx(theirs.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert found.about == "questions only, one seed" and np.isnan(found.seed_deviation)


def test_questions_on_one_paragraph_count_together() -> None:
    values = np.repeat(np.array([1.0, 2.0, 4.0]), 4).reshape(3, 4, 1, 1)  # four times the same question
    sample = make_sample(3, 1, 4, {"a": values, "b": np.zeros_like(values)})
    once = make_sample(3, 1, 1, {"a": values[:, :1], "b": np.zeros((3, 1, 1, 1))})
    groups = setting_groups(sample)[0]
    assert effect(sample, "a", "b", groups).error == pytest.approx(effect(once, "a", "b", groups).error)


def test_cells_count_alike_in_a_group_whatever_their_queries() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(4, 1, 2, 1))
    sample = make_sample(4, 2, 1, {"a": values})
    keep = ~((sample.cell == 1) & (sample.unit > 0))  # the second cell has one query
    arms = tuple(replace(arm, values=arm.values[keep]) for arm in sample.arms)
    fewer = replace(sample, cell=sample.cell[keep], unit=sample.unit[keep], arms=arms)
    (group,) = setting_groups(fewer)
    expected = (values[:, 0, 0, 0].mean() + values[0, 0, 1, 0]) / 2
    assert group_mean(fewer, fewer.arms[0].values[:, 0], group) == pytest.approx(expected)


def test_arms_of_other_seeds_are_not_paired() -> None:
    one, other = by_hand()
    sample = make_sample(3, 1, 1, {"a": one, "b": other + np.array([0.0, 1.0])})
    moved = replace(sample, arms=(sample.arms[0], replace(sample.arms[1], seeds=(5, 6))))
    found = effect(moved, "a", "b", setting_groups(sample)[0])
    assert not found.paired and found.difference == pytest.approx(2.0)
    questions = clustered_variance(sample, np.array([1.5, 2.0, 4.0]) - 0.5, setting_groups(sample)[0])
    assert found.error == pytest.approx(np.sqrt(0.5 / 2 + 0.5 / 2 + questions))


def test_satterthwaite() -> None:
    assert combined(np.array([1.0, 1.0]), np.array([4.0, 4.0])) == pytest.approx((np.sqrt(2), 8.0))
    assert combined(np.array([0.0, 0.0]), np.array([1.0, 2.0])) == (0.0, 3.0)
    assert all(np.isnan(combined(np.array([1.0]), np.array([0.0]))))


def test_groups() -> None:
    sample = make_sample(2, 3, 1, {"a": np.zeros((2, 1, 3, 1))})
    assert next(group.name for group in cell_groups(sample)) == "cross_lingual l00 en"
    assert group_of("touches l01", sample, [False, True, True]).weights.tolist() == [0, 0.5, 0.5]
    with pytest.raises(InputError, match="none of these: no cell of made"):
        group_of("none of these", sample, [False] * 3)
    with pytest.raises(InputError, match="arm 'z': allowed: a"):
        sample.arm("z")


def crossed(
    random: np.random.Generator, units: int, seeds: int, cells: int = 3, *, by_seed: float = 0.3, both: float = 0.0
) -> np.ndarray:
    """Differences of mean zero: units and seeds crossed, with questions and cells of their own.

    `by_seed` and `both` are the standard deviations of seeds and of what a seed does to a single unit.
    """
    unit = random.normal(size=(units, 1, 1, 1)) + random.normal(size=(units, 2, cells, 1))
    seed = by_seed * random.normal(size=(1, 1, 1, seeds)) + both * random.normal(size=(units, 1, 1, seeds))
    return unit + seed + 0.5 * random.normal(size=(units, 2, cells, seeds))


@pytest.mark.parametrize(
    ("units", "seeds", "by_seed", "both", "expected"),
    [
        (40, 3, 0.3, 0.0, 0.95),
        (40, 6, 0.3, 0.0, 0.95),
        (15, 2, 0.3, 0.0, 0.95),
        # the variance by seeds is ten times that by questions: Satterthwaite's degrees of freedom are too many
        (40, 2, 0.75, 0.0, 0.875),
        (40, 3, 0.9, 0.0, 0.92),
        (40, 5, 1.2, 0.0, 0.94),
        # what a seed does to single questions is counted twice
        (40, 3, 0.0, 1.7, 0.975),
        (40, 3, 0.3, 1.7, 0.965),
    ],
)
def test_intervals_cover_the_effect_of_a_sampling(
    units: int, seeds: int, by_seed: float, both: float, expected: float
) -> None:
    runs, covered = 600, 0
    for run in range(runs):
        values = crossed(np.random.default_rng([run, units]), units, seeds, by_seed=by_seed, both=both)
        sample = make_sample(units, 3, 2, {"a": values + 0.2, "b": np.zeros_like(values)})
        found = effect(sample, "a", "b", setting_groups(sample)[0])
        covered += found.low <= 0.2 <= found.high
    assert covered / runs >= expected - 3 * np.sqrt(expected * (1 - expected) / runs)
    assert covered / runs <= 0.995  # and they are not so wide that they say nothing


def test_what_is_detectable_is_detected_with_that_power() -> None:
    runs, units, seeds = 600, 60, 4
    error = np.sqrt(0.3**2 / seeds + (1 + 1 / 6 + 0.25 / 6 / seeds) / units)
    truth = detectable(error, 1e6)
    found = 0
    for run in range(runs):
        values = crossed(np.random.default_rng([run, 5]), units, seeds)
        sample = make_sample(units, 3, 2, {"a": values + truth, "b": np.zeros_like(values)})
        found += effect(sample, "a", "b", setting_groups(sample)[0]).p <= 0.05
    # few seeds: the normal's figure promises a little too much
    assert 0.62 <= found / runs <= 0.86


def test_bootstrap_intervals_cover_the_mean_over_all_questions() -> None:
    runs, covered = 400, 0
    for run in range(runs):
        random = np.random.default_rng([run, 8])
        values = random.normal(size=(50, 1, 1, 1)) + random.exponential(1.0, (50, 2, 3, 1)) - 1
        sample = make_sample(50, 3, 2, {"a": values})
        low, high = bootstrap(sample, sample.arms[0].values[:, 0], setting_groups(sample), draws=500, seed=run)
        covered += bool(low[0] <= 0 <= high[0])
    # percentile intervals of 50 units are a little too narrow
    assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs) - 0.015 <= covered / runs <= 0.99


def test_the_bootstrap_interval_is_about_that_of_the_clustered_error() -> None:
    values = crossed(np.random.default_rng(1), 200, 1)
    sample = make_sample(200, 3, 2, {"a": values})
    (group,) = setting_groups(sample)
    low, high = bootstrap(sample, sample.arms[0].values[:, 0], [group], draws=4000)
    error = np.sqrt(clustered_variance(sample, sample.arms[0].values[:, 0], group))
    assert (high[0] - low[0]) / 2 == pytest.approx(1.96 * error, rel=0.06)
    again = bootstrap(sample, sample.arms[0].values[:, 0], [group], draws=4000)
    assert low[0] == again[0][0]


def test_the_seeds_that_a_difference_needs() -> None:
    values = crossed(np.random.default_rng(3), 200, 3, both=1.0)
    sample = make_sample(200, 3, 2, {"a": values, "b": np.zeros_like(values)})
    (group,) = setting_groups(sample)
    pilot, (needed, too_small) = seeds_needed(sample, "a", "b", group, [0.5, 0.05])
    assert pilot == effect(sample, "a", "b", group)
    # by unit [units, seeds]: what all seeds share, and what is a seed's own
    by_unit = values.mean(axis=(1, 2))
    covariance = np.cov(by_unit.T)
    shared = covariance[~np.eye(3, dtype=bool)].mean() / 200
    own = np.diag(covariance).mean() / 200 - shared
    assert needed.seeds is not None
    for seeds, enough in ((needed.seeds, True), (needed.seeds - 1, False)):
        parts = np.array([pilot.seed_deviation**2 / seeds, shared + own / seeds])
        assert (detectable(*combined(parts, np.array([seeds - 1, 199.0]))) <= 0.5) == enough
    assert needed.by_questions == pytest.approx(detectable(np.sqrt(shared), 199))
    assert too_small.seeds is None and needed.by_questions > 0.05


def test_what_each_seed_does_to_single_questions_sets_no_floor() -> None:
    """Seeds that disagree on every question and share nothing: more of them average it away."""
    values = np.random.default_rng(1).normal(size=(200, 1, 1, 3))
    sample = make_sample(200, 1, 1, {"a": values, "b": np.zeros_like(values)})
    (group,) = setting_groups(sample)
    assert interaction_variance(sample, values.reshape(200, 3), group) == pytest.approx(1 / 200, rel=0.2)
    _, (needed,) = seeds_needed(sample, "a", "b", group, [0.08])
    questions = clustered_variance(sample, values.mean(axis=-1).ravel(), group)
    assert needed.by_questions < 0.5 * detectable(np.sqrt(questions), 199) and needed.seeds is not None


def test_pilots_that_say_nothing_are_refused() -> None:
    zero = np.zeros((3, 1, 1, 2))
    sample = make_sample(3, 1, 1, {"a": zero, "b": zero[..., :1]})
    group = setting_groups(sample)[0]
    with pytest.raises(InputError, match="a has 0, 1 and b has 0; allowed: two seeds or more, the same in both arms"):
        seeds_needed(sample, "a", "b", group, [0.5])
    alone = make_sample(1, 1, 3, {"a": zero.reshape(1, 3, 1, 2), "b": zero.reshape(1, 3, 1, 2)})
    with pytest.raises(InputError, match="cross_lingual of made: all its questions are on one unit"):
        seeds_needed(alone, "a", "b", setting_groups(alone)[0], [0.5])


def test_only_the_units_of_a_group_count() -> None:
    """The second cell has questions on 2 of 40 units, the third on one: there is nothing to be sure of."""
    values = np.random.default_rng(4).normal(size=(40, 1, 3, 1))
    sample = make_sample(40, 3, 1, {"a": values, "b": np.zeros_like(values)})
    keep = (sample.cell == 0) | ((sample.cell == 1) & (sample.unit < 2)) | ((sample.cell == 2) & (sample.unit < 1))
    arms = tuple(replace(arm, values=arm.values[keep]) for arm in sample.arms)
    fewer = replace(sample, cell=sample.cell[keep], unit=sample.unit[keep], arms=arms)
    groups = cell_groups(fewer)
    assert [units_of(fewer, group) for group in groups] == [40, 2, 1]
    two, one = (effect(fewer, "a", "b", group) for group in groups[1:])
    theirs = stats.ttest_1samp(values[:2, 0, 1, 0], 0)
    assert (two.p, two.freedom) == (pytest.approx(theirs.pvalue), 1)
    assert np.isnan([one.error, one.low, one.high, one.p]).all()


def test_the_worst_tenth_is_measured_on_other_questions() -> None:
    random = np.random.default_rng(2)
    once = np.ones((1, 40))
    found = [worst_tenth(make_sample(40, 20, 1, {"a": v}), v.ravel(), once, seed=n)[0] for n, v in
             enumerate(random.normal(size=(200, 40, 1, 20, 1)))]  # fmt: skip
    # all cells are alike, so the worst ones are chosen by luck: measured elsewhere they are as good as any
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(200)
    lower = random.normal(size=(40, 1, 20, 1))
    lower[:, :, :2] -= 5
    assert worst_tenth(make_sample(40, 20, 1, {"a": lower}), lower.ravel(), once)[0] == pytest.approx(-5, abs=0.6)


def test_a_group_of_one_cell_is_its_mean() -> None:
    values = np.random.default_rng(0).normal(size=(5, 2, 3, 1))
    sample = make_sample(5, 3, 2, {"a": values})
    arm: ArmValues = sample.arms[0]
    groups: list[Group] = cell_groups(sample)
    means = [group_mean(sample, arm.values[:, 0], group) for group in groups]
    assert means == pytest.approx(values.mean(axis=(0, 1, 3)).tolist())
