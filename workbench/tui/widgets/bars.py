"""Bars, several to a label: a number, its interval and a length, drawn line by line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

FILLS = "█▓▒░"
"""What the bars of the first, second … series are made of: they differ without colour, too."""
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")
"""Of Okabe & Ito, which colour-blind readers tell apart."""
LEAST = 8
"""Characters that a bar has, in however little room."""


@dataclass(frozen=True)
class Bar:
    """One bar; no value = there is none, and the text says why."""

    value: float | None
    text: str
    """What stands before it: the number, its interval."""


@dataclass(frozen=True)
class BarTable:
    """Bars of some series, by label."""

    labels: Sequence[str]
    series: Sequence[str]
    bars: Sequence[Sequence[Bar]]
    """[labels][series]"""
    noted: frozenset[str] = field(default_factory=frozenset)
    """Labels that get a ring after them."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The ends of the scale, 0 within it."""
        values = [bar.value for group in self.bars for bar in group if bar.value is not None]
        return min(0.0, *values, 0.0), max(0.0, *values, 0.0)


NO_BARS = BarTable((), (), ())


class Bars(ScrollView, can_focus=True):
    """Up and down move from label to label."""

    class Moved(Message):
        """The cursor is on another label."""

        def __init__(self, label: int) -> None:
            super().__init__()
            self.label = label

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
    ]
    bars: reactive[BarTable] = reactive(NO_BARS, init=False)
    cursor: reactive[int] = reactive(0, init=False)

    def show(self, bars: BarTable) -> None:
        """Replace what is shown; the cursor stays on its label as far as there is one."""
        self.bars = bars
        self.cursor = min(self.cursor, max(0, len(bars.labels) - 1))
        self.label_width = max((len(self.labelled(label)) for label in bars.labels), default=0) + 2
        self.series_width = max(map(len, bars.series), default=0) + 2 if len(bars.series) > 1 else 0
        self.text_width = max((len(bar.text) for group in bars.bars for bar in group), default=0) + 2
        self.virtual_size = Size(
            self.label_width + self.series_width + self.text_width + LEAST, len(bars.labels) * self.step
        )
        self.refresh()

    @property
    def step(self) -> int:
        """Lines from label to label: one is empty where there are several series."""
        return len(self.bars.series) + (len(self.bars.series) > 1)

    def labelled(self, label: str) -> str:
        return f"{label}°" if label in self.bars.noted else label

    def render_line(self, y: int) -> Strip:
        scroll_x, scroll_y = self.scroll_offset
        plain = self.rich_style
        place, part = divmod(y + scroll_y, self.step or 1)
        if place >= len(self.bars.labels) or part >= len(self.bars.series):
            return Strip.blank(self.size.width, plain)
        strip = Strip(self.line(place, part, plain))
        return strip.crop(scroll_x, scroll_x + self.size.width).adjust_cell_length(self.size.width, plain)

    def line(self, place: int, part: int, plain: Style) -> list[Segment]:
        bar = self.bars.bars[place][part]
        here = place == self.cursor and self.has_focus
        # a bracket, as bold is hardly seen without colour
        mark = "▸ " if here and not part else "  "
        label = mark + (self.labelled(self.bars.labels[place]) if part == 0 else "")
        bold = plain + Style(bold=here or None)
        colour = Style() if "NO_COLOR" in os.environ else Style(color=COLOURS[part % len(COLOURS)])
        series = self.bars.series[part].ljust(self.series_width) if self.series_width else ""
        return [
            Segment(label.ljust(self.label_width + 2), bold),
            Segment(series, plain),
            Segment(bar.text.ljust(self.text_width), bold),
            Segment(self.drawn(bar.value, FILLS[part % len(FILLS)]), plain + colour),
        ]

    def drawn(self, value: float | None, fill: str) -> str:
        """A bar from 0 to the value; where values lie on both sides of 0 a line stands at it."""
        room = max(LEAST, self.size.width - self.label_width - self.series_width - self.text_width - 3)
        low, high = self.bars.bounds
        if value is None or high == low:
            return ""
        zero = round(-low / (high - low) * room)
        length = round(abs(value) / (high - low) * room)
        if low == 0:
            return fill * length
        before = fill * length if value < 0 else ""
        after = fill * length if value > 0 else ""
        return f"{before.rjust(zero)}│{after}"

    def watch_cursor(self) -> None:
        self.refresh()
        if self.bars.labels:
            self.scroll_to_region(Region(0, self.cursor * self.step, 1, len(self.bars.series)), animate=False)
            self.post_message(self.Moved(self.cursor))

    def action_move(self, by: int) -> None:
        if self.bars.labels:
            self.cursor = min(max(self.cursor + by, 0), len(self.bars.labels) - 1)

    def on_click(self, event) -> None:  # type: ignore[no-untyped-def]
        place = (event.y + self.scroll_offset.y) // (self.step or 1)
        if place < len(self.bars.labels):
            self.cursor = place
