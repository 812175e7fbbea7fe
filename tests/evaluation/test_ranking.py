from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.made import Sizes, expected_ranks, made_task, ranked_pools
from workbench.data.task import RetrievalTask
from workbench.errors import WorkError
from workbench.evaluation import ranking
from workbench.evaluation.first_passages import first_passages
from workbench.evaluation.pools import pool_columns, query_rows
from workbench.evaluation.ranking import rank_task
from workbench.evaluation.results import Rankings
from workbench.records import SETTINGS

SIZES = st.builds(
    Sizes,
    languages=st.integers(1, 4),
    questions=st.integers(1, 6),
    candidates=st.integers(1, 60),
    texts=st.integers(1, 40),
    relevants=st.integers(1, 40),
    levels=st.integers(0, 3),
    dimension=st.integers(1, 6),
)


def rank_rows(rankings: Rankings) -> Iterator[tuple]:
    for n in range(len(rankings.rank)):
        yield (
            SETTINGS[rankings.setting[n]],
            rankings.languages[rankings.query_language[n]],
            rankings.pools[rankings.pool_language[n]],
            int(rankings.query[n]),
            int(rankings.candidate[n]),
            int(rankings.relevance[n]),
            int(rankings.rank[n]),
        )


def cells_of(rows: list[tuple]) -> set[tuple]:
    """(setting, query language, pool language, question) of rank rows."""
    return {row[:4] for row in rows}


@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1), memory=st.sampled_from([1, 2000, 2**30]))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_ranks_top_passages_and_languages_follow_the_definition(sizes: Sizes, seed: int, memory: int) -> None:
    task, query_vectors, passage_vectors = made_task(sizes, seed)
    ranked = ranked_pools(task, query_vectors, passage_vectors)
    rankings = rank_task(task, query_vectors, passage_vectors, memory_bytes=memory)
    rows = list(rank_rows(rankings))
    expected = expected_ranks(task, ranked)
    assert sorted(rows) == sorted(expected)
    assert_sorted(rankings)
    assert [task.candidate_languages[c] for c in rankings.candidate] == rankings.passage_language.tolist()
    assert_top_passages(rankings, ranked, cells_of(expected))
    assert_retrieved_languages(rankings, task, ranked, cells_of(expected))


def assert_sorted(rankings: Rankings) -> None:
    columns = (rankings.setting, rankings.query_language, rankings.pool_language, rankings.query, rankings.rank)
    rows = list(zip(*(c.tolist() for c in columns), strict=True))
    assert rows == sorted(rows)


def assert_top_passages(rankings: Rankings, ranked: dict, cells: set[tuple]) -> None:
    top = rankings.top
    assert top is not None
    found: dict[tuple, list[int]] = {}
    for n in range(len(top.candidate)):
        language, pool = rankings.languages[top.query_language[n]], rankings.pools[top.pool_language[n]]
        listed = found.setdefault((SETTINGS[top.setting[n]], language, pool, int(top.query[n])), [])
        listed.append(int(top.candidate[n]))
        assert top.position[n] == len(listed)
    assert found == {cell: ranked[cell[1:]][: 100 if cell[0] == "multilingual" else 10] for cell in cells}


def assert_retrieved_languages(rankings: Rankings, task: RetrievalTask, ranked: dict, cells: set[tuple]) -> None:
    counts = rankings.retrieved
    assert counts is not None
    found = {
        (rankings.languages[counts.query_language[n]], int(counts.query[n]), int(counts.depth[n]), int(language)): int(
            counts.passages[n]
        )
        for n, language in enumerate(counts.passage_language)
    }
    expected = {}
    for setting, language, pool, question in cells:
        for depth in (10, 100) if setting == "multilingual" else ():
            listed = Counter(int(task.candidate_languages[c]) for c in ranked[language, pool, question][:depth])
            expected |= {(language, question, depth, b): n for b, n in listed.items()}
    assert found == expected


@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_torch_counts_what_numpy_counts(sizes: Sizes, seed: int) -> None:
    task, query_vectors, passage_vectors = made_task(sizes, seed)
    rows, pools = query_rows(task), pool_columns(task)
    if not len(rows.text):
        return
    similarities = ranking.Similarities.of(passage_vectors, pools, "cpu", 2**30)
    part = slice(0, len(rows.text))
    block, columns = similarities.block(query_vectors[rows.text]), ranking.relevant_columns(task, rows, part, pools)
    real = np.arange(columns.shape[1]) < rows.relevants[:, None]
    with ThreadPoolExecutor(2) as threads:
        by_numpy = ranking.block_ranks(block, columns, rows.relevants, pools, threads)
    by_torch = ranking.device_ranks(block, columns, rows.relevants, pools)
    for ours, theirs in zip(by_numpy, by_torch, strict=True):
        assert ours[real].tolist() == theirs[real].tolist()


@pytest.mark.parametrize("relevants", [2, 50])
def test_pools_of_several_tiles_and_queries_of_many_relevants(relevants: int) -> None:
    # 5,000 candidates in two languages: each pool is longer than the 2,040 columns that are added at once
    sizes = Sizes(languages=2, questions=4, candidates=5000, texts=4900, relevants=relevants, levels=3, dimension=5)
    task, query_vectors, passage_vectors = made_task(sizes, seed=relevants)
    rankings = rank_task(task, query_vectors, passage_vectors, top=False)
    expected = expected_ranks(task, ranked_pools(task, query_vectors, passage_vectors))
    assert len(expected) > 10
    assert sorted(rank_rows(rankings)) == sorted(expected)


@pytest.mark.parametrize("copies", [2, 3])
def test_equal_texts_tie_exactly_whatever_the_matrix_product_rounds(copies: int) -> None:
    random = np.random.default_rng(copies)
    texts, questions = 211, 37
    task, *_ = made_task(Sizes(languages=2, questions=questions, candidates=copies * texts, texts=texts), seed=0)
    order = random.permutation(np.repeat(np.arange(texts, dtype=np.int32), copies))
    first, last = (np.array([f(np.flatnonzero(order == t)) for t in range(questions)], np.int32) for f in (min, max))
    task = replace(
        task,
        queries=np.arange(questions * 2, dtype=np.int32).reshape(questions, 2),
        candidates=order,
        relevant_queries=np.repeat(np.arange(questions, dtype=np.int32), 2),
        relevant_candidates=np.stack([first, last], axis=1).ravel(),
        relevances=np.ones(2 * questions, np.int16),
    )
    query_vectors = random.standard_normal((questions * 2, 383)).astype(np.float32)
    passage_vectors = random.standard_normal((texts, 383)).astype(np.float32)
    rankings = rank_task(task, query_vectors, passage_vectors, settings=("multilingual",), top=False)
    ranks = rankings.rank.reshape(-1, 2)
    assert len(ranks) == 2 * questions
    assert (ranks[:, 1] - ranks[:, 0] == copies - 1).all()
    assert (rankings.candidate.reshape(-1, 2) == np.stack([first, last], axis=1)[rankings.query[::2]]).all()


def test_copies_of_a_text_get_the_similarity_of_the_first() -> None:
    task, query_vectors, passage_vectors = made_task(Sizes(candidates=40, texts=10), seed=9)
    pools = pool_columns(task)
    similarities = ranking.Similarities.of(passage_vectors, pools, "cpu", 2**30)
    # as if the matrix product had rounded otherwise there
    similarities.passages[torch.from_numpy(pools.copies[0])] += 1e-6
    block = similarities.block(query_vectors).numpy()
    real = pools.candidates >= 0
    assert len(pools.copies[0]) == 40 - len(set(task.candidates))
    assert (block[:, real] == query_vectors @ passage_vectors[pools.texts[real]].T).all()
    assert (block[:, ~real] == -np.inf).all()


def test_a_tie_across_the_cut_goes_to_the_smaller_id() -> None:
    random = np.random.default_rng(10)
    # ten are kept: the tenth and the eleventh are level, all others differ
    values = np.append(np.arange(30), 20).astype(np.float32)
    block = random.permuted(np.tile(values, (200, 1)), axis=1)
    candidates = random.permutation(31).astype(np.int32)
    found = first_passages(torch.from_numpy(block), candidates, 10, 31)
    for row, listed in zip(block, found, strict=True):
        assert listed.tolist() == candidates[np.lexsort((candidates, -row))[:10]].tolist()


def test_only_the_settings_asked_for() -> None:
    task, query_vectors, passage_vectors = made_task(Sizes(), seed=3)
    full = rank_task(task, query_vectors, passage_vectors)
    for setting in SETTINGS:
        part = rank_task(task, query_vectors, passage_vectors, settings=(setting,))
        assert list(rank_rows(part)) == [row for row in rank_rows(full) if row[0] == setting]
        assert part.top is not None and full.top is not None
        kept = full.top.setting == SETTINGS.index(setting)
        assert part.top.candidate.tolist() == full.top.candidate[kept].tolist()


def test_pool_sizes_and_no_top_passages_unless_asked() -> None:
    task, query_vectors, passage_vectors = made_task(Sizes(), seed=4)
    rankings = rank_task(task, query_vectors, passage_vectors, top=False)
    assert rankings.top is None and rankings.retrieved is None
    assert rankings.pool_sizes.tolist() == [*np.bincount(task.candidate_languages, minlength=3), 30]


def test_a_task_without_relevants_has_no_rows() -> None:
    task, query_vectors, passage_vectors = made_task(Sizes(), seed=5)
    nothing = np.empty(0, np.int32)
    empty = replace(task, relevant_queries=nothing, relevant_candidates=nothing, relevances=np.empty(0, np.int16))
    rankings = rank_task(empty, query_vectors, passage_vectors)
    assert rankings.top is not None
    assert len(rankings.rank) == len(rankings.top.candidate) == len(rankings.cell_starts) == 0


def test_progress_counts_query_rows() -> None:
    task, query_vectors, passage_vectors = made_task(Sizes(questions=8), seed=6)
    rows = len(query_rows(task).text)
    told: list[tuple[int, int]] = []
    rank_task(task, query_vectors, passage_vectors, memory_bytes=1, progress=lambda *n: told.append(n))
    assert told == [(n + 1, rows) for n in range(rows)]


def test_vectors_that_are_not_finite_are_refused() -> None:
    task, query_vectors, passage_vectors = made_task(Sizes(), seed=7)
    passage_vectors[[2, 5]] = np.nan
    with pytest.raises(WorkError, match="passage vectors: 2 of 20 are not finite"):
        rank_task(task, query_vectors, passage_vectors)
    with pytest.raises(ValueError, match=r"expected float32 \[20, d\]"):
        rank_task(task, query_vectors, passage_vectors[:-1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_ranks_of_the_cpu() -> None:
    task, query_vectors, passage_vectors = made_task(Sizes(questions=50, candidates=3000, texts=2500), seed=8)
    ours, theirs = (rank_task(task, query_vectors, passage_vectors, device=d) for d in ("cpu", "cuda"))
    assert list(rank_rows(ours)) == list(rank_rows(theirs))
    assert ours.top is not None and theirs.top is not None
    assert ours.top.candidate.tolist() == theirs.top.candidate.tolist()
