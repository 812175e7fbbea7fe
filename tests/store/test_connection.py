"""Opening the store: versions, locks, what is no store."""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.store.conftest import Holder
from tests.store.synthetic import write_run
from workbench.errors import InputError, WorkError
from workbench.files import locked
from workbench.paths import RunsPaths
from workbench.store.connection import MIGRATIONS, StoreBusy, check_store, create, reading, transaction, writing
from workbench.store.console import run_sql
from workbench.store.database import ingest, ingest_pending, query

NEWER = (*MIGRATIONS, "alter table stored.runs add column note varchar")


def version(store: Path) -> list[tuple[int]]:
    return query_plain(store, "select version from stored.schema_version order by all")


def query_plain(store: Path, sql: str) -> list[tuple[int]]:
    with duckdb.connect(str(store), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_missing_store_says_how_to_make_one(store: Path) -> None:
    with pytest.raises(InputError, match=r"results\.duckdb: no such store; .*workbench run"):
        query(store, "select 1")
    assert not store.exists()


def test_a_new_store_has_the_newest_version(store: Path) -> None:
    create(store)
    assert version(store) == [(n,) for n in range(1, len(MIGRATIONS) + 1)]
    assert query(store, "select count(*) from runs").rows == [(0,)]


def test_the_log_of_a_deleted_store_is_not_replayed_into_the_new_one(store: Path, tmp_path: Path) -> None:
    create(store)
    log = tmp_path / "results.duckdb.wal"
    log.write_bytes(b"left over")
    store.unlink()
    ingest(store, write_run(tmp_path / "runs"))
    assert query(store, "select count(*) from runs").rows == [(1,)]


def test_an_empty_database_becomes_a_store_on_the_first_write(store: Path) -> None:
    duckdb.connect(str(store)).close()
    with writing(store):
        pass
    assert query(store, "select count(*) from runs").rows == [(0,)]


def test_an_older_store_is_brought_up_to_date_with_its_rows(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    with writing(store, migrations=NEWER) as connection:
        rows = connection.execute("select run_id, note from runs").fetchall()
    assert rows == [("20261122-1403-hybrid-a50-s0-7f3c", None)]
    assert version(store)[-1] == (len(NEWER),)


def test_a_reader_upgrades_an_older_store_too(store: Path) -> None:
    create(store, migrations=())
    assert query(store, "select count(*) from runs").rows == [(0,)]


def test_a_migration_that_fails_leaves_the_store_as_it_was(store: Path) -> None:
    create(store)
    broken = (*NEWER, "alter table stored.nothing add column x integer")
    with pytest.raises(duckdb.CatalogException), writing(store, migrations=broken):
        pass
    assert version(store)[-1] == (len(MIGRATIONS),)
    assert "note" not in query(store, "select * from runs").columns


def test_a_newer_store_is_refused(store: Path, tmp_path: Path) -> None:
    with writing(store, migrations=NEWER):
        pass
    for use in (lambda: query(store, "select 1"), lambda: ingest(store, write_run(tmp_path / "runs"))):
        with pytest.raises(InputError, match=r"newer workbench made it .*upgrade the workbench"):
            use()


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_a_file_that_is_no_database_is_refused(store: Path, content: bytes) -> None:
    store.write_bytes(content)
    with pytest.raises(InputError, match=r"results\.duckdb: no DuckDB database"):
        query(store, "select 1")
    with pytest.raises(InputError, match=r"results\.duckdb: no DuckDB database"), writing(store):
        pass
    assert store.read_bytes() == content
    assert [path.name for path in store.parent.iterdir()] == ["results.duckdb"]


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "folder"
    folder.mkdir(parents=True)
    with pytest.raises(InputError, match="no DuckDB database"):
        query(folder, "select 1")
    assert [path.name for path in folder.parent.iterdir()] == ["folder"]


def test_another_database_is_refused(store: Path) -> None:
    with duckdb.connect(str(store)) as connection:
        connection.execute("create table mine (i integer)")
    for use in (reading, writing):
        with pytest.raises(InputError, match="no store of the workbench"), use(store):
            pass
    assert [path.name for path in store.parent.iterdir()] == ["results.duckdb"]


def test_readers_of_one_process_do_not_disturb_each_other(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    with reading(store) as connection:
        assert run_sql(store, "select count(*) from runs", memory="100MB").rows == [(1,)]
        assert run_sql(store, "select count(*) from runs", max_seconds=5).rows == [(1,)]
        assert connection.execute("select count(*) from runs").fetchall() == [(1,)]
        assert connection.execute("select current_setting('lock_configuration')").fetchall() == [(False,)]


def test_a_name_in_a_query_is_never_a_python_variable(store: Path) -> None:
    create(store)
    mine = [1, 2, 3]
    assert mine
    with reading(store) as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("select * from mine")


# ------------------------------------------------------------------------------------------------- in the way


def test_a_foreign_reader_is_waited_for_and_named_and_readers_go_on(
    store: Path, tmp_path: Path, hold: Callable[[str], Holder]
) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    run = write_run(tmp_path / "runs", "20261122-1404-mono-s0-1111")
    holder = hold("read")
    with pytest.raises(StoreBusy) as caught:
        ingest(store, run, wait_s=0.2)
    assert f"process {holder.process.pid}" in str(caught.value)
    assert str(store) in str(caught.value)
    assert "try again. The results of finished runs are safe in their run directories" in str(caught.value)
    assert query(store, "select count(*) from runs").rows == [(1,)]
    holder.let_go()
    assert ingest(store, run)
    assert query(store, "select count(*) from runs").rows == [(2,)]


def test_a_reader_that_lets_go_in_time_delays_the_ingest_only(
    store: Path, tmp_path: Path, hold: Callable[[str], Holder]
) -> None:
    create(store)
    holder = hold("read")
    timer = threading.Timer(0.3, holder.let_go)
    timer.start()
    assert ingest(store, write_run(tmp_path / "runs"))
    timer.join()


def test_a_foreign_writer_keeps_readers_waiting_then_is_named(store: Path, hold: Callable[[str], Holder]) -> None:
    create(store)
    holder = hold("write")
    with pytest.raises(StoreBusy, match=f"process {holder.process.pid}.*close it there"):
        query(store, "select 1", wait_s=0.2)
    holder.let_go()
    assert query(store, "select 1").rows == [(1,)]


def test_our_own_reader_in_the_way_is_waited_for_and_nothing_is_lost(store: Path, tmp_path: Path) -> None:
    create(store)
    write_run(tmp_path / "runs")
    runs = RunsPaths(tmp_path / "runs")
    with locked(tmp_path / "results.duckdb.lock", shared=True):
        looked = ingest_pending(store, runs, wait_s=0.1)
    assert looked.run_ids == ()
    assert len(looked.problems) == 1 and "results.duckdb.lock" in looked.problems[0]
    assert f"process {os.getpid()}" in looked.problems[0] or not Path("/proc/locks").exists()
    assert ingest_pending(store, runs).run_ids == ("20261122-1403-hybrid-a50-s0-7f3c",)


def test_a_busy_store_ends_the_look_at_once(store: Path, tmp_path: Path, hold: Callable[[str], Holder]) -> None:
    create(store)
    for minute in range(3):
        write_run(tmp_path / "runs", f"20261122-140{minute}-mono-s0-1111")
    hold("read")
    looked = ingest_pending(store, RunsPaths(tmp_path / "runs"), wait_s=0.1)
    assert looked.run_ids == () and len(looked.problems) == 1


# ------------------------------------------------------------------------------------------------- Ctrl-C


def interrupt_soon() -> None:
    """Most often inside the statement that follows; DuckDB may be deaf until that is done."""
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_ctrl_c_while_the_store_is_written_ends_the_statement_and_takes_all_back(store: Path) -> None:
    create(store)
    with pytest.raises(KeyboardInterrupt), writing(store) as connection, transaction(connection):
        connection.execute("insert into stored.languages values (1, 'xx')")
        interrupt_soon()
        connection.execute("create table stored.much as select count(*) from range(2000000000)")
        time.sleep(20)
    assert query(store, "select count(*) from stored.languages").rows == [(0,)]


def test_ctrl_c_while_the_store_is_read_is_one_too(store: Path) -> None:
    create(store)
    with pytest.raises(KeyboardInterrupt):
        interrupt_soon()
        query(store, "select count(*) from range(2000000000)")
        time.sleep(20)
    assert query(store, "select 1").rows == [(1,)]


def test_another_runtime_error_stays_what_it_is(store: Path) -> None:
    create(store)
    with pytest.raises(RuntimeError, match="mine"), reading(store):
        raise RuntimeError("mine")


# ------------------------------------------------------------------------------------------------- nobody can write

AS_NOBODY = """
import os, sys
from pathlib import Path
from workbench.errors import WorkbenchError
from workbench.paths import RunPaths
from workbench.store.connection import check_store, writing
from workbench.store.console import run_sql
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
store = Path(sys.argv[1])
print(run_sql(store, "select count(*) from runs").rows)
for path in (store, store.with_name("new.duckdb"), store.parent / "a" / "b.duckdb"):
    try: check_store(path)
    except WorkbenchError as error: print(type(error).__name__, error)
try:
    with writing(store): pass
except WorkbenchError as error: print(type(error).__name__, error)
"""
"""Root writes everywhere: it becomes somebody else first."""


@pytest.mark.parametrize("with_lock", [True, False])
def test_a_store_that_nobody_can_write_can_be_read(tmp_path: Path, with_lock: bool) -> None:
    # other users cannot enter tmp_path
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "results.duckdb"
        ingest(store, write_run(tmp_path / "runs"))
        lock = store.with_name("results.duckdb.lock")
        store.chmod(0o444)
        lock.chmod(0o444) if with_lock else lock.unlink()
        Path(name).chmod(0o555)
        try:
            command = [sys.executable, "-c", AS_NOBODY, str(store)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        finally:
            Path(name).chmod(0o755)
        assert lock.exists() == with_lock
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "[(1,)]"
    assert len(lines) == 5 and all(line.startswith("WorkError") for line in lines[1:]), lines
    assert all("cannot be written" in line and "--store" in line for line in lines[1:4]), lines


# ------------------------------------------------------------------------------------------------- checked early


def test_a_store_that_is_none_is_refused_early_and_nothing_is_made(store: Path, tmp_path: Path) -> None:
    check_store(store)
    check_store(tmp_path / "new" / "folder" / "results.duckdb")
    assert not list(tmp_path.iterdir())
    store.write_bytes(b"no database" * 1000)
    with pytest.raises(InputError, match=r"results\.duckdb: no DuckDB database"):
        check_store(store)
    with pytest.raises(InputError, match="no DuckDB database"):
        check_store(tmp_path)
    with pytest.raises(WorkError, match="is no folder"):
        check_store(store / "results.duckdb")
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("create table mine (i integer)")
    with pytest.raises(InputError, match="no store of the workbench"):
        check_store(tmp_path / "other.duckdb")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.duckdb", "results.duckdb"]


def test_a_store_of_a_newer_workbench_is_refused_early(store: Path) -> None:
    with writing(store, migrations=NEWER):
        pass
    with pytest.raises(InputError, match="newer workbench made it"):
        check_store(store)


def test_a_sound_store_passes_whoever_holds_it(store: Path, hold: Callable[[str], Holder]) -> None:
    create(store)
    before = hashlib.sha256(store.read_bytes()).hexdigest()
    check_store(store)
    with writing(store):
        pass
    assert hashlib.sha256(store.read_bytes()).hexdigest() == before
    hold("write")
    check_store(store)


def test_a_store_that_this_process_writes_passes(store: Path) -> None:
    with writing(store):
        check_store(store)
