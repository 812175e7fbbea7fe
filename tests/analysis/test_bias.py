"""Every measure of bias worked out by hand on the case of `hand`, and the store's views against it."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from peer_measure import PEEREvaluator, kruskal
from scipy import stats

from tests.analysis.hand import HYBRID, LANGUAGES, MONO, make_store
from tests.analysis.made import setting_groups
from tests.store.synthetic import Tiny, evaluate, make_settings, write_run
from tests.store.test_views import measured
from workbench.analysis import bias
from workbench.analysis.bias import bias_figures
from workbench.analysis.effects import effect
from workbench.analysis.figures import Second, drawn_units, kendall_w, means, medians, statistic
from workbench.analysis.language_tables import UNKNOWN_RANK, BiasFigure, load_ranks
from workbench.analysis.languages import KNOWN, family, script
from workbench.analysis.peer import NO_PACKAGE, ONE_EACH, equal_ranks, peer_values
from workbench.analysis.samples import cell_groups
from workbench.data.catalog import KNOWN_SETS
from workbench.errors import InputError
from workbench.store.database import ingest, query

from .made import make_sample

Key = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("hand"))


def by_key(rows: list[BiasFigure]) -> dict[Key, BiasFigure]:
    return {(row.measure, row.setting, row.query_language, row.passage_language): row for row in rows}


@pytest.fixture(scope="module")
def mono(store: Path) -> dict[Key, BiasFigure]:
    (data,) = load_ranks(store, [MONO])
    return by_key(bias_figures(data))


def value(rows: dict[Key, BiasFigure], measure: str, a: str, b: str = "*", setting: str = "multilingual") -> float:
    figure = rows[measure, setting, a, b].figure
    assert figure
    return figure.value


def test_rank_distance_by_hand(mono: dict[Key, BiasFigure]) -> None:
    # de: 8 7 5 9 and, in the second seed, 4 7 5 9; en: 9 4 19 5 in both; zh: 7 3 19 4 and 7 3 4 4
    assert value(mono, "rank_distance", "de") == pytest.approx((7.25 + 6.25) / 2)
    assert value(mono, "rank_distance", "en") == pytest.approx(9.25)
    assert value(mono, "rank_distance", "zh") == pytest.approx((8.25 + 4.5) / 2)
    assert value(mono, "rank_distance", "*") == pytest.approx((6.75 + 9.25 + 6.375) / 3)
    assert value(mono, "rank_distance_relative", "en") == pytest.approx(9.25 / 200)
    assert value(mono, "rank_distance_median", "de") == pytest.approx((7.5 + 6) / 2)
    assert value(mono, "rank_distance_median", "zh") == pytest.approx((5.5 + 4) / 2)
    assert value(mono, "rank_distance_median", "*") == pytest.approx((6.75 + 7 + 4.75) / 3)
    row = mono["rank_distance", "multilingual", "*", "*"]
    assert row.queries == 12 and row.figure and (row.figure.seeds, row.figure.about) == (2, "samplings")


def test_an_interval_by_hand(mono: dict[Key, BiasFigure]) -> None:
    # en: both seeds alike, so only the paragraphs vary: residuals -.25 -5.25 on p1, over 4 queries -1.375, and 1.375
    # on p2; squares 2 * 1.375^2, times G / (G - 1) = 2
    figure = mono["rank_distance", "multilingual", "en", "*"].figure
    error, half = np.sqrt(4) * 1.375, stats.t.ppf(0.975, 1)
    assert figure and (figure.low, figure.high) == pytest.approx((9.25 - half * error, 9.25 + half * error))


def test_one_article_has_no_interval(store: Path) -> None:
    (data,) = load_ranks(store, [MONO], unit="article")
    rows = by_key(bias_figures(data))
    for measure in ("rank_distance", "rank_distance_median", "kendall_w"):
        figure = rows[measure, "multilingual", "*", "*"].figure
        assert figure and np.isfinite(figure.value) and np.isnan(figure.low)


@pytest.fixture(scope="module")
def difference(store: Path) -> dict[Key, BiasFigure]:
    *alone, data = load_ranks(store, [MONO, HYBRID])
    assert [(one.arm, one.against) for one in alone] == [(MONO, None), (HYBRID, None)]
    return by_key(bias_figures(data))


def test_a_difference_of_two_arms_by_hand(difference: dict[Key, BiasFigure], mono: dict[Key, BiasFigure]) -> None:
    # hybrid, de: 3 2 2 2 and, in the second seed, 2 2 2 2; less mono: by seed -5 and -4.25, variance .28125, over two
    # seeds .140625. Averaged over seeds -3.5 -5 -3 -7: residuals on p1 .75, over 4 queries .1875, and -.1875 on p2;
    # squares .0703125, times G / (G - 1) = 2. Both parts are alike with one degree of freedom, so together with two
    row = difference["rank_distance", "multilingual", "de", "*"]
    assert (row.arm, row.against, row.queries) == (HYBRID, MONO, 4) and row.figure
    half = stats.t.ppf(0.975, 2) * np.sqrt(0.28125)
    assert row.figure.value == pytest.approx(-4.625) and (row.figure.seeds, row.figure.about) == (2, "samplings")
    assert (row.figure.low, row.figure.high) == pytest.approx((-4.625 - half, -4.625 + half))
    assert value(difference, "rank_distance_median", "de") == pytest.approx((2 + 2) / 2 - (7.5 + 6) / 2)
    assert value(difference, "own_language_first", "de") == pytest.approx(0.75 - 0.75)  # not q2, and not q3
    assert value(difference, "language_share@10", "de", "de") == pytest.approx(0.4 - 0.6)
    assert difference["peer@10", "multilingual", "*", "*"].note == ONE_EACH


def test_differences_are_those_of_the_figures(store: Path, difference: dict[Key, BiasFigure]) -> None:
    one, other = (by_key(bias_figures(load_ranks(store, [arm])[0])) for arm in (HYBRID, MONO))
    assert difference.keys() == one.keys() == other.keys()
    for key, row in difference.items():
        if row.figure:
            first, second = one[key].figure, other[key].figure
            assert first and second and row.figure.value == pytest.approx(first.value - second.value)
            assert row.figure.low <= row.figure.value <= row.figure.high
    concordance = difference["kendall_w", "multilingual", "*", "*"].figure
    assert concordance and concordance.value < 0 and -1 <= concordance.low <= concordance.high <= 1


@pytest.mark.parametrize("seeds", [(2, 2), (2, 3), (1, 1), (1, 2)])
@pytest.mark.parametrize("paired", [True, False])
def test_a_difference_has_the_interval_of_an_effect(seeds: tuple[int, int], paired: bool) -> None:
    if paired and seeds[0] != seeds[1]:
        return
    random = np.random.default_rng(7)
    arms = {name: random.normal(size=(30, 2, 3, number)) for name, number in zip("ab", seeds, strict=True)}
    sample = make_sample(30, 3, 2, arms)
    first, second = sample.arms
    if not paired:
        second = replace(second, seeds=tuple(seed + 10 for seed in second.seeds))
        sample = replace(sample, arms=(first, second))
    (group,) = setting_groups(sample)
    values = np.hstack([first.values, second.values])
    (found,) = means(sample, values, [group], Second("b", seeds[1], paired))
    expected = effect(sample, "a", "b", group)
    assert (found.value, found.low, found.high) == pytest.approx((expected.difference, expected.low, expected.high))
    assert (found.seeds, found.about) == (expected.seeds, expected.about)


def test_cells_on_one_unit_have_no_interval() -> None:
    sample = make_sample(2, 2, 3, {"a": np.arange(12.0).reshape(2, 3, 2, 1)})
    keep = (sample.cell == 0) | (sample.unit == 0)  # all of the second cell is on the first unit
    part = replace(sample, cell=sample.cell[keep], unit=sample.unit[keep])
    first, second = means(part, sample.arms[0].values[keep], cell_groups(part))
    assert first.low < first.value < first.high
    assert second.value == pytest.approx(3) and np.isnan([second.low, second.high]).all()


def test_own_language_first_by_hand(mono: dict[Key, BiasFigure]) -> None:
    assert value(mono, "own_language_first", "de") == pytest.approx(0.75)  # not q3
    assert value(mono, "own_language_first", "en") == pytest.approx((0.75 + 1) / 2)  # q4 in the second seed only
    assert value(mono, "own_language_first", "*") == pytest.approx((0.75 + 0.875 + 0.75) / 3)


def test_shares_by_hand(mono: dict[Key, BiasFigure]) -> None:
    # queries in de: 7 2 1 of the first ten on p1, 5 2 3 on p2; the pool is 50, 100 and 50 of 200
    assert [value(mono, "language_share@10", "de", b) for b in LANGUAGES] == pytest.approx([0.6, 0.2, 0.2])
    assert [value(mono, "language_share_relative@10", "de", b) for b in LANGUAGES] == pytest.approx([2.4, 0.4, 0.8])
    assert value(mono, "language_share@10", "*", "de") == pytest.approx((0.6 + 0.2 + 0.1) / 3)
    assert value(mono, "language_share@10", "*", "own") == pytest.approx((0.6 + 0.7 + 0.7) / 3)
    assert value(mono, "language_share_relative@10", "*", "own") == pytest.approx((2.4 + 1.4 + 2.8) / 3)
    assert value(mono, "language_share_relative@100", "de", "de") == pytest.approx(0.45 * 4)
    sums = [
        sum(value(mono, f"language_share@{k}", a, b) for b in LANGUAGES)
        for a in ["de", "en", "zh", "*"]
        for k in (10, 100)
    ]
    assert sums == pytest.approx([1] * 8)


def test_ranks_by_passage_language_by_hand(mono: dict[Key, BiasFigure]) -> None:
    # passages in de: from en 3 5 2 6 and 3 5 2 2, from zh 8 4 10 5 and 8 4 4 5; those from de do not count in the mean
    assert value(mono, "mean_rank", "en", "de") == pytest.approx((4 + 3) / 2)
    assert value(mono, "mean_rank", "*", "de") == pytest.approx((3.5 + (6.75 + 5.25) / 2) / 2)
    # less the relevants above: from en 2 3 1 4 and 2 3 1 1, from zh 6 2 9 3 and 6 2 3 3
    assert value(mono, "single_target_rank", "en", "de") == pytest.approx((2.5 + 1.75) / 2)
    assert value(mono, "single_target_rank", "*", "de") == pytest.approx((2.125 + (5 + 3.5) / 2) / 2)
    assert mono["mean_rank", "multilingual", "*", "de"].queries == 8


def test_kendalls_w_by_hand(mono: dict[Key, BiasFigure]) -> None:
    # two languages beside one's own, four queries. de: en always above zh, W = 1. en: two for each, 0; in the second
    # seed three to one, rank sums 5 and 7, S = 2, W = 12 * 2 / (16 * 6). zh: three to one in both
    assert value(mono, "kendall_w", "de") == pytest.approx(1)
    assert value(mono, "kendall_w", "en") == pytest.approx((0 + 0.25) / 2)
    assert value(mono, "kendall_w", "zh") == pytest.approx(0.25)
    assert value(mono, "kendall_w", "*") == pytest.approx((1 + 0.125 + 0.25) / 3)
    figure = mono["kendall_w", "multilingual", "*", "*"].figure
    assert figure and 0 <= figure.low <= figure.value <= figure.high <= 1


def test_language_cost_by_hand(mono: dict[Key, BiasFigure]) -> None:
    # de to en: alone 2 1 1 4, in the pool of all 3 2 1 4 as a single target; in the second seed 1 1 1 4 and 1 2 1 4
    alone = [(1 / 2 + 1 + 1 + 1 / 4) / 4, (1 + 1 + 1 + 1 / 4) / 4]
    merged = [(1 / 3 + 1 / 2 + 1 + 1 / 4) / 4, (1 + 1 / 2 + 1 + 1 / 4) / 4]
    assert value(mono, "single_target_mrr", "de", "en", "cross_lingual") == pytest.approx(sum(merged) / 2)
    assert value(mono, "language_cost", "de", "en", "cross_lingual") == pytest.approx((sum(alone) - sum(merged)) / 2)
    assert value(mono, "language_cost", "zh", "zh", "monolingual") == 0
    pairs = [(a, b) for a in LANGUAGES for b in LANGUAGES if a != b]
    mean = np.mean([value(mono, "language_cost", *pair, "cross_lingual") for pair in pairs])
    assert value(mono, "language_cost", "*", "*", "cross_lingual") == pytest.approx(mean)


def test_peer_is_undefined_with_one_relevant_a_language(mono: dict[Key, BiasFigure]) -> None:
    row = mono["peer@10", "multilingual", "*", "*"]
    assert row.figure is None and row.note == ONE_EACH == "undefined (one relevant per language)"


def test_the_same_figures_on_every_run(store: Path) -> None:
    one, again = (bias_figures(load_ranks(store, [HYBRID, MONO])[0]) for _ in range(2))
    assert one == again and one[0].arm == HYBRID


def test_views_by_hand(store: Path) -> None:
    run = "20261122-1403-mono-s0-aaaa"
    rows = query(
        store,
        "select query_id, rank, single_target_rank from single_target_ranks "
        "where run_id = ? and query_language = 'zh' and passage_language = 'de' order by all",
        [run],
    ).rows
    assert rows == [("q1", 8, 6), ("q2", 4, 2), ("q3", 10, 9), ("q4", 5, 3)]
    rows = query(
        store,
        "select mean_rank, single_target_rank, single_target_mrr, queries from passage_language_ranks "
        "where run_id = ? and query_language = 'en' and passage_language = 'de'",
        [run],
    ).rows
    assert rows == [(4, 2.5, pytest.approx((1 / 2 + 1 / 3 + 1 + 1 / 4) / 4), 4)]
    rows = query(
        store,
        "select setting, mrr, cost from language_cost where run_id = ? and query_language = 'de' "
        "and pool_language = 'en'",
        [run],
    ).rows
    assert rows == [("cross_lingual", pytest.approx(0.6875), pytest.approx(1 / 6))]


@pytest.mark.parametrize("found", [1.0, 0.7])
def test_views_and_figures_agree(tmp_path: Path, found: float) -> None:
    store = tmp_path / "results.duckdb"
    task = Tiny(questions=9, pool=50, per_language=3)
    ingest(store, write_run(tmp_path / "runs", results=measured(task, found=found)))
    (data,) = load_ranks(store, ["hybrid-a50-1c9e07"])
    figures = by_key(bias_figures(data))
    rows = query(
        store,
        "select r.*, c.setting, c.cost from passage_language_ranks r join language_cost c "
        "on c.query_language = r.query_language and c.pool_language = r.passage_language",
    ).dicts()
    assert len(rows) == 9
    for row in rows:
        pair = row["query_language"], row["passage_language"]
        for measure in ("mean_rank", "single_target_rank"):
            of_figure = figures[measure, "multilingual", *pair].figure
            assert (row[measure] is None) == (of_figure is None)
            assert of_figure is None or of_figure.value == pytest.approx(row[measure])
        for measure, name in (("single_target_mrr", "single_target_mrr"), ("language_cost", "cost")):
            of_figure = figures[measure, row["setting"], *pair].figure
            assert of_figure and of_figure.value == pytest.approx(row[name], abs=1e-6)
    stored = query(
        store, "select query_language, measure, value from cell_measures where setting = 'multilingual'"
    ).rows
    for language, measure, of_store in stored:
        if measure.startswith("rank_distance") or measure == "own_language_first":
            assert value(figures, measure, language) == pytest.approx(of_store, rel=1e-6)
    unknown = figures["rank_distance", "multilingual", "*", "*"]
    assert (unknown.note == UNKNOWN_RANK and unknown.figure is None) == (found < 1)


def test_languages_that_a_task_leaves_out_do_not_count_in_means(tmp_path: Path) -> None:
    store, results = tmp_path / "results.duckdb", measured(Tiny(), found=1.0)
    results.tasks[0]["options"] = {"leave_out": ["zh"]}
    ingest(store, write_run(tmp_path / "runs", results=results))
    rows = by_key(bias_figures(load_ranks(store, ["hybrid-a50-1c9e07"])[0]))
    for measure in ("rank_distance", "rank_distance_median", "kendall_w", "own_language_first"):
        assert value(rows, measure, "*") == pytest.approx((value(rows, measure, "en") + value(rows, measure, "th")) / 2)
    pairs = [value(rows, "language_cost", *pair, "cross_lingual") for pair in (("en", "th"), ("th", "en"))]
    assert value(rows, "language_cost", "*", "*", "cross_lingual") == pytest.approx(sum(pairs) / 2)


def test_a_task_without_a_multilingual_setting_has_no_bias(tmp_path: Path) -> None:
    store, results = tmp_path / "results.duckdb", evaluate(Tiny())
    results.tables["relevant_ranks"] = [r for r in results.tables["relevant_ranks"] if r["pool_language"] != "*"]
    results.tables["retrieved_languages"] = []
    ingest(store, write_run(tmp_path / "runs", results=results))
    with pytest.raises(InputError, match="tiny: it has no multilingual setting"):
        load_ranks(store, ["hybrid-a50-1c9e07"])


def test_seeds_that_were_measured_on_other_queries_are_refused(tmp_path: Path) -> None:
    store = tmp_path / "results.duckdb"
    for seed in (0, 1):
        results = measured(Tiny(), found=1.0)
        if seed:
            results.tables["relevant_ranks"] = results.tables["relevant_ranks"][:-1]
        ingest(store, write_run(tmp_path / "runs", f"20261122-1403-hybrid-a50-s{seed}-7f3c", results=results,
                                settings=make_settings(seed=seed)))  # fmt: skip
    with pytest.raises(InputError, match="not measured on the same queries"):
        load_ranks(store, ["hybrid-a50-1c9e07"])


# ------------------------------------------------------------------------------------------------- PEER


def listed(ranks: dict[int, list[int]]) -> np.ndarray:
    """The relevants of one query by language, as `ParallelRanks.listed` has them."""
    return np.array([(0, 0, language, rank) for language, of_it in ranks.items() for rank in of_it], np.int32)


def test_peer_by_hand() -> None:
    # mean ranks 1.5 and 3.5 about 2.5: between 2 * 1 + 2 * 1, in all 2 * 2.25 + 2 * .25, H = 3 * 4 / 5
    assert equal_ranks(kruskal, listed({0: [1, 2], 1: [3, 4]}), 10) == pytest.approx(stats.chi2.sf(2.4, 1))
    assert equal_ranks(kruskal, listed({0: [1, 4], 1: [2, 3]}), 10) == pytest.approx(1)
    assert equal_ranks(kruskal, listed({0: [11, 12], 1: [0, 30]}), 10) == 1  # nothing found is found alike


def test_peer_sees_the_ranks_that_the_package_would() -> None:
    relevant = {1: "de:0", 4: "de:1", 2: "en:0", 30: "en:1"}
    languages = {passage: passage[:2] for passage in relevant.values()} | {"other": "de"}
    evaluator = PEEREvaluator.__new__(PEEREvaluator)
    evaluator.all_mappings = {0: ({"de", "en"}, languages)}
    run = [(relevant.get(rank, "other"), -float(rank)) for rank in range(1, 41)]
    qrel = dict.fromkeys(relevant.values(), 1) | {"other": 0}
    theirs = evaluator.assign_rels_langs_ranks(0, 10, qrel, run)[1]
    expected = kruskal(theirs["de"], theirs["en"])[1]
    assert equal_ranks(kruskal, listed({0: [1, 4], 1: [2, 30]}), 10) == pytest.approx(expected)


def test_peer_is_the_mean_over_queries(tmp_path: Path) -> None:
    store = tmp_path / "results.duckdb"
    ingest(store, write_run(tmp_path / "runs", results=measured(Tiny(pool=30, per_language=2), found=1.0)))
    (data,) = load_ranks(store, ["hybrid-a50-1c9e07"])
    values, _ = peer_values(data.ranks, 100)
    assert np.isfinite(values).all() and np.unique(values).size > 2
    assert value(by_key(bias_figures(data)), "peer@100", "en") == pytest.approx(values[:6].mean())


def test_without_the_package_peer_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "results.duckdb"
    ingest(store, write_run(tmp_path / "runs", results=measured(Tiny(per_language=2), found=1.0)))
    monkeypatch.setitem(sys.modules, "peer_measure", None)
    rows = by_key(bias_figures(load_ranks(store, ["hybrid-a50-1c9e07"])[0]))
    assert rows["peer@100", "multilingual", "*", "*"].note == NO_PACKAGE


# -------------------------------------------------------------------------------------------- statistics


def test_weighted_medians_are_those_of_repeated_values() -> None:
    random = np.random.default_rng(0)
    values, unit = random.integers(0, 20, 30).astype(float), random.integers(0, 6, 30)
    times = drawn_units(6, draws=50)
    expected = [np.median(np.repeat(values, of_draw[unit].astype(int))) for of_draw in times]
    assert medians(values, unit, times).tolist() == pytest.approx(expected)
    assert np.isnan(medians(values, unit, np.zeros((1, 6))))


def test_kendalls_w_is_that_of_friedmans_statistic() -> None:
    ranks = stats.rankdata(np.random.default_rng(1).integers(0, 5, (12, 4)), axis=1)  # with ties
    ties = sum((counts**3 - counts).sum() for counts in (np.unique(row, return_counts=True)[1] for row in ranks))
    found = kendall_w(ranks.sum(axis=0)[None], np.array([float(ties)]), np.array([12.0]), np.ones((1, 1)))
    assert found[0] == pytest.approx(stats.friedmanchisquare(*ranks.T).statistic / (12 * 3))
    placed = bias.concordance_of(ranks.astype(int) * 2, np.zeros(12, int), 1)(np.ones((1, 1)))
    assert 0 < placed[0] < 1


def test_the_bootstrap_of_a_mean_has_about_its_clustered_error() -> None:
    values = np.random.default_rng(4).normal(size=(100, 1, 1, 2)) + np.random.default_rng(5).normal(size=(100, 3, 1, 2))
    sample = make_sample(100, 1, 3, {"a": values})
    column = sample.arms[0].values
    (mean,) = means(sample, column, setting_groups(sample))
    sums = [sample.sums(v)[:, 0] for v in column.T]
    drawn = statistic([lambda times, s=s: times @ s / (times.sum(axis=1) * 3) for s in sums], 100, used=100)  # type: ignore[misc]
    assert drawn.value == pytest.approx(mean.value) and drawn.about == mean.about == "samplings"
    assert drawn.high - drawn.low == pytest.approx(mean.high - mean.low, rel=0.1)


def test_every_language_of_the_catalogue_has_a_script_and_a_family() -> None:
    assert {language for known in KNOWN_SETS for language in known.languages} <= KNOWN.keys()
    assert (script("zh"), family("zh"), script("sr"), family("tr")) == ("Hani", "Sino-Tibetan", "Cyrl", "Turkic")
    assert (script("xx"), family("xx")) == ("unknown", "unknown")


def test_the_interval_of_kendalls_w_covers_it() -> None:
    def ranks(units: int, *seed: int) -> np.ndarray:
        random = np.random.default_rng(seed)
        taste = np.linspace(0, 1, 8) + 0.7 * random.normal(size=(units, 1, 8))  # shared by the queries of a paragraph
        return (taste + random.normal(size=(units, 4, 8))).argsort(axis=-1).argsort(axis=-1).reshape(-1, 8) + 1

    many, runs, covered = ranks(20_000, 0), 200, 0
    truth = bias.concordance_of(many, np.zeros(len(many), int), 1)(np.ones((1, 1)))[0]
    for run in range(runs):
        found = statistic([bias.concordance_of(ranks(100, run, 1), np.repeat(np.arange(100), 4), 100)], 100, used=100)
        covered += found.low <= truth <= found.high
    assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs) <= covered / runs <= 0.995
