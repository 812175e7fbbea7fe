"""How much of what is sampled is synthetic: exact in expectation, and nothing else changes that need not."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.data.examples import PROPERTY, make_pairs
from workbench.data.pairs import ParallelPairs
from workbench.errors import InputError
from workbench.records import STRATEGIES, Strategy
from workbench.training.counts import SampleCounts
from workbench.training.mixing import Mix, balanced
from workbench.training.sampling import Batch, Sampler

FIVE = ("ar", "de", "en", "hi", "zh")
MADE = ("ar", "de", "hi", "zh")
"""English is what they are made from."""


def with_synthetic(
    count: int,
    human: tuple[str, ...] = FIVE,
    made: tuple[str, ...] = MADE,
    sides: str = "both",
    name: str = "set",
) -> ParallelPairs:
    """Pairs in human languages, and made ones; all texts differ."""
    pairs = make_pairs(count, (*human, *made), name)
    column = np.arange(len(human) + len(made)) >= len(human)
    parts = {"query": "passages", "passage": "queries", "both": ""}
    if left_out := parts[sides]:
        pairs = replace(pairs, **{left_out: np.where(column, np.int32(-1), getattr(pairs, left_out))})
    return replace(pairs, made_by=(*[None] * len(human), *["machine"] * len(made)))


def is_synthetic(batch: Batch, pairs: ParallelPairs) -> NDArray[np.bool_]:
    made = np.array([maker is not None for maker in pairs.makers])
    return made[batch.query_languages] | made[batch.passage_languages]


def languages(batch: Batch, pairs: ParallelPairs) -> list[tuple[str, str]]:
    columns = zip(batch.query_languages.tolist(), batch.passage_languages.tolist(), strict=True)
    return [(pairs.languages[a], pairs.languages[b]) for a, b in columns]


def assert_sound(batch: Batch, pairs: ParallelPairs, size: int) -> None:
    rows = batch.pairs
    assert len(set(rows.tolist())) == len(rows) == size
    assert (pairs.queries[rows, batch.query_languages] >= 0).all()
    assert (pairs.passages[rows, batch.passage_languages] >= 0).all()
    pairs_of_languages = languages(batch, pairs)
    if batch.kind in ("mono", "english"):
        assert len({language for pair in pairs_of_languages for language in pair}) == 1
    if batch.kind == "pooled":
        assert all(a == b for a, b in pairs_of_languages)
    if batch.kind == "cross":
        assert all(a != b for a, b in pairs_of_languages)
    if batch.kind != "pooled":
        assert not any("mul" in pair for pair in pairs_of_languages)


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s != "english"])
@pytest.mark.parametrize("share", [0.0, 0.25, 0.7, 0.95, 1.0])
def test_the_share_is_exact_in_expectation(strategy: Strategy, share: float) -> None:
    pairs = with_synthetic(60)
    sampler = Sampler([pairs], strategy, 0.5, 10, 0, Mix(share))
    drawn = np.concatenate([is_synthetic(sampler.batch(step), pairs) for step in range(1500)])
    # batches of a language that has no synthetic texts come as a whole: fifteen hundred draws of batches, not of places
    assert drawn.mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 1500))


@pytest.mark.parametrize("share", [0.0, 0.25, 0.7, 1.0])
def test_every_batch_has_its_share_up_to_one_place(share: float) -> None:
    pairs = with_synthetic(60)
    sampler = Sampler([pairs], "cross", 0.5, 16, 0, Mix(share))
    drawn = [is_synthetic(sampler.batch(step), pairs).sum() for step in range(200)]
    assert all(abs(count - 16 * share) < 1 for count in drawn)
    assert np.mean(drawn) == pytest.approx(16 * share, abs=0.15)


def test_the_counts_tell_what_was_drawn() -> None:
    pairs = with_synthetic(60)
    sampler, counts = Sampler([pairs], "hybrid", 0.5, 10, 0, Mix(0.4)), SampleCounts()
    expected: Counter[tuple[str, str, str]] = Counter()
    for step in range(50):
        batch = sampler.batch(step)
        counts.add(batch)
        made = is_synthetic(batch, pairs).tolist()
        expected.update(
            (batch.kind, a, b) for (a, b), is_made in zip(languages(batch, pairs), made, strict=True) if is_made
        )
    table = counts.tables([pairs])["synthetic_pairs"]
    found: Counter[tuple[str, str, str]] = Counter()
    for row in zip(*table.values(), strict=True):
        assert row[0] == "set" and {row[4], row[5]} <= {None, "machine"} and {row[4], row[5]} != {None}
        assert all((maker is None) == (language == "en") for maker, language in ((row[4], row[2]), (row[5], row[3])))
        found[row[1], row[2], row[3]] += row[6]
    assert found == expected
    assert sum(row["synthetic"] for row in counts.named([pairs])) == sum(expected.values())
    assert sum(counts.tables([pairs])["sampled_pairs"]["pairs"]) == 500


@pytest.mark.parametrize("strategy", ["mono", "cross", "hybrid", "mixed"])
def test_as_the_share_rises_the_pairs_stay_and_places_become_synthetic(strategy: Strategy) -> None:
    pairs = with_synthetic(60)
    samplers = [Sampler([pairs], strategy, 0.5, 10, 3, Mix(share)) for share in (0.0, 0.2, 0.5, 0.75)]
    for step in range(40):
        batches = [sampler.batch(step) for sampler in samplers]
        assert len({tuple(batch.pairs.tolist()) for batch in batches}) == 1
        # a mixed pair is in one language or in two first, and English has no synthetic texts to be in one with
        assert strategy == "mixed" or len({tuple(languages(batch, pairs)) for batch in batches}) == 1
        made = np.stack([is_synthetic(batch, pairs) for batch in batches])
        assert (made[1:] >= made[:-1]).all()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_without_a_synthetic_pair_it_is_what_it_would_be_without_synthetic_texts(strategy: Strategy) -> None:
    pairs = with_synthetic(60)
    human = slice(0, len(FIVE))
    parts = {part: getattr(pairs, part)[:, human] for part in ("queries", "passages", "negatives")}
    plain = replace(pairs, languages=FIVE, made_by=(), **parts)
    one, other = Sampler([pairs], strategy, 0.5, 10, 3, Mix(0.0)), Sampler([plain], strategy, 0.5, 10, 3)
    for step in range(30):
        a, b = one.batch(step), other.batch(step)
        assert a.pairs.tolist() == b.pairs.tolist() and a.query_languages.tolist() == b.query_languages.tolist()
        assert a.passage_languages.tolist() == b.passage_languages.tolist()


def test_languages_come_equally_often_unless_the_share_forbids_it() -> None:
    pairs = with_synthetic(60)

    def drawn(share: float) -> tuple[Counter[str], list[str]]:
        sampler = Sampler([pairs], "mono", 0.5, 10, 0, Mix(share))
        found = Counter(languages(sampler.batch(step), pairs)[0][0] for step in range(2000))
        return found, sampler.warnings

    even, warnings = drawn(0.8)
    assert all(abs(n - 400) < 80 for n in even.values()) and len(even) == 5 and not warnings
    uneven, warnings = drawn(0.9)
    assert abs(uneven["en"] - 200) < 60 and all(abs(uneven[language] - 450) < 85 for language in MADE)
    assert "mono batches: ar 0.225, de 0.225, en 0.100" in warnings[0]
    assert "en" not in drawn(1.0)[0]


def test_without_a_share_synthetic_texts_stand_where_nobody_wrote_any() -> None:
    pairs = with_synthetic(60, human=("en", "hi"), made=("ar", "de", "hi"))
    for strategy in ("mono", "cross"):
        sampler = Sampler([pairs], strategy, 0.5, 10, 0)  # type: ignore[arg-type]
        used: Counter[str] = Counter()
        for step in range(800):
            batch = sampler.batch(step)
            assert_sound(batch, pairs, 10)
            for column in (*batch.query_languages, *batch.passage_languages):
                assert pairs.languages[column] in (("ar", "de") if pairs.makers[column] else ("en", "hi"))
                used[pairs.languages[column]] += 1
        assert len(used) == 4 and max(used.values()) < 1.2 * min(used.values())


def test_shares_by_language() -> None:
    pairs = with_synthetic(60)
    for strategy in ("mono", "cross", "pooled"):
        sampler = Sampler([pairs], strategy, 0.5, 10, 0, Mix(shares={"de": 0.5, "zh": 1.0}))  # type: ignore[arg-type]
        drawn: Counter[tuple[str, bool]] = Counter()
        for step in range(1500):
            batch = sampler.batch(step)
            columns = np.concatenate([batch.query_languages, batch.passage_languages])
            drawn.update((pairs.languages[column], pairs.makers[column] is not None) for column in columns)
            if strategy != "cross":
                makers = [[pairs.makers[c] for c in side] for side in (batch.query_languages, batch.passage_languages)]
                assert makers[0] == makers[1]
        parts = {
            language: drawn[language, True] / (drawn[language, True] + drawn[language, False]) for language in FIVE
        }
        assert parts == {"ar": 0, "en": 0, "hi": 0, "zh": 1, "de": pytest.approx(0.5, abs=0.04)}


def test_only_pooled_draws_texts_in_several_languages() -> None:
    pairs = with_synthetic(60, human=("de", "en"), made=("mul",))
    for strategy in ("pooled", "mono", "cross", "hybrid", "mixed"):
        sampler = Sampler([pairs], strategy, 0.5, 10, 0)  # type: ignore[arg-type]
        used = set()
        for step in range(50):
            batch = sampler.batch(step)
            assert_sound(batch, pairs, 10)
            used |= {language for pair in languages(batch, pairs) for language in pair}
        assert ("mul" in used) == (strategy == "pooled")
    pooled = Sampler([pairs], "pooled", 0.5, 10, 0, Mix(0.5))
    drawn = [pair for step in range(400) for pair in languages(pooled.batch(step), pairs)]
    assert drawn.count(("mul", "mul")) / len(drawn) == pytest.approx(0.5, abs=0.04)
    with pytest.raises(InputError, match=r"train\.synthetic\.share 0\.5: mono batches: no batch .* allowed: 0"):
        Sampler([pairs], "mono", 0.5, 10, 0, Mix(0.5))


def test_a_synthetic_query_goes_with_the_passage_that_people_wrote() -> None:
    pairs = with_synthetic(60, sides="query")
    for strategy in ("mono", "cross"):
        sampler = Sampler([pairs], strategy, 0.5, 10, 0, Mix(0.6))  # type: ignore[arg-type]
        drawn = []
        for step in range(400):
            batch = sampler.batch(step)
            assert_sound(batch, pairs, 10)
            assert all(pairs.makers[column] is None for column in batch.passage_languages)
            drawn += is_synthetic(batch, pairs).tolist()
        assert np.mean(drawn) == pytest.approx(0.6, abs=0.1)


def test_english_questions_and_translations_of_them() -> None:
    """One language by people, all others by machine: no two human texts are in two languages."""
    pairs = with_synthetic(60, human=("en",))
    with pytest.raises(InputError, match="cross batches: no batch can be filled with pairs of human texts; allowed: 1"):
        Sampler([pairs], "cross", 0.5, 10, 0, Mix(0.5))
    assert all(
        is_synthetic(Sampler([pairs], "cross", 0.5, 10, 0, Mix(1.0)).batch(step), pairs).all() for step in range(9)
    )
    half = Sampler([pairs], "mono", 0.5, 10, 0, Mix(0.5))
    found = Counter(languages(half.batch(step), pairs)[0][0] for step in range(1000))
    assert found["en"] == pytest.approx(500, abs=65)


def test_pairs_that_lack_synthetic_texts_are_replaced_at_their_place() -> None:
    pairs = with_synthetic(60)
    gone = np.zeros_like(pairs.queries, np.bool_)
    gone[:20, len(FIVE) :] = True
    gapped = replace(pairs, queries=np.where(gone, -1, pairs.queries), passages=np.where(gone, -1, pairs.passages))
    whole, partly = (Sampler([p], "cross", 0.5, 10, 0, Mix(0.5)) for p in (pairs, gapped))
    drawn = []
    for step in range(400):
        a, b = whole.batch(step), partly.batch(step)
        assert_sound(b, gapped, 10)
        drawn += is_synthetic(b, gapped).tolist()
        made = is_synthetic(a, pairs)
        assert (is_synthetic(b, gapped) == made).all()
        stays = ~made | (a.pairs >= 20)
        changed = a.pairs != b.pairs
        # a pair that was moved up to a vacant place may itself be replaced further on
        assert set(a.pairs[changed & stays]) <= set(b.pairs[~stays])
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.04)


def test_two_sets_of_which_one_has_synthetic_texts() -> None:
    sets = [with_synthetic(60, name="a"), make_pairs(60, FIVE, "b")]
    sampler = Sampler(sets, "cross", 0.5, 10, 0, Mix(0.4))
    batches = [sampler.batch(step) for step in range(1000)]
    drawn = np.concatenate([is_synthetic(batch, sets[batch.training_set]) for batch in batches])
    assert drawn.mean() == pytest.approx(0.4, abs=0.06)
    assert np.mean([batch.training_set for batch in batches]) == pytest.approx(0.5, abs=0.07)


@settings(PROPERTY, max_examples=150)
@given(
    st.sampled_from(("mono", "cross", "hybrid", "pooled", "mixed")),
    st.one_of(st.none(), st.floats(0, 1)),
    st.floats(0, 0.8),
    st.sampled_from(("both", "query", "passage")),
    st.booleans(),
    st.integers(0, 2**31 - 1),
)
def test_every_batch_keeps_the_promises(
    strategy: Strategy, share: float | None, gaps: float, sides: str, with_mul: bool, seed: int
) -> None:
    made = (*MADE, "mul") if with_mul else MADE
    pairs = with_synthetic(40, made=made, sides=sides)
    gone = np.random.default_rng(seed).random(pairs.queries.shape) < gaps
    pairs = replace(pairs, queries=np.where(gone, -1, pairs.queries), passages=np.where(gone, -1, pairs.passages))
    try:
        sampler = Sampler([pairs], strategy, 0.5, 4, seed, Mix(share))
    except InputError:
        return  # too many gaps to fill a batch
    batches = [sampler.batch(step) for step in range(8)]
    for batch in batches:
        assert_sound(batch, pairs, 4)
    again = Sampler([pairs], strategy, 0.5, 4, seed, Mix(share)).batch(7)
    assert again.pairs.tolist() == batches[7].pairs.tolist()
    assert again.query_languages.tolist() == batches[7].query_languages.tolist()


@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.sampled_from(("human", "synthetic", "both"))), min_size=1, max_size=8),
    st.floats(0, 1),
)
@settings(PROPERTY, max_examples=300)
def test_the_balance(kinds: list[tuple[float, str]], share: float) -> None:
    weights = np.array([weight for weight, _ in kinds])
    weights /= weights.sum()
    human = np.array([able != "synthetic" for _, able in kinds])
    synthetic = np.array([able != "human" for _, able in kinds])
    if (share > 0 and not synthetic.any()) or (share < 1 and not human.any()):
        with pytest.raises(InputError):
            balanced(weights, human, synthetic, share)
        return
    balance, shares = balanced(weights, human, synthetic, share)
    assert balance.sum() == pytest.approx(1) and balance @ shares == pytest.approx(share, abs=1e-9)
    assert (balance >= 0).all() and (shares[~synthetic] == 0).all() and (shares[~human] == 1).all()
    lowest, highest = weights[~human].sum(), 1 - weights[~synthetic].sum()
    if lowest <= share <= highest:
        assert balance == pytest.approx(weights)


def misaligned(pairs: ParallelPairs, rate: float) -> ParallelPairs:
    """Of each synthetic column, passages of that part are those of other pairs."""
    random, passages = np.random.default_rng(0), pairs.passages.copy()
    for column in range(len(FIVE), len(pairs.languages)):
        rows = np.flatnonzero(random.random(len(passages)) < rate)
        passages[rows, column] = random.permutation(pairs.passages[:, column])[rows]
    return replace(pairs, passages=passages)


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.9])
def test_misaligned_passages_tie_together_only_the_pairs_that_share_them(rate: float) -> None:
    plain = with_synthetic(200)
    pairs = misaligned(plain, rate)
    sampler, whole = (Sampler([p], "cross", 0.5, 10, 0, Mix(0.5)) for p in (pairs, plain))
    drawn: set[int] = set()
    for step in range(20):
        batch = sampler.batch(step)
        assert_sound(batch, pairs, 10)
        texts = [set(pairs.passages[row].tolist()) for row in batch.pairs]
        assert sum(map(len, texts)) == len(set().union(*texts))
        assert (batch.pairs == whole.batch(step).pairs).sum() >= 3
        drawn |= set(batch.pairs.tolist())
    assert len(drawn) > 140 and not sampler.warnings


def test_a_synthetic_passage_that_is_a_hard_negative_stays_away_from_its_pair() -> None:
    pairs = with_synthetic(30, human=("en",), made=("de",))
    negatives = pairs.negatives.copy()
    negatives[:15, 0] = pairs.passages[15:, 1]
    pairs = replace(pairs, negatives=negatives)
    sampler = Sampler([pairs], "mono", 0.5, 12, 0)
    for step in range(60):
        rows = set(sampler.batch(step).pairs.tolist())
        assert len(rows) == 12 and not any(row + 15 in rows for row in rows)


def test_shares_by_language_are_made_up_for_where_a_text_is_of_one_origin_alone() -> None:
    pairs = with_synthetic(60)
    gone = np.zeros_like(pairs.queries, np.bool_)
    gone[:20, len(FIVE) + MADE.index("de")] = True
    gone[:50, len(FIVE) + MADE.index("zh")] = True
    pairs = replace(pairs, queries=np.where(gone, -1, pairs.queries), passages=np.where(gone, -1, pairs.passages))
    sampler = Sampler([pairs], "pooled", 0.5, 10, 0, Mix(shares={"de": 0.5, "zh": 0.5}))
    drawn: Counter[tuple[str, bool]] = Counter()
    for step in range(1500):
        columns = sampler.batch(step).query_languages
        drawn.update((pairs.languages[column], pairs.makers[column] is not None) for column in columns)
    parts = {its: drawn[its, True] / (drawn[its, True] + drawn[its, False]) for its in ("de", "zh")}
    assert parts == {"de": pytest.approx(0.5, abs=0.04), "zh": pytest.approx(1 / 6, abs=0.03)}
    assert sampler.warnings == [
        "set: train.synthetic.shares.zh 0.5 cannot be had: 0.000 to 0.167 of its texts there can be synthetic"
    ]


def test_a_share_of_a_language_without_synthetic_texts_is_refused() -> None:
    with pytest.raises(InputError, match=r"shares\.en: 0\.5, but no .* in 'en'; allowed: ar, de, hi, zh"):
        Sampler([with_synthetic(20)], "mono", 0.5, 4, 0, Mix(shares={"de": 1, "en": 0.5}))
    Sampler([with_synthetic(20)], "mono", 0.5, 4, 0, Mix(shares={"en": 0}))


def test_languages_with_too_few_synthetic_pairs_are_named() -> None:
    pairs = with_synthetic(60)
    gone = np.zeros_like(pairs.queries, np.bool_)
    gone[7:, len(FIVE)] = True
    pairs = replace(pairs, queries=np.where(gone, -1, pairs.queries), passages=np.where(gone, -1, pairs.passages))
    warning = "set: no synthetic pairs in mono batches with 'ar': 7 go together, too few for a batch of 10"
    assert Sampler([pairs], "mono", 0.5, 10, 0, Mix(0.3)).warnings == [warning]
    assert not Sampler([pairs], "mono", 0.5, 10, 0, Mix(0)).warnings


def test_pairs_in_several_languages_count_where_they_are_drawn() -> None:
    pairs = with_synthetic(60, human=(), made=("mul",))
    sampler = Sampler([pairs], "pooled", 0.5, 10, 0)
    assert sampler.epoch_steps == 6 and not sampler.warnings
    beside = Sampler([with_synthetic(60, human=("de", "en"), made=("mul",))], "cross", 0.5, 10, 0)
    assert beside.epoch_steps == 6 and "'pooled'" in beside.warnings[0]
