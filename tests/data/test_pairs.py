"""Groups of pairs that share texts, the fixed order of pairs, and parts of a set."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.data.examples import PROPERTY, make_pairs, parallel_pairs
from workbench.data.pairs import ParallelPairs, first_pairs, hash_order, normalised, select, text_groups, text_keys


def groups_of(pairs: ParallelPairs) -> list[int]:
    return text_groups(pairs, text_keys(pairs.texts)).tolist()


def texts_of(pairs: ParallelPairs, row: int) -> set[tuple[str, str]]:
    """The pair's normalised texts with their side."""
    sides = {"query": pairs.queries, "passage": pairs.passages}
    return {(side, normalised(pairs.texts[t])) for side, texts in sides.items() for t in texts[row].tolist() if t >= 0}


@PROPERTY
@given(parallel_pairs())
def test_groups_are_the_connected_components_of_shared_texts(pairs: ParallelPairs) -> None:
    rows = range(len(pairs.pair_ids))
    texts = [texts_of(pairs, row) for row in rows]
    shared = [{a} | {b for b in rows if texts[a] & texts[b]} for a in rows]
    expected = list(rows)
    for _ in rows:
        expected = [min(expected[b] for b in shared[a]) for a in rows]
    assert groups_of(pairs) == expected


def test_a_long_chain_is_one_group() -> None:
    pairs = make_pairs(2000, ("en", "de"))
    queries = pairs.queries.copy()
    order = np.random.default_rng(0).permutation(2000)
    queries[order[1:], 0] = queries[order[:-1], 1]
    chained = ParallelPairs(
        pairs.name, pairs.languages, pairs.pair_ids, pairs.texts, queries, pairs.passages, pairs.negatives
    )
    assert set(groups_of(chained)) == {0}


def test_a_query_that_equals_a_passage_links_nothing() -> None:
    texts = ("a", "b", "c")
    none = np.full((2, 1), -1, np.int32)
    pairs = ParallelPairs("p", ("en",), ("0", "1"), texts, np.array([[0], [1]]), np.array([[1], [2]]), none)
    assert groups_of(pairs) == [0, 1]


def test_hash_order_depends_on_the_ids_alone() -> None:
    ids = [f"pair-{n}" for n in range(200)]
    order = [ids[row] for row in hash_order(ids)]
    assert order == [ids[::-1][row] for row in hash_order(ids[::-1])]
    assert sorted(order) == sorted(ids) != order
    assert [i for i in order if i in ids[:50]] == [ids[row] for row in hash_order(ids[:50])]


@PROPERTY
@given(parallel_pairs(), st.integers(1, 40))
def test_first_pairs_are_nested_and_keep_their_texts(pairs: ParallelPairs, count: int) -> None:
    part = first_pairs(pairs, count)
    assert set(part.pair_ids) == {pairs.pair_ids[row] for row in hash_order(pairs.pair_ids)[:count]}
    assert set(first_pairs(pairs, count - 1).pair_ids) <= set(part.pair_ids)
    assert list(part.pair_ids) == [i for i in pairs.pair_ids if i in set(part.pair_ids)]
    assert_same_texts(part, pairs)


def test_select_of_nothing_is_empty() -> None:
    part = select(make_pairs(3, ("en",)), np.arange(0))
    assert part.pair_ids == part.texts == ()
    assert part.queries.shape == (0, 1)


def assert_same_texts(part: ParallelPairs, whole: ParallelPairs) -> None:
    """Each pair has the texts that it has in the whole, and no text is left over."""
    rows = {pair_id: row for row, pair_id in enumerate(whole.pair_ids)}
    used = set()
    for name in ("queries", "passages", "negatives"):
        own, theirs = getattr(part, name), getattr(whole, name)
        assert own.dtype == np.int32
        for row, pair_id in enumerate(part.pair_ids):
            found = [part.texts[t] if t >= 0 else None for t in own[row].tolist()]
            assert found == [whole.texts[t] if t >= 0 else None for t in theirs[rows[pair_id]].tolist()]
            used |= {text for text in found if text is not None}
    assert sorted(used) == sorted(part.texts)
