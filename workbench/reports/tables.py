"""Tables as a terminal, a pipe or a program reads them."""

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

Row = Mapping[str, Any]
NUMBER = re.compile(r"(-?[\d.]+( ±[\d.]+)?)?")
"""What stands to the right of its column: a number, one with its spread, or nothing."""


def as_json(rows: Sequence[Row]) -> str:
    """A list of objects; NaN and infinities, which JSON has no word for, are null."""
    return json.dumps([{k: plain(v) for k, v in row.items()} for row in rows], ensure_ascii=False, indent=1)


def plain(value: Any) -> Any:
    """A value of the database as JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
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


def print_table(rows: Sequence[Row], *, columns: Sequence[str] | None = None, title: str | None = None) -> None:
    """Print rows on stdout: numbers to the right, what is not known empty, data never read as markup."""
    columns = columns or (list(rows[0]) if rows else [])
    table = RichTable(box=None, pad_edge=False, title=Text(title) if title else None, title_justify="left")
    for column in columns:
        numbers = all(NUMBER.fullmatch(shown(row[column])) for row in rows)
        table.add_column(Text(column), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(row[column])) for column in columns))
    console().print(table)


def console() -> Console:
    """stdout as wide as the terminal; in a pipe as wide as it takes, so that no line is folded or cut."""
    out = Console(highlight=False, soft_wrap=False)
    return out if out.is_terminal else Console(highlight=False, width=4000, no_color=True)


def shown(value: Any) -> str:
    """A value in a cell: four significant digits, one line."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return " ".join(str(value).split())
    if isinstance(value, int):
        return str(value)
    return figure(value)


def figure(value: float) -> str:
    """A number as papers print it: four decimals and no zero before the point, fewer decimals where it is large."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) < 10:
        return f"{value:.4f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.4f}"
    return f"{value:.1f}" if abs(value) < 100_000 else f"{value:.3g}"


def spread(mean: float | None, deviation: float | None) -> str:
    """`.5012 ±.0031`; without seeds to compare, the mean alone."""
    if mean is None:
        return ""
    return figure(mean) if deviation is None else f"{figure(mean)} ±{figure(deviation)}"


def duration(seconds: float | None) -> str:
    """`1:02:03`, `4:05`."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
