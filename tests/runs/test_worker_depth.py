"""The real worker process on a task that is searched to a depth: killed while it encodes, and taken up again."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.runs.test_worker import LIMIT_S, prepared, start, work
from workbench.data import loading
from workbench.data.demo import retrieval_task
from workbench.errors import InputError
from workbench.paths import RunPaths
from workbench.runs.directory import read_spec, state_of
from workbench.runs.events import EventLog, read_events
from workbench.runs.worker import Work, load_tasks

# 256 texts a chunk
DEEP = (
    "train=null",
    "evaluate.batch_tokens=64",
    "evaluate.tasks={demo: {languages: [de, en, hi, ru, zh], depth: 100, index: ivf}}",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunPaths:
    """A run that nobody disturbed."""
    run = prepared(tmp_path_factory.mktemp("runs"), *DEEP)
    assert work(run) == 0, run.log.read_text()
    return run


def test_killed_while_encoding_it_goes_on_from_whole_chunks(whole: RunPaths, tmp_path: Path) -> None:
    run = prepared(tmp_path, *DEEP)
    worker = start(run)
    until = time.monotonic() + LIMIT_S
    while not chunks(run):
        assert worker.poll() is None and time.monotonic() < until, run.log.read_text()
        time.sleep(0.001)
    worker.send_signal(signal.SIGKILL)
    worker.wait(LIMIT_S)
    assert state_of(run) == "lost"
    taken, events = len(chunks(run)), len(read_events(run.events))
    assert work(run) == 0, run.log.read_text()
    encoding = [e for e in read_events(run.events)[events:] if e.get("stage") == "encoding passages"]
    assert encoding[0]["done"] == 256 * taken < encoding[0]["total"], "chunks that are there are not encoded again"
    assert results(run) == results(whole)
    assert not run.vectors.exists(), "vectors go when the run is finished"


def chunks(run: RunPaths) -> list[Path]:
    return [file for file in run.vectors.rglob("*.npy") if not file.name.startswith(".")]


def results(run: RunPaths) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(run.results.iterdir())}


def test_the_depth_and_the_index_are_told_with_the_results(whole: RunPaths) -> None:
    (task,) = json.loads((whole.results / "tasks.json").read_text())
    assert task["options"]["depth"] == 100 and task["options"]["index"]["ru"]["kind"] == "ivf"
    seconds = json.loads(whole.environment.read_text())["seconds"]
    assert set(seconds) == {"preparing", "encoding", "indexing", "searching", "ranking"}


def test_two_tasks_that_results_could_not_tell_apart_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepared(tmp_path, "evaluate.tasks={one: {loader: demo}, two: {loader: demo}}")
    # as a loader may that names a task after the size of its pool
    monkeypatch.setattr(loading, "load_task", lambda *_: retrieval_task(("de", "en")))
    with EventLog(run.events) as events, pytest.raises(InputError, match="one and two are both called demo"):
        load_tasks(Work(run, read_spec(run), events))


@pytest.mark.parametrize(
    ("left_out", "message"), [("[en, xx]", "leave_out: 'xx'; allowed: de, en"), ("[en, de]", "no language is left")]
)
def test_languages_that_cannot_be_left_out(tmp_path: Path, left_out: str, message: str) -> None:
    run = prepared(tmp_path, f"evaluate.tasks={{demo: {{languages: [de, en], leave_out: {left_out}}}}}")
    with EventLog(run.events) as events, pytest.raises(InputError, match=message):
        load_tasks(Work(run, read_spec(run), events))
