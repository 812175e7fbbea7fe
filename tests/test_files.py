import os
from pathlib import Path

import pytest

from workbench.errors import WorkError
from workbench.files import locked, write_folder_whole, write_whole


def write_two(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a").write_text("new")
    (folder / "b").write_text("new")


def files_of(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_replaces_the_one_that_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "model"
    write_folder_whole(folder, write_two)
    (folder / "old").write_text("old")
    write_folder_whole(folder, write_two)
    assert files_of(tmp_path) == {"deep/model/sub/a": "new", "deep/model/b": "new"}
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("raised", [OSError(28, "No space left on device"), LookupError("odd"), ZeroDivisionError()])
def test_a_folder_that_cannot_be_filled_leaves_the_old_one_and_nothing_else(tmp_path: Path, raised: Exception) -> None:
    folder = tmp_path / "model"

    def fail(beside: Path) -> None:
        write_two(beside)
        raise raised

    for before in ({}, {"sub/a": "new", "b": "new"}):
        # a defect keeps its own name
        with pytest.raises(WorkError if not isinstance(raised, ZeroDivisionError) else ZeroDivisionError):
            write_folder_whole(folder, fail, (LookupError,))
        assert files_of(folder) == before
        assert [path.name for path in tmp_path.iterdir()] == (["model"] if before else [])
        write_folder_whole(folder, write_two)


def test_what_a_killed_process_of_the_same_number_left_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    write_folder_whole(folder, write_two)
    for kind in ("new", "old"):
        left = tmp_path / f".model.{os.getpid()}.{kind}.part"
        left.mkdir()
        (left / "torn").write_text("")
    write_folder_whole(folder, write_two)
    assert files_of(tmp_path) == {"model/sub/a": "new", "model/b": "new"}


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "x"
    for action in (
        lambda: write_whole(below, ""),
        lambda: write_folder_whole(below, write_two),
        lambda: locked(below).__enter__(),
    ):
        with pytest.raises(WorkError, match=r"file/x: cannot be written: (Not a directory|File exists)"):
            action()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_lock_that_is_held_is_told_from_one_that_cannot_be_made(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), pytest.raises(BlockingIOError):
        locked(tmp_path / "lock").__enter__()
