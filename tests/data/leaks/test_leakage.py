"""The check against the definitions, worked out text by text."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.examples import PROPERTY
from tests.data.leaks.leak_examples import TrainingRow, make_set, make_task
from workbench.data.demo import retrieval_task, training_pairs
from workbench.data.leaks import leak_search
from workbench.data.leaks.leakage import Leakage, find_leaks, without_concerned
from workbench.data.leaks.ngrams import gram_size
from workbench.data.pairs import ParallelPairs, normalised
from workbench.data.task import RetrievalTask
from workbench.synthesis.versions import Versions, with_made

FOX = "the quick brown fox jumps over the lazy dog near the old river bank at dawn"
OWL = "an owl of the northern woods hunts by night and sleeps in hollow trees by day"


def grams(text: str, language: str, kind: str) -> set[tuple[str, ...]]:
    size = gram_size(language, kind)
    letters = "".join(
        c if unicodedata.category(c)[0] in "LMN" else " " for c in unicodedata.normalize("NFKC", text).casefold()
    )
    units = list(letters.replace(" ", "")) if language in ("zh", "th") else letters.split()
    return {tuple(units[i : i + size]) for i in range(len(units) - size + 1)}


def texts_of(pairs: ParallelPairs, pair: int, language: str) -> list[str]:
    if language not in pairs.languages:
        return []
    place = pairs.languages.index(language)
    numbers = [part[pair, place] for part in (pairs.queries, pairs.passages, pairs.negatives)]
    return [pairs.texts[number] for number in numbers if number >= 0]


def evaluated(task: RetrievalTask) -> list[tuple[str, str, str]]:
    """(language, kind, text) of every query and candidate."""
    queries = [
        (task.languages[column], "query", task.query_texts[text])
        for row in task.queries
        for column, text in enumerate(row)
        if text >= 0
    ]
    return queries + [
        (task.languages[column], "passage", task.passage_texts[text])
        for column, text in zip(task.candidate_languages, task.candidates, strict=True)
    ]


def is_hit(sets: Sequence[ParallelPairs], language: str, kind: str, text: str) -> bool:
    training = [t for s in sets for pair in range(len(s.pair_ids)) for t in texts_of(s, pair, language)]
    mine = grams(text, language, kind)
    held = mine & {gram for other in training for gram in grams(other, language, kind)}
    exact = normalised(text) != "" and normalised(text) in map(normalised, training)
    return exact or (len(mine) > 0 and 2 * len(held) >= len(mine))


def alone(pairs: ParallelPairs, pair: int, language: str, kind: str, text: str) -> bool:
    """Whether the pair equals a hit or holds half of it by itself."""
    mine, texts = grams(text, language, kind), texts_of(pairs, pair, language)
    held = mine & {gram for other in texts for gram in grams(other, language, kind)}
    return normalised(text) in map(normalised, texts) or (len(mine) > 0 and 2 * len(held) >= len(mine))


def hits_of(leakage: Leakage) -> Counter[tuple[str, str]]:
    """Hits by language and kind, of one training set."""
    return Counter({(row.language, row.kind): row.hits for row in leakage.found})


# ------------------------------------------------------------------------------------------------------------- by hand


def check(rows: Sequence[TrainingRow], queries: Sequence[str] = (), passages: Sequence[str] = ()) -> Leakage:
    task = make_task([("en", text) for text in queries], [("en", text) for text in passages])
    return find_leaks([make_set(rows)], {"task": task})


@pytest.mark.parametrize(
    "row",
    [
        ("a", "en", "what then", FOX),
        ("a", "en", FOX, "that"),
        ("a", "en", "what then", "that", FOX),
        ("a", "en", "what", f"Look! {FOX.upper()}. And more of it."),
        ("a", "en", "what", FOX.replace("brown", "red")),
    ],
    ids=["passage", "query", "hard negative", "inside a longer text", "one word changed"],
)
def test_a_passage_is_found_wherever_it_stands(row: TrainingRow) -> None:
    leakage = check([row, ("b", "en", "who", OWL)], passages=[f"{FOX.capitalize()}."])
    (found,) = leakage.found
    assert (found.task, found.training_set, found.language, found.kind) == ("task", "train", "en", "passage")
    assert (found.texts, found.hits, found.pairs) == (1, 1, 1)
    assert leakage.concerned[0].tolist() == [True, False]
    (example,) = found.examples
    assert (example.evaluation_id, example.pair_id) == ("c00", "a")
    assert example.training_text in row[2:] and "FOX" in example.training_text.upper()


def test_equal_texts_are_found_however_short_and_told_from_n_grams() -> None:
    rows: list[TrainingRow] = [
        ("a", "en", "Who  SPOKE?", "nobody"),
        ("b", "en", "who", "Ｙｅｓ."),
        ("c", "en", "?", "!"),
    ]
    leakage = check(rows, queries=["who spoke?", "who spoke", "!"], passages=["yes.", "yes.", "", f"yes {FOX}"])
    kinds = {row.kind: (row.texts, row.hits, row.exact, row.pairs) for row in leakage.overlaps}
    assert kinds == {"query": (3, 2, 2, 2), "passage": (4, 2, 2, 1)}
    assert leakage.concerned[0].tolist() == [True, True, True]


def test_half_of_the_n_grams_suffices_and_less_does_not() -> None:
    words = FOX.split()  # 16 words, 9 n-grams: 5 are half of them
    kept = {n: check([("a", "en", "what", " ".join(words[:n]))], passages=[FOX]).found for n in (11, 12)}
    assert not kept[11] and kept[12][0].hits == 1
    question = "where does the old grey owl sleep"  # 7 words, 3 n-grams of 5
    for asked, hits in (("where does the old grey wolf hide", 0), ("where does the old grey owl hide", 1)):
        assert sum(row.hits for row in check([("a", "en", asked, "there")], queries=[question]).found) == hits


def test_repeated_n_grams_count_once() -> None:
    chorus = " ".join(["la"] * 40 + FOX.split())
    assert not check([("a", "en", "what", " ".join(["la"] * 30))], passages=[chorus]).found


def test_a_hit_concerns_a_pair_in_all_languages_and_only_texts_of_its_language() -> None:
    rows: list[TrainingRow] = [("a", "de", "was", "das"), ("a", "en", "what", FOX), ("b", "de", "wer", FOX)]
    pairs, task = make_set(rows), make_task([], [("en", FOX)])
    leakage = find_leaks([pairs], {"task": task})
    assert leakage.concerned[0].tolist() == [True, False]
    (cleaned,) = without_concerned([pairs], leakage)
    assert cleaned.pair_ids == pairs.pair_ids and cleaned.has.tolist() == [[False, False], [True, False]]
    assert (cleaned.passages[0] == -1).all() and (cleaned.negatives[0] == -1).all()


def test_a_leak_in_a_translation_alone_is_found_and_its_pair_goes_in_all_languages() -> None:
    rows: list[TrainingRow] = [(pair_id, "en", f"what {pair_id}", f"that {pair_id}") for pair_id in "abc"]
    human = make_set([*rows, *[(pair_id, "de", f"was {pair_id}", f"das {pair_id}") for pair_id in "abc"]])
    versions = Versions(
        ["a", "b", "c", "c"],
        ["de", "de", "de", "mul"],
        ["wie a", "wie b", None, f"mixed {OWL}"],
        ["dies a", FOX, "dies c", "mixed"],
        *[[""] * 4] * 2,
    )
    pairs = with_made(human, versions, {"de": "machine", "mul": "switch"})
    # the passage stands in the pool of German; what is in several languages is in none of the tasks
    task = make_task([("de", "ganz anders"), ("en", OWL)], [("de", FOX), ("en", "nothing")])
    leakage = find_leaks([pairs], {"task": task})
    assert [(one.language, one.kind, one.hits, one.pairs) for one in leakage.found] == [("de", "passage", 1, 1)]
    assert not find_leaks([human], {"task": task}).found
    (left,) = without_concerned([pairs], leakage)
    assert left.made_by == (None, None, "machine", "switch")
    assert [pair_id for pair_id, has in zip(left.pair_ids, left.has.any(axis=1), strict=True) if has] == ["a", "c"]
    assert left.has[[0, 2]].tolist() == pairs.has[[0, 2]].tolist()


def test_every_pair_with_a_shared_text_is_concerned() -> None:
    rows: list[TrainingRow] = [("a", "en", "what", FOX), ("b", "en", "which", FOX), ("c", "en", "who", OWL)]
    leakage = check(rows, passages=[FOX])
    assert leakage.concerned[0].tolist() == [True, True, False] and leakage.found[0].pairs == 2


def test_a_stock_phrase_is_left_to_the_pairs_that_share_it() -> None:
    stock = "this page was last edited on the first of may"  # 10 words: 3 n-grams of 8
    rows: list[TrainingRow] = [(f"p{n}", "en", f"q{n}", f"{stock} by author {n}") for n in range(50)]
    tail = "owls of the northern woods"
    rows.append(("odd", "en", "q", f"first of may {tail}"))
    leakage = check(rows, passages=[f"{stock} {tail}"])  # 15 words: 8 n-grams, 3 stock ones and one of `odd`
    assert leakage.concerned[0].tolist() == [False] * 50 + [True]
    # together they hold half of it: what only one pair has goes, what all share stays
    assert leakage.found[0].hits == 1 and leakage.found[0].pairs == 1


def test_pairs_of_several_sets_hold_a_hit_together() -> None:
    words = FOX.split()
    sets = [
        make_set([("a", "en", "what", " ".join(words[:10]))], "first"),
        make_set([("b", "en", "who", " ".join(words[6:])), ("c", "en", "how", "so")], "second"),
    ]
    task = make_task([], [("en", FOX)])
    assert not find_leaks(sets[:1], {"task": task}).found
    leakage = find_leaks(sets, {"task": task})
    assert [row.pairs for row in leakage.found] == [1], "without one of the two the other holds too little"
    assert not find_leaks(without_concerned(sets, leakage), {"task": task}).found


def test_every_task_set_language_and_kind_is_told() -> None:
    first, second = make_task([("en", "who")], [("de", "das")]), make_task([("th", "ใคร")], [("th", "นั่น")])
    pairs = make_set([("a", "de", "was", "das"), ("a", "en", "what", "that")])
    leakage = find_leaks([pairs], {"one": first, "two": second})
    assert [(row.task, row.language, row.kind, row.texts, row.hits) for row in leakage.overlaps] == [
        ("one", "de", "query", 0, 0),
        ("one", "de", "passage", 1, 1),
        ("one", "en", "query", 1, 0),
        ("one", "en", "passage", 0, 0),
    ]
    assert find_leaks([], {"one": first}).overlaps == ()


def test_texts_from_templates_are_hits_only_where_they_are_equal() -> None:
    question = "what is the name of the river in arkenvale"
    rows: list[TrainingRow] = [("a", "en", "what is the name of the river in belmoor", "the bel")]
    for from_templates, hits in ((False, 1), (True, 0)):
        task = make_task([("en", question)], [], from_templates)
        assert sum(row.hits for row in find_leaks([make_set(rows)], {"task": task}).found) == hits
    same = make_task([("en", question)], [], True)
    assert find_leaks([make_set([("a", "en", question, "there")])], {"task": same}).found[0].exact == 1


def test_the_built_in_set_has_no_leak() -> None:
    leakage = find_leaks([training_pairs()], {"demo": retrieval_task()})
    assert len(leakage.overlaps) == 2 * 10 and not leakage.found


def test_progress_ends_at_its_total() -> None:
    told: list[tuple[str, int, int]] = []
    rows: list[TrainingRow] = [("a", "de", "was", "das"), ("a", "en", "what", "that"), ("b", "en", "what", "those")]
    task = make_task([("en", "who"), ("de", "wer")], [])
    find_leaks([make_set(rows)], {"task": task}, lambda *args: told.append(args))
    assert told == [("leakage", 2, 5), ("leakage", 5, 5)]


# ---------------------------------------------------------------------------------------------------------- properties

SCRIPTS = {
    "en": ["red", "fox", "runs", "far", "to", "sea"],
    "hi": ["लाल", "लोमड़ी", "दूर", "समुद्र"],
    "zh": list("红狐跑远海"),
}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[ParallelPairs], RetrievalTask]:
    """Training sets and a task of few words, in which much stands in much."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    languages = draw(st.lists(st.sampled_from(list(SCRIPTS)), min_size=1, max_size=2, unique=True))
    sources = {language: [str(w) for w in random.choice(SCRIPTS[language], 60)] for language in languages}

    def text(language: str) -> str:
        words, first, length = sources[language], random.integers(50), random.integers(0, 30)
        drawn = list(words[first : first + length])
        for place in np.flatnonzero(random.random(len(drawn)) < draw_noise):
            drawn[place] = str(random.choice(SCRIPTS[language]))
        return str(random.choice([" ", ", ", "  "])).join(drawn)

    draw_noise = draw(st.sampled_from([0.0, 0.03, 0.2]))
    sets = []
    for name in ("first", "second")[: draw(st.integers(1, 2))]:
        rows = [
            (
                f"{name}{n}",
                language,
                text(language),
                text(language),
                *([text(language)] if random.random() < 0.3 else []),
            )
            for n in range(draw(st.integers(1, 12)))
            for language in languages
            if random.random() < 0.8 or n == 0
        ]
        sets.append(make_set(rows, name))  # type: ignore[arg-type]
    asked = [(language, text(language)) for language in languages for _ in range(4)]
    return sets, make_task(asked, [(language, text(language)) for language in languages for _ in range(6)])


@PROPERTY
@given(worlds())
def test_it_finds_what_the_definition_says_and_nothing_after_a_drop(
    world: tuple[list[ParallelPairs], RetrievalTask],
) -> None:
    sets, task = world
    leakage = find_leaks(sets, {"task": task})
    hits = [one for one in evaluated(task) if is_hit(sets, *one)]
    for one in hits:
        for pairs, concerned in zip(sets, leakage.concerned, strict=True):
            for pair in np.flatnonzero(~concerned):
                assert not alone(pairs, pair, *one)
    assert bool(hits) == bool(leakage.found) == any(rows.any() for rows in leakage.concerned)
    if len(sets) == 1:
        assert hits_of(leakage) == Counter((language, kind) for language, kind, _ in hits)
    cleaned = without_concerned(sets, leakage)
    again = find_leaks(cleaned, {"task": task})
    assert not again.found and not any(rows.any() for rows in again.concerned)
    assert not any(is_hit(cleaned, *one) for one in evaluated(task))


@PROPERTY
@given(worlds())
def test_a_large_pool_is_searched_without_an_index_of_all_with_the_same_outcome(
    world: tuple[list[ParallelPairs], RetrievalTask],
) -> None:
    sets, task = world
    expected = find_leaks(sets, {"task": task})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leak_search, "INDEXED_TEXTS", 0)
        patch.setattr(leak_search, "MARK_BITS", (4, 6))
        found = find_leaks(sets, {"task": task})
    assert found.overlaps == expected.overlaps
    assert all(map(np.array_equal, found.concerned, expected.concerned))
