"""Samples out of the store: the arms that are compared, on the one task that they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from workbench.analysis.samples import ArmValues, Cell, Sample
from workbench.errors import InputError, allowed
from workbench.evaluation.measures import per_query
from workbench.store.database import query
from workbench.store.ranks import RankRows, rank_rows

Unit = Literal["paragraph", "article"]


def load_sample(
    store: Path, arms: Sequence[str], measure: str = "map", *, task: str | None = None, unit: Unit = "paragraph"
) -> Sample:
    """The values of a measure for each query under each run of some arms.

    An arm counts a seed once, by its latest finished run. Queries that have no value of the measure (rank distance of
    a query with one relevant passage, say) are left out, in all arms; and so are cells without any.

    Parameters
    ----------
    measure
        One that `evaluation.measures.per_query` knows: map, map@k, mrr, recall@k, ndcg@k, rank_distance.
    task
        Its name; none = the only one that the arms have.

    Raises
    ------
    InputError
        An arm has no finished run, the arms have no task in common, or unequal ones of that name, or several tasks and
        none is named; no such measure; no query has a value of it.
    """
    name, task_id, runs = common_task(store, arms, task)
    rows = rank_rows(store, name, task_id, [run_id for of_arm in runs.values() for run_id in of_arm.values()])
    return as_sample(rows, name, measure, runs, unit)


Runs = dict[str, dict[int, str]]
"""By arm and seed the run."""


def common_task(store: Path, arms: Sequence[str], task: str | None) -> tuple[str, str, Runs]:
    """Name and id of the task to compare on, and its runs by arm and seed."""
    found = query(
        store,
        """
        select arm, task, task_id, seed, max(run_id)
        from setting_measures where list_contains($arms, arm) group by all order by seed
        """,
        {"arms": list(arms)},
    ).rows
    for arm in arms:
        if not any(row[0] == arm for row in found):
            raise InputError(f"arm {arm!r}: no finished run of it in {store}")
    names = sorted(set.intersection(*({row[1] for row in found if row[0] == arm} for arm in arms)))
    if not names:
        raise InputError(f"{', '.join(arms)}: measured on different tasks, so there is nothing to compare")
    if task is None and len(names) > 1:
        raise InputError(f"{', '.join(arms)}: measured on several tasks; choose one: {', '.join(names)}")
    name = names[0] if task is None else task
    if name not in names:
        raise InputError(f"task {name!r}: {allowed(name, names)}")
    ids = set.intersection(*({row[2] for row in found if row[:2] == (arm, name)} for arm in arms))
    if not ids:
        raise InputError(
            f"{', '.join(arms)}: their tasks {name!r} are not equal (options or content differ), and results of "
            "unequal tasks are never paired"
        )
    if len(ids) > 1:
        raise InputError(f"{', '.join(arms)}: {name!r} stands for several tasks in the store; their options differ")
    (task_id,) = ids
    return (
        name,
        task_id,
        {arm: {seed: run_id for a, t, i, seed, run_id in found if (a, t, i) == (arm, name, task_id)} for arm in arms},
    )


def left_out(store: Path, task_id: str) -> set[str]:
    """Languages whose cells do not count in the means of a task."""
    (found,) = query(
        store,
        "select any_value(coalesce(try_cast(options -> 'leave_out' as varchar[]), [])) from tasks where task_id = ?",
        [task_id],
    ).rows
    return set(found[0])


def as_sample(rows: RankRows, task: str, measure: str, runs: Runs, unit: Unit) -> Sample:
    """Ranks to values."""
    size = len(rows.cells) * len(rows.query_ids)
    key = rows.cell.astype(np.int64) * len(rows.query_ids) + rows.query
    values = per_query(measure, rows.run * size + key, rows.rank, rows.relevance)
    pairs = np.unique(key)
    if len(values) != len(pairs) * len(rows.run_ids):
        raise InputError(f"{task}: the runs were not measured on the same queries")
    table = values.reshape(len(rows.run_ids), len(pairs)).T
    keep = np.isfinite(table).all(axis=1)
    if not keep.any():
        raise InputError(f"measure {measure!r}: no query of {task} has a value of it")
    used, cell = np.unique(pairs[keep] // len(rows.query_ids), return_inverse=True)
    names = rows.paragraphs if unit == "paragraph" else rows.articles
    units = {name: place for place, name in enumerate(sorted(set(names)))}
    of_query = np.array([units[name] for name in names], np.int32)
    column = {run_id: place for place, run_id in enumerate(rows.run_ids)}
    return Sample(
        task=task,
        measure=measure,
        cells=tuple(Cell(*rows.cells[place]) for place in used.tolist()),
        units=tuple(units),
        cell=cell.astype(np.int32),
        unit=of_query[pairs[keep] % len(rows.query_ids)],
        arms=tuple(
            ArmValues(arm, tuple(of_arm), table[keep][:, [column[run_id] for run_id in of_arm.values()]])
            for arm, of_arm in runs.items()
        ),
    )
