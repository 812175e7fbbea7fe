"""The samplings' promises: what a batch holds, on what it depends, how often each thing is drawn."""

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.examples import PROPERTY, couples, make_pairs, parallel_pairs, without
from workbench.data.pairs import ParallelPairs, hold_out_all, normalised
from workbench.errors import InputError
from workbench.records import STRATEGIES, Strategy
from workbench.training.counts import SampleCounts
from workbench.training.sampling import Batch, Sampler

NINE = ("ar", "de", "en", "es", "hi", "ru", "th", "tr", "zh")


def plain(batch: Batch) -> tuple[object, ...]:
    arrays = (batch.pairs.tolist(), batch.query_languages.tolist(), batch.passage_languages.tolist())
    return (batch.step, batch.training_set, batch.kind, *arrays)


def assert_sound(batch: Batch, pairs: ParallelPairs) -> None:
    """Every pair once, in languages that it has, no text twice, no positive among the hard negatives of others."""
    rows, asked, answered = batch.pairs, batch.query_languages, batch.passage_languages
    assert len(set(rows.tolist())) == len(rows)
    assert pairs.has[rows, asked].all() and pairs.has[rows, answered].all()
    queries = [normalised(pairs.texts[t]) for t in pairs.queries[rows, asked]]
    passages = [normalised(pairs.texts[t]) for t in pairs.passages[rows, answered]]
    negatives = [normalised(pairs.texts[t]) if t >= 0 else None for t in pairs.negatives[rows, answered]]
    assert len(set(queries)) == len(set(passages)) == len(rows)
    assert not set(passages) & set(negatives)


def assert_languages_fit(batch: Batch, pairs: ParallelPairs) -> None:
    same = batch.query_languages == batch.passage_languages
    used = {pairs.languages[column] for column in batch.query_languages}
    if batch.kind == "english":
        assert same.all() and used == {"en"}
    if batch.kind == "mono":
        assert same.all() and len(used) == 1
    if batch.kind == "pooled":
        assert same.all()
    if batch.kind == "cross":
        assert not same.any()


@settings(PROPERTY, max_examples=300)
@given(
    st.lists(parallel_pairs(), min_size=1, max_size=2),
    st.sampled_from(STRATEGIES),
    st.sampled_from((0.0, 0.5, 1.0)),
    st.integers(2, 6),
    st.integers(0, 2**31 - 1),
)
def test_every_batch_keeps_the_promises(
    sets: list[ParallelPairs], strategy: Strategy, alpha: float, size: int, seed: int
) -> None:
    kinds = {"hybrid": {0.0: {"cross"}, 0.5: {"mono", "cross"}, 1.0: {"mono"}}[alpha]}.get(strategy, {strategy})
    steps = range(12)
    try:
        batches = list(map(Sampler(sets, strategy, alpha, size, seed).batch, steps))
    except InputError:
        return  # what is drawn here often fills no batch; further tests are about when it must
    for step, batch in zip(steps, batches, strict=True):
        assert batch.step == step and len(batch.pairs) == size and batch.kind in kinds
        assert_sound(batch, sets[batch.training_set])
        assert_languages_fit(batch, sets[batch.training_set])
    other = Sampler(sets, strategy, alpha, size, seed)
    assert [plain(other.batch(step)) for step in reversed(steps)] == [plain(b) for b in reversed(batches)]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_step_far_away_needs_no_other(strategy: Strategy) -> None:
    sets = [make_pairs(50, NINE)]
    walked = Sampler(sets, strategy, 0.5, 8, 3)
    batches = [walked.batch(step) for step in range(120)]
    assert plain(Sampler(sets, strategy, 0.5, 8, 3).batch(119)) == plain(batches[119])
    assert plain(Sampler(sets, strategy, 0.5, 8, 4).batch(119)) != plain(batches[119])


# common random numbers


@pytest.mark.parametrize("count", [48, 50])
def test_all_samplings_of_a_seed_see_the_same_pairs(count: int) -> None:
    sets = [make_pairs(count, NINE, "a"), make_pairs(2 * count, NINE, "b")]
    samplers = [Sampler(sets, strategy, 0.5, 8, 1) for strategy in STRATEGIES]
    for step in range(60):
        batches = [sampler.batch(step) for sampler in samplers]
        assert len({(batch.training_set, *batch.pairs.tolist()) for batch in batches}) == 1


def test_shared_texts_do_not_part_the_samplings() -> None:
    """The same heading over many pairs, and in other languages other headings over the same pairs."""
    pairs = make_pairs(60, ("de", "en", "fr"))
    queries = pairs.queries.copy()
    queries[:10, 1] = queries[0, 1]
    queries[20:25, 2] = queries[20, 2]
    pairs = replace(pairs, queries=queries)
    samplers = [Sampler([pairs], strategy, 0.5, 12, 1) for strategy in STRATEGIES]
    for step in range(40):
        assert len({tuple(sampler.batch(step).pairs.tolist()) for sampler in samplers}) == 1


def test_a_missing_language_changes_its_place_only() -> None:
    pairs = make_pairs(60, ("de", "en"))
    missing = np.zeros((60, 2), bool)
    missing[7] = [True, False]
    samplers = [Sampler([p], "cross", 0.5, 6, 2) for p in (pairs, without(pairs, missing))]
    for step in range(30):
        whole, gapped = (sampler.batch(step).pairs.tolist() for sampler in samplers)
        changed = {a for a, b in zip(whole, gapped, strict=True) if a != b}
        assert changed == ({7} & set(whole))


@pytest.mark.parametrize(
    ("strategy", "alpha", "other"),
    [("hybrid", 1.0, "mono"), ("hybrid", 0.0, "cross"), ("mixed", 1.0, "pooled"), ("mixed", 0.0, "cross")],
)
def test_the_ends_of_alpha_are_other_samplings(strategy: Strategy, alpha: float, other: Strategy) -> None:
    missing = np.random.default_rng(0).random((80, 9)) < 0.3
    sets = [make_pairs(40, NINE, "a"), without(make_pairs(80, NINE, "b"), missing)]
    one, two = Sampler(sets, strategy, alpha, 8, 5), Sampler(sets, other, 0.5, 8, 5)
    for step in range(60):
        ours, theirs = plain(one.batch(step)), plain(two.batch(step))
        assert ours[:2] == theirs[:2] and ours[3:] == theirs[3:]
        assert ours[2] == (strategy if strategy == "mixed" else other)


def test_hybrids_of_unequal_alpha_share_what_they_can() -> None:
    sets = [make_pairs(40, NINE)]
    low, high = Sampler(sets, "hybrid", 0.4, 8, 5), Sampler(sets, "hybrid", 0.6, 8, 5)
    pairs = [(low.batch(step), high.batch(step)) for step in range(100)]
    assert all(b.kind == "mono" for a, b in pairs if a.kind == "mono")
    assert all(plain(a) == plain(b) for a, b in pairs if a.kind == b.kind)
    assert 0 < sum(a.kind != b.kind for a, b in pairs) < 50


# how often


def assert_uniform(counts: Iterable[int], classes: int) -> None:
    """Pearson's statistic within four standard deviations of its mean under equal probabilities."""
    counts = list(counts)
    counts += [0] * (classes - len(counts))
    expected = sum(counts) / classes
    statistic = sum((count - expected) ** 2 for count in counts) / expected
    assert len(counts) == classes
    assert statistic < (classes - 1) + 4 * math.sqrt(2 * (classes - 1))


def assert_share(count: int, of: int, probability: float) -> None:
    assert abs(count - of * probability) < 4 * math.sqrt(of * probability * (1 - probability))


@pytest.mark.parametrize("strategy", ["mono", "hybrid"])
def test_mono_draws_its_language_uniformly_whatever_the_pairs_have(strategy: Strategy) -> None:
    missing = np.zeros((100, 9), bool)
    missing[20:, 4] = True
    sampler = Sampler([without(make_pairs(100, NINE), missing)], strategy, 0.5, 4, 0)
    batches = [batch for batch in map(sampler.batch, range(3000)) if batch.kind == "mono"]
    assert_uniform(Counter(int(batch.query_languages[0]) for batch in batches).values(), 9)


def test_kind_language_and_set_are_drawn_independently() -> None:
    sets = [make_pairs(30, ("de", "en"), "a"), make_pairs(30, ("de", "en"), "b")]
    batches = list(map(Sampler(sets, "hybrid", 0.5, 4, 0).batch, range(3000)))
    mono = [(b.training_set, int(b.query_languages[0])) for b in batches if b.kind == "mono"]
    assert_uniform(Counter(mono).values(), 4)
    assert_uniform(Counter((b.kind, b.training_set) for b in batches).values(), 4)


def test_pooled_draws_each_pair_in_one_of_its_languages_uniformly() -> None:
    missing = np.zeros((40, 9), bool)
    missing[0, :6] = True
    sampler = Sampler([without(make_pairs(40, NINE), missing)], "pooled", 0.5, 20, 0)
    batches = [sampler.batch(step) for step in range(1000)]
    drawn = Counter((int(r), int(c)) for b in batches for r, c in zip(b.pairs, b.query_languages, strict=True))
    assert_uniform((n for (row, _), n in drawn.items() if row == 0), 3)
    assert_uniform((sum(n for (row, c), n in drawn.items() if row and c == column) for column in range(9)), 9)


@pytest.mark.parametrize("strategy", ["cross", "hybrid"])
def test_cross_draws_ordered_pairs_of_languages_uniformly(strategy: Strategy) -> None:
    sampler = Sampler([make_pairs(200, NINE)], strategy, 0.5, 20, 0)
    batches = [batch for batch in map(sampler.batch, range(800)) if batch.kind == "cross"]
    drawn = Counter(
        (int(a), int(b))
        for batch in batches
        for a, b in zip(batch.query_languages, batch.passage_languages, strict=True)
    )
    assert set(drawn) == set(permutations(range(9), 2))
    assert_uniform(drawn.values(), 72)


def test_alpha_is_the_share_of_mono_batches_and_of_same_language_pairs() -> None:
    sets = [make_pairs(100, NINE)]
    hybrid, mixed = Sampler(sets, "hybrid", 0.3, 10, 0), Sampler(sets, "mixed", 0.3, 10, 0)
    assert_share(sum(hybrid.batch(step).kind == "mono" for step in range(2000)), 2000, 0.3)
    batches = [mixed.batch(step) for step in range(300)]
    assert_share(sum(int((b.query_languages == b.passage_languages).sum()) for b in batches), 3000, 0.3)
    same = Counter(
        int(q) for b in batches for q, p in zip(b.query_languages, b.passage_languages, strict=True) if q == p
    )
    assert_uniform(same.values(), 9)


def test_sets_are_drawn_in_proportion_to_what_the_batch_can_use() -> None:
    missing = np.zeros((300, 2), bool)
    missing[100:, 1] = True
    sets = [make_pairs(100, ("de", "en"), "a"), without(make_pairs(300, ("en", "fr"), "b"), missing)]
    shares = {"english": 3 / 4, "pooled": 3 / 4, "mixed": 3 / 4, "cross": 1 / 2}
    for strategy, share in shares.items():
        sampler = Sampler(sets, strategy, 0.5, 4, 0)  # type: ignore[arg-type]
        assert_share(sum(sampler.batch(step).training_set for step in range(2000)), 2000, share)
    mono = Counter(
        (sets[b.training_set].languages[b.query_languages[0]], b.training_set)
        for b in map(Sampler(sets, "mono", 0.5, 4, 0).batch, range(3000))
    )
    assert set(mono) == {("de", 0), ("en", 0), ("en", 1), ("fr", 1)}
    assert_share(mono["de", 0], 3000, 1 / 3)
    assert_share(mono["en", 1], mono["en", 0] + mono["en", 1], 3 / 4)


def test_each_pair_comes_once_an_epoch_in_a_new_order() -> None:
    sampler = Sampler([make_pairs(60, NINE)], "hybrid", 0.5, 12, 0)
    assert sampler.epoch_steps == 5
    epochs = [np.concatenate([sampler.batch(5 * e + s).pairs for s in range(5)]).tolist() for e in range(3)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(60))] * 3
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_a_batch_over_the_end_of_an_epoch_repeats_no_pair() -> None:
    sampler = Sampler([make_pairs(13, NINE)], "cross", 0.5, 12, 0)
    assert sampler.epoch_steps == 2
    assert all(len(set(sampler.batch(step).pairs.tolist())) == 12 for step in range(60))


def test_pairs_with_a_rare_language_meet_each_other_evenly() -> None:
    """Nearly every place of such a batch is filled by a substitute."""
    missing = np.zeros((400, 2), bool)
    missing[np.arange(400) % 33 != 0, 1] = True  # 13 pairs are left
    sampler = Sampler([without(make_pairs(400, ("en", "hi")), missing)], "cross", 0.5, 4, 0)
    batches = [sorted(sampler.batch(step).pairs.tolist()) for step in range(2000)]
    assert_uniform(Counter(row for batch in batches for row in batch).values(), 13)
    met = Counter(pair for batch in batches for pair in combinations(batch, 2))
    assert_uniform(met.values(), math.comb(13, 2))


def test_a_large_set_fills_its_batches_with_a_rare_language() -> None:
    missing = np.zeros((70_000, 2), bool)
    missing[np.arange(70_000) % 5_000 != 0, 1] = True  # 14 pairs are left
    sampler = Sampler([without(make_pairs(70_000, ("en", "hi")), missing)], "cross", 0.5, 14, 0)
    for step in range(5):
        assert sorted(sampler.batch(step).pairs.tolist()) == list(range(0, 70_000, 5_000))


# what is left out


def test_a_language_with_too_few_pairs_is_left_out_of_mono_and_named() -> None:
    missing = np.zeros((40, 3), bool)
    missing[5:, 2] = True
    pairs = without(make_pairs(40, ("de", "en", "hi"), "help"), missing)
    sampler = Sampler([pairs], "hybrid", 0.5, 6, 0)
    assert sampler.warnings == [
        "help: left out of mono batches in 'hi': 5 pairs with 'hi', of which 5 go together, too few for a batch of 6"
    ]
    batches = [sampler.batch(step) for step in range(100)]
    assert all(2 not in b.query_languages for b in batches if b.kind == "mono")
    assert any(2 in b.query_languages for b in batches if b.kind == "cross")
    assert Sampler([pairs], "mono", 0.5, 5, 0).warnings == []


def test_pairs_that_repeat_one_text_count_once() -> None:
    pairs = make_pairs(40, ("de", "en"))
    queries = pairs.queries.copy()
    queries[:36, 0] = queries[0, 0]
    sampler = Sampler([replace(pairs, queries=queries)], "english", 0.5, 5, 0)
    assert sampler.warnings == [
        "set: 36 of 40 pairs share texts with one another; a batch holds one of them, so they are drawn less often "
        "than others"
    ]
    assert all((sampler.batch(step).pairs < 36).sum() == 1 for step in range(50))
    with pytest.raises(InputError, match=r"train.batch_size 6 pairs .*: set \(de en\) has 5 with 'en'"):
        Sampler([replace(pairs, queries=queries)], "english", 0.5, 6, 0)


def test_few_shared_texts_are_no_matter_for_a_warning() -> None:
    pairs = make_pairs(40, ("de", "en"))
    queries = pairs.queries.copy()
    queries[:8, 0] = queries[0, 0]
    assert Sampler([replace(pairs, queries=queries)], "english", 0.5, 5, 0).warnings == []


def test_a_set_too_small_for_a_batch_is_left_out_and_named() -> None:
    sets = [make_pairs(3, ("de", "en"), "small"), make_pairs(30, ("de", "en"), "large")]
    sampler = Sampler(sets, "cross", 0.5, 4, 0)
    assert [warning.split(":")[0] for warning in sampler.warnings] == ["small"]
    assert {sampler.batch(step).training_set for step in range(50)} == {1}


@pytest.mark.parametrize("strategy", ["hybrid", "cross", "english", "mono"])
def test_nothing_to_draw_from_is_an_error_with_the_numbers(strategy: Strategy) -> None:
    with pytest.raises(InputError, match=rf"'{strategy}'.* train.batch_size 4 .*tiny \(de\) has [03] with"):
        Sampler([make_pairs(3, ("de",), "tiny")], strategy, 0.5, 4, 0)


def test_a_pair_whose_hard_negative_is_its_passage_is_not_drawn_in_that_language() -> None:
    pairs = make_pairs(20, ("de", "en"))
    negatives = pairs.negatives.copy()
    negatives[3, 1] = pairs.passages[3, 1]
    sampler = Sampler([replace(pairs, negatives=negatives)], "english", 0.5, 4, 0)
    assert "1 passages are also their pair's hard negative" in sampler.warnings[0]
    assert all(3 not in sampler.batch(step).pairs for step in range(50))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_hard_negatives_that_stand_in_the_way_are_known_before_the_first_batch(strategy: Strategy) -> None:
    with pytest.raises(InputError, match=r"train.batch_size 5 pairs that go together.*: set \(de en\) has 4 with"):
        Sampler([couples(8)], strategy, 0.5, 5, 0)
    sampler = Sampler([couples(8)], strategy, 0.5, 4, 0)
    assert all(set((sampler.batch(step).pairs // 2).tolist()) == {0, 1, 2, 3} for step in range(50))


def test_a_set_whose_hard_negatives_stand_in_the_way_is_left_out_and_named() -> None:
    sampler = Sampler([couples(8, "mined"), make_pairs(30, ("de", "en"), "large")], "cross", 0.5, 6, 0)
    assert sampler.warnings == [
        "mined: left out of batches: 8 pairs with two languages, of which 4 go together, too few for a batch of 6"
    ]
    assert {sampler.batch(step).training_set for step in range(50)} == {1}


def test_a_batch_that_its_first_pairs_would_leave_unfilled_is_drawn_anew() -> None:
    """The passage of pair 0 is the hard negative of all others: where it comes first, none goes with it."""
    pairs = make_pairs(40, ("en",))
    negatives = pairs.negatives.copy()
    negatives[1:, 0] = pairs.passages[0, 0]
    sampler = Sampler([replace(pairs, negatives=negatives)], "english", 0.5, 2, 5)
    first = [int(sampler._slice(0, step)[0]) for step in range(200)]
    assert 0 in first
    assert all(0 not in sampler.batch(step).pairs for step in range(200))


def test_mixed_keeps_pairs_of_one_language_in_it_and_says_so() -> None:
    missing = np.zeros((20, 2), bool)
    missing[:5, 0] = True
    sampler = Sampler([without(make_pairs(20, ("de", "en")), missing)], "mixed", 0.0, 4, 0)
    assert sampler.warnings == ["set: 5 of 20 pairs have one language only and stay in it"]
    for batch in map(sampler.batch, range(30)):
        assert ((batch.query_languages == batch.passage_languages) == (batch.pairs < 5)).all()


def test_what_the_reading_left_out_is_told() -> None:
    pairs = replace(make_pairs(30, ("de", "en"), "help"), notes=("2 rows have no answer and are left out",))
    ((training, _),) = hold_out_all([pairs], 1)
    assert Sampler([training], "mono", 0.5, 5, 0).warnings == ["help: 2 rows have no answer and are left out"]


def test_pairs_that_share_texts_with_held_out_ones_are_never_drawn_and_counted() -> None:
    pairs = make_pairs(31, ("de", "en"), "help")
    held = pairs.pair_ids.index(hold_out_all([pairs], 1)[0][1].pair_ids[0])
    passages = pairs.passages.copy()
    passages[(held + 1) % 31, 0] = pairs.passages[held, 0]
    ((training, _),) = hold_out_all([replace(pairs, passages=passages)], 1)
    blank = training.pair_ids.index(pairs.pair_ids[(held + 1) % 31])
    sampler = Sampler([training], "pooled", 0.5, 4, 0)
    assert sampler.warnings == [
        "help: 1 of 30 pairs are never drawn: they share texts with held-out pairs or evaluation tasks"
    ]
    assert sampler.epoch_steps == 8
    assert all(blank not in sampler.batch(step).pairs for step in range(30))


# counts


def test_counts_are_what_was_drawn_and_survive_json_in_the_middle() -> None:
    sets = [make_pairs(30, ("de", "en", "fr"), "a"), make_pairs(60, ("en", "ru"), "b")]
    sampler = Sampler(sets, "hybrid", 0.5, 5, 0)
    batches = [sampler.batch(step) for step in range(40)]
    whole, resumed = SampleCounts(), SampleCounts()
    for batch in batches:
        if batch.step == 15:
            resumed = SampleCounts.from_plain(json.loads(json.dumps(resumed.as_plain())))
        whole.add(batch)
        resumed.add(batch)
    assert resumed.as_plain() == whole.as_plain()
    tables = resumed.tables(sets)
    drawn = tables["sampled_batches"]
    rows = zip(drawn["training_set"], drawn["kind"], drawn["batches"], strict=True)
    assert Counter({(name, kind): n for name, kind, n in rows}) == Counter(
        (sets[b.training_set].name, b.kind) for b in batches
    )
    expected = Counter(
        (s.name, b.kind, s.languages[q], s.languages[p])
        for b in batches
        for s in [sets[b.training_set]]
        for q, p in zip(b.query_languages, b.passage_languages, strict=True)
    )
    columns = tables["sampled_pairs"]
    assert list(columns) == ["training_set", "kind", "query_language", "passage_language", "pairs"]
    assert Counter({tuple(row[:4]): row[4] for row in zip(*columns.values(), strict=True)}) == expected
    assert sum(columns["pairs"]) == 200


def test_counts_can_be_read_by_eye() -> None:
    counts = SampleCounts()
    rows, columns = np.arange(3), np.array([0, 1, 1])
    counts.add(Batch(0, 1, "cross", rows, columns, 1 - columns))
    counts.add(Batch(1, 1, "cross", rows, columns, 1 - columns))
    counts.add(Batch(2, 0, "mono", rows, np.zeros(3, int), np.zeros(3, int)))
    named = counts.named([make_pairs(3, ("en",), "a"), make_pairs(3, ("de", "en"), "b")])
    assert json.loads(json.dumps(named)) == [
        {"training_set": "a", "kind": "mono", "batches": 1, "pairs": {"en>en": 3}},
        {"training_set": "b", "kind": "cross", "batches": 2, "pairs": {"de>en": 2, "en>de": 4}},
    ]
    assert counts.as_plain()[0]["training_set"] == 0


def test_counts_of_nothing_are_empty() -> None:
    assert SampleCounts().as_plain() == [] == SampleCounts.from_plain([]).as_plain()
    assert SampleCounts().tables([])["sampled_batches"] == {"training_set": [], "kind": [], "batches": []}
