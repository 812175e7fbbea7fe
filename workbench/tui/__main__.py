"""The app itself, `python -m workbench.tui STORE RUNS`: what a browser's page of `workbench serve` starts."""

import sys
from pathlib import Path

from workbench.paths import RunsPaths
from workbench.tui.app import run_app
from workbench.tui.reader import Reader

if __name__ == "__main__":
    store, runs = map(Path, sys.argv[1:])
    run_app(Reader(store, RunsPaths(runs)))
