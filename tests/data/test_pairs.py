"""Groups of pairs that share texts, the fixed order of pairs, and parts of a set."""

import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.data.examples import PROPERTY, make_pairs, parallel_pairs, without
from workbench.data.pairs import (
    ParallelPairs,
    capped,
    hash_order,
    hold_out_all,
    normalised,
    select,
    text_groups,
    text_keys,
)
from workbench.errors import InputError

WHITE_SPACE = "".join(chr(code) for code in range(0x110000) if chr(code).isspace())
LETTERS = "aéÄßǅΣς中한ｱ²ﬁḍ̇ำ\u0345\u0301\u200b\xad¨ "


@PROPERTY
@given(st.text() | st.text(WHITE_SPACE + LETTERS))
def test_normalised_texts_are_composed_folded_and_have_single_blanks(text: str) -> None:
    assert normalised(text) == " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def test_only_the_plain_blank_is_white_space_and_printable() -> None:
    assert [space for space in WHITE_SPACE if space.isprintable()] == [" "]


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
def test_a_cap_keeps_the_first_pairs_and_keep_their_texts(pairs: ParallelPairs, count: int) -> None:
    part = capped(pairs, count)
    assert set(part.pair_ids) == {pairs.pair_ids[row] for row in hash_order(pairs.pair_ids)[:count]}
    assert set(capped(pairs, count - 1).pair_ids) <= set(part.pair_ids)
    assert list(part.pair_ids) == [i for i in pairs.pair_ids if i in set(part.pair_ids)]
    assert_same_texts(part, pairs)


@PROPERTY
@given(parallel_pairs(), st.integers(1, 40) | st.none(), st.integers(1, 20) | st.none())
def test_caps_keep_the_first_pairs_and_then_the_first_of_each_language(
    pairs: ParallelPairs, count: int | None, per_language: int | None
) -> None:
    part = capped(pairs, count, per_language)
    ordered = [pairs.pair_ids[row] for row in hash_order(pairs.pair_ids)][:count]
    rows = {pair_id: row for row, pair_id in enumerate(pairs.pair_ids)}
    for column in range(len(pairs.languages)):
        kept = [i for i in ordered if pairs.has[rows[i], column]][:per_language]
        assert {part.pair_ids[row] for row in np.flatnonzero(part.has[:, column])} == set(kept)
    assert part.has.any(axis=1).all() and part.languages == pairs.languages
    assert list(part.pair_ids) == [i for i in pairs.pair_ids if i in set(part.pair_ids)]
    if count is None and per_language is None:
        assert part is pairs
    else:
        assert_same_texts(part, pairs, part.has)


def test_select_of_nothing_is_empty() -> None:
    part = select(make_pairs(3, ("en",)), np.arange(0))
    assert part.pair_ids == part.texts == ()
    assert part.queries.shape == (0, 1)


def assert_same_texts(part: ParallelPairs, whole: ParallelPairs, kept: NDArray[np.bool_] | None = None) -> None:
    """Each pair has the texts that it has in the whole, in the languages kept, and no text is left over."""
    rows = {pair_id: row for row, pair_id in enumerate(whole.pair_ids)}
    used = set()
    for name in ("queries", "passages", "negatives"):
        own, theirs = getattr(part, name), getattr(whole, name)
        assert own.dtype == np.int32
        for row, pair_id in enumerate(part.pair_ids):
            expected = theirs[rows[pair_id]] if kept is None else np.where(kept[row], theirs[rows[pair_id]], -1)
            found = [part.texts[t] if t >= 0 else None for t in own[row].tolist()]
            assert found == [whole.texts[t] if t >= 0 else None for t in expected.tolist()]
            used |= {text for text in found if text is not None}
    assert sorted(used) == sorted(part.texts)


# held-out pairs


def normalised_texts(pairs: ParallelPairs, *parts: str) -> set[str]:
    texts = np.unique(np.concatenate([getattr(pairs, part).ravel() for part in parts]))
    return {normalised(pairs.texts[text]) for text in texts.tolist() if text >= 0}


@PROPERTY
@given(st.lists(parallel_pairs(), min_size=1, max_size=3), st.integers(1, 10))
def test_no_training_pair_of_any_set_has_a_text_of_a_held_out_pair(sets: list[ParallelPairs], count: int) -> None:
    try:
        parts = hold_out_all(sets, count)
    except InputError:
        return
    held_texts = set().union(*(normalised_texts(held, "queries", "passages") for _, held in parts))
    for pairs, (training, held) in zip(sets, parts, strict=True):
        order = hash_order(pairs.pair_ids)
        assert not held_texts & normalised_texts(training, "queries", "passages", "negatives")
        assert training.pair_ids == tuple(pairs.pair_ids[row] for row in np.sort(order[count:]).tolist())
        assert set(held.pair_ids) <= {pairs.pair_ids[row] for row in order[:count].tolist()}
        assert len(set(groups_of(held))) == len(held.pair_ids) >= 1
        kept = {pairs.pair_ids[row] for row in order[count:].tolist() if not row_texts(pairs, row) & held_texts}
        assert {training.pair_ids[row] for row in np.flatnonzero(training.has.any(axis=1))} == kept


def row_texts(pairs: ParallelPairs, row: int) -> set[str]:
    return {text for _, text in texts_of(pairs, row)}


def test_a_text_held_out_of_one_set_is_not_trained_on_in_another() -> None:
    one = make_pairs(40, ("de", "en"), "one")
    other = replace(make_pairs(40, ("en", "fr"), "other"), texts=tuple(f"other {n}" for n in range(160)))
    held = one.pair_ids.index(hold_out_all([one], 1)[0][1].pair_ids[0])
    own = other.pair_ids.index(hold_out_all([other], 1)[0][1].pair_ids[0])
    asked, answered, barred = (row for row in range(4) if row != own) if own < 3 else range(3)
    texts = list(other.texts)
    texts[other.queries[asked, 1]] = one.texts[one.queries[held, 0]].upper()
    texts[other.passages[answered, 0]] = one.texts[one.passages[held, 1]]
    texts.append(f" {one.texts[one.passages[held, 0]]}")
    negatives = other.negatives.copy()
    negatives[barred, 0] = len(texts) - 1
    negatives[barred, 1] = other.passages[30, 1]
    (_, (training, _)) = hold_out_all([one, replace(other, texts=tuple(texts), negatives=negatives)], 1)
    rows = [training.pair_ids.index(other.pair_ids[row]) for row in (asked, answered, barred)]
    assert np.flatnonzero(~training.has.any(axis=1)).tolist() == sorted(rows[:2])
    assert training.has.all(axis=1).sum() == 37
    assert (training.negatives[rows[2]] >= 0).tolist() == [False, True]


def test_which_pairs_are_held_out_depends_on_their_ids_alone() -> None:
    pairs = make_pairs(100, ("de", "en"))
    other = replace(pairs, texts=tuple(f"another {text}" for text in pairs.texts))
    repeated = replace(pairs, passages=np.where(np.arange(100)[:, None] < 20, pairs.passages[0], pairs.passages))
    ((training, _),) = hold_out_all([pairs], 10)
    for changed in (other, repeated):
        assert hold_out_all([changed], 10)[0][0].pair_ids == training.pair_ids
        assert (
            hold_out_all([make_pairs(9, ("en",), "more"), changed], 8)[1][0].pair_ids[:5]
            == (hold_out_all([pairs], 8)[0][0].pair_ids[:5])
        )
    assert set(hold_out_all([pairs], 5)[0][1].pair_ids) <= set(hold_out_all([pairs], 10)[0][1].pair_ids)


def test_no_pair_held_out_leaves_the_sets_as_they_are() -> None:
    pairs = make_pairs(5, ("en",))
    ((training, held),) = hold_out_all([pairs], 0)
    assert training is pairs and held.pair_ids == ()


def test_holding_out_everything_is_an_error() -> None:
    with pytest.raises(InputError, match=r"set: train.validation.pairs holds out 5 of its 5 pairs; allowed: 0 to 4"):
        hold_out_all([make_pairs(5, ("en",))], 5)
    pairs = make_pairs(5, ("de", "en"))
    same = replace(pairs, passages=np.broadcast_to(pairs.passages[0], (5, 2)))
    with pytest.raises(InputError, match="set: each of its 4 training pairs has a text of a held-out pair"):
        hold_out_all([make_pairs(50, ("en",), "large"), same], 1)


def test_pairs_that_a_leak_took_are_held_out_by_nobody() -> None:
    """They count among the first all the same, so that the others are those of a run that keeps them."""
    pairs = make_pairs(40, ("de", "en"))
    first = hash_order(pairs.pair_ids)[:6]
    gone = np.zeros(pairs.has.shape, np.bool_)
    gone[first[:4]] = True
    ((training, held),) = hold_out_all([without(pairs, gone)], 6)
    assert training.pair_ids == hold_out_all([pairs], 6)[0][0].pair_ids
    assert set(held.pair_ids) == {pairs.pair_ids[row] for row in first[4:]}
    with pytest.raises(InputError, match=r"of the 4 pairs that train\.validation\.pairs holds out none is left"):
        hold_out_all([without(pairs, gone)], 4)


def test_a_misaligned_version_is_no_reason_to_hold_out_or_leave_out_other_pairs() -> None:
    pairs = replace(make_pairs(60, ("en", "de")), made_by=(None, "machine"))
    order = hash_order(pairs.pair_ids)
    passages = pairs.passages.copy()
    passages[:, 1] = np.roll(passages[:, 1], 1)
    held_row, donor = int(order[0]), int(order[0]) - 1
    assert groups_of(replace(pairs, passages=passages)) == list(range(60))
    ((training, held),) = hold_out_all([replace(pairs, passages=passages)], 10)
    ((plain, same),) = hold_out_all([pairs], 10)
    assert held.pair_ids == same.pair_ids and training.pair_ids == plain.pair_ids
    assert training.has[:, 0].all()
    texts = normalised_texts(held, "queries", "passages")
    assert not texts & normalised_texts(training, "queries", "passages")
    # the human pair whose text a held-out version has is not trained on, whatever its own versions are
    written = pairs.passages.copy()
    written[held_row, 1] = pairs.passages[donor, 0]
    ((training, _),) = hold_out_all([replace(pairs, passages=written)], 1)
    assert not training.has[training.pair_ids.index(pairs.pair_ids[donor])].any()
