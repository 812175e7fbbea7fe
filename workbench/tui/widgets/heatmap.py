"""A table of numbers as a heat map: a number and a colour in each cell, drawn line by line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

SEQUENTIAL = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
"""Low to high: the anchors of viridis, which colour-blind readers tell apart."""
DIVERGING = ("#b35806", "#f1a340", "#f7f7f7", "#998ec3", "#542788")
"""Lower, as it was, higher: ColorBrewer's PuOr, which colour-blind readers tell apart."""


@dataclass(frozen=True)
class Matrix:
    """What a heat map shows."""

    rows: Sequence[str]
    """Labels, at the left."""
    columns: Sequence[str]
    """Labels, above."""
    values: Sequence[Sequence[float | None]]
    """[rows][columns]; None = there is no such cell."""
    texts: Sequence[Sequence[str]]
    """[rows][columns] what is written in each, its marks with it."""
    corner: str = ""
    """What the rows are, and the columns: `query \\ pool`."""
    diverging: bool = False
    """Colours on both sides of 0, else from the lowest to the highest value."""
    noted: frozenset[str] = field(default_factory=frozenset)
    """Labels that get a ring after them, such as languages unseen in training."""

    limits: tuple[float, float] | None = None
    """The ends of the scale, where several maps share one."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The values of the two ends of the scale."""
        if self.limits is not None:
            return self.limits
        found = [value for row in self.values for value in row if value is not None]
        if not found:
            return 0.0, 1.0
        if self.diverging:
            most = max(abs(value) for value in found) or 1.0
            return -most, most
        return min(found), max(found)


EMPTY = Matrix((), (), (), ())


class HeatMap(ScrollView, can_focus=True):
    """Arrow keys move from cell to cell, Enter chooses one."""

    class Chosen(Message):
        """Enter, or a click on the cell under the cursor."""

        def __init__(self, row: str, column: str) -> None:
            super().__init__()
            self.row, self.column = row, column

    class Moved(Message):
        """The cursor is on another cell."""

        def __init__(self, row: str, column: str) -> None:
            super().__init__()
            self.row, self.column = row, column

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1, 0)", "Up", show=False),
        Binding("down", "move(1, 0)", "Down", show=False),
        Binding("left", "move(0, -1)", "Left", show=False),
        Binding("right", "move(0, 1)", "Right", show=False),
        Binding("enter", "choose", "Open"),
    ]
    DEFAULT_CSS = "HeatMap { scrollbar-size: 1 1; }"
    matrix: reactive[Matrix] = reactive(EMPTY, init=False)
    cursor: reactive[tuple[int, int]] = reactive((0, 0), init=False)

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.label_width, self.cell_width = 1, 5

    def show(self, matrix: Matrix) -> None:
        """Replace what is shown; the cursor stays where it is as far as there is such a cell."""
        self.matrix = matrix
        labels = [matrix.corner, *map(self.labelled, matrix.rows)]
        self.label_width = 1 + max(map(len, labels), default=0)
        texts = [text for line in matrix.texts for text in line]
        self.cell_width = 2 + max(map(len, [*texts, *map(self.labelled, matrix.columns)]), default=3)
        self.virtual_size = Size(self.label_width + self.cell_width * len(matrix.columns), 1 + len(matrix.rows))
        row, column = self.cursor
        self.cursor = min(row, max(0, len(matrix.rows) - 1)), min(column, max(0, len(matrix.columns) - 1))
        self.refresh()

    @property
    def seen(self) -> range:
        """The columns that are shown: whole ones, as half a number is none."""
        columns = len(self.matrix.columns)
        room = max(1, (self.size.width - self.label_width) // self.cell_width)
        first = max(0, min(-(-self.scroll_offset.x // self.cell_width), columns - room))
        return range(first, min(columns, first + room))

    def labelled(self, label: str) -> str:
        return f"{label}°" if label in self.matrix.noted else label

    def render_line(self, y: int) -> Strip:
        scroll_y = self.scroll_offset.y
        plain = self.rich_style
        if not self.matrix.rows:
            return Strip.blank(self.size.width, plain)
        # the line of the column labels stays in view
        row = y - 1 + scroll_y if y else -1
        if row >= len(self.matrix.rows):
            return Strip.blank(self.size.width, plain)
        label = self.labelled(self.matrix.rows[row]) if row >= 0 else self.matrix.corner
        head = Segment(label.ljust(self.label_width), plain + Style(bold=True))
        cells = [self.cell(row, column, plain) for column in self.seen]
        return Strip([head, *cells]).adjust_cell_length(self.size.width, plain)

    def cell(self, row: int, column: int, plain: Style) -> Segment:
        width = self.cell_width
        if row < 0:
            return Segment(f"{self.labelled(self.matrix.columns[column])} ".rjust(width), plain + Style(bold=True))
        value, text = self.matrix.values[row][column], self.matrix.texts[row][column]
        style = plain if value is None else plain + self.colour(value)
        if (row, column) == self.cursor and self.has_focus:
            # brackets, as reverse video may be all that a terminal without colour has
            marked = f"[{text.rstrip()}]".ljust(len(text) + 2)
            return Segment(marked.rjust(width), style + Style(bold=True, reverse=True))
        return Segment(f"{text} ".rjust(width), style)

    def colour(self, value: float) -> Style:
        if "NO_COLOR" in os.environ:
            return Style()
        low, high = self.matrix.bounds
        part = 0.5 if high == low else (value - low) / (high - low)
        return scale(round(64 * min(1.0, max(0.0, part))), self.matrix.diverging)

    def watch_cursor(self) -> None:
        self.refresh()
        if self.matrix.rows and self.matrix.columns:
            row, column = self.cursor
            region = Region(self.cell_width * column, row, self.cell_width + self.label_width, 2)
            self.scroll_to_region(region, animate=False)
            self.post_message(self.Moved(self.matrix.rows[row], self.matrix.columns[column]))

    def action_move(self, down: int, right: int) -> None:
        if self.matrix.rows:
            row, column = self.cursor
            self.cursor = (
                min(max(row + down, 0), len(self.matrix.rows) - 1),
                min(max(column + right, 0), len(self.matrix.columns) - 1),
            )

    def action_choose(self) -> None:
        if self.matrix.rows:
            row, column = self.cursor
            self.post_message(self.Chosen(self.matrix.rows[row], self.matrix.columns[column]))

    def on_click(self, event) -> None:  # type: ignore[no-untyped-def]
        row = event.y - 1 + self.scroll_offset.y
        column = (event.x - self.label_width) // self.cell_width + self.seen.start
        if event.y and 0 <= row < len(self.matrix.rows) and event.x >= self.label_width and column in self.seen:
            if (row, column) == self.cursor:
                self.action_choose()
            self.cursor = row, column


def cell_text(value: float, *, signs: bool) -> str:
    """A number in a cell: three digits or so; differences have their sign."""
    size = abs(value)
    text = f"{value:.{1 if size >= 10 else 2 if size >= 1 else 3}f}"
    text = text.replace("0.", ".", 1) if size < 1 else text
    if not text.strip("-.0"):
        return ".000"
    return f"+{text}" if signs and value > 0 else text


@lru_cache(maxsize=256)
def scale(step: int, diverging: bool) -> Style:
    """The background at `step` of 64, with letters that can be read on it."""
    anchors = [
        tuple(int(anchor[i : i + 2], 16) for i in (1, 3, 5)) for anchor in (DIVERGING if diverging else SEQUENTIAL)
    ]
    at = step / 64 * (len(anchors) - 1)
    left = min(int(at), len(anchors) - 2)
    part = at - left
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(anchors[left], anchors[left + 1], strict=True))
    bright = 0.299 * red + 0.587 * green + 0.114 * blue > 140
    return Style(bgcolor=f"#{red:02x}{green:02x}{blue:02x}", color="#101010" if bright else "#f8f8f8")
