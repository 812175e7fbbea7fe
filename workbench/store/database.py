"""The store: every run's results in one DuckDB file, asked with `query`, fed with `ingest`.

Run directories are the truth while they exist: `ingest` takes an ended one in, whole or not at all, and may be
repeated; the file can be made again from them at any time.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection as Connection

from workbench.errors import InputError, WorkError
from workbench.paths import RunPaths, RunsPaths
from workbench.records import ENDED
from workbench.runs.directory import read_spec, run_folders
from workbench.runs.events import last_event, read_events
from workbench.store.connection import (
    WAIT_S,
    StoreBusy,
    one_line,
    reading,
    script,
    transaction,
    writing,
)
from workbench.store.rows import Ending, read_ending, read_tasks, run_row, training_steps, utc

CELL = "task, setting, query_language, pool_language"
STAGED = {
    "queries": ("queries", "task, query_id, paragraph, article", "true"),
    "relevant_ranks": (
        "relevant_ranks",
        f"{CELL}, query_id, passage_id, passage_language, relevance, rank",
        "true",
    ),
    "retrieved_languages": (
        "retrieved_languages",
        "task, query_language, query_id, depth, passage_language, passages",
        "true",
    ),
    "top_passages": ("first_passages", f"{CELL}, query_id, passage_id", "position = 1"),
    "measurements": ("measurements", f"{CELL}, measure, value, queries", "true"),
    "sampled_pairs": ("sampled_pairs", "training_set, kind, query_language, passage_language, pairs", "true"),
    "sampled_batches": ("sampled_batches", "training_set, kind, batches", "true"),
    "synthetic_pairs": (
        "synthetic_pairs",
        "training_set, kind, query_language, passage_language, query_made_by, passage_made_by, pairs",
        "true",
    ),
    "synthetic_texts": ("synthetic_texts", "training_set, language, made_by, made, kept, details", "true"),
    "leakage": ("leakage", "task, training_set, language, kind, texts, hits, exact, pairs, dropped", "true"),
}
"""By results file: its staging table, the columns and the rows that are taken."""
REQUIRED = ("queries", "relevant_ranks", "measurements")
"""Files that every evaluation writes; where one is missing the directory was not copied whole."""
FACTS = (
    "relevant_ranks",
    "retrieved_languages",
    "first_passages",
    "measurements",
    "training_steps",
    "sampled_pairs",
    "sampled_batches",
    "synthetic_pairs",
    "synthetic_texts",
    "leakage",
)
"""Tables with rows of runs, beside `runs` itself."""


@dataclass(frozen=True)
class Table:
    """The answer to one query."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """DuckDB's name of each column's type."""
    rows: list[tuple[Any, ...]]
    more: bool = False
    """Whether the answer has more rows than were asked for."""

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Ingested:
    """What a look at a runs directory brought home."""

    run_ids: tuple[str, ...]
    problems: tuple[str, ...]
    """One line for each run that could not be ingested, and why."""


def query(
    store: Path, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), *, wait_s: float = WAIT_S
) -> Table:
    """The answer to one statement; values go in as `parameters`, never into the text.

    Raises as `reading` does.
    """
    with reading(store, wait_s=wait_s) as connection:
        return answer(connection.execute(sql, parameters))


def query_all(store: Path, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Table]:
    """The answers to several statements, of one and the same state of the store.

    Raises as `reading` does.
    """
    with reading(store) as connection:
        return [answer(connection.execute(sql, parameters)) for sql, parameters in statements]


def answer(connection: Connection) -> Table:
    columns = connection.description
    return Table(tuple(c[0] for c in columns), tuple(str(c[1]) for c in columns), connection.fetchall())


def ingest(store: Path, run: RunPaths, *, runs: RunsPaths | None = None, wait_s: float = WAIT_S) -> bool:
    """Take an ended run into the store, whole or not at all; what it holds of an earlier end is replaced.

    Results are taken of finished runs only; of the others the store has the run itself and its training steps.
    Returns whether something came in: False where the store has this end of the run already, and for a run that was
    deleted: it left a tombstone in `runs`, by default the folder that the run is in.

    Raises
    ------
    InputError
        The run has not ended, or its files are damaged or contradict the store; the store is as it was.
    WorkError
        The store was busy (`StoreBusy`) or could not be written. The results stay safe in the run directory.
    """
    runs = runs or RunsPaths(run.root.parent)
    if is_deleted(runs, run.run_id):
        return False
    read_ending(run)
    safe = f"{run.root} keeps its results; `workbench ingest` takes them in"
    try:
        with writing(store, wait_s=wait_s) as connection:
            # asked again under the lock: the run may have been deleted or resumed while we waited
            if is_deleted(runs, run.run_id):
                return False
            ending = read_ending(run)
            if ending in known_endings(connection, run.run_id):
                return False
            replace_run(connection, run, ending)
    except StoreBusy:
        raise
    except WorkError as error:
        raise WorkError(f"{error}. {safe}") from error
    except duckdb.Error as error:
        raise WorkError(f"{store}: cannot be written: {one_line(error)}. {safe}") from error
    return True


def ingest_pending(store: Path, runs: RunsPaths, *, wait_s: float = WAIT_S) -> Ingested:
    """Ingest every run that has ended and that the store does not have as it ended; forget those deleted meanwhile.

    A run that cannot be ingested is reported and does not stop the others; a busy store ends the look.

    Raises
    ------
    InputError
        The store is none, or a newer workbench made it.
    WorkError
        It cannot be read, or a deleted run's rows cannot be removed.
    """
    ingested: list[str] = []
    problems: list[str] = []
    try:
        known = stored_endings(store, wait_s)
        # whoever deleted a run while the store was busy could not take its rows out
        deleted = {ending.run_id for ending in known if is_deleted(runs, ending.run_id)}
        if deleted:
            forget(store, *deleted, wait_s=wait_s)
        for run in reversed(run_folders(runs)):
            try:
                if is_pending(runs, run, known) and ingest(store, run, runs=runs, wait_s=wait_s):
                    ingested.append(run.run_id)
            except StoreBusy:
                raise
            except (InputError, WorkError) as error:
                problems.append(str(error))
    except StoreBusy as error:
        problems.append(str(error))
    return Ingested(tuple(ingested), tuple(problems))


def forget(store: Path, *run_ids: str, wait_s: float = WAIT_S) -> None:
    """Remove runs' rows, where there are any.

    Raises as `writing` does, and WorkError where the store cannot be written.
    """
    try:
        with writing(store, wait_s=wait_s) as connection, transaction(connection):
            for run_id in run_ids:
                remove(connection, run_id)
    except duckdb.Error as error:
        raise WorkError(f"{store}: cannot be written: {one_line(error)}") from error


def stored_endings(store: Path, wait_s: float) -> set[Ending]:
    if not store.exists():
        return set()
    with reading(store, wait_s=wait_s) as connection:
        return known_endings(connection)


def known_endings(connection: Connection, run_id: str | None = None) -> set[Ending]:
    """The endings that the store has, of one run or of all."""
    rows = connection.execute(
        "select run_id, state, ended from stored.runs where $run_id is null or run_id = $run_id", {"run_id": run_id}
    )
    return {Ending(*row) for row in rows.fetchall()}


def is_pending(runs: RunsPaths, run: RunPaths, known: set[Ending]) -> bool:
    last = last_event(run.events)
    if last is None or last["state"] not in ENDED or is_deleted(runs, run.run_id):
        return False
    return Ending(run.run_id, last["state"], utc(run, last["time"])) not in known


def is_deleted(runs: RunsPaths, run_id: str) -> bool:
    return runs.tombstone(run_id).exists()


def replace_run(connection: Connection, run: RunPaths, ending: Ending) -> None:
    """One transaction: what the store has of the run goes, what its directory holds comes."""
    spec = read_spec(run)
    if spec.run_id != run.run_id:
        raise InputError(f"{run.root}: its config.yaml is of the run {spec.run_id}; name the folder after it")
    events = read_events(run.events)
    row = run_row(run, spec, ending, events)
    with transaction(connection):
        remove(connection, run.run_id)
        connection.execute("set variable run = (select coalesce(max(run), 0) + 1 from stored.runs)")
        try:
            insert_run(connection, row)
            insert_steps(connection, training_steps(run, events))
            connection.execute(script("staging.sql"))
            if ending.state == "finished":
                stage_results(connection, run)
            connection.execute(script("load.sql"))
        except (duckdb.InvalidInputException, duckdb.DataError, duckdb.IntegrityError) as error:
            raise InputError(f"{run.root}: {one_line(error)}") from error


def remove(connection: Connection, run_id: str) -> None:
    found = connection.execute("select run from stored.runs where run_id = ?", [run_id]).fetchall()
    for code in found:
        for table in FACTS:
            connection.execute(f"delete from stored.{table} where run = ?", code)
        connection.execute("delete from stored.runs where run = ?", code)


def insert_run(connection: Connection, row: Mapping[str, Any]) -> None:
    names = ", ".join(row)
    values = ", ".join(f"${name}" for name in row)
    connection.execute(f"insert into stored.runs (run, {names}) values (getvariable('run'), {values})", row)


def insert_steps(connection: Connection, steps: Sequence[Mapping[str, Any]]) -> None:
    names = [
        "step",
        "time",
        "loss",
        "learning_rate",
        "gradient_norm",
        "batch_kind",
        "training_set",
        "pairs_per_second",
        "validation_loss",
    ]
    insert_rows(connection, "stored.training_steps", names, steps, code="getvariable('run'), ")


def stage_results(connection: Connection, run: RunPaths) -> None:
    """Read a finished run's `results/` into the staging tables.

    Raises
    ------
    InputError
        A file is missing, damaged or lacks a column.
    """
    insert_rows(
        connection,
        "incoming_tasks",
        ["task", "task_id", "fingerprint", "options", "queries", "candidates"],
        read_tasks(run.results / "tasks.json"),
    )
    for stem, (table, columns, rows) in STAGED.items():
        path = run.results / f"{stem}.parquet"
        if not path.exists():
            if stem in REQUIRED:
                raise InputError(f"{path}: missing, though the run is finished; was its folder copied whole?")
            continue
        try:
            connection.execute(
                f"insert into incoming_{table} select {columns} "
                f"from read_parquet($path, hive_partitioning = false) where {rows}",
                {"path": glob.escape(str(path))},
            )
        except duckdb.Error as error:
            raise InputError(f"{path}: damaged: {one_line(error)}") from error


def insert_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], code: str = ""
) -> None:
    """Insert records in one statement, a list a column; a column that a record lacks is null."""
    values = {name: [row.get(name) for row in rows] for name in columns}
    lists = ", ".join(f"unnest(${name})" for name in columns)
    connection.execute(f"insert into {table} by position select {code}{lists}", values)
