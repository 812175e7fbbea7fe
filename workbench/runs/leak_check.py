"""The leakage check as a part of a run: what becomes of training pairs that hold texts of the evaluation tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.data.leaks.leakage import Leakage, Overlap, find_leaks, without_concerned
from workbench.data.pairs import ParallelPairs
from workbench.data.task import RetrievalTask
from workbench.errors import InputError
from workbench.records import Progress, TrainSpec

TABLE = pa.schema(
    [
        *((name, pa.string()) for name in ("task", "training_set", "language", "kind")),
        *((name, pa.int32()) for name in ("texts", "hits", "exact", "pairs")),
        ("dropped", pa.bool_()),
    ]
)
"""Of `leakage.parquet`: one row for each overlap with hits, so that none means that none was found."""

NOTHING_LOOKED_UP = (
    "no evaluation text could be looked up in the training texts: the tasks and the training sets have no language in "
    "common, and translations are not found"
)


@dataclass(frozen=True)
class Checked:
    """The training sets as they are trained on, and what is to be said of them."""

    sets: list[ParallelPairs]
    table: pa.Table
    """`TABLE`."""
    facts: dict[str, Any]
    """What `environment.json` keeps; `leaked` is whether the run trains on texts of its tasks, None = not known."""
    messages: tuple[str, ...]
    """One for each set with pairs that a hit concerns."""


def check_leaks(
    spec: TrainSpec, sets: Sequence[ParallelPairs], tasks: Iterable[RetrievalTask], progress: Progress
) -> Checked:
    """Look the tasks' texts up in the training sets and do what `train.on_leak` says.

    Raises
    ------
    InputError
        There are hits and `train.on_leak` is `fail`, or a set has no pair without one.
    """
    leakage = find_leaks(sets, {task.name: task for task in tasks}, progress)
    found = accounts(leakage, sets)
    if found and spec.on_leak == "fail":
        raise InputError(f"train.on_leak is 'fail': {'; '.join(found.values())}; allowed: drop, warn")
    drop = spec.on_leak == "drop"
    outcome = "they are left out" if drop else "they stay, and the run is marked"
    kept = without_concerned(sets, leakage) if drop else list(sets)
    looked = any(overlap.texts for overlap in leakage.overlaps)
    for pairs in kept:
        check_some_left(pairs)
    return Checked(
        sets=kept,
        table=as_table(leakage, drop),
        facts={
            "on_leak": spec.on_leak,
            "hits": sum(overlap.hits for overlap in leakage.found),
            "pairs": int(sum(np.count_nonzero(rows) for rows in leakage.concerned)),
            "leaked": bool(found) and not drop if looked else None,
        },
        messages=tuple(f"{account}; {outcome} (train.on_leak: {spec.on_leak})" for account in found.values())
        if looked
        else (NOTHING_LOOKED_UP,),
    )


def as_table(leakage: Leakage, dropped: bool) -> pa.Table:
    names = TABLE.names[:-1]
    rows = [{**{name: getattr(one, name) for name in names}, "dropped": dropped} for one in leakage.found]
    return pa.Table.from_pylist(rows, TABLE)


def check_some_left(pairs: ParallelPairs) -> None:
    if len(pairs.pair_ids) and not pairs.has.any():
        raise InputError(
            f"train.sets.{pairs.name}: each of its {len(pairs.pair_ids)} pairs holds a text of an evaluation task; "
            "leave the set or the task out, or keep the pairs with train.on_leak: warn"
        )


def accounts(leakage: Leakage, sets: Sequence[ParallelPairs]) -> Mapping[str, str]:
    """By training set with pairs that a hit concerns: how many, where, and one example a task."""
    said = {}
    for pairs, rows in zip(sets, leakage.concerned, strict=True):
        found = [one for one in leakage.found if one.training_set == pairs.name]
        if found:
            tasks = [of_task(task, list(ones)) for task, ones in groupby(found, key=lambda one: one.task)]
            said[pairs.name] = (
                f"train.sets.{pairs.name}: {np.count_nonzero(rows)} of {len(rows)} pairs hold texts of evaluation "
                f"tasks: {'; '.join(tasks)}"
            )
    return said


def of_task(task: str, found: Sequence[Overlap]) -> str:
    """`xquad_r (de 1 query, 2 passages, en 4 passages; such as passage en-001-002-03 in pair p17)`"""
    languages = [
        f"{language} {', '.join(counted(one) for one in ones)}"
        for language, ones in groupby(found, key=lambda one: one.language)
    ]
    example = found[0].examples[0]
    where = f"such as {found[0].kind} {example.evaluation_id} in pair {example.pair_id}"
    return f"{task} ({', '.join(languages)}, {where})"


def counted(overlap: Overlap) -> str:
    several = {"query": "queries", "passage": "passages"}
    return f"{overlap.hits} {overlap.kind if overlap.hits == 1 else several[overlap.kind]}"
