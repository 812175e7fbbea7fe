"""Noise: what each kind does to a text by hand, how often, and that it hangs on seed, pair, language and kind alone."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.pairs import normalised
from workbench.errors import InputError
from workbench.records import CorruptionSpec
from workbench.synthesis.corruption import NOISES, Touched, corrupted
from workbench.synthesis.versions import Versions
from workbench.synthesis.words import is_word, split

KINDS = ("wrong_language", *NOISES, "misaligned")
THAI = "แม่น้ำไหลผ่านเมืองเก่า"
CHINESE = "河流穿过古老的城镇。"


def words_of(text: str | None) -> list[str]:
    assert text is not None
    return [piece for piece in split(text) if is_word(piece)]


def versions_of(count: int, languages: Sequence[str] = ("de", "th", "zh"), longest: int = 25) -> Versions:
    """Texts of invented words, each with its language and pair in it; the source's words are others."""
    random = Random(11)
    rows = []
    for pair in range(count):
        query, passage = ([f"s{random.randrange(10**6)}" for _ in range(random.randint(2, longest))] for _ in range(2))
        for language in languages:
            made = [" ".join(f"{language}{word[1:]}" for word in text) + "." for text in (query, passage)]
            rows.append((f"pair {pair}", language, *made, " ".join(query), " ".join(passage)))
    return Versions(*map(list, zip(*rows, strict=True)))


def one(text: str, source: str = "the river flows", language: str = "de") -> Versions:
    return Versions(["a"], [language], [text], [text], [source], [source])


def noisy(versions: Versions, seed: int = 0, **rates: float) -> Versions:
    return corrupted(versions, CorruptionSpec(**rates), seed)[0]


def rows_of(versions: Versions) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    keys = zip(versions.pair_ids, versions.languages, strict=True)
    return dict(zip(keys, zip(versions.queries, versions.passages, strict=True), strict=True))


def test_rates_of_0_are_the_identity() -> None:
    versions = versions_of(5)
    assert corrupted(versions, CorruptionSpec(), 0) == (versions, {})


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows(kind: str) -> None:
    empty = versions_of(1).take([])
    assert corrupted(empty, CorruptionSpec(**{kind: 1.0}), 0)[0] == empty


def test_word_drop_keeps_a_word() -> None:
    for text, words in (("Der alte Fluss, ja.", 4), (THAI, len(split(THAI))), (CHINESE, 9)):
        made, counts = corrupted(one(text), CorruptionSpec(word_drop=1.0), 0)
        for left in (made.queries[0], made.passages[0]):
            assert len(words_of(left)) == 1 and words_of(left)[0] in words_of(text)
        assert counts == {"word_drop": {"de": Touched(2 * (words - 1), 2 * words)}}
    for text in ("Fluss", " ?! ", "河"):
        assert noisy(one(text), word_drop=1.0) == one(text)


def test_what_stands_between_words_stays() -> None:
    made = noisy(one("(eins, zwei) drei; vier"), 3, word_drop=0.5)
    for text in (made.queries[0], made.passages[0]):
        assert text is not None and "  " not in text and text == text.strip()
        assert [mark for mark in text if mark in "(,);"] == list("(,);")


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("eins, zwei, drei!", "one two three", "one, two, three!"),
        ("eins zwei", "one two three four", "two four"),
        ("eins, zwei drei vier.", "one two", "one, two."),
        ("eins zwei drei", "only", "only"),
        ("河流穿过", "one two", "one two"),
        ("แม่น้ำ", "ก ข ค", "กขค"),
        ("eins zwei", "?", "eins zwei"),
        ("?!", "one", "?!"),
    ],
)
def test_untranslated_by_hand(text: str, source: str, expected: str) -> None:
    made = noisy(one(text, source), untranslated=1.0)
    assert (made.queries, made.passages) == ([expected], [expected])


def test_untranslated_words_come_from_the_same_place() -> None:
    versions = versions_of(40)
    made = noisy(versions, untranslated=0.3)
    for text, source, before in zip(made.passages, made.source_passages, versions.passages, strict=True):
        for word, source_word, word_before in zip(words_of(text), words_of(source), words_of(before), strict=True):
            assert word in (source_word, word_before)


@given(st.integers(0, 10**6), st.sampled_from(["a b c d e f", "a b, a", THAI, CHINESE, "eins zwei", "x x y"]))
def test_shuffle_stays_within_a_window_of_three(seed: int, text: str) -> None:
    made = noisy(one(text), seed, shuffle=1.0)
    for shuffled in (made.queries[0], made.passages[0]):
        before, after = words_of(text), words_of(shuffled)
        assert sorted(after) == sorted(before) and after != before
        if len(set(before)) == len(before):
            assert all(abs(after.index(word) - place) <= 2 for place, word in enumerate(before))


def test_shuffle_moves_words_alone() -> None:
    made = noisy(one("(eins) zwei, drei; "), shuffle=1.0).queries[0]
    assert made is not None
    assert [piece for piece in split(made) if not is_word(piece)] == ["(", ")", " ", ",", " ", ";", " "]
    for text in ("Fluss", "ja ja ja", "?"):
        assert corrupted(one(text), CorruptionSpec(shuffle=1.0), 0) == (one(text), {"shuffle": {"de": Touched(0, 2)}})


def test_truncated_texts_end_after_any_word_but_the_last() -> None:
    ends = set()
    for seed in range(60):
        made = noisy(one("Eins, “zwei”; drei vier."), seed, truncated=1.0)
        ends |= {*made.queries, *made.passages}
    assert ends == {"Eins", "Eins, “zwei", "Eins, “zwei”; drei"}
    for text in ("Fluss.", "?", "河"):
        assert noisy(one(text), truncated=1.0) == one(text)
    cut = noisy(one(CHINESE), truncated=1.0).queries[0]
    assert cut and CHINESE.startswith(cut) and len(cut) < 9


def test_wrong_language_at_rate_1_exchanges_the_versions_of_a_pair() -> None:
    versions = versions_of(50)
    before = rows_of(versions)
    made, counts = corrupted(versions, CorruptionSpec(wrong_language=1.0), 0)
    taken_from: dict[tuple[str, str], int] = {}
    for (pair_id, language), texts in rows_of(made).items():
        assert texts != before[pair_id, language] and texts in [before[pair_id, other] for other in ("de", "th", "zh")]
        came = next(other for other in ("de", "th", "zh") if before[pair_id, other] == texts)
        taken_from[language, came] = taken_from.get((language, came), 0) + 1
    for pair in range(50):
        texts = [rows_of(made)[f"pair {pair}", language] for language in ("de", "th", "zh")]
        assert len(set(texts)) == 3
    assert len(taken_from) == 6 and min(taken_from.values()) > 10
    assert counts == {"wrong_language": {language: Touched(50, 50) for language in ("de", "th", "zh")}}


def test_wrong_language_wants_two_languages() -> None:
    with pytest.raises(InputError, match=r"wrong_language: 0.1 with no pair in two synthetic languages, but in mul"):
        noisy(versions_of(3, ["mul"]), wrong_language=0.1)
    alone = versions_of(2).take([0, 1, 3])  # the second pair is in German alone
    made, counts = corrupted(alone, CorruptionSpec(wrong_language=1.0), 0)
    assert made.queries[2] == alone.queries[2]
    assert counts["wrong_language"] == {"de": Touched(1, 2), "th": Touched(1, 1)}
    one_side = alone.with_texts([None, *alone.queries[1:]], alone.passages)
    assert noisy(one_side, wrong_language=1.0) == one_side


def test_misaligned_at_rate_1_exchanges_the_passages_of_a_language() -> None:
    versions = versions_of(50)
    made, counts = corrupted(versions, CorruptionSpec(misaligned=1.0), 0)
    assert made.queries == versions.queries
    assert not any(new == old for new, old in zip(made.passages, versions.passages, strict=True))
    for language in ("de", "th", "zh"):
        rows = [row for row, other in enumerate(versions.languages) if other == language]
        assert sorted(made.take(rows).passages) == sorted(versions.take(rows).passages)
    assert counts == {"misaligned": {language: Touched(50, 50) for language in ("de", "th", "zh")}}


def test_misaligned_queries_where_no_passage_was_made() -> None:
    versions = versions_of(10)
    queries_alone = versions.with_texts(versions.queries, [None] * len(versions))
    made = noisy(queries_alone, misaligned=1.0)
    assert made.passages == queries_alone.passages and sorted(made.queries) == sorted(versions.queries)
    assert not any(new == old for new, old in zip(made.queries, versions.queries, strict=True))
    passages_alone = versions.with_texts([None] * len(versions), versions.passages)
    made = noisy(passages_alone, misaligned=1.0)
    assert made.queries == passages_alone.queries
    assert not any(new == old for new, old in zip(made.passages, versions.passages, strict=True))


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from("abcABC")] * 4), min_size=1, max_size=12), st.integers(0, 9))
def test_a_misaligned_pair_is_never_a_true_one(texts: list[tuple[str, str, str, str]], seed: int) -> None:
    ids = [f"p{row}" for row in range(len(texts))]
    versions = Versions(ids, ["de"] * len(texts), *map(list, zip(*texts, strict=True)))
    made, counts = corrupted(versions, CorruptionSpec(misaligned=1.0), seed)
    plain = [tuple(normalised(part) for part in row) for row in texts]
    moved = 0
    for row in range(len(texts)):
        others = [
            other
            for other in texts
            if all(normalised(part) != own for part, own in zip(other, plain[row], strict=True))
        ]
        if others:
            moved += 1
            assert made.passages[row] in [other[1] for other in others]
            assert normalised(str(made.passages[row])) != plain[row][1]
        else:
            assert made.passages[row] == texts[row][1]
        assert made.queries[row] == texts[row][0]
    assert counts["misaligned"]["de"] == Touched(moved, len(texts))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_realised_rates(kind: str, rate: float) -> None:
    versions = versions_of(700)
    made, counts = corrupted(versions, CorruptionSpec(**{kind: rate}), 4)
    assert list(counts) == [kind] and list(counts[kind]) == ["de", "th", "zh"]
    for touched, of in counts[kind].values():
        slack = 4 * np.sqrt(rate * (1 - rate) / of)
        # word_drop keeps a word where all would go, which in texts of two words happens at the rate squared
        assert -slack - (0.01 if kind == "word_drop" else 0) <= touched / of - rate <= slack
    if kind in ("shuffle", "truncated"):
        changed = sum(
            new != old
            for side in ("queries", "passages")
            for new, old in zip(getattr(made, side), getattr(versions, side), strict=True)
        )
        assert changed == sum(touched for touched, _ in counts[kind].values())
    if kind in ("wrong_language", "misaligned"):
        changed = sum(new != old for new, old in zip(made.passages, versions.passages, strict=True))
        assert changed == sum(touched for touched, _ in counts[kind].values())


@pytest.mark.parametrize("kind", KINDS)
def test_what_happens_at_one_rate_happens_at_every_higher_one(kind: str) -> None:
    versions = versions_of(40)
    made = [noisy(versions, 2, **{kind: rate}) for rate in (0.0, 0.2, 0.5, 0.8, 1.0)]
    for lower, higher in pairwise(made):
        for original, low, high in zip(versions.passages, lower.passages, higher.passages, strict=True):
            if kind == "word_drop":
                left = iter(words_of(low))
                assert all(word in left for word in words_of(high))  # a part, in the same order
            elif kind == "untranslated":
                words = zip(words_of(original), words_of(low), words_of(high), strict=True)
                assert all(before in (word, after) or before == after for word, before, after in words)
            else:
                assert low in (original, high)


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_noise_in_a_text_hangs_on_no_other_pair_nor_on_the_order(data: st.DataObject) -> None:
    versions = versions_of(12)
    rates: dict[str, Any] = dict.fromkeys(("wrong_language", *NOISES), 0.3)
    everything = rows_of(noisy(versions, 5, **rates))
    pairs = data.draw(st.lists(st.integers(0, 11), unique=True, min_size=1))
    rows = data.draw(st.permutations([3 * pair + language for pair in pairs for language in range(3)]))
    some = rows_of(noisy(versions.take(rows), 5, **rates))
    assert some == {key: everything[key] for key in some}
    order = data.draw(st.permutations(range(36)))
    shuffled = noisy(versions.take(order), 5, misaligned=0.5, **rates)
    assert rows_of(shuffled) == rows_of(noisy(versions, 5, misaligned=0.5, **rates))


@pytest.mark.parametrize("kind", KINDS)
def test_seeds_differ(kind: str) -> None:
    versions = versions_of(30)
    assert noisy(versions, 0, **{kind: 0.5}) != noisy(versions, 1, **{kind: 0.5})
    assert noisy(versions, 1, **{kind: 0.5}) == noisy(versions, 1, **{kind: 0.5})


@settings(deadline=None)
@given(st.text(min_size=1), st.text(min_size=1), st.integers(0, 99), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_a_text_never_becomes_empty(text: str, source: str, seed: int, rates: list[float]) -> None:
    made = noisy(one(text, source), seed, **dict(zip(NOISES, rates, strict=True)))
    for new in (made.queries[0], made.passages[0]):
        assert new and (new == text or new.strip())
        assert bool(words_of(new)) == bool(words_of(text))


def test_sides_that_were_not_made_stay_so() -> None:
    versions = versions_of(20)
    versions = versions.with_texts([None] * len(versions), versions.passages)
    made, counts = corrupted(versions, CorruptionSpec(**dict.fromkeys(KINDS, 0.5)), 0)
    assert made.queries == versions.queries and None not in made.passages
    assert list(counts) == list(KINDS)
    assert counts["shuffle"]["de"].of == 20
    assert (made.source_queries, made.source_passages) == (versions.source_queries, versions.source_passages)
