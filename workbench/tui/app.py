"""The terminal interface: tabs of screens over one store and one runs directory."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterable
from functools import partial
from importlib import import_module
from typing import Any, ClassVar, NoReturn

from rich.text import Text
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Footer, Tab, Tabs

from workbench.errors import WorkbenchError
from workbench.records import Plain
from workbench.tui.dialogs import HelpDialog
from workbench.tui.pane import Pane
from workbench.tui.reader import Reader
from workbench.tui.widgets.status import StatusBar

PANES = {
    "runs": ("Runs", "runs.RunsPane"),
    "new": ("New", "new_run.NewRunPane"),
    "run": ("Run", "run.RunPane"),
    "compare": ("Compare", "compare.ComparePane"),
    "bias": ("Bias", "bias.BiasPane"),
    "sql": ("SQL", "sql.SqlPane"),
    "data": ("Data", "data.DataPane"),
    "claims": ("Claims", "claims.ClaimsPane"),
}
"""By id: the word on the tab, and the module and class of the screen, which is imported when it is first looked at."""


EVERYWHERE = """\


Everywhere
1 to 8   the screens
?        what the screen in front is for, and its keys
Ctrl+P   commands, themes light and dark among them
q        quit; runs go on by themselves"""
"""The end of every screen's help."""
LOOK_S = 2.0
"""Between two looks at the runs that are at work."""
REST = 20
"""A look that takes long is followed by a pause of so many times as long."""
LEAVE_S = 3.0
"""For what threads still do when the app is left; reading may be cut short."""


class Keys(Footer):
    """The keys that do something now. Those of every screen come first: the rest may be cut, and help names it all."""

    def compose(self) -> ComposeResult:
        yield from sorted(super().compose(), key=lambda key: getattr(key, "action", "") not in ("help", "quit"))


def make_pane(name: str) -> Pane:
    module, _, kind = PANES[name][1].partition(".")
    pane: Pane = getattr(import_module(f"workbench.tui.{module}"), kind)(id=name)
    return pane


class WorkbenchApp(App[None]):
    """Screens are made when they are first looked at, so that the first paint waits for none but its own."""

    TITLE = "workbench"
    CSS_PATH = "workbench.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help"),
        Binding("q", "quit", "Quit"),
        *(Binding(str(n), f"go('{name}')", title, show=False) for n, (name, (title, _)) in enumerate(PANES.items(), 1)),
    ]

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader
        self.marked: list[str] = []
        """The arms that are marked for comparison, in the order in which they were marked."""
        self.marks_compared: tuple[str, ...] = ()
        """Those of them that a comparison has taken up."""
        self.compared: tuple[str, ...] = ()
        """The arms that are compared, the baseline first."""
        self.run_chosen: str | None = None
        """The id of the run that the Run screen shows; None = the newest."""
        self.to_delete: list[list[str]] = []
        """Ids of runs that go when the app quits, by the question that the user said yes to. Should it be killed, they
        all stay."""

    def compose(self) -> ComposeResult:
        yield Tabs(*(Tab(Text(f"{n} {title}"), id=name) for n, (name, (title, _)) in enumerate(PANES.items(), 1)))
        yield ContentSwitcher(id="panes")
        yield StatusBar()
        yield Keys(compact=True, show_command_palette=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Those of the palette: one who types a screen's name there finds it, too."""
        yield from super().get_system_commands(screen)
        for name, (title, _) in PANES.items():
            yield SystemCommand(title, f"Go to the screen {title}", partial(self.action_go, name), discover=False)

    def on_mount(self) -> None:
        self.look()

    def look(self) -> None:
        """Keep the status bar's standing line."""
        self.run_worker(self.watch_runs, name="at work", thread=True, exit_on_error=False)

    def watch_runs(self) -> None:
        began = time.monotonic()
        try:
            line = self.reader.standing_line()
        except WorkbenchError as error:
            line = str(error)
        pause = max(LOOK_S, REST * (time.monotonic() - began))
        self.call_from_thread(self.looked, line, pause)

    def looked(self, line: str, pause: float) -> None:
        for bar in self.screen_stack[0].query(StatusBar):
            bar.stand(line)
        self.set_timer(pause, self.look)

    @property
    def pane(self) -> Pane | None:
        """The screen in front."""
        current = self.query_one("#panes", ContentSwitcher).current
        return self.query_one(f"#{current}", Pane) if current else None

    async def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        if event.tab.id:
            await self.open(event.tab.id)

    async def open(self, name: str) -> Pane:
        """Bring a screen to the front, making it if need be."""
        switcher = self.query_one("#panes", ContentSwitcher)
        found = switcher.query(f"#{name}")
        if not found:
            await switcher.add_content(make_pane(name), id=name, set_current=True)
        switcher.current = name
        pane = switcher.query_one(f"#{name}", Pane)
        self.forget_error()
        pane.take_focus()
        pane.shown()
        return pane

    def new_from(self, content: Plain, source: str = "a new config") -> None:
        """Go to the form of new runs and begin with a config there; `source` is what the form calls it."""

        async def begin() -> None:
            from workbench.tui.new_run import NewRunPane

            pane = await self.open("new")
            self.action_go("new")
            assert isinstance(pane, NewRunPane)
            pane.new_from(content, source)

        self.call_later(begin)

    def action_go(self, name: str) -> None:
        self.query_one(Tabs).active = name

    def open_run(self, run_id: str) -> None:
        """Show a run on the Run screen."""
        self.run_chosen = run_id
        self.action_go("run")

    async def action_quit(self) -> None:
        """Delete what is to be deleted, and go."""
        problems: list[str] = []
        if self.to_delete:
            from workbench.launching import remove_runs

            run_ids = [run_id for batch in self.to_delete for run_id in batch]
            self.to_delete.clear()
            self.say(f"deleting {len(run_ids)} runs")
            problems = await asyncio.to_thread(remove_runs, self.reader.store, self.reader.runs, run_ids)
        self.exit(return_code=1 if problems else 0, message=Text("\n".join(problems)) if problems else None)

    def action_help(self) -> None:
        pane = self.pane
        if pane is not None:
            self.push_screen(HelpDialog(PANES[pane.id or ""][0], pane.HELP.rstrip() + EVERYWHERE))

    def say(self, text: str, *, error: bool = False) -> None:
        """A line in the status bar."""
        for bar in self.screen_stack[0].query(StatusBar):
            bar.say(text, error=error)

    def forget_error(self) -> None:
        """What went wrong was elsewhere: another screen, another config is in front."""
        for bar in self.screen_stack[0].query(StatusBar):
            bar.forget_error()


def run_app(reader: Reader) -> NoReturn:
    """Show the app until the user leaves it, and end the process with its exit code."""
    app = WorkbenchApp(reader)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(app.run_async())
    threads = loop.create_task(loop.shutdown_default_executor())
    loop.run_until_complete(asyncio.wait([threads], timeout=LEAVE_S))
    sys.stdout.flush()
    # at once: threads that still read would be waited for, and DuckDB's bindings write of what Python has not freed
    os._exit(app.return_code or 0)
