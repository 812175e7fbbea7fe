"""Measures: ranks of the relevant passages in, numbers out. numpy alone.

Names and definitions are trec_eval's where it has the measure: `map` and `map@20` divide by all relevants, `ndcg@10`
has linear gain. A relevant beyond the depth searched counts as not found but stays in every denominator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.evaluation.results import SHARE_DEPTHS, Rankings, RetrievedLanguages, run_starts
from workbench.records import SETTINGS, Setting

Values = NDArray[np.float64]

RETRIEVAL = ("map", "map@20", "recall@1", "recall@10", "recall@100", "mrr", "ndcg@10")
"""Measured in every cell."""
FORMS = ("map", "map@k", "mrr", "recall@k", "ndcg@k", "rank_distance")
"""What has a value of each query."""
PARALLEL = ("rank_distance", "rank_distance_median", "rank_distance_relative", "own_language_first")
"""Measured in multilingual cells, over the queries with relevants in two languages or more."""
MEASURES = RETRIEVAL + PARALLEL


@dataclass(frozen=True)
class Measurements:
    """One row a (cell, measure): sorted by cell, then in the order of `MEASURES`."""

    languages: tuple[str, ...]
    setting: NDArray[np.int8]
    """[rows] index into `records.SETTINGS`."""
    query_language: NDArray[np.int16]
    """[rows] index into `languages`."""
    pool_language: NDArray[np.int16]
    """[rows] index into `languages`, their number for all of them together."""
    measure: NDArray[np.int16]
    """[rows] index into `MEASURES`."""
    value: Values
    """[rows] mean over the queries (`rank_distance_median`: their median)."""
    queries: NDArray[np.int32]
    """[rows] queries that the value is over."""


@dataclass(frozen=True)
class SettingMean:
    """The unweighted mean of a measure over the cells of a setting."""

    setting: Setting
    measure: str
    value: float
    cells: int


@dataclass(frozen=True)
class RankedRelevants:
    """The relevants of each query side by side, the best rank first, those beyond the depth last."""

    starts: NDArray[np.int64]
    """[queries] first row of each."""
    ranks: NDArray[np.int64]
    """[rows] 0 = beyond the depth."""
    relevances: NDArray[np.int64]
    """[rows]"""

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """[queries] relevants of each."""
        return np.diff(self.starts, append=len(self.ranks))

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """[rows] 1 for a query's first row, 2 for its second."""
        return np.arange(1, len(self.ranks) + 1) - np.repeat(self.starts, self.sizes)

    def within(self, depth: int | None) -> NDArray[np.bool_]:
        """[rows] whether the relevant is found, at `depth` or above."""
        return (self.ranks > 0) & (self.ranks <= (depth or np.iinfo(np.int64).max))

    def sums(self, values: NDArray) -> NDArray:
        """[queries] sums of a value of each row."""
        return np.add.reduceat(values, self.starts) if len(self.starts) else values[:0]


def ranked_relevants(query_of_row: NDArray, ranks: NDArray, relevances: NDArray) -> RankedRelevants:
    query, rank = query_of_row.astype(np.int64), ranks.astype(np.int64)
    last = np.where(rank > 0, rank, np.iinfo(np.int64).max)
    rises = (query[1:] > query[:-1]) | ((query[1:] == query[:-1]) & (last[1:] >= last[:-1]))
    order = slice(None) if rises.all() else np.lexsort((last, query))
    return RankedRelevants(run_starts(query[order]), rank[order], relevances.astype(np.int64)[order])


def average_precision(data: RankedRelevants, depth: int | None) -> Values:
    found = data.within(depth)
    precision = np.divide(data.places, data.ranks, out=np.zeros(len(found)), where=found)
    return data.sums(precision) / data.sizes


def recall(data: RankedRelevants, depth: int | None) -> Values:
    return data.sums(data.within(depth).astype(np.float64)) / data.sizes


def reciprocal_rank(data: RankedRelevants, depth: int | None) -> Values:
    best, found = data.ranks[data.starts], data.within(depth)[data.starts]
    return np.divide(1, best, out=np.zeros(len(best)), where=found)


def ndcg(data: RankedRelevants, depth: int | None) -> Values:
    """Linear gain over log2(rank + 1), divided by what the same relevants give in the order of their grades."""
    found = data.within(depth)
    gains = data.relevances * found / np.log2(np.where(found, data.ranks, 1) + 1)
    query = np.repeat(np.arange(len(data.starts)), data.sizes)
    ideal = data.relevances[np.lexsort((-data.relevances, query))]
    ideal_gains = ideal * (data.places <= (depth or len(ideal))) / np.log2(data.places + 1)
    return data.sums(gains) / data.sums(ideal_gains)


def rank_distance(data: RankedRelevants, depth: int | None) -> Values:
    """The largest minus the smallest rank; NaN with fewer than two relevants or one of them beyond the depth."""
    del depth
    last = data.ranks[data.starts + data.sizes - 1]
    return np.where((data.sizes > 1) & (last > 0), last - data.ranks[data.starts], np.nan)


SCORES: dict[str, Callable[[RankedRelevants, int | None], Values]] = {
    "map": average_precision,
    "recall": recall,
    "mrr": reciprocal_rank,
    "ndcg": ndcg,
    "rank_distance": rank_distance,
}


def score(measure: str, data: RankedRelevants) -> Values:
    name, _, depth = measure.partition("@")
    if not is_scored(measure):
        what = "it has no value per query" if measure in MEASURES else "no such measure"
        raise InputError(f"measure {measure!r}: {what}; allowed: {', '.join(FORMS)}{meant(measure)}")
    return SCORES[name](data, int(depth) if depth else None)


def is_scored(measure: str) -> bool:
    """Whether a query has a value of it."""
    name, at, depth = measure.partition("@")
    if not at:
        return name in SCORES and name != "recall"
    return name in SCORES and name != "rank_distance" and depth.isdecimal() and int(depth) > 0


def meant(measure: str) -> str:
    """A hint at the measure that may be meant by the name of none: `R@1` is recall@1 elsewhere."""
    if measure in MEASURES:
        return ""
    name, at, depth = measure.lower().partition("@")
    near = get_close_matches({"r": "recall", "ap": "map", "rr": "mrr"}.get(name, name), SCORES, n=1)
    whole = [one for word in near for one in (f"{word}{at}{depth}", word, f"{word}@10") if is_scored(one)]
    return f"; did you mean {whole[0]!r}?" if whole else ""


def per_query(measure: str, query_of_row: NDArray, ranks: NDArray, relevances: NDArray) -> Values:
    """[distinct queries, ascending] the value of `map`, `mrr`, `rank_distance`, `recall@k`, `ndcg@k` or `map@k`.

    Parameters
    ----------
    query_of_row
        [rows] any integer that names the query (and cell) of each relevant; rows may stand in any order.
    ranks
        [rows] 1-based, 0 = beyond the depth searched.
    relevances
        [rows] grades, at least 1.

    Returns
    -------
    float64; `rank_distance` is NaN for a query with fewer than two relevants or with one beyond the depth.

    Raises
    ------
    InputError
        No such measure.
    """
    return score(measure, ranked_relevants(query_of_row, ranks, relevances))


def measure_cells(rankings: Rankings) -> Measurements:
    """Every measure of every cell; a rank distance is left out where a relevant is beyond the depth."""
    starts, cell_starts = rankings.query_starts, rankings.cell_starts
    data = RankedRelevants(starts, rankings.rank.astype(np.int64), rankings.relevance.astype(np.int64))
    first = np.searchsorted(starts, cell_starts)
    queries = np.diff(first, append=len(starts))
    cells, everywhere = np.arange(len(first)), len(RETRIEVAL)
    values = [np.add.reduceat(score(m, data), first) / queries if len(first) else first for m in RETRIEVAL]
    parallel = parallel_measures(rankings, data, first, queries)
    cell = np.concatenate([np.tile(cells, everywhere), [c for c, *_ in parallel]]).astype(np.int64)
    measure = np.concatenate([np.repeat(np.arange(everywhere), len(cells)), [m for _, m, *_ in parallel]])
    order = np.lexsort((measure, cell))
    row = cell_starts[cell[order]]
    return Measurements(
        languages=rankings.languages,
        setting=rankings.setting[row],
        query_language=rankings.query_language[row],
        pool_language=rankings.pool_language[row],
        measure=measure[order].astype(np.int16),
        value=np.concatenate([*values, [v for _, _, v, _ in parallel]])[order].astype(np.float64),
        queries=np.concatenate([np.tile(queries, everywhere), [n for *_, n in parallel]])[order].astype(np.int32),
    )


def parallel_measures(
    rankings: Rankings, data: RankedRelevants, first: NDArray[np.int64], queries: NDArray[np.int64]
) -> list[tuple[int, int, float, int]]:
    """(cell, measure, value, queries) of the measures that exist in multilingual cells alone."""
    found: list[tuple[int, int, float, int]] = []
    distance, own_first = score("rank_distance", data), own_language_first(rankings, data)
    parallel = in_several_languages(rankings, data)
    multilingual = rankings.setting[data.starts[first]] == SETTINGS.index("multilingual")
    for cell in np.flatnonzero(multilingual):
        of_cell = slice(first[cell], first[cell] + queries[cell])
        figures = distance_figures(distance[of_cell][parallel[of_cell]], int(rankings.pool_sizes[-1]))
        own = own_first[of_cell][~np.isnan(own_first[of_cell])]
        if len(own):
            figures["own_language_first"] = (float(own.mean()), len(own))
        found += [(int(cell), MEASURES.index(m), value, n) for m, (value, n) in figures.items()]
    return found


def distance_figures(distances: Values, pool: int) -> dict[str, tuple[float, int]]:
    """The rank distance measures of one cell, each with its queries; none where a distance is unknown."""
    if not len(distances) or np.isnan(distances).any():
        return {}
    mean, n = float(distances.mean()), len(distances)
    return {
        "rank_distance": (mean, n),
        "rank_distance_median": (float(np.median(distances)), n),
        "rank_distance_relative": (mean / pool, n),
    }


def own_language_first(rankings: Rankings, data: RankedRelevants) -> Values:
    """[(cell, query) pairs] 1 where the best-ranked relevant is in the query's language, else 0.

    NaN where no relevant is in that language, or none in another.
    """
    own = rankings.passage_language == rankings.query_language
    best = own[data.starts] & (data.ranks[data.starts] > 0)
    counts = (data.sums(own.astype(np.int64)) > 0) & in_several_languages(rankings, data)
    return np.where(counts, best.astype(np.float64), np.nan)


def in_several_languages(rankings: Rankings, data: RankedRelevants) -> NDArray[np.bool_]:
    """[(cell, query) pairs] whether the relevants are in two languages or more: parallel, and not just several."""
    first = np.repeat(rankings.passage_language[data.starts], data.sizes)
    return data.sums((rankings.passage_language != first).astype(np.int64)) > 0


def setting_means(measurements: Measurements) -> list[SettingMean]:
    """The unweighted mean over a setting's cells of every measure that they have."""
    means = []
    for code, setting in enumerate(SETTINGS):
        for number, measure in enumerate(MEASURES):
            values = measurements.value[(measurements.setting == code) & (measurements.measure == number)]
            if len(values):
                means.append(SettingMean(setting, measure, float(values.mean()), len(values)))
    return means


@dataclass(frozen=True)
class LanguageShares:
    """The languages of the first passages that queries of each language retrieve from the multilingual pool."""

    depths: tuple[int, ...]
    share: Values
    """[depths, query languages, passage languages] mean share of the first passages; NaN without queries."""
    relative: Values
    """Likewise, divided by the passage language's share of the pool: 1 = as by chance."""


def language_shares(retrieved: RetrievedLanguages, pool_sizes: NDArray[np.int64]) -> LanguageShares:
    """Shares from counts; `pool_sizes` [languages + 1] as in `Rankings`."""
    languages = len(pool_sizes) - 1
    counts = np.zeros((len(SHARE_DEPTHS), languages, languages))
    depth = np.searchsorted(SHARE_DEPTHS, retrieved.depth)
    np.add.at(counts, (depth, retrieved.query_language, retrieved.passage_language), retrieved.passages)
    # every query retrieves as many passages, so the ratio of the sums is the mean of the shares
    share = divided(counts, counts.sum(axis=-1, keepdims=True))
    return LanguageShares(SHARE_DEPTHS, share, divided(share, pool_sizes[:-1] / pool_sizes[-1]))


def divided(numerator: NDArray, denominator: NDArray) -> Values:
    """Their quotient, NaN where there is nothing to divide by."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)
