"""Rows of the store's views as files for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import duckdb

from workbench.errors import WorkError
from workbench.store.connection import one_line, reading

Format = Literal["parquet", "csv"]

OF_RUNS = (
    "runs",
    "cell_measures",
    "setting_measures",
    "relevant_ranks",
    "first_passages",
    "language_shares",
    "training_steps",
    "sampled_pairs",
    "sampled_batches",
    "synthetic_pairs",
    "synthetic_texts",
    "leakage",
)
"""Views with a run_id, of which the runs' rows are copied."""
OF_ARMS = "select v.* from arm_measures v semi join runs r on r.arm = v.arm and list_contains($runs, r.run_id)"
OF_TASKS = """
select v.* from {view} v
semi join (select distinct task, task_id from cell_measures where list_contains($runs, run_id)) using (task, task_id)
"""


def statements() -> dict[str, str]:
    """By view the statement that selects what belongs to `$runs`."""
    of_runs = {view: f"select * from {view} where list_contains($runs, run_id)" for view in OF_RUNS}
    of_tasks = {view: OF_TASKS.format(view=view) for view in ("tasks", "queries")}
    return {**of_runs, "arm_measures": OF_ARMS, **of_tasks}


def copy_views(store: Path, run_ids: Sequence[str], folder: Path, form: Format) -> None:
    """Write `<view>.parquet` (or `.csv`, with a head line) into a folder: the runs' rows, their arms and tasks.

    Raises
    ------
    WorkError
        The store is busy or the folder cannot be written.
    """
    with reading(store) as connection:
        for view, statement in statements().items():
            rows = connection.sql(f"{statement} order by all", params={"runs": list(run_ids)})
            try:
                if form == "parquet":
                    rows.write_parquet(str(folder / f"{view}.parquet"), compression="zstd")
                else:
                    rows.write_csv(str(folder / f"{view}.csv"), header=True)
            except duckdb.Error as error:
                raise WorkError(f"{folder / view}: cannot be written: {one_line(error)}") from error
