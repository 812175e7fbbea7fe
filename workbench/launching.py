"""What a command does around runs: queue them, follow them to their end, take them home, say what can be done next."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from workbench.errors import InputError, WorkError
from workbench.paths import DEFAULT_RUNS, DEFAULT_STORE, RunPaths, RunsPaths
from workbench.records import RunSpec
from workbench.reports.live import show_progress
from workbench.reports.output import emit_lines, note, print_arms
from workbench.reports.overview import arms_of_runs
from workbench.runs import supervisor
from workbench.runs.events import last_event
from workbench.store.connection import StoreBusy, check_store
from workbench.store.database import ingest, ingest_pending, query

STOP_S = 120.0
"""How long a worker may take to write its checkpoint once it is asked to stop."""
LOOK_S = 2.0
"""Patience with a held store of a command that looks: the results wait in their run directories."""


def launch(
    specs: Sequence[RunSpec], store: Path, runs: RunsPaths, *, jobs: int | None, detach: bool, as_json: bool
) -> int:
    """Queue runs; unless detached, show their progress and, at the end, their table. Returns the exit code."""
    check_store(store)
    queued = supervisor.queue(runs, specs, store, jobs)
    if detach:
        emit_lines([{"run_id": one.run_id} for one in queued], "run_id", as_json)
        note(f"the runs go on by themselves: `workbench runs{flags(store, runs)}` lists them")
        return 0
    return follow_to_end(queued, store, runs, as_json)


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
