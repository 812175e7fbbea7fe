"""Training sets of parallel pairs in a parquet or a JSON-lines file: one row = one pair in one language.

Columns, or keys: `pair_id`, `lang`, `query`, `passage`, and where the set has any, `negative` (the hard negative
passage; null or blank = none) and `made_by` (what made the texts; null or blank = people wrote them). All are strings;
others are ignored. The order of the rows has no effect. A synthetic row may lack its query or its passage, and its
language may be `mul`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs, capped
from workbench.data.reading.languages import check_language, languages_asked_for
from workbench.data.reading.rows import json_lines
from workbench.errors import InputError
from workbench.records import MIXED_LANGUAGES

REQUIRED = ("pair_id", "lang", "query", "passage")
SIDES = ("query", "passage")
NEGATIVE = "negative"
MADE_BY = "made_by"
OPTIONAL = (NEGATIVE, MADE_BY)
NUMBER = "number"
"""Column that the readers add: the number of the row, or line, in the file, from 1."""


@dataclass(frozen=True)
class Rows:
    """What a file holds, before it becomes pairs."""

    path: Path
    table: pa.Table
    """The columns above, large strings, and `NUMBER`."""
    unit: Literal["row", "line"]
    """What the numbers count."""

    def named(self, row: int) -> str:
        return f"{self.unit} {self.table[NUMBER][row].as_py()}"


def load_pairs(
    name: str,
    path: Path,
    languages: Sequence[str] | None = None,
    pairs: int | None = None,
    pairs_per_language: int | None = None,
    loader: Literal["parquet", "jsonl"] | None = None,
) -> ParallelPairs:
    """Read a training set.

    Parameters
    ----------
    languages
        Those to take; none = all.
    pairs
        At most so many of the pairs that exist in one of `languages`: the first in the order of a hash of their
        pair_id, the same in any file.
    pairs_per_language
        Of these, at most so many of the pairs that exist in each language: the first in the same order.
    loader
        None = by the path's ending: `.parquet`, else JSON lines; they may be gzipped (`.gz`).

    Raises
    ------
    InputError
        The file is missing, unreadable or truncated, lacks a column, a text or a language, or has a pair twice in one
        language. The message names file and row.
    """
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'there is no such file'}")
    parquet = loader == "parquet" or (loader is None and path.suffix == ".parquet")
    try:
        rows = read_parquet(path) if parquet else read_jsonl(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    check_texts(rows)
    check_languages(rows)
    return capped(as_pairs(name, in_languages(rows, languages)), pairs, pairs_per_language)


def read_parquet(path: Path) -> Rows:
    """The columns that count."""
    try:
        file = pq.ParquetFile(path)
        kinds = {field.name: field.type for field in file.schema_arrow}
        wanted = [column for column in (*REQUIRED, *OPTIONAL) if column in kinds]
        for column in REQUIRED:
            if column not in kinds:
                raise InputError(f"{path}: column {column!r} is missing; it has: {', '.join(kinds)}")
        for column in wanted:
            if not is_text(kinds[column]):
                raise InputError(f"{path}: column {column!r} holds {kinds[column]}; allowed: string")
        table = file.read(columns=wanted)
        # pyarrow takes the bytes of a string column on trust, so they are checked here
        table = pa.table({column: table[column].cast(pa.large_string()) for column in wanted})
        table.validate(full=True)
    except pa.ArrowException as error:
        raise InputError(f"{path}: not a readable parquet file: {str(error).splitlines()[0]}") from error
    numbers = pa.array(np.arange(1, len(table) + 1))
    return Rows(path, blanks_as_null(table).append_column(NUMBER, numbers), "row")


def is_text(kind: pa.DataType) -> bool:
    """Strings, and the nulls of a column that is empty throughout."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(test(kind) for test in tests)


def read_jsonl(path: Path) -> Rows:
    """The keys that count, as columns; blank lines are no rows."""
    columns: dict[str, list[str | None]] = {key: [] for key in (*REQUIRED, *OPTIONAL)}
    numbers: list[int] = []
    for number, record in json_lines(path):
        numbers.append(number)
        for key, values in columns.items():
            if key not in record and key not in OPTIONAL:
                raise InputError(f"{path}: line {number}: key {key!r} is missing")
            value = record.get(key)
            if not isinstance(value, str | None):
                raise InputError(f"{path}: line {number}: {key!r} is {value!r:.60}; allowed: a string")
            values.append(value)
    arrays = {key: pa.array(values, pa.large_string()) for key, values in columns.items()}
    return Rows(path, blanks_as_null(pa.table(arrays)).append_column(NUMBER, pa.array(numbers, pa.int64())), "line")


def blanks_as_null(table: pa.Table) -> pa.Table:
    """In the columns that may lack a text."""
    for column in OPTIONAL:
        if column in table.column_names:
            blank = pc.equal(pc.utf8_trim_whitespace(table[column]), "")
            text = pc.if_else(blank, pa.scalar(None, pa.large_string()), table[column])
            table = table.set_column(table.column_names.index(column), column, text)
    return table


def check_texts(rows: Rows) -> None:
    """There is a row, and no null and no blank string where a text must be."""
    if not len(rows.table):
        raise InputError(f"{rows.path}: holds no pairs")
    blank = {column: is_blank(rows.table[column]) for column in REQUIRED}
    if MADE_BY in rows.table.column_names:
        # of a synthetic pair one side may have been made, and the other not
        made = pc.is_valid(rows.table[MADE_BY])
        asked, answered = blank["query"], blank["passage"]
        blank["query"] = pc.and_(asked, pc.or_(answered, pc.invert(made)))
        blank["passage"] = pc.and_(answered, pc.or_(asked, pc.invert(made)))
    for column in REQUIRED:
        row = pc.index(blank[column], True).as_py()
        if row >= 0:
            what = "null" if rows.table[column][row].as_py() is None else "blank"
            raise InputError(f"{rows.path}: {rows.named(row)}: {column!r} is {what}; allowed: a text")


def is_blank(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), True)


def check_languages(rows: Rows) -> None:
    """Every `lang` is a language code, or `mul` of synthetic texts; those of a language have one maker."""
    for language in rows.table["lang"].unique().to_pylist():
        of_language = pc.equal(rows.table["lang"], language)
        where = f"{rows.path}: {rows.named(pc.index(of_language, True).as_py())}"
        makers = made_by(rows.table).filter(of_language).unique().to_pylist()
        if len(set(makers) - {None}) > 1:
            found = ", ".join(repr(maker) for maker in makers if maker is not None)
            raise InputError(f"{where}: {language!r} has texts made by {found}; allowed: one maker a language")
        check_language(language, f"{where}: 'lang'")
        if language == MIXED_LANGUAGES and None in makers:
            by_people = pc.and_(of_language, pc.invert(pc.is_valid(made_by(rows.table))))
            where = f"{rows.path}: {rows.named(pc.index(by_people, True).as_py())}"
            raise InputError(f"{where}: 'lang': {language!r} is several languages; allowed: in rows with a 'made_by'")


def made_by(table: pa.Table) -> pa.ChunkedArray:
    """[rows] what made the texts, null = people."""
    if MADE_BY in table.column_names:
        return table[MADE_BY]
    return pa.chunked_array([pa.nulls(len(table), pa.large_string())])


def in_languages(rows: Rows, languages: Sequence[str] | None) -> Rows:
    """The rows in these languages."""
    if languages is None:
        return rows
    languages = languages_asked_for(rows.table["lang"].unique().to_pylist(), languages, rows.path)
    chosen = pc.is_in(rows.table["lang"], pa.array(languages, pa.large_string()))
    return replace(rows, table=rows.table.filter(chosen))


def as_pairs(name: str, rows: Rows) -> ParallelPairs:
    """Rows to matrices of pairs by languages, equal texts held once; human columns before synthetic ones."""
    pair_ids, pairs = codes(rows.table["pair_id"])
    makers = made_by(rows.table)
    # a digit before the code sorts by origin, then by language
    human, synthetic, blank = (pa.scalar(part, pa.large_string()) for part in "01 ")
    origin = pc.if_else(pc.is_valid(makers), synthetic, human)
    marked = pc.binary_join_element_wise(origin, rows.table["lang"], blank)
    marks, columns = codes(marked)
    languages = tuple(mark[2:] for mark in marks)
    check_unique(rows, pairs.astype(np.int64) * len(languages) + columns)
    texts, indexes = text_indexes(rows.table)

    def matrix(index: NDArray[np.int32]) -> NDArray[np.int32]:
        result = np.full((len(pair_ids), len(languages)), -1, np.int32)
        result[pairs, columns] = index
        return result

    queries, passages, negatives = (matrix(index) for index in indexes)
    found = ParallelPairs(name, languages, pair_ids, texts, queries, passages, negatives)
    if all(mark.startswith("0") for mark in marks):
        return found
    first = [pc.index(pc.equal(marked, mark), True).as_py() for mark in marks]
    return replace(found, made_by=tuple(makers[row].as_py() for row in first))


def codes(column: pa.ChunkedArray) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The distinct strings, ascending, and [rows] which of them each row has."""
    encoded = column.combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order))
    return tuple(encoded.dictionary.take(pa.array(order)).to_pylist()), ranks[encoded.indices.to_numpy()]


def text_indexes(table: pa.Table) -> tuple[tuple[str, ...], list[NDArray[np.int32]]]:
    """The distinct texts, and [rows] which one is the query, the passage, the hard negative (-1 for none)."""
    parts = [pc.if_else(is_blank(table[side]), pa.scalar(None, pa.large_string()), table[side]) for side in SIDES]
    if NEGATIVE in table.column_names:
        parts.append(table[NEGATIVE])
    chunks = [chunk for part in parts for chunk in part.chunks]
    encoded = pa.chunked_array(chunks, pa.large_string()).combine_chunks().dictionary_encode()
    indexes = list(encoded.indices.fill_null(-1).to_numpy().reshape(len(parts), len(table)))
    if len(parts) == len(SIDES):
        indexes.append(np.full(len(table), -1, np.int32))
    return tuple(encoded.dictionary.to_pylist()), indexes


def check_unique(rows: Rows, cells: NDArray[np.int64]) -> None:
    """No pair has two rows in one language; `cells` [rows] is a number for pair and language."""
    order = np.argsort(cells, kind="stable")
    again = order[1:][cells[order][1:] == cells[order][:-1]]
    if not len(again):
        return
    later = int(again.min())
    earlier = int(np.flatnonzero(cells == cells[later])[0])
    pair_id, language = (rows.table[column][later].as_py() for column in ("pair_id", "lang"))
    raise InputError(
        f"{rows.path}: {rows.named(later)}: pair_id {pair_id!r} in {language!r} stands in {rows.named(earlier)} already"
    )
