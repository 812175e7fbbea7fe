"""The table of the Runs screen: lines of experiments and arms between the runs, changed in place as runs work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.message import Message
from textual.widgets import Input
from textual.worker import get_current_worker

from workbench.errors import InputError
from workbench.tui.run_rows import (
    FIGURES,
    VIEWS,
    WORKING,
    View,
    arm_sizes,
    bar,
    eta_text,
    figure_text,
    grouped,
    label,
    loss_text,
    short_time,
)
from workbench.tui.widgets.table import PAGE, Column, PagedTable, Row
from workbench.tui.widgets.whole_columns import WholeColumns

COLUMNS = (
    Column("run", "run"),
    Column("state", "state"),
    Column("progress", "progress"),
    Column("eta", "ETA", eta_text, right=True),
    Column("loss", "loss"),
    *(Column(name, name, right=True) for name in FIGURES),
    Column("seed", "seed", right=True),
    Column("sampling", "sampling"),
    Column("alpha", "alpha", right=True),
    Column("model", "model"),
    Column("task", "task"),
    Column("experiment", "experiment"),
    Column("arm", "arm"),
    Column("device", "device"),
    Column("host", "host"),
    Column("updated", "updated", short_time),
    Column("message", "message"),
)
ALWAYS = ("run", "state", *FIGURES)
"""Columns that stand there even if they are empty."""
MANY = 1500
"""Rows from which on filtering and sorting are done in a thread."""
EXAMPLE = "filter: sampling=hybrid model~e5 multi>.5, or words"
LEAST_NAME, MOST_NAME, MOST_TEXT = 18, 48, 60
"""Widths of the first column, and of any other."""
COLOURS = {
    **dict.fromkeys(WORKING, "text-primary"),
    "finished": "text-success",
    **dict.fromkeys(("failed", "lost", "damaged"), "text-error"),
    **dict.fromkeys(("stopped", "queued"), "text-warning"),
}
"""By state the theme's colour of its word."""


class Lines(WholeColumns):
    """Home and End lead to the first and the last row of all pages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "end_of_table(False)", "First", show=False),
        Binding("end", "end_of_table(True)", "Last", show=False),
    ]

    def action_end_of_table(self, is_last: bool) -> None:
        table = self.parent
        assert isinstance(table, RunsTable)
        table.go_to(max(0, len(table.found) - 1) if is_last else 0)


class RunsTable(PagedTable):
    """`g` shows runs below their arms, arms alone, or runs alone."""

    rows_widget = Lines

    class PageShown(Message):
        """Other runs are on the page: their loss curves are wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("g", "view", "Group")]
    DEFAULT_CSS = """
    RunsTable DataTable { scrollbar-size-horizontal: 0; scrollbar-size-vertical: 1; }
    RunsTable DataTable > .datatable--fixed { background: $panel; color: $foreground; }
    """

    def __init__(self, *, empty: str) -> None:
        super().__init__(COLUMNS, key="key", empty=empty, unread="reading the runs")
        self.view: View = "runs by arm"
        self.turned: set[str] = set()
        """Keys of arms that are folded or opened by hand."""
        self.curves: dict[str, Sequence[float]] = {}
        """By run_id the points of its loss curve."""
        self.marked: Collection[str] = ()
        """Arms."""
        self.notes: Sequence[str] = ()
        """What is said beside the number of runs."""
        self.seen_columns: list[int] = list(range(len(COLUMNS)))
        self.name_width = LEAST_NAME
        self._drawn: list[list[Text]] = []
        self._drawn_keys: list[str] = []
        self._drawn_labels: list[str] = []

    def on_mount(self) -> None:
        self.data.fixed_columns = 1
        self.query_one("#filter", Input).placeholder = EXAMPLE

    # rows

    def show(self, rows: Sequence[Row]) -> None:
        if len(rows) < MANY or not self.is_mounted:
            super().show(rows)
            return
        self.rows = rows
        self.run_worker(lambda: self._arranged(rows), group="arrange", exclusive=True, thread=True, exit_on_error=False)

    def _arranged(self, rows: Sequence[Row]) -> None:
        worker = get_current_worker()
        try:
            found = self.in_order(rows)
        except InputError as error:
            self.app.call_from_thread(self.say, str(error))
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self.place, found)

    def in_order(self, rows: Sequence[Row]) -> list[Row]:
        found, sizes = super().in_order(rows), arm_sizes(rows)
        return grouped(found, self.view, self.turned, sizes)  # type: ignore[arg-type, return-value]

    def place(self, found: list[Row]) -> None:
        part = found[self.page * PAGE : (self.page + 1) * PAGE]
        is_as_drawn = self._drawn_keys == [row["key"] for row in part] and self.seen_columns == self.filled(part)
        if is_as_drawn and self._drawn_labels == self.labels():
            self.found = found
            self.change(part)
        else:
            super().place(found)

    def change(self, part: Sequence[Row]) -> None:
        """Write what is new into the cells of the page."""
        cells = [self.cells(row) for row in part]
        if self.widths(cells) != [column.width for column in self.data.ordered_columns]:
            self.fill(self.data.cursor_row)
            return
        for row, (old, new) in enumerate(zip(self._drawn, cells, strict=True)):
            for column, (before, now) in enumerate(zip(old, new, strict=True)):
                if before != now or before.style != now.style:
                    self.data.update_cell_at((row, column), now)  # type: ignore[arg-type]
        self._drawn = cells
        self.say_count()

    def redraw(self) -> None:
        """Marks or curves have changed."""
        if self.is_mounted:
            self.change(self.found[self.page * PAGE : (self.page + 1) * PAGE])

    # columns

    def filled(self, part: Sequence[Row]) -> list[int]:
        """The columns in which something is written on this page."""
        return [
            place
            for place, column in enumerate(COLUMNS)
            if column.key in ALWAYS or any(row.get(column.key) is not None for row in part)
        ]

    def page_cells(self, part: Sequence[Row]) -> list[list[Text]]:
        self.seen_columns = self.filled(part)
        longest = max((cell_len(label(row, self.view, False, 400)) for row in part), default=0)
        self.name_width = max(LEAST_NAME, min(longest, MOST_NAME))
        self._drawn = [self.cells(row) for row in part]
        room = self.size.width - self.room_beside(self._drawn)
        if self.name_width > max(LEAST_NAME, room):
            self.name_width = max(LEAST_NAME, room)
            for line, row in zip(self._drawn, part, strict=True):
                line[0] = self.cells(row)[0]
        self._drawn_keys, self._drawn_labels = [row["key"] for row in part], self.labels()
        self.post_message(self.PageShown())
        return self._drawn

    def room_beside(self, cells: Sequence[Sequence[Text]]) -> int:
        """What the columns up to the rank distance take beside the first one's text."""
        pad, bar = 2 * self.data.cell_padding, 1
        last = [COLUMNS[place].key for place in self.seen_columns].index(FIGURES[-1])
        return sum((width or 0) + pad for width in self.widths(cells)[1 : last + 1]) + pad + bar

    def widths(self, cells: Sequence[Sequence[Text]]) -> Sequence[int | None]:
        """Known beforehand: to have the table measure its cells takes as long as to fill it."""
        heads = [cell_len(head) for head in self.labels()]
        found = [max([head, *(line[n].cell_len for line in cells)]) for n, head in enumerate(heads)]
        return [self.name_width, *(min(width, MOST_TEXT) for width in found[1:])]

    def labels(self) -> list[str]:
        every = super().labels()
        return [every[place] for place in self.seen_columns]

    def column_at(self, place: int) -> int:
        return self.seen_columns[place]

    def cells(self, row: Row) -> list[Text]:
        bold = "bold" if row["kind"] != "run" else ""
        return [self.cell(row, COLUMNS[place], bold) for place in self.seen_columns]

    def cell(self, row: Row, column: Column, style: str) -> Text:
        """All of it is data: Text, never markup."""
        key = column.key
        if key == "run":
            text = label(row, self.view, self.is_marked(row), self.name_width)
        elif key == "state":
            return Text(row["state"], self.state_style(row["state"]), no_wrap=True)
        elif key == "progress":
            return Text(bar(row["progress"]), self.app.theme_variables["text-primary"], no_wrap=True)
        elif key == "loss":
            text = loss_text(row, self.curves.get(row["key"], ()))
        elif key in FIGURES:
            text = figure_text(row, key)
        else:
            text = column.show(row.get(key))
        return Text(text, style, justify="right" if column.right else "left", no_wrap=True, overflow="ellipsis", end="")

    def state_style(self, state: str) -> str:
        """The theme's colour of a state, which is also a word; of an arm's line of its most pressing one."""
        name = COLOURS.get(state.split()[-1])
        return self.app.theme_variables[name] if name else ""

    def is_marked(self, row: Mapping[str, Any]) -> bool:
        if row["kind"] == "run" and self.view != "runs":
            return False  # its arm's line has the mark
        return row["kind"] != "experiment" and row["arm"] in self.marked

    def step_aside(self, run_ids: Collection[str]) -> None:
        """Move the cursor to the nearest line of the page that stays when runs go: else it would be sent to the top."""

        def stays(place: int) -> bool:
            row = self.found[place]
            return any(run["run_id"] not in run_ids for run in row.get("runs") or [row])

        first = self.page * PAGE
        last, at = min(first + PAGE, len(self.found)), first + self.data.cursor_row
        near = next((place for place in (*range(at, last), *range(at, first - 1, -1)) if stays(place)), first)
        self.data.move_cursor(row=near - first, animate=False)

    # what is said below, keys

    def counted(self) -> str:
        runs = sum(len(row["runs"]) if row["kind"] == "experiment" else 0 for row in self.found)
        runs = len(self.found) if self.view == "runs" else runs
        there = f"{len(self.rows)} run{'s' * (len(self.rows) != 1)}"
        said = f"{runs} of {there}" if self.expression else there
        arms = sum(row["kind"] == "arm" for row in self.found)
        said += f", {arms} arm{'s' * (arms != 1)}" if arms else ""
        said += ", means over these" if self.expression and arms else ""
        said += f", sorted by {COLUMNS[self.sorted_by].key}" if self.sorted_by is not None else ""
        return " · ".join([said, *self.notes])

    def action_view(self) -> None:
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        self.turned.clear()
        self.show(self.rows)

    def turn_arm(self, key: str) -> None:
        """Fold an arm's runs away, or open them."""
        self.turned ^= {key}
        self.show(self.rows)

    def action_sort(self) -> None:
        """By the next of the columns that are there."""
        later = [place for place in self.seen_columns if self.sorted_by is not None and place > self.sorted_by]
        self.sort_by(later[0] if later else self.seen_columns[0])

    def on_resize(self, event: Resize) -> None:
        if self._drawn:
            self.fill(self.data.cursor_row)
