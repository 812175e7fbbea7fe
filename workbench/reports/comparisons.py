"""Arms against each other, with what is known of chance: rows for a table, a program or a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.comparing import CellTests, cell_tests, group_tests
from workbench.analysis.effects import group_mean
from workbench.analysis.randomisation import DRAWS
from workbench.analysis.samples import Cell, Group, Sample, group_of
from workbench.analysis.stored import Unit, common_task, left_out, load_sample
from workbench.errors import InputError, allowed
from workbench.evaluation.measures import per_query
from workbench.reports.overview import Row
from workbench.reports.translated import translated_cells, translated_settings
from workbench.store.database import query


def compared(
    store: Path,
    arms: Sequence[str],
    measure: str = "map",
    task: str | None = None,
    unit: Unit = "paragraph",
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Row]:
    """One row for each task that the arms have in common, setting and pair of arms: is the difference real?

    Each arm is held against those named before it, the first one first. A setting's figure is the mean over its
    cells, but for those of languages in the task's `leave_out`.

    - `mean` and `against_mean` are the two arms'; `difference` is `arm` minus `against`, with the interval `low` to
      `high`, `p`, and `detectable`, the smallest difference that such data find (power .8). They speak of `about`:
      "samplings" where both arms have several seeds, else "questions only, one seed".
    - `p_checkpoints` is that of a paired randomisation test of the arms' seed-averaged values, `p_tukey` the same
      corrected over all pairs of arms (null with two arms). They speak of these checkpoints only.
    - `higher` and `lower` count the cells in which `arm` is, by a test that is family-wise over all cells and pairs.
    - `translated`: whether the figures are over cells with questions that a machine translated, too.

    Raises
    ------
    InputError
        Fewer than two arms; they have no equal task in common; no such measure or task.
    """
    return comparison(store, arms, measure, task, unit, draws, seed).effects


@dataclass(frozen=True)
class Comparison:
    """Arms on a task, in settings and in cells, out of the same draws."""

    effects: list[Row]
    """As `compared` has them."""
    cells: list[Row]
    """As `cell_rows` has them."""


def comparison(
    store: Path,
    arms: Sequence[str],
    measure: str = "map",
    task: str | None = None,
    unit: Unit = "paragraph",
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """`compared` and `cell_rows` at once: the cells, which take most of the time, are tested once.

    Raises as `compared` does.
    """
    effects: list[Row] = []
    cells: list[Row] = []
    for sample, groups in samples(store, arms, measure, task, unit):
        tests = cell_tests(sample, draws=draws, seed=seed)
        effects += effect_rows(store, arms, sample, groups, tests, unit, draws, seed)
        cells += tested_cells(store, arms, sample, tests)
    return Comparison(with_leaks(store, effects), with_leaks(store, cells))


def effect_rows(
    store: Path,
    arms: Sequence[str],
    sample: Sample,
    groups: Sequence[Group],
    tests: Sequence[CellTests],
    unit: Unit,
    draws: int,
    seed: int,
) -> list[Row]:
    """The rows of `compared` of one task."""
    cells = {(tested.arm, tested.against): tested for tested in tests}
    task_id = common_task(store, arms, sample.task)[1]
    translated = translated_settings(store, {task_id: sorted(left_out(store, task_id))})
    found = []
    for test in group_tests(sample, groups, draws=draws, seed=seed):
        inside = of_setting(sample, test.effect.group)
        marks = cells[test.arm, test.against].significant[inside]
        found.append(
            {
                "task": sample.task,
                "task_id": task_id,
                "setting": test.effect.group,
                "measure": sample.measure,
                "arm": test.arm,
                "against": test.against,
                "mean": test.mean,
                "against_mean": test.against_mean,
                "difference": test.effect.difference,
                "low": test.effect.low,
                "high": test.effect.high,
                "p": test.effect.p,
                "detectable": test.effect.detectable,
                "about": test.effect.about,
                "seeds": test.effect.seeds,
                "seed_deviation": test.effect.seed_deviation,
                "paired": test.effect.paired,
                "p_checkpoints": test.p_checkpoints,
                "p_tukey": test.p_tukey,
                "cells": int(inside.sum()),
                "higher": int((marks > 0).sum()),
                "lower": int((marks < 0).sum()),
                "unit": unit,
                "units": len(sample.units),
                "draws": cells[test.arm, test.against].draws,
                "translated": (task_id, test.effect.group) in translated,
            }
        )
    return found


def cell_rows(
    store: Path,
    arms: Sequence[str],
    measure: str = "map",
    task: str | None = None,
    unit: Unit = "paragraph",
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Row]:
    """One row for each task, pair of arms and cell: the difference, whether chance could have made it.

    `low` and `high` bound a bootstrap interval; `p` is the cell's own, `p_family` holds over all cells and pairs of
    arms of the comparison whatever is shown of them, `p_holm` is Holm's correction; `mark` is `*` where `p_family` is
    below .05. All of them speak of these checkpoints, averaged over seeds. `translated`: whether a machine translated
    questions of the cell.

    Raises as `compared` does.
    """
    return comparison(store, arms, measure, task, unit, draws, seed).cells


def tested_cells(store: Path, arms: Sequence[str], sample: Sample, tests: Sequence[CellTests]) -> list[Row]:
    """The rows of `cell_rows` of one task."""
    task_id = common_task(store, arms, sample.task)[1]
    of_sample = [row for tested in tests for row in rows_of(sample, tested)]
    return with_translated(store, [{**row, "task_id": task_id} for row in of_sample])


def rows_of(sample: Sample, tests: CellTests) -> list[Row]:
    seeds = min(len(sample.arm(name).seeds) for name in (tests.arm, tests.against))
    return [
        {
            "task": sample.task,
            "setting": cell.setting,
            "query_language": cell.query_language,
            "pool_language": cell.pool_language,
            "measure": sample.measure,
            "arm": tests.arm,
            "against": tests.against,
            "mean": float(tests.means[place]),
            "difference": float(tests.differences[place]),
            "low": float(tests.low[place]),
            "high": float(tests.high[place]),
            "p": float(tests.p[place]),
            "p_family": float(tests.p_family[place]),
            "p_holm": float(tests.p_holm[place]),
            "mark": "*" if tests.significant[place] else "",
            "queries": int(sample.queries[place]),
            "seeds": seeds,
        }
        for place, cell in enumerate(sample.cells)
    ]


def arm_cells(store: Path, arm: str, measure: str = "map", task: str | None = None) -> list[Row]:
    """One row for each task and cell of an arm: mean and standard deviation over its seeds.

    Raises
    ------
    InputError
        The arm has no finished run, no such task or no such measure.
    """
    found = query(
        store,
        """
        with latest as (
            select seed, task_id, max(run_id) as run_id from setting_measures where arm = $arm group by all
        )
        select task, task_id, setting, query_language, pool_language, measure, avg(value) as mean,
            stddev_samp(value) as sd, count(*) as n, max(queries) as queries, bool_or(leaked) as leaked
        from cell_measures join latest using (run_id, task_id)
        where arm = $arm and measure = $measure and ($task is null or task = $task)
        group by task, task_id, setting, query_language, pool_language, measure
        order by task, task_id, list_position(['monolingual', 'cross_lingual', 'multilingual'], setting),
            query_language, pool_language
        """,
        {"arm": arm, "measure": measure, "task": task},
    ).dicts()
    if not found:
        raise InputError(f"arm {arm!r}: nothing is stored of measure {measure!r}" + (f" on {task!r}" if task else ""))
    return with_translated(store, found)


def with_translated(store: Path, rows: Sequence[Row]) -> list[Row]:
    """Rows of cells with `translated`: whether a machine translated questions of the cell."""
    cells = translated_cells(store, (row["task_id"] for row in rows))
    return [
        {**row, "translated": (row["query_language"], row["pool_language"]) in cells.get(row["task_id"], ())}
        for row in rows
    ]


def with_leaks(store: Path, rows: list[Row]) -> list[Row]:
    """The rows with `leaked` and `against_leaked`: whether a run of the arm trained on texts of its tasks."""
    arms = sorted({row[name] for row in rows for name in ("arm", "against")})
    found = query(
        store,
        "select arm, bool_or(leaked) from arm_measures where list_contains($arms, arm) group by arm",
        {"arms": arms},
    )
    leaked = dict(found.rows)
    return [{**row, "leaked": leaked[row["arm"]], "against_leaked": leaked[row["against"]]} for row in rows]


def check_measure(measure: str) -> None:
    """Refuse a measure that no query has a value of, before anything is loaded.

    Raises
    ------
    InputError
        Names what is allowed.
    """
    nothing = np.zeros(0, np.int64)
    per_query(measure, nothing, nothing, nothing)


def check_task(store: Path, arms: Sequence[str], task: str | None) -> None:
    """Refuse a task that the arms do not have in common, before anything is shown.

    Raises
    ------
    InputError
        Names what is allowed.
    """
    names = [name for name in common_names(store, arms) if name is not None]
    if task is not None and names and task not in names:
        raise InputError(f"task {task!r}: {allowed(task, names)}")


def measure_figures(store: Path, figures: Sequence[Row], measure: str) -> list[Row]:
    """Rows as `overview.arm_figures` gives them, one for each arm, task and setting of `figures`, of a measure that is
    worked out of the ranks."""
    found = []
    for (arm, task), rows in groupby(figures, key=lambda row: (row["arm"], row["task"])):
        of_setting = {row["setting"]: row for row in rows}
        try:
            sample = load_sample(store, [arm], measure, task=task)
        except InputError:
            continue  # it stands for several tasks, or no query of it has a value
        task_id = common_task(store, [arm], task)[1]
        for group in settings_of(sample, left_out(store, task_id)):
            values = np.array([group_mean(sample, column, group) for column in sample.arms[0].values.T])
            deviation = float(values.std(ddof=1)) if len(values) > 1 else None
            of_group = {"measure": measure, "mean": float(values.mean()), "sd": deviation, "n": len(values)}
            found.append({**of_setting[group.name], **of_group})
    return found


def samples(
    store: Path, arms: Sequence[str], measure: str, task: str | None, unit: Unit
) -> list[tuple[Sample, list[Group]]]:
    """The arms' values on each task that they have in common, by name, and its settings.

    Raises
    ------
    InputError
        Fewer than two arms; no task that they can be compared on, the reason for the first of them.
    """
    if len(arms) < 2:
        raise InputError(f"{', '.join(arms) or 'no arm'}: a comparison needs two arms or more")
    found, problems = [], []
    for name in [task] if task is not None else common_names(store, arms):
        try:
            sample = load_sample(store, arms, measure, task=name, unit=unit)
            found.append((sample, settings_of(sample, left_out(store, common_task(store, arms, name)[1]))))
        except InputError as error:
            problems.append(error)
    if not found:
        raise problems[0]
    return found


def unequal_tasks(store: Path, arms: Sequence[str]) -> list[str]:
    """Names of tasks that all arms were measured on, in unequal or in several versions: these are not compared."""
    rows = query(
        store,
        "select distinct task, task_id, arm from arm_measures where list_contains($arms, arm)",
        {"arms": list(arms)},
    ).rows
    names = [name for name in common_names(store, arms) if name is not None]
    ids = {
        name: set.intersection(*({row[1] for row in rows if row[0] == name and row[2] == arm} for arm in arms))
        for name in names
    }
    return [name for name in names if len(ids[name]) != 1]


def common_names(store: Path, arms: Sequence[str]) -> list[str | None]:
    """Names of the tasks that all arms were measured on; [None] where there is none, which `load_sample` explains."""
    rows = query(
        store,
        """
        select task from arm_measures where list_contains($arms, arm)
        group by task having count(distinct arm) = $number order by task
        """,
        {"arms": list(arms), "number": len(set(arms))},
    ).rows
    return [name for (name,) in rows] or [None]


def settings_of(sample: Sample, languages: set[str]) -> list[Group]:
    """The cells of each setting but for those of some languages; settings of which nothing remains are left out."""

    def counts(cell: Cell, setting: str) -> bool:
        return cell.setting == setting and not languages & {cell.query_language, cell.pool_language}

    chosen = {name: [counts(cell, name) for cell in sample.cells] for name in {c.setting: 0 for c in sample.cells}}
    return [group_of(name, sample, cells) for name, cells in chosen.items() if any(cells)]


def of_setting(sample: Sample, setting: str) -> NDArray[np.bool_]:
    """[cells] whether a cell is one of the setting, those that its mean leaves out among them."""
    return np.array([cell.setting == setting for cell in sample.cells])
