"""The table of what is over all languages: a line a measure, a column an arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text

from workbench.reports.overview import Row
from workbench.tui.bias_views import arms_in, summary_lines, value_words
from workbench.tui.widgets.whole_columns import WholeColumns


class SummaryTable(WholeColumns):
    """Its columns are figures with their intervals, all to be seen whole."""

    narrow: ClassVar[int] = 60

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="cell", zebra_stripes=True, fixed_columns=1)
        self.lines: Mapping[str, Mapping[tuple[str, str | None], Row]] = {}

    def show(self, rows: Sequence[Row], names: Mapping[tuple[str, str | None], str]) -> None:
        """Replace what is shown; `names` are those of the columns by (arm, against)."""
        place = self.cursor_coordinate
        self.lines = summary_lines(rows)
        self.clear(columns=True)
        self.add_column(Text(""))
        arms = arms_in(rows)
        for arm in arms:
            self.add_column(Text(names[arm], justify="right"))
        for name, by_arm in self.lines.items():
            cells = [by_arm.get(arm) for arm in arms]
            texts = ["" if row is None else "undefined" if row["value"] is None else value_words(row) for row in cells]
            self.add_row(Text(name), *(Text(text, justify="right") for text in texts))
        self.cursor_coordinate = place if place.column else place.right()

    @property
    def under_cursor(self) -> list[Row]:
        """The rows of all arms in the line of the cursor."""
        lines = list(self.lines.values())
        place = self.cursor_coordinate.row
        return list(lines[place].values()) if place < len(lines) else []
