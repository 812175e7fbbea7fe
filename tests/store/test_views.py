"""Every view of measures against numpy and against measures.py."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.store.synthetic import Results, Row, Tiny, evaluate, make_settings, write_run
from workbench.evaluation.measures import MEASURES, Measurements, measure_cells
from workbench.evaluation.results import Rankings
from workbench.paths import RunsPaths
from workbench.records import SETTINGS
from workbench.store.connection import writing
from workbench.store.database import ingest, ingest_pending, query

RUN_ID = "20261122-1403-hybrid-a50-s0-7f3c"
CELL = "setting, query_language, pool_language"


def as_rankings(rows: list[Row], task: Tiny) -> Rankings:
    """The rows of `relevant_ranks` as the evaluation holds them."""
    passages = sorted({row["passage_id"] for row in rows})
    pools = [*task.languages, "*"]
    codes = np.array(
        sorted(
            (
                SETTINGS.index(row["setting"]),
                task.languages.index(row["query_language"]),
                pools.index(row["pool_language"]),
                int(row["query_id"].removeprefix(task.query_prefix)),
                row["rank"] or 2**31 - 1,
                passages.index(row["passage_id"]),
                task.languages.index(row["passage_language"]),
                row["relevance"],
            )
            for row in rows
        )
    )
    ranks = np.where(codes[:, 4] == 2**31 - 1, 0, codes[:, 4])
    sizes = [task.pool] * len(task.languages)
    return Rankings(
        languages=task.languages,
        pool_sizes=np.array([*sizes, sum(sizes)]),
        setting=codes[:, 0].astype(np.int8),
        query_language=codes[:, 1].astype(np.int16),
        pool_language=codes[:, 2].astype(np.int16),
        query=codes[:, 3].astype(np.int32),
        candidate=codes[:, 5].astype(np.int32),
        passage_language=codes[:, 6].astype(np.int16),
        relevance=codes[:, 7].astype(np.int16),
        rank=ranks.astype(np.int32),
    )


def as_rows(measured: Measurements, task: Tiny) -> list[Row]:
    pools = [*task.languages, "*"]
    return [
        {
            "task": task.name,
            "setting": SETTINGS[measured.setting[i]],
            "query_language": task.languages[measured.query_language[i]],
            "pool_language": pools[measured.pool_language[i]],
            "measure": MEASURES[measured.measure[i]],
            "value": float(measured.value[i]),
            "queries": int(measured.queries[i]),
        }
        for i in range(len(measured.value))
    ]


def measured(task: Tiny, seed: int = 0, found: float = 0.9) -> Results:
    """Random ranks with the measurements that the evaluation makes of them."""
    results = evaluate(task, seed=seed, found=found)
    rankings = as_rankings(results.tables["relevant_ranks"], task)
    results.tables["measurements"] = as_rows(measure_cells(rankings), task)
    return results


def by_key(rows: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], tuple[float, int]]:
    return {row[:-2]: (float(row[-2]), row[-1]) for row in rows}


@pytest.mark.parametrize("found", [1.0, 0.7, 0.0])
@pytest.mark.parametrize("per_language", [1, 3])
def test_ranks_measurements_and_measures_py_agree(store: Path, tmp_path: Path, found: float, per_language: int) -> None:
    task = Tiny(questions=9, pool=50, per_language=per_language)
    results = measured(task, found=found)
    ingest(store, write_run(tmp_path / "runs", results=results))
    names = f"task, {CELL}, measure, value, queries"
    from_ranks = by_key(query(store, f"select {names} from rank_measures").rows)
    stored = by_key(query(store, f"select {names} from cell_measures").rows)
    expected = by_key([tuple(row.values()) for row in results.tables["measurements"]])
    assert from_ranks.keys() == stored.keys() == expected.keys()
    for key, (value, queries) in expected.items():
        assert from_ranks[key] == (pytest.approx(value, rel=1e-12, abs=1e-12), queries), key
        assert stored[key] == (pytest.approx(value, rel=1e-6), queries), key
    distances = {name for name in MEASURES if name.startswith("rank_distance")}
    assert {key[-1] for key in expected} == set(MEASURES) - (distances if found < 1 else set())


def test_a_rank_measure_by_hand(store: Path, tmp_path: Path) -> None:
    results = evaluate(Tiny(languages=("en", "th"), questions=2))
    cell = {"task": "tiny", "setting": "multilingual", "query_language": "en", "pool_language": "*"}
    ranks = [
        ("q0", "en:0", "en", 1, 2),
        ("q0", "th:0", "th", 2, 4),
        ("q1", "en:1", "en", 2, 25),
        ("q1", "th:1", "th", 1, 1),
    ]
    names = ("query_id", "passage_id", "passage_language", "relevance", "rank")
    results.tables["relevant_ranks"] = [{**cell, **dict(zip(names, row, strict=True))} for row in ranks]
    results.tables["top_passages"], results.tables["retrieved_languages"] = [], []
    ingest(store, write_run(tmp_path / "runs", results=results))
    found = dict(query(store, "select measure, value from rank_measures").rows)
    assert found["map"] == pytest.approx(((1 / 2 + 2 / 4) / 2 + (1 + 2 / 25) / 2) / 2)
    assert found["map@20"] == pytest.approx(((1 / 2 + 2 / 4) / 2 + 1 / 2) / 2)
    assert found["recall@1"] == pytest.approx(0.25)
    assert found["recall@10"] == pytest.approx(0.75)
    assert found["mrr"] == pytest.approx(0.75)
    ideal = 2 / np.log2(2) + 1 / np.log2(3)
    assert found["ndcg@10"] == pytest.approx(((1 / np.log2(3) + 2 / np.log2(5)) / ideal + 1 / ideal) / 2)
    assert found["rank_distance"] == pytest.approx((2 + 24) / 2)
    assert found["rank_distance_median"] == pytest.approx(13)
    assert found["rank_distance_relative"] == pytest.approx(13 / 24)
    assert found["own_language_first"] == pytest.approx(0.5)


# ------------------------------------------------------------------------------------------------------- over cells


def macro(results: Results, setting: str, measure: str) -> float:
    rows = results.tables["measurements"]
    return float(np.mean([r["value"] for r in rows if (r["setting"], r["measure"]) == (setting, measure)]))


def test_setting_measures_are_unweighted_means_over_cells(store: Path, tmp_path: Path) -> None:
    results = measured(Tiny(), found=1.0)
    ingest(store, write_run(tmp_path / "runs", results=results))
    rows = query(store, "select * from setting_measures").dicts()
    assert {(row["setting"], row["cells"]) for row in rows} == {
        ("monolingual", 3),
        ("cross_lingual", 6),
        ("multilingual", 3),
    }
    for row in rows:
        assert row["value"] == pytest.approx(macro(results, row["setting"], row["measure"]), rel=1e-6)
    named = {key: rows[0][key] for key in ("run_id", "run_name", "arm", "experiment", "sampling", "alpha", "seed")}
    assert named == {
        "run_id": RUN_ID,
        "run_name": "hybrid-a50-s0",
        "arm": "hybrid-a50-1c9e07",
        "experiment": "pilot",
        "sampling": "hybrid",
        "alpha": 0.5,
        "seed": 0,
    }


def write_arms(runs: Path) -> dict[str, list[Results]]:
    """Three seeds of one arm, one of another; and a run of the first that did not finish."""
    made: dict[str, list[Results]] = {"hybrid-a50-1c9e07": [], "mono-2d8f10": []}
    for arm, sampling, seeds in (("hybrid-a50-1c9e07", "hybrid", 3), ("mono-2d8f10", "mono", 1)):
        for seed in range(seeds):
            results = measured(Tiny(), seed=10 * len(sampling) + seed, found=1.0)
            made[arm].append(results)
            name = f"20261122-140{seed}-{sampling}-s{seed}-1111"
            write_run(runs, name, arm=arm, settings=make_settings(sampling, seed=seed), results=results)
    write_run(runs, "20261122-1409-hybrid-s9-1111", state="stopped", settings=make_settings(seed=9))
    return made


def test_arm_measures_are_means_and_deviations_over_seeds(store: Path, tmp_path: Path) -> None:
    made = write_arms(tmp_path / "runs")
    assert len(ingest_pending(store, RunsPaths(tmp_path / "runs")).run_ids) == 5
    rows = query(store, "select * from arm_measures").dicts()
    assert {(row["arm"], row["sampling"], row["alpha"], row["n"]) for row in rows} == {
        ("hybrid-a50-1c9e07", "hybrid", 0.5, 3),
        ("mono-2d8f10", "mono", None, 1),
    }
    for row in rows:
        values = [macro(results, row["setting"], row["measure"]) for results in made[row["arm"]]]
        assert row["mean"] == pytest.approx(np.mean(values), rel=1e-6)
        if row["n"] == 1:
            assert row["standard_deviation"] is None
        else:
            assert row["standard_deviation"] == pytest.approx(np.std(values, ddof=1), rel=1e-4, abs=1e-7)


def test_a_seed_that_was_run_twice_counts_once_by_its_latest_run(store: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "runs", "20261122-1400-hybrid-a50-s0-1111", results=measured(Tiny(), seed=1))
    latest = measured(Tiny(), seed=2)
    write_run(tmp_path / "runs", "20261122-1500-hybrid-a50-s0-1111", results=latest)
    ingest_pending(store, RunsPaths(tmp_path / "runs"))
    (row,) = query(store, "select mean, n from arm_measures where setting = 'monolingual' and measure = 'map'").dicts()
    assert row == {"mean": pytest.approx(macro(latest, "monolingual", "map"), rel=1e-6), "n": 1}


def test_unequal_tasks_of_one_name_are_never_averaged(store: Path, tmp_path: Path) -> None:
    full, half = Tiny(), Tiny(task_id="half00000000", questions=3)
    made = {task.task_id: measured(task, seed=seed) for seed, task in enumerate((full, half))}
    for seed, results in enumerate(made.values()):
        name = f"20261122-140{seed}-hybrid-a50-s{seed}-1111"
        write_run(tmp_path / "runs", name, settings=make_settings(seed=seed), results=results)
    ingest_pending(store, RunsPaths(tmp_path / "runs"))
    rows = query(store, "select * from arm_measures where measure = 'map'").dicts()
    assert len(rows) == 6 and {row["n"] for row in rows} == {1}
    for row in rows:
        assert row["task"] == "tiny"
        assert row["mean"] == pytest.approx(macro(made[row["task_id"]], row["setting"], "map"), rel=1e-6)


def test_two_tasks_of_one_run_are_kept_apart(store: Path, tmp_path: Path) -> None:
    tiny, other = Tiny(), Tiny("other", "other0000000", ("de", "en"))
    both = Results()
    for results in (measured(tiny), measured(other, seed=5)):
        both.tasks += results.tasks
        for name, rows in results.tables.items():
            both.tables[name] += rows
    ingest(store, write_run(tmp_path / "runs", results=both))
    cells = query(store, "select task, count(*) from cell_measures where measure = 'mrr' group by all order by all")
    assert cells.rows == [("other", 6), ("tiny", 12)]
    names = f"task, {CELL}, measure, value, queries"
    from_ranks = by_key(query(store, f"select {names} from rank_measures").rows)
    expected = by_key([tuple(row.values()) for row in both.tables["measurements"]])
    assert from_ranks == {key: (pytest.approx(value), queries) for key, (value, queries) in expected.items()}


def test_measures_of_a_run_that_is_not_finished_enter_no_mean(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    with writing(store) as connection:
        connection.execute("update stored.runs set state = 'stopped'")
    assert query(store, "select count(*) from setting_measures").rows == [(0,)]
    assert query(store, "select count(*) from arm_measures").rows == [(0,)]
