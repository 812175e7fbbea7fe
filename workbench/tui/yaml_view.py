"""The config as YAML, kept in step with the form."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from workbench.tui.draft import Draft
from workbench.tui.widgets.editor import CodeEditor

LOST = "the form has written this anew: its comments are gone (Ctrl+Z brings them back)"


class YamlView(Vertical):
    """An editor; a line above it where comments were lost, one below it for what is wrong."""

    DEFAULT_CSS = """
    YamlView CodeEditor, YamlView CodeEditor:focus { height: 1fr; border: none; padding: 0; scrollbar-size: 1 1; }
    YamlView #lost, YamlView #wrong { height: auto; max-height: 5; padding: 0 1; display: none; }
    YamlView #lost { background: $warning-muted; color: $text-warning; }
    YamlView #wrong { color: $text-error; }
    YamlView #lost.open, YamlView #wrong.open { display: block; }
    """

    def compose(self) -> ComposeResult:
        yield Static(Text(LOST), id="lost", markup=False)
        yield CodeEditor(language="yaml", id="text")
        yield Static("", id="wrong", markup=False)

    def show(self, draft: Draft) -> None:
        """Have the editor say what the config says; only lines that differ change, so that it can be taken back."""
        self.query_one("#lost").set_class(draft.lost_comments, "open")
        editor = self.query_one(CodeEditor)
        before, after = editor.text.split("\n"), draft.text.split("\n")
        if before == after:
            return
        first = common(before, after)
        last = common(before[first:][::-1], after[first:][::-1])
        old_end, new_end = len(before) - last, len(after) - last
        end = (old_end - 1, len(before[old_end - 1])) if old_end else (0, 0)
        if old_end > first and new_end > first:
            editor.replace("\n".join(after[first:new_end]), (first, 0), end)
        else:
            # only lines that came or went: with the line before or after them their breaks are right
            editor.replace(draft.text, (0, 0), (len(before) - 1, len(before[-1])))
        editor.move_cursor((min(first, len(after) - 1), 0), center=True)

    def problems(self, found: Sequence[str]) -> None:
        wrong = self.query_one("#wrong", Static)
        wrong.set_class(bool(found), "open")
        wrong.update(Text("\n".join(f"error: {text}" for text in found)))


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of the first lines are equal."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
