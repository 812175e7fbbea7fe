"""Data sets: what is here, what is in one of them, what the leakage checks of the runs found."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.store.synthetic import Tiny, evaluate, make_settings, write_run
from tests.tui.conftest import LARGE, SIZE, Opened, Pictured, screen_text, until
from workbench.store.database import ingest
from workbench.tui.data import DataPane
from workbench.tui.dialogs import ConfirmDialog, HelpDialog
from workbench.tui.widgets.table import PagedTable


@pytest.fixture(scope="module")
def checked_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of each outcome of the leakage check; to read only."""
    home = tmp_path_factory.mktemp("checked")
    row = {"task": "tiny", "training_set": "help", "language": "th", "kind": "passage", "texts": 12}
    for number, (leaked, hits) in enumerate(((True, 3), (False, 3), (False, 0), (None, None))):
        results = evaluate(Tiny())
        if hits:
            results.tables["leakage"] = [{**row, "hits": hits, "exact": 1, "pairs": 2, "dropped": not leaked}]
        check = {"on_leak": "warn" if leaked else "drop", "leaked": leaked, "hits": hits, "pairs": 2 if hits else 0}
        run = write_run(
            home / "runs",
            f"20261122-140{number}-mono-s0-7f3c",
            results=results,
            environment={} if hits is None else {"leakage": check},
            arm=f"mono-{number}",
            settings=make_settings("mono"),
        )
        ingest(home / "results.duckdb", run)
    return home


def said(pilot: Pilot[None]) -> str:
    return str(pilot.app.query_one("#said", Static).content)


def rows_of(pilot: Pilot[None], name: str) -> list[dict[str, object]]:
    return [dict(row) for row in pilot.app.query_one(DataPane).query_one(f"#{name}", PagedTable).rows]


async def test_a_set_is_read_and_its_examples_are_shown(empty_home: Path, opened: Opened) -> None:
    async with opened(empty_home, "data") as pilot:
        await until(lambda: len(rows_of(pilot, "sets")) > 10)
        await pilot.press("down", "enter")
        await until(lambda: rows_of(pilot, "languages"), 60)
        assert "demo (task), built in" in said(pilot)
        counts = {row["language"]: (row["queries"], row["candidates"]) for row in rows_of(pilot, "languages")}
        assert counts["zh"] == (300, 720)
        await pilot.press("x", "down")
        last = rows_of(pilot, "examples")[1]
        assert list(last)[-2:] == ["text", "place"] and last["part"] == "passage"
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, HelpDialog) and pilot.app.screen.text == last["text"]
        await pilot.press("escape", "escape")
        assert pilot.app.focused is pilot.app.query_one("#sets DataTable")


async def test_reading_can_be_cancelled_and_a_set_that_is_not_here_says_how_to_get_it(
    empty_home: Path, opened: Opened
) -> None:
    async with opened(empty_home, "data") as pilot:
        pane = pilot.app.query_one(DataPane)
        await until(lambda: len(rows_of(pilot, "sets")) > 10)
        await pilot.press("enter")
        assert pane.command is not None and "Esc cancels" in said(pilot)
        await pilot.press("escape")
        assert pane.command is None and "cancelled" in said(pilot)
        await pilot.press("slash", *"xquad", "enter", "enter")
        await until(lambda: "workbench data fetch xquad_r" in said(pilot))
        await pilot.press("y")
        assert pilot.app.clipboard == "workbench data fetch xquad_r"
        await pilot.press("f")
        assert isinstance(pilot.app.screen, ConfirmDialog)
        await pilot.press("y")
        # there is no network in tests: what the command says is shown
        await until(lambda: "error: " in said(pilot), 60)
        assert pane.command is None


async def test_what_the_checks_of_runs_found(checked_home: Path, opened: Opened) -> None:
    async with opened(checked_home, "data") as pilot:
        await until(lambda: rows_of(pilot, "leaks"))
        outcomes = [row["outcome"] for row in rows_of(pilot, "leaks")]
        assert outcomes == ["not checked", "none found", "left out", "trained on"]
        await pilot.press("l", "slash", *"outcome~left", "enter")
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, HelpDialog))
        assert pilot.app.screen.text.splitlines() == [  # type: ignore[attr-defined]
            "task tiny, training set help",
            "language  kind     texts  hits  exact  pairs  left out",
            "th        passage     12     3      1      2  yes",
        ]


async def test_the_table_in_front_is_exported(
    checked_home: Path, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(checked_home, "data", LARGE) as pilot:
        await until(lambda: rows_of(pilot, "leaks"))
        await pilot.press("l", "e")
        await until(lambda: pilot.app.screen.query("#path"))
        await pilot.press("enter")
        await until(lambda: (tmp_path / "data.csv").exists())
        assert "trained on" in (tmp_path / "data.csv").read_text()


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=["80x24", "160x50"])
def test_it_looks_as_it_did(checked_home: Path, pictured: Pictured, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        pilot.app.action_go("data")  # type: ignore[attr-defined]
        await until(lambda: pilot.app.query("#leaks"))
        await until(lambda: rows_of(pilot, "leaks") and rows_of(pilot, "sets"))
        await pilot.press("l")
        await pilot.pause()
        assert "trained on" in screen_text(pilot.app)  # type: ignore[arg-type]

    assert pictured(checked_home, size, before)
