"""What a view that stays open does for its runs: it takes home what has ended, and serves those that wait."""

from pathlib import Path

import pytest

from tests.runs.conftest import make_spec
from tests.store.synthetic import write_run
from workbench.files import locked
from workbench.launching import Tender
from workbench.paths import RunsPaths
from workbench.runs import supervisor
from workbench.runs.directory import create_run, run_folders, state_of
from workbench.store.database import query

FIRST, SECOND = "20261121-1403-mono-s0-7f3c", "20261122-1403-mono-s1-7f3c"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "results.duckdb"


@pytest.fixture
def runs(tmp_path: Path, store: Path) -> RunsPaths:
    """A runs directory with a finished run, whose results go to `store`."""
    runs = RunsPaths(tmp_path / "runs")
    write_run(runs.root, FIRST)
    runs.service.mkdir()
    runs.store.write_text(str(store.resolve()))
    return runs


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[RunsPaths]:
    """The runs directories that a dispatcher was started for; none really is. Looks come without a pause."""
    found: list[RunsPaths] = []
    monkeypatch.setattr(supervisor, "start_dispatcher", lambda runs, store: found.append(runs))
    monkeypatch.setattr(supervisor, "DISPATCHER_POLL_S", 0.0)
    return found


def states(runs: RunsPaths) -> dict[str, str]:
    return {run.run_id: str(state_of(run)) for run in run_folders(runs)}


def stored(store: Path) -> list[str]:
    return [row[0] for row in query(store, "select run_id from runs order by run_id").rows] if store.exists() else []


def test_what_has_ended_is_taken_home_once(runs: RunsPaths, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tender = Tender(store, runs)
    assert tender.look(None) == "" and not store.exists(), "what the states are has not been told yet"
    assert tender.look(states(runs)) == "" and stored(store) == [FIRST]
    monkeypatch.setattr("workbench.launching.ingest_pending", lambda *_, **__: pytest.fail("nothing has ended since"))
    assert tender.look(states(runs)) == "" and tender.look(None) == ""
    monkeypatch.undo()
    write_run(runs.root, SECOND)
    assert tender.look(states(runs)) == "" and stored(store) == [FIRST, SECOND]


def test_a_held_store_is_told_and_tried_again(runs: RunsPaths, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tender = Tender(store, runs)
    tender.look(states(runs))
    write_run(runs.root, SECOND)
    monkeypatch.setattr("workbench.launching.LOOK_S", 0.05)
    with locked(store.with_name(f"{store.name}.lock")):
        assert str(store) in tender.look(states(runs))
    assert tender.look(states(runs)) == "" and stored(store) == [FIRST, SECOND]


def test_runs_that_wait_get_a_dispatcher_and_others_none(
    runs: RunsPaths, store: Path, started: list[RunsPaths]
) -> None:
    tender = Tender(store, runs)
    tender.look(states(runs))
    create_run(runs, make_spec(SECOND), prepared=True)
    tender.look(states(runs))
    assert not started, "a prepared run waits to be carried to another machine"
    create_run(runs, make_spec(SECOND.replace("s1", "s2")))
    tender.look(states(runs))
    tender.look(None)
    assert started[0] == runs


def test_a_dispatcher_that_does_not_stay_is_told_of(runs: RunsPaths, store: Path, started: list[RunsPaths]) -> None:
    create_run(runs, make_spec(SECOND))
    tender = Tender(store, runs)
    told = [tender.look(states(runs)) for _ in range(supervisor.DISPATCHER_STARTS + 2)]
    assert len(started) == supervisor.DISPATCHER_STARTS and "no dispatcher stays" in told[-1]


def test_runs_whose_results_go_to_another_store_are_left_alone(
    runs: RunsPaths, tmp_path: Path, started: list[RunsPaths]
) -> None:
    create_run(runs, make_spec(SECOND))
    tender = Tender(tmp_path / "other.duckdb", runs)
    assert tender.look(states(runs)) == "" and tender.look(None) == ""
    assert not started and not (tmp_path / "other.duckdb").exists()
