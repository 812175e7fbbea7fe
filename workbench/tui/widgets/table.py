"""A table of many rows: pages, sorting by any column, a filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import DataTable, Input, Static

from workbench.errors import InputError
from workbench.reports.tables import shown
from workbench.tui.filters import row_filter
from workbench.tui.widgets.whole_columns import WholeColumns

Row = Mapping[str, Any]
PAGE = 100
"""Rows that a page holds: filling one takes well under a tenth of a second."""


@dataclass(frozen=True)
class Column:
    """How a key of the rows is shown."""

    key: str
    label: str
    show: Callable[[Any], str] = shown
    right: bool = False
    """Numbers stand at the right."""


class PagedTable(Vertical):
    """Rows with a cursor. `/` filters, `o` sorts by the next column and `O` turns the order, `[` and `]` turn pages."""

    class Chosen(Message):
        """Enter on a row, or a click."""

        def __init__(self, table: PagedTable, row: Row) -> None:
            super().__init__()
            self.table, self.row = table, row

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, table: PagedTable, row: Row) -> None:
            super().__init__()
            self.table, self.row = table, row

    rows_widget: ClassVar[type[WholeColumns]] = WholeColumns
    """What shows a page."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "sort", "Sort"),
        Binding("O", "turn", "Reverse", show=False),
        Binding("left_square_bracket", "page(-1)", "Page back", show=False),
        Binding("right_square_bracket", "page(1)", "Page", show=False),
    ]
    DEFAULT_CSS = """
    PagedTable { height: 1fr; }
    PagedTable DataTable { height: 1fr; }
    PagedTable Input { display: none; height: 1; border: none; padding: 0 1; }
    PagedTable Input.open { display: block; }
    PagedTable .foot { height: 1; color: $text-muted; }
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        key: str,
        empty: str = "nothing here",
        unread: str | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.key = key
        """The column that tells rows apart: the cursor stays on its row when rows are shown anew."""
        self.empty = empty
        self.unread = empty if unread is None else unread
        """What is said until rows are shown: that there are none is not known before."""
        self.is_read = False
        self.rows: Sequence[Row] = ()
        """All, before the filter."""
        self.found: list[Row] = []
        """Those that the filter lets through, in order."""
        self.expression = ""
        self.sorted_by: int | None = None
        self.descending = False
        self.page = 0
        self.marks: frozenset[Any] = frozenset()
        """Keys of rows that are marked: a bullet before them."""

    def compose(self) -> ComposeResult:
        yield Input(placeholder="filter: sampling=hybrid model~e5 map>.5, or words", id="filter", compact=True)
        yield self.rows_widget(cursor_type="row", zebra_stripes=True)
        yield Static("", classes="foot", markup=False)

    def on_mount(self) -> None:
        self.data.add_columns(*(Text(label) for label in self.labels()))
        if self.is_read:
            self.show(self.rows)
        else:
            self.say_count()

    @property
    def data(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        at = self.page * PAGE + self.data.cursor_row if self.is_mounted else -1
        return self.found[at] if 0 <= at < len(self.found) else None

    def show(self, rows: Sequence[Row]) -> None:
        """Replace the rows."""
        self.rows, self.is_read = rows, True
        if not self.is_mounted:
            return
        try:
            found = self.in_order(rows)
        except InputError as error:
            self.say(str(error))
            return
        self.place(found)

    def in_order(self, rows: Sequence[Row]) -> list[Row]:
        """Those that the filter lets through, in order; it touches no widget.

        Raises
        ------
        InputError
            The filter is none.
        """
        test = row_filter(self.expression, {column.key: column.label for column in self.columns})
        found = [row for row in rows if test(row)]
        if self.sorted_by is not None:
            column = self.columns[self.sorted_by].key
            found.sort(key=lambda row: sort_key(row.get(column)), reverse=self.descending)
            found.sort(key=lambda row: row.get(column) is None)  # what has no value comes last
        return found

    def place(self, found: list[Row]) -> None:
        """Show rows as they are arranged, the cursor on the row that it was on."""
        kept = self.current
        self.found = found
        place = next((i for i, row in enumerate(found) if kept and row[self.key] == kept[self.key]), 0)
        self.page = place // PAGE
        self.fill(place % PAGE)

    def fill(self, cursor: int = 0) -> None:
        """Show the page anew."""
        table = self.data
        table.clear(columns=True)
        part = self.found[self.page * PAGE : (self.page + 1) * PAGE]
        cells = self.page_cells(part)
        for label, width in zip(self.labels(), self.widths(cells), strict=True):
            table.add_column(Text(label), width=width)
        table.add_rows(cells)
        table.move_cursor(row=cursor, animate=False)
        self.say_count()

    def say_count(self) -> None:
        """Say below the table what it holds."""
        pages = -(-len(self.found) // PAGE)
        where = f"  page {self.page + 1} of {pages}, [ and ] turn" if pages > 1 else ""
        nothing = self.empty if self.is_read else self.unread
        self.say(f"{self.counted()}{where}" if self.rows else nothing)

    def counted(self) -> str:
        """How many there are, in words."""
        there = f"{len(self.rows)} row{'s' * (len(self.rows) != 1)}"
        return f"{len(self.found)} of {there}" if self.expression else there

    def page_cells(self, part: Sequence[Row]) -> list[list[Text]]:
        """What is written on a page."""
        return [self.cells(row) for row in part]

    def widths(self, cells: Sequence[Sequence[Text]]) -> Sequence[int | None]:
        """Of each column; None = as wide as its cells."""
        return [None] * len(self.columns)

    def cells(self, row: Row) -> list[Text]:
        """All of it is data: Text, never markup."""
        texts = []
        for place, column in enumerate(self.columns):
            text = column.show(row.get(column.key))
            if place == 0 and self.marks:
                text = f"{'•' if row[self.key] in self.marks else ' '} {text}"
            texts.append(Text(text, justify="right" if column.right else "left", no_wrap=True))
        return texts

    def labels(self) -> list[str]:
        arrow = "↓" if self.descending else "↑"
        return [f"{column.label}{arrow * (place == self.sorted_by)}" for place, column in enumerate(self.columns)]

    def say(self, text: str) -> None:
        self.query_one(".foot", Static).update(Text(text))

    # keys

    def open_filter(self) -> None:
        entry = self.query_one("#filter", Input)
        entry.add_class("open")
        entry.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.expression = event.value
        self.show(self.rows)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.input.set_class(bool(event.value), "open")
        self.data.focus()

    def on_key(self, event) -> None:  # type: ignore[no-untyped-def]
        entry = self.query_one("#filter", Input)
        if event.key == "escape" and entry.has_class("open"):
            event.stop()
            entry.value = ""
            entry.remove_class("open")
            self.data.focus()

    def action_sort(self) -> None:
        self.sort_by(0 if self.sorted_by is None else (self.sorted_by + 1) % len(self.columns))

    def action_turn(self) -> None:
        self.descending = not self.descending
        self.show(self.rows)

    def action_page(self, by: int) -> None:
        pages = -(-len(self.found) // PAGE)
        if 0 <= self.page + by < pages:
            self.page += by
            self.fill()

    def go_to(self, place: int) -> None:
        """Move the cursor to a row, turning pages if need be."""
        if place // PAGE != self.page:
            self.page = place // PAGE
            self.fill(place % PAGE)
        else:
            self.data.move_cursor(row=place % PAGE, animate=False)

    def sort_by(self, place: int) -> None:
        self.descending = not self.descending if place == self.sorted_by else False
        self.sorted_by = place
        self.show(self.rows)

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        event.stop()
        self.sort_by(self.column_at(event.column_index))

    def column_at(self, place: int) -> int:
        """Which of the columns stands at a place."""
        return place

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current))

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if self.current is not None:
            self.post_message(self.Moved(self, self.current))


def sort_key(value: Any) -> tuple[int, Any]:
    """Numbers by size, before texts by letters."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 0, value
    return 1, "" if value is None else str(value).casefold()
