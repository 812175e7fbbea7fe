"""Run directories as a worker leaves them, with random ranks of a small task."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from workbench.paths import RunPaths
from workbench.records import (
    EvaluateSpec,
    ModelSpec,
    PairSetSpec,
    RunSpec,
    SamplingSpec,
    Settings,
    TaskSpec,
    TrainSpec,
    to_plain,
)

Row = dict[str, Any]
STARTED = datetime(2026, 11, 22, 14, 3, tzinfo=UTC)
NARROW = {
    "relevance": pa.int16(),
    "rank": pa.int32(),
    "depth": pa.int16(),
    "passages": pa.int16(),
    "position": pa.int16(),
    "queries": pa.int32(),
    "value": pa.float64(),
    "pairs": pa.int64(),
    "batches": pa.int64(),
    "texts": pa.int32(),
    "hits": pa.int32(),
    "exact": pa.int32(),
    "dropped": pa.bool_(),
    "made": pa.int64(),
    "kept": pa.int64(),
}
COLUMNS = {
    "queries": "task query_id paragraph article",
    "relevant_ranks": "task setting query_language pool_language query_id passage_id passage_language relevance rank",
    "retrieved_languages": "task query_language query_id depth passage_language passages",
    "top_passages": "task setting query_language pool_language query_id position passage_id",
    "measurements": "task setting query_language pool_language measure value queries",
    "sampled_pairs": "training_set kind query_language passage_language pairs",
    "sampled_batches": "training_set kind batches",
    "synthetic_pairs": "training_set kind query_language passage_language query_made_by passage_made_by pairs",
    "synthetic_texts": "training_set language made_by made kept details",
    "leakage": "task training_set language kind texts hits exact pairs dropped",
}


@dataclass(frozen=True)
class Tiny:
    """A task of a few questions: which exist in which language, and what is relevant to them."""

    name: str = "tiny"
    task_id: str = "0123456789ab"
    languages: tuple[str, ...] = ("en", "th", "zh")
    questions: int = 6
    pool: int = 12
    """Candidates in each language."""
    per_language: int = 1
    """Relevant passages of a question in each language."""
    query_prefix: str = "q"

    def query_id(self, question: int) -> str:
        return f"{self.query_prefix}{question}"

    def relevants(self, question: int, languages: Sequence[str]) -> list[tuple[str, str, int]]:
        """(passage id, its language, relevance)"""
        return [
            (f"{language}:{(question * self.per_language + n) % self.pool}", language, 1 + (question + n) % 2)
            for language in languages
            for n in range(self.per_language)
        ]

    def cells(self) -> list[tuple[str, str, str]]:
        """(setting, query language, pool language)"""
        pairs = [(a, b) for a in self.languages for b in self.languages]
        one_pool = [("monolingual" if a == b else "cross_lingual", a, b) for a, b in pairs]
        return one_pool + [("multilingual", a, "*") for a in self.languages]

    def described(self, **changed: Any) -> Row:
        return {
            "task": self.name,
            "task_id": self.task_id,
            "fingerprint": "f" * 12,
            "options": {"passage_text": "sentence", "languages": list(self.languages)},
            "queries": dict.fromkeys(self.languages, self.questions),
            "candidates": dict.fromkeys(self.languages, self.pool),
            **changed,
        }


@dataclass
class Results:
    """The tables of `results/`, by file."""

    tasks: list[Row] = field(default_factory=list)
    tables: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})


def evaluate(*tasks: Tiny, seed: int = 0, found: float = 0.9) -> Results:
    """Random ranks and everything else that an evaluation writes; a rank is missing with probability 1 - `found`."""
    random = np.random.default_rng(seed)
    results = Results()
    for task in tasks:
        results.tasks.append(task.described())
        results.tables["queries"] += [
            {"task": task.name, "query_id": task.query_id(q), "paragraph": f"p{q // 2}", "article": f"a{q // 4}"}
            for q in range(task.questions)
        ]
        for cell in task.cells():
            rank_cell(results.tables, task, cell, random, found)
    return results


def rank_cell(
    tables: dict[str, list[Row]], task: Tiny, cell: tuple[str, str, str], random: np.random.Generator, found: float
) -> None:
    setting, query_language, pool_language = cell
    names = {
        "task": task.name,
        "setting": setting,
        "query_language": query_language,
        "pool_language": pool_language,
    }
    languages = task.languages if pool_language == "*" else (pool_language,)
    for q in range(task.questions):
        one = {**names, "query_id": task.query_id(q)}
        order = random.permutation([(language, n) for language in languages for n in range(task.pool)])
        ranked = [f"{language}:{n}" for language, n in order]
        for passage, language, relevance in task.relevants(q, languages):
            rank = ranked.index(passage) + 1 if random.random() < found else None
            row = {"passage_id": passage, "passage_language": language, "relevance": relevance, "rank": rank}
            tables["relevant_ranks"].append({**one, **row})
        for position, passage in enumerate(ranked[: 20 if pool_language == "*" else 10], start=1):
            tables["top_passages"].append({**one, "position": position, "passage_id": passage})
        if pool_language == "*":
            tables["retrieved_languages"] += retrieved(one, ranked)
    for measure in ("map", "mrr", "recall@1"):
        value = {"measure": measure, "value": float(random.random()), "queries": task.questions}
        tables["measurements"].append({**names, **value})


def retrieved(one: Row, ranked: Sequence[str]) -> list[Row]:
    rows = []
    for depth in (10, 100):
        first = [passage.split(":")[0] for passage in ranked[:depth]]
        for language in sorted(set(first)):
            rows.append(
                {
                    **{name: one[name] for name in ("task", "query_language", "query_id")},
                    "depth": depth,
                    "passage_language": language,
                    "passages": first.count(language),
                }
            )
    return rows


def write_table(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    def column(name: str) -> pa.Array:
        values = [row[name] for row in rows]
        if name in NARROW:
            return pa.array(values, NARROW[name])
        return pa.array(values, pa.string()).dictionary_encode()

    pq.write_table(pa.table({name: column(name) for name in columns}), path, compression="zstd")


def write_results(folder: Path, results: Results) -> None:
    """As a worker does: a table without rows is no file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tasks.json").write_text(json.dumps(results.tasks))
    for name, rows in results.tables.items():
        if rows:
            write_table(folder / f"{name}.parquet", rows, COLUMNS[name].split())


def make_settings(
    sampling: str | None = "hybrid", alpha: float = 0.5, seed: int = 0, name: str = "pilot", steps: int = 4
) -> Settings:
    train = TrainSpec(
        sets={"demo": PairSetSpec()},
        sampling=SamplingSpec(sampling, alpha),  # type: ignore[arg-type]
        steps=steps,
        learning_rate=1e-4,
        batch_size=16,
    )
    return Settings(
        name=name,
        evaluate=EvaluateSpec(tasks={"tiny": TaskSpec(loader="demo")}),
        model=ModelSpec(checkpoint="builtin"),
        train=train if sampling else None,
        seed=seed,
    )


def make_events(state: str, steps: int, ended: datetime) -> list[Row]:
    """The events of a run that trained `steps` steps and ended in `state`."""
    events: list[Row] = [
        {"time": stamp(STARTED), "kind": "state", "state": "queued"},
        {"time": stamp(STARTED + timedelta(seconds=5)), "kind": "state", "state": "preparing"},
    ]
    for step in range(1, steps + 1):
        events.append(
            {
                "time": stamp(STARTED + timedelta(seconds=5 + step)),
                "kind": "step",
                "state": "training",
                "step": step,
                "steps": 4,
                "loss": 2.0 / step,
                "learning_rate": 1e-4,
                "gradient_norm": None if step == 2 else 0.5,
                "batch_kind": "mono" if step % 2 else "cross",
                "training_set": "demo",
                "pairs_per_second": 100.0,
                "eta_s": 1.0,
            }
        )
    if state == "failed":
        events.append({"time": stamp(ended), "kind": "error", "state": "training", "message": "loss is NaN at step 3"})
    events.append({"time": stamp(ended), "kind": "state", "state": state})
    return events


def stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")


def write_run(
    runs: Path,
    run_id: str = "20261122-1403-hybrid-a50-s0-7f3c",
    *,
    state: str = "finished",
    settings: Settings | None = None,
    arm: str = "hybrid-a50-1c9e07",
    results: Results | None = None,
    steps: int = 4,
    ended: datetime = STARTED + timedelta(minutes=2),
    environment: Mapping[str, Any] | None = None,
) -> RunPaths:
    """A whole run directory under `runs`."""
    run = RunPaths(runs / run_id)
    run.root.mkdir(parents=True, exist_ok=True)
    spec = RunSpec(
        run_id, arm, stamp(STARTED), "/somewhere", {"evaluate.tasks.tiny": "f" * 12}, settings or make_settings()
    )
    run.config.write_text(yaml.safe_dump(to_plain(spec), sort_keys=False, allow_unicode=True))
    run.events.write_text("".join(json.dumps(event) + "\n" for event in make_events(state, steps, ended)))
    described = {
        "versions": {"torch": "2.13.0"},
        "device": "cpu",
        "threads": 2,
        "host": "here",
        "started": stamp(STARTED + timedelta(seconds=5)),
        "ended": stamp(ended),
        "parameters": 4_000_000,
        "seconds": {"training": 60.5, "evaluating": 30.25},
        "fingerprints": dict(spec.fingerprints),
    }
    run.environment.write_text(json.dumps(described if environment is None else environment))
    if state == "finished":
        write_results(run.results, results or evaluate(Tiny()))
    return run
