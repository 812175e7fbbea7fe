"""The queries of a cell, those that moved most between two arms first, with their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from workbench.records import ALL_POOLS
from workbench.reports.queries import Moved, moved_queries, rank
from workbench.reports.tables import shown
from workbench.tui.widgets.table import Column, PagedTable, Row

NONE, READING = "no queries", "reading the queries …"
MOST = 5000
"""Queries that are shown."""
ID = 12
"""Cells of a query's id in the table; the panel below has all of it, and of the texts."""
LEAST = 20
"""Cells that a query has in the table."""


def cut(text: str | None, width: int = ID) -> str:
    """As much as there is room for; letters may take two cells or none."""
    said = Text(shown(text))
    said.truncate(width, overflow="ellipsis")
    return said.plain


def moved_by(value: float | None) -> str:
    """Powers of two, with a sign; nothing moved without one."""
    return "" if value is None else f"{value:+.2f}" if value else "0"


def place(value: float | None) -> str:
    return "beyond" if value is None else rank(value)


class QueriesView(Vertical):
    """A table of queries, and all that is known of the one under the cursor."""

    DEFAULT_CSS = """
    QueriesView { height: 1fr; }
    QueriesView .title { height: auto; max-height: 4; padding: 0 1; text-style: bold; color: $text-muted; }
    QueriesView #one { height: 50%; border-top: solid $primary; padding: 0 1; }
    QueriesView #texts { height: auto; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cell: tuple[str, str, str] = ("", "", "")
        self.names: Mapping[str, str] = {}
        self.rows: Sequence[Row] = ()
        self.room = LEAST

    def compose(self) -> ComposeResult:
        yield Static("", classes="title", markup=False)
        yield PagedTable(
            [
                Column("moved", "moved", moved_by, right=True),
                Column("against_rank", "baseline", place, right=True),
                Column("rank", "arm", place, right=True),
                Column("relevant_language", "lang"),
                Column("query_id", "id", cut),
                Column("query", "query", self.cut_query),
            ],
            key="query_id",
            empty=NONE,
        )
        with VerticalScroll(id="one"):
            yield Static("", id="texts", markup=False)

    @property
    def paged(self) -> PagedTable:
        return self.query_one(PagedTable)

    def open(self, cell: tuple[str, str, str], names: Mapping[str, str]) -> None:
        """Say what is coming."""
        self.cell, self.names, self.rows = cell, names, ()
        self.paged.empty = READING
        self.paged.show(())
        self.query_one("#texts", Static).update("")
        self.entitle(READING)
        self.paged.data.focus()

    def entitle(self, more: str) -> None:
        setting, language, pool = self.cell
        where = f"{setting.replace('_', '-')}, query {language}, pool {'all' if pool == ALL_POOLS else pool}"
        self.query_one(".title", Static).update(Text(f"{where}; {shown(more)}"))

    def cut_query(self, text: str | None) -> str:
        return cut(text, self.room)

    def measure_room(self) -> None:
        """The cells that the other columns leave to a query."""
        taken = 0
        for column in self.paged.columns[:-1]:
            taken += 2 + max(map(cell_len, (column.label, *(column.show(row[column.key]) for row in self.rows))))
        self.room = max(LEAST, self.size.width - taken - 4)

    def on_resize(self) -> None:
        self.measure_room()
        self.paged.show(self.rows)

    def read(self, store: Path, arm: str, against: str, task: str, cell: tuple[str, str, str]) -> Moved:
        """In a thread.

        Raises as `moved_queries` does.
        """
        return moved_queries(store, arm, against, task=task, cell=" ".join(cell), limit=MOST)

    def show(self, found: Moved) -> None:
        self.rows = found.rows
        self.measure_room()
        more = "moved = log2(baseline's rank / arm's)"
        if len(found.rows) == MOST:
            more += f"; the first {MOST} only"
        self.entitle(f"{more}; {found.note}" if found.note else more)
        self.paged.empty = NONE
        self.paged.show(found.rows)
        self.draw(self.paged.current)

    def on_paged_table_moved(self, event: PagedTable.Moved) -> None:
        event.stop()
        self.draw(event.row)

    def on_paged_table_chosen(self, event: PagedTable.Chosen) -> None:
        event.stop()
        self.query_one("#one").focus()

    def draw(self, row: Row | None) -> None:
        self.query_one("#texts", Static).update(Text("") if row is None else texts_of(row, self.names))
        self.query_one("#one", VerticalScroll).scroll_home(animate=False)

    def open_filter(self) -> None:
        self.paged.open_filter()

    def table(self) -> tuple[Sequence[str], Sequence[Row]] | None:
        rows = self.paged.found
        return (list(rows[0]), rows) if rows else None

    def marked_text(self) -> str:
        row = self.paged.current
        return "" if row is None else texts_of(row, {arm: arm for arm in self.names}).plain


def texts_of(row: Row, names: Mapping[str, str]) -> Text:
    """The query, its best relevant passage, and what each arm ranks first; an id where the text is not known."""
    text = Text()
    text.append(shown(row["query_id"]), "bold")
    text.append(
        f"   rank {place(row['against_rank'])} in {shown(names[row['against']])}, "
        f"{place(row['rank'])} in {shown(names[row['arm']])}\n"
    )
    passages = [
        ("query", row["query_language"], row["query"], row["query_id"]),
        ("relevant", row["relevant_language"], row["relevant"], row["relevant_id"]),
    ]
    for name, arm in (("against_first", row["against"]), ("first", row["arm"])):
        what = f"first in {shown(names[arm])}"
        if row[f"{name}_id"] is None:
            passages.append((what, None, "not known", None))
        elif row[f"{name}_id"] == row["relevant_id"]:
            passages.append((what, row[f"{name}_language"], "the relevant one", None))
        else:
            passages.append((what, row[f"{name}_language"], row[name], row[f"{name}_id"]))
    for what, language, said, own_id in passages:
        text.append(f"{what} ({language or '?'})\n", "bold")
        text.append(f"  {shown(own_id) if said is None else shown(said)}\n")
    return text
