"""Rows of the files that data sets are published in, one after the other: never a whole file in memory."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import InputError, allowed

Row = dict[str, Any]
Placed = tuple[str, Row]
"""Where a row stands, for messages (`corpus.jsonl: line 7`), and the row."""

ENDINGS = (".parquet", ".jsonl", ".jsonl.gz")
BATCH_ROWS = 4096


def data_files(path: Path, endings: Sequence[str] = ENDINGS) -> list[Path]:
    """The file itself, or a folder's files with one of these endings, in its subfolders too, by name; none hidden.

    Raises
    ------
    InputError
        There is no such file or folder, or it holds none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path}: there is no such file or folder")
    found = sorted(
        file
        for file in path.rglob("*")
        if file.name.endswith(tuple(endings))
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise InputError(f"{path}: the folder holds no file that ends in {', '.join(endings)}")
    return found


def rows_of(path: Path, columns: Sequence[str] | None = None) -> Iterator[Placed]:
    """The rows of a parquet or a JSON-lines file (`.gz` too), or of all of a folder's.

    Parameters
    ----------
    columns
        Those that a parquet file must have and that are read; none = all. Of a JSON line all keys are read, and
        whoever uses the row checks that they are there.

    Raises
    ------
    InputError
        There is no such file, it is damaged or truncated, is of another kind, or lacks a column.
    """
    for file in data_files(path):
        if file.name.endswith(".parquet"):
            yield from parquet_rows(file, columns)
        elif file.name.endswith((".jsonl", ".jsonl.gz")):
            for number, row in json_lines(file):
                yield f"{file}: line {number}", row
        else:
            raise InputError(f"{file}: the ending tells no format; {allowed(file.suffix, ENDINGS)}")


def parquet_rows(file: Path, columns: Sequence[str] | None = None) -> Iterator[Placed]:
    """The rows of one parquet file, numbered from 1."""
    number = 0
    try:
        with pq.ParquetFile(file) as source:
            have = source.schema_arrow.names
            for column in columns or ():
                if column not in have:
                    raise InputError(f"{file}: column {column!r} is missing; it has: {', '.join(have)}")
            for batch in source.iter_batches(BATCH_ROWS, columns=None if columns is None else list(columns)):
                batch.validate(full=True)  # pyarrow takes the bytes of strings on trust
                for row in batch.to_pylist():
                    number += 1
                    yield f"{file}: row {number}", row
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (pa.ArrowException, UnicodeDecodeError) as error:  # the latter: a column's name
        raise InputError(f"{file}: not a readable parquet file: {str(error).splitlines()[0]}") from error


def opened(file: Path) -> IO[bytes]:
    """A file's bytes, unpacked where its name ends in `.gz`."""
    return cast(IO[bytes], gzip.open(file, "rb")) if file.suffix == ".gz" else file.open("rb")


def json_lines(file: Path) -> Iterator[tuple[int, Row]]:
    """Line number, from 1, and object of each line that is not blank.

    Raises
    ------
    InputError
        The file cannot be read, is truncated, not UTF-8, or a line is no JSON object.
    """
    number = 0
    try:
        with opened(file) as source:
            for number, line in enumerate(source, start=1):
                if line.isspace():
                    continue
                record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip())
                if not isinstance(record, dict):
                    raise InputError(f"{file}: line {number}: {record!r:.60} is no JSON object")
                if b"\\ud" in line.lower():  # an escape may stand for half a character, which is no text
                    json.dumps(record, ensure_ascii=False).encode()
                yield number, record
    except UnicodeError as error:
        raise InputError(f"{file}: line {number}: not UTF-8: {error.reason}") from error  # type: ignore[attr-defined]
    except json.JSONDecodeError as error:
        raise InputError(f"{file}: line {number}: not valid JSON: {error.msg} column {error.colno}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: line {number}: not valid JSON: {error}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: damaged or truncated gzip data after line {number}: {error}") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error


def table_lines(file: Path, columns: int) -> Iterator[tuple[str, list[str]]]:
    """Place and fields of each line of a file of tab-separated values without quotes; blank lines are none.

    Raises
    ------
    InputError
        The file cannot be read, is truncated, not UTF-8, or a line has another number of fields.
    """
    for number, line in text_lines(file):
        if not line or line.isspace():
            continue
        fields = line.split("\t")
        if len(fields) != columns:
            raise InputError(f"{file}: line {number}: has {len(fields)} fields; allowed: {columns}, with tabs between")
        yield f"{file}: line {number}", fields


def text_lines(file: Path) -> Iterator[tuple[int, str]]:
    """Number, from 1, and content of each line, without what ends it.

    Raises
    ------
    InputError
        The file cannot be read, is truncated or not UTF-8.
    """
    number = 0
    try:
        with opened(file) as source:
            for number, line in enumerate(source, start=1):
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: line {number}: not UTF-8: {error.reason}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: damaged or truncated gzip data after line {number}: {error}") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error


def split_files(path: Path, config: str, split: str) -> list[Path]:
    """The parquet files of a split in a folder laid out as dataset hubs do: `config/split-00000-of-00001.parquet`.

    Those of the config `default` may also lie in `data/` or in the folder itself. Empty where there are none.
    """
    folders = [path / config, *([path / "data", path] if config == "default" else [])]
    for folder in folders:
        found = sorted([*folder.glob(f"{split}-*.parquet"), *folder.glob(f"{split}.parquet")])
        if found:
            return found
    return []
