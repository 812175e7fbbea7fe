"""The bias between languages of the multilingual setting: which language a query finds its answer in.

A question has a parallel relevant passage in each language, and all languages are searched together. Means are over
the queries of a language first, then over query languages, each counting alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from workbench.analysis.figures import Drawn, kendall_w, medians, statistic
from workbench.analysis.language_tables import (
    MEAN,
    ArmRanks,
    BiasFigure,
    as_values,
    over_own,
    over_queries,
    over_settings,
    tabled,
)
from workbench.analysis.peer import PEER_DEPTHS, peer_values
from workbench.analysis.samples import Values
from workbench.store.parallel import BEYOND, ParallelRanks

NO_PARALLELS = "undefined (no query has relevant passages in two languages)"
NOT_COMPLETE = "undefined (no query has relevant passages in all languages)"


def bias_figures(data: ArmRanks) -> list[BiasFigure]:
    """Every measure of bias of one arm, or its difference from a second one's.

    Each for all languages together, by query language, by passage language.
    """
    return [
        *distances(data),
        *own_first(data),
        *concordance(data),
        *shares(data),
        *passage_ranks(data),
        *language_cost(data),
        *peer(data),
    ]


def distances(data: ArmRanks) -> list[BiasFigure]:
    """Rank distance: largest minus smallest rank of the parallel relevants; mean, median, mean over the pool's size."""
    ranks = data.ranks
    values, beyond = distance_values(ranks)
    pool = int(ranks.pool_sizes.sum())
    made = partial(tabled, data, means_over=[over_queries], unknown=beyond[:, None], lacking=NO_PARALLELS)
    raw = made("rank_distance", values=values[:, None])
    relative = made("rank_distance_relative", values=values[:, None] / pool)
    return [*raw, *median_distances(data, values, raw), *relative]


def distance_values(ranks: ParallelRanks) -> tuple[Values, NDArray[np.bool_]]:
    """[rows, runs] distances, NaN with fewer than two relevants; [rows] whether a rank is beyond the depth."""
    run, row, _, rank = ranks.listed.T
    shape = len(ranks.run_ids), len(ranks.query_language)
    highest, lowest = np.full(shape, BEYOND), np.full(shape, np.iinfo(np.int32).max)
    np.maximum.at(highest, (run, row), rank)
    np.minimum.at(lowest, (run, row), rank)
    parallel = ranks.relevants.sum(axis=1) > 1
    beyond = (lowest == BEYOND).any(axis=0) & parallel
    return np.where(parallel & ~beyond, highest - lowest, np.nan).T, beyond


def median_distances(data: ArmRanks, values: Values, raw: Sequence[BiasFigure]) -> list[BiasFigure]:
    """The medians where the means are defined."""
    found = []
    for row in raw:
        languages = data.counted if row.query_language == MEAN else [data.ranks.languages.index(row.query_language)]
        figure = None
        if row.figure:
            by_run = [partial(mean_of_medians, data, column, languages) for column in values.T]
            counted = np.isin(data.ranks.query_language, languages) & np.isfinite(values).all(axis=1)
            used = len(np.unique(data.unit[counted]))
            figure = statistic(by_run, len(data.units), used=used, second=data.second, least=0)
        found.append(replace(row, measure="rank_distance_median", figure=figure))
    return found


def mean_of_medians(data: ArmRanks, values: Values, languages: Sequence[int], times: Drawn) -> Values:
    """[draws] the median of each query language, and their mean."""
    masks = [data.rows(place) & np.isfinite(values) for place in languages]
    return np.asarray(np.mean([medians(values[mask], data.unit[mask], times) for mask in masks], axis=0))


def own_first(data: ArmRanks) -> list[BiasFigure]:
    """How often the relevant in the query's own language is the best-ranked of the parallel ones."""
    ranks = data.ranks
    own = ranks.query_language[:, None] == np.arange(len(ranks.languages))
    counts = (ranks.relevants[own] > 0) & (ranks.relevants.sum(axis=1) > 1)
    first = (ranks.above == 0) & (ranks.merged > 0)
    values = np.where(counts[:, None], first[:, own].T, np.nan)
    return tabled(data, "own_language_first", values[:, None], [over_queries], lacking=NO_PARALLELS)


def shares(data: ArmRanks) -> list[BiasFigure]:
    """Share of each language in the first passages, and the same divided by its share of the pool."""
    rows = []
    pool = data.ranks.pool_sizes / max(1, data.ranks.pool_sizes.sum())
    for depth, table in data.ranks.shares.items():
        values = as_values(np.where(pool > 0, table, np.nan))
        relative = values / np.where(pool > 0, pool, np.nan)[:, None]
        rows += tabled(data, f"language_share@{depth}", values, [over_queries, over_own])
        rows += tabled(data, f"language_share_relative@{depth}", relative, [over_queries, over_own])
    return rows


def passage_ranks(data: ArmRanks) -> list[BiasFigure]:
    """Mean rank by passage language, and mean single-target rank; means over query languages without the own one."""
    without_own = partial(over_queries, own=False)
    rows = []
    for measure, table in (("mean_rank", data.ranks.merged), ("single_target_rank", data.ranks.single_target)):
        unknown = (table == BEYOND).any(axis=0)
        values = as_values(np.where(table > 0, table, np.nan))
        rows += tabled(data, measure, values, [without_own], unknown=unknown)
    return rows


def language_cost(data: ArmRanks) -> list[BiasFigure]:
    """What it costs that the other languages are searched too.

    MRR of a language's passages in their own pool minus their single-target MRR in the pool of all; a rank beyond the
    depth counts as 0.
    """
    one, merged = (
        as_values(np.where(table > 0, 1 / np.maximum(table, 1), 0))
        for table in (data.ranks.alone, data.ranks.single_target)
    )
    measured = np.asarray(((data.ranks.alone >= 0) & (data.ranks.merged >= 0)).all(axis=0))[..., None]
    single_mrr = np.where(data.ranks.relevants[..., None] > 0, merged, np.nan)
    cost = np.where(measured, one - merged, np.nan)
    return [
        *tabled(data, "single_target_mrr", single_mrr, [over_settings], by_setting=True),
        *tabled(data, "language_cost", cost, [over_settings], by_setting=True),
    ]


def concordance(data: ArmRanks) -> list[BiasFigure]:
    """Kendall's W: how much the queries of a language agree on which other language is ranked above which.

    A query ranks the languages by the best rank of their relevants, its own language left out; queries without a
    relevant in each other language are not counted, and ranks beyond the depth tie for the last.
    """
    ranks = data.ranks
    parts: dict[int, list[Callable[[Drawn], Values]]] = {}
    rows_of = {}
    for place in np.unique(ranks.query_language).tolist():
        others = [b for b in range(len(ranks.languages)) if b != place and ranks.pool_sizes[b] > 0]
        rows = data.rows(place) & (ranks.relevants[:, others] > 0).all(axis=1)
        rows_of[place] = rows & (len(others) > 1)
        if rows_of[place].any():
            parts[place] = [
                concordance_of(table[rows][:, others], data.unit[rows], len(data.units)) for table in ranks.merged
            ]
    found = []
    for language, places in [(MEAN, data.counted), *((ranks.languages[place], [place]) for place in rows_of)]:
        rows = np.isin(ranks.query_language, places) & np.any(list(rows_of.values()), axis=0)
        found.append(concordance_row(data, language, [parts[place] for place in places if place in parts], rows))
    return found


def concordance_of(table: NDArray[np.integer], unit: NDArray[np.integer], units: int) -> Callable[[Drawn], Values]:
    """Kendall's W of ranks [queries, languages] as a function of how often each unit is drawn."""
    placed = rankdata(np.where(table > 0, table, np.iinfo(np.int32).max), axis=1)
    sums = np.zeros((units, table.shape[1]))
    np.add.at(sums, unit, placed)
    sizes = (placed[:, :, None] == placed[:, None, :]).sum(axis=2)  # of the group that each rank ties in
    ties = np.bincount(unit, (sizes**2 - 1).sum(axis=1), units)
    queries = np.bincount(unit, minlength=units)
    return partial(kendall_w, sums, ties.astype(float), queries.astype(float))


def concordance_row(
    data: ArmRanks, language: str, parts: Sequence[Sequence[Callable[[Drawn], Values]]], rows: NDArray[np.bool_]
) -> BiasFigure:
    """The mean over query languages, `parts` [languages][runs], `rows` those that these depend on."""
    figure = None
    if parts:
        by_run = [partial(mean_of, of_run) for of_run in zip(*parts, strict=True)]
        used = len(np.unique(data.unit[rows]))
        figure = statistic(by_run, len(data.units), used=used, second=data.second, least=0, most=1)
    names = data.arm, data.against, data.task, "kendall_w"
    note = "" if figure else NOT_COMPLETE
    return BiasFigure(*names, "multilingual", language, MEAN, figure, int(rows.sum()), note)


def mean_of(parts: Sequence[Callable[[Drawn], Values]], times: Drawn) -> Values:
    return np.asarray(np.mean([part(times) for part in parts], axis=0))


def peer(data: ArmRanks) -> list[BiasFigure]:
    """PEER@k over the queries that it is defined for."""
    rows = []
    for depth in PEER_DEPTHS:
        values, why = peer_values(data.ranks, depth)
        rows += tabled(data, f"peer@{depth}", values[:, None], [over_queries], lacking=why)
    return rows
