"""The table of runs that stays up to date: what it tells of runs at work, of stored ones, and what it reads again."""

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.runs.conftest import make_spec
from tests.store.synthetic import STARTED, Tiny, evaluate, write_run
from workbench.files import locked
from workbench.paths import RunPaths, RunsPaths
from workbench.reports import watching
from workbench.reports.overview import run_listing
from workbench.reports.reached import reached
from workbench.reports.watching import Losses, RunsWatch, binned
from workbench.runs.directory import create_run, record_worker
from workbench.runs.events import EventLog
from workbench.store.database import forget, ingest

FIRST, SECOND = "20261121-1403-mono-s0-7f3c", "20261122-1403-hybrid-a50-s0-7f3c"
LIVE = "20261123-0900-hybrid-a50-s0-cccc"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two finished runs, in their directories and in the store."""
    for seed, run_id in enumerate((FIRST, SECOND)):
        run = write_run(tmp_path / "runs", run_id, results=evaluate(Tiny(), seed=seed))
        ingest(tmp_path / "results.duckdb", run)
    return tmp_path


def watch_of(home: Path) -> RunsWatch:
    return RunsWatch(RunsPaths(home / "runs"), home / "results.duckdb")


def by_id(rows: list[dict[str, Any]] | None) -> dict[str, dict[str, Any]]:
    assert rows is not None
    return {row["run_id"]: row for row in rows}


def working(home: Path, pid: int | None = None) -> RunPaths:
    """A run that a process works on."""
    run = create_run(RunsPaths(home / "runs"), make_spec(LIVE))
    record_worker(run, pid or os.getpid())
    with EventLog(run.events) as events:
        events.state("training")
    return run


def test_all_runs_come_newest_first_with_the_figures_of_their_tasks(home: Path) -> None:
    rows = watch_of(home).look()
    assert rows is not None and [row["run_id"] for row in rows] == [SECOND, FIRST]
    listed = {row["run_id"]: row for row in run_listing(RunsPaths(home / "runs"), home / "results.duckdb")}
    for row in rows:
        figures, known = row["figures"]["tiny"], listed[row["run_id"]]
        assert figures["mono"] == pytest.approx(known["monolingual_map"])
        assert figures["cross"] == pytest.approx(known["cross_lingual_map"])
        assert figures["multi"] == pytest.approx(known["multilingual_map"]) and "distance" not in figures
        assert row["state"] == "finished" and row["loss"] == pytest.approx(0.5) and row["step"] == 4


def test_the_tasks_of_a_run_come_by_name(home: Path) -> None:
    known, new = Tiny("z", "f" * 12), Tiny("a", "0" * 12)
    ingest(home / "results.duckdb", write_run(home / "runs", LIVE.replace("s0", "s1"), results=evaluate(known)))
    ingest(home / "results.duckdb", write_run(home / "runs", LIVE, results=evaluate(known, new)))
    assert list(by_id(watch_of(home).look())[LIVE]["figures"]) == ["a", "z"]


def test_the_first_look_is_at_the_newest_only(home: Path) -> None:
    working(home)
    assert [row["run_id"] for row in watch_of(home).newest(2)] == [LIVE, SECOND]
    shutil.rmtree(home / "runs")
    assert [row["run_id"] for row in watch_of(home).newest(1)] == [SECOND]


def test_nothing_is_told_again_that_has_not_changed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, watch, read = working(home), watch_of(home), []
    watch.look()
    real = watching.last_event
    monkeypatch.setattr(watching, "last_event", lambda path, *more: read.append(path) or real(path, *more))
    assert watch.look() is None and not read
    with EventLog(run.events) as events:
        events.write("step", step=3, steps=10, loss=0.25, eta_s=65.0)
    row = by_id(watch.look())[LIVE]
    assert (row["state"], row["part"], row["loss"], row["eta_s"]) == ("training", pytest.approx(0.24), 0.25, 65.0)
    assert set(read) == {run.events}, "the finished runs' events were not read again"


def test_a_run_whose_process_is_gone_is_lost_though_no_file_changed(home: Path) -> None:
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    working(home, worker.pid)
    watch = watch_of(home)
    assert by_id(watch.look())[LIVE]["state"] == "training"
    worker.communicate(b"\n")
    assert by_id(watch.look())[LIVE]["state"] == "lost"


def test_a_run_that_works_again_has_no_figures_of_its_earlier_end(home: Path) -> None:
    watch, run = watch_of(home), RunPaths(home / "runs" / SECOND)
    assert by_id(watch.look())[SECOND]["figures"]
    record_worker(run, os.getpid())
    with EventLog(run.events) as events:
        events.state("training")
    row = by_id(watch.look())[SECOND]
    assert row["state"] == "training" and row["figures"] == {} and row["ended"] is None


def test_stored_runs_stay_when_their_directories_go_and_directories_when_the_store_does(home: Path) -> None:
    watch = watch_of(home)
    watch.look()
    shutil.rmtree(home / "runs" / FIRST)
    assert watch.look() is None, "the store tells the same"
    forget(home / "results.duckdb", SECOND)
    rows = by_id(watch.look())
    assert rows[FIRST]["figures"] and rows[SECOND]["state"] == "finished" and not rows[SECOND]["figures"]


def test_a_held_store_is_named_and_read_later(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PATIENCE_S", 0.05)
    watch = watch_of(home)
    watch.look()
    third = write_run(home / "runs", FIRST.replace("s0", "s1"), ended=STARTED + timedelta(minutes=3))
    ingest(home / "results.duckdb", third)
    with locked(home / "results.duckdb.lock"):
        rows = by_id(watch.look())
        assert str(os.getpid()) in watch.problem
        assert rows[FIRST]["figures"] and not rows[third.run_id]["figures"]
    assert by_id(watch.look())[third.run_id]["figures"] and not watch.problem


def test_means_over_questions_that_a_machine_translated_are_marked(tmp_path: Path) -> None:
    results = evaluate(Tiny())
    results.tasks = [Tiny().described(options={"notes": {"translated": json.dumps({"en>th": "nllb"})}})]
    ingest(tmp_path / "results.duckdb", write_run(tmp_path / "runs", results=results))
    (row,) = watch_of(tmp_path).newest(1)
    assert set(row["figures"]["tiny"]["marks"]) == {"cross", "multi"}


def test_losses_of_working_runs_are_read_on_and_of_stored_ones_from_the_store(home: Path) -> None:
    run, watch = working(home), watch_of(home)
    with EventLog(run.events) as events:
        for step, loss in enumerate((4.0, 2.0, 1.0), start=1):
            events.write("step", step=step, steps=10, loss=loss)
        rows = watch.look() or []
        curves = watch.losses(rows, 2)
        assert curves[LIVE] == (4.0, 1.5) and curves[SECOND] == pytest.approx((1.5, (2 / 3 + 1 / 2) / 2))
        # a resumed run repeats steps; a loss that is no number is none
        events.write("step", step=3, steps=10, loss=3.0)
        events.write("step", step=4, steps=10, loss=None)
    assert watch.losses(rows, 9)[LIVE] == (4.0, 2.0, 3.0)


def test_a_run_that_has_not_trained_has_no_curve(home: Path) -> None:
    create_run(RunsPaths(home / "runs"), make_spec(LIVE))
    watch = watch_of(home)
    assert set(watch.losses(watch.look() or [], 5)) == {FIRST, SECOND}
    assert Losses(home / "none").points(5) == ()


def test_values_are_averaged_in_parts_of_about_equal_length() -> None:
    assert binned([1.0, 3.0, 5.0, 7.0], 2) == [2.0, 6.0] and binned([1.0, 2.0, 6.0], 2) == [1.0, 4.0]
    assert binned([1.0, 2.0], 5) == [1.0, 2.0] and binned([], 5) == []


def told(watch: RunsWatch) -> Any:
    return by_id(watch.look())[LIVE]["part"]


def test_the_part_of_a_run_never_falls_while_it_works_nor_when_it_waits_again(home: Path) -> None:
    run, watch, parts = working(home), watch_of(home), []
    with EventLog(run.events) as events:
        for step in (1, 10):
            events.write("step", step=step, steps=10, loss=0.25, eta_s=0.0)
            parts.append(told(watch))
        events.state("evaluating")
        parts.append(told(watch))
        for stage in ("encoding queries", "encoding passages", "ranking", "encoding passages", "ranking"):
            for done in (1, 50, 100):
                events.write("progress", stage=stage, done=done, total=100, eta_s=None)
                parts.append(told_or(watch, parts[-1]))
        assert parts == sorted(parts) and parts[0] == pytest.approx(0.08) and parts[-1] == 1.0
        events.state("failed")
        assert told(watch) == pytest.approx(0.8), "what it reached"
        events.state("queued", prepared=True)
        run.worker.unlink()
        assert told(watch) == pytest.approx(0.8)


def told_or(watch: RunsWatch, before: float) -> float:
    rows = watch.look()
    return before if rows is None else float(by_id(rows)[LIVE]["part"])


def test_a_run_that_does_not_train_is_evaluated_from_the_start() -> None:
    row = {"state": "evaluating", "sampling": None, "step": None, "steps": None}
    assert reached(row) == 0.0
    event = {"kind": "progress", "state": "evaluating", "stage": "encoding passages", "done": 1, "total": 2}
    assert reached(row, event) == pytest.approx(0.4)
    assert reached({**row, "state": "queued"}) is None and reached({**row, "state": "finished"}) is None
