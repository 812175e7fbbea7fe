"""Every path of a runs directory, once."""

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_STORE = Path("results.duckdb")
DEFAULT_RUNS = Path("runs")


def cache_folder() -> Path:
    """What can be had again: fetched data sets. `$WORKBENCH_CACHE`, else `workbench` in the user's cache folder."""
    named = os.environ.get("WORKBENCH_CACHE")
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else (Path(home) if home else Path.home() / ".cache") / "workbench"


@dataclass(frozen=True)
class RunPaths:
    """The files of one run directory, `runs/<run_id>/`."""

    root: Path

    @property
    def run_id(self) -> str:
        return self.root.name

    @property
    def config(self) -> Path:
        """Resolved and frozen: one `RunSpec`."""
        return self.root / "config.yaml"

    @property
    def events(self) -> Path:
        """Append-only JSON lines: state changes, steps, progress, errors."""
        return self.root / "events.jsonl"

    @property
    def worker(self) -> Path:
        """Who works on it: pid, start time, host."""
        return self.root / "worker.json"

    @property
    def lock(self) -> Path:
        """Held (flock) by the worker as long as it lives."""
        return self.root / "run.lock"

    @property
    def log(self) -> Path:
        return self.root / "worker.log"

    @property
    def environment(self) -> Path:
        return self.root / "environment.json"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def vectors(self) -> Path:
        """Passage vectors of pools that are searched to a depth, until the run has finished."""
        return self.root / "vectors"

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def results(self) -> Path:
        return self.root / "results"


@dataclass(frozen=True)
class RunsPaths:
    """The files of a runs directory that belong to no single run."""

    root: Path

    def run(self, run_id: str) -> RunPaths:
        return RunPaths(self.root / run_id)

    @property
    def service(self) -> Path:
        return self.root / ".dispatcher"

    @property
    def dispatcher_lock(self) -> Path:
        """Held (flock) by the one dispatcher."""
        return self.service / "dispatcher.lock"

    @property
    def queue_lock(self) -> Path:
        """Held (flock) while a queued run changes hands: started by the dispatcher or stopped by a view."""
        return self.service / "queue.lock"

    @property
    def jobs(self) -> Path:
        """How many runs may work at once; the dispatcher reads it anew each time it looks."""
        return self.service / "jobs"

    @property
    def store(self) -> Path:
        """Names the store that the results go to; it is the same one while any run is queued or at work."""
        return self.service / "store"

    @property
    def log(self) -> Path:
        return self.service / "dispatcher.log"

    def tombstone(self, run_id: str) -> Path:
        """Stays where a run was deleted: no copy of it is ingested again."""
        return self.root / ".tombstones" / run_id

    def slot(self, number: int) -> Path:
        """Held (flock) by the worker in that slot: freed by its death, however it dies."""
        return self.service / f"slot-{number}.lock"
