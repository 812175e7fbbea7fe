"""What takes disk space and is of no more use: the leftovers of kills, checkpoints and vectors nobody goes on from."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from workbench.paths import RunsPaths
from workbench.records import ENDED
from workbench.runs.directory import is_away, is_live, run_folders, state_of

OLD_S = 3600.0
"""A younger folder may be a run that is being made or deleted right now."""


def clean(runs: RunsPaths, *, checkpoints: bool = False, dry_run: bool = False) -> list[tuple[Path, int]]:
    """Delete leftovers; with `checkpoints` also those, and the vectors, of runs that could be resumed.

    Returns the paths and their bytes.

    Runs that work, here or on another host, are left alone.
    """
    found = list(leftovers(runs, checkpoints))
    sizes = [(path, size_of(path)) for path in found]
    if not dry_run:
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return sizes


def leftovers(runs: RunsPaths, checkpoints: bool) -> Iterator[Path]:
    for pattern in (".new-*", ".deleted-*"):
        yield from (path for path in runs.root.glob(pattern) if time.time() - path.stat().st_mtime > OLD_S)
    for run in run_folders(runs):
        state = state_of(run)
        if is_live(run) or (is_away(run) and state not in ENDED):
            continue
        old = state == "finished" or (checkpoints and state in ("stopped", "failed", "lost"))
        folders = [folder for folder in (run.checkpoints, run.vectors) if old and folder.exists()]
        parts = run.root.rglob(".*.part")
        yield from (part for part in parts if not any(part.is_relative_to(folder) for folder in folders))
        yield from folders


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
