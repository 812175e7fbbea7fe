"""All runs as a table that stays up to date: what has not changed on disk is not read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

from workbench.files import Mark, file_mark
from workbench.paths import RunPaths, RunsPaths
from workbench.records import ENDED
from workbench.reports.live import MOVING
from workbench.reports.overview import leaked_by, task_names
from workbench.reports.reached import reached
from workbench.reports.translated import TRANSLATED, translated_settings
from workbench.runs.directory import run_folders, state_of, status
from workbench.runs.events import Event, last_event, read_new_events
from workbench.store.connection import StoreBusy, impatient, reading
from workbench.store.database import answer, query
from workbench.store.rows import run_name, utc

Row = dict[str, Any]
FIGURES = {
    ("monolingual", "map"): "mono",
    ("cross_lingual", "map"): "cross",
    ("multilingual", "map"): "multi",
    ("multilingual", "rank_distance"): "distance",
}
"""The columns of a run's headline figures."""
RUNS = """
select run_id, run_name as run, state, experiment, arm, sampling, alpha, seed, model, device, host, steps, message,
    ended, leaked
from runs order by run_id desc limit $limit
"""
TASKS = """
select task, task_id, coalesce(try_cast(options -> 'leave_out' as varchar[]), []) as leave_out,
    json_type(options, '$.notes.translated') is not null as has_translated
from tasks
"""
HEADLINES = """
select run_id, task_id, setting, measure, value from setting_measures
where measure in ('map', 'rank_distance') and run_id >= $least
order by task, task_id
"""
LAST_LOSSES = """
select run_id, arg_max(loss, step), max(step) from training_steps where run_id >= $least group by run_id
"""
PATIENCE_S = 0.5
"""With whoever holds the store: the run directories tell most of what is new."""


@dataclass
class Folder:
    """What was last seen of a run's directory."""

    marks: tuple[Mark, Mark]
    last: Event | None
    row: Row


@dataclass
class Losses:
    """The losses in an events file, as far as it was read."""

    path: Path
    offset: int = 0
    by_step: dict[int, float] = field(default_factory=dict)
    """A resumed run repeats steps: the last word on a step counts."""

    def points(self, parts: int) -> tuple[float, ...]:
        events, self.offset = read_new_events(self.path, self.offset)
        for event in events:
            if event["kind"] == "step" and isinstance(event.get("loss"), float) and isinstance(event.get("step"), int):
                self.by_step[event["step"]] = event["loss"]
        losses = [loss for _, loss in sorted(self.by_step.items())]
        return tuple(binned(losses, parts))


def binned(values: Sequence[float], parts: int) -> list[float]:
    """Means of as many parts of about equal length, of fewer where there are fewer values."""
    parts = min(parts, len(values))
    ends = [len(values) * n // parts for n in range(parts + 1)] if parts else [0]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(ends)]


class RunsWatch:
    """The runs of a runs directory and a store. Its functions block, and may be called from several threads."""

    def __init__(self, runs: RunsPaths, store: Path) -> None:
        self.runs, self.store = runs, store
        self.problem = ""
        self._stored: dict[str, Row] = {}
        self._store_mark: Mark = None
        self._folders: dict[str, Folder] = {}
        self._losses: dict[str, Losses] = {}
        self._shown: list[Row] | None = None
        self._lock = Lock()

    def newest(self, limit: int) -> list[Row]:
        """The newest runs, for the first look: much less is read for them than for all.

        Raises
        ------
        StoreBusy
            Another program holds the store.
        """
        with self._lock:
            stored = stored_rows(self.store, limit)
            folders = {run.run_id: run for run in run_folders(self.runs)[:limit]}
            names = sorted(stored.keys() | folders.keys(), reverse=True)[:limit]
            return [self._row(name, folders.get(name), stored.get(name)) for name in names]

    def look(self) -> list[Row] | None:
        """All runs, newest first; None where they are as they were at the last look.

        While another program holds the store its part is as it last was, and `problem` says who that is.
        """
        with self._lock:
            mark, self.problem = file_mark(self.store), ""
            if mark != self._store_mark:
                try:
                    with impatient(PATIENCE_S):
                        self._stored, self._store_mark = stored_rows(self.store), mark
                except StoreBusy as error:
                    self.problem = str(error)
            folders = {run.run_id: run for run in run_folders(self.runs)}
            names = sorted(self._stored.keys() | folders.keys(), reverse=True)
            rows = [self._row(name, folders.get(name), self._stored.get(name)) for name in names]
            if self._shown is not None and all_same(rows, self._shown):
                return None
            self._shown = rows
            return list(rows)

    def _row(self, name: str, run: RunPaths | None, stored: Row | None) -> Row:
        """One run: as the store has it, where its directory says the same or is gone."""
        if run is None:
            assert stored is not None
            return stored
        marks = file_mark(run.events), file_mark(run.worker)
        known = self._folders.get(name)
        before = known.row if known else {}
        if known is None or known.marks != marks:
            known = self._folders[name] = Folder(marks, last_event(run.events), {})
        if is_as_stored(run, known.last, stored):
            assert stored is not None
            return stored
        state = known.row.get("state")
        if state is None or (state not in (*ENDED, "damaged") and state_of(run, known.last) != state):
            known.row = folder_row(run, stored, before)
        return known.row

    def losses(self, rows: Sequence[Mapping[str, Any]], points: int) -> dict[str, tuple[float, ...]]:
        """By run_id the loss over the steps in at most so many points, of the runs that trained.

        Raises
        ------
        StoreBusy
            Another program holds the store.
        """
        stored = [row["run_id"] for row in rows if row["ended"] is not None]
        with self._lock:
            found = stored_losses(self.store, stored, points) if stored else {}
            for row in rows:
                if row["ended"] is None:
                    run_id = row["run_id"]
                    losses = self._losses.setdefault(run_id, Losses(self.runs.run(run_id).events))
                    found[run_id] = losses.points(points)
        return {run_id: curve for run_id, curve in found.items() if curve}


def all_same(rows: Sequence[Row], others: Sequence[Row]) -> bool:
    return len(rows) == len(others) and all(a is b for a, b in zip(rows, others, strict=True))


def is_as_stored(run: RunPaths, last: Event | None, stored: Row | None) -> bool:
    """Whether the store has the end that the run's directory tells of."""
    if stored is None or last is None or last["state"] != stored["state"]:
        return False
    return utc(run, last["time"]) == stored["ended"]


def folder_row(run: RunPaths, stored: Row | None, before: Row) -> Row:
    """A run as its directory tells; figures of an earlier end are not its own any more.

    `before` is what was told of it last: tasks are evaluated one after the other, and each begins anew.
    """
    told = asdict(status(run))
    part = reached(told, last_event(run.events, MOVING))
    if part is not None and told["state"] == before.get("state") == "evaluating":
        part = max(part, before["part"] or 0.0)
    return blank_row(
        **told,
        run=run_name(run.run_id),
        part=part,
        leaked=leaked_by(run, stored),
    )


def blank_row(**known: Any) -> Row:
    """A row with all keys: what is not known is None, and without figures."""
    keys = (
        *("run_id", "run", "state", "part", "step", "steps", "eta_s", "loss", "experiment", "arm", "sampling"),
        *("alpha", "model", "seed", "device", "host", "updated", "ended", "message", "leaked"),
    )
    return {**dict.fromkeys(keys), "figures": {}, **known}


def stored_rows(store: Path, limit: int | None = None) -> dict[str, Row]:
    """The runs of a store, or its newest, by run_id, each with its headline figures by task."""
    if not store.exists():
        return {}
    with reading(store) as connection:
        runs = answer(connection.execute(RUNS, {"limit": limit}))
        # a value goes into the views before they add up; the same as a subquery would take ten times as long
        least = {"least": min((row[0] for row in runs.rows), default="")}
        tasks = answer(connection.execute(TASKS))
        figures, losses = (answer(connection.execute(sql, least)) for sql in (HEADLINES, LAST_LOSSES))
    rows = {row[0]: blank_row(**dict(zip(runs.columns, row, strict=True))) for row in runs.rows}
    for row in rows.values():
        row["updated"] = f"{row['ended']:%Y-%m-%dT%H:%M:%S}+00:00"
    for run_id, loss, step in losses.rows:
        rows[run_id] |= {"loss": loss, "step": step}
    for row in rows.values():
        row["part"] = reached(row)
    marks = marked_settings(store, tasks.dicts())
    names = task_names(tasks.dicts())
    for run_id, task_id, setting, measure, value in figures.rows:
        column = FIGURES.get((setting, measure))
        if column is not None:
            here = rows[run_id]["figures"].setdefault(names[task_id], {"marks": {}})
            here[column] = value
            if (task_id, setting) in marks:
                here["marks"][column] = TRANSLATED
    return rows


def marked_settings(store: Path, tasks: Sequence[Row]) -> set[tuple[str, str]]:
    """The (task_id, setting) whose means are over questions that a machine translated, too."""
    if not any(task["has_translated"] for task in tasks):
        return set()
    return translated_settings(store, {task["task_id"]: task["leave_out"] for task in tasks})


def stored_losses(store: Path, run_ids: Sequence[str], points: int) -> dict[str, tuple[float, ...]]:
    table = query(
        store,
        """
        with chosen as (
            select run_id, step, loss, row_number() over w - 1 as place, count(*) over (partition by run_id) as steps
            from training_steps semi join (select unnest($runs) as run_id) using (run_id)
            where loss is not null
            window w as (partition by run_id order by step)
        ),
        parts as (
            select run_id, place * least($points, steps) // steps as part, avg(loss) as loss from chosen group by all
        )
        select run_id, list(loss order by part) from parts group by run_id
        """,
        {"runs": list(run_ids), "points": points},
    )
    return {run_id: tuple(losses) for run_id, losses in table.rows}
