"""The questions before runs are launched and before a config is saved."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from workbench.data.fingerprints import located
from workbench.errors import InputError, WorkbenchError
from workbench.files import write_whole
from workbench.tui.dialogs import Dialog


class LaunchDialog(Dialog):
    """What will start; answers with `jobs` (None = as it is) and whether to look for leaks instead."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+k", "check", "Leaks first", priority=True)]

    DEFAULT_CSS = """
    LaunchDialog #buttons { height: auto; }
    LaunchDialog #already { color: $text-warning; margin-bottom: 1; }
    LaunchDialog #problem { color: $text-error; }
    """

    def __init__(self, summary: str, leaks: str, on_leak: str, already: str = "") -> None:
        super().__init__()
        self.summary, self.leaks, self.on_leak, self.already = summary, leaks, on_leak, already

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Text(f"Launch {self.summary}?"), classes="heading", markup=False)
            if self.already:
                yield Static(Text(self.already), id="already", markup=False)
            if self.on_leak:
                yield Static(Text(f"leaks: {self.leaks}\nwhere there are any, the runs {self.on_leak}"), markup=False)
            yield Static(Text("\nruns that work at once (empty: as before, at first one, or one a GPU):"), markup=False)
            yield Input(placeholder="as before", id="jobs", compact=True)
            yield Static("", id="problem", markup=False)
            with Horizontal(id="buttons"):
                yield Button(Text("Launch (Enter)"), id="launch", variant="primary")
                if self.on_leak:
                    yield Button(Text("Check for leaks first (Ctrl+K)"), id="check")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.answer()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "check":
            self.action_check()
        else:
            self.answer()

    def answer(self) -> None:
        text = self.query_one("#jobs", Input).value.strip()
        if text and not (text.isdecimal() and int(text)):
            self.query_one("#problem", Static).update(Text(f"error: {text!r}; allowed: a whole number, 1 or more"))
            return
        self.dismiss({"jobs": int(text) if text else None, "check": False})

    def action_check(self) -> None:
        if self.on_leak:
            self.dismiss({"jobs": None, "check": True})


class SaveDialog(Dialog):
    """Writes the YAML to a file; answers with its path. One that is there is only replaced when asked for twice."""

    def __init__(self, source: str, text: str) -> None:
        super().__init__()
        self.source, self.text = source, text
        self.asked: Path | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Text("Save the config as:"), classes="heading", markup=False)
            yield Input(self.source if self.source.endswith((".yaml", ".yml")) else "configs/new.yaml", id="path")
            yield Static("", id="problem", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            path = located(event.value.strip(), Path())
            if path.exists() and not path.is_dir() and path != self.asked:
                self.asked = path
                self.query_one("#problem", Static).update(Text(f"{path} is there already; Enter again replaces it"))
                return
            if path.is_dir():
                raise InputError(f"{path}: a folder; give a file's name")
            write_whole(path, self.text)
        except (OSError, WorkbenchError) as error:
            self.query_one("#problem", Static).update(Text(f"error: {error}"))
            return
        self.dismiss(path)
