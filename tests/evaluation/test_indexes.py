import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.evaluation.test_search import in_files, unit
from workbench.errors import WorkError
from workbench.evaluation.indexes import FLAT_TEXTS, IndexPlan, check_plan, plan_index, search_pool
from workbench.evaluation.lists import Lists
from workbench.evaluation.progress import Clock

TEXTS, DIMENSION = 30_000, 24


@pytest.fixture(scope="module")
def vectors() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Clustered passages, and queries near some of them."""
    random = np.random.default_rng(0)
    centres = unit(random, 60, DIMENSION)
    passages = centres[random.integers(0, 60, TEXTS)] + 0.15 * random.standard_normal((TEXTS, DIMENSION))
    queries = passages[:100] + 0.05 * random.standard_normal((100, DIMENSION))
    norm = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in (queries, passages)]
    return norm[0].astype(np.float32), norm[1].astype(np.float32)


def found(folder: Path, vectors: tuple[NDArray[np.float32], NDArray[np.float32]], plan: IndexPlan, depth: int) -> Lists:
    queries, passages = vectors
    numbers = np.arange(TEXTS, dtype=np.int32)
    return search_pool(
        plan,
        in_files(folder, passages, 8192),
        numbers,
        numbers[::-1].copy(),
        queries,
        depth,
        memory_bytes=2**28,
        device="cpu",
        language="en",
        report=lambda *_: None,
        clock=Clock(),
    )


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_indexes_find_the_exact_top_100_of_clustered_vectors(tmp_path: Path, vectors: tuple, kind: str) -> None:
    plan = plan_index(kind, TEXTS, 1000)  # type: ignore[arg-type]
    approximate, exact = (
        found(tmp_path, vectors, plan, 1000),
        found(tmp_path, vectors, IndexPlan("flat", TEXTS, {}), 100),
    )
    assert approximate.keys.shape == (100, 1000)
    assert (np.diff(approximate.similarities, axis=1) <= 0).all()
    common = [len(np.intersect1d(a, b)) for a, b in zip(approximate.keys[:, :100], exact.keys, strict=True)]
    assert np.mean(common) >= 95
    queries, passages = vectors
    # keys count backwards
    similarities = (queries[:, None] * passages[TEXTS - 1 - exact.keys]).sum(axis=-1)
    assert np.allclose(similarities, exact.similarities, atol=1e-6)


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_an_index_is_the_same_every_time(tmp_path: Path, vectors: tuple, kind: str) -> None:
    plan = plan_index(kind, TEXTS, 100)  # type: ignore[arg-type]
    one, other = (found(tmp_path, vectors, plan, 100) for _ in range(2))
    assert (one.keys == other.keys).all() and (one.similarities == other.similarities).all()


def test_the_index_follows_from_the_size_of_the_pool() -> None:
    assert plan_index("auto", FLAT_TEXTS, 1000) == IndexPlan("flat", FLAT_TEXTS, {})
    assert plan_index("auto", 1_000_000, 1000) == IndexPlan("ivf", 1_000_000, {"nlist": 1000, "nprobe": 63})
    assert plan_index("hnsw", 50, 1000).parameters["efSearch"] == 1000
    # so few texts in a list that many lists are needed to fill the depth
    assert plan_index("ivf", 10_000, 1000).parameters == {"nlist": 100, "nprobe": 40}
    assert plan_index("ivf", 1, 100).parameters == {"nlist": 1, "nprobe": 1}


def test_an_index_that_does_not_fit_in_memory_is_refused_and_flat_is_not() -> None:
    texts = 2**31 - 1
    with pytest.raises(WorkError, match=r"2,147,483,647 texts in 'en' needs about \d+\.\d GiB .* index: flat reads"):
        check_plan(plan_index("auto", texts, 1000), 1024, "en")
    check_plan(plan_index("flat", texts, 1000), 1024, "en")
    check_plan(plan_index("ivf", 1000, 1000), 1024, "en")


def test_without_faiss_flat_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.evaluation.indexes.find_spec", lambda _: None)
    check_plan(plan_index("auto", 1000, 100), 8, "en")
    with pytest.raises(WorkError, match="index: hnsw needs the package faiss-cpu"):
        check_plan(plan_index("hnsw", 1000, 100), 8, "en")


def test_faiss_is_loaded_only_where_an_index_is_built() -> None:
    code = "import sys, workbench.evaluation.evaluate; sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
