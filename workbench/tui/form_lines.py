"""How a row of the form is written."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from workbench.reports.tables import shown
from workbench.tui.form import Entry, as_text

INDENT = 2


def row_line(row: Entry, width: int, *, swept: str, problem: str, is_alone: bool) -> Text:
    """A row: name, value, and what is wrong with it, or what may stand there.

    `is_alone`: out of its place among the others it needs its whole key.
    """
    room = max(40, width - 2)
    name_room = min(28, room * 2 // 5)
    value_room = max(12, min(24, (room - name_room) * 2 // 5))
    marker = " •" if row.is_value and row.is_given else "  "
    indent = 0 if is_alone else INDENT * (len(row.path) - 1)
    name = " " * indent + fitted(row.key if is_alone else row.label, name_room - indent)
    value = f"swept: {swept}" if swept else row.shown()
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{marker} {name} ", Style(bold=not row.is_value))
    text.append(f"{fitted(value, value_room)} ", Style(bold=row.is_given, dim=not row.is_given and not swept))
    if problem:
        text.append(f"error: {shown(problem)}", Style(color="red", bold=True))
    else:
        text.append(hint(row), Style(dim=True))
    return text


def hint(row: Entry) -> str:
    """What may stand in a row, or what Enter or x does there."""
    if row.is_value:
        return row.limits or row.type
    if row.kind == "names":
        return "Enter adds one"
    if row.kind == "optional":
        return "x leaves it out" if row.is_on else "Enter brings it in"
    return "x takes it out" if row.kind == "named" else ""


def swept_text(row: Entry, rows: Sequence[Entry]) -> str:
    """The values that a key takes in turn, where it does."""
    if row.kind != "value":
        return ""
    found = next((one for one in rows if one.kind == "sweep" and one.label == row.key), None)
    return as_text(found.value) if found else ""


def given_words(row: Entry) -> str:
    """Whether the config says it."""
    if not row.is_value:
        return hint(row)
    return "in the config" if row.is_given else "" if row.default == "needed" else "not in the config"


def fitted(text: str, room: int) -> str:
    """In one line of exactly so many cells."""
    text = shown(text)
    return set_cell_size(text, room) if cell_len(text) <= room else set_cell_size(text, room - 1) + "…"
