"""The one process per runs directory that starts queued runs as slots free, and ends when none is left.

What it knows it reads from files, so that it may be killed at any moment: a slot is a lock that its worker inherits
and frees by its death, the slot's file names the run in it, and whoever dispatches next goes on from there.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from workbench.errors import WorkbenchError, WorkError
from workbench.files import file_mark, is_locked, locked
from workbench.paths import RunPaths, RunsPaths
from workbench.records import ENDED, RunSpec
from workbench.runs.directory import (
    is_live,
    queue_locked,
    read_spec,
    record_worker,
    run_folders,
    state_of,
)
from workbench.runs.events import Event, EventLog, last_event, utc_now

Command = Callable[[RunPaths], list[str]]

POLL_S = 0.1
"""Between two looks at the workers."""
QUEUE_POLL_S = 0.5
"""Between two looks at the queue while slots are free; a look reads the time stamps of all runs' events."""
LOCK_WAIT_S = 0.5
"""Patience with somebody who only asks whether a dispatcher lives: far shorter than a dispatcher's life."""


def python(module: str, *arguments: str) -> list[str]:
    """A command line that runs `module`; -P, as else a user's own `statistics.py` in the folder would be imported."""
    return [sys.executable, "-P", "-m", module, *arguments]


def worker_command(run: RunPaths) -> list[str]:
    return python("workbench.runs.worker", str(run.root))


def ingest_command(run: RunPaths) -> list[str]:
    """Takes an ended run's results into the store that its runs directory feeds, should no view be looking."""
    runs = RunsPaths(run.root.parent)
    # read now: the store may be another one when a dispatcher that was about to end finds new runs
    return python("workbench", "ingest", "--store", runs.store.read_text(), "--runs", str(runs.root), str(run.root))


def visible_gpus() -> list[str]:
    """What CUDA_VISIBLE_DEVICES is to be for each GPU of this machine; found without torch."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        names = [name.strip() for name in chosen.split(",") if name.strip()]
        return names[: names.index("-1")] if "-1" in names else names
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if listing.returncode != 0:
        return []
    return [str(number) for number in range(sum(line.startswith("GPU ") for line in listing.stdout.splitlines()))]


def read_jobs(runs: RunsPaths) -> int | None:
    """How many runs may work at once, as a user said; None where nobody did."""
    try:
        jobs = int(runs.jobs.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return jobs if jobs >= 1 else None


@dataclass
class Occupant:
    """The run in a slot."""

    run: RunPaths
    slot: Path
    child: subprocess.Popen[bytes] | None = None
    """None for a worker that an earlier dispatcher started."""
    queued: Event | None = None
    """The run's last event when the worker was started."""

    def is_gone(self) -> bool:
        return self.child.poll() is not None if self.child else not is_locked(self.slot)


@dataclass
class Dispatcher:
    """Works through a queue until it is empty and its workers have ended; to be run under the dispatcher's lock."""

    runs: RunsPaths
    command: Command
    ingest: Command
    gpus: list[str]
    occupants: list[Occupant] = field(default_factory=list)
    ingests: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)
    _marks: dict[str, tuple[tuple[int, int], bool]] = field(default_factory=dict)
    """By run_id: size and time of its events file, and whether it was queued then."""

    def serve(self) -> None:
        self.adopt()
        next_look = 0.0
        while True:
            changed = self.reap()
            if self.free_slots() > 0 and (changed or time.monotonic() >= next_look):
                self.start_queued()
                if self.is_done():
                    return
                next_look = time.monotonic() + QUEUE_POLL_S
            time.sleep(POLL_S)

    def adopt(self) -> None:
        """Take over the living workers of a dispatcher that was killed."""
        for slot in sorted(self.runs.service.glob("slot-*.lock")):
            if is_locked(slot):
                run = self.runs.run(slot.read_text().strip())
                self.occupants.append(Occupant(run, slot))
                say(f"{run.run_id}: adopted in {slot.stem}")

    def slots(self) -> int:
        return read_jobs(self.runs) or len(self.gpus) or 1

    def free_slots(self) -> int:
        return self.slots() - len(self.occupants)

    def queued(self) -> list[RunPaths]:
        """The runs to start, longest queued first, without those that a worker has but has not spoken of yet."""
        taken = {occupant.run.run_id for occupant in self.occupants}
        waiting = [run for run in run_folders(self.runs) if self._is_queued(run) and run.run_id not in taken]
        # being queued was the last that was written of it
        return sorted(waiting, key=lambda run: self._marks[run.run_id][0])

    def _is_queued(self, run: RunPaths) -> bool:
        """As `is_queued`, without reading again what has not changed."""
        mark = file_mark(run.events)
        if mark is None:
            return False
        known = self._marks.get(run.run_id)
        if known is None or known[0] != mark:
            known = self._marks[run.run_id] = (mark, is_queued(last_event(run.events)))
        return known[1]

    def start_queued(self) -> None:
        for run in self.queued():
            if self.free_slots() <= 0:
                return
            with queue_locked(self.runs, wait_s=None):
                # asked again: a view may have stopped or deleted it since
                queued = last_event(run.events)
                if queued and is_queued(queued) and not is_live(run):
                    self.start(run, queued)

    def start(self, run: RunPaths, queued: Event) -> None:
        """Start a worker in a free slot; it inherits the slot's lock, which ends with it."""
        try:
            spec = read_spec(run)
            with ExitStack() as held:
                number, descriptor = next(self._free_locks(held))
                os.truncate(descriptor, 0)
                os.pwrite(descriptor, run.run_id.encode(), 0)
                child = self._spawn(run, spec, number, descriptor)
        except StopIteration:
            return
        except (OSError, WorkbenchError) as error:
            fail(run, f"its worker cannot be started: {error}")
            return
        self.occupants.append(Occupant(run, self.runs.slot(number), child, queued))
        say(f"{run.run_id}: started in slot-{number} as process {child.pid}")
        try:
            record_worker(run, child.pid)
        except (WorkError, psutil.NoSuchProcess) as error:
            say(f"{run.run_id}: {error}")  # the worker writes the same when it gets so far

    def _free_locks(self, held: ExitStack) -> Iterator[tuple[int, int]]:
        for number in range(self.slots()):
            try:
                yield number, held.enter_context(locked(self.runs.slot(number)))
            except BlockingIOError:
                continue

    def _spawn(self, run: RunPaths, spec: RunSpec, slot: int, descriptor: int) -> subprocess.Popen[bytes]:
        environment = os.environ | {"WORKBENCH_THREADS": str(max(1, cores() // self.slots()))}
        # OpenMP threads spin while they wait. For long, as is usual, and they take the cores from each other where
        # anything else runs: a training step of 1.8 s on two free cores then took 23 s. Without any spin it takes 2.4 s
        # on free cores; with so many turns 1.8 s there, and 5 s beside another training.
        environment.setdefault("GOMP_SPINCOUNT", "10000")
        if self.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = self.gpus[slot % len(self.gpus)]
        folder = Path(spec.folder)
        with run.log.open("ab") as log:
            return subprocess.Popen(
                self.command(run),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder if folder.is_dir() else None,
                env=environment,
                pass_fds=[descriptor],
                start_new_session=True,
            )

    def reap(self) -> bool:
        """Note which workers and ingests have ended; whether any has."""
        gone = [occupant for occupant in self.occupants if occupant.is_gone()]
        for occupant in gone:
            self.occupants.remove(occupant)
            note_end(self.runs, occupant)
            if state_of(occupant.run) in ENDED:
                self._ingest(occupant.run)
        done = [(run_id, child) for run_id, child in self.ingests if child.poll() is not None]
        for run_id, child in done:
            self.ingests.remove((run_id, child))
            if child.returncode != 0:
                say(f"{run_id}: not ingested (exit code {child.returncode}); its results stay in its folder")
        return bool(gone or done)

    def _ingest(self, run: RunPaths) -> None:
        try:
            self.ingests.append((run.run_id, subprocess.Popen(self.ingest(run), stdin=subprocess.DEVNULL)))
        except OSError as error:
            say(f"{run.run_id}: not ingested: {error}")

    def is_done(self) -> bool:
        """Whether nothing is left; then the wish for a number of jobs is over too."""
        with queue_locked(self.runs, wait_s=None):
            done = not (self.occupants or self.ingests or self.queued())
            if done:
                self.runs.jobs.unlink(missing_ok=True)
            return done


def is_queued(last: Event | None) -> bool:
    """Whether a run with this last event is to be started here: not one that is prepared for another machine."""
    return last is not None and last["state"] == "queued" and not last.get("prepared")


def note_end(runs: RunsPaths, occupant: Occupant) -> None:
    """Write down what a worker that has ended could not say itself."""
    run, code = occupant.run, occupant.child.returncode if occupant.child else None
    with queue_locked(runs, wait_s=None):
        last = last_event(run.events)
        if code is not None and last is not None and not is_live(run):
            if last == occupant.queued:
                note_stillbirth(run, code)
            elif last["state"] not in (*ENDED, "queued"):
                append(run, lambda events: events.write("error", message=f"the worker {how_ended(code)}"))
    say(f"{run.run_id}: worker {how_ended(code)}; {state_of(run)}")


def note_stillbirth(run: RunPaths, code: int) -> None:
    """End a run whose worker ended without a word: left queued it would be started for ever."""
    if code == -signal.SIGTERM:
        append(run, lambda events: events.state("stopped", message="stopped before it began"))
    else:
        fail(run, f"the worker {how_ended(code)} before it began; see {run.log}")


def fail(run: RunPaths, message: str) -> None:
    def write(events: EventLog) -> None:
        events.write("error", message=message)
        events.state("failed", message=message)

    append(run, write)
    say(f"{run.run_id}: {message}")


def append(run: RunPaths, write: Callable[[EventLog], None]) -> None:
    with EventLog(run.events) as events:
        write(events)


def how_ended(code: int | None) -> str:
    """`code` as `Popen.returncode`; None = not a child of this process."""
    if code is None:
        return "ended"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def cores() -> int:
    return len(os.sched_getaffinity(0))


def say(text: str) -> None:
    print(f"{utc_now()} {text}", flush=True)


def dispatch(runs: RunsPaths, command: Command, ingest: Command) -> None:
    """Start the queued runs of `runs` until none is left and their workers have ended; at once where another does.

    Parameters
    ----------
    command, ingest
        The command lines that work on a run, and that take an ended one into the store.
    """
    runs = RunsPaths(runs.root.resolve())
    gpus = visible_gpus()
    while True:
        try:
            with locked(runs.dispatcher_lock, wait_s=LOCK_WAIT_S):
                dispatcher = Dispatcher(runs, command, ingest, gpus)
                dispatcher.serve()
        except BlockingIOError:
            return
        # who queued a run after the last look met a held lock, and relies on this look
        if not dispatcher.queued():
            return


def main() -> None:
    parser = argparse.ArgumentParser(prog="workbench.runs.dispatcher", description=dispatch.__doc__)
    parser.add_argument("runs", type=Path, help="runs directory")
    dispatch(RunsPaths(parser.parse_args().runs), worker_command, ingest_command)


if __name__ == "__main__":
    main()
