"""What a command does around runs: queue them, follow them to their end, take them home, say what can be done next."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.errors import InputError, WorkError
from workbench.files import write_whole
from workbench.paths import DEFAULT_RUNS, DEFAULT_STORE, RunPaths, RunsPaths
from workbench.records import ENDED, RunSpec
from workbench.reports.live import show_progress
from workbench.reports.output import emit_lines, note, print_arms
from workbench.reports.overview import arms_of_runs
from workbench.runs import supervisor
from workbench.runs.directory import delete_run
from workbench.runs.dispatcher import is_queued
from workbench.runs.events import last_event, utc_now
from workbench.store.connection import StoreBusy, check_store
from workbench.store.database import forget, ingest, ingest_pending, query

STOP_S = 120.0
"""How long a worker may take to write its checkpoint once it is asked to stop."""
LOOK_S = 2.0
"""Patience with a held store of a command that looks: the results wait in their run directories."""


def launch(
    specs: Sequence[RunSpec], store: Path, runs: RunsPaths, *, jobs: int | None, detach: bool, as_json: bool
) -> int:
    """Queue runs; unless detached, show their progress and, at the end, their table. Returns the exit code."""
    queued = start_runs(specs, store, runs, jobs)
    if detach:
        emit_lines([{"run_id": one.run_id} for one in queued], "run_id", as_json)
        note(f"the runs go on by themselves: `workbench runs{flags(store, runs)}` lists them")
        return 0
    return follow_to_end(queued, store, runs, as_json)


def start_runs(specs: Sequence[RunSpec], store: Path, runs: RunsPaths, jobs: int | None) -> list[RunPaths]:
    """Queue runs, whose results will go to a store that can be written; returns at once, they go on by themselves."""
    check_store(store)
    return supervisor.queue(runs, specs, store, jobs)


def follow_to_end(queued: Sequence[RunPaths], store: Path, runs: RunsPaths, as_json: bool) -> int:
    """Show progress until the runs have ended, take them home and print their arms. Returns the exit code."""
    try:
        states = show_progress(supervisor.watch(runs, [one.run_id for one in queued], store))
    except KeyboardInterrupt:
        stop_all(queued, store, runs)
        raise
    finished = [one for one in queued if states[one.run_id] == "finished"]
    if bring_home(queued, store, runs):
        show_runs_arms(finished, store, as_json)
    unfinished = {name: state for name, state in states.items() if state != "finished"}
    return explain(unfinished, store, runs) if unfinished else 0


def bring_home(ended: Sequence[RunPaths], store: Path, runs: RunsPaths) -> bool:
    """Ingest runs that have just ended; whether the store could be reached. Otherwise they stay in their folders."""
    try:
        for one in ended:
            ingest(store, one, runs=runs)
    except WorkError as error:
        note(f"{error}\nthe results stay in {runs.root}; later: workbench ingest{flags(store, runs)}")
        return False
    return True


def show_runs_arms(finished: Sequence[RunPaths], store: Path, as_json: bool) -> None:
    arms = arms_of_runs(store, [one.run_id for one in finished]) if finished else []
    if arms or as_json:
        print_arms(store, arms, as_json)


def explain(unfinished: dict[str, str], store: Path, runs: RunsPaths) -> int:
    """Say which runs did not finish and what can be done about it; the exit code of the worst."""
    listed = ", ".join(f"{name} {state}" for name, state in unfinished.items())
    code = max(exit_code_of(runs.run(name)) for name in unfinished)
    note(f"did not finish: {listed}")
    one, further = next(iter(unfinished)), flags(store, runs)
    resume_it = f", `workbench resume {one}{further}` goes on from its last checkpoint"
    note(f"`workbench log {one}{further}` says why{'' if code == InputError.exit_code else resume_it}")
    return code


def flags(store: Path, runs: RunsPaths) -> str:
    """The options that a command in a hint needs to mean the same store and runs."""
    given = (("--store", store, DEFAULT_STORE), ("--runs", runs.root, DEFAULT_RUNS))
    return "".join(f" {name} {shlex.quote(str(path))}" for name, path, default in given if path != default)


def exit_code_of(run: RunPaths) -> int:
    """1, or 2 where the worker found its input wrong, or 130 where it was stopped."""
    last = last_event(run.events) or {}
    return 130 if last.get("state") == "stopped" else int(last.get("exit_code") or 1)


def stop_all(queued: Sequence[RunPaths], store: Path, runs: RunsPaths) -> None:
    """Ctrl-C: all of them, the queued ones too."""
    note("stopping: the workers write a checkpoint first")
    for run_id, state in supervisor.stop_all(runs, queued, STOP_S).items():
        hint = f"; resume it with: workbench resume {run_id}{flags(store, runs)}" if state == "stopped" else ""
        note(f"{run_id}  {state}{hint}")


def take_home(store: Path, runs: RunsPaths) -> None:
    """Ingest what has ended since somebody last looked; a problem is told, and nothing more."""
    if not supervisor.feeds(runs, store):
        return
    try:
        problems = ingest_pending(store, runs, wait_s=LOOK_S).problems
    except WorkError as error:
        problems = (str(error),)
    for problem in problems:
        note(problem)


def readable(store: Path) -> Path | None:
    """The store, or None while another program holds it: the run directories tell most of it."""
    try:
        if store.exists():
            query(store, "select 1", wait_s=LOOK_S)
    except StoreBusy as error:
        note(f"{error}\nwithout it, what the run directories tell:")
        return None
    return store


def remove_runs(store: Path, runs: RunsPaths, run_ids: Sequence[str]) -> list[str]:
    """Delete runs, their directories and their rows in the store; what went wrong, a line each.

    A run whose directory is gone leaves a tombstone like the others. Should the store be held just now, the tombstones
    have the rows removed by whoever looks next.
    """
    problems, gone = [], []
    for run_id in run_ids:
        run = runs.run(run_id)
        try:
            if run.root.exists():
                delete_run(runs, run)
            else:
                write_whole(runs.tombstone(run_id), utc_now() + "\n")
            gone.append(run_id)
        except (InputError, WorkError) as error:
            problems.append(str(error))
    try:
        if gone and store.exists():
            forget(store, *gone, wait_s=LOOK_S)
    except WorkError as error:
        problems.append(str(error))
    return problems


def stop_some(runs: RunsPaths, run_ids: Sequence[str]) -> dict[str, str]:
    """Ask runs to stop, and wait a moment; the state of each then. A worker that still writes its checkpoint goes on.

    Raises
    ------
    InputError
        One of them neither waits nor works, or works on another host.
    """
    found = [runs.run(run_id) for run_id in run_ids]
    supervisor.check_stoppable(runs, found)
    return {run_id: str(state) for run_id, state in supervisor.stop_all(runs, found, LOOK_S).items()}


def resume_some(store: Path, runs: RunsPaths, run_ids: Sequence[str]) -> None:
    """Queue runs again, which go on from their last checkpoints; returns at once.

    Raises
    ------
    InputError, WorkError
        One of them cannot be resumed, or the store cannot be written.
    """
    check_store(store)
    supervisor.resume_all(runs, [runs.run(run_id) for run_id in run_ids], store=store)
    supervisor.start_dispatcher(runs, store)


class Tender:
    """What a view that stays open does for its runs: a dispatcher for those that wait, home what has ended.

    It leaves runs alone whose results go to another store.
    """

    def __init__(self, store: Path, runs: RunsPaths) -> None:
        self.store, self.runs = store, runs
        self._keeper = supervisor.Keeper(runs, store)
        self._home: frozenset[str] | None = None
        """The runs that had ended when all of them were taken home."""
        self._waiting: list[str] = []

    def look(self, states: Mapping[str, str] | None) -> str:
        """Do what there is to do; what went wrong, in a line. `states` are those of all runs, None = as before."""
        if not supervisor.feeds(self.runs, self.store):
            return ""
        try:
            if states is not None:
                self._waiting = [run_id for run_id, state in states.items() if state == "queued"]
                self._take_home(frozenset(run_id for run_id, state in states.items() if state in ENDED))
            if any(is_queued(last_event(self.runs.run(run_id).events)) for run_id in self._waiting):
                self._keeper.look()
        except (InputError, WorkError) as error:
            return str(error)
        return ""

    def _take_home(self, ended: frozenset[str]) -> None:
        if ended == self._home:
            return
        done = ingest_pending(self.store, self.runs, wait_s=LOOK_S)
        if done.problems:
            raise WorkError("; ".join(done.problems))
        self._home = ended
