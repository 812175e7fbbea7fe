import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.store.synthetic import write_run
from workbench import cli
from workbench.errors import InputError
from workbench.paths import RunsPaths
from workbench.reports.details import print_run, run_details
from workbench.store.database import ingest

FIRST = "20261122-1403-mono-s0-7f3c"
SECOND = "20261122-1403-mono-s1-7f3c"


@pytest.fixture
def runs(tmp_path: Path) -> RunsPaths:
    """Two runs that are in the store too."""
    runs = RunsPaths(tmp_path / "runs")
    for run_id in (FIRST, SECOND):
        ingest(tmp_path / "results.duckdb", write_run(runs.root, run_id))
    return runs


@pytest.mark.parametrize("content", [b'{"device": "c', b"\xff\xfe", b"[1]", b""])
def test_a_damaged_environment_hides_nothing_else(
    runs: RunsPaths, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.run(FIRST).environment.write_bytes(content)
    details = run_details(FIRST, tmp_path / "results.duckdb", runs, "map")
    assert details["environment"] is None and "environment.json: damaged" in details["problem"]
    print_run(details, "map")
    out = capsys.readouterr().out
    assert "damaged" in out and "tiny: map" in out and "strategy: hybrid" in out


def test_several_stored_runs_are_told(runs: RunsPaths, tmp_path: Path) -> None:
    store = tmp_path / "results.duckdb"
    shutil.rmtree(runs.root)
    with pytest.raises(InputError, match=f"several are meant: {SECOND}, {FIRST}"):
        run_details("mono", store, runs, "map")
    assert run_details("mono-s1", store, runs, "map")["run_id"] == SECOND
    with pytest.raises(InputError, match=f"no such run in .* or .*results.duckdb; did you mean {SECOND} or {FIRST}"):
        run_details("cross", store, runs, "map")


def test_of_several_directories_the_stored_one_is_not_taken_silently(runs: RunsPaths, tmp_path: Path) -> None:
    write_run(runs.root, "20261123-1403-cross-s1-7f3c")
    write_run(runs.root, "20261124-1403-cross-s1-7f3c")
    ingest(tmp_path / "results.duckdb", runs.run("20261123-1403-cross-s1-7f3c"))
    with pytest.raises(InputError, match="several are meant"):
        run_details("cross", tmp_path / "results.duckdb", runs, "map")


def test_nothing_in_a_run_is_markup(runs: RunsPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    details = run_details(FIRST, tmp_path / "results.duckdb", runs, "map")
    details |= {"message": "[red]no[/b] :100:", "config": {"name": "[bold]"}, "cells": {"[i]": [{"query": "[u]"}]}}
    print_run(details, "[x]")
    out = capsys.readouterr().out
    assert all(text in out for text in ("[red]no[/b] :100:", "[bold]", "[i]: [x]", "[u]"))


def test_a_store_that_is_named_is_looked_in_before_the_folder_here(
    runs: RunsPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here, other = tmp_path / "here", FIRST.replace("mono-s0", "mono-s2")
    write_run(here / "runs", other)
    monkeypatch.chdir(here)
    store = str(tmp_path / "results.duckdb")

    def said(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["workbench", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == code
        return "".join(capsys.readouterr())

    assert f"several are meant: {SECOND}, {FIRST} (of {store})" in said("show", "mono", "--store", store, code=2)
    assert json.loads(said("show", "s1", "--store", store, "--json"))[0]["run_id"] == SECOND
    assert json.loads(said("show", "mono", "--store", store, "--runs", "runs", "--json"))[0]["run_id"] == other
    # what the store does not have may be in the folder, such as a run at work
    assert json.loads(said("show", "mono-s2", "--store", store, "--json"))[0]["run_id"] == other
    assert f"run '{SECOND}': no such run in runs" in said("log", "s1", "--store", store, code=2)
    assert "several are meant" in said("log", "mono", "--store", store, code=2)
    assert said("log", "s1", "--store", store, "--runs", str(runs.root))
