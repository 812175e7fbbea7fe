"""What a view may ask of runs: queue them, watch them, stop one, queue one again. It computes nothing itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import InputError, WorkError
from workbench.files import as_work_error, is_locked, write_whole
from workbench.paths import RunPaths, RunsPaths
from workbench.records import ENDED, RunSpec
from workbench.runs.directory import (
    WORKING,
    SeenState,
    create_run,
    is_live,
    is_running,
    queue_locked,
    read_spec,
    read_worker,
    state_of,
    this_host,
)
from workbench.runs.events import Event, EventLog, last_event, read_new_events

POLL_S = 0.1
"""Between two looks at the events of watched runs."""
DISPATCHER_POLL_S = 2.0
"""Between two looks at whether a dispatcher serves the queue; longer than one takes to start."""
DISPATCHER_STARTS = 3
"""Starts of a dispatcher that did not stay, before watching gives up."""
ENDING_S = 10.0
"""Patience with a worker that has said its last word and is about to end."""


@dataclass(frozen=True)
class Update:
    """News of a watched run."""

    run_id: str
    state: SeenState
    events: list[Event]
    """Those since the last update, oldest first; the first update has all."""


def queue(runs: RunsPaths, specs: Sequence[RunSpec], store: Path, jobs: int | None = None) -> list[RunPaths]:
    """Make a queued run of each spec and have them dispatched; returns at once.

    Raises
    ------
    InputError
        `jobs` is below 1.
    WorkError
        The runs directory cannot be written.
    """
    check_jobs(jobs)
    queued = [create_run(runs, spec) for spec in specs]
    start_dispatcher(runs, store, jobs)
    return queued


def check_jobs(jobs: int | None) -> None:
    if jobs is not None and jobs < 1:
        raise InputError(f"jobs: {jobs}; allowed: 1 or more")


def start_dispatcher(runs: RunsPaths, store: Path, jobs: int | None = None) -> None:
    """Start a detached dispatcher, which ends at once where one is at work; returns at once.

    Parameters
    ----------
    jobs
        How many runs may work at once from now on; None leaves it: as said before, else one per GPU, else one.

    Raises
    ------
    InputError, WorkError
        As `queue`.
    """
    check_jobs(jobs)
    if jobs is not None:
        with queue_locked(runs):
            write_whole(runs.jobs, f"{jobs}\n")
    command = [sys.executable, "-m", "workbench.runs.dispatcher", str(runs.root.resolve())]
    try:
        write_whole(runs.store, str(store.resolve()))
        with runs.log.open("ab") as log:
            child = subprocess.Popen(
                [*command, "--store", str(store.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError as error:
        raise as_work_error(error, runs.log) from error
    # takes note of its end, should this process live longer, so that no zombie stays
    threading.Thread(target=child.wait, daemon=True, name="dispatcher's end").start()


def feeds(runs: RunsPaths, store: Path) -> bool:
    """Whether the results of `runs` go to `store`: another store is not written to by a mere look at it."""
    return runs.store.is_file() and Path(runs.store.read_text()) == store.resolve()


def stop(runs: RunsPaths, run: RunPaths, wait_s: float) -> SeenState:
    """Stop a queued run at once, a working one by SIGTERM; its state then, or after `wait_s` seconds.

    A worker that is asked to stop writes a checkpoint first, so it may still be working when this returns.

    Raises
    ------
    InputError
        The run has ended, or works on another host.
    """
    with queue_locked(runs):
        state = state_of(run)
        if state != "queued" and state not in WORKING:
            raise InputError(f"run {run.run_id}: is {state}; only a queued or a working run can be stopped")
        ask_to_stop(run, state)
    return settled(runs, run, wait_s)


def stop_all(runs: RunsPaths, stopping: Sequence[RunPaths], wait_s: float) -> dict[str, SeenState]:
    """`stop` for several runs by run_id, with one wait for all; those that have ended are left as they are.

    None of them is started by a slot that another one frees.
    """
    with queue_locked(runs):
        for run in stopping:
            state = state_of(run)
            if state == "queued" or state in WORKING:
                ask_to_stop(run, state)
    until = time.monotonic() + wait_s
    return {run.run_id: settled(runs, run, until - time.monotonic()) for run in stopping}


def ask_to_stop(run: RunPaths, state: SeenState) -> None:
    """Mark a queued run as stopped; send SIGTERM to a working one's group, or to its process where that leads none.

    To be called with the queue locked.
    """
    if state == "queued":
        mark_stopped(run)
        return
    worker = read_worker(run)
    if worker and is_running(worker):
        try:
            own_group = os.getpgid(worker.pid) == worker.pid
            (os.killpg if own_group else os.kill)(worker.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass  # it ended by itself meanwhile
    elif worker and worker.host != this_host():
        raise InputError(f"run {run.run_id}: is {state} on {worker.host}; stop it there")
    elif is_live(run):
        raise WorkError(f"{run.worker}: does not say which process works on the run, which is {state}; try again")


def mark_stopped(run: RunPaths) -> None:
    with EventLog(run.events) as events:
        events.state("stopped", message="stopped before it began")


def settled(runs: RunsPaths, run: RunPaths, wait_s: float) -> SeenState:
    """The state of a run that was asked to stop, once its process is gone or `wait_s` seconds have passed."""
    wait_until_gone(run, wait_s)
    with queue_locked(runs):
        # a worker that the signal met before it could answer leaves the run queued
        if state_of(run) == "queued":
            mark_stopped(run)
    return state_of(run)


def wait_until_gone(run: RunPaths, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while is_live(run) and time.monotonic() < until:
        time.sleep(POLL_S / 2)


def resume(runs: RunsPaths, run: RunPaths) -> None:
    """Queue a stopped, failed or lost run again (or one prepared for another machine); `start_dispatcher` is next.

    Raises
    ------
    InputError
        The run is finished, queued, working or damaged.
    """
    read_spec(run)
    if state_of(run) in ("stopped", "failed"):
        wait_until_gone(run, ENDING_S)
    with queue_locked(runs):
        state = state_of(run)
        prepared = state == "queued" and (last_event(run.events) or {}).get("prepared")
        if state not in ("stopped", "failed", "lost") and not prepared:
            raise InputError(f"run {run.run_id}: is {state}; only a stopped, failed or lost run can be resumed")
        if is_live(run):
            raise InputError(f"run {run.run_id}: is {state}, but its process is still there; try again when it is gone")
        with EventLog(run.events) as events:
            events.state("queued")


def watch(runs: RunsPaths, run_ids: Sequence[str], store: Path) -> Iterator[Update]:
    """News of runs until all have ended; a dispatcher that was killed while some are queued is started again.

    Raises
    ------
    WorkError
        No dispatcher stays although runs are queued.
    """
    watched = [Watched(runs.run(run_id)) for run_id in run_ids]
    keeper = Keeper(runs, store)
    while watched:
        for one in watched:
            update = one.look()
            if update:
                yield update
        watched = [one for one in watched if not one.has_ended()]
        if any(one.state == "queued" for one in watched):
            keeper.look()
        if watched:
            time.sleep(POLL_S)


@dataclass
class Watched:
    """A run under watch: how far its events were read, the last of them, and the run's state then."""

    run: RunPaths
    offset: int = 0
    last: Event | None = None
    state: SeenState | None = None

    def look(self) -> Update | None:
        events, self.offset = read_new_events(self.run.events, self.offset)
        self.last = events[-1] if events else self.last
        state = state_of(self.run, self.last) if self.run.events.exists() else "damaged"
        if state == self.state and not events:
            return None
        self.state = state
        return Update(self.run.run_id, state, events)

    def has_ended(self) -> bool:
        return self.state in (*ENDED, "damaged")


@dataclass
class Keeper:
    """Sees to it that a dispatcher serves the queue."""

    runs: RunsPaths
    store: Path
    next_look: float = 0.0
    starts: int = 0

    def look(self) -> None:
        now = time.monotonic()
        if not self.next_look:
            self.next_look = now + DISPATCHER_POLL_S
        if now < self.next_look:
            return
        self.next_look = now + DISPATCHER_POLL_S
        if is_locked(self.runs.dispatcher_lock):
            self.starts = 0
        elif self.starts == DISPATCHER_STARTS:
            raise WorkError(f"{self.runs.log}: says why no dispatcher stays although runs are queued")
        else:
            self.starts += 1
            start_dispatcher(self.runs, self.store)
