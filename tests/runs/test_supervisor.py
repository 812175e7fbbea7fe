"""Stopping and resuming runs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.runs.conftest import at_work, make_spec, resume, say, stop, wait_for
from workbench.errors import InputError, WorkError
from workbench.files import locked
from workbench.paths import RunPaths, RunsPaths
from workbench.runs import supervisor
from workbench.runs.directory import create_run, read_worker, record_worker, state_of
from workbench.runs.events import read_events
from workbench.runs.supervisor import check_stoppable, resume_all, stop_all, unserved

Queue = Callable[[int], list[RunPaths]]
Start = Callable[..., subprocess.Popen[bytes]]


def work_elsewhere(run: RunPaths) -> None:
    run.worker.write_text(json.dumps({"pid": os.getpid(), "create_time": 0, "host": "elsewhere", "started": ""}))
    say(run, "training")


def test_a_queued_run_is_stopped_at_once_and_never_started(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    first, second = queue_runs(2)
    dispatcher = start_dispatcher()
    wait_for(lambda: at_work(first), "the first at work")
    assert stop(runs, second, 0.0) == "stopped"
    (first.root / "go").touch()
    assert dispatcher.wait(20) == 0
    assert (state_of(first), state_of(second)) == ("finished", "stopped") and not second.worker.exists()


def test_a_working_run_stops_in_order_and_is_resumed(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    (run,) = queue_runs(1)
    dispatcher = start_dispatcher()
    wait_for(lambda: at_work(run), "the run at work")
    assert stop(runs, run, 20.0) == "stopped"
    assert [event["kind"] for event in read_events(run.events)][-2:] == ["checkpoint", "state"]
    resume(runs, run)
    (run.root / "go").touch()
    dispatcher.wait(20)
    start_dispatcher()
    wait_for(lambda: state_of(run) == "finished", "the resumed run finished")


def test_a_lost_run_is_resumed(runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start) -> None:
    (run,) = queue_runs(1)
    dispatcher = start_dispatcher()
    wait_for(lambda: at_work(run), "the run at work")
    worker = read_worker(run)
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    assert dispatcher.wait(20) == 0 and state_of(run) == "lost"
    resume(runs, run)
    assert state_of(run) == "queued"
    (run.root / "go").touch()
    assert start_dispatcher().wait(20) == 0 and state_of(run) == "finished"


def test_stopping_all_starts_none_in_the_slots_that_come_free(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    queued = queue_runs(4)
    (queued[0].root / "go").touch()
    dispatcher = start_dispatcher()
    wait_for(lambda: at_work(queued[1]), "the second at work")
    states = stop_all(runs, queued, 20.0)
    assert list(states.values()) == ["finished", "stopped", "stopped", "stopped"]
    assert dispatcher.wait(20) == 0
    assert [run.worker.exists() for run in queued] == [True, True, False, False]


def test_a_worker_that_the_signal_meets_before_it_can_answer_is_stopped(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    (run,) = queue_runs(1)
    sleeper = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(sleeper, start_new_session=True) as child:
        record_worker(run, child.pid)
        assert state_of(run) == "preparing"
        assert stop(runs, run, 20.0) == "stopped"
        assert child.wait() == -signal.SIGTERM


def test_a_worker_in_a_group_of_others_is_signalled_alone(runs: RunsPaths, queue_runs: Queue) -> None:
    (run,) = queue_runs(1)
    sleeper = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    # one group with this test, which would end with it
    with subprocess.Popen(sleeper) as child:
        record_worker(run, child.pid)
        say(run, "training")
        assert stop(runs, run, 20.0) == "lost"
        assert child.wait() == -signal.SIGTERM


@pytest.mark.parametrize("state", ["finished", "failed", "stopped", "lost"])
def test_an_ended_run_is_not_stopped(runs: RunsPaths, queue_runs: Queue, state: str) -> None:
    (run,) = queue_runs(1)
    say(run, "training" if state == "lost" else state)
    with pytest.raises(InputError, match=f"{run.run_id}: is {state}; only a queued or a working"):
        stop(runs, run, 0.0)
    assert stop_all(runs, [run], 0.0) == {run.run_id: state}


def test_a_run_of_another_host_is_neither_stopped_nor_resumed(runs: RunsPaths, queue_runs: Queue) -> None:
    (run,) = queue_runs(1)
    work_elsewhere(run)
    with pytest.raises(InputError, match="is training on elsewhere; stop it there"):
        stop(runs, run, 0.0)
    with pytest.raises(InputError, match="is training on elsewhere; use --force"):
        resume(runs, run)


def test_a_run_of_a_host_that_is_gone_is_resumed_by_force_while_its_lock_is_free(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    (run,) = queue_runs(1)
    work_elsewhere(run)
    with locked(run.lock), pytest.raises(InputError, match="is training; only"):
        resume(runs, run, force=True)
    resume(runs, run, force=True)
    (run.root / "go").touch()
    assert start_dispatcher().wait(20) == 0 and state_of(run) == "finished"


def test_force_is_no_way_to_resume_what_works_here(runs: RunsPaths, queue_runs: Queue) -> None:
    (run,) = queue_runs(1)
    say(run, "training")
    record_worker(run, os.getpid())
    with pytest.raises(InputError, match="is training; only"):
        resume(runs, run, force=True)


def test_several_are_checked_before_one_is_stopped(runs: RunsPaths, queue_runs: Queue) -> None:
    queued, finished, away = queue_runs(3)
    say(finished, "finished")
    work_elsewhere(away)
    for other in (finished, away):
        with pytest.raises(InputError, match=other.run_id):
            check_stoppable(runs, [queued, other])
    check_stoppable(runs, [queued])
    assert state_of(queued) == "queued"


def test_several_are_checked_before_one_is_resumed(runs: RunsPaths, queue_runs: Queue) -> None:
    stopped, finished, lost = queue_runs(3)
    for run, state in ((stopped, "stopped"), (finished, "finished"), (lost, "training")):
        say(run, state)
    with pytest.raises(InputError, match=f"{finished.run_id}: is finished"):
        resume_all(runs, [stopped, finished, lost])
    assert (state_of(stopped), state_of(lost)) == ("stopped", "lost")
    resume_all(runs, [stopped, lost, stopped])
    assert (state_of(stopped), state_of(lost)) == ("queued", "queued")
    assert [event["state"] for event in read_events(stopped.events)] == ["queued", "stopped", "queued"]


def test_a_queued_run_whose_dispatcher_is_gone_may_be_resumed_and_stays_as_it_is(
    runs: RunsPaths, queue_runs: Queue, start_dispatcher: Start
) -> None:
    (run,) = queue_runs(1)
    before = run.events.read_bytes()
    resume(runs, run)
    assert run.events.read_bytes() == before
    (run.root / "go").touch()
    assert start_dispatcher().wait(20) == 0 and state_of(run) == "finished"


def test_queued_runs_without_a_dispatcher_are_unserved(runs: RunsPaths, queue_runs: Queue) -> None:
    assert unserved(runs) == []
    first, second, ended, preparing = queue_runs(4)
    create_run(runs, make_spec("elsewhere"), prepared=True)
    say(ended, "finished")
    record_worker(preparing, os.getpid())
    assert unserved(runs) == [second.run_id, first.run_id]
    with locked(runs.dispatcher_lock):
        assert unserved(runs) == []


def test_a_worker_whose_name_is_not_known_yet_is_not_guessed(runs: RunsPaths, queue_runs: Queue) -> None:
    (run,) = queue_runs(1)
    say(run, "training")
    with locked(run.lock), pytest.raises(WorkError, match="does not say which process"):
        stop(runs, run, 0.0)


@pytest.mark.parametrize("state", ["finished", "training"])
def test_what_has_not_ended_early_is_not_resumed(runs: RunsPaths, queue_runs: Queue, state: str) -> None:
    (run,) = queue_runs(1)
    say(run, state)
    held = locked(run.lock if state == "training" else runs.root / "other.lock")
    with held, pytest.raises(InputError, match=f"is {state}; only a stopped, failed, lost or queued run"):
        resume(runs, run)


def test_a_prepared_run_is_queued_here_by_resume(runs: RunsPaths, start_dispatcher: Start) -> None:
    run = create_run(runs, make_spec(), prepared=True)
    (run.root / "go").touch()
    resume(runs, run)
    assert start_dispatcher().wait(20) == 0 and state_of(run) == "finished"


def test_a_damaged_run_is_not_resumed(runs: RunsPaths, queue_runs: Queue) -> None:
    (run,) = queue_runs(1)
    say(run, "failed")
    run.config.write_text("{")
    with pytest.raises(InputError, match=r"config\.yaml: damaged"):
        resume(runs, run)


def test_a_resumed_run_whose_old_process_stays_is_refused(
    runs: RunsPaths, queue_runs: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = queue_runs(1)
    say(run, "stopped")
    monkeypatch.setattr(supervisor, "ENDING_S", 0.05)
    with locked(run.lock), pytest.raises(InputError, match="its process is still there"):
        resume(runs, run)
