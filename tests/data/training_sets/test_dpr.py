"""Training files in DPR's shape: lists of any size, lines, tables; and what is refused."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.examples import PROPERTY, assert_sound, cell_texts
from workbench.data.reading import json_lists
from workbench.data.reading.json_lists import json_elements
from workbench.data.training_sets.dpr import load_dpr
from workbench.errors import InputError


def context(title: str, text: str) -> dict[str, Any]:
    return {"title": title, "text": text, "score": 1000, "title_score": 1, "passage_id": "12"}


ROWS: list[dict[str, Any]] = [
    {
        "dataset": "made_up",
        "question": "where is the Orn?",
        "answers": ["in Vell"],
        "positive_ctxs": [context("Orn", "The Orn is in Vell."), context("Vell", "Vell has a river.")],
        "negative_ctxs": [context("Moss", "Moss is a person.")],
        "hard_negative_ctxs": [context("Orna", "Orna is in Moss."), context("", "Nothing.")],
    },
    {
        "dataset": "made_up",
        "question": "谁登上了维尔山？",
        "answers": ["莫斯"],
        "positive_ctxs": [context("", "莫斯登上了维尔山。")],
        "negative_ctxs": [context("奥恩河", "很短。")],
        "hard_negative_ctxs": [],
    },
    {
        "dataset": "made_up",
        "question": "why?",
        "answers": [],
        "positive_ctxs": [],
        "negative_ctxs": [],
        "hard_negative_ctxs": [],
    },
]
NOTE = "1 of 3 questions have no positive passage and are left out"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    lines = [json.dumps(row, ensure_ascii=False, indent=4 if ".json." in f"{path.name}." else None) for row in rows]
    content = ("[\n" + ",\n".join(lines) + "\n]" if ".json." in f"{path.name}." else "\n".join(lines)).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["train.json", "train.json.gz", "train.jsonl", "train.jsonl.gz", "train.parquet"])
def test_every_form_gives_the_same_pairs(tmp_path: Path, name: str) -> None:
    pairs = load_dpr("mine", write(tmp_path / name, ROWS))
    assert_sound(pairs)
    assert (pairs.name, pairs.languages, pairs.pair_ids, pairs.notes) == ("mine", ("en",), ("1", "2"), (NOTE,))
    assert cell_texts(pairs, "queries") == {("1", "en"): "where is the Orn?", ("2", "en"): "谁登上了维尔山？"}
    assert cell_texts(pairs, "passages") == {("1", "en"): "Orn The Orn is in Vell.", ("2", "en"): "莫斯登上了维尔山。"}
    assert cell_texts(pairs, "negatives") == {("1", "en"): "Orna Orna is in Moss.", ("2", "en"): "奥恩河 很短。"}


def test_negatives_and_titles_may_be_left_out(tmp_path: Path) -> None:
    rows = [{"question": "who?", "positive_ctxs": [{"text": "Moss."}]}]
    pairs = load_dpr("mine", write(tmp_path / "train.json", rows), ["de"])
    assert pairs.languages == ("de",) and cell_texts(pairs, "passages") == {("1", "de"): "Moss."}
    assert (pairs.negatives == -1).all()


def test_a_folder_of_files(tmp_path: Path) -> None:
    write(tmp_path / "train/P17.train.json", ROWS[:1])
    write(tmp_path / "train/P50.train.json", [ROWS[0] | {"question": "what?"}, ROWS[1]])
    pairs = load_dpr("mine", tmp_path)
    assert pairs.pair_ids == ("train/P17.train.json:1", "train/P50.train.json:1", "train/P50.train.json:2")
    assert len(load_dpr("mine", tmp_path, pairs=2).pair_ids) == 2
    assert len(load_dpr("mine", tmp_path, pairs=3, pairs_per_language=1).pair_ids) == 1


def assert_refused(path: Path, *parts: str, **options: Any) -> None:
    with pytest.raises(InputError) as caught:
        load_dpr("mine", path, **options)
    for part in (str(path), *parts):
        assert part in str(caught.value)


def test_one_language(tmp_path: Path) -> None:
    path = write(tmp_path / "train.json", ROWS)
    assert_refused(path, "languages are de, en; allowed: the one", languages=["de", "en"])
    assert_refused(path, "languages are none", languages=[])
    assert_refused(path, "'gr' is no language code", "did you mean 'el'?", languages=["gr"])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"question": ""}, "'question' is blank"),
        ({"positive_ctxs": {}}, "'positive_ctxs' is {}; allowed: a list"),
        ({"positive_ctxs": [{"text": 5}]}, "positive_ctxs[0]: 'text' is 5; allowed: a string"),
        ({"hard_negative_ctxs": [{"text": "\ud800"}]}, "hard_negative_ctxs[0]: 'text' holds half a character"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps([ROWS[0], ROWS[1] | change]))
    assert_refused(path, f"{path}: element 2", what)


def test_questions_without_passages_are_told_what_they_lack(tmp_path: Path) -> None:
    path = write(tmp_path / "P17.train.json", [{"question": "who?", "answers": ["Moss"]}])
    assert_refused(path, "element 1: 'positive_ctxs' is missing")
    path = write(tmp_path / "none.json", [ROWS[2]])
    assert_refused(path, "holds no pairs; 1 of 1 questions have no positive passage")


# lists


@pytest.mark.parametrize("size", [1, 3, 2**20])
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "after element 0: not a valid JSON list, or truncated: expected ["),
        (b'{"a": 1}', "after element 0: not a valid JSON list, or truncated: expected ["),
        (b"[", "after element 0: not a valid JSON list, or truncated: Expecting value"),
        (b'[{"a": 1}', "after element 1: not a valid JSON list, or truncated: expected , or ]"),
        (b'[{"a": 1},', "after element 1: not a valid JSON list, or truncated: Expecting value"),
        (b'[{"a": 1}, {"a": "b', "after element 1: not a valid JSON list, or truncated: Unterminated string"),
        (b'[{"a": 1} {"a": 2}]', "after element 1: not a valid JSON list, or truncated: expected , or ]"),
        (b'[{"a": 1}] [', "after element 1: not a valid JSON list, or truncated: expected nothing more"),
        (b"[[1]]", "element 1: [1] is no JSON object"),
        (b'[{"a": "caf\xe9"}]', "not UTF-8"),
        (b"[" * 100_000, "not a valid JSON list, or truncated"),
    ],
)
def test_a_bad_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, what: str, size: int) -> None:
    monkeypatch.setattr(json_lists, "CHARACTERS", size)
    path = tmp_path / "list.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(json_elements(path))
    assert str(path) in str(caught.value) and what in str(caught.value)


def test_a_truncated_gzip_list(tmp_path: Path) -> None:
    path = write(tmp_path / "list.json.gz", ROWS)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match="damaged or truncated gzip data"):
        list(json_elements(path))
    with pytest.raises(InputError, match="cannot be read"):
        list(json_elements(tmp_path / "none.json"))


VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


@PROPERTY
@given(st.lists(st.dictionaries(st.text(), VALUES)), st.integers(1, 9), st.sampled_from([None, 2]), st.booleans())
def test_elements_are_those_of_the_whole_list(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], size: int, indent: int | None, plain: bool
) -> None:
    path = tmp_path_factory.mktemp("lists") / "list.json"
    content = json.dumps(rows, indent=indent, ensure_ascii=not plain).encode("utf-8", "surrogatepass")
    path.write_bytes(b"\xef\xbb\xbf" + content + b"\n")
    before, json_lists.CHARACTERS = json_lists.CHARACTERS, size
    try:
        assert [row for _, row in json_elements(path)] == json.loads(content)
    finally:
        json_lists.CHARACTERS = before
