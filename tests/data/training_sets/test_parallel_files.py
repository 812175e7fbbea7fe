"""Training sets from parquet and JSON lines: what is read, and what each unsound file is told."""

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.data.pairs import ParallelPairs, hash_order
from workbench.data.training_sets.parallel_files import load_pairs
from workbench.errors import InputError

HELP = Path(__file__).parents[3] / "../shared/data/parallel/help_parallel.parquet"

Row = dict[str, Any]
Write = Callable[[Sequence[Row]], Path]

ROWS: list[Row] = [
    {"pair_id": "b", "lang": "en", "query": "Where is it?", "passage": "It is here.", "source": 7},
    {"pair_id": "a", "lang": "zh", "query": "谁？", "passage": "我。"},
    {"pair_id": "b", "lang": "zh", "query": "在哪里？", "passage": "在这里。"},
    {"pair_id": "a", "lang": "en", "query": "Who?", "passage": "It is here."},
    {"pair_id": "c", "lang": "ar", "query": "متى؟", "passage": "الآن"},
]


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    pq.write_table(pa.table({key: [row.get(key) for row in rows] for key in keys}), path)
    return path


def write_jsonl(path: Path, rows: Sequence[Row]) -> Path:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return path


@pytest.fixture(params=["set.parquet", "set.jsonl", "set.jsonl.gz"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """Writes rows to a file of each kind."""
    path = tmp_path / request.param
    return lambda rows: (write_parquet if path.suffix == ".parquet" else write_jsonl)(path, rows)


def texts(pairs: ParallelPairs, part: str) -> dict[tuple[str, str], str]:
    """The texts of a part by pair_id and language."""
    matrix = getattr(pairs, part)
    cells = zip(*np.nonzero(matrix >= 0), strict=True)
    return {(pairs.pair_ids[r], pairs.languages[c]): pairs.texts[matrix[r, c]] for r, c in cells}


def test_rows_become_pairs(write: Write) -> None:
    pairs = load_pairs("mine", write(ROWS))
    assert (pairs.name, pairs.languages, pairs.pair_ids) == ("mine", ("ar", "en", "zh"), ("a", "b", "c"))
    for part, key in (("queries", "query"), ("passages", "passage")):
        assert texts(pairs, part) == {(row["pair_id"], row["lang"]): row[key] for row in ROWS}
        assert getattr(pairs, part).dtype == np.int32
    assert (pairs.negatives == -1).all() and pairs.negatives.shape == (3, 3)
    assert len(set(pairs.texts)) == len(pairs.texts) == 9


def test_the_order_of_the_rows_has_no_effect(write: Write) -> None:
    one, two = load_pairs("mine", write(ROWS)), load_pairs("mine", write(ROWS[::-1]))
    assert one.pair_ids == two.pair_ids
    assert texts(one, "queries") == texts(two, "queries") and texts(one, "passages") == texts(two, "passages")


def test_a_blank_or_null_hard_negative_is_none(write: Write) -> None:
    negatives = ["No.", None, "  ", "It is here.", ""]
    pairs = load_pairs("mine", write([row | {"negative": n} for row, n in zip(ROWS, negatives, strict=True)]))
    assert texts(pairs, "negatives") == {("b", "en"): "No.", ("a", "en"): "It is here."}


def test_languages_limit_what_is_read(write: Write) -> None:
    pairs = load_pairs("mine", write(ROWS), ["zh", "en"])
    assert (pairs.languages, pairs.pair_ids) == (("en", "zh"), ("a", "b"))
    assert "الآن" not in pairs.texts


def test_pairs_are_the_first_of_an_order_of_their_ids(write: Write) -> None:
    rows = [{"pair_id": f"p{n}", "lang": "en", "query": f"q{n}", "passage": f"p{n}"} for n in range(50)]
    ids = [row["pair_id"] for row in rows]
    few = load_pairs("mine", write(rows), pairs=10)
    assert set(few.pair_ids) == {ids[row] for row in hash_order(ids)[:10]}
    assert set(few.pair_ids) == set(load_pairs("mine", write(rows[::-1]), pairs=10).pair_ids)
    assert len(few.texts) == 20
    assert len(load_pairs("mine", write(rows), pairs=99).pair_ids) == 50


def test_a_cap_on_each_language_takes_the_first_that_exist_in_it(write: Write) -> None:
    langs = [("en", range(40)), ("zh", range(20, 60))]
    rows = [
        {"pair_id": f"p{n}", "lang": lang, "query": f"{lang} q{n}", "passage": f"{lang} p{n}"}
        for lang, numbers in langs
        for n in numbers
    ]
    path = write(rows)
    few = load_pairs("mine", path, pairs=50, pairs_per_language=9)
    first = load_pairs("mine", path, pairs=50)
    order = [first.pair_ids[row] for row in hash_order(first.pair_ids)]
    for column, lang in enumerate(few.languages):
        assert {few.pair_ids[row] for row in np.flatnonzero(few.has[:, column])} == set(
            [i for i in order if first.has[first.pair_ids.index(i), first.languages.index(lang)]][:9]
        )
    assert len(few.texts) == 36


def unit(path: Path, number: int) -> str:
    return f"{path}: {'row' if path.suffix == '.parquet' else 'line'} {number}: "


def assert_refused(path: Path, *parts: str, **options: Any) -> None:
    with pytest.raises(InputError) as caught:
        load_pairs("mine", path, **options)
    for part in (str(path), *parts):
        assert part in str(caught.value)


@pytest.mark.parametrize("key", ["pair_id", "lang", "query", "passage"])
@pytest.mark.parametrize(("value", "what"), [(None, "null"), ("", "blank"), (" \u3000\n", "blank")])
def test_a_missing_text_names_its_row(write: Write, key: str, value: str | None, what: str) -> None:
    path = write([*ROWS[:3], ROWS[3] | {key: value}, ROWS[4]])
    assert_refused(path, unit(path, 4), f"{key!r} is {what}")


def test_a_pair_twice_in_a_language_names_both_rows(write: Write) -> None:
    path = write([*ROWS, ROWS[1] | {"query": "谁啊？"}, ROWS[4]])
    assert_refused(path, unit(path, 6), "pair_id 'a' in 'zh'", unit(path, 2).split(": ")[1] + " already")


def test_rows_are_numbered_as_in_the_file_whatever_languages_are_asked_for(write: Write) -> None:
    path = write([*ROWS, ROWS[2]])
    assert_refused(path, unit(path, 6), unit(path, 3).split(": ")[1] + " already", languages=["zh"])


def test_a_language_that_is_not_there_is_told_which_are(write: Write) -> None:
    assert_refused(write(ROWS), "holds no text in 'ze'", "allowed: ar, en, zh", languages=["en", "ze"])
    assert_refused(write(ROWS), "no language is asked for; allowed: ar, en, zh", languages=[])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.parquet", "there is no such file")
    assert_refused(tmp_path, "is a folder, not a file")


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_rows(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(content)
    assert_refused(path, "holds no pairs")


# parquet


def test_a_parquet_file_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "set.parquet"
    pq.write_table(pa.table({key: pa.array([], pa.string()) for key in ROWS[1]}), path)
    assert_refused(path, "holds no pairs")


def test_text_columns_may_be_dictionaries_or_large(tmp_path: Path) -> None:
    path = tmp_path / "set.parquet"
    columns = {key: [row[key] for row in ROWS] for key in ROWS[1]}
    kinds = (pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.string()), pa.large_string())
    arrays = {
        key: pa.array(values, kind) for (key, values), kind in zip(columns.items(), (*kinds, pa.string()), strict=True)
    }
    pq.write_table(pa.table(arrays), path, row_group_size=2)
    assert texts(load_pairs("mine", path), "queries") == {(r["pair_id"], r["lang"]): r["query"] for r in ROWS}


def test_the_loader_may_be_said(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "set.data", ROWS)
    assert load_pairs("mine", path, loader="parquet").pair_ids == ("a", "b", "c")
    assert_refused(path, "line 1: not", loader="jsonl")


def test_a_column_that_is_missing(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if key != "passage"} for row in ROWS]
    path = write_parquet(tmp_path / "set.parquet", rows)
    assert_refused(path, "column 'passage' is missing; it has: pair_id, lang, query, source")


def test_a_column_of_another_type(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "set.parquet", [row | {"pair_id": n} for n, row in enumerate(ROWS)])
    assert_refused(path, "column 'pair_id' holds int64; allowed: string")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    table = pa.table({key: [row[key].encode() for row in ROWS] for key in ROWS[1]})
    table = table.set_column(2, "query", pa.array([b"\xff"] * 5))
    path = tmp_path / "set.parquet"
    schema = pa.schema([(key, pa.string()) for key in ROWS[1]])
    columns = [pa.Array.from_buffers(pa.string(), 5, table[key].chunk(0).buffers()) for key in ROWS[1]]
    pq.write_table(pa.table(columns, schema=schema), path)
    assert_refused(path, "not a readable parquet file", "UTF8")


@pytest.mark.parametrize("size", [0, 3, 200, -20])
def test_a_truncated_parquet_file(tmp_path: Path, size: int) -> None:
    path = write_parquet(tmp_path / "set.parquet", ROWS)
    path.write_bytes(path.read_bytes()[:size])
    assert_refused(path, "not a readable parquet file")


def test_a_damaged_page(tmp_path: Path) -> None:
    rows = [{"pair_id": f"p{n}", "lang": "en", "query": f"q{n}", "passage": f"p{n}"} for n in range(500)]
    path = write_parquet(tmp_path / "set.parquet", rows)
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)
    assert_refused(path)


# JSON lines


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b'{"pair_id": "d", "lang": "en", "qu', "not valid JSON: Unterminated string starting at column 32"),
        (b"[1, 2]", "[1, 2] is no JSON object"),
        (b'{"pair_id": "d", "lang": "en", "query": "q"}', "key 'passage' is missing"),
        (b'{"pair_id": 5, "lang": "en", "query": "q", "passage": "p"}', "'pair_id' is 5; allowed: a string"),
        (b'{"pair_id": "d", "lang": "en", "query": "q", "passage": "p", "negative": ["n"]}', "'negative' is ['n']"),
        (b'{"pair_id": "d", "lang": "en", "query": "caf\xe9", "passage": "p"}', "not UTF-8"),
        (b'{"pair_id": "d", "lang": "en", "query": "\\ud800", "passage": "p"}', "not UTF-8: surrogates not allowed"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
@pytest.mark.parametrize("name", ["set.jsonl", "set.jsonl.gz"])
def test_a_bad_line_is_named_and_blank_lines_count(tmp_path: Path, name: str, line: bytes, what: str) -> None:
    path = tmp_path / name
    content = json.dumps(ROWS[0]).encode() + b"\n\n" + json.dumps(ROWS[1]).encode() + b"\n" + line + b"\n"
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    assert_refused(path, "line 4: ", what)


def test_a_whole_escaped_character_is_text(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "set.jsonl", [])
    path.write_text('{"pair_id": "d", "lang": "en", "query": "\\ud83d\\ude00", "passage": "p"}')
    assert load_pairs("mine", path).texts == ("\U0001f600", "p")


def test_a_truncated_gzip_file(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "set.jsonl.gz", ROWS)
    path.write_bytes(path.read_bytes()[:-30])
    assert_refused(path, "damaged or truncated gzip data")
    path.write_bytes(b"no gzip at all")
    assert_refused(path, "damaged or truncated gzip data after line 0")


# real data


@pytest.mark.skipif(not HELP.exists(), reason=f"{HELP} is not there")
def test_the_real_help_set() -> None:
    pairs = load_pairs("help", HELP)
    assert " ".join(pairs.languages) == "de el en es fi fr hi id ja ko pt ru tr vi zh"
    counts = dict(zip(pairs.languages, pairs.has.sum(axis=0).tolist(), strict=True))
    assert len(pairs.pair_ids) == counts["en"] == 7866
    assert (counts["hi"], counts["ru"], sum(counts.values())) == (257, 5736, 93095)
    few = load_pairs("help", HELP, ["en", "hi"], 1000)
    assert few.has.shape == (1000, 2) and set(few.pair_ids) <= set(pairs.pair_ids)
