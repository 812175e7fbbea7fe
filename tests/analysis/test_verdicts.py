"""Verdicts on stores whose arms are as good as was chosen."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.analysis.claimed import TASK, Arm, level, make_store
from tests.analysis.made import make_sample, setting_groups, worst_tenth
from workbench.analysis.claim_arms import is_synthetic
from workbench.analysis.claims import ArmOf, Claim, Comparison, Difference, limit_of, read_claims
from workbench.analysis.effects import effect
from workbench.analysis.evenness import evenness_effect, spread
from workbench.analysis.evenness import worst_tenth as drawn_worst_tenth
from workbench.analysis.samples import Sample
from workbench.analysis.stored import load_sample
from workbench.analysis.verdicts import Finding, direction_of, judge, p_values
from workbench.records import PairSetSpec, SyntheticSpec, TrainSpec
from workbench.store.database import query

MONO = Arm("mono", level(0.8, 0.4, 0.3))
CROSS = Arm("cross", level(0.5, 0.7, 0.6))
HYBRID = Arm("hybrid", level(0.9, 0.8, 0.9), far=8)
CLAIMS = {claim.name: claim for claim in read_claims([])}


def seeded(seeds: Sequence[int], *arms: Arm) -> list[Arm]:
    return [replace(arm, seeds=seeds) for arm in arms]


def verdict(store: Path, name: str) -> Finding:
    (found,) = judge(store, [CLAIMS[name]])
    return found


@pytest.fixture(scope="module")
def three_arms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("three"), [MONO, CROSS, HYBRID])


def test_verdicts_on_samplings(three_arms: Path) -> None:
    found = {finding.case.claim.name: finding for finding in judge(three_arms, list(CLAIMS.values()))}
    verdicts = {name: finding.verdict for name, finding in found.items()}
    assert verdicts == {
        "best_multilingual": "supported",
        "no_worse": "supported",
        "every_model": "not testable yet",
        "rank_distance": "supported",
        "unseen_languages": "supported",
        "evenness": "not testable yet",
        "no_leakage": "supported",
    }
    best = found["best_multilingual"]
    assert best.about == "samplings" and best.seeds == 3 and not best.missing
    assert [one.second.spec.settings.train.sampling.strategy for one in best.evidence] == ["mono", "cross"]  # type: ignore[union-attr]
    assert found["unseen_languages"].evidence[0].languages == ("th", "zh")
    assert [one.cells for one in found["unseen_languages"].evidence] == [2, 10]
    assert found["every_model"].unplanned == ("the same arms from 1 further starting model(s)",)
    assert "made by machine" in found["evenness"].unplanned[0]
    assert "9 runs were checked" in found["no_leakage"].reason


def test_the_numbers_are_those_of_the_effect_and_of_holm(three_arms: Path) -> None:
    mono, cross = CLAIMS["best_multilingual"].comparisons[:2]
    claims = [
        Claim("one", "a.", "me", (mono,)),
        Claim("two", "b.", "me", (cross,)),
        Claim("three", "c.", "me", (replace(mono, setting="monolingual"),)),
    ]
    found = judge(three_arms, claims)
    hybrid = found[0].evidence[0].first.name
    alone = []
    for finding in found:
        (one,) = finding.evidence
        sample = load_sample(three_arms, [hybrid, one.second.name])
        group = next(g for g in setting_groups(sample) if g.name == one.comparison.setting)
        expected = effect(sample, hybrid, one.second.name, group)
        assert one.effect == replace(expected, group=one.effect.group)
        assert one.p_supported == pytest.approx(
            min(1, 2 * stats.t.sf(expected.difference / expected.error, expected.freedom))
        )
        assert one.values[0] - one.values[1] == pytest.approx(expected.difference)
        alone.append(one.p_supported)
    order = np.argsort(alone)
    steps = np.maximum.accumulate(np.array(alone)[order] * [3, 2, 1]).clip(max=1)
    assert [found[n].p for n in order] == pytest.approx(steps.tolist())


def test_a_claim_is_contradicted_where_one_comparison_fails(tmp_path: Path) -> None:
    store = make_store(tmp_path, [MONO, replace(CROSS, quality=level(0.5, 0.7, 0.99)), HYBRID])
    found = verdict(store, "best_multilingual")
    assert found.verdict == "contradicted" and found.about == "samplings"
    assert found.p is not None and found.p == pytest.approx(2 * min(one.p_contradicted for one in found.evidence))


def test_arms_that_are_alike_are_not_told_apart_and_the_detectable_difference_is_given(tmp_path: Path) -> None:
    alike = level(0.6, 0.6, 0.6)
    arms = [Arm("mono", alike, drift=0.03), Arm("hybrid", alike, seeds=(3, 4, 5), drift=0.01)]
    store = make_store(tmp_path, arms)
    found = verdict(store, "unseen_languages")
    assert found.verdict == "not distinguishable"
    assert all(one.effect.detectable > 0 and not one.effect.paired for one in found.evidence)


def test_the_detectable_difference_is_in_the_measure_that_decides(three_arms: Path) -> None:
    mono = CLAIMS["best_multilingual"].comparisons[0]
    far = replace(CLAIMS["rank_distance"].comparisons[0], ratio=1.0)
    (found,) = judge(three_arms, [Claim("sure", "a.", "me", (mono, far))])
    just = replace(mono, margin=found.evidence[0].effect.difference)  # as far as it goes
    for one, expected in ((just, "not distinguishable"), (replace(mono, direction="lower"), "contradicted")):
        (found,) = judge(three_arms, [Claim("both", "a.", "me", (one, far))])
        assert found.verdict == expected and found.evidence[1].effect.detectable > 1  # in ranks
        assert found.detectable == found.evidence[0].effect.detectable < 1


def test_no_worse_needs_a_bound_within_the_margin(tmp_path: Path) -> None:
    one = Comparison(ArmOf("hybrid"), ArmOf("mono"), "monolingual", "at_least")
    worse = [Arm("mono", level(0.8, 0.4, 0.3)), Arm("hybrid", level(0.79, 0.4, 0.3))]
    store = make_store(tmp_path, worse)
    wide = Claim("wide", "a.", "me", (replace(one, margin=0.1),))
    narrow = Claim("narrow", "b.", "me", (replace(one, margin=0.0001),))
    supported, open_ = judge(store, [wide, narrow])
    assert supported.verdict == "supported" and open_.verdict in ("not distinguishable", "contradicted")
    (evidence,) = supported.evidence
    lower_bound = evidence.effect.difference - stats.t.ppf(0.95, evidence.effect.freedom) * evidence.effect.error
    assert evidence.limit == -0.1 and (lower_bound > -0.1) == (evidence.p_supported < 0.05)
    assert limit_of(one) == -0.005 and limit_of(replace(one, direction="higher")) == 0


def test_one_seed_speaks_of_checkpoints_and_says_which_runs_are_missing(tmp_path: Path) -> None:
    store = make_store(tmp_path, [replace(MONO, seeds=(4,)), replace(HYBRID, seeds=(4,))])
    found = verdict(store, "rank_distance")
    assert (found.verdict, found.about, found.seeds) == ("supported", "questions only, one seed", 1)
    (one,) = found.evidence
    assert [run.label for run in found.missing] == [
        f"hybrid alpha 0.5, builtin, of {one.first.name}, seed 0",
        f"hybrid alpha 0.5, builtin, of {one.first.name}, seed 1",
        f"mono, builtin, of {one.second.name}, seed 0",
        f"mono, builtin, of {one.second.name}, seed 1",
    ]
    assert not any(run.is_new for run in found.missing)


def test_what_is_missing_is_named_to_the_run(tmp_path: Path) -> None:
    store = make_store(tmp_path, [HYBRID, replace(MONO, seeds=(0, 1))])
    found = verdict(store, "best_multilingual")
    assert found.verdict == "not testable yet" and found.reason == "runs are missing" and found.about is None
    mono = next(run.like.name for run in found.missing)
    expected = [f"mono, builtin, of {mono}, seed 2", *(f"cross, builtin, seed {seed}" for seed in range(3))]
    assert [run.label for run in found.missing] == expected
    assert [run.is_new for run in found.missing] == [False, True, True, True]


def test_a_ratio_is_far_smaller_and_not_just_smaller(tmp_path: Path) -> None:
    # distances (ranks 1 2 3 4: 3; else 2 to far): all questions answered badly, so 38 against 34
    badly = level(-1, -1, -1)
    store = make_store(tmp_path, seeded((0, 1), Arm("mono", badly, far=40), Arm("hybrid", badly, far=36)))
    found = verdict(store, "rank_distance")
    (one,) = found.evidence
    assert one.values == (34, 38) and one.effect.difference == pytest.approx(34 - 0.8 * 38)
    assert found.verdict == "contradicted"


def test_arms_that_differ_otherwise_are_not_held_against_each_other(tmp_path: Path) -> None:
    store = make_store(tmp_path, seeded((0,), MONO, replace(HYBRID, rate=3e-5)))
    found = judge(store, [CLAIMS["rank_distance"]])
    assert [finding.verdict for finding in found] == ["not testable yet"] * 2
    assert {run.settings.train.learning_rate for run in found[0].missing + found[1].missing} == {1e-4, 3e-5}  # type: ignore[union-attr]


def test_each_alpha_in_the_range_is_a_case_and_others_are_none(tmp_path: Path) -> None:
    arms = seeded((0,), MONO, HYBRID, replace(HYBRID, alpha=0.4), replace(HYBRID, alpha=0.9))
    found = judge(make_store(tmp_path, arms), [CLAIMS["rank_distance"]])
    assert sorted(finding.evidence[0].first.name[:10] for finding in found) == ["hybrid-a40", "hybrid-a50"]


def test_every_model_has_to_agree(tmp_path: Path) -> None:
    arms = seeded((0,), MONO, CROSS, HYBRID)
    other = [replace(arm, model="hub/other") for arm in arms]
    found = verdict(make_store(tmp_path, [*arms, *other]), "every_model")
    assert found.verdict == "supported" and len(found.evidence) == 8
    assert {one.first.model for one in found.evidence} == {"builtin", "other"}
    weak = replace(other[2], quality=level(0.8, 0.7, 0.2))
    found = verdict(make_store(tmp_path / "weak", [*arms, *other[:2], weak]), "every_model")
    assert found.verdict == "contradicted"


def test_languages_that_nobody_recorded_or_that_all_were_trained_on(tmp_path: Path) -> None:
    everything = [replace(arm, drawn=TASK.languages) for arm in seeded((0,), MONO, HYBRID)]
    found = verdict(make_store(tmp_path, everything), "unseen_languages")
    assert found.verdict == "not testable yet" and "no multilingual cell of unseen languages" in found.reason
    unknown = [replace(arm, drawn=()) for arm in seeded((0,), MONO, HYBRID)]
    found = verdict(make_store(tmp_path / "unknown", unknown), "unseen_languages")
    assert "no record of the languages" in found.reason


def uneven(low: float) -> Arm:
    def quality(setting: str, query_language: str, pool: str) -> float:
        return low if "th" in (query_language, pool) and setting == "cross_lingual" else 0.8

    return Arm("hybrid", quality)


def test_evenness_over_language_pairs(tmp_path: Path) -> None:
    sets = {"mmarco": PairSetSpec(loader="mmarco", path="mmarco"), "demo": PairSetSpec(loader="demo")}
    even, not_even = replace(uneven(0.75), sets=sets), uneven(0.2)
    store = make_store(tmp_path, seeded((0, 1), even, not_even))
    found = verdict(store, "evenness")
    assert found.verdict == "supported" and [one.comparison.of for one in found.evidence] == ["spread", "worst_tenth"]
    assert all(one.cells == 12 for one in found.evidence)
    other = seeded((0,), replace(even, sets=not_even.sets), replace(not_even, sets=sets))
    swapped = make_store(tmp_path / "swapped", other)
    assert verdict(swapped, "evenness").verdict == "contradicted"


def test_evenness_by_hand(three_arms: Path) -> None:
    sample = load_sample(three_arms, [judge(three_arms, [CLAIMS["rank_distance"]])[0].evidence[0].first.name])
    values = sample.arms[0].values[:, 0]
    once = np.ones((1, len(sample.units)))
    assert spread(sample, values, once)[0] == pytest.approx(np.std(sample.means(values), ddof=1))
    assert drawn_worst_tenth(sample, values, once)[0] == pytest.approx(worst_tenth(sample, values))
    twice = np.zeros((1, len(sample.units)))
    twice[0, :2] = 2, 1
    kept = sample.unit < 2
    weight = np.where(sample.unit[kept] == 0, 2.0, 1.0)
    means = [np.average(values[kept][sample.cell[kept] == c], weights=weight[sample.cell[kept] == c])
             for c in range(len(sample.cells))]  # fmt: skip
    assert spread(sample, values, twice)[0] == pytest.approx(np.std(means, ddof=1))


def test_leaks(tmp_path: Path) -> None:
    (mono, hybrid), runs = seeded((0,), MONO, HYBRID), (0, 1)
    leaky = verdict(make_store(tmp_path / "a", [mono, replace(hybrid, leaked=True)]), "no_leakage")
    assert leaky.verdict == "contradicted" and "hybrid-a50" in leaky.reason and "mono" not in leaky.reason
    unknown = verdict(make_store(tmp_path / "b", [mono, replace(hybrid, leaked=None, seeds=runs)]), "no_leakage")
    assert unknown.verdict == "not testable yet" and [run.settings.seed for run in unknown.missing] == [0, 1]


def crossed(random: np.random.Generator, shift: float) -> Sample:
    """Arms of three seeds each, other ones, on 30 units: seeds and units vary, and the first is better by `shift`."""
    unit = random.normal(size=(30, 1, 1, 1))
    values = [unit + 0.3 * random.normal(size=(1, 1, 1, 3)) + 0.5 * random.normal(size=(30, 2, 2, 3)) for _ in "ab"]
    return make_sample(30, 2, 2, {"a": values[0] + shift, "b": values[1]})


@pytest.mark.parametrize(
    ("direction", "margin"), [("higher", 0.0), ("lower", 0.3), ("at_least", 0.2), ("at_most", 0.2)]
)
def test_a_false_claim_is_seldom_supported_and_a_true_one_seldom_contradicted(direction: Any, margin: float) -> None:
    one = Comparison(ArmOf("hybrid"), ArmOf("mono"), "cross_lingual", direction, margin=margin)
    truth = direction_of(one) * limit_of(one)  # on the border, where both errors are likeliest
    found = []
    for run in range(500):
        sample = crossed(np.random.default_rng([run, 3]), truth)
        found.append(p_values(one, effect(sample, "a", "b", setting_groups(sample)[0])))
    wrong = (np.array(found) <= 0.05).mean(axis=0)
    nominal = 0.025 if direction in ("higher", "lower") else 0.05
    assert (wrong <= nominal + 3 * np.sqrt(nominal / 500)).all() and (wrong > 0).all()


def test_intervals_of_evenness_cover_and_find() -> None:
    covered = found = 0
    for run in range(100):
        random = np.random.default_rng([run, 9])
        cells = np.linspace(0, 2, 8)[None, None, :, None]  # a spread of .7 against half of it
        noise = [random.normal(size=(60, 1, 1, 1)) + 0.5 * random.normal(size=(60, 1, 8, 2)) for _ in "ab"]
        sample = make_sample(60, 8, 1, {"a": cells + noise[0], "b": cells / 2 + noise[1]})
        (group,) = setting_groups(sample)
        effect_ = evenness_effect(sample, "a", "b", group, "spread", seed=run)
        truth = float(np.std(cells, ddof=1)) / 2
        covered += effect_.low <= truth <= effect_.high
        found += effect_.p <= 0.05
    assert covered >= 88 and found >= 95


def test_which_arms_train_on_texts_made_by_machine() -> None:
    human = {"demo": PairSetSpec(loader="demo")}
    known: list[tuple[TrainSpec, bool | None]] = [
        (TrainSpec(human), False),
        (TrainSpec(human, synthetic=SyntheticSpec(share=0.0)), False),
        (TrainSpec(human, synthetic=SyntheticSpec(share=0.25)), True),
        (TrainSpec(human, synthetic=SyntheticSpec()), True),
        (TrainSpec(human, synthetic=SyntheticSpec(shares={"de": 0.0})), False),
        (TrainSpec(human, synthetic=SyntheticSpec(shares={"de": 0.5})), True),
        (TrainSpec({"own": PairSetSpec(loader="parquet")}), None),
        (TrainSpec({"mmarco": PairSetSpec(loader="mmarco")}), True),
    ]
    assert [is_synthetic(train) for train, _ in known] == [answer for _, answer in known]


# --------------------------------------------------------------------------- labels, chosen cells, four arms


def labelled(sampling: str, label: str, quality: float, seeds: Sequence[int], languages: tuple[str, ...]) -> Arm:
    sets = {"demo": PairSetSpec(loader="demo", languages=languages)}
    return Arm(sampling, level(0.8, quality, 0.5), seeds, sets=sets, label=label)


@pytest.fixture(scope="module")
def four_arms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    few, more = ("de", "en"), ("de", "en", "zh")
    arms = [
        labelled("hybrid", "hybrid-few", 0.5, (0, 1, 2, 3), few),
        labelled("cross", "cross-few", 0.5, (0, 1, 2), few),
        labelled("hybrid", "hybrid-more", 0.8, (0, 1, 2), more),
        labelled("cross", "cross-more", 0.6, (0, 1, 2), more),
    ]
    return make_store(tmp_path_factory.mktemp("four"), arms)


FOUR = Comparison(
    ArmOf(label="hybrid-more"),
    ArmOf(label="cross-more"),
    "cross_lingual",
    "higher",
    within=("de", "en", "zh"),
    touching=("zh",),
    less=Difference(ArmOf(label="hybrid-few"), ArmOf(label="cross-few")),
)


def test_a_difference_of_differences_on_chosen_cells(four_arms: Path) -> None:
    (finding,) = judge(four_arms, [Claim("more", "More is better.", "me", (FOUR,))])
    (one,) = finding.evidence
    sql = """
        select r.config ->> '$.settings.label', r.seed, avg(1 / m.rank) from relevant_ranks m join runs r using (run_id)
        where m.setting = 'cross_lingual' and r.seed < 3
            and list_contains(['de', 'en', 'zh'], m.query_language)
            and list_contains(['de', 'en', 'zh'], m.pool_language)
            and 'zh' in (m.query_language, m.pool_language)
        group by all
    """
    value = {(label, seed): mean for label, seed, mean in query(four_arms, sql).rows}
    by_seed = [
        [value[f"hybrid-{data}", seed] - value[f"cross-{data}", seed] for seed in range(3)] for data in ("more", "few")
    ]
    assert one.cells == 4 and one.languages == ("zh",)
    assert one.effect.difference == pytest.approx(np.mean(by_seed[0]) - np.mean(by_seed[1]))
    assert one.values == pytest.approx((np.mean(by_seed[0]), np.mean(by_seed[1])))
    assert one.effect.seed_deviation == pytest.approx(np.std(np.subtract(*by_seed), ddof=1))
    assert one.effect.paired and one.effect.seeds == 3
    assert finding.verdict == "supported"
    assert [run.label.split("-")[0] for run in finding.missing] == [
        "hybrid alpha 0.5, builtin, of hybrid",
        "cross, builtin, of cross",
        "cross, builtin, of cross",
    ]
    assert all(run.label.endswith("seed 3") for run in finding.missing)


def test_cells_are_chosen_by_language(four_arms: Path) -> None:
    plain = replace(FOUR, less=None)
    for within, touching, number in ((None, None, 12), (("de", "en"), None, 2), (None, ("th",), 6)):
        one = replace(plain, within=within, touching=touching)
        (finding,) = judge(four_arms, [Claim("c", "c.", "me", (one,))])
        assert finding.evidence[0].cells == number
    with_unknown = Claim("c", "c.", "me", (replace(plain, touching=("xx",)),))
    (finding,) = judge(four_arms, [with_unknown])
    assert finding.verdict == "not testable yet"
    assert finding.reason.startswith("touching: 'xx': tiny has no such language; allowed: de, en, th, zh")


def test_arms_without_a_seed_in_common_have_no_difference_of_differences(tmp_path: Path) -> None:
    few, more = ("de", "en"), ("de", "en", "zh")
    names = {"hybrid-more": (0, more), "cross-more": (0, more), "hybrid-few": (1, few), "cross-few": (1, few)}
    arms = [labelled(name.split("-")[0], name, 0.5, (seed,), of) for name, (seed, of) in names.items()]
    (finding,) = judge(make_store(tmp_path, arms), [Claim("c", "c.", "me", (FOUR,))])
    assert finding.verdict == "not testable yet"
    assert finding.reason.endswith("have no seed in common")
