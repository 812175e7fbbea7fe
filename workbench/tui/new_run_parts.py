"""The parts of the New screen and where they stand: beside each other, or one at a time where there is little room."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widgets import Static

from workbench.reports.tables import duration
from workbench.tui.choose_config import ChooseConfig
from workbench.tui.form_view import FormView
from workbench.tui.needs_view import NeedsView
from workbench.tui.pane import Pane
from workbench.tui.widgets.sections import Sections
from workbench.tui.widgets.table import Column, PagedTable
from workbench.tui.yaml_view import YamlView

SECTIONS = {"form": "Form (f)", "yaml": "YAML (t)", "runs": "Runs (u)", "needs": "Data (d)"}
"""Parts of the screen by id; where it is small, one is shown at a time."""
WIDE, HIGH = 120, 30
"""Cells from which on all parts are shown together."""
RUNS = (
    Column("swept", "swept"),
    Column("arm", "arm"),
    Column("steps", "steps", right=True),
    Column("training_seconds", "time", show=duration, right=True),
    Column("disk_mib", "MiB", right=True),
    Column("estimated_from", "time estimated from"),
)


class NewRunParts(Pane, inherit_bindings=False):
    """The list of configs or, once one is chosen, form, YAML, runs and data."""

    DEFAULT_CSS = """
    NewRunParts #head {
        height: 1; padding: 0 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis;
    }
    NewRunParts #choose { display: none; height: 1fr; }
    NewRunParts.choosing #choose { display: block; }
    NewRunParts.choosing #head, NewRunParts.choosing #titles, NewRunParts.choosing #parts { display: none; }
    NewRunParts #parts { height: 1fr; }
    NewRunParts #form { width: 1fr; }
    NewRunParts #right { width: 1fr; }
    NewRunParts #yaml { height: 1fr; }
    NewRunParts .title { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
    NewRunParts DataTable { scrollbar-size: 1 1; }
    NewRunParts #needs { height: auto; }
    NewRunParts.wide #titles { display: none; }
    NewRunParts.wide #right { border-left: solid $panel; }
    NewRunParts.narrow .title { display: none; }
    NewRunParts.narrow #needs { height: 1fr; }
    NewRunParts.narrow.at-form #right, NewRunParts.narrow.at-yaml #form, NewRunParts.narrow.at-runs #form,
    NewRunParts.narrow.at-needs #form, NewRunParts.narrow.at-yaml #product, NewRunParts.narrow.at-yaml #needs,
    NewRunParts.narrow.at-runs #yaml, NewRunParts.narrow.at-runs #needs, NewRunParts.narrow.at-needs #yaml,
    NewRunParts.narrow.at-needs #product { display: none; }
    """

    part = "form"
    """The one that has the keys."""

    def compose(self) -> ComposeResult:
        yield ChooseConfig(id="choose")
        yield Static("", id="head", markup=False)
        yield Sections(SECTIONS, id="titles")
        with Horizontal(id="parts"):
            yield FormView(id="form")
            with Vertical(id="right"):
                yield YamlView(id="yaml")
                yield Static(Text("u  the runs that it stands for"), classes="title", markup=False)
                yield PagedTable(RUNS, key="run", empty="", id="product")
                yield Static(Text("d  what they read"), classes="title", markup=False)
                yield NeedsView(id="needs")

    def on_resize(self, event: Resize) -> None:
        self.place()

    def place(self) -> None:
        """All parts beside each other, or one."""
        is_wide = self.size.width >= WIDE and self.size.height >= HIGH
        self.set_class(is_wide, "wide")
        self.set_class(not is_wide, "narrow")
        for name, least, most in (("#product", 5, 14), ("#files", 3, 8)):
            table = self.query_one(name, PagedTable)
            table.styles.height = min(max(len(table.rows) + 3, least), most) if is_wide else "1fr"
        self.query_one(Sections).bring(self.part)
        for part in SECTIONS:
            self.set_class(part == self.part, f"at-{part}")

    def action_section(self, part: str) -> None:
        self.part = part
        self.place()
        within = {"form": "#rows", "yaml": "#text", "runs": "#product DataTable", "needs": "#files DataTable"}
        self.query_one(within[part]).focus()

    def on_sections_picked(self, event: Sections.Picked) -> None:
        event.stop()
        self.action_section(event.part)
