"""What is in a store, and what a run directory held."""

from pathlib import Path
from typing import Any

from tests.store.synthetic import Results
from workbench.store.connection import MIGRATIONS, reading, writing
from workbench.store.database import query

RUN_ID = "20261122-1403-hybrid-a50-s0-7f3c"


def counts(store: Path) -> dict[str, int]:
    with reading(store) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'stored'").fetchall()
        return {name: len(connection.execute(f"from stored.{name}").fetchall()) for (name,) in tables}


def rows_of(store: Path, view: str, columns: str, run_id: str = RUN_ID) -> list[tuple[Any, ...]]:
    names = ", ".join(columns.split())
    return query(store, f"select {names} from {view} where run_id = ? order by all", [run_id]).rows


def written(results: Results, file: str, columns: str) -> list[tuple[Any, ...]]:
    rows = [tuple(row[name] for name in columns.split()) for row in results.tables[file]]
    return sorted(rows, key=lambda row: [(value is None, value) for value in row])


def as_version_2(store: Path) -> None:
    """Take from a store what the third and fourth version of the schema brought, and the views that show it."""
    with writing(store) as connection:
        for view in ("published_measurements", "leakage", "runs", "cell_measures", "setting_measures", "arm_measures"):
            connection.execute(f"drop view {view}")
        for table in ("published_measurements", "synthetic_pairs", "synthetic_texts"):
            connection.execute(f"drop table stored.{table}")
        connection.execute("drop table stored.leakage")
        connection.execute("alter table stored.runs drop column leaked")
        connection.execute("delete from stored.schema_version where version > 2")
    with writing(store, migrations=MIGRATIONS[:2]) as connection:
        connection.execute("create view runs as select * exclude (run) from stored.runs")
