import json
import os
from pathlib import Path

import pytest

from tests.runs.conftest import make_spec
from workbench.files import locked
from workbench.paths import RunPaths, RunsPaths
from workbench.records import State
from workbench.runs.cleaning import clean
from workbench.runs.directory import create_run
from workbench.runs.events import EventLog


@pytest.fixture
def run(runs: RunsPaths) -> RunPaths:
    """A run with a checkpoint and what a killed process left behind."""
    run = create_run(runs, make_spec())
    run.checkpoints.mkdir()
    (run.checkpoints / "step-1").write_bytes(b"12345")
    part_of(run).write_bytes(b"123")
    return run


def part_of(run: RunPaths) -> Path:
    return run.root / ".environment.json.1.part"


def enter(run: RunPaths, state: State, host: str | None = None) -> None:
    with EventLog(run.events) as events:
        events.state(state)
    if host:
        run.worker.write_text(json.dumps({"pid": 1, "create_time": 0, "host": host, "started": ""}))


def test_leftovers_and_a_finished_runs_checkpoints_go(runs: RunsPaths, run: RunPaths) -> None:
    enter(run, "finished")
    old, young = runs.root / ".new-old", runs.root / ".deleted-young"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (0, 0))
    expected = {(old, 0), (part_of(run), 3), (run.checkpoints, 5)}
    assert set(clean(runs, dry_run=True)) == expected and all(path.exists() for path, _ in expected)
    assert set(clean(runs)) == expected and not any(path.exists() for path, _ in expected)
    assert young.exists() and run.config.exists()


@pytest.mark.parametrize("state", ["stopped", "failed", "training"])
def test_checkpoints_that_somebody_may_go_on_from_go_only_when_asked(
    runs: RunsPaths, run: RunPaths, state: State
) -> None:
    enter(run, state)
    assert clean(runs) == [(part_of(run), 3)]
    assert clean(runs, checkpoints=True) == [(run.checkpoints, 5)]


def test_vectors_go_when_checkpoints_do(runs: RunsPaths, run: RunPaths) -> None:
    (run.vectors / "demo").mkdir(parents=True)
    (run.vectors / "demo" / "000000-0123456789abcdef.npy").write_bytes(b"1234567")
    enter(run, "stopped")
    assert clean(runs, dry_run=True) == [(part_of(run), 3)]
    assert (run.vectors, 7) in clean(runs, checkpoints=True, dry_run=True)
    (run.vectors / "demo" / ".000001-0123456789abcdef.npy.99.part").write_bytes(b"12")
    enter(run, "finished")
    assert set(clean(runs)) == {(part_of(run), 3), (run.checkpoints, 5), (run.vectors, 9)}, "each byte counts once"
    assert not run.vectors.exists()


def test_a_run_that_works_here_is_left_alone(runs: RunsPaths, run: RunPaths) -> None:
    enter(run, "training")
    with locked(run.lock):
        assert clean(runs, checkpoints=True) == []


def test_a_run_that_works_on_another_host_is_left_alone_until_it_has_ended(runs: RunsPaths, run: RunPaths) -> None:
    enter(run, "training", host="elsewhere")
    assert clean(runs, checkpoints=True) == []
    enter(run, "finished", host="elsewhere")
    assert [path for path, _ in clean(runs)] == [part_of(run), run.checkpoints]
