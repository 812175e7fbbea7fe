"""The real worker process on the built-in set: killed, stopped, resumed, failing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow.parquet as pq
import pytest

from workbench.config import expand, freeze
from workbench.paths import RunPaths, RunsPaths, cache_folder
from workbench.runs.cleaning import clean
from workbench.runs.directory import create_run, read_spec, state_of
from workbench.runs.events import EventLog, last_event, read_events
from workbench.runs.worker import Reporter, Work, keep_task_texts, load_tasks

BASE: dict[str, Any] = {
    "name": "worker",
    "device": "cpu",
    "threads": 1,
    "model": {"builtin": {"dimension": 32, "buckets": 2048}},
    "train": {
        "sets": {"demo": {"languages": ["de", "en", "ru"], "pairs": 400}},
        "steps": 60,
        "batch_size": 16,
        "learning_rate": 0.01,
        "checkpoint_every": 20,
        "validation": {"pairs": 32, "every": 25},
    },
    "evaluate": {"tasks": {"demo": {"languages": ["de", "en", "ru"]}}},
}
LIMIT_S = 60.0


def prepared(runs: Path, *overrides: str) -> RunPaths:
    (spec,) = freeze(expand(json.loads(json.dumps(BASE)), "test", overrides), Path.cwd())
    return create_run(RunsPaths(runs), spec, prepared=True)


def start(run: RunPaths) -> "subprocess.Popen[bytes]":
    with run.log.open("ab") as log:
        command = [sys.executable, "-m", "workbench.runs.worker", str(run.root)]
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def work(run: RunPaths) -> int:
    return start(run).wait(LIMIT_S)


def when(run: RunPaths, seen: Callable[[dict[str, Any]], bool], send: int) -> int:
    """Start the worker, send it a signal once an event is `seen`, return its exit code."""
    worker = start(run)
    until = time.monotonic() + LIMIT_S
    while not any(seen(event) for event in read_events(run.events)):
        assert worker.poll() is None and time.monotonic() < until, run.log.read_text()
        time.sleep(0.002)
    worker.send_signal(send)
    return worker.wait(LIMIT_S)


def results(run: RunPaths) -> dict[str, bytes]:
    """Everything that a run leaves and that must not depend on interruptions."""
    tables = {path.name: path.read_bytes() for path in sorted(run.results.iterdir())}
    return {**tables, "weights": (run.model / "model.safetensors").read_bytes()}


def step(number: int) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["kind"] == "step" and event["step"] >= number


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunPaths:
    """A run that nobody disturbed."""
    run = prepared(tmp_path_factory.mktemp("runs"))
    assert work(run) == 0, run.log.read_text()
    return run


def test_a_run_leaves_what_it_should(whole: RunPaths) -> None:
    assert state_of(whole) == "finished"
    assert {path.name for path in whole.root.iterdir()} >= {
        "config.yaml",
        "events.jsonl",
        "worker.json",
        "environment.json",
        "model",
        "results",
    }
    assert not whole.checkpoints.exists(), "the optimiser's state goes when the run is finished"
    states = [event["state"] for event in read_events(whole.events) if event["kind"] == "state"]
    assert states == ["queued", "preparing", "training", "evaluating", "finished"]
    ranks = pq.read_table(whole.results / "relevant_ranks.parquet")
    # 300 questions, 3 languages: 9 cells with one relevant each, 3 multilingual ones with three
    assert len(ranks) == 300 * (9 + 3 * 3)
    batches = pq.read_table(whole.results / "sampled_batches.parquet").to_pydict()
    assert sum(batches["batches"]) == 60 and set(batches["kind"]) == {"mono", "cross"}
    for table in ("synthetic_pairs", "synthetic_texts"):
        assert pq.read_table(whole.results / f"{table}.parquet").num_rows == 0
    (task,) = json.loads((whole.results / "tasks.json").read_text())
    assert task["queries"] == {"de": 300, "en": 300, "ru": 300}
    environment = json.loads(whole.environment.read_text())
    assert environment["threads"] == 1 and environment["versions"]["torch"]
    assert set(environment["seconds"]) == {"preparing", "leakage", "training", "encoding", "ranking"}


@pytest.mark.parametrize(
    "seen",
    [step(7), step(33), lambda event: event["state"] == "evaluating"],
    ids=["before a checkpoint", "after a checkpoint", "while evaluating"],
)
def test_killed_and_resumed_it_reaches_the_same_bit_for_bit(
    whole: RunPaths, tmp_path: Path, seen: Callable[[dict[str, Any]], bool]
) -> None:
    run = prepared(tmp_path)
    assert when(run, seen, signal.SIGKILL) == -signal.SIGKILL
    assert state_of(run) == "lost"
    assert work(run) == 0, run.log.read_text()
    assert results(run) == results(whole)


def test_stopped_by_a_signal_it_writes_a_checkpoint_and_resumes(whole: RunPaths, tmp_path: Path) -> None:
    run = prepared(tmp_path)
    assert when(run, step(5), signal.SIGTERM) == 130
    assert state_of(run) == "stopped"
    last = last_event(run.events, ("step",))
    assert last is not None and (run.checkpoints / f"step-{last['step']:08d}").is_dir()
    assert work(run) == 0, run.log.read_text()
    assert results(run) == results(whole)


def test_a_loss_that_is_no_number_fails_at_its_step(tmp_path: Path) -> None:
    run = prepared(tmp_path, "train.learning_rate=1e30", "train.clip=1e30", "train.checkpoint_every=1")
    assert work(run) == 1
    last = last_event(run.events)
    assert last is not None and last["state"] == "failed"
    assert "at step 2" in last["message"] and "Traceback" not in run.log.read_text()
    assert not run.checkpoints.exists(), "weights that have diverged are not kept"
    assert json.loads(run.environment.read_text())["seconds"]["training"] > 0


def test_a_kill_after_the_last_word_costs_nothing(whole: RunPaths, tmp_path: Path) -> None:
    # what a kill just before the checkpoints are deleted leaves
    shutil.copytree(whole.root, tmp_path / whole.run_id)
    run = RunPaths(tmp_path / whole.run_id)
    (run.checkpoints / "step-00000060").mkdir(parents=True)
    assert state_of(run) == "finished"
    clean(RunsPaths(tmp_path))
    assert not run.checkpoints.exists() and run.results.exists()


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing_half(tmp_path: Path) -> None:
    run = prepared(tmp_path)
    limit = f"ulimit -f 200; exec {sys.executable} -m workbench.runs.worker {run.root}"  # in blocks of 1024 bytes
    done = subprocess.run(["bash", "-c", limit], capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert state_of(run) == "failed"
    assert not [path for path in run.root.rglob("*") if path.name.endswith(".part")]
    assert work(run) == 0, "with room again it goes on"


def test_data_that_changed_since_are_refused(tmp_path: Path) -> None:
    row = {"pair_id": "a", "lang": "en", "query": "what", "passage": "that"}
    data = tmp_path / "pairs.jsonl"
    data.write_text(json.dumps(row) + "\n")
    run = prepared(tmp_path / "runs", f"train.sets={{mine: {{path: {data}}}}}")
    data.write_text(json.dumps({**row, "query": "who"}) + "\n")
    assert work(run) == 2
    last = last_event(run.events)
    assert last is not None and last["message"].startswith("train.sets.mine: the content is not")


def test_two_workers_do_not_work_on_one_run(tmp_path: Path) -> None:
    run = prepared(tmp_path, "train.steps=100000")
    first = start(run)
    try:
        while not any(event["kind"] == "step" for event in read_events(run.events)):
            assert first.poll() is None, run.log.read_text()
            time.sleep(0.01)
        assert work(run) == 1
        assert "another worker is at it" in run.log.read_text()
        assert state_of(run) == "training"
    finally:
        os.killpg(first.pid, signal.SIGTERM)
        assert first.wait(LIMIT_S) == 130


def test_the_same_code_trains_on_several_devices(whole: RunPaths, tmp_path: Path) -> None:
    run = prepared(tmp_path, "train.steps=10")
    # what `accelerate launch` starts on several GPUs; on CPUs it starts MPI instead
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *launch, "-m", "workbench.runs.worker", str(run.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * LIMIT_S)
    assert done.returncode == 0, done.stderr
    assert state_of(run) == "finished"
    assert json.loads(run.environment.read_text())["processes"] == 2
    alone = {e["step"]: e["loss"] for e in read_events(whole.events) if e["kind"] == "step"}
    together = {e["step"]: e["loss"] for e in read_events(run.events) if e["kind"] == "step"}
    # the first loss precedes every update and is that of one process; later rates differ, for there are fewer steps
    assert together[1] == pytest.approx(alone[1], rel=1e-5) and len(together) == 10


def test_evaluation_alone_needs_no_training(tmp_path: Path) -> None:
    run = prepared(tmp_path, "train=null")
    assert work(run) == 0, run.log.read_text()
    assert not run.model.exists()
    assert (run.results / "measurements.parquet").exists()


def test_wrong_calls_and_damaged_directories(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workbench.runs.worker"]
    assert subprocess.run(command, capture_output=True).returncode == 2
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2 and "config.yaml" in done.stderr and "Traceback" not in done.stderr


def test_a_cache_that_cannot_be_written_costs_the_texts_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepared(tmp_path / "runs")
    work_of = Work(run, read_spec(run), EventLog(run.events))
    tasks = load_tasks(work_of)
    keep_task_texts(work_of, tasks)
    assert len(list((cache_folder() / "texts").glob("*.parquet"))) == 1
    (tmp_path / "file").touch()
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "file" / "cache"))
    keep_task_texts(work_of, tasks)
    event = last_event(run.events)
    assert event and event["kind"] == "warning" and "demo without its texts" in event["message"]


def test_no_time_is_foretold_before_anything_of_a_stage_is_done() -> None:
    said: list[Any] = []
    work = SimpleNamespace(check_stop=lambda: None, log=SimpleNamespace(write=lambda _, **told: said.append(told)))
    report = Reporter(cast(Work, work))
    report("encoding queries", 5, 10)
    report("encoding queries", 10, 10)
    assert [told["eta_s"] for told in said] == [None, 0.0]
