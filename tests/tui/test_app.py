"""The app around the screens: tabs, keys, help, status bar, a held store, sizes, no colour, strange names."""

import asyncio
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from textual.widgets import Static

from tests.store.conftest import Holder
from tests.tui.conftest import LARGE, SIZE, STRANGE, Opened, reader_of, screen_text, until
from workbench.files import locked
from workbench.paths import RunsPaths
from workbench.runs.directory import run_folders, state_of
from workbench.tui.app import PANES, WorkbenchApp
from workbench.tui.dialogs import HelpDialog
from workbench.tui.widgets.status import StatusBar

CONFIG = """\
name: small
model: {{checkpoint: builtin, builtin: {{dimension: 16, buckets: 512}}}}
train:
  sets:
    demo: {{languages: [de, en], pairs: 60}}
  batch_size: 8
  steps: {steps}
evaluate:
  tasks:
    demo: {{languages: [de, en]}}
seed: 1
"""
QUIET = {name: f"{number}" for number, name in enumerate(PANES, 1)}
"""The key of each tab."""


def status(app: WorkbenchApp) -> str:
    return str(app.query_one(StatusBar).content)


async def test_every_tab_by_its_number_and_its_help(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "runs", LARGE) as pilot:
        app = pilot.app
        for name, key in QUIET.items():
            await pilot.press(key)
            await until(lambda name=name: app.pane is not None and app.pane.id == name)
            await pilot.press("question_mark")
            await until(lambda: isinstance(app.screen, HelpDialog))
            assert app.pane.HELP and "Everywhere" in app.screen.text
            await pilot.press("escape")
            await until(lambda: not isinstance(app.screen, HelpDialog))


@pytest.mark.parametrize("size", [SIZE, (250, 70)], ids=str)
@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
async def test_every_screen_at_every_size_in_both_themes(
    hand_home: Path, opened: Opened, size: tuple[int, int], theme: str
) -> None:
    async with opened(hand_home, "runs", size) as pilot:
        pilot.app.theme = theme
        for name, key in QUIET.items():
            await pilot.press(key)
            await until(lambda name=name: pilot.app.pane is not None and pilot.app.pane.id == name)
            await pilot.pause()
            lines = screen_text(pilot.app).split("\n")
            assert "Runs" in lines[0] and "Claims" in lines[0] and len(lines) == size[1]


async def test_without_colour(hand_home: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(hand_home) as pilot:
        for key in QUIET.values():
            await pilot.press(key)
            await pilot.pause()
        await pilot.pause()
        colours = {
            segment.style.color.get_truecolor()
            for strip in pilot.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style and segment.style.color
        }
        assert all(len({one.red, one.green, one.blue}) == 1 for one in colours)


async def test_strange_names_do_no_harm(strange_home: Path, opened: Opened) -> None:
    async with opened(strange_home, "runs", LARGE) as pilot:
        await until(lambda: "[bold]not markup[/]" in screen_text(pilot.app))
        for key in QUIET.values():
            await pilot.press(key)
            await pilot.pause()
        for name in STRANGE:
            pilot.app.say(name)
            await pilot.pause()
        assert pilot.app.is_running


async def test_the_palette_knows_the_screens_and_the_themes(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home) as pilot:
        await pilot.press("ctrl+p")
        await until(lambda: "Theme" in screen_text(pilot.app))
        await pilot.press(*"compare")
        await until(lambda: "Go to the screen Compare" in screen_text(pilot.app))
        await pilot.press("enter")
        await until(lambda: pilot.app.pane.id == "compare")


# ------------------------------------------------------------------------------------------------ status bar


async def test_the_standing_line(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, size=LARGE) as pilot:
        await until(lambda: status(pilot.app).startswith("nothing at work"))
        assert "results.duckdb" in status(pilot.app)


async def test_runs_at_work_are_counted(home: Path) -> None:
    reader = reader_of(home)
    slot = RunsPaths(home / "runs").slot(0)
    with locked(slot):
        assert reader.standing_line().startswith("1 at work")
    assert reader.standing_line().startswith("nothing at work")


async def test_an_empty_store_says_what_to_press(empty_home: Path, opened: Opened) -> None:
    async with opened(empty_home) as pilot:
        await until(lambda: "press 2, Enter, l to run the quickstart" in status(pilot.app))
        assert not list(empty_home.iterdir())


async def test_a_held_store_is_a_line_and_is_read_once_it_is_free(home: Path, opened: Opened) -> None:
    holder = Holder(home / "results.duckdb", "write")
    try:
        async with opened(home) as pilot:
            app = pilot.app
            await until(lambda: status(app).startswith("waiting") and str(holder.process.pid) in status(app))
            assert "no runs yet" not in screen_text(app)
            await pilot.press("question_mark")  # nothing is frozen
            await until(lambda: isinstance(app.screen, HelpDialog))
            await pilot.press("escape")
            holder.let_go()
            await until(lambda: ".9271" in screen_text(app))
            await until(lambda: "free again" in status(app) or "at work" in status(app))
    finally:
        holder.process.kill()


async def test_a_file_that_is_no_store_is_a_line(empty_home: Path, opened: Opened) -> None:
    (empty_home / "results.duckdb").write_text("not a database" * 100)
    async with opened(empty_home, "sql") as pilot:
        await until(lambda: "no DuckDB database" in status(pilot.app))


async def test_two_apps_see_the_same(home: Path, opened: Opened) -> None:
    async with opened(home) as one, opened(home) as other:
        for pilot in (one, other):
            await until(lambda pilot=pilot: ".9271" in screen_text(pilot.app))


async def test_two_apps_see_what_a_command_runs(home: Path, opened: Opened) -> None:
    (home / "small.yaml").write_text(CONFIG.format(steps=4))
    async with opened(home, size=LARGE) as one, opened(home, size=LARGE) as other:
        done = asyncio.create_task(asyncio.to_thread(workbench, home, "run", "small.yaml"))
        for pilot in (one, other):
            await until(lambda pilot=pilot: "small" in screen_text(pilot.app), 60)
        assert (await done).returncode == 0
        for pilot in (one, other):
            await until(lambda pilot=pilot: re.search(r"small +1 finished", screen_text(pilot.app)))
            await pilot.press("6", "tab", "f7", *"select experiment from runs where experiment = 'small'", "f5")
            answers = pilot.app.query_one("#sql PagedTable")
            await until(lambda answers=answers: [row["experiment"] for row in answers.found] == ["small"])


async def test_a_message_stands_for_a_while_in_the_place_of_the_line(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home) as pilot:
        pilot.app.say("[b]wrong[/]\n  twice", error=True)
        assert status(pilot.app) == "error: [b]wrong[/] twice"
        bar = pilot.app.query_one(StatusBar)
        assert isinstance(bar, Static) and bar.has_class("error")
        await pilot.press("2")
        await until(lambda: pilot.app.pane is not None and pilot.app.pane.id == "new")
        await until(lambda: "wrong" not in status(pilot.app) and not bar.has_class("error"))


# -------------------------------------------------------------------------------------------- the command


def workbench(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workbench", *arguments]
    return subprocess.run(command, cwd=home, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def test_without_a_terminal_there_is_help(empty_home: Path) -> None:
    done = workbench(empty_home)
    assert done.returncode == 2 and "Usage: workbench" in done.stdout and "serve" in done.stdout
    assert not list(empty_home.iterdir())


def test_options_before_a_command_are_refused_rather_than_ignored(empty_home: Path) -> None:
    done = workbench(empty_home, "--store", "x.duckdb", "runs")
    assert done.returncode == 2 and "stand after the command: workbench runs --store" in done.stderr


class Terminal:
    """The app in a terminal of its own."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="24")
            os.execv(sys.executable, [sys.executable, "-m", "workbench", *arguments])
        self.seen = b""

    def until(self, true: Callable[[], object], limit_s: float = 120.0) -> None:
        """Wait for a condition, and read meanwhile what the app writes."""
        end = time.monotonic() + limit_s
        while not true():
            assert time.monotonic() < end, self.seen[-500:]
            if select.select([self.descriptor], [], [], 0.05)[0]:
                self.seen += os.read(self.descriptor, 65536)

    def until_seen(self, text: bytes) -> None:
        self.until(lambda: text in self.seen)

    def press(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def kill(self) -> None:
        """The app, and its terminal with it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.descriptor)

    def exit_code(self, limit_s: float = 20.0) -> int:
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if select.select([self.descriptor], [], [], 0.05)[0]:
                with suppress(OSError):  # its end is closed
                    os.read(self.descriptor, 65536)
            pid, state = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.descriptor)
                return os.waitstatus_to_exitcode(state)
        self.kill()
        raise AssertionError("it did not end")


def test_on_a_terminal_the_app_opens(hand_home: Path, tmp_path: Path) -> None:
    store, runs = hand_home / "results.duckdb", hand_home / "runs"
    terminal = Terminal(tmp_path, "--store", str(store), "--runs", str(runs))
    terminal.until_seen(b"Claims")
    terminal.until_seen(b"hybrid-a50")
    terminal.press(b"q")
    assert terminal.exit_code() == 0


def test_it_is_left_at_once_though_a_query_runs(hand_home: Path, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--store", str(hand_home / "results.duckdb"), "--runs", str(hand_home / "runs"))
    terminal.until_seen(b"Claims")
    terminal.press(b"6")
    terminal.until_seen(b"first_passages")
    terminal.press(b"\t\x1b[18~select count(*) from range(100000000) a, range(100000000) b")  # F7: all is replaced
    terminal.press(b"\x1b[15~")
    terminal.until_seen(b"running")
    terminal.press(b"\x11")  # Ctrl+Q
    began = time.monotonic()
    assert terminal.exit_code() == 0
    assert time.monotonic() - began < 10


def test_a_run_goes_on_when_the_app_is_killed(empty_home: Path) -> None:
    (empty_home / "configs").mkdir()
    (empty_home / "configs" / "small.yaml").write_text(CONFIG.format(steps=800))
    runs = RunsPaths(empty_home / "runs")
    terminal = Terminal(empty_home)
    terminal.until_seen(b"Claims")
    terminal.press(b"2")
    terminal.until_seen(b"small.yaml")
    terminal.press(b"\r")
    terminal.until_seen(b"1 run")
    terminal.press(b"l")
    terminal.until_seen(b"Launch (Enter)")
    terminal.press(b"\r")
    terminal.until(lambda: [state_of(run) for run in run_folders(runs)] == ["training"])
    terminal.kill()
    (run,) = run_folders(runs)
    assert state_of(run) == "training"

    again = Terminal(empty_home)
    again.until(lambda: state_of(run) == "finished")
    again.until_seen(b"finished")
    again.press(b"q")
    assert again.exit_code() == 0
    found = json.loads(workbench(empty_home, "runs", "--json").stdout)
    assert [(row["experiment"], row["state"]) for row in found] == [("small", "finished")]
