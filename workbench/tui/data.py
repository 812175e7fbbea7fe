"""Data sets: which are known and here, what is in one of them, what the leakage checks of the runs found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from workbench.errors import Stopped, WorkbenchError
from workbench.reports.datasets import catalogue
from workbench.reports.leak_reports import leak_reports, leaks_of
from workbench.reports.tables import shown
from workbench.tui.commands import Command
from workbench.tui.data_tables import LEAKS, PARTS, SETS, as_lines, columns_of, parts_of
from workbench.tui.dialogs import ConfirmDialog, HelpDialog
from workbench.tui.pane import Pane, Row
from workbench.tui.widgets.sections import Sections
from workbench.tui.widgets.table import Column, PagedTable

SECTIONS = {"languages": "Languages (i)", "examples": "Examples (x)", "leaks": "Leakage of the runs (l)"}
EXAMPLES = 3
"""Of each language."""


class DataPane(Pane):
    HELP: ClassVar[str] = """\
The data sets that are known by name, and whether they are on this machine.

Enter  reads the set under the cursor, in a process of its own; Esc ends that
i x l  what is in it by language, examples, what the leakage checks of the runs found
f      fetches the set under the cursor from where it is published
/      filter, o sort, ← → further columns
y e    copy the row, or the command that fetches a missing set; export the table

Lengths are in characters. On an example or a run, Enter shows all of it."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "section('languages')", "Languages", show=False),
        Binding("x", "section('examples')", "Examples", show=False),
        Binding("l", "section('leaks')", "Leakage", show=False),
        Binding("f", "fetch", "Fetch"),
        Binding("escape", "back", "Back", show=False),
    ]
    DEFAULT_CSS = """
    DataPane #sets { height: 1fr; max-height: 17; }
    DataPane DataTable { scrollbar-size: 1 1; }
    DataPane #said { height: auto; max-height: 3; padding: 0 1; }
    DataPane #parts { background: $panel; }
    DataPane .part { height: 1fr; display: none; }
    DataPane.at-languages #languages, DataPane.at-examples #examples, DataPane.at-leaks #leaks { display: block; }
    """

    class Told(Message):
        """A command is on its way."""

        def __init__(self, command: Command, text: str) -> None:
            super().__init__()
            self.command, self.text = command, text

    class Ended(Message):
        """It has ended, well or not."""

        def __init__(self, command: Command, printed: str, problem: str) -> None:
            super().__init__()
            self.command, self.printed, self.problem = command, printed, problem

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.part = "languages"
        self.command: Command | None = None
        self.then: Callable[[str], None] = self.describe

    def compose(self) -> ComposeResult:
        yield PagedTable(SETS, key="place", unread="looking for the sets", id="sets")
        yield Sections(SECTIONS, id="parts")
        yield Static("", id="said", markup=False)
        yield PagedTable([Column("language", "language")], key="language", empty="Enter reads a set", id="languages")
        yield PagedTable(PARTS, key="place", empty="Enter reads a set", id="examples")
        yield PagedTable(LEAKS, key="run_id", empty="no stored run has trained", unread="reading the runs", id="leaks")

    def on_mount(self) -> None:
        for part in SECTIONS:
            self.query_one(f"#{part}").add_class("part")
        self.bring("languages")

    def on_unmount(self) -> None:
        self.cancel()

    def shown(self) -> None:
        store = self.reader.store
        self.load(self.sets, self.query_one("#sets", PagedTable).show, group="sets")
        self.load(lambda: leak_reports(store), self.query_one("#leaks", PagedTable).show, group="leaks")

    @staticmethod
    def sets() -> list[dict[str, Any]]:
        """The catalogue; a set that is both stands twice."""
        return [{**row, "place": place} for place, row in enumerate(catalogue())]

    def take_focus(self) -> None:
        self.query_one("#sets DataTable").focus()

    # parts

    def bring(self, part: str) -> None:
        self.part = part
        self.query_one(Sections).bring(part)
        for other in SECTIONS:
            self.set_class(other == part, f"at-{other}")

    def action_section(self, part: str) -> None:
        self.bring(part)
        self.query_one(f"#{part} DataTable").focus()

    def on_sections_picked(self, event: Sections.Picked) -> None:
        event.stop()
        self.action_section(event.part)

    def action_back(self) -> None:
        """Esc: ends what is going on, else the list of sets has the keys again."""
        if self.command is not None:
            self.cancel()
            self.say("cancelled")
        else:
            self.take_focus()

    # what is in a set

    def on_paged_table_chosen(self, event: PagedTable.Chosen) -> None:
        event.stop()
        row = event.row
        match event.table.id:
            case "sets":
                self.read(row)
            case "examples":
                self.app.push_screen(HelpDialog(f"{row['language']} {row['id']} {row['part']}", str(row["text"])))
            case "leaks":
                store = self.reader.store
                self.load(lambda: leaks_of(store, row["run_id"]), lambda rows: self.show_leaks(row, rows), group="run")

    def read(self, row: Row) -> None:
        missing = self.how_to_fetch(row)
        if missing:
            known = " · ".join(str(row[key]) for key in ("size", "languages", "licence", "source"))
            self.say(f"{row['name']} is not on this machine: {missing} · {known}")
            return
        arguments = ("data", "show", row["name"], "--kind", row["kind"], "--sample", str(EXAMPLES), "--json")
        self.start(Command(*arguments), f"reading {row['name']}", self.describe)

    def describe(self, printed: str) -> None:
        """Show what `workbench data show` found."""
        found = json.loads(printed)[0]
        notes = "; ".join(
            f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
            for name, value in found["notes"].items()
        )
        said = f"{found['name']} ({found['kind']}), {found['path']}{f'; {notes}' if notes else ''}"
        self.say(f"{said}; lengths (median and largest) in characters")
        rows = found["languages"]
        table = self.query_one("#languages", PagedTable)
        table.columns = columns_of(rows)
        table.show(rows)
        self.query_one("#examples", PagedTable).show(parts_of(found["examples"]))
        if self.part == "leaks":
            self.bring("languages")

    def show_leaks(self, run: Row, rows: Sequence[Row]) -> None:
        """What the check of one run found."""
        text = as_lines(rows) if rows else f"{run['outcome']}; no hits are stored"
        self.app.push_screen(HelpDialog(str(run["run_id"]), text))

    # fetching

    @staticmethod
    def how_to_fetch(row: Row) -> str:
        """The command that brings a set; empty where it is here."""
        if row["here"] == "no":
            return f"workbench data fetch {row['name']} (f does; y copies it)"
        return "" if not str(row["here"]).startswith("bring") else "give its path in a config"

    def action_fetch(self) -> None:
        row = self.query_one("#sets", PagedTable).current
        if row is None or row["here"] == "built in" or str(row["here"]).startswith("bring"):
            self.app.say("nothing to fetch here")
            return
        if self.command is not None:
            self.app.say("one thing at a time: Esc ends what is going on")
            return
        question = f"Fetch {row['name']} ({row['size']}; {row['licence']}) from {row['source']}?"

        def fetch(yes: bool | None) -> None:
            if yes:
                self.start(Command("data", "fetch", row["name"]), f"fetching {row['name']}", self.fetched)

        self.app.push_screen(ConfirmDialog(question, "Fetch"), fetch)

    def fetched(self, printed: str) -> None:
        self.say(f"fetched: {' '.join(printed.split())}")
        self.shown()

    # commands

    def start(self, command: Command, what: str, then: Callable[[str], None]) -> None:
        """Run a command in a thread; one at a time."""
        self.cancel()
        self.command, self.then = command, then
        self.say(f"{what} · Esc cancels")
        self.run_worker(lambda: self.work(command), thread=True, exit_on_error=False)

    def work(self, command: Command) -> None:
        """In a thread: messages only."""

        def tell(line: str) -> None:
            self.post_message(self.Told(command, line))

        try:
            self.post_message(self.Ended(command, command.run(tell), ""))
        except Stopped:
            return
        except (WorkbenchError, OSError) as error:
            self.post_message(self.Ended(command, "", str(error)))

    def cancel(self) -> None:
        if self.command is not None:
            self.command.cancel()
            self.command = None

    def on_data_pane_told(self, event: Told) -> None:
        if event.command is self.command and event.text:
            self.say(f"{event.text} · Esc cancels")

    def on_data_pane_ended(self, event: Ended) -> None:
        if event.command is not self.command:
            return
        self.command = None
        if event.problem:
            self.say(f"error: {event.problem}")
        else:
            self.then(event.printed)

    def say(self, text: str) -> None:
        self.query_one("#said", Static).update(Text(shown(text)))

    # what the app's keys do here

    @property
    def front(self) -> PagedTable:
        """The table that has the keys."""
        focused = self.screen.focused
        tables = [table for table in self.query(PagedTable) if focused is not None and table in focused.ancestors]
        return tables[0] if tables else self.query_one("#sets", PagedTable)

    def table(self) -> tuple[Sequence[str], Sequence[Row]] | None:
        table = self.front
        return [column.key for column in table.columns], table.found

    def marked_text(self) -> str:
        table = self.front
        row = table.current
        if row is None:
            return ""
        if table.id == "sets" and row["here"] == "no":
            return f"workbench data fetch {row['name']}"
        return "\t".join(shown(row.get(column.key)) for column in table.columns)

    def action_filter(self) -> None:
        self.front.open_filter()
