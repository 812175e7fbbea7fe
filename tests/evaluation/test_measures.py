from dataclasses import replace
from math import log2

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tests.evaluation.made import Sizes, made_task, ranked_pools
from workbench.errors import InputError
from workbench.evaluation.measures import (
    MEASURES,
    RETRIEVAL,
    Measurements,
    SettingMean,
    language_shares,
    measure_cells,
    per_query,
    setting_means,
)
from workbench.evaluation.ranking import rank_task
from workbench.evaluation.results import Rankings, RetrievedLanguages
from workbench.records import ALL_POOLS, SETTINGS

THEIRS = dict(zip(RETRIEVAL, ("AP", "AP@20", "R@1", "R@10", "R@100", "RR", "nDCG@10"), strict=True))
"""ir_measures' names."""


def made_rankings(rows: list[tuple[str, str, str, int, str, int, int]], pool_sizes: list[int]) -> Rankings:
    """From (setting, query language, pool language, question, passage language, relevance, rank), in their order."""
    languages = ("de", "en", "th")
    pools = (*languages, ALL_POOLS)
    setting, query_language, pool_language, question, passage_language, relevance, rank = zip(*rows, strict=True)
    return Rankings(
        languages=languages,
        pool_sizes=np.array(pool_sizes),
        setting=np.array([SETTINGS.index(s) for s in setting], np.int8),
        query_language=np.array([languages.index(a) for a in query_language], np.int16),
        pool_language=np.array([pools.index(b) for b in pool_language], np.int16),
        query=np.array(question, np.int32),
        candidate=np.arange(len(rows), dtype=np.int32),
        passage_language=np.array([languages.index(b) for b in passage_language], np.int16),
        relevance=np.array(relevance, np.int16),
        rank=np.array(rank, np.int32),
    )


def figures(measurements: Measurements) -> dict[tuple[str, str, str, str], tuple[float, int]]:
    """(setting, query language, pool language, measure): its value and queries."""
    m, pools = measurements, (*measurements.languages, ALL_POOLS)
    return {
        (SETTINGS[s], pools[a], pools[b], MEASURES[k]): (float(v), int(n))
        for s, a, b, k, v, n in zip(
            m.setting, m.query_language, m.pool_language, m.measure, m.value, m.queries, strict=True
        )
    }


# relevants of three queries: at ranks 1, 3, 25 and beyond the depth; at rank 4; beyond the depth
QUERY = np.array([7, 7, 7, 7, 8, 9])
RANK = np.array([1, 3, 25, 0, 4, 0])
GRADE = np.array([2, 1, 3, 1, 1, 1])
# the first query's grades in the best order are 3, 2, 1, 1
IDEAL = 3 / log2(2) + 2 / log2(3) + 1 / log2(4) + 1 / log2(5)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("map", [(1 / 1 + 2 / 3 + 3 / 25) / 4, 1 / 4, 0]),
        ("map@20", [(1 / 1 + 2 / 3) / 4, 1 / 4, 0]),
        ("recall@1", [1 / 4, 0, 0]),
        ("recall@10", [2 / 4, 1, 0]),
        ("recall@100", [3 / 4, 1, 0]),
        ("mrr", [1, 1 / 4, 0]),
        ("ndcg@10", [(2 / log2(2) + 1 / log2(4)) / IDEAL, 1 / log2(5), 0]),
        ("ndcg", [(2 / log2(2) + 1 / log2(4) + 3 / log2(26)) / IDEAL, 1 / log2(5), 0]),
        ("rank_distance", [np.nan, np.nan, np.nan]),
    ],
)
def test_values_worked_by_hand(measure: str, expected: list[float]) -> None:
    assert_allclose(per_query(measure, QUERY, RANK, GRADE), expected, rtol=0, atol=1e-15)
    shuffled = np.random.default_rng(0).permutation(len(QUERY))
    assert_allclose(per_query(measure, QUERY[shuffled], RANK[shuffled], GRADE[shuffled]), expected, rtol=0, atol=1e-15)


def test_rank_distance_is_the_largest_minus_the_smallest_rank() -> None:
    queries, ranks = np.array([0, 0, 0, 1, 2, 2]), np.array([40, 2, 9, 5, 3, 0])
    assert_allclose(per_query("rank_distance", queries, ranks, np.ones(6, int)), [40 - 2, np.nan, np.nan])


@pytest.mark.parametrize("measure", ["mapp", "recall", "recall@", "recall@0", "recall@ten", "rank_distance_median"])
def test_a_measure_that_does_not_exist_is_named(measure: str) -> None:
    with pytest.raises(
        InputError, match=f"'{measure}': (no such measure|it has no value per query); allowed: map, map@k"
    ):
        per_query(measure, QUERY, RANK, GRADE)


def test_no_queries_give_no_values() -> None:
    nothing = np.empty(0, int)
    assert [len(per_query(m, nothing, nothing, nothing)) for m in RETRIEVAL] == [0] * len(RETRIEVAL)


@given(
    sizes=st.builds(
        Sizes,
        languages=st.integers(1, 3),
        questions=st.integers(1, 5),
        candidates=st.integers(20, 150),
        texts=st.integers(10, 120),
        relevants=st.integers(1, 25),
    ),
    seed=st.integers(0, 2**32 - 1),
    depth=st.sampled_from([1, 15, 30, 10_000]),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_measures_agree_with_ir_measures(sizes: Sizes, seed: int, depth: int) -> None:
    task, query_vectors, passage_vectors = made_task(sizes, seed)
    ranked = ranked_pools(task, query_vectors, passage_vectors)
    rankings = beyond_is_unknown(rank_task(task, query_vectors, passage_vectors, top=False), depth)
    for (_, language, pool, measure), (value, queries) in figures(measure_cells(rankings)).items():
        if measure not in THEIRS:
            continue
        cell = (rankings.query_language == rankings.languages.index(language)) & (
            rankings.pool_language == rankings.pools.index(pool)
        )
        qrels: dict[str, dict[str, int]] = {}
        for query, candidate, grade in zip(*(c[cell] for c in rank_columns(rankings)), strict=True):
            qrels.setdefault(str(query), {})[str(candidate)] = int(grade)
        # a score of minus the rank, as ir_measures breaks ties in its own way; every third query retrieves nothing
        run = {
            q: {str(c): -rank for rank, c in enumerate(ranked[language, pool, int(q)][:depth], start=1)}
            for q in qrels
            if int(q) % 3 or depth > 100
        }
        their = ir_measures.parse_measure(THEIRS[measure])
        assert_allclose(value, ir_measures.calc_aggregate([their], qrels, run)[their], rtol=0, atol=1e-9)
        assert queries == len(qrels)


def beyond_is_unknown(rankings: Rankings, depth: int) -> Rankings:
    """Ranks below the depth forgotten, and all ranks of every third query where the depth is small."""
    gone = (rankings.rank > depth) | ((rankings.query % 3 == 0) & (depth <= 100))
    return in_order(replace(rankings, rank=np.where(gone, 0, rankings.rank)))


def in_order(rankings: Rankings) -> Rankings:
    """The rows sorted as `Rankings` promises: those beyond the depth last in their query."""
    last = np.where(rankings.rank == 0, np.iinfo(np.int32).max, rankings.rank)
    keys = (last, rankings.query, rankings.pool_language, rankings.query_language, rankings.setting)
    order = np.lexsort(keys)
    columns = ("setting", "query_language", "pool_language", "query", "candidate", "passage_language", "relevance")
    return replace(rankings, **{c: getattr(rankings, c)[order] for c in (*columns, "rank")})


def rank_columns(rankings: Rankings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rankings.query, rankings.candidate, rankings.relevance


M = "multilingual"
PARALLEL_ROWS = [
    ("monolingual", "en", "en", 0, "en", 1, 2),
    ("monolingual", "en", "en", 1, "en", 1, 1),
    ("cross_lingual", "en", "de", 0, "de", 1, 5),
    (M, "de", "*", 0, "de", 1, 1),
    (M, "de", "*", 0, "en", 1, 11),
    (M, "en", "*", 0, "de", 1, 3),
    (M, "en", "*", 0, "en", 1, 4),
    (M, "en", "*", 0, "th", 1, 33),
    (M, "en", "*", 1, "en", 1, 1),
    (M, "en", "*", 1, "th", 1, 7),
    (M, "en", "*", 2, "en", 1, 6),
    (M, "en", "*", 3, "en", 1, 8),
    (M, "en", "*", 3, "de", 1, 10),
]


def test_multilingual_measures_worked_by_hand() -> None:
    found = figures(measure_cells(made_rankings(PARALLEL_ROWS, [100, 200, 200, 500])))
    # in English: 33 - 3 = 30, 7 - 1 = 6 and 10 - 8 = 2; question 2 has one relevant and so no distance
    assert found[M, "en", "*", "rank_distance"] == (pytest.approx((30 + 6 + 2) / 3), 3)
    assert found[M, "en", "*", "rank_distance_median"] == (6, 3)
    assert found[M, "en", "*", "rank_distance_relative"] == (pytest.approx((30 + 6 + 2) / 3 / 500), 3)
    assert found[M, "de", "*", "rank_distance"] == (10, 1)
    # the English sentence is the best of the parallel ones in questions 1 and 3, but not in 0
    assert found[M, "en", "*", "own_language_first"] == (pytest.approx(2 / 3), 3)
    assert found[M, "de", "*", "own_language_first"] == (1, 1)
    # question 0 finds two of three in the first ten, questions 1, 2 and 3 all of theirs
    assert found[M, "en", "*", "recall@10"] == (pytest.approx((2 / 3 + 1 + 1 + 1) / 4), 4)
    assert found["monolingual", "en", "en", "mrr"] == ((1 / 2 + 1) / 2, 2)
    assert found["cross_lingual", "en", "de", "map"] == (1 / 5, 1)
    assert {key[3] for key in found if key[0] != M} == set(RETRIEVAL)


def test_a_relevant_beyond_the_depth_leaves_no_rank_distance_and_is_never_first() -> None:
    rows = [(M, "en", "*", 0, "de", 1, 3), (M, "en", "*", 0, "en", 1, 0), (M, "de", "*", 0, "de", 1, 3)]
    rows += [(M, "de", "*", 0, "en", 1, 9)]
    found = figures(measure_cells(made_rankings(sorted(rows[2:]) + rows[:2], [10, 10, 10, 30])))
    assert (M, "en", "*", "rank_distance") not in found
    assert found[M, "en", "*", "own_language_first"] == (0, 1)
    assert found[M, "de", "*", "rank_distance"] == (6, 1)


def test_own_language_needs_a_relevant_in_the_querys_language() -> None:
    rows = [(M, "th", "*", 0, "de", 1, 1), (M, "th", "*", 0, "en", 1, 2), (M, "th", "*", 1, "th", 1, 2)]
    rows += [(M, "th", "*", 1, "en", 1, 4)]
    found = figures(measure_cells(made_rankings(rows, [10, 10, 10, 30])))
    assert found[M, "th", "*", "own_language_first"] == (1, 1)
    alone = figures(measure_cells(made_rankings(rows[:2], [10, 10, 10, 30])))
    assert (M, "th", "*", "own_language_first") not in alone


def test_several_relevants_in_one_language_are_not_parallel() -> None:
    rows = [(M, "en", "*", 0, "en", 1, 1), (M, "en", "*", 0, "en", 2, 40)]
    found = figures(measure_cells(made_rankings(rows, [10, 10, 10, 30])))
    assert {key[3] for key in found} == set(RETRIEVAL)
    rows += [(M, "en", "*", 1, "en", 1, 2), (M, "en", "*", 1, "de", 1, 5), (M, "en", "*", 1, "en", 1, 9)]
    found = figures(measure_cells(made_rankings(rows, [10, 10, 10, 30])))
    assert found[M, "en", "*", "rank_distance"] == (7, 1) and found[M, "en", "*", "own_language_first"] == (1, 1)


def test_rows_are_sorted_by_cell_then_measure() -> None:
    measurements = measure_cells(made_rankings(PARALLEL_ROWS, [100, 200, 200, 500]))
    columns = ("setting", "query_language", "pool_language", "measure")
    rows = list(zip(*(getattr(measurements, c).tolist() for c in columns), strict=True))
    assert rows == sorted(rows)
    assert len(rows) == 2 * len(RETRIEVAL) + 2 * len(MEASURES)


def test_a_setting_is_the_unweighted_mean_of_its_cells() -> None:
    means = setting_means(measure_cells(made_rankings(PARALLEL_ROWS, [100, 200, 200, 500])))
    by_name = {(mean.setting, mean.measure): mean for mean in means}
    # four English and one German query, but one cell each
    assert by_name[M, "mrr"] == SettingMean(M, "mrr", pytest.approx(((1 / 3 + 1 + 1 / 6 + 1 / 8) / 4 + 1) / 2), 2)
    assert by_name[M, "rank_distance"].value == pytest.approx(((30 + 6 + 2) / 3 + 10) / 2)
    assert ("monolingual", "rank_distance") not in by_name
    assert len(means) == 2 * len(RETRIEVAL) + len(MEASURES)


def test_language_shares_worked_by_hand() -> None:
    # two German queries, ten passages each: 7 and 4 German, 3 and 6 English; one English query: 10 Thai
    retrieved = RetrievedLanguages(
        query_language=np.array([0, 0, 0, 0, 1], np.int16),
        query=np.array([0, 0, 1, 1, 0], np.int32),
        depth=np.full(5, 10, np.int16),
        passage_language=np.array([0, 1, 0, 1, 2], np.int16),
        passages=np.array([7, 3, 4, 6, 10], np.int16),
    )
    shares = language_shares(retrieved, np.array([50, 25, 25, 100]))
    assert shares.depths == (10, 100)
    assert_allclose(shares.share[0], [[11 / 20, 9 / 20, 0], [0, 0, 1], [np.nan] * 3])
    assert_allclose(shares.relative[0], [[11 / 20 / 0.5, 9 / 20 / 0.25, 0], [0, 0, 1 / 0.25], [np.nan] * 3])
    assert np.isnan(shares.share[1]).all()


def test_language_shares_of_a_task_add_up_to_one() -> None:
    task, query_vectors, passage_vectors = made_task(Sizes(candidates=200, questions=9), seed=1)
    rankings = rank_task(task, query_vectors, passage_vectors)
    assert rankings.retrieved is not None
    shares = language_shares(rankings.retrieved, rankings.pool_sizes)
    assert_allclose(shares.share.sum(axis=-1), 1)
