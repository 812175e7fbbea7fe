"""Queries that are kept: the examples that ship with the package, the user's own, and those asked lately."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import InputError, WorkError
from workbench.files import as_work_error, locked, write_whole
from workbench.paths import cache_folder
from workbench.store.database import query

EXAMPLES = Path(__file__).with_name("example_queries")
NAME = re.compile(r"\w[\w .-]{0,59}")
KEPT = 200
"""Statements of the history."""


@dataclass(frozen=True)
class SavedQuery:
    """A statement with a name."""

    name: str
    statement: str
    shipped: bool
    """Whether it came with the package."""


def saved_queries(store: Path) -> list[SavedQuery]:
    """The shipped examples, then the files `queries/*.sql` beside the store, by name.

    Raises
    ------
    WorkError
        A file cannot be read.
    """
    return [*read_folder(EXAMPLES, shipped=True), *read_folder(queries_folder(store), shipped=False)]


def queries_folder(store: Path) -> Path:
    """Where a store's queries are: beside it, for they belong to what it holds, and can go into version control."""
    return store.parent / "queries"


def read_folder(folder: Path, *, shipped: bool) -> list[SavedQuery]:
    found = []
    for file in sorted(folder.glob("*.sql")):
        try:
            found.append(SavedQuery(file.stem, file.read_text(encoding="utf-8", errors="replace"), shipped))
        except OSError as error:
            raise WorkError(f"{file}: cannot be read: {error.strerror or error}") from error
    return found


def save_query(store: Path, name: str, statement: str) -> Path:
    """Write a query beside the store; one of that name gives way.

    Raises
    ------
    InputError
        The name is none for a file, or there is nothing to save.
    WorkError
        The folder cannot be written.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"query name {name!r}: allowed: up to 60 letters, digits, blanks and . _ -, a letter first")
    if not statement.strip():
        raise InputError("there is no query to save")
    path = query_file(store, name)
    write_whole(path, statement.rstrip() + "\n")
    return path


def query_file(store: Path, name: str) -> Path:
    return queries_folder(store) / f"{name}.sql"


def is_saved(store: Path, name: str) -> bool:
    """Whether a query of that name stands beside the store."""
    return bool(NAME.fullmatch(name)) and query_file(store, name).exists()


def delete_query(store: Path, name: str) -> None:
    """Remove a query from beside the store; one that is gone already is no harm.

    Raises
    ------
    WorkError
        The file cannot be removed.
    """
    path = query_file(store, name)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise as_work_error(error, path) from error


def history_file() -> Path:
    return cache_folder() / "sql_history.jsonl"


def history() -> list[str]:
    """The statements that were asked, the latest first, each once."""
    try:
        lines = history_file().read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return list(dict.fromkeys(read_lines(reversed(lines))))[:KEPT]


def read_lines(lines: Iterable[str]) -> list[str]:
    """The statements of the lines that are whole."""
    found = []
    for line in lines:
        try:
            statement = json.loads(line)
        except ValueError:
            continue  # a crash in the middle of a line loses that line alone
        if isinstance(statement, str):
            found.append(statement)
    return found


def remember(statement: str) -> None:
    """Put a statement into the history; the oldest fall out of it.

    Raises
    ------
    WorkError
        The cache cannot be written.
    """
    path = history_file()
    try:
        with locked(path.with_name(f"{path.name}.lock"), wait_s=1.0):
            kept = [one for one in history() if one != statement][: KEPT - 1]
            write_whole(path, "".join(f"{json.dumps(one)}\n" for one in (*reversed(kept), statement)))
    except BlockingIOError as error:
        raise as_work_error(error, path) from error


def views(store: Path) -> dict[str, list[tuple[str, str]]]:
    """By view of the store: the names and types of its columns."""
    table = query(
        store,
        """
        select table_name, column_name, lower(data_type) from duckdb_columns()
        where database_name = current_database() and schema_name = 'main' and not internal
        order by table_name, column_index
        """,
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for view, column, kind in table.rows:
        found.setdefault(view, []).append((column, kind))
    return found
