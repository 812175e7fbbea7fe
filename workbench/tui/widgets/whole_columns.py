"""Tables whose columns are as wide as what is in them, and one that cuts no number at its right edge."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text, TextType
from textual.strip import Strip
from textual.widgets import DataTable
from textual.widgets.data_table import RowKey

NARROW = 24
"""Cells of a column that is never cut; of wider ones, which hold text, a part says something."""


class MeasuredColumns(DataTable[Text]):
    """Its columns are as wide as they become before anything of them is painted.

    `DataTable` measures its cells when it is idle next, and keeps what it painted before that: rows that are replaced
    while the screen is laid out anew would stay cut to the widths of the headers.
    """

    def add_row(
        self, *cells: Text, height: int | None = 1, key: str | None = None, label: TextType | None = None
    ) -> RowKey:
        for column, cell in zip(self.ordered_columns, cells, strict=False):
            column.content_width = max(column.content_width, cell.cell_len)
        return super().add_row(*cells, height=height, key=key, label=label)


class WholeColumns(MeasuredColumns):
    """No number is cut at the right edge: a narrow column that has no room is left out until it is scrolled to."""

    narrow: ClassVar[int] = NARROW
    """Cells that a column may have to be one."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        width, style = self.size.width, self.rich_style
        first, last = self.whole
        fixed = sum(column.get_render_width(self) for column in self.ordered_columns[: self.fixed_columns])
        if first > fixed:
            strip = Strip.join([strip.crop(0, fixed), Strip.blank(first - fixed, style), strip.crop(first)])
        return strip if last >= width else strip.crop(0, last).extend_cell_length(width, style)

    @property
    def whole(self) -> tuple[int, int]:
        """From where to where no column is cut, in cells of the screen."""
        left, right = self.scroll_offset.x, self.scroll_offset.x + self.size.width
        fixed, start = 0, 0
        first, last = 0, self.size.width
        for place, column in enumerate(self.ordered_columns):
            end = start + column.get_render_width(self)
            is_narrow = end - start <= self.narrow
            if place < self.fixed_columns:
                fixed = end
            elif start < left + fixed < end and is_narrow:
                first = end - left
            elif start < right < end and is_narrow:
                last = start - left
            start = end
        return first, last

    def action_cursor_right(self) -> None:
        self.turn_columns(1) if self.cursor_type == "row" else super().action_cursor_right()

    def action_cursor_left(self) -> None:
        self.turn_columns(-1) if self.cursor_type == "row" else super().action_cursor_left()

    def turn_columns(self, by: int) -> None:
        """Scroll by a column."""
        places, start = [0], 0
        for column in self.ordered_columns[self.fixed_columns :]:
            start += column.get_render_width(self)
            places.append(start)
        now = self.scroll_offset.x
        further = [place for place in places if place > now] if by > 0 else [place for place in places if place < now]
        if further:
            self.scroll_to(x=further[0] if by > 0 else further[-1], animate=False)
