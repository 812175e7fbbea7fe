"""What stands before a screen for a moment: help, a question, where to write an export."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from workbench.errors import InputError, WorkbenchError
from workbench.files import write_whole
from workbench.reports.tables import as_csv, shown

Row = Mapping[str, Any]


class Dialog(ModalScreen[Any]):
    """Esc leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]
    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical, Dialog > VerticalScroll {
        width: 72; max-width: 95%; height: auto; max-height: 90%; padding: 1 2;
        background: $surface; border: round $primary;
    }
    Dialog > VerticalScroll { scrollbar-size-vertical: 1; }
    Dialog .heading { text-style: bold; margin-bottom: 1; }
    Dialog Button { margin-top: 1; margin-right: 2; }
    """

    def action_leave(self) -> None:
        self.dismiss(None)


class HelpDialog(Dialog):
    """What a screen is for and what its keys do."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark", "leave", "Back", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading, self.text = title, text

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(Text(self.heading), classes="heading", markup=False)
            yield Static(Text(self.text), markup=False)


class ConfirmDialog(Dialog):
    """A question; True where the user says yes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "yes", "Yes"), Binding("n", "leave", "No")]

    def __init__(self, question: str, yes: str = "Yes") -> None:
        super().__init__()
        self.question, self.yes = question, yes

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Text(self.question), markup=False)
            yield Button(Text(f"{self.yes} (y)"), id="yes", variant="error")
            yield Button(Text("No (n)"), id="no")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(True if event.button.id == "yes" else None)

    def action_yes(self) -> None:
        self.dismiss(True)


class NameDialog(Dialog):
    """Asks for a name and does something with it; what goes wrong is said here, and one may try another."""

    def __init__(self, question: str, act: Callable[[str], object], proposal: str = "") -> None:
        super().__init__()
        self.question, self.act, self.proposal = question, act, proposal

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Text(self.question), classes="heading", markup=False)
            yield Input(self.proposal, id="name")
            yield Static("", id="problem", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            self.act(event.value.strip())
        except WorkbenchError as error:
            self.query_one("#problem", Static).update(Text(str(error)))
            return
        self.dismiss(event.value.strip())


class ExportDialog(Dialog):
    """Writes a table to a file: CSV, or Markdown where the name ends in .md."""

    def __init__(self, name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        super().__init__()
        self.table = list(columns), list(rows)
        self.proposal = f"{name}.csv"

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Text(f"Write {len(self.table[1])} rows to (.csv or .md):"), classes="heading", markup=False)
            yield Input(self.proposal, id="path")
            yield Static("", id="problem", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            path = free_path(event.value.strip())
            write_whole(path, markdown(*self.table) if path.suffix == ".md" else as_csv(*self.table))
        except (OSError, RuntimeError, ValueError, WorkbenchError) as error:  # `~nobody` has no home
            self.query_one("#problem", Static).update(Text(str(error)))
            return
        self.dismiss(path)
        self.app.say(f"wrote {path}")  # type: ignore[attr-defined]


def free_path(text: str) -> Path:
    """Where a table can be written.

    Raises
    ------
    InputError
        The path is empty, ends in neither .csv nor .md, is there already, or its folder is not.
    """
    if not text:
        raise InputError("no name: type a file's name, such as table.csv")
    path = Path(text).expanduser()
    if path.suffix not in (".csv", ".md"):
        raise InputError(f"{path}: the name must end in .csv or .md")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder")
    if path.exists():
        raise InputError(f"{path} is there already")
    return path


def markdown(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """A table; a bar or a line break in a text would end its cell."""

    def line(cells: Sequence[str]) -> str:
        safe = (" ".join(cell.split()).replace("\\", "\\\\").replace("|", "\\|") for cell in cells)
        return f"| {' | '.join(safe)} |\n"

    body = "".join(line([shown(row.get(column)) for column in columns]) for row in rows)
    return line(columns) + line(["---"] * len(columns)) + body
