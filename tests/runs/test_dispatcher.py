import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs.conftest import DISPATCHER, make_spec, wait_for
from workbench.files import is_locked, locked
from workbench.paths import RunPaths, RunsPaths
from workbench.runs.directory import create_run, read_worker, run_folders, state_of, status
from workbench.runs.dispatcher import cores, how_ended, read_jobs, visible_gpus
from workbench.runs.events import EventLog, read_events

Queue = Callable[[int], list[RunPaths]]
Start = Callable[..., subprocess.Popen[bytes]]


def go(*runs: RunPaths) -> None:
    """Let fake workers finish."""
    for run in runs:
        (run.root / "go").touch()


def in_state(state: str, *runs: RunPaths) -> bool:
    return all(state_of(run) == state for run in runs)


def pid_of(run: RunPaths) -> int:
    worker = read_worker(run)
    assert worker is not None
    return worker.pid


def starts(run: RunPaths) -> int:
    return sum(event["state"] == "preparing" for event in read_events(run.events) if event["kind"] == "state")


def most_at_once(runs: list[RunPaths]) -> int:
    """The largest number of runs at work at one moment, from the times that their workers wrote down."""
    spans = []
    for run in runs:
        times = {event["state"]: event["time"] for event in read_events(run.events) if event["kind"] == "state"}
        spans.append((times["preparing"], times["finished"]))
    # a run counts itself at its start also when it began and ended within one tick of the clock,
    # and another's end in that tick is before it
    return max(1 + sum(b <= begin < e for b, e in spans[:i] + spans[i + 1 :]) for i, (begin, _) in enumerate(spans))


def test_runs_are_worked_off_oldest_first_and_ingested(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    queued = queue_runs(3)
    go(*queued)
    assert start_dispatcher().wait(20) == 0
    assert in_state("finished", *queued)
    assert most_at_once(queued) == 1 and [starts(run) for run in queued] == [1, 1, 1]
    began = [next(e["time"] for e in read_events(run.events) if e["state"] == "preparing") for run in queued]
    assert began == sorted(began)
    assert sorted((runs.service / "ingested").read_text().split()) == [run.run_id for run in queued]
    assert queued[0].log.read_text() == "at work\n"
    assert not is_locked(runs.dispatcher_lock)


def test_queued_runs_go_on_after_the_command_that_queued_them_has_gone(runs: RunsPaths, queue_runs: Queue) -> None:
    queued = queue_runs(2)
    start = (
        "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", start, sys.executable, DISPATCHER, runs.root], check=True)
    wait_for(lambda: in_state("training", queued[0]), "the first at work")
    assert in_state("queued", queued[1])
    go(*queued)
    wait_for(lambda: in_state("finished", *queued) and not is_locked(runs.dispatcher_lock), "all finished")


def test_no_more_work_at_once_than_was_said_and_the_number_may_change(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    queued = queue_runs(5)
    dispatcher = start_dispatcher(jobs=2)
    wait_for(lambda: in_state("training", *queued[:2]), "two at work")
    assert in_state("queued", *queued[2:])
    assert read_events(queued[0].events)[1]["WORKBENCH_THREADS"] == str(max(1, cores() // 2))
    runs.jobs.write_text("3\n")
    wait_for(lambda: in_state("training", queued[2]), "three at work")
    assert in_state("queued", *queued[3:])
    runs.jobs.write_text("1\n")
    go(*queued[:2])
    wait_for(lambda: in_state("finished", *queued[:2]), "two finished")
    go(*queued)
    assert dispatcher.wait(20) == 0
    assert in_state("finished", *queued)
    assert most_at_once(queued) == 3 and most_at_once(queued[2:]) == 1
    assert not runs.jobs.exists()  # the wish ends with the work it was for


def test_two_dispatchers_are_one(runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start) -> None:
    queued = queue_runs(2)
    first = start_dispatcher()
    wait_for(lambda: in_state("training", queued[0]), "the first at work")
    assert start_dispatcher().wait(20) == 0
    assert first.poll() is None and in_state("queued", queued[1])
    go(*queued)
    assert first.wait(20) == 0
    assert [starts(run) for run in queued] == [1, 1]


def test_a_run_that_is_queued_while_the_dispatcher_works_is_not_forgotten(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    (first,) = queue_runs(1)
    dispatcher = start_dispatcher()
    wait_for(lambda: in_state("training", first), "the first at work")
    second = create_run(runs, make_spec("later"))
    go(first, second)
    assert dispatcher.wait(20) == 0
    assert in_state("finished", first, second)


def test_somebody_who_looks_at_the_lock_does_not_keep_a_dispatcher_away(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    (run,) = queue_runs(1)
    go(run)
    with locked(runs.dispatcher_lock, shared=True):
        start_dispatcher()
    wait_for(lambda: in_state("finished", run), "the run finished")


def test_a_killed_dispatcher_loses_nothing_and_the_next_adopts(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    queued = queue_runs(4)
    killed = start_dispatcher(jobs=2)
    wait_for(lambda: in_state("training", *queued[:2]), "two at work")
    killed.kill()
    killed.wait()
    assert in_state("training", *queued[:2]) and in_state("queued", *queued[2:])
    start_dispatcher()
    wait_for(lambda: runs.log.read_text().count("adopted") == 2, "two adopted")
    assert in_state("queued", *queued[2:])
    go(queued[1])
    wait_for(lambda: in_state("training", queued[2]), "the slot that came free taken")
    assert in_state("training", queued[0]) and in_state("queued", queued[3])
    go(*queued)
    wait_for(lambda: in_state("finished", *queued) and not is_locked(runs.dispatcher_lock), "all finished")
    assert [starts(run) for run in queued] == [1, 1, 1, 1] and most_at_once(queued) == 2
    assert sorted((runs.service / "ingested").read_text().split()) == [run.run_id for run in queued]


def test_a_worker_without_a_word_yet_is_not_started_again_by_the_next_dispatcher(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    (run,) = queue_runs(1)
    (run.root / "mute").touch()
    killed = start_dispatcher(jobs=2)
    wait_for(run.worker.exists, "a worker in its slot")
    killed.kill()
    killed.wait()
    run.worker.unlink()  # as if the kill had come right after the start: only the slot tells of the worker
    start_dispatcher()
    wait_for(lambda: "adopted" in runs.log.read_text(), "the worker adopted")
    (run.root / "mute").unlink()
    wait_for(lambda: in_state("training", run), "the run at work")
    go(run)
    wait_for(lambda: in_state("finished", run) and not is_locked(runs.dispatcher_lock), "all finished")
    assert starts(run) == 1


def test_a_killed_worker_is_lost_and_its_slot_goes_on(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    first, second = queue_runs(2)
    dispatcher = start_dispatcher()
    wait_for(lambda: in_state("training", first), "the first at work")
    os.kill(pid_of(first), signal.SIGKILL)
    wait_for(lambda: in_state("training", second), "the second at work")
    assert status(first).state == "lost" and status(first).message == "the worker was ended by SIGKILL"
    go(second)
    assert dispatcher.wait(20) == 0
    assert in_state("lost", first) and in_state("finished", second)


def test_a_worker_that_ends_before_it_began_fails_once(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    broken, sound = queue_runs(2)
    (broken.root / "stillborn").touch()
    go(sound)
    assert start_dispatcher().wait(20) == 0
    assert in_state("finished", sound)
    message = status(broken).message or ""
    assert status(broken).state == "failed" and "exit code 3 before it began" in message and "worker.log" in message
    assert broken.log.read_text() == "no such module\n"


def test_a_run_that_cannot_be_read_fails_and_the_next_starts(queue_runs: Queue, start_dispatcher: Start) -> None:
    damaged, sound = queue_runs(2)
    damaged.config.write_text("run_id: [")
    go(sound)
    assert start_dispatcher().wait(20) == 0
    assert in_state("failed", damaged) and in_state("finished", sound)
    assert "config.yaml" in read_events(damaged.events)[-1]["message"]


def test_a_run_prepared_for_another_machine_is_left_alone(runs: RunsPaths, start_dispatcher: Start) -> None:
    prepared = create_run(runs, make_spec(), prepared=True)
    assert start_dispatcher().wait(20) == 0
    assert (status(prepared).state, status(prepared).message) == ("queued", "prepared for another machine")


def test_a_run_in_which_a_worker_started_by_hand_is_at_work_is_not_started(
    queue_runs: Queue, start_dispatcher: Start
) -> None:
    by_hand, free = queue_runs(2)
    with locked(by_hand.lock):
        dispatcher = start_dispatcher(jobs=1)
        wait_for(lambda: in_state("training", free), "the other at work")
        go(free)
        wait_for(lambda: in_state("finished", free), "the other finished")
        assert not by_hand.worker.exists()
        with EventLog(by_hand.events) as events:
            events.state("finished")
    assert dispatcher.wait(20) == 0


def test_one_slot_a_gpu_each_worker_sees_its_own(queue_runs: Queue, start_dispatcher: Start) -> None:
    queued = queue_runs(3)
    dispatcher = start_dispatcher(gpus="5,GPU-ab")
    wait_for(lambda: in_state("training", *queued[:2]), "two at work")
    assert in_state("queued", queued[2])
    assert [read_events(run.events)[1]["CUDA_VISIBLE_DEVICES"] for run in queued[:2]] == ["5", "GPU-ab"]
    go(queued[1])
    wait_for(lambda: in_state("training", queued[2]), "the third at work")
    assert read_events(queued[2].events)[1]["CUDA_VISIBLE_DEVICES"] == "GPU-ab"
    go(*queued)
    assert dispatcher.wait(20) == 0


def test_a_worker_starts_in_its_runs_folder_where_that_exists(
    runs: RunsPaths, tmp_path: Path, start_dispatcher: Start
) -> None:
    here, gone = (create_run(runs, make_spec(name)) for name in ("here", "gone"))
    for run, folder in ((here, tmp_path), (gone, tmp_path / "gone")):
        run.config.write_text(run.config.read_text().replace("folder: /\n", f"folder: {folder}\n"))
        go(run)
    assert start_dispatcher().wait(20) == 0
    assert read_events(here.events)[1]["folder"] == str(tmp_path.resolve())
    assert read_events(gone.events)[1]["folder"] == str(Path.cwd())


def test_a_failed_ingest_is_logged_and_nothing_else(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    (run,) = queue_runs(1)
    (runs.service / "ingested").mkdir(parents=True)
    go(run)
    assert start_dispatcher().wait(20) == 0
    assert in_state("finished", run) and "not ingested (exit code" in runs.log.read_text()


@pytest.mark.parametrize(("text", "jobs"), [("3\n", 3), ("0", None), ("", None), ("many", None), (None, None)])
def test_the_jobs_file(runs: RunsPaths, text: str | None, jobs: int | None) -> None:
    runs.service.mkdir(parents=True)
    if text is not None:
        runs.jobs.write_text(text)
    assert read_jobs(runs) == jobs


@pytest.mark.parametrize(
    ("chosen", "gpus"), [("", []), ("0", ["0"]), ("2, 3", ["2", "3"]), ("-1", []), ("1,-1,2", ["1"])]
)
def test_gpus_that_the_user_chose(monkeypatch: pytest.MonkeyPatch, chosen: str, gpus: list[str]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert visible_gpus() == gpus


@pytest.mark.parametrize(
    ("script", "gpus"),
    [
        (None, []),
        ("exit 9", []),
        (
            "printf 'GPU 0: A (UUID: GPU-x)\\n  MIG 1g: (UUID: y)\\nGPU 1: A (UUID: GPU-z)\\n'",
            ["0", "1"],
        ),
    ],
)
def test_gpus_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str | None, gpus: list[str]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if script is not None:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
    assert visible_gpus() == gpus


@pytest.mark.parametrize(
    ("code", "text"),
    [(None, "ended"), (1, "ended with exit code 1"), (-9, "was ended by SIGKILL"), (-300, "was ended by signal 300")],
)
def test_how_a_worker_ended(code: int | None, text: str) -> None:
    assert how_ended(code) == text


def test_an_empty_runs_directory_is_done_at_once(runs: RunsPaths, start_dispatcher: Start) -> None:
    assert start_dispatcher(jobs=4).wait(20) == 0
    assert run_folders(runs) == []
