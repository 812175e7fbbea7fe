"""The real dispatcher with the fake worker; an ingest writes the run's name into `.dispatcher/ingested`."""

import sys
from pathlib import Path

from workbench.paths import RunPaths, RunsPaths
from workbench.runs.dispatcher import dispatch

runs = RunsPaths(Path(sys.argv[1]))


def work(run: RunPaths) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name("fake_worker.py")), str(run.root)]


def ingest(run: RunPaths) -> list[str]:
    return ["/bin/sh", "-c", 'echo "$1" >> "$2"', "ingest", run.run_id, str(runs.service / "ingested")]


if __name__ == "__main__":
    dispatch(runs, work, ingest)
