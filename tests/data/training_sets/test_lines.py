"""Pairs in tab-separated files, parallel by line."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.data.examples import assert_sound, cell_texts
from workbench.data.pairs import hash_order
from workbench.data.training_sets.lines import load_line_pairs
from workbench.errors import InputError

FILES = {
    "en": 'where?\there\tthere\nwho?\t"me"\nwhen?\tnow\t\n',
    "zh": "在哪里？\t这里\t那里\n\n何时？\t现在\t从不\n",
    "ar": "أين؟\tهنا\nمن؟\nمتى؟\t \tأبدا\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for language, content in FILES.items():
        if language == "zh":
            (tmp_path / "zh.tsv.gz").write_bytes(gzip.compress(content.encode()))
        else:
            (tmp_path / f"{language}.tsv").write_bytes(content.replace("\n", "\r\n").encode())
    return tmp_path


def test_a_line_is_a_pair_in_every_language(folder: Path) -> None:
    pairs = load_line_pairs("mine", folder)
    assert_sound(pairs)
    assert (pairs.name, pairs.languages, pairs.pair_ids) == ("mine", ("ar", "en", "zh"), ("1", "2", "3"))
    assert cell_texts(pairs, "queries") == {
        ("1", "ar"): "أين؟",
        ("1", "en"): "where?",
        ("1", "zh"): "在哪里？",
        ("2", "en"): "who?",
        ("3", "en"): "when?",
        ("3", "zh"): "何时？",
    }
    assert cell_texts(pairs, "passages")["2", "en"] == '"me"'
    assert cell_texts(pairs, "negatives") == {("1", "en"): "there", ("1", "zh"): "那里", ("3", "zh"): "从不"}


def test_languages_and_caps(folder: Path) -> None:
    assert load_line_pairs("mine", folder, ["zh"]).pair_ids == ("1", "3")
    (folder / "de.tsv").write_text("".join(f"q{n}\tp{n}\n" if n % 3 else "\n" for n in range(50)))
    ids = [str(n + 1) for n in range(50) if n % 3]
    few = load_line_pairs("mine", folder, ["de"], pairs=10)
    assert set(few.pair_ids) == {ids[row] for row in hash_order(ids)[:10]}
    (folder / "fr.tsv").write_text("".join(f"Q{n}\tP{n}\n" for n in range(50)))
    both = load_line_pairs("mine", folder, ["de", "fr"], pairs=40, pairs_per_language=9)
    assert_sound(both)
    assert both.has.sum(axis=0).tolist() == [9, 9]


def assert_refused(path: Path, *parts: str, **options: Any) -> None:
    with pytest.raises(InputError) as caught:
        load_line_pairs("mine", path, **options)
    for part in (str(path), *parts):
        assert part in str(caught.value)


def test_what_is_not_sound(folder: Path, tmp_path: Path) -> None:
    assert_refused(tmp_path / "none", "there is no such folder")
    assert_refused(folder / "en.tsv", "is a file; allowed: a folder")
    assert_refused(folder, "holds no text in 'fr'; allowed: ar, en, zh", languages=["fr"])
    (folder / "fr.tsv").write_text("où ?\tici\n")
    assert_refused(folder, "unequal numbers of lines: ar.tsv 3, en.tsv 3, fr.tsv 1, zh.tsv.gz 3; allowed: the same")
    (folder / "fr.tsv").write_text("où ?\tici\tlà\tailleurs\n")
    assert_refused(folder, "fr.tsv: line 1: has 4 fields; allowed: query, passage and hard negative")
    (folder / "fr.tsv").write_bytes("où ?\tici\n".encode("latin-1"))
    assert_refused(folder, "fr.tsv: line 1: not UTF-8")
    (folder / "fr.tsv").unlink()
    (folder / "en.tsv.gz").write_bytes(b"")
    assert_refused(folder, "holds en.tsv and en.tsv.gz; allowed: one of them")
    (folder / "en.tsv.gz").rename(folder / "cn.tsv")
    assert_refused(folder, "cn.tsv: the name: 'cn' is no language code", "did you mean 'zh'?")


def test_a_folder_without_pairs(tmp_path: Path) -> None:
    assert_refused(tmp_path, "holds no file such as en.tsv")
    (tmp_path / "en.tsv").write_text("")
    assert_refused(tmp_path, "holds no pairs")
    (tmp_path / "en.tsv").write_text("\n\n")
    assert_refused(tmp_path, "holds no pairs")


def test_an_empty_language_is_refused(folder: Path) -> None:
    (folder / "fr.tsv").write_text("où ?\n\n\n")
    assert_refused(folder, "fr.tsv: holds no pairs")
    assert load_line_pairs("mine", folder, ["zh"]).languages == ("zh",)
