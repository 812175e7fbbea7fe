"""SQL from a user's hand: one SELECT on the store, with limits, that cannot change or reach anything.

Three layers, for switching external access off is not enough: DuckDB leaves the database's own path open to COPY, from
a read-only connection too. The store is attached read-only; the local file system is switched off and the
configuration locked; and only a text that DuckDB itself parses as one SELECT is run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection as Connection

from workbench.errors import InputError
from workbench.store.connection import WAIT_S, one_line, reading
from workbench.store.database import Table

MAX_SECONDS = 60.0
LONGEST_S = 86_400.0
"""The most that `max_seconds` may be."""
MEMORY = "1GB"
MAX_VALUES = 10_000_000
"""Rows times columns of an answer: about 1 GB as Python objects."""
LOOK_S = 0.05
"""Between two looks at whether somebody has cancelled."""


class SqlError(InputError):
    """The statement is wrong, and DuckDB says where."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"{message} (line {line}, column {column})")
        self.line, self.column = line, column
        """Counted from 1; the column in characters."""


class Cancelled(InputError):
    """Whoever asked no longer wants to know."""


def run_sql(
    store: Path,
    statement: str,
    *,
    max_seconds: float = MAX_SECONDS,
    memory: str = MEMORY,
    max_rows: int | None = None,
    wait_s: float = WAIT_S,
    cancelled: Event | None = None,
) -> Table:
    """The answer to a user's SELECT (WITH, FROM, VALUES, SHOW, DESCRIBE, SUMMARIZE, PIVOT ... IN count as one).

    `memory` is what the query may use, such as `500MB`; `max_rows` cuts the answer off (`more` then says whether
    rows were left), and None takes it whole. Of columns with one name the later ones become `name_1`, `name_2`;
    DECIMAL values come as floats. Ctrl-C ends the query at once, and so does another thread that sets `cancelled`.

    Raises
    ------
    InputError
        No such store; not exactly one SELECT; a limit that is none; the query asks for too much.
    SqlError
        The query is wrong: one line that says where.
    Cancelled
        `cancelled` was set.
    StoreBusy
        Somebody kept the store open for writing for `wait_s` seconds.
    """
    with reading(store, wait_s=wait_s) as connection:
        try:
            harden(connection, max_seconds, memory)
            return asked(connection, only_select(connection, statement), max_rows, cancelled or Event())
        except duckdb.InterruptException as error:
            if cancelled and cancelled.is_set():
                raise Cancelled("sql: cancelled") from error
            raise InputError(f"sql: stopped after {max_seconds:g} s; narrow the query or allow more time") from error
        except duckdb.OutOfMemoryException as error:
            raise InputError(f"sql: needs more than {memory} of memory; narrow the query or allow more") from error
        except duckdb.PermissionException as error:
            raise InputError("sql: files, other databases and extensions are out of reach: ask the store") from error
        except duckdb.Error as error:
            raise explained(error, statement) from error


def harden(connection: Connection, max_seconds: float, memory: str) -> None:
    """Take from a connection of `reading` every way out, for good."""
    if not 0 < max_seconds <= LONGEST_S:
        raise InputError(f"sql: a limit of {max_seconds:g} s; allowed: above 0, up to {LONGEST_S:,.0f}")
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


def asked(connection: Connection, statement: duckdb.Statement, max_rows: int | None, cancelled: Event) -> Table:
    """The answer, from a thread of its own: a thread that is at work in DuckDB is deaf to Ctrl-C for long stretches."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(fetched, connection, statement, max_rows)
        try:
            while not answer.done() and not cancelled.is_set():
                wait([answer], timeout=LOOK_S)
        finally:
            while not answer.done():
                connection.interrupt()
                # again and again: one that comes before the statement has begun is lost
                wait([answer], timeout=LOOK_S)
        table = answer.result()
    if not any("DECIMAL" in name for name in table.types):
        return table
    return replace(table, rows=[tuple(map(as_float, row)) for row in table.rows])


def fetched(connection: Connection, statement: duckdb.Statement, max_rows: int | None) -> Table:
    connection.execute(statement)
    columns = connection.description
    most = MAX_VALUES // len(columns)
    wanted = most if max_rows is None else min(max_rows, most)
    rows = connection.fetchmany(wanted + 1)
    if len(rows) > most:
        raise InputError(
            f"sql: the answer has more than {most:,} rows of {len(columns)} columns; aggregate, or LIMIT it"
        )
    names, types = distinct([c[0] for c in columns]), tuple(str(c[1]) for c in columns)
    return Table(names, types, rows[:wanted], more=len(rows) > wanted)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Each name once: a repeated `a` becomes the first of `a_1`, `a_2`, ... that no other column has."""
    found: dict[str, None] = {}
    for name in names:
        numbered = (f"{name}_{number}" for number in count(1))
        free = (new for new in numbered if new not in found and new not in names)
        found[next(free) if name in found else name] = None
    return tuple(found)


def as_float(value: Any) -> Any:
    """DECIMAL as a float, inside lists, structs and maps too: JSON has no other number with a fraction."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(as_float, value))
    if isinstance(value, dict):
        return {as_float(key): as_float(each) for key, each in value.items()}
    return value


def explained(error: duckdb.Error, statement: str) -> InputError:
    """DuckDB's message and what it suggests in one line, with the place in the statement where it knows one."""
    line = one_line(error)
    try:
        described = json.loads(line)
    except ValueError:
        return InputError(f"sql: {line}")
    message = [part.strip() for part in described["exception_message"].splitlines()]
    hints = [part for part in message[1:2] if part.startswith(("Did you mean", "Candidate bindings"))]
    said = " ".join([*message[:1], *hints])
    position = described.get("position")
    if position is None or not position.isdecimal():
        return InputError(f"sql: {said}")
    return SqlError(f"sql: {said}", *place(statement, int(position)))


def place(statement: str, position: int) -> tuple[int, int]:
    """Line and column of a position in UTF-8 bytes."""
    before = statement.encode()[:position].decode(errors="ignore")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
