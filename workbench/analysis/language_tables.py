"""Means over pairs of languages of what was measured for each query: the tables that bias is shown in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.figures import Figure, Second, means
from workbench.analysis.samples import Cell, Group, Sample, Values
from workbench.analysis.stored import Unit, common_task
from workbench.records import Setting
from workbench.store.parallel import ParallelRanks, parallel_ranks

MEAN = "*"
"""In place of a language: the mean over languages."""
UNKNOWN_RANK = "undefined (a relevant passage is beyond the depth searched)"


@dataclass(frozen=True)
class BiasFigure:
    """One measure of an arm, for one query language, passage language or both; or its difference from another arm."""

    arm: str
    against: str | None
    """The arm whose figure is taken off; None = the arm's own figure."""
    task: str
    measure: str
    setting: Setting
    """Of the language cost whether it is one of monolingual or of cross-lingual cells."""
    query_language: str
    """`*` = the mean over query languages."""
    passage_language: str
    """`*` = of all languages together, or the mean over them."""
    figure: Figure | None
    """None where the measure is undefined."""
    queries: int
    note: str = ""
    """Why it is undefined."""


@dataclass(frozen=True)
class ArmRanks:
    """One arm's runs, a seed each; or these and then those of the arm that it is held against."""

    arm: str
    second: Second | None
    task: str
    ranks: ParallelRanks
    unit: NDArray[np.int32]
    """[rows] index into `units`."""
    units: tuple[str, ...]

    @cached_property
    def counted(self) -> list[int]:
        """The query languages that means are over."""
        asked = np.unique(self.ranks.query_language).tolist()
        return [place for place in asked if self.ranks.languages[place] not in self.ranks.left_out]

    @property
    def against(self) -> str | None:
        return self.second.arm if self.second else None

    def rows(self, place: int) -> NDArray[np.bool_]:
        """[rows] those of a query language."""
        return self.ranks.query_language == place

    def sample(self, cell: NDArray[np.integer], row: NDArray[np.integer], cells: int) -> Sample:
        """Values of some rows in some cells, as the statistics take them."""
        nameless = (Cell("multilingual", MEAN, MEAN),) * cells
        return Sample(self.task, "bias", nameless, self.units, cell.astype(np.int32), self.unit[row], ())


def load_ranks(
    store: Path, arms: Sequence[str], *, task: str | None = None, unit: Unit = "paragraph"
) -> list[ArmRanks]:
    """The multilingual ranks of some arms on the task that they have in common; a seed counts once, by its latest run.

    First those of each arm by itself, then each further arm held against the first.

    Raises
    ------
    InputError
        As `common_task` does; and the task has no multilingual setting.
    """
    name, task_id, runs = common_task(store, arms, task)
    first, *others = runs
    loaded = []
    for arm, against in [*((arm, None) for arm in runs), *((arm, first) for arm in others)]:
        seconds = runs[against] if against else {}
        second = Second(against, len(seconds), runs[arm].keys() == seconds.keys()) if against else None
        ranks = parallel_ranks(store, name, task_id, [*runs[arm].values(), *seconds.values()])
        names = ranks.paragraphs if unit == "paragraph" else ranks.articles
        units = tuple(sorted(set(names)))
        place = {unit_name: number for number, unit_name in enumerate(units)}
        loaded.append(ArmRanks(arm, second, name, ranks, np.array([place[n] for n in names], np.int32), units))
    return loaded


Pair = tuple[int, int]
"""Query and passage language, as indices; a passage language of `ANY` is all of them together."""
ANY = -1
Mean = tuple[Setting, str, str, list[Pair]]
"""A mean over pairs: setting, query and passage language by name, and the pairs."""
Means = Callable[[ArmRanks, list[Pair]], Iterator[Mean]]


def over_queries(data: ArmRanks, pairs: list[Pair], *, own: bool = True) -> Iterator[Mean]:
    """For each passage language the mean over query languages, perhaps without the passage's own."""
    for language in dict.fromkeys(b for _, b in pairs):
        chosen = [(a, b) for a, b in pairs if b == language and a in data.counted and (own or a != b)]
        yield "multilingual", MEAN, named(data, language), chosen


def over_settings(data: ArmRanks, pairs: list[Pair]) -> Iterator[Mean]:
    """The mean over the pairs of equal, and of different languages."""
    counted = [(a, b) for a, b in pairs if a in data.counted and data.ranks.languages[b] not in data.ranks.left_out]
    yield "monolingual", MEAN, MEAN, [(a, b) for a, b in counted if a == b]
    yield "cross_lingual", MEAN, MEAN, [(a, b) for a, b in counted if a != b]


def over_own(data: ArmRanks, pairs: list[Pair]) -> Iterator[Mean]:
    """The mean over query languages, each with passages of its own language."""
    yield "multilingual", MEAN, "own", [(a, b) for a, b in pairs if a == b and a in data.counted]


def named(data: ArmRanks, place: int) -> str:
    return MEAN if place == ANY else data.ranks.languages[place]


def tabled(
    data: ArmRanks,
    measure: str,
    values: Values,
    means_over: Sequence[Means],
    *,
    unknown: NDArray[np.bool_] | None = None,
    lacking: str = "",
    by_setting: bool = False,
) -> list[BiasFigure]:
    """The means of `values` for each pair of languages and over pairs.

    Parameters
    ----------
    values
        [rows, languages, runs], or [rows, 1, runs] of all passages together; NaN = the query does not count.
    unknown
        [rows, languages] where a value depends on a rank beyond the depth searched: such pairs, and means that they
        belong to, are undefined.
    lacking
        Why a query language may be without any value; languages of passages simply are not listed then.
    by_setting
        Whether a pair's setting is that of searching the passage language alone.
    """
    counts = np.asarray(np.isfinite(values).all(axis=2))
    lost = np.zeros_like(counts) if unknown is None else unknown
    width = values.shape[1]
    state = {
        (a, b if width > 1 else ANY): (lost[data.rows(a), b].any(), counts[data.rows(a), b].any())
        for a in np.unique(data.ranks.query_language).tolist()
        for b in range(width)
    }
    defined = [pair for pair, (is_lost, has_any) in state.items() if has_any and not is_lost]
    listed = [pair for pair, (is_lost, has_any) in state.items() if has_any or is_lost or lacking]
    wanted: list[Mean] = [one for means_of in means_over for one in means_of(data, listed)]
    wanted += [(pair_setting(pair, by_setting), named(data, pair[0]), named(data, pair[1]), [pair]) for pair in listed]
    found = iter(pair_means(data, values, counts, defined, [w for w in wanted if w[3] and {*w[3]} <= {*defined}]))
    rows = []
    for setting, query_language, passage_language, pairs in wanted:
        whole = bool(pairs) and {*pairs} <= {*defined}
        figure, queries = next(found) if whole else (None, 0)
        note = "" if whole else UNKNOWN_RANK if any(state[pair][0] for pair in pairs) else lacking
        if whole or note:
            rows.append(
                BiasFigure(
                    data.arm,
                    data.against,
                    data.task,
                    measure,
                    setting,
                    query_language,
                    passage_language,
                    figure,
                    queries,
                    note,
                )
            )
    return rows


def pair_setting(pair: Pair, by_setting: bool) -> Setting:
    if not by_setting:
        return "multilingual"
    return "monolingual" if pair[0] == pair[1] else "cross_lingual"


def pair_means(
    data: ArmRanks, values: Values, counts: NDArray[np.bool_], defined: list[Pair], wanted: Sequence[Mean]
) -> list[tuple[Figure, int]]:
    """Each wanted mean and its queries."""
    if not wanted:
        return []
    width = counts.shape[1]
    place = np.full((len(data.ranks.languages), width), -1)
    for number, (a, b) in enumerate(defined):
        place[a, b] = number  # ANY is the last and only column
    row, language = np.nonzero(counts & (place[data.ranks.query_language] >= 0))
    sample = data.sample(place[data.ranks.query_language[row], language], row, len(defined))
    chosen = np.array([[pair in pairs for pair in defined] for *_, pairs in wanted], float)
    groups = [Group("", line / line.sum()) for line in chosen]
    queries = (chosen @ sample.queries).astype(int).tolist()
    return list(zip(means(sample, values[row, language], groups, data.second), queries, strict=True))


def as_values(table: NDArray) -> Values:
    """[runs, rows, languages] with the runs last."""
    return np.moveaxis(table.astype(float), 0, -1)
