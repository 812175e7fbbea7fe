"""Code-switching: hand-worked sentences, both modes, what p means, and that nothing hangs on other pairs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.records import CodeSwitchingSpec
from workbench.synthesis.code_switching import SwitchCount, code_switched
from workbench.synthesis.draws import draws
from workbench.synthesis.lexicons import Lexicon, load_lexicons
from workbench.synthesis.versions import Versions
from workbench.synthesis.words import split, word_places

SHARED = Path(__file__).parents[2] / "../shared/data/lexicons"

needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the real lexicons are not there")

LEXICONS = {
    language: Lexicon(language, dict(entry.split("=") for entry in entries.split(";")))
    for language, entries in {
        "de": "the=der;river=Fluss;flows=fließt;through=durch;old=alt;town=stadt;radio=radio",
        "th": "the=นี้;river=แม่น้ำ;old=เก่า;town=เมือง",
        "zh": "river=河;flows=流过;town=城镇;old=旧的 的",
        "tr": "river=ırmak;old=ihtiyar;town=il;through=içinden",
    }.items()
}


def switch(
    texts: Mapping[str, tuple[str, str]] | Sequence[str],
    languages: Sequence[str] = ("de",),
    seed: int = 0,
    lexicons: Mapping[str, Lexicon] = LEXICONS,
    source: str = "en",
    **spec: Any,
) -> tuple[Versions, dict[str, SwitchCount]]:
    """Switched with p = 1 unless told otherwise; one text stands for a pair's query and passage."""
    pairs = texts if isinstance(texts, Mapping) else {f"p{n}": (text, text) for n, text in enumerate(texts)}
    queries, passages = [query for query, _ in pairs.values()], [passage for _, passage in pairs.values()]
    chosen = {language: lexicons[language] for language in languages}
    settings = CodeSwitchingSpec("none", **{"p": 1.0, **spec})
    versions, counts = code_switched(list(pairs), queries, passages, chosen, settings, source, seed)
    return versions, {count.language: count for count in counts}


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "The river flows  through the OLD town.", "Der Fluss fließt  durch der Alt stadt."),
        ("de", "“River”: town/river, 3.5 km\n", "“Fluss”: stadt/Fluss, 3.5 km\n"),
        ("de", "Its RADIO is by the Radio", "Its RADIO is by der Radio"),
        ("th", "The old river, the Town.", "นี้ เก่า แม่น้ำ, นี้ เมือง."),
        ("zh", "Old town; old River", "旧的 的 城镇; 旧的 的 河"),
        ("tr", "Through the Old river, Town", "İçinden the İhtiyar ırmak, İl"),
    ],
)
def test_hand_worked(language: str, text: str, expected: str) -> None:
    versions, _ = switch([text], [language])
    assert versions == Versions(("p0",), (language,), (expected,), (expected,), (text,), (text,))


@pytest.mark.parametrize(
    ("source", "entries", "text", "expected"),
    [
        # the lexicon's words of two characters are none to the splitter; those that stay keep their places
        ("zh", {"我": "I", "你": "you", "城镇": "town"}, "我爱你，城镇。", "I爱you，城镇。"),
        ("zh", {"我": "I", "爱": "love", "你": "you"}, "我爱你。", "I love you。"),
        ("zh", {"我": "ฉัน", "你": "คุณ"}, "我爱你。", "ฉัน爱คุณ。"),
        ("th", {"ณ": "at"}, "ณ เมือง ณเก่า", "at เมือง atเก่า"),
    ],
)
def test_texts_without_blanks(source: str, entries: dict[str, str], text: str, expected: str) -> None:
    versions, _ = switch([text], ["xx"], lexicons={"xx": Lexicon("xx", entries)}, source=source)
    assert versions.passages == (expected,)


def test_counts_by_hand() -> None:
    pairs = {"a": ("The old river", "No word known"), "b": ("Radio", "3.5!"), "c": ("River", "the radio town")}
    versions, counts = switch(pairs)
    assert versions == Versions(
        pair_ids=("a", "c"),
        languages=("de", "de"),
        queries=("Der alt Fluss", "Fluss"),
        passages=("No word known", "der radio stadt"),
        source_queries=("The old river", "River"),
        source_passages=("No word known", "the radio town"),
    )
    count = SwitchCount(
        "de",
        pairs=3,
        texts=6,
        switched_pairs=2,
        switched_texts=3,
        words=12,
        looked_up=12,
        found=8,
        replaced=6,
    )
    assert counts == {"de": count}
    assert (count.switch_rate, count.coverage) == (0.5, 8 / 12)


def test_nothing_is_switched_at_p_0() -> None:
    for mode in ("bilingual", "multilingual"):
        versions, counts = switch(["The old river"], ["de", "th"], p=0.0, mode=mode)
        assert len(versions) == 0 and versions.take([]) == Versions([], [], [], [], [], [])
        assert all(
            (c.switched_pairs, c.looked_up, c.switch_rate, c.coverage) == (0, 0, 0, None) for c in counts.values()
        )
    _, counts = switch(["?"])
    assert (counts["de"].switch_rate, counts["de"].coverage) == (None, None)


@pytest.mark.parametrize("side", ["query", "passage"])
def test_one_side(side: str) -> None:
    pairs = {"a": ("The river", "old town"), "b": ("Radio", "Radio")}
    versions, counts = switch(pairs, sides=side)
    both, _ = switch(pairs)
    assert versions.pair_ids == ("a",)
    assert versions.queries == (both.queries if side == "query" else (None,))
    assert versions.passages == (both.passages if side == "passage" else (None,))
    assert (counts["de"].pairs, counts["de"].texts, counts["de"].switched_texts) == (2, 2, 1)
    # a pair whose passage would change has no version when only its query is switched and does not
    assert not len(switch({"a": ("Radio", "old town")}, sides="query")[0])


def test_bilingual_makes_a_version_in_each_language() -> None:
    versions, counts = switch(["The river", "flows", "through"], ["zh", "de", "th"])
    assert list(zip(versions.pair_ids, versions.languages, versions.queries, strict=True)) == [
        ("p0", "de", "Der Fluss"),
        ("p0", "th", "นี้ แม่น้ำ"),
        ("p0", "zh", "The 河"),
        ("p1", "de", "fließt"),
        ("p1", "zh", "流过"),
        ("p2", "de", "durch"),
    ]
    assert [(c.language, c.pairs, c.switched_pairs) for c in counts.values()] == [
        ("de", 3, 3),
        ("th", 3, 1),
        ("zh", 3, 2),
    ]


def test_multilingual_draws_a_language_for_each_word() -> None:
    words = "river old town " * 40
    versions, counts = switch({"a": (words, "the"), "b": ("?", "!")}, ["de", "th", "zh"], mode="multilingual")
    drawn = (draws(120, 0, "language", "mul", "query", "a") * 3).astype(int)
    languages = [("de", "th", "zh")[number] for number in drawn]
    expected = [LEXICONS[language].translations[word] for language, word in zip(languages, words.split(), strict=True)]
    assert (versions.pair_ids, versions.languages) == (("a",), ("mul",))
    assert versions.queries == (" ".join(expected) + " ",)
    assert versions.passages[0] in ("der", "นี้", "the")
    assert list(counts) == ["de", "th", "zh", "mul"]
    total = counts["mul"]
    assert (total.words, total.pairs, total.switched_pairs) == (121, 2, 1)
    for kind in ("words", "looked_up", "found", "replaced"):
        assert getattr(total, kind) == sum(getattr(counts[language], kind) for language in ("de", "th", "zh"))
    languages.append(("de", "th", "zh")[int(3 * draws(1, 0, "language", "mul", "passage", "a")[0])])
    assert [counts[language].words for language in ("de", "th", "zh")] == [
        languages.count(language) for language in ("de", "th", "zh")
    ]
    assert all(25 <= languages.count(language) <= 56 for language in ("de", "th", "zh"))  # three deviations


def test_multilingual_wants_two_languages() -> None:
    with pytest.raises(InputError, match="'multilingual' with words of de alone; allowed: two languages or more"):
        switch(["river"], ["de"], mode="multilingual")


def random_pairs(count: int, seed: int = 5) -> dict[str, tuple[str, str]]:
    """Of words of which German has three quarters, and none that is the same in German."""
    random = Random(seed)
    words = ["the", "river", "flows", "through", "old", "town", "unheard", "yonder"]
    texts = [" ".join(random.choices(words, k=random.randint(1, 30))) for _ in range(2 * count)]
    return {f"pair {number}": (texts[2 * number], texts[2 * number + 1]) for number in range(count)}


@pytest.mark.parametrize("p", [0.25, 0.5, 0.75, 1.0])
def test_realised_rate(p: float) -> None:
    pairs = random_pairs(400)
    _, counts = switch(pairs, p=p)
    count, all_words = counts["de"], " ".join(text for pair in pairs.values() for text in pair).split()
    coverage = sum(word in LEXICONS["de"].translations for word in all_words) / len(all_words)
    assert count.words == len(all_words)
    # four standard errors of a share of so many words
    assert abs(count.looked_up / count.words - p) <= 4 * np.sqrt(p * (1 - p) / count.words)
    rate = p * coverage
    assert count.switch_rate is not None
    assert abs(count.switch_rate - rate) <= 4 * np.sqrt(rate * (1 - rate) / count.words)
    assert count.replaced == count.found


def texts_of(versions: Versions) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    keys = zip(versions.pair_ids, versions.languages, strict=True)
    return dict(zip(keys, zip(versions.queries, versions.passages, strict=True), strict=True))


@pytest.mark.parametrize("mode", ["bilingual", "multilingual"])
def test_words_switched_at_one_p_are_switched_at_every_higher_one(mode: str) -> None:
    pairs = random_pairs(60)
    previous: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    for p in (0.1, 0.25, 0.5, 0.75, 1.0):
        now = texts_of(switch(pairs, ["de", "tr"], p=p, mode=mode)[0])
        for key, before in previous.items():
            for source, first, second in zip(pairs[key[0]], before, now[key], strict=True):
                assert first is not None and second is not None
                for word, one, other in zip(source.split(), first.split(), second.split(), strict=True):
                    assert one in (word, other)
        assert previous.keys() <= now.keys()
        previous = now


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_a_version_hangs_on_no_other_pair(data: st.DataObject) -> None:
    pairs = random_pairs(12)
    mode = data.draw(st.sampled_from(["bilingual", "multilingual"]))
    everything = texts_of(switch(pairs, ["de", "th"], seed=1, p=0.4, mode=mode)[0])
    some = data.draw(st.lists(st.sampled_from(sorted(pairs)), unique=True))
    few = texts_of(switch({pair_id: pairs[pair_id] for pair_id in some}, ["th", "de"], seed=1, p=0.4, mode=mode)[0])
    assert few == {key: texts for key, texts in everything.items() if key[0] in some}


def test_streams_differ_by_seed_pair_side_and_language() -> None:
    text = "river old town " * 20
    lexicons = {language: Lexicon(language, {"river": "1", "old": "2", "town": "3"}) for language in ("de", "th")}
    seen = set()
    for seed in (0, 1):
        versions, _ = switch([text, text], ["de", "th"], seed, lexicons, p=0.5)
        seen |= {*versions.queries, *versions.passages}
    assert len(seen) == 16


SENTENCES = (
    "The old bridge over the river was built by hand in the year 1820.",
    "Which animals live in the forest near the mountain village?",
    "A strong wind carried the leaves across the garden and into the house.",
    "How many people work in the largest library of the country?",
)


@needs_shared
def test_real_lexicons() -> None:
    lexicons = load_lexicons(str(SHARED), "en", None, Path())
    versions, counts = switch(SENTENCES, list(lexicons), lexicons=lexicons)
    assert {"ar", "de", "el", "es", "fi", "hi", "ja", "ru", "sw", "tr", "zh"} <= set(versions.languages)
    for language in ("ar", "de", "es", "hi", "ja", "ru", "zh"):
        coverage = counts[language].coverage
        assert coverage is not None and coverage > 0.7, language
    words = [pieces[place] for text in SENTENCES for pieces in [split(text)] for place in word_places(pieces)]
    for count in counts.values():
        assert count.words == count.looked_up == 2 * len(words)
        assert count.found == 2 * sum(word.lower() in lexicons[count.language].translations for word in words)
    for text, source in zip(versions.passages, versions.source_passages, strict=True):
        assert text is not None and text != source and text.endswith(source[-1])


@needs_shared
@pytest.mark.parametrize("mode", ["bilingual", "multilingual"])
def test_realised_rate_with_real_lexicons(mode: str) -> None:
    languages = ["bn", "es", "sw", "th", "vi"]
    lexicons = load_lexicons(str(SHARED), "en", languages, Path())
    random = Random(2)
    words = sorted(set().union(*(list(lexicon.translations)[:300] for lexicon in lexicons.values())))
    pairs = {f"{n}": (" ".join(random.choices(words, k=8)), " ".join(random.choices(words, k=30))) for n in range(100)}
    _, at_one = switch(pairs, languages, lexicons=lexicons, mode=mode)
    _, counts = switch(pairs, languages, lexicons=lexicons, p=0.5, mode=mode)
    for language, count in counts.items():
        rate = at_one[language].replaced / at_one[language].words
        assert count.switch_rate is not None and count.words == at_one[language].words
        # the words are the same, so what varies is which of those that can be replaced are looked up
        assert abs(count.switch_rate - rate / 2) <= 4 * np.sqrt(rate / 4 / count.words)
