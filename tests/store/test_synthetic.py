"""What runs say of synthetic training data, in stores of this version and of those before."""

from pathlib import Path

import pytest

from tests.store.looking import RUN_ID, as_version_2, counts, rows_of
from tests.store.synthetic import COLUMNS, Row, Tiny, evaluate, write_run
from workbench.paths import RunPaths, RunsPaths
from workbench.store.connection import MIGRATIONS, writing
from workbench.store.database import forget, ingest, ingest_pending, query

TABLES = ("synthetic_pairs", "synthetic_texts")
DRAWN = {"training_set": "demo", "kind": "cross", "query_language": "en", "passage_language": "de"}
PAIRS: list[Row] = [
    {**DRAWN, "query_made_by": None, "passage_made_by": "mt", "pairs": 7},
    {**DRAWN, "query_made_by": "mt", "passage_made_by": "mt", "query_language": "hi", "pairs": 3},
]
TEXTS: list[Row] = [
    {
        "training_set": "demo",
        "language": "de",
        "made_by": "mt",
        "made": 9,
        "kept": 7,
        "details": '{"rejected":{"copies":2}}',
    },
    {"training_set": "demo", "language": "mul", "made_by": "switch", "made": None, "kept": 7, "details": "{}"},
]


def write_synthetic(runs: Path, run_id: str = RUN_ID) -> RunPaths:
    results = evaluate(Tiny())

    for table, rows in (("synthetic_pairs", PAIRS), ("synthetic_texts", TEXTS)):
        results.tables[table] = [dict(row) for row in rows]
    return write_run(runs, run_id, results=results)


def as_version_4(store: Path) -> None:
    """Take from a store what the fifth version of the schema brought."""
    with writing(store) as connection:
        for table in TABLES:
            connection.execute(f"drop view {table}")
            connection.execute(f"drop table stored.{table}")
        connection.execute("delete from stored.schema_version where version > 4")


def test_the_views_give_back_what_the_run_wrote(store: Path, tmp_path: Path) -> None:
    run = write_synthetic(tmp_path / "runs")
    ingest(store, run)
    for table, rows in (("synthetic_pairs", PAIRS), ("synthetic_texts", TEXTS)):
        names = COLUMNS[table].split()
        expected = {tuple(row[name] for name in names) for row in rows}
        assert set(rows_of(store, table, COLUMNS[table])) == expected
    answer = query(store, "select (details->'$.rejected.copies')::int from synthetic_texts where language = 'de'")
    assert answer.rows == [(2,)]
    forget(store, RUN_ID)
    assert all(counts(store)[table] == 0 for table in TABLES)


def test_a_run_from_before_has_none(store: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs")
    assert not any((run.results / f"{table}.parquet").exists() for table in TABLES)
    ingest(store, run)
    assert rows_of(store, "runs", "run_id") == [(RUN_ID,)]
    assert all(counts(store)[table] == 0 for table in TABLES)


@pytest.mark.parametrize("version", [as_version_2, as_version_4])
def test_a_store_of_a_version_before_takes_them(store: Path, tmp_path: Path, version: object) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    before = counts(store)
    measured = query(store, "select * from cell_measures order by all").rows
    version(store)  # type: ignore[operator]
    assert query(store, "select max(version) from stored.schema_version").rows == [(len(MIGRATIONS),)]
    assert counts(store) == before and query(store, "select * from cell_measures order by all").rows == measured
    other = "20261123-1403-hybrid-s0-1111"
    write_synthetic(tmp_path / "runs", other)
    ingest_pending(store, RunsPaths(tmp_path / "runs"))
    assert query(store, "select distinct run_id, count(*) from synthetic_texts group by all").rows == [(other, 2)]
