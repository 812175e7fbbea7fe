"""Readers of rows."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.data.reading.rows import data_files, json_lines, rows_of, split_files, table_lines
from workbench.errors import InputError

ROWS = [{"id": "1", "text": "ਪੰਜਾਬੀ 🦉"}, {"id": "2", "text": "ไทย\tx"}]


def write(folder: Path, name: str, rows: list[dict[str, str]]) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=1)
    else:
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n"
        file.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return file


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.jsonl.gz"])
def test_rows_come_with_their_place(tmp_path: Path, name: str) -> None:
    file = write(tmp_path, name, ROWS)
    unit = "row" if name == "a.parquet" else "line"
    assert list(rows_of(file)) == [(f"{file}: {unit} 1", ROWS[0]), (f"{file}: {unit} 2", ROWS[1])]


def test_a_folder_is_read_in_the_order_of_its_files(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "a/1.parquet", ".hidden/3.jsonl", "c.txt"):
        write(tmp_path, name, [{"id": name, "text": "x"}])
    assert [row["id"] for _, row in rows_of(tmp_path)] == ["a/1.parquet", "b/2.jsonl"]
    with pytest.raises(InputError, match=r"holds no file that ends in \.tsv"):
        data_files(tmp_path, (".tsv",))


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes("\ufeff".encode() + b'{"id": "1"}\n')
    (tmp_path / "a.tsv").write_bytes("\ufeff".encode() + b"1\tx\n")
    assert [row for _, row in json_lines(tmp_path / "a.jsonl")] == [{"id": "1"}]
    assert [fields for _, fields in table_lines(tmp_path / "a.tsv", 2)] == [["1", "x"]]


def damaged(folder: Path, kind: str) -> Path:
    whole = write(folder, "whole.jsonl.gz", ROWS * 200).read_bytes()
    contents = {
        "cut.jsonl.gz": whole[: len(whole) // 2],
        "latin.jsonl": '{"id": "é"}\n'.encode("latin-1"),
        "half.jsonl": b'{"id": "1"}\n{"id": ',
        "list.jsonl": b"[1]\n",
        "surrogate.jsonl": b'{"id": "\\ud83d"}\n',
        "cut.parquet": write(folder, "whole.parquet", ROWS).read_bytes()[:-9],
        "name.parquet": write(folder, "named.parquet", [{"text": "x"}]).read_bytes().replace(b"text", b"te\xb1t"),
        "other.csv": b"a,b\n",
    }
    (folder / kind).write_bytes(contents[kind])
    return folder / kind


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("cut.jsonl.gz", "damaged or truncated gzip data after line"),
        ("latin.jsonl", "line 1: not UTF-8"),
        ("half.jsonl", "line 2: not valid JSON"),
        ("list.jsonl", r"line 1: \[1\] is no JSON object"),
        ("surrogate.jsonl", "line 1: not UTF-8"),
        ("cut.parquet", "not a readable parquet file"),
        ("name.parquet", "not a readable parquet file"),
        ("other.csv", "the ending tells no format; allowed: .parquet, .jsonl"),
        ("none.jsonl", "there is no such file or folder"),
    ],
)
def test_damage_is_told_with_its_place(tmp_path: Path, kind: str, says: str) -> None:
    file = tmp_path / kind if kind.startswith("none") else damaged(tmp_path, kind)
    with pytest.raises(InputError, match=f"{kind}: {says}"):
        list(rows_of(file))


def test_a_missing_column_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.parquet: column 'query' is missing; it has: id, text"):
        list(rows_of(write(tmp_path, "a.parquet", ROWS), ["id", "query"]))


def test_a_table_has_as_many_fields_in_each_line(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('1\t"x\n\n2\ty\tz\n')
    lines = table_lines(tmp_path / "a.tsv", 2)
    assert next(lines) == (f"{tmp_path / 'a.tsv'}: line 1", ["1", '"x'])
    with pytest.raises(InputError, match=r"a\.tsv: line 3: has 3 fields; allowed: 2"):
        next(lines)


def test_splits_are_found_as_hubs_lay_them_out(tmp_path: Path) -> None:
    for name in ("sw/dev-00001-of-00002.parquet", "sw/dev-00000-of-00002.parquet", "sw/train-00000-of-00001.parquet"):
        write(tmp_path, name, ROWS)
    assert [file.name[:9] for file in split_files(tmp_path, "sw", "dev")] == ["dev-00000", "dev-00001"]
    assert split_files(tmp_path, "sw", "test") == split_files(tmp_path, "te", "dev") == []
    write(tmp_path, "data/test.parquet", ROWS)
    assert len(split_files(tmp_path, "default", "test")) == 1
