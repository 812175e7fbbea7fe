"""What there is to compare: arms with results, the tasks and measures that some of them have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from workbench.analysis.stored import common_task
from workbench.errors import InputError
from workbench.evaluation.measures import MEASURES
from workbench.records import ALL_POOLS
from workbench.reports.comparisons import check_measure
from workbench.reports.export.results import unseen_languages
from workbench.reports.overview import Row
from workbench.store.database import query

HASH = re.compile(r"-[0-9a-f]{6}$")
"""What the name of an arm ends in."""


def arm_listing(store: Path) -> list[Row]:
    """One row for each arm with a finished run, newest first: its runs, settings and tasks."""
    return query(
        store,
        """
        with measured as (
            select arm, string_agg(distinct task, ', ' order by task) as tasks from arm_measures group by arm
        )
        select arm, experiment, sampling, alpha, model, seeds, tasks, leaked, latest
        from (
            select arm, any_value(experiment) as experiment, any_value(sampling) as sampling,
                any_value(alpha) as alpha, any_value(model) as model, count(distinct seed) as seeds,
                bool_or(leaked) as leaked, max(run_id) as latest
            from runs where state = 'finished' group by arm
        ) join measured using (arm)
        order by latest desc, arm
        """,
    ).dicts()


def common_measures(store: Path, arms: Sequence[str]) -> dict[str, list[str]]:
    """By task that all of the arms were measured on, equal options and content: the measures that queries have.

    Empty where the arms have none in common.
    """
    rows = query(
        store,
        """
        select task, task_id, list(distinct measure)
        from arm_measures where list_contains($arms, arm)
        group by task, task_id having count(distinct arm) = $number order by task
        """,
        {"arms": list(arms), "number": len(set(arms))},
    ).rows
    names = [task for task, *_ in rows]
    per_query = [measure for measure in MEASURES if has_value_per_query(measure)]
    return {
        task: [measure for measure in per_query if measure in measures]
        for task, _, measures in rows
        if names.count(task) == 1
    }


def has_value_per_query(measure: str) -> bool:
    try:
        check_measure(measure)
    except InputError:
        return False
    return True


def setting_means(store: Path, arms: Sequence[str], task: str, measure: str) -> list[Row]:
    """One row for each arm and setting: mean and standard deviation over seeds, `leaked`.

    Raises
    ------
    InputError
        The arms do not have that task in common.
    """
    task_id = common_task(store, arms, task)[1]
    rows = query(
        store,
        """
        select arm, task, setting, measure, mean, standard_deviation as sd, n, leaked from arm_measures
        where list_contains($arms, arm) and task = $task and task_id = $task_id and measure = $measure
        order by list_position($arms, arm), list_position(['monolingual', 'cross_lingual', 'multilingual'], setting)
        """,
        {"arms": list(arms), "task": task, "task_id": task_id, "measure": measure},
    )
    return rows.dicts()


def short_names(arms: Sequence[str]) -> dict[str, str]:
    """By arm its name without the hash at its end, where that still tells it from the others."""
    short = {arm: HASH.sub("", arm) for arm in arms}
    names = list(short.values())
    return {arm: name if names.count(name) == 1 else arm for arm, name in short.items()}


def untrained_languages(store: Path, arms: Sequence[str], task: str) -> dict[str, frozenset[str]]:
    """By arm the languages of a task that no training pair was in; none where it was not trained, or nobody knows.

    Raises
    ------
    InputError
        The arms do not have that task in common.
    """
    _, task_id, runs = common_task(store, arms, task)
    cells = query(
        store,
        "select distinct unnest([query_language, pool_language]) from measurements where task = ? and task_id = ?",
        [task, task_id],
    ).rows
    languages = frozenset(language for (language,) in cells) - {ALL_POOLS}
    return {arm: unseen_languages(store, list(of_arm.values()), languages) for arm, of_arm in runs.items()}
