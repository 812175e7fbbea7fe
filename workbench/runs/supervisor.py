"""What a view may ask of runs: queue them, watch them, stop one, queue one again. It computes nothing itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
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
    BY_FORCE,
    WORKING,
    SeenState,
    create_run,
    is_away,
    is_live,
    is_running,
    is_stranded,
    queue_locked,
    read_spec,
    read_worker,
    run_folders,
    state_of,
)
from workbench.runs.dispatcher import is_queued, python
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

    All or none: where it is interrupted or the disk fills up, those already made are marked as stopped.

    Raises
    ------
    InputError
        `jobs` is below 1, or runs that are queued or at work feed another store.
    WorkError
        The runs directory cannot be written.
    """
    check_jobs(jobs)
    give_way(runs, store)
    # under the lock none of them is started before all of them are there
    with queue_locked(runs):
        claim(runs, store, jobs)
        older = {run.run_id for run in run_folders(runs)}
        try:
            queued = [create_run(runs, spec) for spec in specs]
            spawn_dispatcher(runs)
        except BaseException:
            # looked up, as an interrupt may have come before a run that was made could be told
            for run in waiting(runs):
                if run.run_id not in older:
                    withdraw(run)
            raise
    return queued


def withdraw(run: RunPaths) -> None:
    """Keep a run that was just made from being started."""
    try:
        mark_stopped(run)
    except (OSError, WorkError):
        # not even a word fits onto the disk any more; nothing is lost with a run that nobody has worked on
        shutil.rmtree(run.root, ignore_errors=True)


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
    give_way(runs, store)
    with queue_locked(runs):
        claim(runs, store, jobs)
    spawn_dispatcher(runs)


def spawn_dispatcher(runs: RunsPaths) -> None:
    try:
        with runs.log.open("ab") as log:
            child = subprocess.Popen(
                python("workbench.runs.dispatcher", str(runs.root.resolve())),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError as error:
        raise as_work_error(error, runs.log) from error
    # takes note of its end, should this process live longer, so that no zombie stays
    threading.Thread(target=child.wait, daemon=True, name="dispatcher's end").start()


def claim(runs: RunsPaths, store: Path, jobs: int | None = None) -> None:
    """Have the results of `runs` go to `store`, and `jobs` runs work at once; to be called with the queue locked.

    Raises
    ------
    InputError
        Runs that are queued or at work feed another store.
    WorkError
        The runs directory cannot be written.
    """
    fed = fed_store(runs)
    if fed not in (None, store.resolve()) and (is_locked(runs.dispatcher_lock) or is_busy(runs)):
        raise InputError(
            f"--store {store.resolve()}: runs in {runs.root} are queued or at work whose results go to {fed}; "
            "allowed: that store, another --runs folder, or any store once they have ended"
        )
    write_whole(runs.store, str(store.resolve()))
    if jobs is not None:
        write_whole(runs.jobs, f"{jobs}\n")


def give_way(runs: RunsPaths, store: Path) -> None:
    """Wait a little where nothing but the last ingests of another store are left to a dispatcher."""
    until = time.monotonic() + ENDING_S
    while fed_store(runs) not in (None, store.resolve()) and is_locked(runs.dispatcher_lock) and not is_busy(runs):
        if time.monotonic() > until:
            return
        time.sleep(POLL_S)


def is_busy(runs: RunsPaths) -> bool:
    """Whether any run is queued, or worked on for the queue."""
    return any(is_locked(slot) for slot in slots(runs)) or bool(waiting(runs))


def slots(runs: RunsPaths) -> list[Path]:
    return list(runs.service.glob("slot-*.lock"))


def at_work(runs: RunsPaths) -> tuple[int, int]:
    """How many runs are worked on for the queue, and how many wait in it. Cheap where no dispatcher lives."""
    working = sum(is_locked(slot) for slot in slots(runs))
    return working, len(waiting(runs)) if is_locked(runs.dispatcher_lock) else 0


def waiting(runs: RunsPaths) -> list[RunPaths]:
    """The runs that a dispatcher is to start."""
    return [run for run in run_folders(runs) if is_queued(last_event(run.events)) and state_of(run) == "queued"]


def unserved(runs: RunsPaths) -> list[str]:
    """The ids of queued runs that wait for ever, as no dispatcher lives; `resume` starts one."""
    return [] if is_locked(runs.dispatcher_lock) else [run.run_id for run in waiting(runs)]


def fed_store(runs: RunsPaths) -> Path | None:
    """The store that the results of `runs` go to; None where that was never said."""
    try:
        return Path(runs.store.read_text())
    except OSError:
        return None


def feeds(runs: RunsPaths, store: Path) -> bool:
    """Whether the results of `runs` go to `store`: another store is not written to by a mere look at it."""
    return fed_store(runs) == store.resolve()


def check_stoppable(runs: RunsPaths, stopping: Sequence[RunPaths]) -> None:
    """Nothing is stopped where one of several cannot be.

    Raises
    ------
    InputError
        A run has ended, or works on another host.
    """
    with queue_locked(runs):
        for run in stopping:
            state = state_of(run)
            if state != "queued" and state not in WORKING:
                raise InputError(f"run {run.run_id}: is {state}; only a queued or a working run can be stopped")
            check_is_here(run, state)


def check_is_here(run: RunPaths, state: SeenState) -> None:
    if state != "queued" and is_away(run):
        raise InputError(
            f"run {run.run_id}: is {state} on {host_of(run)}; stop it there, or resume or delete it and {BY_FORCE}"
        )


def host_of(run: RunPaths) -> str:
    worker = read_worker(run)
    return worker.host if worker else "another host"


def stop_all(runs: RunsPaths, stopping: Sequence[RunPaths], wait_s: float) -> dict[str, SeenState]:
    """Stop queued runs at once, working ones by SIGTERM; their states then, or after `wait_s` seconds, by run_id.

    A worker that is asked to stop writes a checkpoint first, so it may still be working when this returns. Runs that
    have ended are left as they are. None is started in a slot that another one frees.
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
    check_is_here(run, state)
    worker = read_worker(run)
    if worker and is_running(worker):
        try:
            own_group = os.getpgid(worker.pid) == worker.pid
            (os.killpg if own_group else os.kill)(worker.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass  # it ended by itself meanwhile
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


def resume_all(
    runs: RunsPaths, resuming: Sequence[RunPaths], *, force: bool = False, store: Path | None = None
) -> None:
    """Queue stopped, failed or lost runs again (or ones prepared for another machine); `start_dispatcher` is next.

    One that is queued already stays so: its dispatcher may be gone. All are checked before any is changed.

    Parameters
    ----------
    force
        Also those that work on another host, as far as is known: the caller says that this host is gone.
    store
        What `start_dispatcher` will be given: where it would refuse that, no run is queued.

    Raises
    ------
    InputError
        A run is finished, working or damaged; or as `queue`.
    WorkError
        The runs directory cannot be written.
    """
    until = time.monotonic() + ENDING_S
    for run in resuming:
        read_spec(run)
        if state_of(run) in ("stopped", "failed"):
            wait_until_gone(run, until - time.monotonic())
    if store is not None:
        give_way(runs, store)
    with queue_locked(runs):
        for run in resuming:
            check_resumable(run, force)
        if store is not None:
            claim(runs, store)
        for run in resuming:
            if not is_queued(last_event(run.events)):
                with EventLog(run.events) as events:
                    events.state("queued")


def check_resumable(run: RunPaths, force: bool) -> None:
    state = state_of(run)
    if is_stranded(run, state):
        if not force:
            raise InputError(f"run {run.run_id}: is {state} on {host_of(run)}; {BY_FORCE}")
        return
    if state not in ("queued", "stopped", "failed", "lost"):
        raise InputError(f"run {run.run_id}: is {state}; only a stopped, failed, lost or queued run can be resumed")
    if is_live(run):
        raise InputError(f"run {run.run_id}: is {state}, but its process is still there; try again when it is gone")


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
