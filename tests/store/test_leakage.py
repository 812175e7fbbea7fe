"""What runs say of leaks, and means that leave languages out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.store.looking import RUN_ID, as_version_2, counts, rows_of, written
from tests.store.synthetic import COLUMNS, Results, Row, Tiny, evaluate, make_settings, write_run
from workbench.errors import InputError
from workbench.evaluation.measures import MEASURES
from workbench.paths import RunsPaths
from workbench.store.connection import MIGRATIONS
from workbench.store.database import forget, ingest, ingest_pending, query

CHECKED = {"on_leak": "warn", "hits": 3, "pairs": 5, "leaked": True}


def found(task: str = "tiny", dropped: bool = False) -> Row:
    row = {"task": task, "training_set": "demo", "language": "en", "kind": "query"}
    return {**row, "texts": 6, "hits": 3, "exact": 1, "pairs": 5, "dropped": dropped}


def write_checked(runs: Path, leaked: Any, run_id: str = RUN_ID, **given: Any) -> None:
    results = evaluate(Tiny())
    results.tables["leakage"] = [found()] if leaked is True else []
    environment = {} if leaked is None else {"leakage": {**CHECKED, "leaked": leaked}}
    write_run(runs, run_id, results=results, environment=environment, **given)


def test_the_view_gives_back_what_the_run_wrote(store: Path, tmp_path: Path) -> None:
    results = evaluate(Tiny(), Tiny("other", "ba9876543210", ("de", "en"), query_prefix="x"))
    results.tables["leakage"] = [found(), found("other", True)]
    run = write_run(tmp_path / "runs", results=results)
    ingest(store, run)
    columns = COLUMNS["leakage"]
    assert rows_of(store, "leakage", columns) == written(results, "leakage", columns)
    assert rows_of(store, "leakage", "task task_id") == [("other", "ba9876543210"), ("tiny", "0123456789ab")]
    forget(store, RUN_ID)
    assert counts(store)["leakage"] == 0


@pytest.mark.parametrize("leaked", [True, False, None, "yes"])
def test_a_run_is_marked_in_every_view_of_measures(store: Path, tmp_path: Path, leaked: Any) -> None:
    write_checked(tmp_path / "runs", leaked)
    ingest_pending(store, RunsPaths(tmp_path / "runs"))
    expected = leaked if isinstance(leaked, bool) else None
    for view in ("runs", "cell_measures", "setting_measures", "arm_measures"):
        assert query(store, f"select distinct leaked from {view}").rows == [(expected,)], view


def test_an_arm_is_marked_where_any_of_its_runs_is(store: Path, tmp_path: Path) -> None:
    for seed, leaked in enumerate((False, True, None)):
        name = f"20261122-140{seed}-hybrid-s{seed}-1111"
        write_checked(tmp_path / "runs", leaked, name, settings=make_settings(seed=seed))
    write_checked(tmp_path / "runs", False, "20261122-1404-mono-s0-1111", arm="mono-2d8f10")
    ingest_pending(store, RunsPaths(tmp_path / "runs"))
    arms = query(store, "select distinct arm, n, leaked from arm_measures order by all").rows
    assert arms == [("hybrid-a50-1c9e07", 3, True), ("mono-2d8f10", 1, False)]


def test_a_leak_in_a_task_that_is_not_listed_is_refused(store: Path, tmp_path: Path) -> None:
    results = evaluate(Tiny())
    results.tables["leakage"] = [found("foreign")]
    with pytest.raises(InputError, match=r"leakage\.parquet: unknown task foreign; tasks\.json lists tiny"):
        ingest(store, write_run(tmp_path / "runs", results=results))


def test_a_store_of_the_version_before_is_brought_up_to_date_with_its_rows(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    before = counts(store)
    as_version_2(store)
    assert query(store, "select run_id, leaked from runs").rows == [(RUN_ID, None)]
    assert query(store, "select count(*) from leakage").rows == [(0,)]
    assert query(store, "select max(version) from stored.schema_version").rows == [(len(MIGRATIONS),)]
    assert counts(store) == before
    write_checked(tmp_path / "runs", True, "20261123-1403-hybrid-s0-1111")
    ingest_pending(store, RunsPaths(tmp_path / "runs"))
    assert query(store, "select run_id, hits from leakage").rows == [("20261123-1403-hybrid-s0-1111", 3)]


# ------------------------------------------------------------------------------------------------- languages left out


def macro(results: Results, setting: str, left_out: tuple[str, ...]) -> tuple[Any, int]:
    values = [
        row["value"]
        for row in results.tables["measurements"]
        if (row["setting"], row["measure"]) == (setting, "map")
        and row["query_language"] not in left_out
        and row["pool_language"] not in left_out
    ]
    return pytest.approx(np.mean(values), rel=1e-6), len(values)


@pytest.mark.parametrize("left_out", [(), ("en",), ("en", "zh"), ("de",)])
def test_cells_of_languages_left_out_do_not_count_in_means(
    store: Path, tmp_path: Path, left_out: tuple[str, ...]
) -> None:
    task = Tiny()
    results = evaluate(task)
    results.tasks = [task.described(options={"leave_out": list(left_out), "depth": None})]
    ingest(store, write_run(tmp_path / "runs", results=results))
    rows = query(store, "select setting, value, cells from setting_measures where measure = 'map'").rows
    settings = ["monolingual", "multilingual"] + ["cross_lingual"] * (len(left_out) < 2)
    assert {setting: tuple(rest) for setting, *rest in rows} == {s: macro(results, s, left_out) for s in settings}
    means = query(store, "select setting, mean from arm_measures where measure = 'map'").rows
    assert dict(means) == {s: macro(results, s, left_out)[0] for s in settings}
    assert len(query(store, "select * from cell_measures where measure = 'map'").rows) == 12
    cells = query(store, "select count(*) from rank_measures where measure = 'map'").rows
    assert cells == [(12,)] and "map" in MEASURES


@pytest.mark.parametrize("option", ["en", 7, None, {"a": 1}, [1, None]])
def test_an_option_that_is_no_list_leaves_nothing_out(store: Path, tmp_path: Path, option: Any) -> None:
    task = Tiny()
    results = evaluate(task)
    results.tasks = [task.described(options={"leave_out": option})]
    ingest(store, write_run(tmp_path / "runs", results=results))
    assert query(store, "select sum(cells) from setting_measures where measure = 'map'").rows == [(12,)]
