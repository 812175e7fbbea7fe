import math
from pathlib import Path
from typing import Any

import pytest

from tests.store.synthetic import Tiny, evaluate, write_run
from workbench.errors import InputError
from workbench.paths import RunsPaths
from workbench.reports import overview
from workbench.reports.overview import arm_table, differences, listing_table, resolve_arm, run_listing
from workbench.store.database import ingest


def figure(arm: str, task: str, mean: float | None, task_id: str | None = None) -> dict[str, Any]:
    place = {"arm": arm, "task": task, "task_id": task_id or f"{task}-id"}
    about = {"leaked": False, "leave_out": [], "depth": None, "pool": 24, "translated": False}
    return {**place, "setting": "monolingual", "measure": "map", "mean": mean, "sd": 0.1, "n": 2, **about}


def test_differences_are_from_the_arm_that_is_named_and_on_one_task_only() -> None:
    figures = [figure("B", "a", 0.9), figure("A", "z", 0.25), figure("B", "z", 0.75)]
    assert differences(figures, "A") == [{**figure("B", "z", 0.5), "sd": None}]
    assert differences(figures, "B") == [{**figure("A", "z", -0.5), "sd": None}]
    assert differences([figure("A", "z", 0.1, "old"), figure("B", "z", 0.2, "new")], "A") == []
    assert differences([], "A") == []


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf])
def test_what_is_not_known_has_no_difference(unknown: float | None) -> None:
    assert differences([figure("A", "z", unknown), figure("B", "z", 0.5)], "A") == []
    assert differences([figure("A", "z", 0.5), figure("B", "z", unknown)], "A") == []


def test_unequal_tasks_of_one_name_are_told_apart() -> None:
    table = arm_table(
        [figure("A", "z", 0.1, "0123456789ab"), figure("B", "z", 0.2, "ba9876543210"), figure("B", "a", 0.3)]
    )
    assert [row["task"] for row in table] == ["z 012345", "z ba9876", "a"]


@pytest.fixture
def runs(tmp_path: Path) -> RunsPaths:
    """Three finished runs, the newest on two tasks; the oldest is in the store only."""
    runs = RunsPaths(tmp_path / "runs")
    for number, tasks in enumerate([[Tiny()], [Tiny()], [Tiny(), Tiny("other", "ffffffffffff")]]):
        run = write_run(runs.root, f"2026112{number}-1403-mono-s0-7f3c", results=evaluate(*tasks, seed=number))
        ingest(tmp_path / "results.duckdb", run)
    (runs.root / "20261120-1403-mono-s0-7f3c").rename(tmp_path / "gone")
    return runs


def test_figures_of_several_tasks_are_listed_and_never_averaged(runs: RunsPaths, tmp_path: Path) -> None:
    rows = run_listing(runs, tmp_path / "results.duckdb")
    assert [row["run_id"][:8] for row in rows] == ["20261122", "20261121", "20261120"]
    assert set(rows[0]["map"]) == {"tiny", "other"} and "monolingual_map" not in rows[0]
    for row in rows[1:]:
        assert row["map"] == {"tiny": {s: row[f"{s}_map"] for s in ("monolingual", "cross_lingual", "multilingual")}}
    table = listing_table(rows)
    assert table[0]["mono map"] is None and table[1]["mono map"] == rows[1]["monolingual_map"]
    assert "ETA" not in table[0] and "message" not in table[0], "empty columns are left out"
    assert listing_table([]) == []


def test_runs_beyond_the_limit_are_not_looked_at(
    runs: RunsPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    real = overview.status
    monkeypatch.setattr(overview, "status", lambda run: looked.append(run.run_id) or real(run))
    assert len(run_listing(runs, tmp_path / "results.duckdb", 1)) == 1
    assert looked == ["20261122-1403-mono-s0-7f3c"]
    assert len(run_listing(runs, tmp_path / "none.duckdb", 5)) == 2


def test_what_an_arm_is_meant_by(tmp_path: Path) -> None:
    """A name without its hash is that arm, though others begin so too."""
    store = tmp_path / "results.duckdb"
    for number, arm in enumerate(["hybrid-h-1c9e07", "hybrid-hs-1c9e07", "hybrid-hs-2d8f16"]):
        run_id = f"2026112{number}-1403-{arm[:-7]}-s0-7f3c"
        ingest(store, write_run(tmp_path / "runs", run_id, arm=arm, results=evaluate(Tiny())))
    for text in ("hybrid-h", "hybrid-h-1c9e07", "hybrid-h-1", "20261120-1403"):
        assert resolve_arm(store, text) == "hybrid-h-1c9e07"
    assert resolve_arm(store, "hybrid-hs-2") == "hybrid-hs-2d8f16"
    for text in ("hybrid", "hybrid-hs", "2026"):
        with pytest.raises(InputError, match=r"several are meant: .*hybrid-hs-1c9e07, hybrid-hs-2d8f16"):
            resolve_arm(store, text)
    with pytest.raises(InputError, match="no finished run of it"):
        resolve_arm(store, "mono")
