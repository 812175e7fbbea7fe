"""Several ingests at once, kills and full disks: every result lands, or stays where it is."""

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.store.looking import RUN_ID, counts
from tests.store.synthetic import Tiny, evaluate, write_run
from workbench.errors import WorkbenchError
from workbench.paths import RunPaths, RunsPaths
from workbench.store.database import ingest, ingest_pending, query


def ingest_one(store: Path, folder: Path) -> bool:
    return ingest(store, RunPaths(folder))


def test_four_processes_that_ingest_at_once_all_land(store: Path, tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path / "runs", f"20261122-140{i}-mono-s{i}-1111", results=evaluate(Tiny(), seed=i)).root
        for i in range(4)
    ]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.starmap(ingest_one, [(store, folder) for folder in folders]) == [True] * 4
    alone = tmp_path / "alone.duckdb"
    for folder in folders:
        ingest(alone, RunPaths(folder))
    everything = "select * from relevant_ranks order by all"
    assert query(store, everything).rows == query(alone, everything).rows
    measured = "select * exclude (value) from cell_measures order by all"
    assert query(store, measured).rows == query(alone, measured).rows
    assert counts(store) == counts(alone)


KILLED = """
import sys
from pathlib import Path
from workbench.paths import RunPaths
from workbench.store.database import ingest
print("go", flush=True)
ingest(Path(sys.argv[1]), RunPaths(Path(sys.argv[2])))
"""


@pytest.mark.parametrize("delay_s", [0.02, 0.08])
@pytest.mark.parametrize("fresh", [True, False], ids=["new store", "known store"])
def test_a_kill_in_the_middle_leaves_all_of_a_run_or_nothing(
    store: Path, tmp_path: Path, delay_s: float, fresh: bool
) -> None:
    other = write_run(tmp_path / "runs", "20261122-1300-mono-s0-1111")
    if not fresh:
        ingest(store, other)
    big = Tiny(languages=("ar", "de", "en", "th", "zh"), questions=60, pool=60)
    run = write_run(tmp_path / "runs", results=evaluate(Tiny("big", "bbbbbbbbbbbb", big.languages, 60, 60)))
    command = [sys.executable, "-c", KILLED, str(store), str(run.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "go\n"
        time.sleep(delay_s)
        os.kill(process.pid, signal.SIGKILL)
    if store.exists():
        landed = query(store, "select count(*) from runs where run_id = ?", [RUN_ID]).rows[0][0]
        ranks = query(store, "select count(*) from relevant_ranks where run_id = ?", [RUN_ID]).rows[0][0]
        assert (landed, ranks > 0) in ((0, False), (1, True))
    ingest_pending(store, RunsPaths(tmp_path / "runs"))
    assert query(store, "select count(*) from runs").rows == [(2,)]
    pairs = 5 * 5 * 60 + 5 * 5 * 60
    assert query(store, "select count(*) from relevant_ranks where run_id = ?", [RUN_ID]).rows == [(pairs,)]


def test_a_full_disk_is_one_line_and_the_results_stay(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs", "20261122-1300-mono-s0-1111"))
    run = write_run(tmp_path / "runs")
    before = hashlib.sha256(store.read_bytes()).hexdigest()
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from workbench.errors import WorkbenchError; from workbench.paths import RunPaths\n"
        "from workbench.store.database import ingest\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: ingest(Path(sys.argv[1]), RunPaths(Path(sys.argv[2])))\n"
        "except WorkbenchError as error: print(type(error).__name__, error)\n"
    )
    command = [sys.executable, "-c", code, str(store), str(run.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("WorkError") and f"{run.root} keeps its results" in done.stdout, done
    assert hashlib.sha256(store.read_bytes()).hexdigest() == before
    assert ingest(store, run)


def test_errors_are_the_workbench_s_own(store: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs")
    store.mkdir()
    with pytest.raises(WorkbenchError):
        ingest(store, run)
