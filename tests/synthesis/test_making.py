"""Making synthetic versions of training sets: what comes out, what is made once, what is refused."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.data.examples import make_pairs
from tests.synthesis.made_examples import asked, contents, with_two_makers, write_program
from workbench.data.demo import lexicon, training_pairs
from workbench.data.pairs import ParallelPairs, capped
from workbench.errors import InputError, Stopped, WorkError
from workbench.files import locked
from workbench.paths import cache_folder
from workbench.records import (
    CodeSwitchingSpec,
    CorruptionSpec,
    FilterSpec,
    SimilaritySpec,
    SyntheticSpec,
    TranslatorSpec,
)
from workbench.synthesis import making
from workbench.synthesis.made import Account
from workbench.synthesis.making import with_synthetic

SWITCHED = SyntheticSpec(code_switching=CodeSwitchingSpec("demo", p=1.0), languages=("de", "ru"))
NO_RULES = FilterSpec(None, False, False, False, False, False)


def quiet(stage: str, done: int, total: int) -> None:
    """No news."""


def synthetic(
    sets: Sequence[ParallelPairs], spec: SyntheticSpec, folder: Path = Path()
) -> tuple[list[ParallelPairs], list[Account], list[str]]:
    return with_synthetic(sets, spec, folder, "cpu", quiet)


def demo(pairs: int = 40, languages: Sequence[str] = ("de", "en", "tr"), name: str = "demo") -> ParallelPairs:
    return replace(capped(training_pairs(languages), pairs), name=name)


def translating(folder: Path, languages: Sequence[str] = ("de", "hi"), **more: Any) -> SyntheticSpec:
    translator = TranslatorSpec("command", command=write_program(folder))
    return SyntheticSpec(translator=translator, languages=tuple(languages), **more)


@pytest.fixture
def makes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the sets that were made, not read."""
    names: list[str] = []
    make = making.make

    def noted(pairs: ParallelPairs, *rest: Any) -> Any:
        names.append(pairs.name)
        return make(pairs, *rest)

    monkeypatch.setattr(making, "make", noted)
    return names


def cached() -> list[Path]:
    return sorted((cache_folder() / "synthetic").glob("*.parquet"))


# ------------------------------------------------------------------------------------------------- what is made


def test_translations_stand_beside_what_people_wrote(tmp_path: Path) -> None:
    pairs = make_pairs(3, ("de", "en"))
    (found,), accounts, notes = synthetic([pairs], translating(tmp_path))
    assert found.languages == ("de", "en", "de", "hi") and found.makers[:2] == (None, None)
    maker = found.makers[2]
    assert maker is not None
    human = contents(pairs)
    expected = {
        (pair_id, language, maker): (*(f"{language} {text}" for text in human[pair_id, "en", None][:2]), None)
        for pair_id in pairs.pair_ids
        for language in ("de", "hi")
    }
    assert contents(found) == dict(human) | expected
    assert [(a.training_set, a.language, a.made_by, a.made, a.kept, a.details) for a in accounts] == [
        ("set", language, maker, 3, 3, {}) for language in ("de", "hi")
    ]
    assert notes == []


def test_code_switching_filter_and_corruption_are_accounted_for() -> None:
    spec = replace(SWITCHED, filter=FilterSpec(), corruption=CorruptionSpec(word_drop=0.5), seed=3)
    (found,), accounts, _ = synthetic([demo(60)], spec)
    assert found.makers == (None, None, None, "code-switching, p 1", "code-switching, p 1")
    for account in accounts:
        assert account.made is not None and account.kept == int(found.has[:, found.languages.index("de") + 3].sum())
        assert account.made - account.kept == sum(account.details.get("rejected", {}).values())
        touched, out_of = account.details["corrupted"]["word_drop"]
        assert 0.4 < touched / out_of < 0.6
        assert 0 < account.details["switched"]["switch_rate"] < account.details["switched"]["coverage"] + 0.01


def test_empty_translations_are_made_and_rejected(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("for line in open(0): print('' if '0' in line else line.strip())")
    command = f"{sys.executable} {tmp_path / 'program.py'}"
    spec = SyntheticSpec(translator=TranslatorSpec("command", command=command), languages=("de",))
    pairs = replace(make_pairs(12, ("en",)), texts=tuple(f"text {n}." for n in range(24)))
    # the program makes nothing of a text with a 0
    _, (account,), _ = synthetic([pairs], spec)
    lost = {row for row in range(12) if any("0" in pairs.texts[n] for n in (row, row + 12))}
    assert (account.made, account.kept) == (12, 12 - len(lost)) and lost
    assert account.details == {"rejected": {"empty": len(lost)}}


def test_several_languages_in_a_text_are_a_language_of_their_own() -> None:
    spec = replace(SWITCHED, code_switching=CodeSwitchingSpec("demo", 1.0, "multilingual"))
    (found,), accounts, _ = synthetic([demo()], spec)
    assert found.languages[3:] == ("mul",) and found.makers[3] == "multilingual code-switching, p 1"
    assert {a.language: a.kept > 0 for a in accounts} == {"de": False, "mul": True, "ru": False}


def test_translations_stay_beside_texts_with_words_of_the_same_language(tmp_path: Path) -> None:
    (translated,), _, _ = synthetic([demo()], translating(tmp_path, ("de",)))
    spec = replace(SWITCHED, code_switching=CodeSwitchingSpec("demo", 1.0, "multilingual"))
    (both,), accounts, _ = synthetic([translated], spec)
    assert both.languages == ("de", "en", "tr", "de", "mul")
    assert contents(both).items() >= contents(translated).items()
    told = [(account.language, account.made, account.kept > 0) for account in accounts]
    assert told == [("de", None, True), ("de", 0, False), ("mul", 40, True), ("ru", 0, False)]


@pytest.mark.parametrize("side", ["query", "passage"])
def test_one_side_alone(side: str) -> None:
    (found,), _, _ = synthetic([demo()], replace(SWITCHED, code_switching=CodeSwitchingSpec("demo", sides=side)))  # type: ignore[arg-type]
    made = [language is not None for language in found.makers]
    other = found.passages if side == "query" else found.queries
    assert (other[:, made] == -1).all() and found.has[:, made].any()


def test_only_the_named_sets_and_without_languages_the_others_of_each() -> None:
    spec = replace(SWITCHED, sets=("one",), languages=None)
    one, two, stored = demo(name="one"), demo(name="two"), with_two_makers()
    sets, accounts, _ = synthetic([one, two, stored], spec)
    assert sets[0].languages == ("de", "en", "tr", "de", "tr")
    assert sets[1:] == [two, stored]
    names = [(a.training_set, a.language) for a in accounts]
    assert names == [("one", "de"), ("one", "tr"), ("set", "ar"), ("set", "de")]


def test_further_languages_by_another_maker(tmp_path: Path) -> None:
    (translated,), _, _ = synthetic([demo()], translating(tmp_path, ("hi",)))
    (both,), accounts, _ = synthetic([translated], replace(SWITCHED, languages=("de", "ru")))
    assert both.languages == ("de", "en", "tr", "de", "hi", "ru")
    assert both.makers[3] == both.makers[5] == "code-switching, p 1" and both.makers[4] == translated.makers[3]
    before, after = contents(translated), contents(both)
    assert {at: texts for at, texts in after.items() if at in before} == before
    assert [(account.language, account.made is None) for account in accounts] == [
        ("hi", True),
        ("de", False),
        ("ru", False),
    ]


def test_what_files_hold_is_filtered_and_corrupted() -> None:
    pairs = with_two_makers(6)
    (same,), accounts, _ = synthetic([pairs], SyntheticSpec())
    assert contents(same) == contents(pairs) and same.made_by == pairs.made_by
    assert [(a.language, a.made_by, a.made, a.kept) for a in accounts] == [
        ("ar", "machine", None, 6),
        ("de", "other", None, 6),
    ]
    repeated = replace(pairs, queries=pairs.queries.copy(), passages=pairs.passages.copy())
    repeated.queries[1, 2], repeated.passages[1, 2] = repeated.queries[0, 2], repeated.passages[0, 2]
    (fewer,), accounts, _ = synthetic([repeated], SyntheticSpec(filter=replace(NO_RULES, duplicates=True)))
    assert [(a.language, a.kept, a.details) for a in accounts] == [
        ("ar", 5, {"rejected": {"duplicates": 1}}),
        ("de", 6, {}),
    ]
    gone = set(contents(repeated)) - set(contents(fewer))
    assert gone == {(pairs.pair_ids[1], "ar", "machine")}


def test_translations_and_code_switched_texts_are_filtered_by_their_own_rules() -> None:
    # English in place of Hindi and Russian; as translations both would be left out
    rules = replace(NO_RULES, script=None)
    texts = tuple(f"{'plain words of it' if n % 3 else 'what then'} {n}" for n in range(24))
    pairs = replace(make_pairs(4, ("en", "hi", "ru")), texts=texts, made_by=(None, "machine", "code-switching, p 1"))
    _, accounts, _ = synthetic([pairs], SyntheticSpec(filter=rules))
    assert [(a.language, a.kept, a.details) for a in accounts] == [
        ("hi", 0, {"rejected": {"script": 4}}),
        ("ru", 4, {}),
    ]


# ------------------------------------------------------------------------------------------------- once


def test_a_sweep_makes_once_what_its_runs_share(makes: list[str], tmp_path: Path) -> None:
    first = synthetic([demo()], SWITCHED)
    for spec in (SWITCHED, replace(SWITCHED, share=0.3), replace(SWITCHED, shares={"de": 0.5}, sets=("demo",))):
        again = synthetic([demo()], spec, tmp_path)
        assert contents(again[0][0]) == contents(first[0][0]) and again[0][0].texts == first[0][0].texts
        assert again[1:] == first[1:]
    _, accounts, _ = synthetic([demo(name="other")], SWITCHED)
    assert makes == ["demo"] and {account.training_set for account in accounts} == {"other"}


def test_a_translation_costs_once_whatever_becomes_of_it(tmp_path: Path, makes: list[str]) -> None:
    pairs = make_pairs(5, ("en",))
    synthetic([pairs], translating(tmp_path))
    synthetic([pairs], translating(tmp_path, seed=1))
    synthetic([pairs], translating(tmp_path, corruption=CorruptionSpec(shuffle=1.0)))
    synthetic([pairs], translating(tmp_path, languages=("de", "hi", "ru")))
    assert len(makes) == 4
    lines = asked(tmp_path)
    # 5 queries and 5 passages in three languages
    assert len(lines) == 30 and {lines.count(line) for line in lines} == {3}


@pytest.mark.parametrize(
    "change",
    [
        {"code_switching": CodeSwitchingSpec("demo", 0.9)},
        {"code_switching": CodeSwitchingSpec("demo", 1.0, sides="query")},
        {"filter": FilterSpec()},
        {"corruption": CorruptionSpec(shuffle=0.5)},
        {"seed": 1},
        {"languages": ("de",)},
    ],
)
def test_other_settings_make_anew(makes: list[str], change: dict[str, Any]) -> None:
    for spec in (SWITCHED, replace(SWITCHED, **change)):
        synthetic([demo()], spec)
    assert len(makes) == len(cached()) == 2


def test_other_pairs_and_other_rules_make_anew(makes: list[str]) -> None:
    synthetic([demo()], replace(SWITCHED, filter=FilterSpec()))
    synthetic([demo(41)], replace(SWITCHED, filter=FilterSpec()))
    synthetic([demo()], replace(SWITCHED, filter=FilterSpec(numbers=False)))
    assert len(makes) == 3


def write_lexicons(folder: Path, translations: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{word}\t{translation}\n" for word, translation in translations.items())
    (folder / "en-de.txt").write_text(lines)
    return folder


def test_lexicons_count_by_their_content(makes: list[str], tmp_path: Path) -> None:
    words = lexicon("de")
    for name in ("here", "there"):
        write_lexicons(tmp_path / name, words)
    spec = replace(SWITCHED, languages=("de",))
    of = CodeSwitchingSpec("here", 1.0)
    first = synthetic([demo()], replace(spec, code_switching=of), tmp_path)
    for place in ("there", str(tmp_path / "here")):
        again = synthetic([demo()], replace(spec, code_switching=replace(of, lexicons=place)), tmp_path)
        assert contents(again[0][0]) == contents(first[0][0])
    assert len(makes) == 1
    write_lexicons(tmp_path / "here", {**words, "the": "welches"})
    other = synthetic([demo()], replace(spec, code_switching=of), tmp_path)
    assert len(makes) == 2 and contents(other[0][0]) != contents(first[0][0])


def test_a_home_folder_may_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_lexicons(tmp_path / "words", lexicon("de"))
    spec = replace(SWITCHED, code_switching=CodeSwitchingSpec("~/words"), languages=("de",))
    (found,), _, _ = synthetic([demo()], spec)
    assert found.makers[-1] == "code-switching, p 0.5"


def test_the_names_of_makers_in_a_file_count(makes: list[str]) -> None:
    pairs = with_two_makers()
    for maker in ("one", "two"):
        made_by = (None, None, maker, "other")
        (found,), accounts, _ = synthetic([replace(pairs, made_by=made_by)], SyntheticSpec())
        assert found.made_by == made_by and accounts[0].made_by == maker


@pytest.mark.parametrize("size", [0, 10, -1])
def test_a_damaged_cache_file_is_made_anew(makes: list[str], size: int) -> None:
    first = synthetic([demo()], SWITCHED)
    (file,) = cached()
    whole = file.read_bytes()
    file.write_bytes(whole[:size])
    again = synthetic([demo()], SWITCHED)
    assert len(makes) == 2 and contents(again[0][0]) == contents(first[0][0]) and file.read_bytes() == whole


TWO = """
import sys
from pathlib import Path
from tests.data.examples import make_pairs
from tests.synthesis.made_examples import contents
from workbench.records import SyntheticSpec, TranslatorSpec
from workbench.synthesis.making import with_synthetic
spec = SyntheticSpec(translator=TranslatorSpec("command", command=sys.argv[1]), languages=("de",))
sets, _, _ = with_synthetic([make_pairs(30, ("en",))], spec, Path(), "cpu", lambda *_: None)
print(sorted(map(str, contents(sets[0]).items())))
"""


def test_two_processes_make_it_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TWO, write_program(tmp_path, 0.5)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    one, other = (process.communicate(timeout=60)[0] for process in both)
    assert one == other and "de text 0" in one
    assert len(asked(tmp_path)) == len(set(asked(tmp_path))) == 60 and len(cached()) == 1


def test_who_waits_for_another_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "LOOK_S", 0.01)
    synthetic([demo()], SWITCHED)
    (file,) = cached()
    said: list[str] = []

    def stop(stage: str, done: int, total: int) -> None:
        said.append(stage)
        if len(said) == 3:
            raise Stopped("stopped")

    began = time.monotonic()
    with locked(file.with_suffix(".lock")), pytest.raises(Stopped):
        with_synthetic([demo()], SWITCHED, Path(), "cpu", stop)
    assert time.monotonic() - began < 10 and set(said) == {"wait for the process that makes the same"}
    assert synthetic([demo()], SWITCHED)


# ------------------------------------------------------------------------------------------------- wrong input


def with_lexicons(place: str) -> SyntheticSpec:
    return replace(SWITCHED, code_switching=CodeSwitchingSpec(place))


def similar(checkpoint: str) -> SyntheticSpec:
    return replace(SWITCHED, filter=FilterSpec(similarity=SimilaritySpec(checkpoint, threshold=0.5)))


@pytest.mark.parametrize(
    ("sets", "spec", "says"),
    [
        (demo, replace(SWITCHED, sets=("dmeo",)), "train.synthetic.sets: 'dmeo'; allowed: demo; did you mean 'demo'"),
        (demo, SyntheticSpec(), "train.sets.demo: holds no synthetic texts, and train.synthetic names no translator"),
        (with_two_makers, SWITCHED, "train.sets.set: holds synthetic texts in 'de' already, made by other; leave the"),
        (demo, replace(SWITCHED, source="hi"), "train.synthetic.source: demo has no texts in 'hi'; allowed: de, en, t"),
        (
            lambda: demo(languages=("en",)),
            replace(SWITCHED, languages=None),
            "train.synthetic.languages: demo is in 'en' alone: name the languages to make",
        ),
        (demo, replace(SWITCHED, languages=("de", "sw")), "lexicons: demo: holds no words in 'sw'"),
        (demo, replace(SWITCHED, source="tr"), "lexicons: demo: holds no words of 'tr'; allowed: en"),
        (demo, with_lexicons("nowhere"), "nowhere: there is no such file or folder"),
        (
            demo,
            replace(SWITCHED, code_switching=CodeSwitchingSpec("demo", mode="multilingual"), languages=("de",)),
            "code_switching.mode: 'multilingual' with words of de alone",
        ),
        (
            demo,
            replace(SWITCHED, code_switching=CodeSwitchingSpec("demo", p=0.0)),
            "train.synthetic: nothing is left of what was made of demo: no word was switched",
        ),
        (
            demo,
            replace(SWITCHED, languages=("de",), corruption=CorruptionSpec(wrong_language=0.5)),
            "wrong_language",
        ),
        (demo, similar("./nowhere"), "filter.similarity.checkpoint: ./nowhere: there is no such folder"),
        (
            demo,
            SyntheticSpec(translator=TranslatorSpec("command", command="no-such-program {target}"), languages=("de",)),
            "translator.command: no-such-program: there is no such program",
        ),
        (
            demo,
            SyntheticSpec(translator=TranslatorSpec("command", command="cat"), languages=("de", "hi")),
            "'cat' translates into one language only",
        ),
        (
            demo,
            SyntheticSpec(translator=TranslatorSpec("command", command="cat"), languages=("de",), filter=FilterSpec()),
            "nothing is left of what was made of demo: rejected by copies",
        ),
    ],
)
def test_wrong_input(sets: Callable[[], ParallelPairs], spec: SyntheticSpec, says: str) -> None:
    with pytest.raises(InputError) as raised:
        synthetic([sets()], spec)
    assert says in str(raised.value) and "\n" not in str(raised.value)
    assert cached() == []


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setitem(os.environ, "WORKBENCH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(WorkError, match="cannot be written"):
        synthetic([demo()], SWITCHED)
