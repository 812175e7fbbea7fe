"""Opening the store: one DuckDB file that nobody keeps open.

Writers hold an flock on `<store>.lock` exclusively for one run, readers hold it together for one query: a DuckDB file
that is open for writing can be opened by nobody else. Whoever opens the file outside this module is waited for, and
then named.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import math
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection as Connection

from workbench.errors import InputError, WorkError
from workbench.files import as_work_error, locked, take_lock, write_whole

WAIT_S = 30.0
"""Patience with whoever holds the store, in seconds."""
PATIENCE: ContextVar[float] = ContextVar("PATIENCE", default=math.inf)
"""The most that anything in this context waits for whoever holds the store; see `impatient`."""
RETRY_S = 0.05
"""Between two tries to open a file that another program has open."""
ALONE = {
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
"""A name in a query is a table, never a Python variable; and nothing is fetched from a network."""
BLOCK_BYTES = "65536"
"""A quarter of DuckDB's default: the columns of one run fill their blocks, and a run takes 1.3 MB instead of 2."""


class StoreBusy(WorkError):
    """Somebody else kept the store open for longer than we wait."""


def script(name: str) -> str:
    """One of the SQL files beside this module."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


MIGRATIONS: tuple[str, ...] = (
    script("schema.sql"),
    "",
    script("leakage.sql"),
    script("published.sql"),
    script("synthetic.sql"),
)
"""The n-th, from 0, takes a store of schema version n to n + 1; a new store starts at 0. An empty one renews the views
alone, as every version does."""


@contextmanager
def impatient(seconds: float) -> Iterator[None]:
    """Within it nothing waits longer than this for whoever holds the store: a screen says so, and asks again."""
    token = PATIENCE.set(seconds)
    try:
        yield
    finally:
        PATIENCE.reset(token)


@contextmanager
def reading(store: Path, *, wait_s: float = WAIT_S) -> Iterator[Connection]:
    """A read-only connection for one query: open, ask, close. Its default database is the store.

    The store is attached to an empty database in memory, so that every reader of a process has settings of its own.

    Raises
    ------
    InputError
        There is no store, it is something else, or a newer workbench made it.
    StoreBusy
        Somebody kept it open for writing for `wait_s` seconds.
    """
    if not store.exists():
        raise InputError(f"{store}: no such store; a run that ends makes it: `workbench run` or `workbench ingest`")
    with opened(store, attach, shared=True, wait_s=wait_s) as connection:
        if schema_version(connection, store) == len(MIGRATIONS):
            yield connection
            return
    with writing(store, wait_s=wait_s):
        pass  # to open it for writing brings an older store up to date
    with opened(store, attach, shared=True, wait_s=wait_s) as connection:
        yield connection


@contextmanager
def writing(store: Path, *, wait_s: float = WAIT_S, migrations: Sequence[str] = MIGRATIONS) -> Iterator[Connection]:
    """The one connection that may write; makes the store if need be and brings an older one up to date.

    Raises
    ------
    InputError
        The file is no store, or a newer workbench made it.
    StoreBusy
        Somebody kept it open for `wait_s` seconds.
    """

    def connect(path: Path) -> Connection:
        if not path.exists():
            create(path, migrations)
        return duckdb.connect(str(path), config=ALONE)

    with opened(store, connect, shared=False, wait_s=wait_s) as connection:
        upgrade(connection, store, migrations)
        yield connection


def check_store(store: Path) -> None:
    """Refuse early what `writing` would refuse later; opens nothing for writing, makes nothing, waits for nobody.

    A store that somebody else has open right now passes.

    Raises
    ------
    InputError
        The file is no store, or a newer workbench made it.
    WorkError
        It, or the folder that it is in or would be made in, cannot be written.
    """
    try:
        exists = store.exists()
        folder = next(path for path in store.absolute().parents if path.exists())
    except PermissionError as error:
        raise as_work_error(error, store) from error
    if exists:
        check_content(store)
    if not folder.is_dir():
        raise WorkError(f"{store}: {folder} is no folder; name another file with --store")
    if not os.access(folder, os.W_OK | os.X_OK) or (exists and not os.access(store, os.W_OK)):
        raise WorkError(f"{store}: cannot be written, or its folder {folder} cannot; name another file with --store")


def check_content(store: Path) -> None:
    """Refuse a file that is no store, or of a newer workbench; one that somebody else has open right now passes.

    Raises as `reading` does.
    """
    try:
        with attach(store) as connection:
            schema_version(connection, store)
    except duckdb.Error as error:
        if not in_use(error):
            raise unusable(store, error) from error


@contextmanager
def opened(store: Path, connect: Callable[[Path], Connection], *, shared: bool, wait_s: float) -> Iterator[Connection]:
    """`connect(store)` under the store's flock, with patience for other programs that hold the file itself."""
    until = time.monotonic() + min(wait_s, PATIENCE.get())
    if store.exists() and not lock_of(store).exists():
        check_content(store)  # so that nothing is written beside somebody else's file
    with interruptible(), ExitStack() as stack:
        while True:
            take_flock(stack, store, shared, max(0.0, until - time.monotonic()))
            try:
                connection = stack.enter_context(connect(store))
                break
            except duckdb.Error as error:
                stack.close()  # so that readers go on while a writer waits for somebody who only reads
                if not in_use(error):
                    raise unusable(store, error) from error
                if time.monotonic() >= until:
                    raise busy(store, holder(error)) from error
                time.sleep(RETRY_S)
        yield connection


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C inside a statement may end it as a RuntimeError of DuckDB's: make it the KeyboardInterrupt that it is."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise


def take_flock(stack: ExitStack, store: Path, shared: bool, wait_s: float) -> None:
    """Hold the store's flock until `stack` ends; a reader of a place where nobody can write goes without."""
    path = lock_of(store)
    try:
        if not shared:
            stack.enter_context(locked(path, wait_s=wait_s))
            return
        descriptor = open_to_read(path)
        if descriptor is not None:
            stack.callback(os.close, descriptor)
            take_lock(descriptor, fcntl.LOCK_SH, wait_s)
    except BlockingIOError as error:
        raise busy(store, f"another workbench command ({flock_holder(path)}it holds {path})") from error
    except OSError as error:
        raise as_work_error(error, path) from error


def lock_of(store: Path) -> Path:
    return store.with_name(f"{store.name}.lock")


def open_to_read(path: Path) -> int | None:
    """The descriptor of a file that is made if need be; None where it is missing and we may not make it."""
    flags = os.O_RDONLY | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        pass
    try:
        return os.open(path, flags | os.O_CREAT, 0o644)
    except OSError as error:
        if error.errno in (errno.EROFS, errno.EACCES):
            return None
        raise


def flock_holder(path: Path) -> str:
    """`process 4711, ` where the kernel tells who holds a flock on `path` (Linux does), else nothing."""
    try:
        locks = Path("/proc/locks").read_text(encoding="ascii")
        inode = path.stat().st_ino
    except OSError:
        return ""
    found = re.search(rf"^\d+: FLOCK +\w+ +\w+ +(\d+) \w+:\w+:{inode} ", locks, re.MULTILINE)
    return f"process {found[1]}, " if found else ""


def busy(store: Path, who: str) -> StoreBusy:
    return StoreBusy(
        f"{store}: {who} has it open; wait or close it there, then try again. "
        "The results of finished runs are safe in their run directories"
    )


def in_use(error: duckdb.Error) -> bool:
    """Another program, or this one, has the file open in a way that does not go with ours."""
    return any(words in str(error) for words in ("Conflicting lock", "Unique file handle conflict"))


def attach(store: Path) -> Connection:
    connection = duckdb.connect(":memory:", config=ALONE)
    try:
        connection.execute("set temp_directory = ?", [f"{store}.tmp"])
        connection.execute("attach ? as results (read_only)", [str(store)])
        connection.execute("use results")
    except duckdb.Error:
        connection.close()
        raise
    return connection


def holder(error: duckdb.Error) -> str:
    """Who has the file open, by DuckDB's own words: `duckdb (process 4711)`."""
    found = re.search(r"held in (.+) \(PID (\d+)\)", str(error))
    return f"{Path(found[1]).name} (process {found[2]})" if found else "another program"


def unusable(store: Path, error: duckdb.Error) -> InputError | WorkError:
    if "not a valid DuckDB database" in str(error) or store.is_dir():
        return InputError(f"{store}: no DuckDB database; name another file with --store")
    return WorkError(f"{store}: cannot be opened: {one_line(error)}")


def one_line(error: duckdb.Error) -> str:
    """The first line of DuckDB's message, without the name of its error class."""
    return re.sub(r"^([A-Z]\w* )+Error: ", "", str(error).strip().split("\n")[0])


def create(store: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
    """A new, empty store: it appears whole, so that a kill leaves none or a sound one."""

    def write(path: Path) -> None:
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path), config={**ALONE, "default_block_size": BLOCK_BYTES}) as connection:
            upgrade(connection, store, migrations)

    # the log of a store that was deleted by hand must not be replayed into the new one
    store.with_name(f"{store.name}.wal").unlink(missing_ok=True)
    write_whole(store, write)


def upgrade(connection: Connection, store: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Apply the migrations that the store lacks, all in one transaction, and renew its views.

    Raises
    ------
    InputError
        The database is no store, or a newer workbench made it.
    """
    version = schema_version(connection, store, len(migrations))
    if version == len(migrations):
        return
    with transaction(connection):
        published = glob.escape(str(Path(__file__).with_name("published.csv")))
        connection.execute("set variable published = $path", {"path": published})
        for number, migration in enumerate(migrations[version:], start=version + 1):
            connection.execute(migration)
            now = datetime.now(UTC).replace(tzinfo=None)
            connection.execute("insert into stored.schema_version values (?, ?)", [number, now])
        connection.execute(script("views.sql"))


def schema_version(connection: Connection, store: Path, newest: int = len(MIGRATIONS)) -> int:
    """The store's version; 0 for an empty database.

    Raises
    ------
    InputError
        The database is no store, or its version is above `newest`.
    """
    tables, versioned = connection.execute(
        "select count(*), count(*) filter (schema_name = 'stored' and table_name = 'schema_version') "
        "from duckdb_tables() where database_name = current_database()"
    ).fetchall()[0]
    if not tables:
        return 0
    if not versioned:
        raise InputError(f"{store}: a DuckDB database, but no store of the workbench; name another file with --store")
    version = int(connection.execute("select max(version) from stored.schema_version").fetchall()[0][0])
    if version > newest:
        raise InputError(
            f"{store}: a newer workbench made it (schema {version}, this one knows {newest}): upgrade the workbench"
        )
    return version


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
