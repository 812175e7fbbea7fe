"""The names of a screen's parts, of which one is in front: a key or a click brings another there."""

from collections.abc import Mapping

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Click
from textual.message import Message
from textual.widgets import Static


class Section(Static):
    """One name."""

    def __init__(self, part: str, title: str) -> None:
        super().__init__(Text(title), markup=False)
        self.part = part

    def on_click(self, event: Click) -> None:
        self.post_message(Sections.Picked(self.part))


class Sections(Horizontal):
    """A line of names."""

    class Picked(Message):
        """A part is to come to the front."""

        def __init__(self, part: str) -> None:
            super().__init__()
            self.part = part

    DEFAULT_CSS = """
    Sections { height: 1; }
    Sections Section { width: auto; padding: 0 1; margin-right: 2; color: $text-muted; }
    Sections Section.front { text-style: bold underline; color: $text; }
    """

    def __init__(self, titles: Mapping[str, str], id: str | None = None) -> None:
        super().__init__(id=id)
        self.titles = titles

    def compose(self) -> ComposeResult:
        yield from (Section(part, title) for part, title in self.titles.items())

    def bring(self, part: str) -> None:
        """Underline the name of the part that is in front."""
        for section in self.query(Section):
            section.set_class(section.part == part, "front")
