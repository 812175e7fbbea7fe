"""Synthetic versions taken out of a set and put back, in memory and through files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.data.examples import PROPERTY, make_pairs
from tests.synthesis.made_examples import contents, partly_made, with_two_makers
from workbench.data.pairs import ParallelPairs
from workbench.data.training_sets.parallel_files import load_pairs
from workbench.synthesis.made import (
    Account,
    Made,
    read_made,
    said_of,
    stored_accounts,
    summed_up,
    write_made,
    write_training_set,
)
from workbench.synthesis.versions import Versions, joined, made, makers_of, with_made, without_made, written


def all_made(pairs: ParallelPairs, source: str = "en") -> Versions:
    return joined(list(made(pairs, source).values()))


@PROPERTY
@given(pairs=partly_made())
def test_taken_out_and_put_back_a_set_is_the_same(pairs: ParallelPairs) -> None:
    human, versions = without_made(pairs), all_made(pairs)
    assert contents(human) == {cell: texts for cell, texts in contents(pairs).items() if cell[2] is None}
    assert human.pair_ids == pairs.pair_ids and human.makers == (None,) * len(human.languages)
    assert len(versions) == len(contents(pairs)) - len(contents(human))
    again = with_made(pairs, versions, makers_of(pairs))
    assert contents(again) == contents(pairs) and again.pair_ids == pairs.pair_ids
    assert len(set(again.texts)) == len(again.texts)
    once = {language for _, language, maker in contents(pairs) if maker is not None}
    assert again.languages == (*human.languages, *sorted(once))


@PROPERTY
@given(pairs=partly_made())
def test_rows_left_out_leave_the_others_as_they_are(pairs: ParallelPairs) -> None:
    versions = all_made(pairs)
    kept = list(range(0, len(versions), 2))
    again = contents(with_made(pairs, versions.take(kept), makers_of(pairs)))
    gone = {
        (versions.pair_ids[row], versions.languages[row], makers_of(pairs)[versions.languages[row]])
        for row in set(range(len(versions))) - set(kept)
    }
    assert again == {cell: texts for cell, texts in contents(pairs).items() if cell not in gone}


@settings(PROPERTY, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(pairs=partly_made())
def test_a_file_holds_a_set(pairs: ParallelPairs, tmp_path: Path) -> None:
    # of people's pairs a file knows both texts
    account = Account("x", "de", "m", None, 3, {"rejected": {"copies": 2}})
    write_training_set(tmp_path / "set.parquet", pairs, [account], "en")
    again = load_pairs(pairs.name, tmp_path / "set.parquet")
    assert contents(again) == contents(pairs)
    assert list(again.languages) == sorted(again.languages[: sum(maker is None for maker in again.makers)]) + sorted(
        again.languages[sum(maker is None for maker in again.makers) :]
    )
    said = said_of(str(tmp_path / "set.parquet"))
    assert said["source"] == "en" and said["accounts"][0]["details"] == {"rejected": {"copies": 2}}


@settings(PROPERTY, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(pairs=partly_made())
def test_the_cache_gives_back_what_was_made(pairs: ParallelPairs, tmp_path: Path) -> None:
    versions = all_made(pairs)
    accounts = (Account("set", "de", "m", 4, 3, {"switched": {"words": 7, "coverage": None}}),)
    found = Made(versions, makers_of(pairs), accounts, ("a note",))
    write_made(tmp_path / "made.parquet", found)
    again = read_made(tmp_path / "made.parquet", "other")
    assert again.versions == joined([versions]) and again.makers == found.makers and again.notes == found.notes
    assert again.accounts == (replace(accounts[0], training_set="other"),)


def test_versions_stand_beside_what_they_were_made_from() -> None:
    pairs = with_two_makers(2)
    found = made(pairs, "en")
    assert list(found) == ["machine", "other"] and makers_of(pairs) == {"ar": "machine", "de": "other"}
    english = contents(pairs)[pairs.pair_ids[1], "en", None]
    for versions in found.values():
        assert (versions.source_queries[1], versions.source_passages[1]) == english[:2]
    assert found["other"].passages == [None, None]
    # made from a language that the set does not have, or that no person wrote
    for source in ("fr", "ar"):
        assert set(made(pairs, source)["machine"].source_queries) == {""}
    german = written(pairs, "de", "en")
    assert german.queries == [contents(pairs)[i, "de", None][0] for i in pairs.pair_ids]
    assert german.source_queries == found["machine"].source_queries
    assert len(written(pairs, "ar")) == 0


def test_nothing_put_back_is_the_human_set() -> None:
    pairs = with_two_makers()
    assert contents(with_made(pairs, joined([]), makers_of(pairs))) == contents(without_made(pairs))
    assert contents(with_made(pairs, joined([]), {})) == contents(pairs)


def test_accounts_of_a_set_that_is_taken_as_it_is() -> None:
    accounts = stored_accounts(with_two_makers(3))
    assert [(a.language, a.made_by, a.made, a.kept) for a in accounts] == [
        ("ar", "machine", None, 3),
        ("de", "other", None, 3),
    ]
    assert stored_accounts(make_pairs(3, ("de", "en"))) == []


def test_a_line_for_each_maker() -> None:
    accounts = [
        Account("set", "ar", "one", 9, 9, {}),
        Account("set", "de", "two", None, 5, {}),
        Account("set", "hi", "one", 9, 4, {}),
        Account("more", "hi", "one", 2, 2, {}),
    ]
    assert summed_up(accounts) == [
        "set: pairs by one: ar 9, hi 4 of 9",
        "set: pairs by two: de 5",
        "more: pairs by one: hi 2",
    ]


@pytest.mark.parametrize("size", [0, 3, 100, -1])
def test_a_damaged_cache_file_is_told_from_others(tmp_path: Path, size: int) -> None:
    file = tmp_path / "made.parquet"
    write_made(file, Made(all_made(with_two_makers()), {"ar": "m", "de": "m"}, (), ()))
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"made\.parquet"):
        read_made(file, "set")


def test_a_file_that_says_nothing(tmp_path: Path) -> None:
    for name, content in (("a.parquet", b"PAR1"), ("b.parquet", b""), ("c.jsonl", b"{}")):
        (tmp_path / name).write_bytes(content)
        assert said_of(str(tmp_path / name)) == {}
    assert said_of(str(tmp_path / "none.parquet")) == {}


def test_hard_negatives_of_people_and_machines_stay(tmp_path: Path) -> None:
    pairs = with_two_makers()
    negatives = np.where(pairs.passages >= 0, np.roll(pairs.passages, 1, axis=0), np.int32(-1))
    pairs = replace(pairs, negatives=negatives)
    assert contents(with_made(pairs, all_made(pairs), makers_of(pairs))) == contents(pairs)
    write_training_set(tmp_path / "set.parquet", pairs, [], "en")
    assert contents(load_pairs("set", tmp_path / "set.parquet")) == contents(pairs)
