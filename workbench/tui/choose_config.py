"""Which config to begin with: one of a folder, a path, or a small one to change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.reports.overview import Row
from workbench.tui.form_lines import fitted

LEAST_ROOM = 28
"""Cells of a config's name; more where there are more than twice as many for what it says of itself."""


class ChooseConfig(Vertical):
    """A list to choose from, and a line for a path."""

    class Chosen(Message):
        """A config's path; None = the small one."""

        def __init__(self, path: Path | None) -> None:
            super().__init__()
            self.path = path

    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "path", "Type a path")]
    DEFAULT_CSS = """
    ChooseConfig .heading { padding: 1; text-style: bold; }
    ChooseConfig OptionList, ChooseConfig OptionList:focus {
        height: auto; max-height: 70%; border: none; padding: 0 1; background: transparent;
        text-wrap: nowrap; text-overflow: ellipsis; scrollbar-size-vertical: 1;
    }
    ChooseConfig Input { height: 1; border: none; padding: 0 1; margin: 1 1; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.paths: list[Path | None] = [None]

    def compose(self) -> ComposeResult:
        yield Static("Which config to begin with?", classes="heading", markup=False)
        yield OptionList(id="configs", markup=False)
        yield Input(placeholder="or the path of another one (Esc: back to the list)", id="path", compact=True)

    def show(self, rows: Sequence[Row]) -> None:
        """Replace what there is to choose from."""
        self.paths = [*(Path(row["path"]) for row in rows), None]
        listed = [*((row["path"], row["about"]) for row in rows), ("a new one", "the built-in set, from nothing")]
        options = self.query_one(OptionList)
        options.clear_options()
        room = max(LEAST_ROOM, min(max(cell_len(name) for name, _ in listed), self.size.width // 3))
        for name, about in listed:
            text = Text(no_wrap=True, overflow="ellipsis")
            text.append(f"{fitted(name, room)}  ", Style(bold=True)).append(about, Style(dim=True))
            options.add_option(Option(text))
        first = next((place for place, row in enumerate(rows) if Path(row["path"]).stem == "quickstart"), 0)
        options.highlighted = first

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Chosen(self.paths[event.option_index]))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.post_message(self.Chosen(Path(event.value.strip())))

    def on_key(self, event: Key) -> None:
        """Esc leaves the line for the list."""
        if event.key == "escape" and self.query_one(Input).has_focus:
            event.stop()
            self.query_one(OptionList).focus()

    def action_path(self) -> None:
        self.query_one(Input).focus()
