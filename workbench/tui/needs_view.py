"""What the runs of a config read: whether it is here, what brings it, and whether it leaks."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from workbench.tui.leak_check import LeakCheck
from workbench.tui.pane import Row
from workbench.tui.widgets.table import Column, PagedTable

NEEDS = (
    Column("kind", "read as"),
    Column("name", "name"),
    Column("state", "state"),
    Column("how", "where it is, or what brings it"),
)


class NeedsView(Vertical):
    """A table, the whole command that brings what the cursor is on, and the leakage check."""

    DEFAULT_CSS = """
    NeedsView #how { height: auto; max-height: 3; padding: 0 1; color: $text-warning; }
    """

    def compose(self) -> ComposeResult:
        yield PagedTable(NEEDS, key="key", empty="nothing", id="files")
        yield Static("", id="how", markup=False)
        yield LeakCheck(id="leaks")

    def show(self, needs: Sequence[Row]) -> None:
        """Replace the rows, which are those of `availability`."""
        self.query_one("#how", Static).update("")
        self.query_one("#files", PagedTable).show([{**row, "how": row["fetch"] or row["where"]} for row in needs])

    def on_paged_table_moved(self, event: PagedTable.Moved) -> None:
        """A command is longer than the column has room for."""
        event.stop()
        if event.table.id == "files":
            fetch = event.row["fetch"]
            self.query_one("#how", Static).update(Text(f"missing: {fetch} (y copies it)" if fetch else ""))

    def copied(self) -> str:
        """The command that brings what the cursor is on, or where it is."""
        row = self.query_one("#files", PagedTable).current
        return str(row["fetch"] or row["where"] or row["name"]) if row else ""
