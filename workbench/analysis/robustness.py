"""How even an arm is over language pairs: spread, worst pairs, kinds of pairs, seen against unseen in training."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from workbench.analysis.evenness import spread, within, worst_tenth
from workbench.analysis.figures import Drawn, Figure, Second, means, statistic
from workbench.analysis.languages import family, script
from workbench.analysis.samples import Cell, Sample, Values, group_of
from workbench.analysis.stored import Unit, common_task, left_out, load_sample
from workbench.errors import InputError
from workbench.records import Setting
from workbench.store.database import query

TENTH = 10
"""The worst one in so many cells."""


@dataclass(frozen=True)
class RobustnessFigure:
    """A figure of an arm over some of its cells, or its difference from another arm's."""

    arm: str
    against: str | None
    """The arm whose figure is taken off; None = the arm's own figure."""
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

    First those of each arm, then the differences of each further arm from the first: without the worst pair, which is
    another one for each arm, and by training only where both were trained on the same languages. Languages that the
    task leaves out of its means are left out here too.

    Raises
    ------
    InputError
        As `load_sample` does; and no cross-lingual cell is left.
    """
    if measure.startswith("rank_distance"):
        raise InputError("measure 'rank_distance': robustness needs one that is better where it is higher, such as map")
    sample = load_sample(store, arms, measure, task=task, unit=unit)
    dropped = left_out(store, common_task(store, arms, sample.task)[1])
    seen = trained_languages(store, arms)
    first, *others = sample.arms
    rows = []
    for arm, against in [*((arm, None) for arm in sample.arms), *((arm, first) for arm in others)]:
        values, second, languages = arm.values, None, seen[arm.arm]
        if against:
            values = np.hstack([values, against.values])
            second = Second(against.arm, len(against.seeds), arm.seeds == against.seeds)
            languages = languages if languages == seen[against.arm] else set()
        for name, setting, group, figure, cells in arm_figures(sample, values, dropped, languages, second):
            names = arm.arm, second.arm if second else None, sample.task, measure
            rows.append(RobustnessFigure(*names, name, setting, group, figure, cells))
    return rows


Named = tuple[str, Setting, str, Figure, int]
Chosen = tuple[str, Setting, str, list[bool]]
"""(name, setting, group) of a figure that is a mean, and its cells."""


def arm_figures(
    sample: Sample, values: Values, dropped: Collection[str], seen: Collection[str], second: Second | None = None
) -> Iterator[Named]:
    """Of values [rows, runs] of one arm, or of two."""
    counted = [not {cell.query_language, cell.pool_language} & {*dropped} for cell in sample.cells]
    pairs = [cell.setting == "cross_lingual" and is_in for cell, is_in in zip(sample.cells, counted, strict=True)]
    if not any(pairs):
        raise InputError(f"{sample.task}: it has no cross-lingual cells, so no language pairs to compare")
    number = sum(pairs)
    first: list[Chosen] = [("mean", "cross_lingual", "", pairs)]
    if second is None:
        first.append(worst_pair(sample, values, pairs))
    kinds = list(kind_groups(sample, pairs))
    trained = list(training_groups(sample, counted, seen)) if seen else []
    of_means = iter(mean_figures(sample, values, second, [*first, *kinds, *trained]))
    yield next(of_means)
    if number > 1:
        yield "spread", "cross_lingual", "", evenness(spread, sample, values, second, pairs, 0), number
    if second is None:
        yield next(of_means)
    if number >= TENTH:
        tenth = evenness(worst_tenth, sample, values, second, pairs, -np.inf)
        yield "worst tenth", "cross_lingual", "", tenth, max(1, round(number / TENTH))
    yield from of_means


def mean_figures(sample: Sample, values: Values, second: Second | None, chosen: Sequence[Chosen]) -> Iterator[Named]:
    """The means over some cells each, worked out together."""
    groups = [group_of("", sample, cells) for *_, cells in chosen]
    for (name, setting, group, cells), figure in zip(chosen, means(sample, values, groups, second), strict=True):
        yield name, setting, group, figure, sum(cells)


def worst_pair(sample: Sample, values: Values, pairs: Sequence[bool]) -> Chosen:
    """Chosen by the same questions, so a little too low; the worst tenth is not."""
    worst = int(np.argmin(np.where(pairs, sample.means(values.mean(axis=1)), np.inf)))
    return "worst pair", "cross_lingual", pair(sample.cells[worst], str), [n == worst for n in range(len(pairs))]


def kind_groups(sample: Sample, pairs: Sequence[bool]) -> Iterator[Chosen]:
    """The language pairs by script and by family."""
    for name, kind in (("script", script), ("family", family)):
        of_cells = [pair(cell, kind) if is_in else None for is_in, cell in zip(pairs, sample.cells, strict=True)]
        for group in dict.fromkeys(of_cells):
            if group is not None:
                yield name, "cross_lingual", group, [of == group for of in of_cells]


def training_groups(sample: Sample, counted: Sequence[bool], seen: Collection[str]) -> Iterator[Chosen]:
    """Languages of the training pairs against others."""
    kinds = [(cell.setting, training_kind(cell, seen)) for cell in sample.cells]
    for setting, kind in dict.fromkeys(one for one, is_in in zip(kinds, counted, strict=True) if is_in):
        if setting != "multilingual":
            of_kind = [one == (setting, kind) and is_in for one, is_in in zip(kinds, counted, strict=True)]
            yield "training", setting, kind, of_kind


def training_kind(cell: Cell, seen: Collection[str]) -> str:
    query_seen, passage_seen = cell.query_language in seen, cell.pool_language in seen
    if query_seen == passage_seen:
        return "seen" if query_seen else "unseen"
    return "passage unseen" if query_seen else "query unseen"


def pair(cell: Cell, kind: Callable[[str], str]) -> str:
    """Query and passage language, or what `kind` says of them."""
    return f"{kind(cell.query_language)} > {kind(cell.pool_language)}"


def evenness(
    of: Callable[[Sample, Values, Drawn], Values],
    sample: Sample,
    values: Values,
    second: Second | None,
    chosen: Sequence[bool],
    least: float,
) -> Figure:
    """A statistic over the means of some cells, of values [rows, runs], averaged over an arm's runs."""
    part, keep = within(sample, chosen), np.asarray(chosen)[sample.cell]
    by_run = [partial(of, part, column) for column in values[keep].T]
    return statistic(by_run, len(part.units), used=len(np.unique(part.unit)), second=second, least=least)


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
