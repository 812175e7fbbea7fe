"""One run as a screen shows it: its course, what was drawn, its tables of language pairs, all from files and store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from workbench.errors import InputError
from workbench.paths import RunPaths, RunsPaths
from workbench.records import ALL_POOLS
from workbench.reports.details import environment_of, run_settings, stored_run, worker_output
from workbench.reports.live import describe
from workbench.reports.translated import machine_translated, translators_of_run
from workbench.runs.directory import run_folders, status
from workbench.runs.events import Event, read_new_events
from workbench.store.database import query, query_all

Row = dict[str, Any]
FACTS = ("state", "message", "step", "steps", "eta_s", "updated", "experiment", "arm", "sampling", "seed", "model")


@dataclass
class Course:
    """What a run has said so far, taken up from where its events file was last read."""

    run: RunPaths
    offset: int = 0
    steps: dict[int, Row] = field(default_factory=dict)
    """By step what was measured; a resumed run repeats steps: the last word on a step counts."""
    counts: Sequence[Mapping[str, Any]] = ()
    """What the sampler had drawn when the run last told."""
    lines: list[str] = field(default_factory=list)
    """The log."""

    def look(self) -> bool:
        """Read what is new; whether there was anything."""
        events, self.offset = read_new_events(self.run.events, self.offset)
        for event in events:
            self._take(event)
        return bool(events)

    def _take(self, event: Event) -> None:
        self.lines.append(f"{event['time'][5:19].replace('T', ' ')}  {describe(event)}")
        step = event.get("step")
        if event["kind"] == "sampled" and isinstance(event.get("counts"), list):
            self.counts = [row for row in event["counts"] if isinstance(row, Mapping)]
        elif event["kind"] == "step" and isinstance(step, int):
            names = ("loss", "learning_rate", "pairs_per_second", "batch_kind")
            self.steps.setdefault(step, {}).update({name: event.get(name) for name in names})
        elif event["kind"] == "validation" and isinstance(step, int):
            self.steps.setdefault(step, {})["validation_loss"] = event.get("loss")

    def curve(self, name: str) -> tuple[list[int], list[float]]:
        """Steps and values, without those that are not known."""
        found = [(step, row[name]) for step, row in sorted(self.steps.items()) if row.get(name) is not None]
        return [step for step, _ in found], [value for _, value in found]

    def drawn(self) -> tuple[list[Row], list[Row]]:
        """Batches by training set and kind, and pairs by languages, as `sampled_batches` and `sampled_pairs` have it.

        Before the sampler has told, only the kinds of the batches are known.
        """
        if not self.counts:
            kinds = Counter(row["batch_kind"] for row in self.steps.values() if row.get("batch_kind"))
            return [{"training_set": "", "kind": kind, "batches": n} for kind, n in sorted(kinds.items())], []
        batches = [{name: row.get(name) for name in ("training_set", "kind", "batches")} for row in self.counts]
        pairs: Counter[tuple[str, str]] = Counter()
        for row in self.counts:
            for languages, n in dict(row.get("pairs") or {}).items():
                query_language, _, passage_language = languages.partition(">")
                pairs[query_language, passage_language] += n
        return batches, [
            {"query_language": a, "passage_language": b, "pairs": n} for (a, b), n in sorted(pairs.items())
        ]


@dataclass(frozen=True)
class Cells:
    """A task's measures by language pair."""

    values: Mapping[str, Mapping[tuple[str, str], float]]
    """By measure and (query language, pool language), `*` the pool of all languages."""
    translated: frozenset[tuple[str, str]]
    """Those with questions that a machine translated."""

    def languages(self, measure: str) -> tuple[list[str], list[str]]:
        """Query languages and pools, that of all languages last."""
        pairs = self.values.get(measure, {})
        pools = sorted({pool for _, pool in pairs}, key=lambda pool: (pool == ALL_POOLS, pool))
        return sorted({language for language, _ in pairs}), pools


@dataclass(frozen=True)
class RunView:
    """What is known of a run beside its course."""

    run_id: str
    facts: Row
    """As a listing has them: state, message, step, ETA and the rest."""
    config: str
    """YAML."""
    environment: str
    """Its facts, a line each."""
    leaked: bool | None
    tasks: Mapping[str, Cells]
    batches: Sequence[Row]
    pairs: Sequence[Row]
    steps: Mapping[int, Row]
    """Of a run whose directory is gone; else its events tell them."""
    unseen: frozenset[str]
    """Languages of the tasks that the training had no pair in; empty where the run trained on nothing."""
    output: str
    """The end of what the worker printed itself."""


def run_view(store: Path, runs: RunsPaths, run_id: str) -> RunView:
    """Everything of a run but its events.

    Raises
    ------
    InputError
        There is no such run, or its config is damaged.
    """
    run = runs.run(run_id)
    has_folder = run.events.exists()
    stored = stored_run(store, run_id, runs) if store.exists() else None
    if not has_folder and stored is None:
        raise InputError(f"run {run_id!r}: neither in {runs.root} nor in {store}")
    facts = asdict(status(run)) if has_folder else stored or {}
    environment = environment_of(run)["environment"] if has_folder else (stored or {}).get("environment")
    found = of_store(store, run_id) if store.exists() else {"batches": [], "pairs": [], "steps": {}, "cells": []}
    translated = translators_of_run(store, run_id) if found["cells"] else {}
    tasks = as_tasks(found["cells"], translated)
    return RunView(
        run_id,
        {name: facts.get(name) for name in FACTS},
        yaml.safe_dump(run_settings(store, runs, run_id), sort_keys=False, allow_unicode=True, width=100),
        "\n".join(flat(environment or {})),
        (stored or {}).get("leaked"),
        tasks,
        found["batches"],
        found["pairs"],
        {} if has_folder else found["steps"],
        unseen(tasks, found["pairs"]),
        worker_output(run) if has_folder else "",
    )


def of_store(store: Path, run_id: str) -> dict[str, Any]:
    given = {"run": run_id}
    batches, pairs, steps, cells = query_all(
        store,
        [
            (
                "select training_set, kind, batches from sampled_batches where run_id = $run order by all",
                given,
            ),
            (
                "select query_language, passage_language, sum(pairs)::bigint as pairs from sampled_pairs "
                "where run_id = $run group by all order by all",
                given,
            ),
            (
                "select step, loss, validation_loss, learning_rate, pairs_per_second, batch_kind from training_steps "
                "where run_id = $run order by step",
                given,
            ),
            (
                "select task, measure, query_language, pool_language, value from cell_measures where run_id = $run",
                given,
            ),
        ],
    )
    return {
        "batches": batches.dicts(),
        "pairs": pairs.dicts(),
        "steps": {row["step"]: row for row in steps.dicts()},
        "cells": cells.rows,
    }


def as_tasks(rows: Sequence[tuple[Any, ...]], translated: Mapping[str, Mapping[str, str]]) -> dict[str, Cells]:
    found: dict[str, dict[str, dict[tuple[str, str], float]]] = {}
    for task, measure, query_language, pool_language, value in sorted(rows, key=lambda row: row[:4]):
        if value is not None:
            found.setdefault(task, {}).setdefault(measure, {})[query_language, pool_language] = value
    return {task: Cells(values, machine_translated(translated.get(task, {}))) for task, values in found.items()}


def unseen(tasks: Mapping[str, Cells], pairs: Sequence[Row]) -> frozenset[str]:
    """Languages of the tasks that no training pair has on either side."""
    seen = {row[side] for row in pairs for side in ("query_language", "passage_language") if row["pairs"]}
    asked = {
        language
        for cells in tasks.values()
        for values in cells.values.values()
        for pair in values
        for language in pair
        if language != ALL_POOLS
    }
    return frozenset(asked - seen) if seen else frozenset()


def flat(value: Any, name: str = "") -> list[str]:
    """An object's values with their dotted names, a line each."""
    if isinstance(value, Mapping) and value:
        return [line for key, part in value.items() for line in flat(part, f"{name}.{key}" if name else str(key))]
    return [f"{name:28} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"] if name else []


def newest_run(store: Path, runs: RunsPaths) -> str | None:
    """The newest run of both; None where there is none."""
    names = [run.run_id for run in run_folders(runs)[:1]]
    if store.exists():
        names += [row[0] for row in query(store, "select max(run_id) from runs").rows if row[0] is not None]
    return max(names, default=None)
