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
from textual.widgets import DataTable, Input, Static, Tree

from workbench.errors import InputError
from workbench.reports.saved_queries import SavedQuery, history, remember, save_query, saved_queries, views
from workbench.reports.tables import shown
from workbench.store.console import MAX_SECONDS, MEMORY, Cancelled, SqlError, run_sql
from workbench.store.database import Table
from workbench.tui.dialogs import NameDialog
from workbench.tui.pane import Pane, Row
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
class Outcome:
    """How a query ended."""

    statement: str
    seconds: float
    table: Table | None = None
    error: InputError | None = None


@dataclass(frozen=True)
class Known:
    """What the sidebar shows."""

    saved: Sequence[SavedQuery]
    asked: Sequence[str]
    views: dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class Entry:
    """A leaf of the sidebar: a statement to put into the editor, or a name to insert."""

    statement: str | None = None
    name: str | None = None


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
        Binding("i", "insert", "Insert name", show=False),
    ]
    DEFAULT_CSS = """
    SqlPane #columns { height: 1fr; }
    SqlPane #known { width: 29; height: 1fr; padding: 0 0 0 1; overflow-x: hidden; scrollbar-size: 1 1; }
    SqlPane.wide #known { width: 40; }
    SqlPane #known.hidden { display: none; }
    SqlPane CodeEditor, SqlPane CodeEditor:focus {
        height: 1fr; max-height: 16; min-height: 5; padding: 0; border: none; border-left: outer $panel;
    }
    SqlPane CodeEditor:focus { border-left: outer $primary; }
    SqlPane #below { height: 1; background: $panel; }
    SqlPane #now { width: 1fr; padding: 0 1; }
    SqlPane #below .label { width: auto; color: $text-muted; }
    SqlPane #seconds { width: 8; }
    SqlPane #memory { width: 10; }
    SqlPane #problem { height: auto; max-height: 4; padding: 0 1; color: $text-error; display: none; }
    SqlPane #problem.there { display: block; }
    SqlPane PagedTable { height: 2fr; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.cancelled: Event | None = None
        """Of the query that runs."""
        self.began = 0.0
        self.answer: Table | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="columns"):
            yield Tree(Text("sql"), id="known")
            with Vertical():
                yield CodeEditor(FIRST, language="sql", id="statement")
                with Horizontal(id="below"):
                    yield Static("", id="now", markup=False)
                    yield Static("limits ", classes="label", markup=False)
                    yield Input(f"{MAX_SECONDS:g}", compact=True, id="seconds", tooltip="seconds")
                    yield Static("s ", classes="label", markup=False)
                    yield Input(MEMORY, compact=True, id="memory", tooltip="memory, such as 500MB")
                yield Static("", id="problem", markup=False)
                yield PagedTable([], key=ROW, empty="")

    def on_mount(self) -> None:
        tree = self.query_one("#known", Tree)
        tree.show_root = False
        tree.guide_depth = 2
        self.set_interval(0.2, self.tick)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= 120, "wide")

    def shown(self) -> None:
        self.read_known()

    def read_known(self) -> None:
        store = self.reader.store

        def read() -> Known:
            return Known(saved_queries(store), history(), views(store) if store.exists() else {})

        self.load(read, self.show_known, group="known")

    def show_known(self, known: Known) -> None:
        """Fill the sidebar; what was open stays open."""
        tree: Tree[Entry] = self.query_one("#known", Tree)
        was_open = {
            str(node.label) for part in tree.root.children for node in (part, *part.children) if node.is_expanded
        }
        at = tree.cursor_line
        tree.clear()
        saved = tree.root.add(Text("saved queries"), expand=True)
        for one in known.saved:
            saved.add_leaf(Text(one.name if not one.shipped else f"{one.name} (example)"), Entry(one.statement))
        asked = tree.root.add(Text("history"), expand="history" in was_open)
        for statement in known.asked:
            asked.add_leaf(Text(shown(statement)[:WIDEST]), Entry(statement))
        there = tree.root.add(Text("views" if known.views else "views: no results yet"), expand=True)
        for view, columns in known.views.items():
            node = there.add(Text(view), Entry(name=view), expand=view in was_open)
            for name, kind in columns:
                node.add_leaf(Text.assemble(name, "  ", (kind, "dim")), Entry(name=name))
        tree.cursor_line = max(at, 0)

    # the sidebar

    def on_tree_node_selected(self, event: Tree.NodeSelected[Entry]) -> None:
        event.stop()
        entry = event.node.data
        editor = self.query_one(CodeEditor)
        if entry is not None and entry.statement is not None:
            editor.put(entry.statement)
            editor.focus()
        elif entry is not None and entry.name is not None and not event.node.children:
            self.insert(entry.name)

    def action_insert(self) -> None:
        node = self.query_one("#known", Tree).cursor_node
        if node is not None and node.data is not None and node.data.name is not None:
            self.insert(node.data.name)

    def insert(self, name: str) -> None:
        self.query_one(CodeEditor).insert(name)
        self.app.say(f"inserted {name}")

    def action_sidebar(self) -> None:
        tree = self.query_one("#known", Tree)
        if tree.has_focus:
            self.query_one(CodeEditor).focus()
        tree.toggle_class("hidden")

    # asking

    def action_ask(self) -> None:
        statement = self.query_one(CodeEditor).text
        if not statement.strip():
            self.app.say("there is no query in the editor")
            return
        if self.cancelled is not None:
            self.app.say("a query runs already; Esc cancels it")
            return
        try:
            seconds = float(self.query_one("#seconds", Input).value)
        except ValueError:
            self.show_problem("limit of time: a number of seconds, such as 60")
            return
        memory = self.query_one("#memory", Input).value
        cancelled, began, store = Event(), time.monotonic(), self.reader.store
        self.cancelled, self.began = cancelled, began
        self.show_problem("")
        self.tick()

        def ask() -> Outcome:
            table, error = None, None
            try:
                if cancelled.is_set():
                    raise Cancelled("sql: cancelled")
                table = run_sql(
                    store, statement, max_seconds=seconds, memory=memory, max_rows=MOST_ROWS, cancelled=cancelled
                )
            except InputError as wrong:
                error = wrong
            remember(statement)
            return Outcome(statement, time.monotonic() - began, table, error)

        self.load(ask, self.asked, group="sql")

    def asked(self, outcome: Outcome) -> None:
        self.cancelled = None
        self.read_known()
        if outcome.table is None:
            self.failed(outcome)
            return
        self.answer = outcome.table
        rows = f"the first {len(self.answer.rows):,}" if self.answer.more else f"{len(self.answer.rows):,}"
        self.say_now(f"{rows} rows in {outcome.seconds:.2f} s")
        table = self.query_one(PagedTable)
        table.columns = tuple(map(as_column, self.answer.columns, self.answer.types))
        table.sorted_by, table.page, table.expression, table.empty = None, 0, "", "no rows"
        table.show([{**row, ROW: place} for place, row in enumerate(self.answer.dicts())])

    def failed(self, outcome: Outcome) -> None:
        """Say why, and put the cursor where it is."""
        self.say_now(
            f"{'cancelled' if isinstance(outcome.error, Cancelled) else 'failed'} after {outcome.seconds:.2f} s"
        )
        if isinstance(outcome.error, Cancelled):
            return
        self.show_problem(str(outcome.error).removeprefix("sql: "))
        editor = self.query_one(CodeEditor)
        if isinstance(outcome.error, SqlError) and editor.text == outcome.statement:
            editor.move_cursor((outcome.error.line - 1, outcome.error.column - 1))
            editor.focus()

    def tick(self) -> None:
        if self.cancelled is not None:
            word = "cancelling" if self.cancelled.is_set() else "running"
            self.say_now(f"{word}  {time.monotonic() - self.began:.1f} s  Esc cancels")

    def say_now(self, text: str) -> None:
        self.query_one("#now", Static).update(Text(text))

    def show_problem(self, text: str) -> None:
        problem = self.query_one("#problem", Static)
        problem.update(Text(f"error: {text}" if text else ""))
        problem.set_class(bool(text), "there")

    def action_cancel(self) -> None:
        if self.cancelled is not None:
            self.cancelled.set()
        else:
            self.query_one(DataTable).focus()

    def action_save(self) -> None:
        store, statement = self.reader.store, self.query_one(CodeEditor).text
        dialog = NameDialog("Save the query as:", lambda name: save_query(store, name, statement))
        self.app.push_screen(dialog, self.saved)

    def saved(self, name: str | None) -> None:
        if name:
            self.app.say(f"saved {name}")
            self.read_known()

    # what the app's keys do here

    def table(self) -> tuple[Sequence[str], Sequence[Row]] | None:
        return (self.answer.columns, self.query_one(PagedTable).found) if self.answer else None

    def marked_text(self) -> str:
        row = self.query_one(PagedTable).current
        return "\t".join(as_text(row[name]) for name in self.answer.columns) if self.answer and row else ""

    def action_filter(self) -> None:
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
