"""Run directories to hand on: what a store takes in of a run, and nothing that tells of the machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from workbench.errors import InputError
from workbench.files import write_folder_whole
from workbench.paths import RunPaths, RunsPaths
from workbench.records import to_plain
from workbench.runs.directory import read_spec, state_of

PRIVATE = ("host", "platform")
"""Of a run's environment."""
HERE = "."
"""The folder of a packed run: its paths start where its reader stands."""
LISTS = "top_passages.parquet"


def pack_runs(runs: Sequence[RunPaths], out: Path) -> list[RunPaths]:
    """Copy finished runs into a folder, a directory each, from which `ingest` makes a store again.

    Left out are models, checkpoints and logs, all but the first of the passages that each query found, the worker's
    host and folder. A run that is there already stays as it is.

    Returns
    -------
    The copies that were made.

    Raises
    ------
    InputError
        A run has not finished, or its config is damaged.
    WorkError
        The folder cannot be written.
    """
    for run in runs:
        if state_of(run) != "finished":
            raise InputError(f"{run.run_id}: is {state_of(run)}; allowed: finished runs")
    made = []
    for run in runs:
        copy = RunsPaths(out).run(run.run_id)
        if not copy.root.exists():
            write_folder_whole(copy.root, partial(fill, run), (pa.ArrowException,))
            made.append(copy)
    return made


def fill(run: RunPaths, folder: Path) -> None:
    copy = RunPaths(folder)
    spec = to_plain(replace(read_spec(run), folder=HERE))
    copy.config.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    environment = json.loads(run.environment.read_text(encoding="utf-8"))
    kept = {name: value for name, value in environment.items() if name not in PRIVATE}
    copy.environment.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    shutil.copyfile(run.events, copy.events)
    copy.results.mkdir()
    for file in run.results.iterdir():
        if file.name == LISTS:
            table = pq.read_table(file)
            pq.write_table(table.filter(pc.equal(table["position"], 1)), copy.results / LISTS, compression="zstd")
        else:
            shutil.copyfile(file, copy.results / file.name)
