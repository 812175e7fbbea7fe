"""A run's directory: made whole, read back, its state told from its files, removed with a tombstone.

A run's state is the one in its last event, but for two that nobody can write: a run that says it works while its
process is gone is `lost`, and a queued one whose process lives but has not spoken yet is `preparing`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import psutil
import yaml

from workbench.errors import InputError, WorkError
from workbench.files import as_work_error, is_locked, locked, sync_folder, write_whole
from workbench.paths import RunPaths, RunsPaths
from workbench.records import ENDED, RunSpec, Settings, State, from_plain, to_plain
from workbench.runs.events import Event, EventLog, last_event, read_events, utc_now

SeenState = State | Literal["damaged"]
"""What a listing can say of a run: its state, or that its files cannot be read."""

WORKING: tuple[State, ...] = ("preparing", "training", "evaluating")

CLOCK_S = 2.0
"""Difference of start times that is still one process: they are counted from a boot time that clock changes move."""
BY_FORCE = "use --force where that host is gone for good"
LAST_BREATH_S = 5.0
"""What a worker may take between its last event and its end."""
QUEUE_WAIT_S = 20.0
"""Patience with another process that starts, stops or deletes a run, each in milliseconds, or queues a sweep."""


@dataclass(frozen=True)
class Worker:
    """Who works on a run, as in its `worker.json`."""

    pid: int
    create_time: float
    """Start of the process, seconds since 1970: with the pid it names one process for ever."""
    host: str
    started: str
    """UTC, ISO 8601."""


@dataclass(frozen=True)
class RunStatus:
    """One line of a listing; what is not known is None."""

    run_id: str
    state: SeenState
    experiment: str | None = None
    arm: str | None = None
    sampling: str | None = None
    """None for a checkpoint that is evaluated untrained."""
    alpha: float | None = None
    """Only of the samplings that have one: hybrid and mixed."""
    seed: int | None = None
    model: str | None = None
    device: str | None = None
    host: str | None = None
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    eta_s: float | None = None
    message: str | None = None
    updated: str | None = None
    """Time of the last event."""


def create_run(runs: RunsPaths, spec: RunSpec, *, prepared: bool = False) -> RunPaths:
    """Make a queued run's directory, whole or not at all; a run_id that is taken or was deleted gets -2, -3, ...

    A `prepared` run is left alone by this runs directory's dispatcher: it waits to be carried to another machine.

    Raises
    ------
    InputError
        `runs` is no folder.
    WorkError
        The disk is full or not writable.
    """
    check_is_folder(runs)
    try:
        runs.root.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".new-", dir=runs.root))
    except OSError as error:
        raise as_work_error(error, runs.root) from error
    try:
        beside.chmod(0o755)
        with EventLog(RunPaths(beside).events) as events:
            events.state("queued", **({"prepared": True} if prepared else {}))
        return _move_in(runs, spec, RunPaths(beside))
    except OSError as error:
        raise as_work_error(error, runs.root) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _move_in(runs: RunsPaths, spec: RunSpec, beside: RunPaths) -> RunPaths:
    """Rename a new directory to the first free name; renaming onto a run fails, so two cannot get one name."""
    for run_id in _names(spec.run_id):
        run = runs.run(run_id)
        if run.root.exists() or runs.tombstone(run_id).exists():
            continue
        plain = to_plain(replace(spec, run_id=run_id))
        write_whole(beside.config, yaml.safe_dump(plain, sort_keys=False))
        try:
            beside.root.rename(run.root)
        except OSError as error:
            if run.root.exists():
                continue
            raise as_work_error(error, run.root) from error
        sync_folder(runs.root)
        return run
    raise AssertionError("unreachable: the names never end")


def _names(run_id: str) -> Iterator[str]:
    yield run_id
    number = 2
    while True:
        yield f"{run_id}-{number}"
        number += 1


def read_spec(run: RunPaths) -> RunSpec:
    """The frozen config of a run.

    Raises
    ------
    InputError
        It is missing, no YAML, or no `RunSpec`.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time, where PyYAML was built with it
    try:
        plain = yaml.load(run.config.read_text(encoding="utf-8"), Loader=loader)
        spec = from_plain(RunSpec, plain)
    except OSError as error:
        raise InputError(f"{run.config}: {error.strerror or error}") from error
    except (yaml.YAMLError, TypeError, AttributeError, ValueError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{run.config}: damaged: {first}; a run's config is written once and never edited") from error
    assert isinstance(spec, RunSpec)
    return spec


def this_host() -> str:
    return socket.gethostname()


def record_worker(run: RunPaths, pid: int) -> None:
    """Write down who works on `run`: a process of this host that is running now."""
    worker = Worker(pid, psutil.Process(pid).create_time(), this_host(), utc_now())
    write_whole(run.worker, json.dumps(asdict(worker)) + "\n")


def read_worker(run: RunPaths) -> Worker | None:
    """Who works or last worked on `run`; None where the file is missing or damaged."""
    try:
        plain = json.loads(run.worker.read_bytes())
        return Worker(int(plain["pid"]), float(plain["create_time"]), str(plain["host"]), str(plain["started"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def is_running(worker: Worker) -> bool:
    """Whether this very process lives on this host: not another one with its pid, not a zombie."""
    if worker.host != this_host():
        return False
    try:
        process = psutil.Process(worker.pid)
        same = abs(process.create_time() - worker.create_time) < CLOCK_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_live(run: RunPaths) -> bool:
    """Whether a process works on `run`, as far as this host can tell."""
    worker = read_worker(run)
    # asked in this order, so that looking at a run in work does not touch the lock that its worker may be taking
    return (worker is not None and is_running(worker)) or is_locked(run.lock)


def is_away(run: RunPaths) -> bool:
    """Whether `run` was last worked on by another host, of whose processes nothing is known here."""
    worker = read_worker(run)
    return worker is not None and worker.host != this_host()


def is_stranded(run: RunPaths, state: SeenState) -> bool:
    """Whether `run` works on another host, as far as is known: only a person can tell whether that host is gone.

    Where the hosts share a file system that knows locks, a held one says that it is not.
    """
    return state in WORKING and is_away(run) and not is_live(run)


def state_of(run: RunPaths, last: Event | None = None) -> SeenState:
    """The state of `run` now; `last` is its last event where the caller has just read it."""
    last = last or last_event(run.events)
    if last is None:
        return "damaged"
    state: SeenState = last["state"]
    if state in ENDED:
        return state
    live = is_live(run)
    if state == "queued":
        return "preparing" if live else state
    if live or is_away(run):
        return state
    # its last words may have been written between the two looks
    now = last_event(run.events)
    return "lost" if now == last else state_of(run, now)


def status(run: RunPaths) -> RunStatus:
    """What a listing shows of `run`; one that cannot be read is `damaged`, with the reason as its message."""
    try:
        spec = read_spec(run)
    except InputError as error:
        return RunStatus(run.run_id, "damaged", message=str(error))
    last = last_event(run.events)
    state = state_of(run, last)
    if last is None:
        return RunStatus(run.run_id, state, message=f"{run.events}: no event in it", **_described(run, spec))
    return RunStatus(
        run.run_id,
        state,
        updated=last["time"],
        message=_message(run, state, last),
        **_described(run, spec),
        **_progress(run, spec.settings, state, last),
    )


def _described(run: RunPaths, spec: RunSpec) -> dict[str, Any]:
    settings = spec.settings
    sampling = settings.train.sampling if settings.train else None
    worker = read_worker(run)
    return {
        "experiment": settings.name,
        "arm": spec.arm,
        "sampling": sampling.strategy if sampling else None,
        "alpha": sampling.alpha if sampling and sampling.strategy in ("hybrid", "mixed") else None,
        "seed": settings.seed,
        "model": settings.model.checkpoint,
        "device": _device(run) or settings.device,
        "host": worker.host if worker else None,
    }


def _device(run: RunPaths) -> str | None:
    try:
        plain = json.loads(run.environment.read_bytes())
    except (OSError, ValueError):
        return None
    device = plain.get("device") if isinstance(plain, Mapping) else None
    return device if isinstance(device, str) else None


def _progress(run: RunPaths, settings: Settings, state: SeenState, last: Event) -> dict[str, Any]:
    step = last_event(run.events, ("step",)) if settings.train else None
    step = step or {}
    working = state in WORKING
    newest = last if "eta_s" in last else step if step.get("state") == state else {}
    return {
        "step": step.get("step"),
        "steps": step.get("steps"),
        "loss": step.get("loss"),
        "eta_s": newest.get("eta_s") if working else None,
    }


def _message(run: RunPaths, state: SeenState, last: Event) -> str | None:
    """The last event's message; of a failed or lost run the last error since it was queued."""
    if state == "queued" and last.get("prepared"):
        return "prepared for another machine"
    if isinstance(last.get("message"), str) or state not in ("failed", "lost"):
        return last.get("message")
    for event in reversed(read_events(run.events)):
        if event["kind"] == "error":
            return event.get("message")
        if event["kind"] == "state" and event["state"] == "queued":
            break
    return None


def check_is_folder(runs: RunsPaths) -> None:
    try:
        is_file = runs.root.is_file()
    except OSError as error:
        raise InputError(f"{runs.root}: {error.strerror or error}") from error
    if is_file:
        raise InputError(f"{runs.root}: is no folder; allowed: the folder of the run directories, or one to be made")


def run_folders(runs: RunsPaths) -> list[RunPaths]:
    """Every run directory, newest first; hidden folders and those that hold no run are not among them.

    Raises
    ------
    InputError
        `runs` is no folder, or may not be read.
    """
    check_is_folder(runs)
    try:
        names = [entry.name for entry in os.scandir(runs.root) if entry.is_dir() and not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{runs.root}: {error.strerror or error}") from error
    found = [runs.run(name) for name in sorted(names, reverse=True)]
    return [run for run in found if run.events.exists() or run.config.exists()]


def list_runs(runs: RunsPaths) -> list[RunStatus]:
    """The status of every run, newest first."""
    return [status(run) for run in run_folders(runs)]


def resolve(runs: RunsPaths, text: str) -> RunPaths:
    """The run that `text` means: its run_id, its folder, or a part of the run_id that no other has.

    Raises
    ------
    InputError
        None is meant, or several.
    """
    wanted = Path(text).name
    names = [run.run_id for run in run_folders(runs)]
    if wanted in names:
        return runs.run(wanted)
    matches = [name for name in names if wanted and wanted in name]
    if len(matches) == 1:
        return runs.run(matches[0])
    if matches:
        more = f" and {len(matches) - 5} more" if len(matches) > 5 else ""
        raise InputError(f"run {text!r}: several are meant: {', '.join(matches[:5])}{more}")
    near = get_close_matches(wanted, names, n=3, cutoff=0.3) or names[:3]
    hint = f"did you mean {' or '.join(near)}?" if near else "there is none yet"
    raise InputError(f"run {text!r}: no such run in {runs.root}; {hint}")


@contextmanager
def queue_locked(runs: RunsPaths, wait_s: float | None = QUEUE_WAIT_S) -> Iterator[None]:
    """Hold the queue: until the end no run of `runs` is started, stopped, queued again or deleted by another.

    `wait_s` is how long to wait for another holder, None for ever.

    Raises
    ------
    InputError
        `runs` is no folder.
    WorkError
        Another process kept it for too long, or the disk is full or not writable.
    """
    check_is_folder(runs)
    with ExitStack() as held:
        try:
            held.enter_context(locked(runs.queue_lock, wait_s=wait_s))
        except BlockingIOError as error:
            raise WorkError(f"{runs.queue_lock}: held by another process for {wait_s:.0f} s; try again") from error
        yield


def delete_run(runs: RunsPaths, run: RunPaths, *, force: bool = False) -> None:
    """Remove a run's directory; its tombstone stays, so that no copy of it is ingested again.

    Parameters
    ----------
    force
        Also one that works on another host, as far as is known: the caller says that this host is gone.

    Raises
    ------
    InputError
        The run works, here or on another host.
    WorkError
        The disk is full or not writable.
    """
    try:
        _delete(runs, run, force)
    except OSError as error:
        raise as_work_error(error, run.root) from error


def _delete(runs: RunsPaths, run: RunPaths, force: bool) -> None:
    with queue_locked(runs):
        check_deletable(run, force)
        write_whole(runs.tombstone(run.run_id), utc_now() + "\n")
        # renamed first, so that a kill in the middle leaves no half of a run in sight
        hidden = runs.root / f".deleted-{run.run_id}"
        shutil.rmtree(hidden, ignore_errors=True)
        run.root.rename(hidden)
    shutil.rmtree(hidden)


def check_deletable(run: RunPaths, force: bool) -> None:
    state = state_of(run)
    if is_stranded(run, state):
        if not force:
            raise InputError(f"run {run.run_id}: is {state} on another host; stop it there, or {BY_FORCE}")
    elif state in WORKING or not has_gone(run):
        raise InputError(f"run {run.run_id}: is {state}; stop it before it is deleted")


def has_gone(run: RunPaths) -> bool:
    """Whether nobody works on an ended run; a worker that has just written its last event is waited for."""
    until = time.monotonic() + LAST_BREATH_S
    while is_live(run):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
