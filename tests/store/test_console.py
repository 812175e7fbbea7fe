"""SQL from a user's hand: what works, what is refused, and that nothing is ever changed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.synthetic import write_run
from workbench.errors import InputError
from workbench.files import locked
from workbench.store.connection import reading
from workbench.store.console import distinct, harden, run_sql
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
    table = run_sql(filled, "select 1 as a, 2.5::double as a, 3 as a_1, run_id, 4 as a from runs")
    assert table.columns == ("a", "a_2", "a_1", "run_id", "a_3")
    assert table.types == ("INTEGER", "DOUBLE", "INTEGER", "VARCHAR", "INTEGER")
    assert list(table.dicts()[0].values()) == [1, 2.5, 3, "20261122-1403-hybrid-a50-s0-7f3c", 4]


@given(st.lists(st.sampled_from(["a", "a_1", "a_2", "a_1_1", "b", ""])))
def test_each_name_is_there_once_and_the_first_of_it_keeps_it(names: list[str]) -> None:
    found = distinct(names)
    assert len(set(found)) == len(found) == len(names)
    assert all(new == name for i, (new, name) in enumerate(zip(found, names, strict=True)) if name not in names[:i])


def test_decimals_are_floats_and_integers_stay(filled: Path) -> None:
    table = run_sql(
        filled, "select 1.50, sum(i), 2::hugeint, [0.25, null], {'x': 0.5}, map {0.5: 'y'}, 'z' from range(3) t(i)"
    )
    assert table.rows == [(1.5, 3, 2, [0.25, None], {"x": 0.5}, {0.5: "y"}, "z")]
    assert [type(value) for value in table.rows[0][:3]] == [float, int, int]
    assert json.loads(json.dumps(table.rows[0][:5])) == [1.5, 3, 2, [0.25, None], {"x": 0.5}]


def test_rows_are_cut_off_where_asked(filled: Path) -> None:
    table = run_sql(filled, "select * from range(100000000000)", max_rows=3)
    assert table.rows == [(0,), (1,), (2,)] and table.more
    table = run_sql(filled, "select * from range(3)", max_rows=3)
    assert table.rows == [(0,), (1,), (2,)] and not table.more
    assert not run_sql(filled, "select * from range(3)").more
    assert run_sql(filled, "select 1", max_rows=0).rows == []


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
    for seconds in (float("inf"), float("nan"), 1e300, 0.0, -1.0):
        with pytest.raises(InputError, match=r"^sql: a limit of .* s; allowed: above 0, up to 86,400$"):
            run_sql(filled, "select 1", max_seconds=seconds)


def test_a_missing_store_is_the_input_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such store"):
        run_sql(tmp_path / "none.duckdb", "select 1")


LONG = ["select count(*) from range(100000000000) a, range(100) b", "select * from range(100000000000) where range < 0"]


@pytest.mark.parametrize("statement", LONG)
def test_ctrl_c_ends_a_query_at_once(filled: Path, statement: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        run_sql(filled, statement, max_seconds=600)
    assert run_sql(filled, "select 1").rows == [(1,)]


def test_a_query_may_be_asked_in_any_thread(filled: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert [table.rows for table in pool.map(lambda i: run_sql(filled, f"select {i}"), range(4))] == [
            [(i,)] for i in range(4)
        ]


def test_ctrl_c_at_the_command_is_130(filled: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workbench", "sql", LONG[0], "--seconds", "600"]
    command += ["--store", str(filled), "--runs", str(tmp_path / "none")]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell's background job would ignore it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        try:
            wait_for_reader(filled, process)
            process.send_signal(signal.SIGINT)
            _, narration = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130, narration
    assert "Traceback" not in narration


def wait_for_reader(store: Path, process: subprocess.Popen[str]) -> None:
    """Until somebody holds the store's lock."""
    while process.poll() is None:
        try:
            with locked(store.with_name(f"{store.name}.lock")):
                pass
        except BlockingIOError:
            return
        time.sleep(0.02)
    raise AssertionError(process.communicate())
