"""Folders that exports are written to: as a whole, and never over somebody's files unless told so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from workbench.errors import InputError
from workbench.files import as_work_error, write_folder_whole, write_whole


def write_export(out: Path, write: Callable[[Path], object], *, force: bool = False) -> list[Path]:
    """Have `write` fill a folder, which appears as `out` when it is done, or not at all; its files, sorted.

    A folder that is there and not empty is refused. With `force` what is written replaces the files of the same
    names, each as a whole, and the others stay.

    Raises
    ------
    InputError
        `out` is a file, or a folder with something in it and `force` is not given.
    WorkError
        It cannot be written.
    """
    check_free(out, force=force)
    if not (out.exists() and any(out.iterdir())):
        write_folder_whole(out, write)
        return files_of(out)
    beside = out.with_name(f".{out.name}.export")
    write_folder_whole(beside, write)
    try:
        names = [path.relative_to(beside) for path in files_of(beside)]
        for name in names:
            write_whole(out / name, partial(shutil.copyfile, beside / name))
        return [out / name for name in names]
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def check_free(out: Path, *, force: bool = False) -> None:
    """Refuse early what `write_export` would refuse: before the work, not after it.

    Raises as it does.
    """
    try:
        if out.exists() and not out.is_dir():
            raise InputError(f"{out}: a file, not a folder; name another one")
        if out.is_dir() and any(out.iterdir()) and not force:
            raise InputError(f"{out}: there is something in it; name another folder, or --force replaces files in it")
    except OSError as error:
        raise as_work_error(error, out) from error


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
