"""Comparisons of the arms of a case worked out by hand, out of a store."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.analysis.hand import ALONE, HYBRID, LANGUAGES, MONO, make_store
from tests.store.synthetic import Tiny, evaluate, make_settings, write_run
from workbench.errors import InputError
from workbench.reports.comparison_tables import COLUMNS, compared_rows, print_compared, print_effects, print_pairs
from workbench.reports.comparisons import arm_cells, cell_rows, compared, measure_figures, unequal_tasks
from workbench.reports.overview import arm_figures
from workbench.reports.power import power_rows, print_power
from workbench.store.database import ingest, query

ARMS = [MONO, HYBRID]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("hand"))


def test_a_cell_by_hand(store: Path) -> None:
    """German queries, Chinese pool; map is 1 / rank. mono: 5 4 2 5 and 2 4 2 5; hybrid: 2 1 1 1 and 1 1 1 1."""
    rows = cell_rows(store, ARMS)
    (row,) = [
        r for r in rows if (r["setting"], r["query_language"], r["pool_language"]) == ("cross_lingual", "de", "zh")
    ]
    assert row["mean"] == pytest.approx((0.875 + 1) / 2)
    assert row["difference"] == pytest.approx((0.875 + 1) / 2 - (0.2875 + 0.3625) / 2)
    # two paragraphs: sums of differences 1.15 and 1.3; of four arrangements ++ and -- are as extreme
    assert row["p"] == 0.5 and row["p_family"] == pytest.approx(0.5) and row["p_holm"] == 1
    # drawn with replacement: both paragraphs, or one of them twice
    assert (row["low"], row["high"]) == (pytest.approx(1.15 / 2), pytest.approx(1.3 / 2))
    assert (row["queries"], row["seeds"], row["mark"]) == (4, 2, "")
    assert len(rows) == 12


def cross_lingual_by_hand() -> tuple[float, float, float, float, float]:
    """hybrid minus mono, hybrid's mean; variances of the mean: of two seeds, by two paragraphs, by what seeds share."""
    value = {
        (arm, seed): np.array(
            [[1 / ranks[a][q][b] for a in LANGUAGES for b in range(3) if LANGUAGES[b] != a] for q in range(4)]
        )
        for (arm, seed), ranks in ALONE.items()
    }
    by_seed = [value[HYBRID, seed] - value[MONO, seed] for seed in (0, 1)]
    difference = float(np.mean(by_seed))
    by_question = np.mean(by_seed, axis=(0, 2))
    residuals = np.array([by_question[:2].sum(), by_question[2:].sum()]) - 2 * difference
    of_questions = 2 / 1 * ((residuals / 4) ** 2).sum()
    # each seed's own residuals by paragraph: their covariance
    one, other = (np.array([d.mean(1)[:2].sum(), d.mean(1)[2:].sum()]) / 4 - d.mean() / 2 for d in by_seed)
    shared = 2 / 1 * (one * other).sum()
    mean = float(np.mean([value[HYBRID, seed] for seed in (0, 1)]))
    of_seeds = float(np.var([d.mean() for d in by_seed], ddof=1)) / 2
    return difference, mean, of_seeds, float(of_questions), float(shared)


def t(p: float, freedom: float) -> float:
    return float(stats.t.ppf(p, freedom))


def test_a_setting_by_hand(store: Path) -> None:
    row = compared(store, ARMS)[1]
    assert (row["setting"], row["arm"], row["against"]) == ("cross_lingual", HYBRID, MONO)
    difference, mean, of_seeds, of_questions, _ = cross_lingual_by_hand()
    error = math.sqrt(of_seeds + of_questions)
    freedom = error**4 / (of_seeds**2 + of_questions**2)
    assert row["difference"] == pytest.approx(difference) and row["mean"] == pytest.approx(mean)
    assert row["high"] - row["difference"] == pytest.approx(t(0.975, freedom) * error)
    assert row["p"] == pytest.approx(2 * stats.t.sf(difference / error, freedom))
    assert row["detectable"] == pytest.approx((t(0.975, freedom) + t(0.8, freedom)) * error)
    assert (row["about"], row["seeds"], row["paired"]) == ("samplings", 2, True)
    assert (row["cells"], row["higher"], row["lower"], row["units"], row["draws"]) == (6, 0, 0, 2, 4)


def test_articles_are_a_unit_too(store: Path) -> None:
    """All questions are on one article: nothing can be said."""
    row = compared(store, ARMS, unit="article")[1]
    assert row["units"] == 1 and np.isnan(row["p"]) and row["p_checkpoints"] == 1


def test_one_arm_has_its_cells(store: Path) -> None:
    rows = arm_cells(store, HYBRID)
    (row,) = [r for r in rows if (r["query_language"], r["pool_language"]) == ("de", "zh")]
    assert (row["mean"], row["n"], row["queries"]) == (pytest.approx(0.9375), 2, 4)
    assert row["sd"] == pytest.approx(np.std([0.875, 1], ddof=1))
    assert arm_cells(store, HYBRID, "own_language_first")
    with pytest.raises(InputError, match="'mapp'"):
        arm_cells(store, HYBRID, "mapp")


def test_seeds_that_are_needed(store: Path) -> None:
    rows = power_rows(store, ARMS, differences=[10.0])
    cross = rows[1]
    assert cross["setting"] == "cross_lingual" and cross["pilot_seeds"] == 2 and cross["seeds_needed"] == 2
    *_, of_questions, shared = cross_lingual_by_hand()
    assert 0 < shared < of_questions
    assert cross["by_questions"] == pytest.approx((t(0.975, 1) + t(0.8, 1)) * math.sqrt(shared))
    assert power_rows(store, ARMS, differences=[1e-6])[1]["seeds_needed"] is None
    with pytest.raises(InputError, match=r"--difference 0: allowed: above 0"):
        power_rows(store, ARMS, differences=[0])


def test_what_is_printed_says_what_it_speaks_of(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_effects(compared(store, ARMS))
    print_pairs(cell_rows(store, ARMS))
    print_pairs([{"arm": MONO, **row} for row in arm_cells(store, MONO)])
    print_power(power_rows(store, ARMS))
    said = capsys.readouterr().out
    assert "map on hand: is the difference real?" in said and "of the samplings" in said and "p Tukey" not in said
    assert "it speaks for these checkpoints only" in said and "one seed" not in said
    assert f"hand: map, {HYBRID} minus {MONO}" in said and f"hand: map, {MONO};" in said
    assert "none do" in said


def test_all_rows_for_a_program_have_the_same_keys(store: Path) -> None:
    rows = compared_rows(store, ARMS, "recall@1", None, "paragraph", 100)
    assert len({tuple(row) for row in rows}) == 1
    assert {row["against"] for row in rows} == {None, MONO}
    assert {row["measure"] for row in rows if row["against"]} == {"recall@1"}


@pytest.fixture
def unequal(tmp_path: Path) -> Path:
    """Arms with one equal task, one unequal, one seed each; `C` shares nothing with the others."""
    tasks = {
        "A-1": [Tiny(), Tiny("other", "aaaaaaaaaaaa")],
        "B-2": [Tiny(), Tiny("other", "bbbbbbbbbbbb")],
        "C-3": [Tiny("third", "cccccccccccc")],
        "D-4": [Tiny("third", "dddddddddddd")],
    }
    for number, (arm, of_arm) in enumerate(tasks.items()):
        settings = make_settings(seed=7)
        name = f"2026112{number}-1403-{arm}-s7-7f3c"
        run = write_run(tmp_path / "runs", name, arm=arm, settings=settings, results=evaluate(*of_arm, seed=number))
        ingest(tmp_path / "results.duckdb", run)
    return tmp_path / "results.duckdb"


def test_unequal_tasks_are_not_compared(unequal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {row["task"] for row in compared(unequal, ["A-1", "B-2"])} == {"tiny"}
    assert unequal_tasks(unequal, ["A-1", "B-2"]) == ["other"]
    compared_rows(unequal, ["A-1", "B-2"], "map", None, "paragraph", 100)
    assert "other" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"their tasks 'third' are not equal"):
        compared(unequal, ["C-3", "D-4"])
    with pytest.raises(InputError, match=r"their tasks 'other' are not equal"):
        compared(unequal, ["A-1", "B-2"], task="other")
    with pytest.raises(InputError, match="measured on different tasks"):
        compared(unequal, ["A-1", "C-3"])
    with pytest.raises(InputError, match="two arms or more"):
        compared(unequal, ["A-1"])


def test_one_seed_says_nothing_of_samplings(unequal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = compared(unequal, ["A-1", "B-2"])
    assert {row["about"] for row in rows} == {"questions only, one seed"}
    print_effects(rows)
    assert "one seed: no claim about the samplings" in capsys.readouterr().out
    with pytest.raises(InputError, match="two seeds or more"):
        power_rows(unequal, ["A-1", "B-2"])


def test_languages_that_a_task_leaves_out_count_in_no_mean(store: Path, tmp_path: Path) -> None:
    class Without(Tiny):
        def described(self, **changed: object) -> dict[str, object]:
            return super().described(options={"leave_out": ["en"]}, **changed)

    for number, arm in enumerate(("A-1", "B-2")):
        name = f"2026112{number}-1403-{arm}-s7-7f3c"
        run = write_run(tmp_path / "runs", name, arm=arm, results=evaluate(Without(), seed=number))
        ingest(tmp_path / "results.duckdb", run)
    of_cell = {
        (r["query_language"], r["pool_language"]): r for r in cell_rows(tmp_path / "results.duckdb", ["A-1", "B-2"])
    }
    (row,) = [r for r in compared(tmp_path / "results.duckdb", ["A-1", "B-2"]) if r["setting"] == "monolingual"]
    counted = [of_cell[language, language]["difference"] for language in ("th", "zh")]
    assert row["difference"] == pytest.approx(np.mean(counted)) and row["cells"] == 3


def test_arms_that_trained_on_their_tasks_are_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "results.duckdb"
    for number, arm in enumerate(("A-1", "B-2")):
        environment = {"leakage": {"leaked": arm == "A-1"}, "started": "2026-11-22T14:03:05+00:00"}
        for seed in (1, 2):
            name = f"2026112{number}-140{seed}-{arm}-s{seed}-7f3c"
            results = evaluate(Tiny(), seed=seed + 10 * number)
            settings = make_settings(seed=seed)
            folder = tmp_path / "runs"
            ingest(
                store,
                write_run(folder, name, arm=arm, settings=settings, results=results, environment=environment),
            )
    arms = ["A-1", "B-2"]
    for rows, show in (
        (compared(store, arms), print_effects),
        (cell_rows(store, arms), print_pairs),
        (power_rows(store, arms), print_power),
        ([{**row, "arm": "A-1"} for row in arm_cells(store, "A-1")], print_pairs),
    ):
        show(rows)
        said = capsys.readouterr().out
        assert "A-1 †" in said and "† trained on texts of the evaluation tasks" in said and "B-2 †" not in said


def test_published_figures_stand_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "results.duckdb"
    for number, arm in enumerate(("A-1", "B-2")):
        name = f"2026112{number}-1403-{arm}-s0-7f3c"
        run = write_run(tmp_path / "runs", name, arm=arm, results=evaluate(Tiny("xquad_r"), seed=number))
        ingest(store, run)
    rows = compared_rows(store, ["A-1", "B-2"], "map", None, "paragraph", 100)
    published = [row for row in rows if row["source"]]
    assert {row["setting"] for row in published} == {"monolingual", "cross_lingual", "multilingual"}
    assert all(row["arm"] is None and 0 < row["mean"] < 1 and "one seed" in row["differs"] for row in published)
    print_compared(store, ["A-1"], "map", None, "paragraph", 100)
    said = capsys.readouterr().out
    assert "map on xquad_r as published: not tested against" in said and "what differs in arXiv 2408.10536" in said
    assert "is the difference real?" not in said, "of one arm"


def test_the_measure_that_is_asked_for_is_that_of_the_arms_too(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for measure, is_stored in (("mrr", True), ("recall@2", False)):
        rows = compared_rows(store, ARMS, measure, None, "paragraph", 200)
        assert {tuple(row) for row in rows} == {COLUMNS}
        figures = {(r["arm"], r["setting"]): r for r in rows if r["measure"] == measure and not r["against"]}
        effects = [row for row in rows if row["against"]]
        assert [row["setting"] for row in effects] == ["monolingual", "cross_lingual", "multilingual"]
        for row in effects:
            of_arm, of_base = figures[HYBRID, row["setting"]], figures[MONO, row["setting"]]
            assert (row["mean"], row["against_mean"]) == (pytest.approx(of_arm["mean"]), pytest.approx(of_base["mean"]))
            assert row["difference"] == pytest.approx(of_arm["mean"] - of_base["mean"])
            assert (of_arm["n"], of_arm["leave_out"]) == (2, []) and row["task_id"] == of_arm["task_id"]
            assert (row["pool"], row["leave_out"]) == (of_arm["pool"], [])
        stored = query(store, "select distinct measure from arm_measures").rows
        assert ((measure,) in stored) == is_stored
        print_compared(store, ARMS, measure, None, "paragraph", 200)
        head = " ".join(capsys.readouterr().out.splitlines()[1].split())
        assert head.startswith(f"arm task runs mono {measure.replace('recall', 'R')} cross")


def test_an_unstored_measure_is_as_the_stored_ones(store: Path) -> None:
    rows = arm_figures(store, ARMS, "mrr")
    stored = {(r["arm"], r["setting"]): r for r in rows if r["measure"] == "mrr"}
    worked_out = measure_figures(store, rows, "mrr")
    assert len(worked_out) == len(stored) == 6
    for row in worked_out:
        known = stored[row["arm"], row["setting"]]
        assert row == {**known, "mean": pytest.approx(known["mean"]), "sd": pytest.approx(known["sd"])}


@pytest.mark.parametrize(
    ("measure", "task", "says"),
    [
        ("R@1", None, "measure 'R@1': no such measure; allowed: map, .*recall@k.*; did you mean 'recall@1'"),
        ("nDCG@5", None, "did you mean 'ndcg@5'"),
        ("recall", None, "did you mean 'recall@10'"),
        ("rank_distance@3", None, "did you mean 'rank_distance'"),
        ("own_language_first", None, "'own_language_first': it has no value per query; allowed: map, map@k.*distance$"),
        ("map", "hnad", "task 'hnad': allowed: hand; did you mean 'hand'"),
    ],
)
def test_what_cannot_be_compared_is_said_before_anything_is_printed(
    store: Path, capsys: pytest.CaptureFixture[str], measure: str, task: str | None, says: str
) -> None:
    for arms in (ARMS, [MONO]):
        with pytest.raises(InputError, match=says):
            print_compared(store, arms, measure, task, "paragraph", 200)
    assert capsys.readouterr().out == ""
