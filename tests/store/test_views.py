"""Every view of measures against numpy and against measures.py."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.store.looking import as_version_2
from tests.store.synthetic import Results, Row, Tiny, evaluate, make_settings, write_run
from workbench.evaluation.measures import MEASURES, Measurements, language_shares, measure_cells
from workbench.evaluation.results import Rankings, RetrievedLanguages
from workbench.paths import RunsPaths
from workbench.records import SETTINGS
from workbench.store.connection import MIGRATIONS, writing
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


def test_several_relevants_in_one_language_are_not_parallel(store: Path, tmp_path: Path) -> None:
    task = Tiny(questions=9, pool=50, per_language=3)
    results = measured(task)
    ranks = results.tables["relevant_ranks"]
    # those of every second question stay in one language
    kept = [row for row in ranks if row["passage_language"] == "en" or int(row["query_id"].lstrip("q")) % 2]
    results.tables["relevant_ranks"] = kept
    results.tables["measurements"] = as_rows(measure_cells(as_rankings(kept, task)), task)
    ingest(store, write_run(tmp_path / "runs", results=results))
    names = "setting, query_language, pool_language, measure, queries, value"
    rows = {
        view: query(store, f"select {names} from {view} order by all").rows
        for view in ("rank_measures", "cell_measures")
    }
    keys = {view: [row[:-1] for row in found] for view, found in rows.items()}
    assert keys["rank_measures"] == keys["cell_measures"]
    assert {row[4] for row in rows["cell_measures"] if row[3] == "own_language_first"} == {4}
    values = {view: [row[-1] for row in found] for view, found in rows.items()}
    assert values["rank_measures"] == pytest.approx(values["cell_measures"], rel=1e-6)


# -------------------------------------------------------------------------------------------------- language shares


def as_retrieved(rows: list[Row], languages: tuple[str, ...]) -> RetrievedLanguages:
    """The rows of `retrieved_languages` as the evaluation holds them."""
    return RetrievedLanguages(
        query_language=np.array([languages.index(row["query_language"]) for row in rows], np.int16),
        query=np.array([int(row["query_id"].lstrip("q")) for row in rows], np.int32),
        depth=np.array([row["depth"] for row in rows], np.int16),
        passage_language=np.array([languages.index(row["passage_language"]) for row in rows], np.int16),
        passages=np.array([row["passages"] for row in rows], np.int16),
    )


def with_pools(seed: int, **candidates: int) -> Results:
    """Random languages of the first passages, as if from pools of these sizes."""
    task = Tiny(languages=("en", "th", "zh"), questions=4, pool=45)
    results = evaluate(task, seed=seed)
    results.tasks = [task.described(task_id=f"{seed:012}", candidates=candidates)]
    # none of the passages of Thai queries is in Chinese
    results.tables["retrieved_languages"] = [
        row
        for row in results.tables["retrieved_languages"]
        if (row["query_language"], row["passage_language"]) != ("th", "zh")
    ]
    return results


def test_language_shares_are_those_of_measures_py(store: Path, tmp_path: Path) -> None:
    pools = [{"en": 50, "th": 7, "vi": 20, "zh": 30}, {"en": 9, "th": 9, "vi": 9, "zh": 90}]
    made = {f"20261122-140{n}-hybrid-s{n}-1111": with_pools(n, **sizes) for n, sizes in enumerate(pools)}
    for run_id, results in made.items():
        ingest(store, write_run(tmp_path / "runs", run_id, results=results))
    for (run_id, results), sizes in zip(made.items(), pools, strict=True):
        shares = language_shares(
            as_retrieved(results.tables["retrieved_languages"], tuple(sizes)),
            np.array([*sizes.values(), sum(sizes.values())]),
        )
        rows = query(store, "from language_shares where run_id = ?", [run_id]).dicts()
        # queries in three languages, passages of four: Vietnamese is in the pool and never found
        assert len(rows) == 2 * 3 * 4
        for row in rows:
            at = (
                shares.depths.index(row["depth"]),
                *(list(sizes).index(row[side]) for side in ("query_language", "passage_language")),
            )
            assert row["share"] == pytest.approx(shares.share[at], rel=1e-12)
            assert row["relative_share"] == pytest.approx(shares.relative[at], rel=1e-12)
        none = {(row["query_language"], row["passage_language"]) for row in rows if row["share"] == 0}
        assert none == {("en", "vi"), ("th", "vi"), ("zh", "vi"), ("th", "zh")}


def test_language_shares_by_hand_with_the_names_of_their_run(store: Path, tmp_path: Path) -> None:
    results = evaluate(Tiny(languages=("en", "th"), questions=2))
    results.tasks[0]["candidates"] = {"en": 75, "th": 25, "zh": 0}
    one = {"task": "tiny", "query_language": "en", "depth": 10}
    results.tables["retrieved_languages"] = [
        {**one, "query_id": "q0", "passage_language": "en", "passages": 10},
        {**one, "query_id": "q1", "passage_language": "en", "passages": 8},
        {**one, "query_id": "q1", "passage_language": "th", "passages": 2},
    ]
    ingest(store, write_run(tmp_path / "runs", results=results))
    found = query(store, "from language_shares order by passage_language")
    names = {"run_id": RUN_ID, "run_name": "hybrid-a50-s0", "arm": "hybrid-a50-1c9e07", "experiment": "pilot"}
    cell = {"task": "tiny", "task_id": "0123456789ab", "query_language": "en", "depth": 10}
    columns = "task task_id query_language passage_language depth share relative_share"
    assert found.columns == (*names, *columns.split())
    shares = [("en", 0.9, 0.9 / 0.75), ("th", 0.1, 0.1 / 0.25), ("zh", 0.0, None)]
    assert found.dicts() == [
        {
            **names,
            **cell,
            "passage_language": language,
            "share": share,
            "relative_share": relative if relative is None else pytest.approx(relative),
        }
        for language, share, relative in shares
    ]


def test_a_store_made_before_a_view_gets_it(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    as_version_2(store)
    with writing(store, migrations=MIGRATIONS[:2]) as connection:
        connection.execute("drop view language_shares")
    (row,) = query(
        store, "select sum(share), count(distinct depth) from language_shares where query_language = 'en'"
    ).rows
    assert row == (pytest.approx(2), 2)


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
