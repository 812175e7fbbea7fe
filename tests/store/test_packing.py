"""Stores and run directories to hand on: the same results, without what tells of the machine."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.store.synthetic import make_settings, write_run
from workbench.errors import InputError
from workbench.paths import RunsPaths
from workbench.runs.directory import read_spec, run_folders
from workbench.runs.packing import pack_runs
from workbench.store.database import ingest_pending, query
from workbench.store.packing import pack_store

VIEWS = ("relevant_ranks", "first_passages", "language_shares", "measurements", "training_steps", "sampled_pairs")
ENVIRONMENT = {"host": "secret", "platform": "Secretix 1", "versions": {"torch": "2"}, "threads": 2}


@pytest.fixture
def runs(tmp_path: Path) -> RunsPaths:
    """Two finished runs and a failed one, in the store too."""
    runs = RunsPaths(tmp_path / "runs")
    for seed, state in enumerate(("finished", "finished", "failed")):
        settings = make_settings("hybrid", 0.5, seed)
        write_run(
            runs.root, f"20261122-1403-hybrid-s{seed}-0000", state=state, settings=settings, environment=ENVIRONMENT
        )
    assert not ingest_pending(tmp_path / "results.duckdb", runs).problems
    return runs


def contents(store: Path) -> dict[str, list[tuple[object, ...]]]:
    return {view: query(store, f"select * from {view} order by all").rows for view in VIEWS}


def test_a_packed_store_has_the_same_results_and_no_name_of_the_machine(runs: RunsPaths, tmp_path: Path) -> None:
    store, out = tmp_path / "results.duckdb", tmp_path / "it's.duckdb"
    assert pack_store(store, out) == 3
    assert contents(out) == contents(store)
    told = "select run_id, arm, state, seconds, fingerprints, config -> '$.settings' from runs order by all"
    assert query(out, told).rows == query(store, told).rows
    assert {tuple(row) for row in query(out, "select host, config ->> 'folder' from runs").rows} == {(None, ".")}
    environments = [json.loads(text) for (text,) in query(out, "select environment from runs").rows]
    assert environments == [{"versions": {"torch": "2"}, "threads": 2}] * 3
    assert b"secret" not in out.read_bytes() and b"Secretix" not in out.read_bytes()
    assert out.stat().st_size <= store.stat().st_size
    assert sorted(file.name for file in tmp_path.glob(".*")) == []


def test_a_store_is_never_packed_over_a_file_nor_out_of_nothing(runs: RunsPaths, tmp_path: Path) -> None:
    (tmp_path / "there.duckdb").write_text("mine")
    with pytest.raises(InputError, match=r"there\.duckdb: is there already"):
        pack_store(tmp_path / "results.duckdb", tmp_path / "there.duckdb")
    assert (tmp_path / "there.duckdb").read_text() == "mine"
    with pytest.raises(InputError, match=r"none\.duckdb: no such store"):
        pack_store(tmp_path / "none.duckdb", tmp_path / "new.duckdb")
    assert not (tmp_path / "none.duckdb").exists() and not (tmp_path / "new.duckdb").exists()


def test_packed_runs_make_the_same_store(runs: RunsPaths, tmp_path: Path) -> None:
    finished = [run for run in run_folders(runs) if not run.run_id.endswith("s2-0000")]
    out = tmp_path / "results"
    assert len(pack_runs(finished, out)) == 2
    assert pack_runs(finished, out) == []
    made = tmp_path / "made.duckdb"
    assert not ingest_pending(made, RunsPaths(out)).problems
    of_all = contents(tmp_path / "results.duckdb")
    failed = "20261122-1403-hybrid-s2-0000"
    assert contents(made) == {view: [row for row in rows if row[0] != failed] for view, rows in of_all.items()}
    for run in run_folders(RunsPaths(out)):
        assert read_spec(run).folder == "." and "ecret" not in run.environment.read_text()
        assert set(pq.read_table(run.results / "top_passages.parquet")["position"].to_pylist()) == {1}
        assert not run.model.exists() and not run.worker.exists()


def test_a_run_that_has_not_finished_is_not_packed(runs: RunsPaths, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hybrid-s2-0000: is failed; allowed: finished runs"):
        pack_runs(run_folders(runs), tmp_path / "results")
    assert not (tmp_path / "results").exists()
