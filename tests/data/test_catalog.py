"""Names and paths to loaders, and content hashes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.data import demo
from workbench.data.catalog import DEMO_LANGUAGES, KNOWN_SETS, demo_fingerprint, fingerprint, known_loader
from workbench.errors import InputError


@pytest.mark.parametrize(
    ("kind", "name", "path", "loader"),
    [
        ("training", "demo", None, "demo"),
        ("task", "demo", None, "demo"),
        ("task", "xquad_r", "data/xquad-r", "lareqa"),
        ("task", "mlqa_r", None, "lareqa"),
        ("task", "mine", "data/mine", "lareqa"),
        ("training", "help", "data/help.parquet", "parquet"),
        ("training", "help", "~/help.v2.jsonl", "jsonl"),
        ("training", "help", "help.jsonl.gz", "jsonl"),
    ],
)
def test_a_name_or_a_path_tells_the_loader(kind: str, name: str, path: str | None, loader: str) -> None:
    assert known_loader(kind, name, path) == loader  # type: ignore[arg-type]


def test_neither_known_name_nor_path_is_told_what_is_allowed() -> None:
    with pytest.raises(
        InputError, match="'xquad' is no known task set and has no path; allowed: demo, xquad_r, mlqa_r"
    ):
        known_loader("task", "xquad", None)
    with pytest.raises(InputError, match="'xquad_r' is no known training set and has no path; allowed: demo"):
        known_loader("training", "xquad_r", None)
    with pytest.raises(InputError, match=r"help\.csv tells no loader; .*\.parquet, \.jsonl, \.jsonl\.gz"):
        known_loader("training", "help", "help.csv")


def test_the_catalog_says_what_the_demo_set_has() -> None:
    assert DEMO_LANGUAGES == demo.LANGUAGES
    assert len({(known.kind, known.name) for known in KNOWN_SETS}) == len(KNOWN_SETS)
    assert all(list(known.languages) == sorted(known.languages) for known in KNOWN_SETS)


def test_the_catalog_is_light() -> None:
    code = "import sys, workbench.data.catalog; print('numpy' in sys.modules, 'pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False False\n"


def make_folder(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


FILES = {"en.json": "one", "de.json": "two", "sub/en.json": "three"}


def test_a_fingerprint_is_the_content(tmp_path: Path) -> None:
    here, there = make_folder(tmp_path / "here", FILES), make_folder(tmp_path / "there", dict(reversed(FILES.items())))
    assert fingerprint(here) == fingerprint(there)
    assert len(fingerprint(here)) == len(fingerprint(here / "en.json")) == 16
    int(fingerprint(here), 16)
    (there / "copy.txt").write_text("one")
    assert fingerprint(there / "copy.txt") == fingerprint(here / "en.json")
    os.utime(here / "en.json", (0, 0))
    assert fingerprint(here / "en.json") == fingerprint(there / "copy.txt")


@pytest.mark.parametrize(
    "files",
    [
        FILES | {"en.json": "other"},
        FILES | {"more.json": ""},
        {"en.json": "one", "de.json": "two", "other/en.json": "three"},
        {"en.json": "two", "de.json": "one", "sub/en.json": "three"},
        {"en.json": "one", "de.json": "two"},
    ],
)
def test_other_content_or_names_give_another(tmp_path: Path, files: dict[str, str]) -> None:
    one, two = make_folder(tmp_path / "one", FILES), make_folder(tmp_path / "two", files)
    assert fingerprint(one) != fingerprint(two)


def test_hidden_files_do_not_count(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "here", FILES)
    before = fingerprint(folder)
    make_folder(folder, {".DS_Store": "x", ".git/config": "y", "sub/.part": "z"})
    assert fingerprint(folder) == before
    (tmp_path / ".hidden").mkdir()
    assert fingerprint(make_folder(tmp_path / ".hidden" / "here", FILES)) == before


def test_what_is_not_there_or_empty_has_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: there is no such file or folder"):
        fingerprint(tmp_path / "none")
    make_folder(tmp_path, {".hidden": "x"})
    with pytest.raises(InputError, match="the folder holds no file"):
        fingerprint(tmp_path)


def test_the_demo_set_has_one_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = demo_fingerprint()
    assert len(before) == 16 and before == demo_fingerprint()
    monkeypatch.setattr(demo, "VERSION", demo.VERSION + "x")
    assert demo_fingerprint() != before
