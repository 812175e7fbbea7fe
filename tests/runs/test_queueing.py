"""Queueing runs, watching them, and the dispatcher and the store that they work for."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runs.conftest import at_work, make_spec, resume, say, stop, wait_for
from workbench.errors import InputError, WorkError
from workbench.files import is_locked, locked
from workbench.paths import RunPaths, RunsPaths
from workbench.records import RunSpec
from workbench.runs import supervisor
from workbench.runs.directory import create_run, record_worker, run_folders, state_of, status
from workbench.runs.dispatcher import worker_command
from workbench.runs.events import read_events
from workbench.runs.supervisor import feeds, queue, resume_all, stop_all, watch

Queue = Callable[[int], list[RunPaths]]
Start = Callable[..., subprocess.Popen[bytes]]


def unworkable(name: str, folder: Path = Path("/")) -> RunSpec:
    """A run that the real worker refuses at once: its data are not those that it was made for."""
    return replace(make_spec(name), fingerprints={"train.sets.demo": "other"}, folder=str(folder))


def test_watching_gives_every_event_once_and_ends_with_the_runs(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    queued = queue_runs(3)
    start_dispatcher(jobs=2)
    seen: dict[str, list[dict[str, object]]] = {run.run_id: [] for run in queued}
    states = {}
    for update in watch(runs, list(seen), runs.root / "x.duckdb"):
        seen[update.run_id] += update.events
        states[update.run_id] = update.state
        if update.state == "training":
            (runs.run(update.run_id).root / "go").touch()
    assert set(states.values()) == {"finished"}
    assert [seen[run.run_id] for run in queued] == [read_events(run.events) for run in queued]


def test_watching_tells_a_lost_run_and_a_removed_one(runs: RunsPaths, queue_runs: Queue) -> None:
    lost, removed = queue_runs(2)
    say(lost, "training")
    record_worker(lost, os.getpid())
    say(removed, "stopped")
    news = watch(runs, [lost.run_id], runs.root / "x.duckdb")
    assert next(news).state == "training"
    lost.worker.unlink()
    last = next(news)
    assert (last.state, last.events) == ("lost", [])
    assert list(news) == []
    news = watch(runs, [removed.run_id], runs.root / "x.duckdb")
    removed.events.unlink()
    assert [update.state for update in news] == ["damaged"]


def test_a_dispatcher_ends_by_itself_and_writes_its_log(runs: RunsPaths) -> None:
    runs.root.mkdir()
    supervisor.start_dispatcher(runs, runs.root / "x.duckdb", jobs=3)
    assert runs.jobs.read_text() == "3\n"
    wait_for(lambda: not runs.jobs.exists() and not is_locked(runs.dispatcher_lock), "the dispatcher's end")
    assert runs.log.read_text() == ""


@pytest.mark.parametrize("jobs", [0, -1])
def test_a_number_of_jobs_below_one_is_refused_before_anything_is_made(runs: RunsPaths, jobs: int) -> None:
    with pytest.raises(InputError, match=f"jobs: {jobs}; allowed: 1 or more"):
        queue(runs, [make_spec()], runs.root / "x.duckdb", jobs)
    assert not runs.root.exists()


def test_queued_runs_are_dispatched_though_the_queuing_process_has_gone(runs: RunsPaths, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.runs.test_queueing import queue, unworkable; from workbench.paths import RunsPaths\n"
        "queue(RunsPaths(Path(sys.argv[1])), [unworkable('a'), unworkable('b')], Path(sys.argv[2]), jobs=1)"
    )
    store = tmp_path / "x.duckdb"
    subprocess.run([sys.executable, "-c", code, runs.root, store], check=True, cwd=Path(__file__).parents[2])
    # the real worker, which refuses data that are not those that the run was made for
    ended = {update.run_id: update.state for update in watch(runs, ["a", "b"], store)}
    assert ended == {"a": "failed", "b": "failed"}
    wait_for(lambda: not is_locked(runs.dispatcher_lock), "the dispatcher's end")


def test_watching_starts_a_dispatcher_again_and_gives_up_when_none_stays(
    runs: RunsPaths, queue_runs: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "DISPATCHER_POLL_S", 0.2)
    monkeypatch.setattr(supervisor, "DISPATCHER_STARTS", 100)
    (run,) = queue_runs(1)
    run.config.write_text("{")
    assert [update.state for update in watch(runs, [run.run_id], runs.root / "x.duckdb")][-1] == "failed"
    wait_for(lambda: not is_locked(runs.dispatcher_lock), "the dispatcher's end")
    monkeypatch.setattr(supervisor, "DISPATCHER_STARTS", 3)
    again = create_run(runs, make_spec("again"))
    runs.service.mkdir(exist_ok=True)
    runs.dispatcher_lock.unlink()
    runs.dispatcher_lock.mkdir()  # no dispatcher can live so
    with pytest.raises(WorkError, match=r"dispatcher\.log: says why"):
        list(watch(runs, [again.run_id], runs.root / "x.duckdb"))
    wait_for(lambda: "Is a directory" in runs.log.read_text(), "the reason in the log")


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), WorkError("no disk space left")])
def test_runs_queued_before_an_interrupt_or_a_full_disk_are_stopped(
    runs: RunsPaths,
    queue_runs: Queue,
    start_dispatcher: Start,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
) -> None:
    (older,) = queue_runs(1)
    specs = [make_spec(name) for name in "abc"]

    def create(runs: RunsPaths, spec: RunSpec) -> RunPaths:
        run = create_run(runs, spec)
        if run.run_id == "b":  # made, but never told
            raise failure
        return run

    with monkeypatch.context() as patched:
        patched.setattr(supervisor, "create_run", create)
        with pytest.raises(type(failure)):
            queue(runs, specs, runs.root / "x.duckdb")
    assert {run.run_id: state_of(run) for run in run_folders(runs)} == {
        older.run_id: "queued",
        "a": "stopped",
        "b": "stopped",
    }
    (older.root / "go").touch()
    assert start_dispatcher().wait(20) == 0
    assert not any(runs.run(name).worker.exists() for name in "ab")


def test_runs_whose_dispatcher_cannot_be_started_are_stopped(runs: RunsPaths) -> None:
    runs.log.mkdir(parents=True)
    with pytest.raises(WorkError, match=r"dispatcher\.log: cannot be written: Is a directory"):
        queue(runs, [make_spec("a")], runs.root / "x.duckdb")
    assert state_of(runs.run("a")) == "stopped"


def test_a_run_that_cannot_even_be_marked_is_taken_away(runs: RunsPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(run: RunPaths) -> None:
        raise WorkError(f"{run.events}: no disk space left")

    monkeypatch.setattr(supervisor, "mark_stopped", full)
    runs.log.mkdir(parents=True)
    with pytest.raises(WorkError, match=r"dispatcher\.log"):
        queue(runs, [make_spec("a")], runs.root / "x.duckdb")
    assert run_folders(runs) == []


@pytest.mark.parametrize("busy", ["queued", "at work"])
def test_a_runs_directory_at_work_feeds_one_store(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start, busy: str
) -> None:
    one, two = (runs.root / f"{name}.duckdb" for name in ("one", "two"))
    run, other = queue_runs(2)
    say(other, "stopped")
    runs.service.mkdir()
    runs.store.write_text(str(one.resolve()))
    if busy == "at work":
        dispatcher = start_dispatcher()
        wait_for(lambda: at_work(run), "the run at work")
        dispatcher.kill()
        dispatcher.wait()
    both = r"two\.duckdb.*one\.duckdb"
    with pytest.raises(InputError, match=both):
        supervisor.start_dispatcher(runs, two)
    with pytest.raises(InputError, match=both):
        queue(runs, [make_spec("new")], two)
    with pytest.raises(InputError, match=both):
        resume_all(runs, [other], store=two)
    assert feeds(runs, one) and state_of(other) == "stopped" and not runs.run("new").root.exists()
    stop(runs, run, 20.0)
    resume_all(runs, [other], store=two)
    assert feeds(runs, two) and state_of(other) == "queued"


def test_a_dispatcher_of_another_store_that_stays_is_not_taken_over(
    runs: RunsPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "ENDING_S", 0.05)
    one, two = (runs.root / f"{name}.duckdb" for name in ("one", "two"))
    runs.service.mkdir(parents=True)
    runs.store.write_text(str(one.resolve()))
    with locked(runs.dispatcher_lock), pytest.raises(InputError, match=r"two\.duckdb.*one\.duckdb"):
        supervisor.start_dispatcher(runs, two)
    assert feeds(runs, one)


def test_a_dispatcher_that_is_about_to_end_is_waited_for(runs: RunsPaths) -> None:
    one, two = (runs.root / f"{name}.duckdb" for name in ("one", "two"))
    runs.service.mkdir(parents=True)
    runs.store.write_text(str(one.resolve()))
    hold = (
        "import sys, time; from pathlib import Path; from workbench.files import locked\n"
        "with locked(Path(sys.argv[1])): print(flush=True); time.sleep(0.3)"
    )
    with subprocess.Popen([sys.executable, "-c", hold, runs.dispatcher_lock], stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline()
        supervisor.start_dispatcher(runs, two)
    assert feeds(runs, two)
    wait_for(lambda: not is_locked(runs.dispatcher_lock), "the dispatcher's end")


def test_files_in_the_users_folder_do_not_stand_in_for_modules(
    runs: RunsPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for module in ("json", "statistics", "evaluate"):
        (folder / f"{module}.py").write_text("raise SystemExit(77)\n")
    monkeypatch.chdir(folder)
    store = tmp_path / "x.duckdb"
    (run,) = queue(runs, [unworkable("a", folder)], store)
    assert [update.state for update in watch(runs, ["a"], store)][-1] == "failed"
    assert "is not what the run was made for" in (status(run).message or "")
    wait_for(lambda: not is_locked(runs.dispatcher_lock), "the dispatcher's end")
    assert "not ingested" not in runs.log.read_text() and store.exists()
    # without -P the same file does stand in
    bare = [part for part in worker_command(run) if part != "-P"]
    assert subprocess.run(bare, cwd=folder, check=False).returncode == 77


def test_a_runs_directory_that_cannot_be_written_is_one_clear_line(runs: RunsPaths, queue_runs: Queue) -> None:
    (run,) = queue_runs(1)
    runs.service.write_text("")  # in the way, also of somebody who may write everywhere
    for action in (
        lambda: queue(runs, [make_spec("a")], runs.root / "x.duckdb"),
        lambda: stop_all(runs, [run], 0.0),
        lambda: resume(runs, run),
    ):
        with pytest.raises(WorkError, match=r"queue\.lock: cannot be written"):
            action()
    assert state_of(run) == "queued" and not runs.run("a").root.exists()
