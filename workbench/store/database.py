"""The store: every run's results in one DuckDB file, asked with `query`, fed with `ingest`.

Run directories are the truth while they exist: `ingest` takes an ended one in, whole or not at all, and may be
repeated; the file can be made again from them at any time.
"""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection as Connection

from workbench.errors import InputError, WorkError
from workbench.paths import RunPaths, RunsPaths
from workbench.records import ENDED, RunSpec, State, to_plain
from workbench.runs.directory import read_spec, run_folders
from workbench.runs.events import Event, last_event, read_events
from workbench.store.connection import (
    WAIT_S,
    StoreBusy,
    one_line,
    reading,
    script,
    transaction,
    writing,
)

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
)
"""Tables with rows of runs, beside `runs` itself."""
FLOAT_MAX = 3.4e38
"""What lies above it does not fit the store's FLOAT."""


@dataclass(frozen=True)
class Table:
    """The answer to one query."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """DuckDB's name of each column's type."""
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Ingested:
    """What a look at a runs directory brought home."""

    run_ids: tuple[str, ...]
    problems: tuple[str, ...]
    """One line for each run that could not be ingested, and why."""


@dataclass(frozen=True)
class Ending:
    """How a run directory says that its run ended; one that is resumed has another later."""

    run_id: str
    state: State
    ended: datetime
    """UTC, without a time zone, as the store holds times."""


def query(
    store: Path, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), *, wait_s: float = WAIT_S
) -> Table:
    """The answer to one statement; values go in as `parameters`, never into the text.

    Raises as `reading` does.
    """
    with reading(store, wait_s=wait_s) as connection:
        return answer(connection.execute(sql, parameters))


def answer(connection: Connection) -> Table:
    columns = connection.description
    return Table(tuple(c[0] for c in columns), tuple(str(c[1]) for c in columns), connection.fetchall())


def ingest(store: Path, run: RunPaths, *, wait_s: float = WAIT_S) -> bool:
    """Take an ended run into the store, whole or not at all; what it holds of an earlier end is replaced.

    Results are taken of finished runs only; of the others the store has the run itself and its training steps.
    Returns whether something came in: False where the store has this end of the run already, and for a run that was
    deleted (it left a tombstone).

    Raises
    ------
    InputError
        The run has not ended, or its files are damaged or contradict the store; the store is as it was.
    WorkError
        The store was busy (`StoreBusy`) or could not be written. The results stay safe in the run directory.
    """
    if is_deleted(run):
        return False
    read_ending(run)
    safe = f"{run.root} keeps its results; `workbench ingest` takes them in"
    try:
        with writing(store, wait_s=wait_s) as connection:
            # asked again under the lock: the run may have been deleted or resumed while we waited
            if is_deleted(run):
                return False
            ending = read_ending(run)
            if ending in known_endings(connection, run.run_id):
                return False
            replace_run(connection, run, ending)
    except WorkError as error:
        raise type(error)(f"{error}. {safe}") from error
    except duckdb.Error as error:
        raise WorkError(f"{store}: cannot be written: {one_line(error)}. {safe}") from error
    return True


def ingest_pending(store: Path, runs: RunsPaths, *, wait_s: float = WAIT_S) -> Ingested:
    """Ingest every run that has ended and that the store does not have as it ended.

    A run that cannot be ingested is reported and does not stop the others; a busy store ends the look.

    Raises
    ------
    InputError
        The store is none, or a newer workbench made it.
    """
    ingested: list[str] = []
    problems: list[str] = []
    try:
        known = stored_endings(store, wait_s)
        for run in reversed(run_folders(runs)):
            try:
                if is_pending(run, known) and ingest(store, run, wait_s=wait_s):
                    ingested.append(run.run_id)
            except StoreBusy:
                raise
            except (InputError, WorkError) as error:
                problems.append(str(error))
    except StoreBusy as error:
        problems.append(str(error))
    return Ingested(tuple(ingested), tuple(problems))


def forget(store: Path, run_id: str, *, wait_s: float = WAIT_S) -> None:
    """Remove a run's rows, if there are any.

    Raises as `ingest` does of the store.
    """
    with writing(store, wait_s=wait_s) as connection, transaction(connection):
        remove(connection, run_id)


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


def is_pending(run: RunPaths, known: set[Ending]) -> bool:
    last = last_event(run.events)
    if last is None or last["state"] not in ENDED or is_deleted(run):
        return False
    return Ending(run.run_id, last["state"], utc(run, last["time"])) not in known


def is_deleted(run: RunPaths) -> bool:
    return RunsPaths(run.root.parent).tombstone(run.run_id).exists()


def read_ending(run: RunPaths) -> Ending:
    """How the run ended, by its last event.

    Raises
    ------
    InputError
        It has not ended, or there is no run.
    """
    last = last_event(run.events)
    if last is None:
        raise InputError(f"{run.root}: no run directory: it has no events in {run.events.name}")
    if last["state"] not in ENDED:
        raise InputError(f"{run.root}: the run is {last['state']}; ingested is what is {', '.join(ENDED)}")
    return Ending(run.run_id, last["state"], utc(run, last["time"]))


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


def run_row(run: RunPaths, spec: RunSpec, ending: Ending, events: Sequence[Event]) -> dict[str, Any]:
    """The run's row in `runs`; what the run did not live to record is null."""
    settings, environment = spec.settings, read_object(run.environment)
    train = settings.train
    at_work = [e["time"] for e in events if e["state"] not in ("queued", *ENDED)]
    started = environment.get("started") or next(iter(at_work), None)
    steps = [e["steps"] for e in events if e["kind"] == "step" and isinstance(e.get("steps"), int)]
    errors = [e.get("message") for e in events if e["kind"] == "error"]
    return {
        "run_id": run.run_id,
        "run_name": run_name(run.run_id),
        "experiment": settings.name,
        "arm": spec.arm,
        "sampling": train.sampling.strategy if train else None,
        "alpha": train.sampling.alpha if train and train.sampling.strategy in ("hybrid", "mixed") else None,
        "model": settings.model.checkpoint,
        "seed": settings.seed,
        "state": ending.state,
        "created": utc(run, spec.created),
        "started": utc(run, started) if started else None,
        "ended": ending.ended,
        "seconds": seconds_at_work(environment),
        "device": environment.get("device"),
        "threads": environment.get("threads"),
        "host": environment.get("host"),
        "steps": steps[-1] if steps else train and train.steps,
        "batch_size": train and train.batch_size,
        "learning_rate": train and train.learning_rate,
        "temperature": train and train.temperature,
        "parameters": environment.get("parameters"),
        "message": errors[-1] if errors and ending.state == "failed" else None,
        "config": as_json(to_plain(spec)),
        "environment": as_json(environment),
        "fingerprints": as_json(spec.fingerprints),
    }


def run_name(run_id: str) -> str:
    """`20261122-1403-hybrid-a50-s0-7f3c` without its time and its suffix; any other form as it is."""
    found = re.fullmatch(r"\d{8}-\d{4}-(.+?)-[0-9a-f]{4}(-\d+)?", run_id)
    return found[1] if found else run_id


def seconds_at_work(environment: Mapping[str, Any]) -> float | None:
    stages = environment.get("seconds")
    return sum(filter(None, map(number, stages.values()))) if isinstance(stages, Mapping) else None


def training_steps(run: RunPaths, events: Sequence[Event]) -> list[dict[str, Any]]:
    """One row a step, ascending. A resumed run repeats steps: the last word on a step counts."""
    steps: dict[int, dict[str, Any]] = {}
    for event in events:
        step = event.get("step")
        if not isinstance(step, int):
            continue
        if event["kind"] == "step":
            steps.setdefault(step, {}).update(step_values(run, event))
        elif event["kind"] == "validation":
            steps.setdefault(step, {})["validation_loss"] = number(event.get("loss"))
    return [{"step": step, **steps[step]} for step in sorted(steps)]


def step_values(run: RunPaths, event: Event) -> dict[str, Any]:
    numbers = ("loss", "learning_rate", "gradient_norm", "pairs_per_second")
    words = ("batch_kind", "training_set")
    return {
        "time": utc(run, event["time"]),
        **{name: number(event.get(name)) for name in numbers},
        **{name: event[name] if isinstance(event.get(name), str) else None for name in words},
    }


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


def read_tasks(path: Path) -> list[dict[str, Any]]:
    """The tasks that a run evaluated; objects in them as JSON with sorted keys, so that equal ones are equal text."""
    tasks = read_json(path)
    if not isinstance(tasks, list) or not all(
        isinstance(task, dict) and isinstance(task.get("task"), str) and isinstance(task.get("task_id"), str)
        for task in tasks
    ):
        raise InputError(f"{path}: damaged: not a list of objects with `task` and `task_id`")
    return [{k: v if isinstance(v, str) else as_json(v) for k, v in task.items()} for task in tasks]


def insert_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], code: str = ""
) -> None:
    """Insert records in one statement, a list a column; a column that a record lacks is null."""
    values = {name: [row.get(name) for row in rows] for name in columns}
    lists = ", ".join(f"unnest(${name})" for name in columns)
    connection.execute(f"insert into {table} by position select {code}{lists}", values)


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; an empty one where the file is not there."""
    content = read_json(path) if path.exists() else {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: damaged: not a JSON object")
    return content


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; was the run's folder copied whole?") from error
    except ValueError as error:
        raise InputError(f"{path}: damaged: {error}") from error


def as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def number(value: Any) -> float | None:
    """A finite number that a FLOAT can hold, else null."""
    return float(value) if isinstance(value, (int, float)) and abs(value) < FLOAT_MAX else None


def utc(run: RunPaths, text: str) -> datetime:
    """ISO 8601 as the store holds times: UTC, without a time zone."""
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise InputError(f"{run.root}: damaged: {text!r} is no ISO 8601 time") from error
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
