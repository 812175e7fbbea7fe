"""What there is to compare: arms with results, the tasks and measures that some of them have in common."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from workbench.analysis.stored import common_task
from workbench.errors import InputError
from workbench.evaluation.measures import MEASURES
from workbench.records import ALL_POOLS
from workbench.reports.comparisons import check_measure
from workbench.reports.export.results import unseen_languages
from workbench.reports.overview import HASH, Row
from workbench.store.database import query

WORDS = re.compile(r"(?<!\de)-")
"""Between the words of a name; not within `3e-05`."""


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


LEAST_NAME = 18
"""Characters that an arm's name has, in however little room."""


def fitted_names(arms: Sequence[str], room: int) -> dict[str, str]:
    """`short_names` in at most `room` characters; what is left out of one is what does not tell it apart.

    Of the names that are too long an ellipsis stands for the words that all of them have: `hybrid…rate-3e-05…`. Where
    that does not do, they keep their beginning and the hash at their end.
    """
    names = short_names(arms)
    long = {arm: WORDS.split(name) for arm, name in names.items() if len(name) > room}
    ends = {arm: f"{names[arm][: room - 7]}…{arm[-6:]}" for arm in long}
    return {**names, **(without_shared(long, room) or ends)}


def without_shared(names: Mapping[str, Sequence[str]], room: int) -> dict[str, str]:
    """By arm as few of its name's words as tell it from the others; nothing where that takes more than `room`."""
    if len(names) < 2:
        return {}
    shared = set.intersection(*map(set, names.values()))
    for number in range(1, max(map(len, names.values()))):
        for before in (1, 0):
            found = {arm: in_part(words, shared, number, before) for arm, words in names.items()}
            if len(set(found.values())) == len(found) and max(map(len, found.values())) <= room:
                return found
    return {}


def in_part(words: Sequence[str], shared: Collection[str], number: int, before: int) -> str:
    """The first word and the first so many that are not shared, each with as many before it."""
    own = [place for place, word in enumerate(words) if word not in shared][:number]
    kept = sorted({0, *(max(0, place - back) for place in own for back in range(before + 1))})
    text = words[0]
    for last, place in pairwise(kept):
        text += ("-" if place == last + 1 else "…") + words[place]
    return text + "…" * (kept[-1] + 1 < len(words))


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
