"""How even an arm is over language pairs: spread, worst pairs, kinds of pairs, seen against unseen in training."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from workbench.analysis.evenness import spread, within, worst_tenth
from workbench.analysis.figures import Drawn, Figure, means, statistic
from workbench.analysis.languages import family, script
from workbench.analysis.samples import Cell, Group, Sample, Values, group_of
from workbench.analysis.stored import Unit, load_sample
from workbench.errors import InputError
from workbench.records import Setting
from workbench.store.database import query

TENTH = 10
"""The worst one in so many cells."""


@dataclass(frozen=True)
class RobustnessFigure:
    """A figure of an arm over some of its cells."""

    arm: str
    task: str
    measure: str
    figure_name: str
    """mean, spread, worst pair, worst tenth, script, family, training."""
    setting: Setting
    group: str
    """Of which cells: `de > zh`, `Latn > Hani`, `query unseen`; empty for all of the setting."""
    figure: Figure
    cells: int


def robustness(
    store: Path, arms: Sequence[str], *, task: str | None = None, measure: str = "map", unit: Unit = "paragraph"
) -> list[RobustnessFigure]:
    """Every figure of some arms on the task that they have in common; a higher `measure` must be better.

    Languages that the task leaves out of its means are left out here too.

    Raises
    ------
    InputError
        As `load_sample` does; and no cross-lingual cell is left.
    """
    if measure.startswith("rank_distance"):
        raise InputError("measure 'rank_distance': robustness needs one that is better where it is higher, such as map")
    sample = load_sample(store, arms, measure, task=task, unit=unit)
    left_out = left_out_of(store, arms, sample.task)
    seen = trained_languages(store, arms)
    rows = []
    for arm in sample.arms:
        for name, setting, group, figure, cells in arm_figures(sample, arm.values, left_out, seen[arm.arm]):
            rows.append(RobustnessFigure(arm.arm, sample.task, measure, name, setting, group, figure, cells))
    return rows


Named = tuple[str, Setting, str, Figure, int]


def arm_figures(sample: Sample, values: Values, left_out: Collection[str], seen: Collection[str]) -> Iterator[Named]:
    """Of values [rows, seeds]."""
    counted = [not {cell.query_language, cell.pool_language} & {*left_out} for cell in sample.cells]
    pairs = [cell.setting == "cross_lingual" and is_in for cell, is_in in zip(sample.cells, counted, strict=True)]
    if not any(pairs):
        raise InputError(f"{sample.task}: it has no cross-lingual cells, so no language pairs to compare")
    chosen = np.flatnonzero(pairs)
    number = len(chosen)
    yield "mean", "cross_lingual", "", *group_figure(sample, values, pairs)
    if number > 1:
        yield "spread", "cross_lingual", "", evenness(spread, sample, values, pairs, 0), number
    # chosen by the same questions, so a little too low; the worst tenth is not
    worst = chosen[np.argmin(sample.means(values.mean(axis=1))[chosen])]
    only = np.arange(len(sample.cells)) == worst
    yield "worst pair", "cross_lingual", pair(sample.cells[worst], str), *group_figure(sample, values, only.tolist())
    if number >= TENTH:
        tenth = evenness(worst_tenth, sample, values, pairs, -np.inf)
        yield "worst tenth", "cross_lingual", "", tenth, max(1, round(number / TENTH))
    for name, kind in (("script", script), ("family", family)):
        for group in dict.fromkeys(pair(sample.cells[place], kind) for place in chosen):
            of_kind = [is_in and pair(cell, kind) == group for is_in, cell in zip(pairs, sample.cells, strict=True)]
            yield name, "cross_lingual", group, *group_figure(sample, values, of_kind)
    if seen:
        yield from training_figures(sample, values, counted, seen)


def training_figures(sample: Sample, values: Values, counted: Sequence[bool], seen: Collection[str]) -> Iterator[Named]:
    """Languages of the training pairs against others."""
    kinds = [(cell.setting, training_kind(cell, seen)) for cell in sample.cells]
    for setting, kind in dict.fromkeys(one for one, is_in in zip(kinds, counted, strict=True) if is_in):
        if setting != "multilingual":
            of_kind = [one == (setting, kind) and is_in for one, is_in in zip(kinds, counted, strict=True)]
            yield "training", setting, kind, *group_figure(sample, values, of_kind)


def training_kind(cell: Cell, seen: Collection[str]) -> str:
    query_seen, passage_seen = cell.query_language in seen, cell.pool_language in seen
    if query_seen == passage_seen:
        return "seen" if query_seen else "unseen"
    return "passage unseen" if query_seen else "query unseen"


def pair(cell: Cell, kind: Callable[[str], str]) -> str:
    """Query and passage language, or what `kind` says of them."""
    return f"{kind(cell.query_language)} > {kind(cell.pool_language)}"


def group_figure(sample: Sample, values: Values, chosen: Sequence[bool]) -> tuple[Figure, int]:
    group: Group = group_of("", sample, chosen)
    return means(sample, values, [group])[0], int(sum(chosen))


def evenness(
    of: Callable[[Sample, Values, Drawn], Values], sample: Sample, values: Values, chosen: Sequence[bool], least: float
) -> Figure:
    """A statistic over the means of some cells, of values [rows, seeds], averaged over seeds."""
    part, keep = within(sample, chosen), np.asarray(chosen)[sample.cell]
    return statistic([partial(of, part, column) for column in values[keep].T], len(part.units), least=least)


def trained_languages(store: Path, arms: Sequence[str]) -> dict[str, set[str]]:
    """By arm the languages of the queries and passages that any run of it was trained on; empty = untrained."""
    found: dict[str, set[str]] = {arm: set() for arm in arms}
    rows = query(
        store,
        """
        select distinct arm, unnest([query_language, passage_language]) as language
        from sampled_pairs join runs using (run_id)
        where list_contains($arms, arm) and pairs > 0 and state = 'finished'
        """,
        {"arms": list(arms)},
    ).rows
    for arm, language in rows:
        found[arm].add(language)
    return found


def left_out_of(store: Path, arms: Sequence[str], task: str) -> list[str]:
    """Languages whose cells do not count in a task's means."""
    rows = query(
        store,
        """
        select distinct unnest(try_cast(options -> 'leave_out' as varchar[])) as language
        from tasks semi join (select task_id from setting_measures where list_contains($arms, arm) and task = $task)
        using (task_id) where task = $task order by 1
        """,
        {"arms": list(arms), "task": task},
    ).rows
    return [language for (language,) in rows]
