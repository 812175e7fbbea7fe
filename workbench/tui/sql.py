"""SQL on the results: an editor, what there is to ask, saved queries, answers in pages."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Input, Static
from textual.worker import Worker, WorkerState

from workbench.errors import InputError, WorkbenchError
from workbench.reports.saved_queries import (
    delete_query,
    history,
    is_saved,
    remember,
    save_query,
    saved_queries,
    views,
)
from workbench.reports.tables import shown
from workbench.store.console import MAX_SECONDS, MEMORY, Cancelled, SqlError, run_sql
from workbench.store.database import Table
from workbench.tui.dialogs import ConfirmDialog, NameDialog
from workbench.tui.pane import Pane, Row
from workbench.tui.sql_sidebar import Known, Sidebar
from workbench.tui.widgets.editor import CodeEditor
from workbench.tui.widgets.table import Column, PagedTable

MOST_ROWS = 10_000
"""Of an answer that is shown; `workbench sql --csv` has no such bound."""
WIDEST = 60
"""Characters of a value that is shown; `y` copies all of it."""
ROW = "\0row"
"""Tells the rows of an answer apart; no column has this name."""
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
NUMBERS = (*WHOLE, "FLOAT", "DOUBLE")
FIRST = "-- F5 runs it, Esc leaves the editor\nfrom arm_measures\n"


@dataclass(frozen=True)
class Asked:
    """A query that runs."""

    statement: str
    began: float
    cancelled: Event

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


class SqlPane(Pane):
    """Asks what `workbench sql` may ask, with its limits; a query runs in a thread and can be cancelled."""

    HELP: ClassVar[str] = f"""\
One SELECT on the results: the database is open for reading only, and nothing else can be reached.

F5, Ctrl+R, Ctrl+J   run what is in the editor
Esc                  cancel a query that runs, else leave
                     the editor: keys are commands again
Tab, Shift+Tab       editor, limits, answer, sidebar
Ctrl+S               save the query, as a file in the
                     folder `queries` beside the store
Ctrl+B               show or hide the sidebar

In the sidebar
Enter                a saved or an earlier query goes into the
                     editor, a column's name too
i                    insert the name of a view
d                    delete a query of yours

In the answer
/ o O                filter, sort by the next column, turn
[ ]                  pages
y e                  copy the row with whole values, export

The limits of time and memory stand below the editor. At most {MOST_ROWS:,} rows are shown; `workbench sql --csv` \
gives all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+r,ctrl+j", "ask", "Run", key_display="F5"),
        Binding("escape", "cancel", "Cancel", key_display="Esc"),
        Binding("ctrl+s", "save", "Save"),
        Binding("ctrl+b", "sidebar", "Sidebar", show=False),
    ]
    DEFAULT_CSS = """
    SqlPane #columns { height: 1fr; }
    SqlPane.wide Sidebar { width: 40; }
    SqlPane CodeEditor, SqlPane CodeEditor:focus {
        height: 1fr; max-height: 16; min-height: 5; padding: 0; border: none; border-left: outer $panel;
    }
    SqlPane CodeEditor:focus { border-left: outer $primary; }
    SqlPane #below { height: 1; background: $panel; }
    SqlPane #now { width: 1fr; padding: 0 0 0 1; }
    SqlPane #below .label { width: auto; color: $text-muted; }
    SqlPane #seconds { width: auto; min-width: 3; max-width: 7; }
    SqlPane #memory { width: auto; min-width: 5; max-width: 9; }
    SqlPane #problem { height: auto; max-height: 4; padding: 0 1; color: $text-error; display: none; }
    SqlPane #problem.there { display: block; }
    SqlPane PagedTable { height: 2fr; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.asked: Asked | None = None
        """The query that runs."""
        self.answer: Table | None = None
        self.taken = ""
        """The name of the saved query that was put into the editor last."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="columns"):
            yield Sidebar()
            with Vertical():
                yield CodeEditor(FIRST, language="sql", id="statement")
                with Horizontal(id="below"):
                    yield Static("Tab: editor, F5: run", id="now", markup=False)
                    yield Static("limits ", classes="label", markup=False)
                    yield Input(f"{MAX_SECONDS:g}", type="number", compact=True, id="seconds", tooltip="seconds")
                    yield Static("s ", classes="label", markup=False)
                    yield Input(MEMORY, compact=True, id="memory", tooltip="memory, such as 500MB")
                yield Static("", id="problem", markup=False)
                yield PagedTable([], key=ROW, empty="")

    def on_mount(self) -> None:
        self.set_interval(0.2, self.tick)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= 120, "wide")

    def shown(self) -> None:
        self.read_known()

    def read_known(self, asked: str = "") -> None:
        """Fill the sidebar; `asked` is a statement for the history."""
        store = self.reader.store

        def read() -> Known:
            if asked:
                remember(asked)
            return Known(saved_queries(store), history(), views(store) if store.exists() else {})

        self.load(read, self.query_one(Sidebar).show, group="known")

    # the sidebar

    def on_sidebar_taken(self, event: Sidebar.Taken) -> None:
        event.stop()
        entry, editor = event.entry, self.query_one(CodeEditor)
        if entry.statement:
            self.taken = entry.name if entry.is_own else ""
            editor.put(entry.statement)
            editor.focus()
        else:
            editor.insert(entry.name)
            self.app.say(f"inserted {entry.name}")

    def on_sidebar_unwanted(self, event: Sidebar.Unwanted) -> None:
        event.stop()
        store, name = self.reader.store, event.name

        def delete(yes: bool | None) -> None:
            if yes:
                self.load(lambda: delete_query(store, name), lambda _: self.changed(f"deleted {name}"), group="files")

        self.app.push_screen(ConfirmDialog(f"Delete the saved query {name}?", "Delete"), delete)

    def changed(self, what: str) -> None:
        """Say what became of a saved query, and show it."""
        self.app.say(what)
        self.read_known()

    def action_sidebar(self) -> None:
        sidebar = self.query_one(Sidebar)
        if sidebar.has_focus:
            self.query_one(CodeEditor).focus()
        sidebar.toggle_class("hidden")

    # asking

    def action_ask(self) -> None:
        statement = self.query_one(CodeEditor).text
        if not statement.strip():
            self.app.say("there is no query in the editor")
            return
        if self.asked is not None:
            self.app.say("a query runs already; Esc cancels it")
            return
        try:
            seconds = float(self.query_one("#seconds", Input).value)
        except ValueError:
            self.show_problem("limit of time: a number of seconds, such as 60")
            return
        asked = Asked(statement, time.monotonic(), Event())
        self.asked = asked
        store, memory, cancelled = self.reader.store, self.query_one("#memory", Input).value, asked.cancelled
        self.show_problem("")
        self.tick()

        def ask() -> Table:
            if cancelled.is_set():  # while another program held the store
                raise Cancelled("sql: cancelled")
            return run_sql(
                store, statement, max_seconds=seconds, memory=memory, max_rows=MOST_ROWS, cancelled=cancelled
            )

        self.load(ask, lambda answer: self.answered(asked, answer), "sql", failed=lambda why: self.failed(asked, why))

    def answered(self, asked: Asked, answer: Table) -> None:
        rows = "row" if len(answer.rows) == 1 else "rows"
        self.ended(asked, f"{'first ' * answer.more}{len(answer.rows):,} {rows}, {asked.seconds:.2f} s")
        self.answer = answer
        table = self.query_one(PagedTable)
        table.columns = tuple(map(as_column, answer.columns, answer.types))
        table.sorted_by, table.page, table.expression, table.empty = None, 0, "", "no rows"
        table.show([{**row, ROW: place} for place, row in enumerate(answer.dicts())])

    def forget(self) -> None:
        """Show no answer: the one before is of another query."""
        self.answer = None
        table = self.query_one(PagedTable)
        table.columns, table.sorted_by, table.page, table.expression, table.empty = (), None, 0, "", ""
        table.show([])

    def failed(self, asked: Asked, why: WorkbenchError) -> None:
        """Say why, and put the cursor where it is."""
        self.forget()
        is_cancelled = isinstance(why, Cancelled)
        self.ended(asked, f"{'cancelled' if is_cancelled else 'failed'} after {asked.seconds:.2f} s")
        if is_cancelled:
            return
        self.show_problem(str(why).removeprefix("sql: "))
        editor = self.query_one(CodeEditor)
        if isinstance(why, SqlError) and editor.text == asked.statement:
            editor.move_cursor((why.line - 1, why.column - 1))
            editor.focus()

    def ended(self, asked: Asked, how: str) -> None:
        self.asked = None
        self.say_now(how)
        self.read_known(asked.statement)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """After a defect, too, another query may be asked. The line about it is the pane's, whose handler runs too."""
        if event.worker.group == "sql" and event.state is WorkerState.ERROR and self.asked is not None:
            self.forget()
            self.ended(self.asked, "failed")

    def tick(self) -> None:
        if self.asked is not None:
            word = "cancelling" if self.asked.cancelled.is_set() else "running"
            self.say_now(f"{word} {self.asked.seconds:.1f} s, Esc cancels")

    def say_now(self, text: str) -> None:
        self.query_one("#now", Static).update(Text(text))

    def show_problem(self, text: str) -> None:
        problem = self.query_one("#problem", Static)
        problem.update(Text(f"error: {text}" if text else ""))
        problem.set_class(bool(text), "there")

    def action_cancel(self) -> None:
        if self.asked is not None:
            self.asked.cancelled.set()
            self.tick()
        else:
            self.query_one(DataTable).focus()

    def action_save(self) -> None:
        store, statement = self.reader.store, self.query_one(CodeEditor).text
        agreed = {self.taken}

        def save(name: str) -> None:
            if name not in agreed and is_saved(store, name):
                agreed.add(name)
                raise InputError(f"there is a query {name}; Enter again replaces it")
            save_query(store, name, statement)

        self.app.push_screen(NameDialog("Save the query as:", save, self.taken), self.saved)

    def saved(self, name: str | None) -> None:
        if name:
            self.taken = name
            self.changed(f"saved {name}")

    # what the app's keys do here

    def table(self) -> tuple[Sequence[str], Sequence[Row]] | None:
        return (self.answer.columns, self.query_one(PagedTable).found) if self.answer else None

    def marked_text(self) -> str:
        sidebar, row = self.query_one(Sidebar), self.query_one(PagedTable).current
        if sidebar.has_focus:
            return (sidebar.current.statement or sidebar.current.name) if sidebar.current else ""
        return "\t".join(as_text(row[name]) for name in self.answer.columns) if self.answer and row else ""

    def action_filter(self) -> None:
        if self.answer is None:
            super().action_filter()
        else:
            self.query_one(PagedTable).open_filter()


def as_column(name: str, kind: str) -> Column:
    is_number = kind in NUMBERS or kind.startswith("DECIMAL")
    return Column(name, shown(name)[:WIDEST], show=shown if is_number else clipped, right=is_number)


def clipped(value: Any) -> str:
    text = shown(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def as_text(value: Any) -> str:
    """A value for the clipboard, whole; a tab or a line break in it would begin another."""
    return "" if value is None else " ".join(str(value).split())
