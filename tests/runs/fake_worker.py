"""A worker that computes nothing: works until a file `go` lies in its run directory, stops in order on SIGTERM."""

import os
import signal
import sys
import time
from pathlib import Path

from workbench.files import locked
from workbench.paths import RunPaths
from workbench.runs.directory import record_worker
from workbench.runs.events import EventLog


def main() -> int:
    run = RunPaths(Path(sys.argv[1]))
    if (run.root / "stillborn").exists():
        print("no such module")
        return 3
    while (run.root / "mute").exists():
        time.sleep(0.01)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    with locked(run.lock, wait_s=20), EventLog(run.events) as events:
        record_worker(run, os.getpid())
        shown = {name: os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "WORKBENCH_THREADS")}
        events.state("preparing", folder=str(Path.cwd()), **shown)
        events.state("training")
        print("at work", flush=True)
        while not (run.root / "go").exists():
            time.sleep(0.01)
            if asked:
                events.write("checkpoint", step=1)
                events.state("stopped")
                return 130
        events.write("step", step=1, steps=1, loss=0.5, eta_s=0.0)
        events.state("finished")
    return 0


if __name__ == "__main__":
    sys.exit(main())
