"""The commands as a user types them, in processes of their own, on the built-in set."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from workbench.paths import RunsPaths
from workbench.runs.directory import run_folders, state_of
from workbench.runs.events import read_events

CONFIG = """
name: small
threads: 1
model:
  builtin: {dimension: 16, buckets: 1024}
train:
  sets: {demo: {languages: [de, en], pairs: 200}}
  steps: 12
  batch_size: 16
  learning_rate: 0.01
  sampling: {strategy: hybrid}
evaluate:
  tasks: {demo: {languages: [de, en]}}
"""
SWEEP = CONFIG + "sweep: {train.sampling.strategy: [mono, hybrid], seed: [0, 1]}\n"
LIMIT_S = 120.0


def workbench(home: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
    command = [sys.executable, "-m", "workbench", *arguments]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def rows(home: Path, *arguments: str) -> list[dict[str, Any]]:
    found = json.loads(workbench(home, *arguments, "--json")[0])
    assert isinstance(found, list)
    return found


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def in_plain_duckdb(home: Path, statement: str) -> Any:
    """The answer without the workbench; None where the store is not there or just being written."""
    try:
        with duckdb.connect(str(home / "results.duckdb"), read_only=True) as plain:
            return plain.execute(statement).fetchone()
    except duckdb.Error:
        return None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a sweep of two arms and two seeds was run."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "small.yaml").write_text(CONFIG)
    (folder / "sweep.yaml").write_text(SWEEP)
    out, narration = workbench(folder, "run", "sweep.yaml", "--jobs", "2")
    assert "mono-" in out and "hybrid-a50-" in out and "±" in out and "difference from mono" in out
    assert narration.count("finished") == 4  # of so short a training no step need be seen
    return folder


def test_the_sweep_is_listed_and_stored(home: Path) -> None:
    listed = rows(home, "runs")
    assert len(listed) == 4 and {row["state"] for row in listed} == {"finished"}
    assert all(row["monolingual_map"] > 0 and row["steps"] == 12 for row in listed)
    text, _ = workbench(home, "runs")
    assert "12/12" in text and "finished" in text
    # with no workbench between; 4 cells of 7 measures each, 2 multilingual ones of 11
    until(lambda: in_plain_duckdb(home, "select count(distinct run_id), count(*) from cell_measures") == (4, 4 * 50))


def test_one_run_is_shown_from_all_sides(home: Path) -> None:
    (details,) = rows(home, "show", "hybrid-a50-s1")
    assert details["config"]["train"]["steps"] == 12 and details["environment"]["threads"] == 1
    assert sum(row["batches"] for row in details["batches"]) == 12
    assert sum(row["pairs"] for row in details["pairs"]) == 12 * 16
    assert {row["query"] for row in details["cells"]["demo"]} == {"de", "en"}
    text, _ = workbench(home, "show", "hybrid-a50-s1", "--measure", "recall@10")
    assert "demo: recall@10" in text and "pairs drawn" in text
    _, error = workbench(home, "show", "hybrid-a50-s1", "--measure", "recal@10", code=2)
    assert "did you mean 'recall@10'" in error
    _, error = workbench(home, "show", "s", code=2)
    assert "several are meant" in error


def test_arms_are_compared_by_name_beginning_or_run(home: Path) -> None:
    run_id = next(row["run_id"] for row in rows(home, "runs") if row["sampling"] == "mono")
    figures = [row for row in rows(home, "compare", "hybrid", run_id) if row["against"] is None]
    assert {row["n"] for row in figures} == {2}
    assert {row["arm"].split("-")[0] for row in figures} == {"hybrid", "mono"}
    assert all(row["sd"] is not None for row in figures)
    text, _ = workbench(home, "compare", "mono", "hybrid")
    assert "difference from mono-" in text
    _, error = workbench(home, "compare", "hybird", code=2)
    assert "hybird" in error and "hybrid-a50-" in error


def test_sql_gives_tables_json_and_csv_and_nothing_else(home: Path) -> None:
    before = (home / "results.duckdb").read_bytes()
    statement = "select setting, count(*) as n from cell_measures group by all order by all"
    assert rows(home, "sql", statement)[0] == {"setting": "cross_lingual", "n": 4 * 2 * 7}
    out, _ = workbench(home, "sql", statement, "--csv")
    assert next(csv.DictReader(io.StringIO(out))) == {"setting": "cross_lingual", "n": str(4 * 2 * 7)}
    assert "cross_lingual" in workbench(home, "sql", statement)[0]
    _, error = workbench(home, "sql", "select nonsense", code=2)
    assert len(error.strip().splitlines()) <= 3 and "nonsense" in error
    workbench(home, "sql", "copy (select 1) to 'results.duckdb' (use_tmp_file false)", code=2)
    assert (home / "results.duckdb").read_bytes() == before


def test_the_log_tells_the_events(home: Path) -> None:
    out, _ = workbench(home, "log", "mono-s0")
    assert "step 12/12" in out and out.strip().splitlines()[-1].endswith("finished")
    assert rows(home, "log", "mono-s0")[-1]["state"] == "finished"
    out, _ = workbench(home, "log", "mono-s0", "-f", "--json")
    assert json.loads(out.splitlines()[-1])["state"] == "finished"


def test_config_check_dry_run_and_prepare_start_nothing(home: Path) -> None:
    assert len(rows(home, "config", "check", "sweep.yaml")) == 4
    (row,) = rows(home, "run", "small.yaml", "--dry-run")
    assert not any(" " in name for name in row) and row["training_sets"] == row["tasks"] == ["demo"]
    text, _ = workbench(home, "run", "small.yaml", "--dry-run")
    assert "training time" in text and "disk MiB" in text
    assert row["steps"] == 12 and row["disk_mib"] > 0 and row["training_seconds"]
    out, _ = workbench(home, "run", "small.yaml", "--prepare", "--runs", "elsewhere")
    (folder,) = [Path(home, line) for line in out.split()]
    assert (folder / "config.yaml").is_file()
    assert rows(home, "runs", "--runs", "elsewhere", "--store", "no.duckdb")[0]["state"] == "queued"


def test_a_prepared_run_is_worked_elsewhere_and_taken_home(home: Path, tmp_path: Path) -> None:
    out, _ = workbench(home, "run", "small.yaml", "--prepare", "--runs", str(tmp_path / "away"))
    folder = Path(out.strip())
    worker = [sys.executable, "-m", "workbench.runs.worker", str(folder)]
    assert subprocess.run(worker, cwd=tmp_path, timeout=LIMIT_S).returncode == 0
    store = str(tmp_path / "home.duckdb")
    assert "ingested" in workbench(home, "ingest", str(folder), "--store", store)[0]
    assert rows(home, "ingest", str(folder), "--store", store) == [{"run_id": folder.name, "ingested": False}]
    assert "nothing new" in workbench(home, "ingest", str(folder), "--store", store)[0]
    assert rows(home, "sql", "select state from runs", "--store", store) == [{"state": "finished"}]


def test_a_store_is_rebuilt_from_the_run_directories(home: Path, tmp_path: Path) -> None:
    new = ("--store", str(tmp_path / "new.duckdb"))
    assert len(workbench(home, "ingest", *new)[0].splitlines()) == 4
    out, narration = workbench(home, "ingest", *new)
    assert out == "" and "nothing new: " in narration and rows(home, "ingest", *new) == []
    statement = "select * exclude (mean), round(mean, 6) as mean from arm_measures order by all"
    assert rows(home, "sql", statement, *new) == rows(home, "sql", statement)


def test_packed_results_are_a_store_again(home: Path, tmp_path: Path) -> None:
    packed, runs, store = tmp_path / "packed.duckdb", tmp_path / "packed", tmp_path / "again.duckdb"
    assert re.search(r"packed\.duckdb  4 runs, \d+\.\d MiB", workbench(home, "pack", str(packed))[0])
    assert len(workbench(home, "pack", str(runs))[0].splitlines()) == 4
    workbench(home, "ingest", "--runs", str(runs), "--store", str(store))
    statement = "select * exclude (mean), round(mean, 6) as mean from arm_measures order by all"
    for made in (packed, store):
        assert rows(home, "sql", statement, "--store", str(made)) == rows(home, "sql", statement)


def test_interrupted_it_stops_in_order_and_resumes(home: Path, tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(SWEEP)
    command = [sys.executable, "-m", "workbench", "run", "long.yaml", "--set", "train.steps=100000"]
    view = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    runs = RunsPaths(tmp_path / "runs")
    until(lambda: any(e["kind"] == "step" for run in run_folders(runs) for e in read_events(run.events)))
    os.killpg(view.pid, signal.SIGINT)
    _, narration = view.communicate(timeout=LIMIT_S)
    assert view.returncode == 130, narration
    assert {state_of(run) for run in run_folders(runs)} == {"stopped"}
    assert narration.count("workbench resume") == 4 and "Traceback" not in narration
    (worked,) = [run for run in run_folders(runs) if run.checkpoints.exists()]
    workbench(tmp_path, "resume", worked.run_id, "--detach")
    until(lambda: state_of(worked) == "training")
    out, _ = workbench(tmp_path, "stop", worked.run_id)
    assert "stopped" in out
    steps = [e["step"] for e in read_events(worked.events) if e["kind"] == "step"]
    assert steps == list(range(1, steps[-1] + 1)), "it went on where it had stopped"


def test_detached_runs_finish_by_themselves_and_land_in_the_store(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(CONFIG)
    out, _ = workbench(tmp_path, "run", "small.yaml", "--detach", "--set", "sweep.seed=[0, 1]")
    assert len(out.split()) == 2
    # nobody looks: the dispatcher itself works off the queue and takes the results home
    until(lambda: in_plain_duckdb(tmp_path, "select count(*) from runs where state = 'finished'") == (2,))


def test_a_failed_run_says_why_and_how_to_go_on(home: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(CONFIG)
    steep = ("--set", "train.learning_rate=1e30", "--set", "train.clip=1e30")
    _, narration = workbench(tmp_path, "run", "small.yaml", *steep, code=1)
    assert "diverged" in narration and "workbench resume" in narration
    bad = ("--set", "train.batch_size=1000")
    _, narration = workbench(tmp_path, "run", "small.yaml", *bad, code=2)
    assert "1000" in narration
    assert {row["state"] for row in rows(tmp_path, "runs")} == {"failed"}
    assert any("diverged" in row["message"] for row in rows(tmp_path, "sql", "select message from runs"))


def test_deleted_runs_do_not_come_back(home: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(CONFIG)
    workbench(tmp_path, "run", "small.yaml", "--set", "train=null")
    (row,) = rows(tmp_path, "runs")
    assert "deleted" in workbench(tmp_path, "delete", row["run_id"], "--yes")[0]
    workbench(tmp_path, "ingest")
    assert rows(tmp_path, "runs") == [] and rows(tmp_path, "sql", "select * from runs") == []


def test_doctor_and_gc(home: Path) -> None:
    findings = {row["check"]: row for row in rows(home, "doctor")}
    assert findings["torch"]["state"] == "ok" and "4 runs" in findings["store"]["finding"]
    leftover = home / "runs" / ".new-old"
    leftover.mkdir()
    os.utime(leftover, (0, 0))
    assert ".new-old" in workbench(home, "gc", "--dry-run")[0] and leftover.exists()
    (row,) = rows(home, "gc", "--dry-run")
    assert row == {"file": "runs/.new-old", "bytes": 0, "freed": False}
    workbench(home, "gc")
    assert not leftover.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "none.yaml"], "none.yaml: cannot be read"),
        (["run", "small.yaml", "--set", "train.stepz=1"], "unknown key"),
        (["run", "small.yaml", "--set", "model.checkpoint=./none"], "no such folder"),
        (["evaluate", "--model", "builtin", "--task", "xquad_r"], "evaluate.tasks.xquad_r.path"),
        (["evaluate", "--model", "builtin", "--task", "xquad_r", "--path", "none"], "none"),
        (["show", "nothing"], "no such run"),
        (["log", "nothing"], "no such run"),
        (["stop", "nothing"], "no such run"),
        (["stop", "mono-s0"], "finished"),
        (["resume", "mono-s0"], "finished"),
        (["compare", "nothing"], "nothing"),
        (["sql", "select 1", "--store", "none.duckdb"], "none.duckdb"),
        (["sql", "select 1", "--store", "small.yaml"], "small.yaml"),
        (["ingest", "nowhere"], "nowhere"),
        (["pack", "small.yaml", "nothing"], "no such run"),
        (["pack", "new.duckdb", "mono-s0"], "a store is packed whole"),
        (["run", "small.yaml", "--jobs", "0"], "jobs"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_wrong_input_is_one_clear_message_and_exit_code_2(home: Path, arguments: list[str], says: str) -> None:
    _, error = workbench(home, *arguments, code=2)
    assert says in error


def test_debug_shows_the_traceback(home: Path) -> None:
    command = [sys.executable, "-m", "workbench", "show", "nothing", "--debug"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True)
    assert "Traceback" in done.stderr and done.returncode != 0
