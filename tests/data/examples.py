"""Small sets of parallel pairs, made up and drawn."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs

PROPERTY = settings(deadline=None, derandomize=True)
"""The same examples in every run of the tests, however slow the machine."""


def make_pairs(count: int, languages: Sequence[str], name: str = "set") -> ParallelPairs:
    """Pairs that all exist in all languages and share no text."""
    shape = (count, len(languages))
    queries = np.arange(count * len(languages), dtype=np.int32).reshape(shape)
    return ParallelPairs(
        name=name,
        languages=tuple(languages),
        pair_ids=tuple(f"{name}-{n:05d}" for n in range(count)),
        texts=tuple(f"text {n}" for n in range(2 * queries.size)),
        queries=queries,
        passages=queries + np.int32(queries.size),
        negatives=np.full(shape, -1, np.int32),
    )


def without(pairs: ParallelPairs, missing: NDArray[np.bool_]) -> ParallelPairs:
    """The same set, where [pairs, languages] `missing` says that a pair does not exist in a language."""
    parts = {part: np.where(missing, -1, getattr(pairs, part)) for part in ("queries", "passages", "negatives")}
    return replace(pairs, **parts)


def couples(count: int, name: str = "set") -> ParallelPairs:
    """The hard negative of every pair is the passage of its neighbour: half of the pairs go together."""
    pairs = make_pairs(count, ("de", "en"), name)
    return replace(pairs, negatives=pairs.passages[np.arange(count) ^ 1])


@st.composite
def parallel_pairs(draw: st.DrawFn) -> ParallelPairs:
    """Small sets with gaps, repeated texts that differ in case and spaces, and hard negatives."""
    languages = tuple(sorted(draw(st.sets(st.sampled_from(("de", "en", "hi", "zh")), min_size=1))))
    shape = (draw(st.integers(1, 60)), len(languages))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    words = draw(st.integers(10, 300))
    texts = tuple(f"{word} {n % words}" for n in range(words) for word in ("Word", "WORD", "word "))
    has = random.random(shape) < draw(st.sampled_from((0.3, 0.7, 1.0)))
    has[np.arange(shape[0]), random.integers(shape[1], size=shape[0])] = True
    queries, passages, negatives = (
        np.where(has, random.integers(len(texts), size=shape), -1).astype(np.int32) for _ in range(3)
    )
    negatives[random.random(shape) < draw(st.sampled_from((0.5, 1.0)))] = -1
    ids = tuple(f"p{n}" for n in range(shape[0]))
    return ParallelPairs("drawn", languages, ids, texts, queries, passages, negatives)


def cell_texts(pairs: ParallelPairs, part: str) -> dict[tuple[str, str], str]:
    """The texts of a part, such as `queries`, by pair_id and language."""
    matrix = getattr(pairs, part)
    cells = zip(*np.nonzero(matrix >= 0), strict=True)
    return {(pairs.pair_ids[r], pairs.languages[c]): pairs.texts[matrix[r, c]] for r, c in cells}


def assert_sound(pairs: ParallelPairs) -> None:
    """What `ParallelPairs` promises of itself."""
    shape = (len(pairs.pair_ids), len(pairs.languages))
    assert pairs.queries.shape == pairs.passages.shape == pairs.negatives.shape == shape
    assert pairs.queries.dtype == pairs.passages.dtype == pairs.negatives.dtype == np.int32
    assert len(set(pairs.pair_ids)) == len(pairs.pair_ids) and len(set(pairs.texts)) == len(pairs.texts)
    assert list(pairs.languages) == sorted(set(pairs.languages))
    assert ((pairs.queries >= 0) == (pairs.passages >= 0)).all() and (pairs.has | (pairs.negatives < 0)).all()
    assert pairs.has.any(axis=1).all()
