import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.paths import RunPaths, RunsPaths
from workbench.records import EvaluateSpec, PairSetSpec, RunSpec, SamplingSpec, Settings, TaskSpec, TrainSpec
from workbench.runs.directory import create_run, is_running, read_worker, run_folders, state_of
from workbench.runs.events import EventLog
from workbench.runs.supervisor import check_stoppable, resume_all, stop_all

DISPATCHER = Path(__file__).with_name("fake_dispatcher.py")


def make_spec(run_id: str = "20261122-1403-hybrid-a50-s0-7f3c", **settings: object) -> RunSpec:
    train = TrainSpec(sets={"demo": PairSetSpec()}, sampling=SamplingSpec("hybrid", 0.5), steps=10)
    evaluate = EvaluateSpec(tasks={"demo": TaskSpec(languages=("en", "no"))})
    given = {"name": "quick", "train": train, "evaluate": evaluate, **settings}
    return RunSpec(run_id, "hybrid-a50-1c9e07", "2026-11-22T14:03:00+00:00", "/", {}, Settings(**given))  # type: ignore[arg-type]


def wait_for(condition: Callable[[], object], what: str) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, f"20 s passed without: {what}"
        time.sleep(0.02)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[RunsPaths]:
    """A runs directory whose workers are gone after the test."""
    runs = RunsPaths(tmp_path / "runs")
    yield runs
    for run in run_folders(runs):
        worker = read_worker(run)
        if worker and worker.pid != os.getpid() and is_running(worker):
            os.killpg(worker.pid, signal.SIGKILL)


@pytest.fixture
def queue_runs(runs: RunsPaths) -> Callable[[int], list[RunPaths]]:
    return lambda count: [create_run(runs, make_spec(f"20261122-140{number}-mono-s0-7f3c")) for number in range(count)]


@pytest.fixture
def start_dispatcher(runs: RunsPaths) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts the dispatcher of fake workers; `gpus` is CUDA_VISIBLE_DEVICES."""
    started: list[subprocess.Popen[bytes]] = []

    def start(jobs: int | None = None, gpus: str = "") -> subprocess.Popen[bytes]:
        runs.service.mkdir(parents=True, exist_ok=True)
        if jobs:
            runs.jobs.write_text(f"{jobs}\n")
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": gpus}
        with runs.log.open("ab") as log:
            command = [sys.executable, str(DISPATCHER), str(runs.root)]
            started.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))
        return started[-1]

    yield start
    for child in started:
        child.kill()
        child.wait()


def stop(runs: RunsPaths, run: RunPaths, wait_s: float) -> str:
    check_stoppable(runs, [run])
    return stop_all(runs, [run], wait_s)[run.run_id]


def resume(runs: RunsPaths, run: RunPaths, *, force: bool = False) -> None:
    resume_all(runs, [run], force=force)


def say(run: RunPaths, state: str) -> None:
    with EventLog(run.events) as events:
        events.state(state)  # type: ignore[arg-type]


def at_work(run: RunPaths) -> bool:
    return state_of(run) == "training"
