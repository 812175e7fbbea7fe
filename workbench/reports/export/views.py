"""The store's rows of some runs as parquet or CSV files.

`export_tables(store, run_ids, out, form)` writes one file for each view of `workbench.store.copying`: `<out>/runs.csv`,
`<out>/cell_measures.csv`, `<out>/relevant_ranks.csv` and so on, with the views' columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.errors import InputError
from workbench.reports.export.folders import write_export
from workbench.reports.overview import resolve_arm
from workbench.store.copying import Format, copy_views
from workbench.store.database import query


def runs_meant(store: Path, text: str) -> list[str]:
    """The finished runs that `text` means: all of an arm, by its name or beginning; else the run whose id has `text`
    in it, where there are several the arm that they are of.

    Raises
    ------
    InputError
        None is meant, or several arms.
    """
    known = query(store, "select run_id, arm from runs where state = 'finished' order by 1").rows
    runs = [run_id for run_id, _ in known if run_id == text] or [run_id for run_id, _ in known if text in run_id]
    if len(runs) == 1 and not any(arm.startswith(text) for _, arm in known):
        return runs
    arm = resolve_arm(store, text)
    return [run_id for run_id, of in known if of == arm]


def export_tables(store: Path, run_ids: Sequence[str], out: Path, form: Format, *, force: bool = False) -> list[Path]:
    """Write the views' rows of some runs, all files or none; the files, sorted.

    `arm_measures` is of the runs' arms with all their seeds, `tasks` and `queries` are of their tasks.

    Raises
    ------
    InputError
        The store has no such run, or `out` is in use.
    WorkError
        The store is busy or `out` cannot be written.
    """
    known = {row[0] for row in query(store, "select run_id from runs").rows}
    for run_id in run_ids:
        if run_id not in known:
            raise InputError(f"run {run_id!r}: not in {store}")
    return write_export(out, lambda folder: copy_views(store, run_ids, folder, form), force=force)
