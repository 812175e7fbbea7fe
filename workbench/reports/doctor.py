"""Is everything in order here: versions, the store, the runs, the disk, the devices."""

import os
import platform
import shutil
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from workbench.errors import WorkbenchError
from workbench.paths import RunsPaths
from workbench.runs.directory import list_runs
from workbench.runs.dispatcher import visible_gpus
from workbench.runs.supervisor import unserved
from workbench.store.database import query

LOW_DISK = 5 * 2**30
"""Bytes under which a full checkpoint of a large encoder may not fit."""

Finding = dict[str, Any]


def examine(store: Path, runs: RunsPaths) -> list[Finding]:
    """One row a check: what, ok or problem or note, in words."""
    return [*packages(), *devices(), *disk(runs), *store_state(store), *run_states(runs)]


def finding(check: str, state: str, words: str) -> Finding:
    return {"check": check, "state": state, "finding": words}


def packages() -> Iterator[Finding]:
    """Installed against required, from the package's own metadata."""
    yield finding("python", "ok", platform.python_version())
    for line in requires("workbench") or ():
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield finding(requirement.name, "problem", f"not installed; needed: {requirement.specifier}")
            continue
        fits = requirement.specifier.contains(found, prereleases=True)
        words = found if fits else f"{found} is installed; needed: {requirement.specifier}"
        yield finding(requirement.name, "ok" if fits else "problem", words)


def devices() -> Iterator[Finding]:
    gpus = visible_gpus()
    yield finding("devices", "ok", f"{os.cpu_count()} CPU cores, {len(gpus)} GPUs")


def disk(runs: RunsPaths) -> Iterator[Finding]:
    place = next(folder for folder in (runs.root, *runs.root.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    yield finding("disk", "ok" if free > LOW_DISK else "problem", f"{free / 2**30:.1f} GiB free for {runs.root}")


def store_state(store: Path) -> Iterator[Finding]:
    if not store.exists():
        yield finding("store", "note", f"{store}: none yet; the first run that ends makes it")
        return
    try:
        count = query(store, "select count(*) from runs").rows[0][0]
    except WorkbenchError as error:
        yield finding("store", "problem", str(error))
        return
    yield finding("store", "ok", f"{store}: {count} runs, {store.stat().st_size / 2**20:.1f} MiB")


def run_states(runs: RunsPaths) -> Iterator[Finding]:
    listed = list_runs(runs)
    counts = Counter(status.state for status in listed)
    words = ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none"
    yield finding("runs", "ok", f"{runs.root}: {words}")
    for run_id in unserved(runs):
        words = f"queued, and no dispatcher is at work; `workbench resume {run_id}` starts one"
        yield finding(run_id, "problem", words)
    for status in listed:
        if status.state in ("lost", "damaged"):
            advice = "`workbench resume` goes on with it" if status.state == "lost" else status.message or ""
            yield finding(status.run_id, "problem", f"{status.state}; {advice}")
