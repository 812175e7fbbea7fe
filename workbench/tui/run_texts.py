"""What of a run is read as text: its log with search, its config, its environment."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, RichLog, Static

from workbench.tui.pane import Row

LOG_LINES = 1000
"""Of the log, the last ones that are shown."""


class LogPart(Vertical):
    """What the run has said, the newest last; `/` shows the lines with some text in them."""

    DEFAULT_CSS = """
    LogPart Input { display: none; height: 1; border: none; padding: 0 1; }
    LogPart Input.open { display: block; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.lines: Sequence[str] = ()
        self.wanted = ""
        self._written = 0
        self._output = ""

    def compose(self) -> ComposeResult:
        yield Input(placeholder="lines with this text in them; esc ends it", compact=True)
        yield RichLog(markup=False, highlight=False, wrap=True, min_width=20, max_lines=LOG_LINES)

    def show(self, lines: Sequence[str], output: str, *, anew: bool) -> None:
        """`anew`: it is another run; else the lines only grow."""
        self.lines = lines
        if anew or output != self._output or len(lines) < self._written:
            self._output = output
            self.rewrite()
        else:
            self.write(lines[self._written :])
        self._written = len(lines)

    def rewrite(self) -> None:
        self.query_one(RichLog).clear()
        printed = [f"worker: {line}" for line in self._output.splitlines()]
        self.write([*self.lines, *printed])

    def write(self, lines: Sequence[str]) -> None:
        log = self.query_one(RichLog)
        for line in self.matching(lines)[-LOG_LINES:]:
            text = Text(printable(line))
            if self.wanted:
                text.highlight_words([self.wanted], Style(reverse=True, bold=True), case_sensitive=False)
            log.write(text)

    def matching(self, lines: Sequence[str]) -> list[str]:
        wanted = self.wanted.casefold()
        return [line for line in lines if wanted in line.casefold()]

    def search(self) -> None:
        entry = self.query_one(Input)
        entry.add_class("open")
        entry.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.wanted = event.value
        self.rewrite()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.input.set_class(bool(event.value), "open")
        self.query_one(RichLog).focus()

    def on_key(self, event) -> None:  # type: ignore[no-untyped-def]
        entry = self.query_one(Input)
        if event.key == "escape" and entry.has_class("open"):
            event.stop()
            entry.value = ""
            entry.remove_class("open")
            self.query_one(RichLog).focus()

    def exported(self) -> tuple[Sequence[str], Sequence[Row]]:
        return ["line"], [{"line": line} for line in self.matching(self.lines)]


class TextPart(VerticalScroll, can_focus=True):
    """A text that is scrolled."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.text = ""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)

    def show(self, text: str, empty: str) -> None:
        if text != self.text or not text:
            self.text = text
            self.query_one(Static).update(Text("\n".join(map(printable, text.splitlines())) or empty))

    def exported(self) -> tuple[Sequence[str], Sequence[Row]]:
        return ["line"], [{"line": line} for line in self.text.splitlines()]


def printable(line: str) -> str:
    """A line as it is, indented as it is, without what steers a terminal."""
    body = line.lstrip(" ")
    return " " * (len(line) - len(body)) + "".join(letter for letter in body if letter.isprintable())
