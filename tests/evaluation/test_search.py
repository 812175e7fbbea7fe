from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.evaluation.made import Sizes, expected_ranks, made_task, ranked_pools
from tests.evaluation.test_ranking import SIZES, assert_sorted, rank_rows
from workbench.data.task import RetrievalTask
from workbench.errors import Stopped, WorkError
from workbench.evaluation import lists, search
from workbench.evaluation.measures import measure_cells
from workbench.evaluation.pools import query_rows
from workbench.evaluation.progress import Clock
from workbench.evaluation.ranking import rank_task
from workbench.evaluation.results import Rankings, RetrievedLanguages, TopPassages
from workbench.evaluation.search import rows_to_search, search_task
from workbench.evaluation.vectors import StoredVectors
from workbench.records import SETTINGS, Setting, TaskSpec


def in_files(folder: Path, vectors: NDArray[np.float32], chunk: int) -> StoredVectors:
    """Vectors on disk, as if an encoder had made them."""
    files = []
    for number, start in enumerate(range(0, len(vectors), chunk)):
        files.append(folder / f"{number}.npy")
        np.save(files[-1], vectors[start : start + chunk])
    return StoredVectors(tuple(files), len(vectors), chunk, vectors.shape[1])


def searched(
    task: RetrievalTask, queries: NDArray[np.float32], vectors: StoredVectors, spec: TaskSpec, memory: int = 2**30
) -> Rankings:
    return search_task(task, queries, vectors, spec, memory_bytes=memory, report=lambda *_: None, clock=Clock())


def columns(record: Rankings | TopPassages | RetrievedLanguages | None) -> dict[str, object]:
    assert record is not None
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: v.tolist() for name, v in values.items() if isinstance(v, np.ndarray)}


def assert_same(one: Rankings, other: Rankings) -> None:
    assert columns(one) == columns(other)
    assert columns(one.top) == columns(other.top)
    assert columns(one.retrieved) == columns(other.retrieved)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@given(
    sizes=SIZES,
    seed=st.integers(0, 2**32 - 1),
    chunk=st.integers(1, 50),
    memory=st.sampled_from([1, 2000, 2**30]),
    kept=st.sets(st.sampled_from(SETTINGS), min_size=1),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_all_vectors_to_the_full_depth_give_what_exact_ranking_gives(
    folder: Path, sizes: Sizes, seed: int, chunk: int, memory: int, kept: set[Setting]
) -> None:
    task, queries, passages = made_task(sizes, seed)
    spec = TaskSpec(depth=100, index="flat", settings=tuple(s for s in SETTINGS if s in kept))
    found = searched(task, queries, in_files(folder, passages, chunk), spec, memory)
    assert_same(found, rank_task(task, queries, passages, settings=spec.settings))


@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1), chunk=st.integers(1, 50), depth=st.integers(1, 40))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_relevant_beyond_the_depth_has_the_rank_0_and_others_the_exact_one(
    folder: Path, sizes: Sizes, seed: int, chunk: int, depth: int
) -> None:
    task, queries, passages = made_task(sizes, seed)
    found = searched(task, queries, in_files(folder, passages, chunk), TaskSpec(depth=depth, index="flat"))
    expected = expected_ranks(task, ranked_pools(task, queries, passages))
    assert sorted(rank_rows(found)) == sorted((*row, rank if rank <= depth else 0) for *row, rank in expected)
    last = replace(found, rank=np.where(found.rank, found.rank, np.iinfo(np.int32).max))
    assert_sorted(last)
    measure_cells(found)


@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["ivf", "hnsw"]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_indexes_find_everything_in_small_pools(folder: Path, sizes: Sizes, seed: int, kind: str) -> None:
    # distinct unit vectors, so that a graph can be walked; similarities of different texts are not level
    task, *_ = made_task(sizes, seed)
    random = np.random.default_rng(seed)
    queries, passages = unit(random, len(task.query_texts), 6), unit(random, len(task.passage_texts), 6)
    spec = TaskSpec(depth=100, index=kind)  # type: ignore[arg-type]
    found = searched(task, queries, in_files(folder, passages, 7), spec)
    assert_same(found, rank_task(task, queries, passages))


def unit(random: np.random.Generator, count: int, dimension: int) -> NDArray[np.float32]:
    vectors = random.standard_normal((count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("wanted", [("monolingual",), ("cross_lingual",), ("monolingual", "cross_lingual")])
def test_only_the_searches_that_the_settings_need(wanted: Sequence[Setting]) -> None:
    task, *_ = made_task(Sizes(questions=20, relevants=2), seed=2)
    rows = query_rows(task)
    for language in range(3):
        found = rows_to_search(task, rows, language, wanted)
        expected = []
        for row, query in enumerate(rows.query):
            relevant = task.relevant_candidates[task.relevant_queries == query]
            setting = "monolingual" if rows.language[row] == language else "cross_lingual"
            if setting in wanted and language in task.candidate_languages[relevant]:
                expected.append(row)
        assert found.tolist() == expected
        assert rows_to_search(task, rows, language, (*wanted, "multilingual")).tolist() == list(range(len(rows.text)))


def test_a_language_without_candidates_and_a_task_without_relevants(folder: Path) -> None:
    task, queries, passages = made_task(Sizes(), seed=5)
    vectors, spec = in_files(folder, passages, 6), TaskSpec(depth=100)
    without = replace(task, candidate_languages=np.minimum(task.candidate_languages, 1).astype(np.int16))
    assert_same(searched(without, queries, vectors, spec), rank_task(without, queries, passages))
    nothing = np.empty(0, np.int32)
    empty = replace(task, relevant_queries=nothing, relevant_candidates=nothing, relevances=np.empty(0, np.int16))
    assert_same(searched(empty, queries, vectors, spec), rank_task(empty, queries, passages))


def test_more_relevants_than_are_looked_for_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAIRS_AT_ONCE", 3)
    task, queries, passages = made_task(Sizes(relevants=9), seed=6)
    found = searched(task, queries, in_files(folder, passages, 6), TaskSpec(depth=100))
    assert_same(found, rank_task(task, queries, passages))


def test_copies_in_several_pools_tie_however_a_product_is_rounded(folder: Path) -> None:
    # each text stands once in each of three pools of uneven sizes, so that blocks of products differ in shape
    random, texts = np.random.default_rng(1), 90
    languages = np.repeat(np.arange(3, dtype=np.int16), [60, 70, 80])
    every = np.concatenate([np.arange(40), 40 + random.permutation(50)])
    candidates = np.concatenate([random.permutation(every[:size]) for size in (60, 70, 80)])
    shuffled = random.permutation(len(languages))
    task, *_ = made_task(Sizes(questions=40, candidates=210, texts=texts), seed=0)
    found, relevant = np.argwhere(np.arange(40)[:, None] == candidates[shuffled]).T
    task = replace(
        task,
        candidate_languages=languages[shuffled],
        candidates=candidates[shuffled].astype(np.int32),
        relevant_queries=found.astype(np.int32),
        relevant_candidates=relevant.astype(np.int32),
        relevances=np.ones(len(found), np.int16),
    )
    passages = unit(random, texts, 100)
    for chunk in (7, 11, 13):
        near = passages[np.arange(len(task.query_texts)) % texts] + 0.3 * unit(random, len(task.query_texts), 100)
        queries = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
        top = searched(task, queries, in_files(folder, passages, chunk), TaskSpec(depth=210, index="flat")).top
        assert top is not None
        merged = top.setting == SETTINGS.index("multilingual")
        text, candidate, position = task.candidates[top.candidate], top.candidate, top.position
        same = merged[1:] & (position[1:] > 1) & (text[1:] == text[:-1])
        assert same.any() and (candidate[1:] > candidate[:-1])[same].all()
        pairs = np.stack([np.cumsum(position == 1), text])[:, merged]
        apart = np.count_nonzero((pairs[:, 1:] != pairs[:, :-1]).any(axis=0)) + 1
        assert apart == len(np.unique(pairs, axis=1).T), "copies stand side by side"


def test_query_vectors_that_are_not_finite_are_refused(folder: Path) -> None:
    task, queries, passages = made_task(Sizes(), seed=4)
    queries[1] = np.nan
    with pytest.raises(WorkError, match="query vectors: 1 of 15 are not finite"):
        searched(task, queries, in_files(folder, passages, 6), TaskSpec(depth=100))


def test_progress_times_and_a_stop_in_the_middle(folder: Path) -> None:
    task, queries, passages = made_task(Sizes(candidates=200, texts=150), seed=8)
    vectors, told, clock = in_files(folder, passages, 10), [], Clock()
    spec = TaskSpec(depth=100, index="ivf")
    search_task(task, queries, vectors, spec, report=lambda *event: told.append(event), clock=clock)
    assert {stage for stage, *_ in told} == {
        f"{work} {language}" for work in ("indexing", "searching") for language in ("ar", "de", "en")
    }
    assert all(0 <= done <= total for _, done, total in told)
    assert set(clock.seconds) == {"indexing", "searching"}

    def stop(stage: str, done: int, total: int) -> None:
        raise Stopped("asked to")

    with pytest.raises(Stopped):
        search_task(task, queries, vectors, spec, report=stop, clock=Clock())


@given(
    values=st.lists(st.lists(st.integers(0, 5), min_size=9, max_size=9), min_size=1, max_size=4),
    depth=st.integers(1, 12),
    cut=st.integers(0, 9),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_lists_keep_the_best_and_of_equal_ones_the_smaller_keys(values: list[list[int]], depth: int, cut: int) -> None:
    import torch

    block, keys = torch.tensor(values, dtype=torch.float32), np.array([8, 3, 5, 1, 7, 0, 6, 2, 4], np.int32)
    kept = lists.Lists.empty(len(values), depth)
    for part in (slice(0, cut), slice(cut, 9)):
        if part.start < part.stop:
            kept = lists.with_block(kept, block[:, part], keys[part])
    for row, listed in zip(values, kept.keys, strict=True):
        expected = [k for _, k in sorted((-value, key) for value, key in zip(row, keys.tolist(), strict=True))]
        assert listed.tolist() == (expected + [-1] * depth)[:depth]
