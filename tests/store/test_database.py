"""Run directories in, rows out: whole or not at all, once."""

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.store.looking import RUN_ID, counts, rows_of, written
from tests.store.synthetic import COLUMNS, STARTED, Results, Tiny, evaluate, make_settings, write_run
from workbench.errors import InputError
from workbench.paths import RunPaths, RunsPaths
from workbench.store.database import FACTS, forget, ingest, ingest_pending, query
from workbench.store.rows import run_name

# ---------------------------------------------------------------------------------------------------- round trip


def test_the_views_give_back_what_the_run_wrote(store: Path, tmp_path: Path) -> None:
    results = evaluate(Tiny(), Tiny("other", "ba9876543210", ("de", "en"), query_prefix="x"), found=0.8)
    pairs = [("demo", "mono", "en", "en", 40), ("demo", "cross", "en", "th", 24)]
    results.tables["sampled_pairs"] = [dict(zip(COLUMNS["sampled_pairs"].split(), row, strict=True)) for row in pairs]
    results.tables["sampled_batches"] = [{"training_set": "demo", "kind": "mono", "batches": 3}]
    assert ingest(store, write_run(tmp_path / "runs", results=results))
    for file in ("relevant_ranks", "retrieved_languages", "sampled_pairs", "sampled_batches"):
        assert rows_of(store, file, COLUMNS[file]) == written(results, file, COLUMNS[file])
    assert any(row[-1] is None for row in rows_of(store, "relevant_ranks", COLUMNS["relevant_ranks"]))
    first = [row for row in results.tables["top_passages"] if row["position"] == 1]
    columns = "task setting query_language pool_language query_id passage_id"
    assert rows_of(store, "first_passages", columns) == written(
        Results(tables={"top_passages": first}), "top_passages", columns
    )
    found = query(store, "select task, query_id, paragraph, article from queries order by all").rows
    assert found == written(results, "queries", COLUMNS["queries"])


@pytest.mark.parametrize("view", ["measurements", "cell_measures"])
def test_measurements_come_back_as_floats(store: Path, tmp_path: Path, view: str) -> None:
    results = evaluate(Tiny())
    results.tables["measurements"][0]["value"] = float("nan")
    results.tables["measurements"][1]["value"] = 1e300
    ingest(store, write_run(tmp_path / "runs", results=results))
    columns = "task setting query_language pool_language measure value queries"
    found = {row[:5]: row[5:] for row in rows_of(store, view, columns)}
    for row in results.tables["measurements"][2:]:
        assert found[tuple(row[name] for name in columns.split()[:5])] == (pytest.approx(row["value"]), row["queries"])
    assert sum(value is None for value, _ in found.values()) == 2


def test_the_row_of_a_run(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    (row,) = query(store, "select * from runs").dicts()
    config, environment = json.loads(row.pop("config")), json.loads(row.pop("environment"))
    assert config["settings"]["train"]["sampling"] == {"strategy": "hybrid", "alpha": 0.5}
    assert environment["versions"] == {"torch": "2.13.0"}
    assert json.loads(row.pop("fingerprints")) == {"evaluate.tasks.tiny": "f" * 12}
    started = STARTED.replace(tzinfo=None)
    assert row == {
        "run_id": RUN_ID,
        "run_name": "hybrid-a50-s0",
        "experiment": "pilot",
        "arm": "hybrid-a50-1c9e07",
        "sampling": "hybrid",
        "alpha": 0.5,
        "model": "builtin",
        "seed": 0,
        "state": "finished",
        "created": started,
        "started": started + timedelta(seconds=5),
        "ended": started + timedelta(minutes=2),
        "seconds": 90.75,
        "device": "cpu",
        "threads": 2,
        "host": "here",
        "steps": 4,
        "batch_size": 16,
        "learning_rate": 1e-4,
        "temperature": 0.05,
        "parameters": 4_000_000,
        "message": None,
        "leaked": None,
    }


def test_what_does_not_apply_to_a_run_is_null(store: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "runs", "20261122-1403-untrained-builtin-s0-1111", settings=make_settings(None), steps=0)
    write_run(tmp_path / "runs", "20261122-1403-cross-s0-2222", settings=make_settings("cross", 0.5))
    write_run(tmp_path / "runs", "20261122-1403-mixed-a30-s0-3333", settings=make_settings("mixed", 0.3))
    assert ingest_pending(store, RunsPaths(tmp_path / "runs")).problems == ()
    rows = query(store, "select sampling, alpha, learning_rate, steps from runs order by run_id").rows
    assert rows == [("cross", None, 1e-4, 4), ("mixed", 0.3, 1e-4, 4), (None, None, None, None)]


@pytest.mark.parametrize(
    ("run_id", "name"),
    [
        (RUN_ID, "hybrid-a50-s0"),
        (f"{RUN_ID}-2", "hybrid-a50-s0"),
        ("20261122-1403-untrained-LaBSE-beef-s0-00ff", "untrained-LaBSE-beef-s0"),
        ("my-own-name", "my-own-name"),
    ],
)
def test_a_run_name_lacks_time_and_suffix(run_id: str, name: str) -> None:
    assert run_name(run_id) == name


def test_a_failed_run_has_its_steps_and_its_message(store: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", state="failed", steps=3, environment={})
    run.environment.unlink()
    assert ingest(store, run)
    assert query(store, "select state, message, started, seconds, threads, steps from runs").rows == [
        ("failed", "loss is NaN at step 3", datetime(2026, 11, 22, 14, 3, 5), None, None, 4)
    ]
    assert query(store, "select step, loss from training_steps order by step").rows == [
        (1, 2.0),
        (2, 1.0),
        (3, pytest.approx(2 / 3)),
    ]


def test_half_written_results_of_a_failed_run_are_left_where_they_are(store: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", state="failed")
    run.results.mkdir()
    (run.results / "measurements.parquet").write_bytes(b"PAR1 half of it")
    assert ingest(store, run)
    assert query(store, "select count(*) from cell_measures").rows == [(0,)]


# --------------------------------------------------------------------------------------------------------- events


def test_the_last_word_on_a_step_counts_and_torn_lines_do_not(store: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", state="stopped", steps=4)
    at = '"time": "2026-11-22T14:04:00.000+00:00"'
    lines = [
        f'{{{at}, "kind": "validation", "state": "training", "step": 2, "loss": 0.75}}',
        f'{{{at}, "kind": "validation", "state": "training", "step": 0, "loss": 3.5}}',
        f'{{{at}, "kind": "step", "state": "training", "step": 3, "loss": 0.125, "learning_rate": 1, "batch_kind": 7}}',
        f'{{{at}, "kind": "step", "state": "training", "step": 4, "loss": null}}',
        f'{{{at}, "kind": "step", "state": "training", "step": 5, "loss": 1e300, "gradient_norm": NaN}}',
        f'{{{at}, "kind": "step", "state": "training", "step": null, "loss": 1}}',
        f'{{{at}, "kind": "step", "sta',
        "nonsense",
        f'{{{at}, "kind": "state", "state": "stopped"}}',
        f'{{{at}, "kind": "step", "state": "training", "st',
    ]
    with run.events.open("a") as events:
        events.write("\n".join(lines))
    assert ingest(store, run)
    columns = "step loss validation_loss learning_rate gradient_norm batch_kind"
    assert rows_of(store, "training_steps", columns) == [
        (0, None, 3.5, None, None, None),
        (1, 2.0, None, 1e-4, 0.5, "mono"),
        (2, 1.0, 0.75, 1e-4, None, "cross"),
        (3, 0.125, None, 1.0, None, None),
        (4, None, None, None, None, None),
        (5, None, None, None, None, None),
    ]


@pytest.mark.parametrize("state", ["queued", "preparing", "training", "evaluating"])
def test_a_run_that_has_not_ended_is_refused(store: Path, tmp_path: Path, state: str) -> None:
    run = write_run(tmp_path / "runs", state=state)
    with pytest.raises(InputError, match=f"the run is {state}"):
        ingest(store, run)
    assert ingest_pending(store, RunsPaths(tmp_path / "runs")).problems == ()
    assert not store.exists()


def test_a_folder_without_a_run_is_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run directory"):
        ingest(store, RunPaths(tmp_path))


# ------------------------------------------------------------------------------------------ once, or in its place


def test_three_ingests_are_one(store: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs")
    assert ingest(store, run)
    before = counts(store)
    assert not ingest(store, run)
    assert not ingest(store, RunPaths(run.root))
    assert counts(store) == before
    assert all(before[table] for table in ("runs", "relevant_ranks", "measurements", "training_steps"))


def test_queries_and_passages_are_stored_once_for_all_runs_of_a_task(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    before = counts(store)
    ingest(store, write_run(tmp_path / "runs", "20261122-1404-mono-s1-2222", results=evaluate(Tiny(), seed=1)))
    after = counts(store)
    for table in ("tasks", "cells", "queries", "relevants", "measures", "languages"):
        assert after[table] == before[table]
    for table in ("runs", "relevant_ranks", "first_passages", "measurements"):
        assert after[table] == 2 * before[table]


def test_a_run_that_was_stopped_and_then_finished_has_the_rows_of_its_end(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs", state="stopped", steps=2))
    ingest(store, write_run(tmp_path / "runs", "20261122-1404-mono-s1-2222"))
    run = write_run(tmp_path / "runs", state="finished", steps=4, ended=STARTED + timedelta(hours=1))
    assert ingest(store, run)
    assert query(store, "select state from runs where run_id = ?", [RUN_ID]).rows == [("finished",)]
    assert [step for (step,) in rows_of(store, "training_steps", "step")] == [1, 2, 3, 4]
    assert len(query(store, "select * from runs").rows) == 2
    assert rows_of(store, "measurements", "value")


def test_a_run_that_was_stopped_twice_has_the_rows_of_the_second_time(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs", state="stopped", steps=1))
    write_run(tmp_path / "runs", state="stopped", steps=3, ended=STARTED + timedelta(hours=1))
    assert ingest_pending(store, RunsPaths(tmp_path / "runs")).run_ids == (RUN_ID,)
    assert len(rows_of(store, "training_steps", "step")) == 3


def test_a_deleted_run_is_not_ingested_again(store: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs")
    runs = RunsPaths(tmp_path / "runs")
    bury(runs, RUN_ID)
    assert not ingest(store, run)
    assert ingest_pending(store, runs).run_ids == ()
    assert not store.exists()


def bury(runs: RunsPaths, run_id: str) -> None:
    runs.tombstone(run_id).parent.mkdir(parents=True, exist_ok=True)
    runs.tombstone(run_id).touch()


def test_a_copy_elsewhere_of_a_run_deleted_here_is_not_ingested(store: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "copies")
    bury(RunsPaths(tmp_path / "runs"), RUN_ID)
    assert not ingest(store, run, runs=RunsPaths(tmp_path / "runs"))
    assert not store.exists()
    bury(RunsPaths(tmp_path / "copies"), RUN_ID)
    assert ingest(store, run, runs=RunsPaths(tmp_path / "others"))


def test_a_run_deleted_while_the_store_was_busy_is_forgotten_at_the_next_look(
    store: Path, tmp_path: Path, hold: Callable[[str], Any]
) -> None:
    runs = RunsPaths(tmp_path / "runs")
    ids = [RUN_ID, *(f"20261122-140{minute}-mono-s1-2222" for minute in range(4, 7))]
    for run_id in ids:
        write_run(runs.root, run_id)
    assert len(ingest_pending(store, runs).run_ids) == 4
    for run_id in ids[:2]:
        bury(runs, run_id)
        shutil.rmtree(runs.run(run_id).root)
    holder = hold("read")
    assert len(ingest_pending(store, runs, wait_s=0.1).problems) == 1
    holder.let_go()
    write_run(runs.root, "20261122-1409-mono-s1-3333")
    looked = ingest_pending(store, runs)
    assert (looked.run_ids, looked.problems) == (("20261122-1409-mono-s1-3333",), ())
    rows = query(store, "select run_id from runs order by all").rows
    assert rows == [(ids[2],), (ids[3],), ("20261122-1409-mono-s1-3333",)]


def test_a_forgotten_run_leaves_no_row(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    other = write_run(tmp_path / "runs", "20261122-1404-mono-s1-2222")
    ingest(store, other)
    forget(store, RUN_ID)
    forget(store, "never-was")
    assert query(store, "select run_id from runs").rows == [(other.run_id,)]
    for table in FACTS:
        assert query(store, f"select distinct run from stored.{table} where run != 2").rows == []


# --------------------------------------------------------------------------------------------------------- pending


def test_what_is_pending_is_ingested_and_what_is_damaged_is_told(store: Path, tmp_path: Path) -> None:
    runs = RunsPaths(tmp_path / "runs")
    for minute, state in enumerate(("finished", "failed", "stopped", "training")):
        write_run(runs.root, f"20261122-140{minute}-mono-s0-1111", state=state)
    damaged = write_run(runs.root, "20261122-1300-mono-s0-1111")
    (damaged.results / "relevant_ranks.parquet").write_bytes(b"PAR1")
    write_run(runs.root, "20261122-1301-mono-s0-1111").config.unlink()
    runs.service.mkdir()
    (runs.root / "notes").mkdir()
    looked = ingest_pending(store, runs)
    assert looked.run_ids == tuple(f"20261122-140{minute}-mono-s0-1111" for minute in range(3))
    assert len(looked.problems) == 2
    assert "20261122-1300" in looked.problems[0] and "relevant_ranks.parquet" in looked.problems[0]
    assert "20261122-1301" in looked.problems[1] and "config.yaml" in looked.problems[1]


def test_a_look_with_nothing_to_do_does_not_open_the_store_for_writing(
    store: Path, tmp_path: Path, hold: Callable[[str], Any]
) -> None:
    runs = RunsPaths(tmp_path / "runs")
    assert ingest_pending(store, runs).run_ids == ()
    assert not store.exists()
    write_run(runs.root)
    assert ingest_pending(store, runs).run_ids == (RUN_ID,)
    hold("read")  # with it, nobody can write
    looked = ingest_pending(store, runs, wait_s=0.1)
    assert (looked.run_ids, looked.problems) == ((), ())
