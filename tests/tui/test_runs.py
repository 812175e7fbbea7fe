"""The Runs screen: groups, figures, sorting, filters, marks, live runs, stopping, resuming, deleting, cloning."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.analysis.hand import HYBRID, MONO
from tests.runs.conftest import make_spec
from tests.store.synthetic import make_settings, write_run
from tests.tui.conftest import LARGE, SIZE, STRANGE, Opened, Pictured, screen_text, until
from workbench.paths import RunsPaths
from workbench.records import PairSetSpec, TrainSpec
from workbench.reports.overview import run_listing
from workbench.runs.directory import create_run, record_worker, state_of
from workbench.runs.events import EventLog
from workbench.store.database import ingest_pending, query
from workbench.tui.app import WorkbenchApp
from workbench.tui.run_rows import bar, eta_text, group_progress, grouped, label, middle, run_rows, sparkline
from workbench.tui.runs_table import RunsTable

FIRST = "20261122-1403-mono-s0-aaaa"


def table_of(pilot: Pilot[None]) -> RunsTable:
    return pilot.app.query_one(RunsTable)


def app_of(pilot: Pilot[None]) -> WorkbenchApp:
    assert isinstance(pilot.app, WorkbenchApp)
    return pilot.app


async def filled(pilot: Pilot[None], rows: int) -> RunsTable:
    await until(lambda: len(table_of(pilot).rows) == rows and table_of(pilot).found)
    await until(lambda: not any(w.group in ("first", "curves") and not w.is_finished for w in pilot.app.workers))
    await pilot.pause()
    return table_of(pilot)


async def go_to(pilot: Pilot[None], key: str) -> None:
    """Move the cursor to the row with a key."""
    table = table_of(pilot)
    place = [row["key"] for row in table.found].index(key)
    while table.data.cursor_row != place:
        await pilot.press("down" if table.data.cursor_row < place else "up")


async def test_runs_stand_below_their_arms_with_means_over_seeds(home: Path, opened: Opened) -> None:
    async with opened(home, size=LARGE) as pilot:
        table = await filled(pilot, 4)
        kinds = [row["kind"] for row in table.found]
        assert kinds == ["experiment", "arm", "run", "run", "arm", "run", "run"]
        arm, *runs = table.found[1:4]
        assert arm["arm"] == MONO and arm["state"] == "2 finished"
        listed = {row["run_id"]: row for row in run_listing(RunsPaths(home / "runs"), home / "results.duckdb")}
        for run in runs:
            assert run["mono"] == pytest.approx(listed[run["run_id"]]["monolingual_map"])
        assert arm["multi"] == pytest.approx(sum(run["multi"] for run in runs) / 2)
        text = screen_text(pilot.app)
        assert "4 runs, 2 arms" in text and "figures of hand" in text and "hybrid-a50" in text


async def test_views_and_folding(home: Path, opened: Opened) -> None:
    async with opened(home, size=LARGE) as pilot:
        table = await filled(pilot, 4)
        await pilot.press("g")
        assert [row["kind"] for row in table.found] == ["experiment", "arm", "arm"]
        await pilot.press("down", "enter")
        assert [row["kind"] for row in table.found] == ["experiment", "arm", "run", "run", "arm"]
        await pilot.press("g")
        assert [row["kind"] for row in table.found] == ["run"] * 4
        assert FIRST in screen_text(pilot.app)


async def test_filter_and_sort(home: Path, opened: Opened) -> None:
    async with opened(home) as pilot:
        table = await filled(pilot, 4)
        await pilot.press("slash", *"sampling=hybrid", "enter")
        assert {row["arm"] for row in table.found if row["kind"] == "run"} == {HYBRID}
        assert "2 of 4 runs, 1 arm, means over these" in screen_text(pilot.app)
        await pilot.press("slash", *"seed=0", "enter")
        await until(lambda: "1 of 2 finished" in screen_text(pilot.app))
        assert [row["state"] for row in table.found if row["kind"] == "arm"] == ["1 of 2 finished"] * 2
        await pilot.press("slash", "escape")
        await pilot.press("g", "g")
        multi = [column.key for column in table.columns].index("multi")
        while table.sorted_by != multi:
            await pilot.press("o")
        values = [row["multi"] for row in table.found]
        assert values == sorted(values)
        await pilot.press("O")
        assert [row["multi"] for row in table.found] == sorted(values, reverse=True)
        head = [str(column.label) for column in table.data.ordered_columns]
        assert "multi↓" in head
        await pilot.press("slash")
        assert "multi>.5" in screen_text(pilot.app), "an example that is about columns that are there"
        await pilot.press(*"nothing=1")
        assert "no column" in screen_text(pilot.app)


async def test_home_and_end_lead_to_the_first_and_last_row(
    home: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("runs_table", "widgets.table", "runs"):
        monkeypatch.setattr(f"workbench.tui.{module}.PAGE", 4)
    async with opened(home) as pilot:
        table = await filled(pilot, 4)
        await pilot.press("end")
        assert table.page == 1 and table.current is table.found[6]
        await pilot.press("home")
        assert table.page == 0 and table.current is table.found[0]
        await pilot.press("end", "end", "up", "home", "home")
        assert table.current is table.found[0]


async def test_marks_are_arms_in_their_order(home: Path, opened: Opened) -> None:
    async with opened(home) as pilot:
        await filled(pilot, 4)
        await pilot.press("down", "space", "down", "down", "down", "space")
        assert app_of(pilot).marked == [MONO, HYBRID]
        assert "2 marked" in screen_text(pilot.app) and "•▾" in screen_text(pilot.app)
        await pilot.press("space")
        assert app_of(pilot).marked == [MONO]


async def test_deleting_takes_place_when_the_app_quits(home: Path, opened: Opened) -> None:
    runs = RunsPaths(home / "runs")
    async with opened(home) as pilot:
        await filled(pilot, 4)
        await go_to(pilot, FIRST)
        await pilot.press("d")
        await pilot.press("n")
        assert not app_of(pilot).to_delete
        await pilot.press("d")
        await pilot.press("y")
        await until(lambda: len(table_of(pilot).rows) == 3)
        assert "1 deleted when you quit" in screen_text(pilot.app) and runs.run(FIRST).root.exists()
        assert table_of(pilot).current["key"].startswith("arm"), "the line below, not the top"
        await pilot.press("u")
        await until(lambda: len(table_of(pilot).rows) == 4)
        assert not app_of(pilot).to_delete
        await go_to(pilot, FIRST)
        await pilot.press("d")
        await pilot.press("y")
        await pilot.press("q")
        await until(lambda: not runs.run(FIRST).root.exists())
        await until(lambda: app_of(pilot).return_code == 0)
    assert FIRST not in {row[0] for row in query(home / "results.duckdb", "select run_id from runs").rows}
    assert not ingest_pending(home / "results.duckdb", runs).run_ids


async def test_a_run_without_a_directory_can_be_deleted(home: Path, opened: Opened) -> None:
    shutil.rmtree(home / "runs" / FIRST)
    async with opened(home) as pilot:
        await filled(pilot, 4)
        await go_to(pilot, FIRST)
        await pilot.press("d")
        await pilot.press("y")
        await pilot.press("q")
        await until(lambda: app_of(pilot).return_code == 0)
    assert query(home / "results.duckdb", "select count(*) from runs").rows == [(3,)]


async def test_runs_started_elsewhere_are_adopted_and_followed(home: Path, opened: Opened) -> None:
    runs = RunsPaths(home / "runs")
    async with opened(home, size=LARGE) as pilot:
        await filled(pilot, 4)
        run = create_run(runs, make_spec("20261123-0900-hybrid-a50-s0-cccc"), prepared=True)
        await until(lambda: len(table_of(pilot).rows) == 5)
        assert "queued" in screen_text(pilot.app)
        record_worker(run, os.getpid())
        with EventLog(run.events) as events:
            events.state("training")
            for step, loss in enumerate((2.0, 1.5, 1.0, 0.5, 0.25), start=1):
                events.write("step", step=step, steps=10, loss=loss, eta_s=65.0)
            await until(lambda: "40%" in screen_text(pilot.app))
            text = screen_text(pilot.app)
            assert "1 training" in text and "1:05" in text and ".2500" in text
            await until(lambda: "█▆▄▂▁" in screen_text(pilot.app))
            events.state("finished")
        await until(lambda: "training" not in screen_text(pilot.app))


async def test_stop_resume_and_refusals(home: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = RunsPaths(home / "runs")
    run = create_run(runs, make_spec("20261123-0900-hybrid-a50-s0-cccc"))
    started: list[Any] = []
    monkeypatch.setattr("workbench.runs.supervisor.spawn_dispatcher", started.append)
    async with opened(home) as pilot:
        await filled(pilot, 5)
        await go_to(pilot, run.run_id)
        await pilot.press("s")
        await until(lambda: state_of(run) == "stopped")
        await until(lambda: "stopped" in screen_text(pilot.app))
        await until(lambda: table_of(pilot).current["state"] == "stopped")
        await pilot.press("r")
        await until(lambda: state_of(run) == "queued" and started)
        await go_to(pilot, FIRST)
        await pilot.press("s")
        await until(lambda: "only a queued or a working run" in screen_text(pilot.app))


@pytest.mark.parametrize("is_working", [True, False])
async def test_a_run_that_works_or_will_is_not_deleted(home: Path, opened: Opened, is_working: bool) -> None:
    run = create_run(RunsPaths(home / "runs"), make_spec("20261123-0900-hybrid-a50-s0-cccc"), prepared=not is_working)
    if is_working:
        record_worker(run, os.getpid())
    async with opened(home) as pilot:
        await filled(pilot, 5)
        await go_to(pilot, run.run_id)
        await pilot.press("d")
        await until(lambda: "stop first (s), then delete" in screen_text(pilot.app))


async def test_clone_hands_over_the_settings(home: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[tuple[Any, str]] = []
    monkeypatch.setattr(WorkbenchApp, "new_from", lambda self, settings, source: handed.append((settings, source)))
    async with opened(home) as pilot:
        await filled(pilot, 4)
        await go_to(pilot, FIRST)
        await pilot.press("c")
        await until(lambda: handed)
    assert handed[0][1] == FIRST and handed[0][0]["train"]["sampling"]["strategy"] == "mono"


async def test_a_clone_of_a_run_from_another_folder_finds_its_data(
    home: Path, tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.tui.new_run import NewRunPane

    made_in = tmp_path / "elsewhere"
    made_in.mkdir()
    line = {"pair_id": "p", "lang": "de", "query": "Wo?", "passage": "Hier."}
    (made_in / "pairs.jsonl").write_text(json.dumps(line) + "\n" + json.dumps({**line, "pair_id": "q"}) + "\n")
    train = TrainSpec({"mine": PairSetSpec(path="pairs.jsonl")}, steps=2)
    spec = make_spec("20261123-0900-hybrid-a50-s0-cccc", train=train)
    create_run(RunsPaths(home / "runs"), replace(spec, folder=str(made_in)), prepared=True)
    monkeypatch.chdir(home)
    async with opened(home) as pilot:
        await filled(pilot, 5)
        await go_to(pilot, spec.run_id)
        await pilot.press("c")
        await until(lambda: pilot.app.query(NewRunPane) and pilot.app.query_one(NewRunPane).plan is not None)
        plan = pilot.app.query_one(NewRunPane).plan
        assert plan is not None and not plan.lacking and len(plan.specs) == 1
        assert "changed" not in screen_text(pilot.app)


async def test_several_tasks_are_never_mixed(home: Path, opened: Opened) -> None:
    write_run(home / "runs", "20261123-0900-mono-s0-dddd", settings=make_settings("mono", name="other"), arm="x-1")
    assert not ingest_pending(home / "results.duckdb", RunsPaths(home / "runs")).problems
    async with opened(home, size=LARGE) as pilot:
        table = await filled(pilot, 5)
        assert {row["task"] for row in table.found if row["kind"] == "run"} == {"hand", "tiny"}
        await pilot.press("t")
        assert {row["task"] for row in table.found if row["kind"] == "run"} == {"hand", None}
        assert "figures of hand" in screen_text(pilot.app)


@pytest.mark.parametrize("size", [SIZE, LARGE, (250, 70)])
async def test_strange_names_do_no_harm(strange_home: Path, opened: Opened, size: tuple[int, int]) -> None:
    async with opened(strange_home, size=size) as pilot:
        await filled(pilot, 2 * len(STRANGE))
        await pilot.press("g", "down", "g", "down", "end", "g")
        await pilot.press("end")
        assert "xxxxx" in screen_text(pilot.app) or "[bold]" in screen_text(pilot.app)


async def test_an_empty_store_says_what_to_press(empty_home: Path, opened: Opened) -> None:
    async with opened(empty_home) as pilot:
        await until(lambda: "press n" in screen_text(pilot.app))
        await pilot.press("d", "s", "r", "u", "c", "space", "enter", "t", "y", "e")
        await pilot.press("slash")
        assert isinstance(pilot.app.focused, Input)


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=["80x24", "160x50"])
def test_it_looks_as_it_did(home: Path, pictured: Pictured, size: tuple[int, int]) -> None:
    async def ready(pilot: Pilot[None]) -> None:
        await until(lambda: pilot.app.query(RunsTable))
        await filled(pilot, 4)
        await pilot.press("down", "space", "down")

    assert pictured(home, size, ready)


def test_rows_are_written_in_little_room() -> None:
    assert bar(0.47) == "━━━━····  47%"
    assert bar(None) == ""
    assert sparkline([3, 2, 1, 1]) == "█▅▁▁" and sparkline([1, 1]) == "▁▁" and sparkline([]) == ""
    assert middle("20261122-1403-hybrid-a50-s0-7f3c", 20) == "20261122-1…0-s0-7f3c"
    run = {"kind": "run", "run": "20261122-1403-hybrid-a50-s0-7f3c", "leaked": True}
    assert label(run, "runs", False, 40) == " 20261122-1403-hybrid-a50-s0-7f3c †"
    assert label(run, "runs", True, 24) == "•…hybrid-a50-s0-7f3c †"
    assert label(run, "runs", False, 18) == " …hybrid-a50-s0… †"


def test_a_seed_that_was_run_twice_counts_once() -> None:
    def run(run_id: str, seed: int, mono: float, state: str = "finished") -> dict[str, Any]:
        unknown = dict.fromkeys(("part", "eta_s", "sampling", "alpha", "model", "device", "host", "leaked", "updated"))
        told = {"run_id": run_id, "seed": seed, "state": state, "experiment": "e", "arm": "a"}
        return {**unknown, **told, "figures": {"x": {"mono": mono, "marks": {}}}}

    rows = run_rows([run("c", 0, 0.9), run("b", 1, 0.5), run("a", 0, 0.1), run("0", 2, 0.0, "failed")], None)
    _, arm, *_ = grouped(rows, "runs by arm", frozenset())
    assert arm["mono"] == pytest.approx(0.7) and arm["state"] == "1 failed"


def test_a_group_is_as_far_as_its_runs() -> None:
    def run(state: str, part: float | None) -> dict[str, Any]:
        return {"state": state, "part": part}

    runs = [run("finished", None), run("stopped", 0.4), run("failed", None), run("queued", 0.2), run("training", 0.4)]
    assert group_progress(runs) == pytest.approx(0.4)
    assert group_progress(runs[:4]) is None
    assert eta_text(0.3) == "" and eta_text(None) == "" and eta_text(65) == "1:05"
