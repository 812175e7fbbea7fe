"""A store to hand on: a fresh file without free space, and without what tells of the machine."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from workbench.errors import InputError, WorkError
from workbench.files import write_whole
from workbench.runs.packing import HERE, PRIVATE
from workbench.store.connection import ALONE, create, one_line, reading

MADE_ANEW = ("schema_version", "published_measurements")
"""Tables that every new store has filled."""


def pack_store(store: Path, out: Path) -> int:
    """Copy all results into a new file; hosts, platforms and folders are left out, paths in configs stay.

    Returns
    -------
    The number of runs.

    Raises
    ------
    InputError
        There is no store, or a file of that name.
    WorkError
        The store is busy, or the new file cannot be written.
    """
    if out.exists():
        raise InputError(f"{out}: is there already; give the name of a file to make")
    # held until the copy is made, so that no run comes in meanwhile
    with reading(store) as connection:
        try:
            write_whole(out, lambda beside: fill(store, beside))
        except duckdb.Error as error:
            raise WorkError(f"{out}: cannot be written: {one_line(error)}") from error
        return len(connection.execute("select run_id from runs").fetchall())


def fill(store: Path, out: Path) -> None:
    create(out)
    with duckdb.connect(str(out), config=ALONE) as connection:
        connection.execute(f"attach {quoted(store)} as given (read_only)")
        tables = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'given' and schema_name = 'stored'"
        ).fetchall()
        for (table,) in tables:
            if table not in MADE_ANEW:
                columns = "* replace (null as host)" if table == "runs" else "*"
                connection.execute(f"insert into stored.{table} by name select {columns} from given.stored.{table}")
        for column, patch in (("config", {"folder": HERE}), ("environment", dict.fromkeys(PRIVATE))):
            connection.execute(f"update stored.runs set {column} = json_merge_patch({column}, ?)", [json.dumps(patch)])
        connection.execute("detach given")
        connection.execute("checkpoint")


def quoted(path: Path) -> str:
    """A path as text in SQL, where no parameter can stand."""
    return "'" + str(path).replace("'", "''") + "'"
