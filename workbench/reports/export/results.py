"""The figures of arms on a task: tables over settings and languages, and language pairs, with their tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis.comparing import cell_tests
from workbench.analysis.samples import Sample, Values
from workbench.analysis.stored import Runs, as_sample, common_task, left_out
from workbench.errors import InputError
from workbench.records import ALL_POOLS
from workbench.reports.bias import bias_rows, robustness_rows
from workbench.reports.comparisons import common_names
from workbench.reports.export.figures import (
    Table,
    distance_table,
    headline_table,
    language_table,
    measure_name,
    query_languages,
    setting_name,
)
from workbench.reports.overview import HEADLINES, Row
from workbench.reports.published import published_beside
from workbench.reports.translated import Cell, translated_cells
from workbench.store.database import query
from workbench.store.ranks import RankRows, rank_rows


@dataclass(frozen=True)
class Matrix:
    """Values of an arm, or differences of two, by query language (rows) and pool language (columns)."""

    arm: str
    against: str | None
    """None: the arm's own values."""
    values: Values
    """[query languages, pools]; NaN where there is no such cell."""
    significant: np.ndarray
    """[query languages, pools] of a difference: whether it stays so over all cells of the comparison."""
    unseen: frozenset[str]
    """Languages that no training pair was in; of a difference in one arm or the other."""


@dataclass(frozen=True)
class Published:
    """A published model on the same set."""

    source: str
    model: str
    sampling: str
    figures: Mapping[str, float]
    """By `setting measure`, as in `Line`s: `multilingual mAP`."""
    differs: tuple[str, ...]
    """What makes it another measurement than the arms'."""


@dataclass(frozen=True)
class TaskResults:
    """What was measured on one task."""

    task: str
    task_id: str
    options: Mapping[str, Any]
    candidates: Mapping[str, int]
    arms: tuple[str, ...]
    runs: Runs
    measure: str
    languages: tuple[str, ...]
    """Of the queries."""
    pools: tuple[str, ...]
    """`*` last."""
    queries: int
    units: int
    """Paragraphs that were drawn by."""
    unseen: Mapping[str, frozenset[str]]
    """By arm languages that no training pair was in; none where it is not known or the arm was not trained."""
    translated: frozenset[Cell]
    """Cells (query language, pool) with questions that a machine translated."""
    headlines: Table
    by_language: Table
    distances: Table | None
    """Rank distance by query language."""
    matrices: tuple[Matrix, ...]
    differences: tuple[Matrix, ...]
    bias: tuple[Row, ...]
    """As `bias_rows` has them; none without a setting of one pool for all languages."""
    evenness: tuple[Row, ...]
    """As `robustness_rows` has them; none without language pairs, or of a measure that is better where it is lower."""
    published: tuple[Published, ...]
    draws: int
    """Of the randomisation test; 0 with one arm."""
    leave_out: tuple[str, ...]

    @property
    def unseen_anywhere(self) -> frozenset[str]:
        return frozenset().union(*self.unseen.values())


def results_of_tasks(
    store: Path, arms: Sequence[str], task: str | None, measure: str
) -> tuple[tuple[TaskResults, ...], tuple[str, ...]]:
    """The results on each task that the arms have in common; and why they cannot be compared on others.

    Raises
    ------
    InputError
        There is none; the reason of the first.
    """
    found, problems = [], []
    for name in [task] if task is not None else common_names(store, arms):
        try:
            found.append(results_of(store, arms, name, measure))
        except InputError as error:
            problems.append(error)
    if not found:
        raise problems[0]
    return tuple(found), tuple(map(str, problems))


def results_of(store: Path, arms: Sequence[str], task: str | None, measure: str) -> TaskResults:
    name, task_id, runs = common_task(store, arms, task)
    run_ids = [run_id for of_arm in runs.values() for run_id in of_arm.values()]
    rows = rank_rows(store, name, task_id, run_ids)
    samples = samples_of(rows, name, runs, {measure: None, **{m: None for _, m in HEADLINES}})
    if measure not in samples:
        as_sample(rows, name, measure, runs, "paragraph")  # says what is wrong with it
    sample = samples[measure]
    dropped = left_out(store, task_id)
    unseen = {arm: unseen_languages(store, list(of.values()), languages_of(sample)) for arm, of in runs.items()}
    matrices, differences, draws = matrices_of(sample, unseen)
    distances = samples.get("rank_distance")
    translated = translated_cells(store, [task_id]).get(task_id, frozenset())
    (described,) = query(
        store, "select options, candidates from tasks where task = ? and task_id = ?", [name, task_id]
    ).rows
    return TaskResults(
        task=name,
        task_id=task_id,
        options=json_object(described[0]),
        candidates=json_object(described[1]),
        arms=tuple(arms),
        runs=runs,
        measure=measure,
        languages=query_languages(sample),
        pools=pools_of(sample),
        queries=len(rows.query_ids),
        units=len(sample.units),
        unseen=unseen,
        translated=translated,
        headlines=headline_table(samples, dropped, translated),
        by_language=language_table(sample, translated),
        distances=distance_table(distances, translated) if distances is not None else None,
        matrices=matrices,
        differences=differences,
        bias=rows_or_none(lambda: bias_rows(store, arms, name)),
        evenness=rows_or_none(lambda: robustness_rows(store, arms, name, measure)),
        published=published_models(store, name, arms),
        draws=draws,
        leave_out=tuple(sorted(dropped)),
    )


def rows_or_none(rows: Callable[[], list[Row]]) -> tuple[Row, ...]:
    """What is measured of a task, or nothing where it has no such cells."""
    try:
        return tuple(rows())
    except InputError:
        return ()


def published_models(store: Path, task: str, arms: Sequence[str]) -> tuple[Published, ...]:
    """The published figures by model and sampling, in the order in which they are published."""
    found: dict[tuple[str, str, str], tuple[dict[str, float], list[str]]] = {}
    for setting, measure in HEADLINES:
        for row in published_beside(store, task, setting, measure, arms):
            values, differs = found.setdefault((row["source"], row["model"], row["sampling"]), ({}, []))
            values[f"{setting_name(setting)} {measure_name(measure)}"] = row["value"]
            differs += row["differs"]
    return tuple(Published(*key, values, tuple(dict.fromkeys(differs))) for key, (values, differs) in found.items())


def json_object(text: str | None) -> dict[str, Any]:
    found = json.loads(text or "{}")
    return found if isinstance(found, dict) else {}


def samples_of(rows: RankRows, task: str, runs: Runs, measures: Mapping[str, None]) -> dict[str, Sample]:
    """By measure; those that no query has a value of are left out."""
    found = {}
    for measure in measures:
        try:
            found[measure] = as_sample(rows, task, measure, runs, "paragraph")
        except InputError:
            continue
    return found


def pools_of(sample: Sample) -> tuple[str, ...]:
    return tuple(sorted({cell.pool_language for cell in sample.cells}, key=lambda pool: (pool == ALL_POOLS, pool)))


def languages_of(sample: Sample) -> frozenset[str]:
    return frozenset({*query_languages(sample), *pools_of(sample)} - {ALL_POOLS})


def unseen_languages(store: Path, run_ids: Sequence[str], languages: frozenset[str]) -> frozenset[str]:
    """Those that no pair drawn in training was in."""
    table = query(
        store,
        """
        select distinct unnest([query_language, passage_language]) from sampled_pairs
        where list_contains($runs, run_id) and pairs > 0
        """,
        {"runs": list(run_ids)},
    )
    seen = {language for (language,) in table.rows}
    return languages - seen if seen else frozenset()


def matrices_of(
    sample: Sample, unseen: Mapping[str, frozenset[str]]
) -> tuple[tuple[Matrix, ...], tuple[Matrix, ...], int]:
    """Each arm's values, the differences of the others from the first, and the draws of their test."""
    nowhere = np.zeros(len(sample.cells), bool)
    matrices = tuple(
        matrix(sample, arm.arm, None, sample.means(arm.values.mean(axis=1)), nowhere, unseen[arm.arm])
        for arm in sample.arms
    )
    if len(sample.arms) == 1:
        return matrices, (), 0
    base = sample.arms[0].arm
    tests = [tested for tested in cell_tests(sample) if tested.against == base]
    differences = tuple(
        matrix(sample, one.arm, base, one.differences, one.significant != 0, unseen[one.arm] | unseen[base])
        for one in tests
    )
    return matrices, differences, tests[0].draws


def matrix(
    sample: Sample, arm: str, against: str | None, means: Values, significant: np.ndarray, unseen: frozenset[str]
) -> Matrix:
    rows, columns = query_languages(sample), pools_of(sample)
    values = np.full((len(rows), len(columns)), np.nan)
    marks = np.zeros(values.shape, bool)
    for cell, mean, mark in zip(sample.cells, means, significant, strict=True):
        place = rows.index(cell.query_language), columns.index(cell.pool_language)
        values[place], marks[place] = mean, mark
    return Matrix(arm, against, values, marks, unseen)
