"""The Run screen: heat map of any measure, curves, draws, log with search, config, environment; live and finished."""

import os
import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.runs.conftest import make_spec
from tests.tui.conftest import LARGE, SIZE, STRANGE, Opened, Pictured, screen_text, until
from workbench.paths import RunsPaths
from workbench.reports.overview import run_matrix
from workbench.reports.run_view import Course, run_view
from workbench.runs.directory import create_run, record_worker
from workbench.runs.events import EventLog
from workbench.tui.run import RunPane
from workbench.tui.run_pairs import PairsPart, cell_texts
from workbench.tui.run_parts import short_count, thinned
from workbench.tui.widgets.heatmap import HeatMap

NEWEST = "20261122-1403-mono-s1-aaaa"
HYBRID_RUN = "20261122-1403-hybrid-a50-s0-bbbb"


def pane_of(pilot: Pilot[None]) -> RunPane:
    return pilot.app.query_one(RunPane)


async def read(pilot: Pilot[None]) -> RunPane:
    await until(lambda: pilot.app.query(RunPane) and pane_of(pilot).view is not None)
    await pilot.pause()
    return pane_of(pilot)


async def test_the_newest_run_is_shown_until_one_is_chosen(home: Path, opened: Opened) -> None:
    async with opened(home, tab="run") as pilot:
        pane = await read(pilot)
        assert pane.run_id == NEWEST
        pilot.app.open_run(HYBRID_RUN)  # type: ignore[attr-defined]
        await pilot.press("1", "3")
        await until(lambda: pane.run_id == HYBRID_RUN)
        assert HYBRID_RUN in screen_text(pilot.app) and "finished" in screen_text(pilot.app)


async def test_enter_on_a_run_opens_it(home: Path, opened: Opened) -> None:
    async with opened(home) as pilot:
        await until(lambda: "mono-aaaaaa" in screen_text(pilot.app) or "mono" in screen_text(pilot.app))
        await pilot.press("down", "down", "down", "enter")
        await until(lambda: pilot.app.query(RunPane) and pane_of(pilot).run_id == "20261122-1403-mono-s0-aaaa")


async def test_the_heat_map_has_every_measure_and_marks_unseen_languages(home: Path, opened: Opened) -> None:
    async with opened(home, tab="run", size=LARGE) as pilot:
        pane = await read(pilot)
        heat = pane.query_one("#pairs HeatMap", HeatMap)
        assert heat.matrix.columns == ("de", "en", "zh", "all") and list(heat.matrix.rows) == ["de", "en", "zh"]
        told = run_matrix(home / "results.duckdb", NEWEST, "map")["hand"]
        assert [list(row.values())[1:] for row in told] == [list(line) for line in heat.matrix.values]
        assert heat.matrix.noted == {"zh"} and "unseen in training: zh" in screen_text(pilot.app)
        seen = set()
        part = pane.query_one(PairsPart)
        while part.measure not in seen:
            seen.add(part.measure)
            await pilot.press("m")
        assert {"map", "recall@1", "rank_distance", "mrr"} <= seen
        await pilot.press("M", "m", "right", "down")
        assert "queries en, passages en" in screen_text(pilot.app)
        await pilot.press("y")
        assert "queries en, passages en" in pilot.app.clipboard


async def test_the_parts_and_their_keys(home: Path, opened: Opened) -> None:
    async with opened(home, tab="run", size=LARGE) as pilot:
        await read(pilot)
        for key, told in (
            ("c", "pairs per second"),
            ("d", "pairs drawn: query language x passage language"),
            ("l", "step 2/4"),
            ("o", "name: hand"),
            ("v", "versions.torch"),
            ("h", "the pool of all languages together"),
        ):
            await pilot.press(key)
            await until(lambda told=told: told in screen_text(pilot.app))
        await pilot.click("#run-bar", offset=(18, 0))
        await until(lambda: pane_of(pilot).part == "curves")


async def test_searching_the_log(home: Path, opened: Opened) -> None:
    async with opened(home, tab="run") as pilot:
        await read(pilot)
        await pilot.press("slash", *"STEP 2/4", "enter")
        await until(lambda: "step 2/4" in screen_text(pilot.app) and "preparing" not in screen_text(pilot.app))
        await pilot.press("slash", "escape")
        await until(lambda: "preparing" in screen_text(pilot.app))
        assert not isinstance(pilot.app.focused, Input)


async def test_export_writes_what_is_shown(home: Path, tmp_path: Path, opened: Opened) -> None:
    async with opened(home, tab="run") as pilot:
        await read(pilot)
        await pilot.press("e")
        entry = pilot.app.screen.query_one("#path", Input)
        entry.value = "~no-such-user/pairs.csv"
        await pilot.press("enter")
        await until(lambda: "home directory" in screen_text(pilot.app))
        for path, says in (
            ("", "no name"),
            (str(tmp_path / "pairs.txt"), "end in .csv or .md"),
            (str(tmp_path / "none" / "pairs.csv"), "no such folder"),
        ):
            entry.value = path
            await pilot.press("enter")
            await until(lambda says=says: says in screen_text(pilot.app))
        assert not (tmp_path / "none").exists()
        entry.value = str(tmp_path / "pairs.csv")
        await pilot.press("enter")
        await until((tmp_path / "pairs.csv").exists)
    lines = (tmp_path / "pairs.csv").read_text().splitlines()
    assert lines[0] == "query,de,en,zh,*" and len(lines) == 4


async def test_a_run_is_followed_while_it_works(home: Path, opened: Opened) -> None:
    run = create_run(RunsPaths(home / "runs"), make_spec("20261123-0900-hybrid-a50-s0-cccc"), prepared=True)
    record_worker(run, os.getpid())
    with EventLog(run.events) as events:
        events.state("training")
        for step in range(1, 6):
            events.write("step", step=step, steps=10, loss=1 / step, learning_rate=0.1, batch_kind="mono", eta_s=65.0)
        async with opened(home, tab="run", size=LARGE) as pilot:
            pane = await read(pilot)
            assert pane.part == "curves" and "50%" in screen_text(pilot.app) and "ETA 1:05" in screen_text(pilot.app)
            events.write("step", step=6, steps=10, loss=0.1, batch_kind="cross", eta_s=50.0)
            counts = [{"training_set": "demo", "kind": "mono", "batches": 6, "pairs": {"en>no": 7, "no>no": 9}}]
            events.write("sampled", step=6, counts=counts)
            await until(lambda: "step 6/10" in screen_text(pilot.app))
            await pilot.press("d")
            assert "demo mono" in screen_text(pilot.app) and "[7]" in screen_text(pilot.app)
            events.write("error", message="[red]no[/x] :smile:")
            events.state("failed")
            await until(lambda: pane.view is not None and pane.view.facts["state"] == "failed")
            await pilot.press("l")
            await until(lambda: "[red]no[/x] :smile:" in screen_text(pilot.app))


async def test_a_run_whose_directory_is_gone(home: Path, opened: Opened) -> None:
    shutil.rmtree(home / "runs")
    async with opened(home, tab="run") as pilot:
        pane = await read(pilot)
        assert pane.run_id == NEWEST and pane.course is not None and len(pane.course.steps) == 2
        await pilot.press("c", "d", "l", "o")
        await until(lambda: "name: hand" in screen_text(pilot.app))


async def test_strange_names_do_no_harm(strange_home: Path, opened: Opened) -> None:
    async with opened(strange_home, tab="run") as pilot:
        for number in range(len(STRANGE)):
            run_id = f"20261122-14{number:02}-finished-s0-aaaa"
            pane_of(pilot).read(run_id)
            await until(lambda run_id=run_id: pane_of(pilot).run_id == run_id)
            await pilot.press("o", "h")


async def test_no_run_at_all(empty_home: Path, opened: Opened) -> None:
    async with opened(empty_home, tab="run") as pilot:
        await until(lambda: "no run yet" in screen_text(pilot.app))
        await pilot.press("c", "d", "l", "o", "v", "h", "m", "y", "e", "x")


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=["80x24", "160x50"])
def test_it_looks_as_it_did(home: Path, pictured: Pictured, size: tuple[int, int]) -> None:
    async def ready(pilot: Pilot[None]) -> None:
        await pilot.press("3")
        await read(pilot)
        await pilot.press("right")

    assert pictured(home, size, ready)


def test_numbers_give_way_to_the_room_there_is() -> None:
    values, marks = [[0.51239, None, 1.0]], [["", "", "‡"]]
    assert cell_texts(values, marks, 9) == [[".5124", "", "1.0000‡"]]
    assert cell_texts(values, marks, 6) == [[".512", "", "1.000‡"]]
    assert cell_texts(values, marks, 3) == [[".51", "", "1.00‡"]]
    assert cell_texts([[0.999]], [[""]], 3) == [["1.00"]]
    assert [short_count(value) for value in (7, 9999, 12_345, 4_560_000)] == ["7", "9999", "12.3k", "4.56M"]


def test_the_last_point_of_a_curve_stays() -> None:
    x, y = thinned(list(range(1001)), [float(n) for n in range(1001)])
    assert len(x) <= 401 and x[-1] == 1000 and y[-1] == 1000.0


def test_a_course_takes_up_where_it_was(home: Path) -> None:
    run = RunsPaths(home / "runs").run(NEWEST)
    course = Course(run)
    assert course.look() and not course.look()
    assert course.curve("loss") == ([1, 2], [2.0, 1.0])
    view = run_view(home / "results.duckdb", RunsPaths(home / "runs"), NEWEST)
    assert view.unseen == {"zh"} and view.facts["state"] == "finished"
