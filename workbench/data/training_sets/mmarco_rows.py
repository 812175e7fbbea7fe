"""mMARCO's triples as dataset hubs lay them out: a table a language, the same triple in the same row of each."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs, Texts, hash_order, select
from workbench.data.reading.languages import codes_by_name
from workbench.data.reading.rows import split_files
from workbench.errors import InputError

COLUMNS = ("query", "positive", "negative")
BATCH_ROWS = 2**14


def hub_tables(path: Path) -> dict[str, list[Path]]:
    """The files of each language that has a table in the folder, by its code."""
    tables = {code: split_files(path, name, "train") for name, code in codes_by_name().items()}
    return {code: files for code, files in tables.items() if files}


def hub_pairs(
    name: str, path: Path, tables: Mapping[str, Sequence[Path]], languages: Sequence[str], most: int | None
) -> ParallelPairs:
    """At most `most` pairs in these languages, the first in the hash order of the rows' numbers.

    A row is a pair where no row before it has the same query and passage in English, or, in a folder without English,
    in the first of its languages by code: which pairs there are thus does not depend on `languages`.

    Raises
    ------
    InputError
        A table is damaged, lacks a column, or has another number of rows than the first.
    """
    reference = "en" if "en" in tables else min(tables)
    rows, total = distinct_rows(tables[reference])
    if not total:
        raise InputError(f"{path}: the table in {reference!r} holds no rows")
    if most is not None and most < len(rows):
        rows = rows[np.sort(hash_order(map(str, rows.tolist()))[:most])]
    texts = Texts()
    cells = np.full((len(rows), len(languages), len(COLUMNS)), -1, np.int32)
    for column, language in enumerate(languages):
        read = read_rows(tables[language], rows, cells[:, column], texts)
        if read != total:
            raise InputError(
                f"{path}: the table in {language!r} has {read} rows, that in {reference!r} {total}; allowed: as many, "
                "for the same row is the same triple"
            )
    return from_cells(name, languages, map(str, rows.tolist()), texts, cells)


def from_cells(
    name: str, languages: Sequence[str], pair_ids: Iterable[str], texts: Texts, cells: NDArray[np.int32]
) -> ParallelPairs:
    """A set from [pairs, languages, 3] `cells`, the places in `texts` of query, passage and hard negative.

    -1 stands for a blank text: where query or passage is one, the pair does not exist in the language.

    Raises
    ------
    InputError
        That is true of every pair in a language.
    """
    blank = (cells[:, :, :2] < 0).any(axis=2)
    for column in np.flatnonzero(blank.all(axis=0)).tolist():
        count = len(cells)
        raise InputError(f"{name}: holds no pairs in {languages[column]!r}: {count} of {count} have a blank text")
    queries, passages, negatives = (np.where(blank, np.int32(-1), cells[:, :, part]) for part in range(3))
    note = f"{blank.sum()} of {blank.size} pairs in a language have a blank text there and are left out"
    notes = (note,) if blank.any() else ()
    ids = tuple(pair_ids)
    pairs = ParallelPairs(name, tuple(languages), ids, texts.unique, queries, passages, negatives, notes)
    return select(pairs, np.flatnonzero(pairs.has.any(axis=1))) if notes else pairs


def distinct_rows(files: Sequence[Path]) -> tuple[NDArray[np.int64], int]:
    """The rows, from 0, that are the first with their query and passage; and how many rows there are."""
    hashes = (
        hashlib.blake2b(f"{query}\t{passage}".encode(), digest_size=8).digest()
        for batch in batches(files, COLUMNS[:2])
        for query, passage in zip(*(batch[column].to_pylist() for column in COLUMNS[:2]), strict=True)
    )
    keys = np.fromiter((int.from_bytes(digest, "big") for digest in hashes), np.uint64)
    return np.sort(np.unique(keys, return_index=True)[1]), len(keys)


def read_rows(files: Sequence[Path], rows: NDArray[np.int64], cells: NDArray[np.int32], texts: Texts) -> int:
    """Fill [rows, 3] `cells` with the texts of these rows, which ascend; returns how many rows the files have."""
    start = 0
    for batch in batches(files, COLUMNS):
        first, last = np.searchsorted(rows, [start, start + len(batch)])
        chosen = batch.take(pa.array(rows[first:last] - start))
        for part, column in enumerate(COLUMNS):
            cells[first:last, part] = [
                texts.add([text])[0] if text and not text.isspace() else -1 for text in chosen[column].to_pylist()
            ]
        start += len(batch)
    return start


def batches(files: Sequence[Path], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of parquet files, one after the other.

    Raises
    ------
    InputError
        A file is damaged, or one of the columns is missing or holds no strings.
    """
    for file in files:
        try:
            with pq.ParquetFile(file) as source:
                check_columns(file, source.schema_arrow, columns)
                for batch in source.iter_batches(BATCH_ROWS, columns=list(columns)):
                    batch.validate(full=True)  # pyarrow takes the bytes of strings on trust
                    yield batch
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
        except pa.ArrowException as error:
            raise InputError(f"{file}: not a readable parquet file: {str(error).splitlines()[0]}") from error


def check_columns(file: Path, schema: pa.Schema, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in schema.names:
            raise InputError(f"{file}: column {column!r} is missing; it has: {', '.join(schema.names)}")
        if schema.field(column).type not in (pa.string(), pa.large_string()):
            raise InputError(f"{file}: column {column!r} holds {schema.field(column).type}; allowed: string")
