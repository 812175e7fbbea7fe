"""Which arms are compared, and which of them is the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from workbench.reports.arm_choices import fitted_names
from workbench.reports.overview import Row
from workbench.reports.tables import shown
from workbench.tui.dialogs import Dialog
from workbench.tui.widgets.table import Column, PagedTable

MOST = 8
"""Arms: each is tested against each other one, and they stand side by side."""
WIDE = 120
"""Cells that it takes at most."""
BESIDE = 36
"""Of them that names of arms leave to what stands beside them."""


class ArmsDialog(Dialog):
    """Space takes the arm under the cursor or leaves it, `b` makes it the baseline, Enter ends with the choice."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "take", "Take or leave"),
        Binding("b", "baseline", "Baseline"),
        Binding("enter", "done", "Compare"),
        Binding("slash", "filter", "Filter"),
    ]
    DEFAULT_CSS = """
    ArmsDialog > #arms-box { width: 120; max-width: 96%; height: 80%; padding: 0 1; }
    ArmsDialog .hint { height: auto; color: $text-muted; }
    ArmsDialog Footer { dock: bottom; }
    """

    def __init__(self, listing: Sequence[Row], arms: Sequence[str]) -> None:
        super().__init__()
        self.listing, self.arms = listing, list(arms)
        self.names: Mapping[str, str] = {}
        """By arm, as long as there is room for."""

    def compose(self) -> ComposeResult:
        with Vertical(id="arms-box"):
            yield Static("Arms to compare", classes="heading", markup=False)
            yield PagedTable(
                [
                    Column("use", "use"),
                    Column("arm", "arm", self.fitted),
                    Column("seeds", "seeds", right=True),
                    Column("sampling", "sampling"),
                    Column("tasks", "tasks"),
                    Column("model", "model"),
                    Column("experiment", "experiment"),
                ],
                key="arm",
                empty="no results yet",
            )
            yield Static(
                "space takes or leaves, b makes the baseline, / filters, enter compares, esc leaves all as it was",
                classes="hint",
                markup=False,
            )
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        room = min(WIDE, self.size.width) - BESIDE
        self.names = whole_or_fitted([row["arm"] for row in self.listing], room)
        self.draw()
        self.table.data.focus()

    @property
    def table(self) -> PagedTable:
        return self.query_one(PagedTable)

    def draw(self) -> None:
        self.table.show([self.line(row) for row in self.listing])

    def line(self, row: Row) -> dict[str, Any]:
        arm = row["arm"]
        place = self.arms.index(arm) if arm in self.arms else None
        use = "" if place is None else "baseline" if place == 0 else f"arm {place}"
        model = str(row["model"]).rstrip("/").rsplit("/", 1)[-1]
        return {**row, "use": use, "model": model}

    def fitted(self, arm: str) -> str:
        return shown(self.names.get(arm, arm))

    def current(self) -> str | None:
        row = self.table.current
        return None if row is None else row["arm"]

    def action_take(self) -> None:
        arm = self.current()
        if arm in self.arms:
            self.arms.remove(arm)
        elif arm is not None and len(self.arms) < MOST:
            self.arms.append(arm)
        elif arm is not None:
            self.app.say(f"at most {MOST} arms are compared at once")  # type: ignore[attr-defined]
        self.draw()

    def action_baseline(self) -> None:
        arm = self.current()
        if arm is not None:
            self.arms = [arm, *(other for other in self.arms if other != arm)][:MOST]
            self.draw()

    def action_filter(self) -> None:
        self.table.open_filter()

    def action_done(self) -> None:
        self.dismiss(self.arms or None)

    def on_paged_table_chosen(self, event: PagedTable.Chosen) -> None:
        event.stop()
        self.action_done()


def whole_or_fitted(arms: Sequence[str], room: int) -> Mapping[str, str]:
    """With their hashes, unless one is too long for that."""
    return {arm: arm for arm in arms} if max(map(len, arms), default=0) <= room else fitted_names(arms, room)
