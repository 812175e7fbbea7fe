"""Tables as a terminal, a pipe or a program reads them."""

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

Row = Mapping[str, Any]
NUMBER = re.compile(r"(<?-?([\d.:/]+(e[+-]\d+)?|inf|nan)( ±([\d.]+(e[+-]\d+)?|inf|nan))?[†‡*]* *)?")
"""What stands to the right of its column: a number, one with its spread or a mark, a duration, a share, or nothing."""
LARGE = re.compile(r"-?[1-9]\d*\.(\d|\d{4})")
"""A figure of one or more, as `figure` writes it."""
MARKS = "†‡*"
"""What may stand behind a number."""
CONTROLS = dict.fromkeys((*range(32), *range(127, 160)))
"""Characters by which a text could steer a terminal."""
GAP = "  "
"""Between two columns."""
TEXT_WIDTH = 20
"""Columns of text are not folded to less."""
FOLDED_ROWS = 1000
"""Longer tables are not folded to a terminal's width: nobody reads them there, and folding is slow."""


def as_json(rows: Sequence[Row]) -> str:
    """A list of objects; NaN and infinities, which JSON has no word for, are null."""
    return json.dumps([{k: plain(v) for k, v in row.items()} for row in rows], ensure_ascii=False, indent=1)


def plain(value: Any) -> Any:
    """A value of the database as JSON has it."""
    if isinstance(value, (float, Decimal)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def as_csv(columns: Sequence[str], rows: Sequence[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if row[k] is None else row[k] for k in columns} for row in rows)
    return out.getvalue()


@dataclass(frozen=True)
class Column:
    """One column as it is printed; widths are counted in cells of a terminal."""

    head: str
    cells: list[str]

    @property
    def is_number(self) -> bool:
        return all(NUMBER.fullmatch(cell) for cell in self.cells)

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.head, *self.cells)))

    @property
    def least(self) -> int:
        """The width to which it may be folded: numbers stay whole, and so does text that is short."""
        if not self.is_number:
            return min(self.width, max(TEXT_WIDTH, longest_word([self.head])))
        return longest_word([self.head, *self.cells])


def print_table(
    rows: Sequence[Row],
    *,
    columns: Sequence[str] | None = None,
    title: str | None = None,
    names: int = 1,
    console: Console | None = None,
) -> None:
    """Print rows on stdout: numbers to the right, what is not known empty, data never read as markup.

    A terminal gets tables as wide as it is: text is folded, and the columns that still find no room follow in a
    further table that begins with the same first columns: the `names` ones that tell the rows apart, or as many of
    them as leave room for another. In a pipe, and above `FOLDED_ROWS` rows, no line is folded.
    """
    heads = columns or (list(rows[0]) if rows else [])
    printed = [Column(shown(head), in_line(alike([shown(row[head]) for row in rows]))) for head in heads]
    console = console or Console(highlight=False)
    if title:
        console.print(Text(title), soft_wrap=True)
    if not printed:
        return
    if not console.is_terminal or len(rows) > FOLDED_ROWS:
        console.file.writelines(f"{line}\n" for line in aligned(printed))
        return
    for number, block in enumerate(blocks(printed, console.width, names)):
        if number:
            console.print()
        console.print(folded(block, console.width))


def alike(cells: list[str]) -> list[str]:
    """Figures of one or more with one decimal where others of their column have one, being larger."""
    filled = [cell.rstrip(MARKS) for cell in cells if cell]
    if not all(map(LARGE.fullmatch, filled)) or not any(cell[-2] == "." for cell in filled):
        return cells
    return [re.sub(r"\.\d{4}", lambda part: f"{float(part[0]):.1f}"[1:], cell) for cell in cells]


def in_line(cells: list[str]) -> list[str]:
    """Numbers with room for the marks that others of their column have, so that the decimal points stand in line."""
    marks = [len(cell) - len(cell.rstrip(MARKS)) for cell in cells]
    if not any(marks) or not all(NUMBER.fullmatch(cell) for cell in cells):
        return cells
    return [cell + " " * (max(marks) - mark) if cell else cell for cell, mark in zip(cells, marks, strict=True)]


def aligned(columns: Sequence[Column]) -> Iterator[str]:
    """The lines of a table as wide as it takes."""
    padded = []
    for column in columns:
        width, is_number = column.width, column.is_number
        pads = [" " * (width - cell_len(cell)) for cell in (column.head, *column.cells)]
        cells = zip((column.head, *column.cells), pads, strict=True)
        padded.append([pad + cell if is_number else cell + pad for cell, pad in cells])
    return (GAP.join(line).rstrip() for line in zip(*padded, strict=True))


def blocks(columns: Sequence[Column], room: int, names: int = 1) -> Iterator[list[Column]]:
    """The columns in tables that fit into `room`, each with the first columns, at most `names` of them."""
    least = [columns[0].width, *(len(GAP) + column.least for column in columns[1:])]
    repeated = next(
        n
        for n in range(min(names, len(columns)), 0, -1)
        if n == 1 or sum(least[:n]) + max(least[n:], default=0) <= room
    )
    block, taken = list(columns[:repeated]), sum(least[:repeated])
    for column, needed in zip(columns[repeated:], least[repeated:], strict=True):
        if len(block) > repeated and taken + needed > room:
            yield block
            block, taken = list(columns[:repeated]), sum(least[:repeated])
        block.append(column)
        taken += needed
    yield block


def folded(columns: Sequence[Column], room: int) -> RichTable:
    """A table of `room` cells: the first column, of ids and names, whole, the widest others folded."""
    table = RichTable(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0))
    widths = fitting(columns, room)
    for column, width in zip(columns, widths, strict=True):
        justify = "right" if column.is_number else "left"
        table.add_column(Text(column.head), justify=justify, overflow="fold", width=width, vertical="top")  # type: ignore[arg-type]
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(in_cell, columns, cells, widths))
    return table


def in_cell(column: Column, cell: str, width: int) -> Text:
    """A number is padded here: what aligns text to the right drops the blanks that stand for a mark."""
    return Text(cell.rjust(width), justify="left") if column.is_number else Text(cell)


def fitting(columns: Sequence[Column], room: int) -> list[int]:
    """The width of each column; the first gives way only where it alone leaves too little."""
    widths = [column.width for column in columns]
    least = [column.width if place == 0 else column.least for place, column in enumerate(columns)]
    excess = sum(widths) + len(GAP) * (len(columns) - 1) - room
    for _ in range(excess):
        able = [place for place, width in enumerate(widths) if width > least[place]]
        widths[max(able or range(len(widths)), key=lambda place: widths[place])] -= 1
    return [max(1, width) for width in widths]


def longest_word(texts: Sequence[str]) -> int:
    return max((cell_len(word) for text in texts for word in text.split()), default=0)


def shown(value: Any) -> str:
    """A value in a cell: four significant digits, one line, nothing that steers a terminal."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        text = " ".join(str(value).split())
        return text if text.isprintable() else text.translate(CONTROLS)
    if isinstance(value, int):
        return str(value)
    return figure(float(value))


def figure(value: float) -> str:
    """A number as papers print it: four decimals and no zero before the point, fewer decimals where it is large.

    What four decimals would make zero, or nearly so, has three significant digits: `.000512`, `3e-05`.
    """
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size >= 10:
        return f"{value:.1f}" if size < 100_000 else f"{value:.3g}"
    words = f"{value:.3g}" if 0 < size < 0.001 else f"{value:.4f}"
    return words.replace("0.", ".", 1) if size < 1 else words


def spread(mean: float | None, deviation: float | None) -> str:
    """`.5012 ±.0031`; without seeds to compare, the mean alone; empty without a mean."""
    if mean is None or math.isnan(mean):
        return ""
    written = beside(mean, deviation)
    return f"{figure(mean)} ±{written}" if written else figure(mean)


def beside(mean: float, value: float | None) -> str:
    """What is said of a mean, such as its standard deviation or a difference from it, with the mean's decimals.

    It has more where these make it zero; empty where there is none.
    """
    if value is None or math.isnan(value):
        return ""
    decimals = 1 if abs(mean) >= 10 else 4
    if value and not round(value, decimals):
        return figure(value)
    text = f"{value:.{decimals}f}"
    return re.sub(r"^(-?)0\.", r"\1.", text) if decimals == 4 else text


def p_value(p: float | None) -> str:
    """As papers print it, `.0341` or `<.0001`: a test's tail is not known to a millionth; empty where there is none."""
    if p is None or math.isnan(p):
        return ""
    return "<.0001" if p < 1e-4 else f"{p:.4f}".removeprefix("0")


def duration(seconds: float | None) -> str:
    """`1:02:03`, `4:05`; empty where it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def time_left(seconds: float | None) -> str:
    """`duration` of what is yet to come; empty where that is less than half a second, too: it says nothing."""
    left = duration(seconds)
    return "" if left == duration(0) else left
