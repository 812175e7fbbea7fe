"""Mr. TyDi as released and as on hubs: one language a query, first passages, and what is refused."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.examples import assert_sound, cell_texts
from workbench.data.training_sets.mr_tydi import load_mr_tydi
from workbench.errors import InputError


def passage(docid: str, title: str, text: str) -> dict[str, str]:
    return {"docid": docid, "title": title, "text": text}


ROWS: dict[str, list[dict[str, Any]]] = {
    "swahili": [
        {
            "query_id": "1",
            "query": "Mto Orn uko wapi?",
            "positive_passages": [passage("3#0", "Orn", "Mto mfupi."), passage("4#0", "Vell", "Mlima.")],
            "negative_passages": [passage("5#1", "Moss", "Mtu."), passage("6#1", "", "Kitu.")],
        },
        {
            "query_id": "2",
            "query": "Nani?",
            "positive_passages": [passage("8#0", "", "Hakuna mtu.")],
            "negative_passages": [],
        },
    ],
    "japanese": [
        {
            "query_id": "1",
            "query": "オルン川はどこですか？",
            "positive_passages": [passage("3#0", "", ""), passage("9#2", "オルン川", "短い川です。")],
            "negative_passages": [passage("7#0", "ヴェル山", "高い山です。")],
        },
        {"query_id": "5", "query": "誰？", "positive_passages": [passage("3#0", "", "")], "negative_passages": []},
    ],
}


def released(folder: Path, language: str, rows: Sequence[dict[str, Any]]) -> Path:
    path = folder / f"mrtydi-v1.1-{language}/train.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()))
    return path


def hub(folder: Path, language: str, rows: Sequence[dict[str, Any]]) -> Path:
    path = folder / language / "train-00000-of-00001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    passages = pa.list_(pa.struct({"docid": pa.string(), "title": pa.string(), "text": pa.string()}))
    kinds = {
        "query_id": pa.string(),
        "query": pa.string(),
        "positive_passages": passages,
        "negative_passages": passages,
    }
    pq.write_table(pa.table({key: pa.array([row[key] for row in rows], kind) for key, kind in kinds.items()}), path)
    return path


@pytest.fixture(params=["released", "hub"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write = released if request.param == "released" else hub
    for language, rows in ROWS.items():
        write(tmp_path, language, rows)
    write(tmp_path, "combined", ROWS["swahili"])
    (tmp_path / "mrtydi-v1.1-swahili/ir-format-data").mkdir(parents=True)
    return tmp_path


def test_both_layouts_give_the_same_pairs(folder: Path) -> None:
    pairs = load_mr_tydi("mine", folder)
    assert_sound(pairs)
    assert (pairs.name, pairs.languages, pairs.pair_ids) == ("mine", ("ja", "sw"), ("ja-1", "sw-1", "sw-2"))
    assert pairs.has.sum(axis=1).tolist() == [1, 1, 1]
    assert cell_texts(pairs, "queries") == {
        ("ja-1", "ja"): "オルン川はどこですか？",
        ("sw-1", "sw"): "Mto Orn uko wapi?",
        ("sw-2", "sw"): "Nani?",
    }
    assert cell_texts(pairs, "passages") == {
        ("ja-1", "ja"): "オルン川 短い川です。",
        ("sw-1", "sw"): "Orn Mto mfupi.",
        ("sw-2", "sw"): "Hakuna mtu.",
    }
    assert cell_texts(pairs, "negatives") == {("ja-1", "ja"): "ヴェル山 高い山です。", ("sw-1", "sw"): "Moss Mtu."}
    assert pairs.notes == ("1 of 4 queries have no positive passage with a text and are left out",)


def test_languages_and_caps(folder: Path) -> None:
    assert load_mr_tydi("mine", folder, ["sw"]).pair_ids == ("sw-1", "sw-2")
    assert len(load_mr_tydi("mine", folder, pairs=2).pair_ids) == 2
    one_each = load_mr_tydi("mine", folder, pairs_per_language=1)
    assert_sound(one_each)
    assert one_each.has.sum(axis=0).tolist() == [1, 1]


def test_the_folder_or_the_file_of_one_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = released(tmp_path, "swahili", ROWS["swahili"])
    monkeypatch.chdir(file.parent)
    for path in (file, file.parent, Path(file.name), Path()):
        assert load_mr_tydi("mine", path).languages == ("sw",)


def assert_refused(path: Path, *parts: str, **options: Any) -> None:
    with pytest.raises(InputError) as caught:
        load_mr_tydi("mine", path, **options)
    for part in (str(path), *parts):
        assert part in str(caught.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none", "there is no such file or folder")
    assert_refused(tmp_path, "holds no training file such as mrtydi-v1.1-swahili/train.jsonl.gz")
    released(tmp_path, "combined", ROWS["swahili"])
    assert_refused(tmp_path, "holds no training file")
    assert_refused(tmp_path / "mrtydi-v1.1-combined/train.jsonl.gz", "its folder's name tells no language")
    released(tmp_path, "swahili", ROWS["swahili"])
    assert_refused(tmp_path, "holds no text in 'ja'; allowed: sw", languages=["ja"])
    hub(tmp_path, "swahili", ROWS["swahili"])
    assert_refused(tmp_path, "'sw' stands in", "already")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"query_id": 1}, "'query_id' is 1; allowed: a string"),
        ({"query": " "}, "'query' is blank"),
        ({"positive_passages": None}, "'positive_passages' is None; allowed: a list"),
        ({"positive_passages": ["text"]}, "positive_passages[0]"),
        ({"query_id": "1"}, "id 'sw-1' has been met before in 'sw'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    first, second = ROWS["swahili"]
    file = released(tmp_path, "swahili", [first, second | change])
    assert_refused(file, f"{file}: line 2", what)


def test_a_truncated_file(tmp_path: Path) -> None:
    file = released(tmp_path, "swahili", ROWS["swahili"])
    file.write_bytes(file.read_bytes()[:-12])
    assert_refused(file, "damaged or truncated gzip data")


def test_an_empty_language_is_refused(tmp_path: Path) -> None:
    released(tmp_path, "swahili", ROWS["swahili"])
    released(tmp_path, "thai", [])
    assert load_mr_tydi("mr_tydi", tmp_path, ["sw"]).languages == ("sw",)
    for languages in (None, ["sw", "th"]):
        with pytest.raises(InputError, match="holds no pairs in 'th'"):
            load_mr_tydi("mr_tydi", tmp_path, languages)
