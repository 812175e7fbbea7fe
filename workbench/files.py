"""Files that appear whole or not at all, and advisory locks that die with their holder."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.errors import WorkError

Mark = tuple[int, int] | None
"""When a file last changed, in nanoseconds, and its size; None = there is none. It tells whether to read it again."""


def file_mark(path: Path) -> Mark:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, write: bytes | str | Callable[[Path], object]) -> None:
    """Write beside `path`, sync, rename: a reader sees the old file or the new one, never a part.

    `write` is the content, or a function that writes it to the path that it is given.

    Raises
    ------
    WorkError
        The disk is full or not writable.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(write):
            write(beside)
        else:
            beside.write_bytes(write.encode() if isinstance(write, str) else write)
        with beside.open("rb") as handle:
            os.fsync(handle.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise as_work_error(error, path) from error
    finally:
        # what kept it from being made may keep it from being removed: a folder that is none, a disk for reading only
        with suppress(OSError):
            beside.unlink()


def write_folder_whole(path: Path, write: Callable[[Path], object], failures: tuple[type[Exception], ...] = ()) -> None:
    """`write_whole` for a folder: `write` fills the one that it is given. One that was there before gives way.

    `failures` are what `write` raises besides OSError where the disk is full or not writable.

    Raises
    ------
    WorkError
        The disk is full or not writable; nothing of it is left.
    """
    beside, old = (path.with_name(f".{path.name}.{os.getpid()}.{kind}.part") for kind in ("new", "old"))
    try:
        for rest in (beside, old):  # of a process with the same number that was killed
            if rest.exists():
                shutil.rmtree(rest)
        beside.mkdir(parents=True)
        write(beside)
        for file in beside.rglob("*"):
            if file.is_file():
                with file.open("rb") as handle:
                    os.fsync(handle.fileno())
        if path.exists():
            path.rename(old)
        beside.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise as_work_error(error, path) from error
    except failures as error:
        raise WorkError(f"{path}: cannot be written: {error}") from error
    finally:
        for rest in (beside, old):
            shutil.rmtree(rest, ignore_errors=True)


def as_work_error(error: OSError, path: Path) -> WorkError:
    """One line for a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WorkError(f"{path}: no disk space left; free some, then resume the run")
    return WorkError(f"{path}: cannot be written: {error.strerror or error}")


@contextmanager
def locked(path: Path, *, shared: bool = False, wait_s: float | None = 0.0) -> Iterator[int]:
    """Hold an flock on `path`, which is made if need be; yields its file descriptor.

    `wait_s` is how long to wait for another holder, None for ever.

    Raises
    ------
    BlockingIOError
        Somebody else still holds it after `wait_s` seconds.
    WorkError
        The disk is full or not writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise as_work_error(error, path) from error
    try:
        take_lock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, wait_s)
        yield descriptor
    finally:
        os.close(descriptor)


def take_lock(descriptor: int, kind: int, wait_s: float | None) -> None:
    """flock with a limit of patience: the kernel's queue while there is none, a short poll where there is."""
    if wait_s is None:
        fcntl.flock(descriptor, kind)
        return
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.005)


def is_locked(path: Path) -> bool:
    """Whether a living process holds `path` exclusively; a file that is not there is not made."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # shared, so that two who ask do not take each other for the holder
        take_lock(descriptor, fcntl.LOCK_SH, 0.0)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
