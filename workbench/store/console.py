"""SQL from a user's hand: one SELECT on the store, with limits, that cannot change or reach anything.

Three layers, for switching external access off is not enough: DuckDB leaves the database's own path open to COPY, from
a read-only connection too. The store is attached read-only; the local file system is switched off and the
configuration locked; and only a text that DuckDB itself parses as one SELECT is run.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection as Connection

from workbench.errors import InputError
from workbench.store.connection import WAIT_S, one_line, reading
from workbench.store.database import Table

MAX_SECONDS = 60.0
MEMORY = "1GB"
MAX_VALUES = 10_000_000
"""Rows times columns of an answer: about 1 GB as Python objects."""


def run_sql(
    store: Path,
    statement: str,
    *,
    max_seconds: float = MAX_SECONDS,
    memory: str = MEMORY,
    max_rows: int | None = None,
    wait_s: float = WAIT_S,
) -> Table:
    """The answer to a user's SELECT (WITH, FROM, VALUES, SHOW, DESCRIBE, SUMMARIZE, PIVOT ... IN count as one).

    `memory` is what the query may use, such as `500MB`; `max_rows` cuts the answer off, and None takes it whole.

    Raises
    ------
    InputError
        No such store; not exactly one SELECT; the query is wrong or asks for too much: one line that says where.
    StoreBusy
        Somebody kept the store open for writing for `wait_s` seconds.
    """
    with reading(store, wait_s=wait_s) as connection:
        try:
            harden(connection, max_seconds, memory)
            connection.execute(only_select(connection, statement))
            return fetched(connection, max_rows)
        except duckdb.InterruptException as error:
            raise InputError(f"sql: stopped after {max_seconds:g} s; narrow the query or allow more time") from error
        except duckdb.OutOfMemoryException as error:
            raise InputError(f"sql: needs more than {memory} of memory; narrow the query or allow more") from error
        except duckdb.PermissionException as error:
            raise InputError("sql: files, other databases and extensions are out of reach: ask the store") from error
        except duckdb.Error as error:
            raise InputError(f"sql: {explained(error, statement)}") from error


def harden(connection: Connection, max_seconds: float, memory: str) -> None:
    """Take from a connection of `reading` every way out, for good."""
    connection.execute("set errors_as_json = true")
    connection.execute("set max_execution_time = ?", [max(1, round(1000 * max_seconds))])
    connection.execute("set memory_limit = ?", [memory])
    connection.execute("set temp_directory = ''")
    connection.execute("set enable_external_access = false")
    connection.execute("set disabled_filesystems = 'LocalFileSystem'")
    connection.execute("set lock_configuration = true")


def only_select(connection: Connection, text: str) -> duckdb.Statement:
    """The one SELECT that `text` is.

    Raises
    ------
    InputError
        It holds something else, several statements or none.
    """
    statements = connection.extract_statements(text)
    kinds = [statement.type.name for statement in statements]
    if kinds == ["SELECT"]:
        return statements[0]
    if kinds == ["MULTI"]:
        raise InputError("sql: several statements in one; in PIVOT, name the values: ON column IN ('a', 'b')")
    found = ", ".join(kinds) or "nothing"
    raise InputError(f"sql: exactly one SELECT is run here (or SHOW, DESCRIBE, SUMMARIZE), and this is {found}")


def fetched(connection: Connection, max_rows: int | None) -> Table:
    columns = connection.description
    most = MAX_VALUES // len(columns)
    rows = connection.fetchmany(most + 1 if max_rows is None else min(max_rows, most + 1))
    if len(rows) > most:
        raise InputError(
            f"sql: the answer has more than {most:,} rows of {len(columns)} columns; aggregate, or LIMIT it"
        )
    return Table(tuple(c[0] for c in columns), tuple(str(c[1]) for c in columns), rows)


def explained(error: duckdb.Error, statement: str) -> str:
    """DuckDB's message and what it suggests in one line, with the place in the statement."""
    line = one_line(error)
    try:
        described = json.loads(line)
    except ValueError:
        return line
    message = [part.strip() for part in described["exception_message"].splitlines()]
    hints = [part for part in message[1:2] if part.startswith(("Did you mean", "Candidate bindings"))]
    return " ".join([*message[:1], *hints]) + place(statement, described.get("position"))


def place(statement: str, position: str | None) -> str:
    """` (line 2, column 7)` of a position in UTF-8 bytes."""
    if position is None or not position.isdecimal():
        return ""
    before = statement.encode()[: int(position)].decode(errors="ignore")
    return f" (line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))})"
