"""SQL from a user's hand: what works, what is refused, and that nothing is ever changed."""

import hashlib
from pathlib import Path

import duckdb
import pytest

from tests.store.synthetic import write_run
from workbench.errors import InputError
from workbench.store.connection import reading
from workbench.store.console import harden, run_sql
from workbench.store.database import ingest

STATEMENTS = [
    "copy (select 1) to '{store}' (use_tmp_file false)",
    "copy (select 1) to '{store}.wal' (use_tmp_file false)",
    "copy (select 1) to '{folder}/new.csv.gz'",
    "copy (select 1) to '/dev/stdout'",
    "explain analyze copy (select 1) to '{store}' (use_tmp_file false)",
    "explain analyze copy (select 1) to '{store}.wal' (use_tmp_file false)",
    "copy stored.runs from '{folder}/runs.csv'",
    "attach '{folder}/other.duckdb'",
    "attach '{store}' as again",
    "detach results",
    "install httpfs",
    "load httpfs",
    "set memory_limit = '100GB'",
    "set enable_external_access = true",
    "reset lock_configuration",
    "pragma enable_profiling",
    "pragma database_list",
    "call enable_logging()",
    "create table more (i integer)",
    "create view more as select 1",
    "create temp table more as select 1",
    "insert into stored.languages values (1, 'xx')",
    "update stored.runs set seed = 1",
    "delete from stored.runs",
    "drop table stored.runs",
    "alter table stored.runs add column x integer",
    "merge into stored.runs using stored.runs b on true when matched then delete",
    "comment on table stored.runs is 'x'",
    "export database '{folder}/out'",
    "import database '{folder}'",
    "checkpoint",
    "force checkpoint",
    "vacuum",
    "begin",
    "use memory",
    "prepare p as select 1",
    "execute p",
    "explain select 1",
    "select 1; select 2",
    "select 1; copy (select 1) to '{store}' (use_tmp_file false)",
    "",
    "-- nothing",
    ";",
]
"""Refused by their kind already."""

READS = [
    # DuckDB takes a COPY or an INSERT inside WITH for a SELECT: here the file system is the wall
    "with x as (copy (select 1) to '{store}' (use_tmp_file false)) select 1",
    "with x as (copy (select 1) to '{store}.wal' (use_tmp_file false)) select 1",
    "with x as (insert into stored.languages values (1, 'xx') returning 1) from x",
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select * from read_blob('/etc/passwd')",
    "select * from read_json('/etc/passwd')",
    "select * from read_parquet('{folder}/*/results/*.parquet')",
    "from glob('/etc/*')",
    "from '/etc/passwd'",
    "from '{store}'",
    "from sniff_csv('/etc/passwd')",
    "from read_csv('https://localhost:1/x')",
    "from query('copy (select 1) to ''{store}''')",
    "from enable_logging()",
]
"""One SELECT each, by DuckDB's own parser."""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("console")
    ingest(folder / "results.duckdb", write_run(folder / "runs"))
    return folder / "results.duckdb"


@pytest.mark.parametrize("statement", STATEMENTS + READS)
def test_hostile_statements_are_refused_in_one_line_and_change_nothing(filled: Path, statement: str) -> None:
    before, around = digest(filled), sorted(filled.parent.iterdir())
    with pytest.raises(InputError) as caught:
        run_sql(filled, statement.format(store=filled, folder=filled.parent))
    assert str(caught.value).startswith("sql: ") and "\n" not in str(caught.value)
    assert digest(filled) == before
    assert sorted(filled.parent.iterdir()) == around


@pytest.mark.parametrize("statement", [s for s in STATEMENTS + READS if "{" in s and ";" not in s])
def test_the_hardened_connection_alone_keeps_the_files_safe(filled: Path, statement: str) -> None:
    before, around = digest(filled), sorted(filled.parent.iterdir())
    with reading(filled) as connection:
        harden(connection, 10, "500MB")
        with pytest.raises(duckdb.Error):
            connection.execute(statement.format(store=filled, folder=filled.parent)).fetchall()
    assert digest(filled) == before
    assert sorted(filled.parent.iterdir()) == around


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("select run_id from runs", [("20261122-1403-hybrid-a50-s0-7f3c",)]),
        ("select 1;", [(1,)]),
        ("from runs select seed", [(0,)]),
        ("with one as (select 1 as i) select i + 1 from one", [(2,)]),
        ("values (1, 'a')", [(1, "a")]),
        ("pivot (select 'a' as k, 1 as v) on k in ('a', 'b') using sum(v)", [(1, None)]),
        ("select json_extract_string(config, '$.settings.name') from runs", [("pilot",)]),
        ("select '日本', '\"', '[/x]'", [("日本", '"', "[/x]")]),
    ],
)
def test_selects_of_every_form_are_answered(filled: Path, statement: str, rows: list[tuple[object, ...]]) -> None:
    assert run_sql(filled, statement).rows == rows


def test_the_views_are_shown_and_described(filled: Path) -> None:
    shown = [name for (name,) in run_sql(filled, "show tables").rows]
    assert {"runs", "tasks", "relevant_ranks", "cell_measures", "setting_measures", "arm_measures"} <= set(shown)
    assert not [name for name in shown if name.startswith("stored")]
    assert ("run_id", "VARCHAR") in [row[:2] for row in run_sql(filled, "describe runs").rows]
    assert run_sql(filled, "summarize cell_measures").rows
    for name in shown:
        run_sql(filled, f"select * from {name} limit 1")


def test_columns_types_and_repeated_names(filled: Path) -> None:
    table = run_sql(filled, "select 1 as a, 2.5::double as a, run_id from runs")
    assert table.columns == ("a", "a", "run_id")
    assert table.types == ("INTEGER", "DOUBLE", "VARCHAR")


def test_rows_are_cut_off_where_asked(filled: Path) -> None:
    assert run_sql(filled, "select * from range(100000000000)", max_rows=3).rows == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("selec 1", 'syntax error at or near "selec" (line 1, column 1)'),
        ("select run_id,\n  nope\nfrom runs", 'Referenced column "nope" not found in FROM clause!'),
        ("select run_id,\n  nope\nfrom runs", "(line 2, column 3)"),
        ("select '日本', nope from runs", "(line 1, column 14)"),
        ("from run", 'Table with name run does not exist! Did you mean "runs"? (line 1, column 6)'),
        ("select error('[/bold] \"quoted\"')", '[/bold] "quoted"'),
        ("select $a", "Values were not provided for the following parameters: a"),
    ],
)
def test_an_error_is_one_line_with_its_place(filled: Path, statement: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        run_sql(filled, statement)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "statement", ["select count(*) from range(100000000000) a, range(100) b", "select * from range(100000000000)"]
)
def test_a_query_that_takes_too_long_is_ended(filled: Path, statement: str) -> None:
    with pytest.raises(InputError, match=r"^sql: stopped after 0\.2 s; .*more time$"):
        run_sql(filled, statement, max_seconds=0.2)


def test_a_query_that_takes_too_much_memory_is_ended(filled: Path) -> None:
    with pytest.raises(InputError, match=r"^sql: needs more than 100MB of memory; "):
        run_sql(filled, "select list(repeat('x', 100000) || i) from range(100000) t(i)", memory="100MB")


def test_an_answer_too_large_for_python_is_refused(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.store.console.MAX_VALUES", 100)
    assert len(run_sql(filled, "select i, i from range(50) t(i)").rows) == 50
    with pytest.raises(InputError, match=r"more than 50 rows of 2 columns"):
        run_sql(filled, "select i, i from range(51) t(i)")


def test_a_limit_that_is_none_is_refused(filled: Path) -> None:
    with pytest.raises(InputError, match="Unknown unit for memory"):
        run_sql(filled, "select 1", memory="1 potato")


def test_a_missing_store_is_the_input_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such store"):
        run_sql(tmp_path / "none.duckdb", "select 1")
