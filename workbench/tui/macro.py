"""The macro table of a comparison: settings across; under each arm what is known of its difference from the baseline,
and under all of them what is published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message

from workbench.records import SETTINGS
from workbench.reports.leakage import marked
from workbench.reports.overview import Row
from workbench.reports.tables import figure, p_value, shown, spread
from workbench.reports.translated import TRANSLATED
from workbench.tui.widgets.whole_columns import MeasuredColumns

HEAD_WIDTH = 18
"""Characters that the names in the table have at least."""
STYLES = {"arm": "bold", "published": "italic", "heading": "italic bold"}
"""By a line's kind."""


@dataclass(frozen=True)
class Line:
    """A line of the table."""

    head: str
    cells: Sequence[str]
    """One a setting."""
    kind: str
    """arm, difference (of it), heading or published."""
    detail: str = ""
    """What is said while the cursor is on it."""
    arm: str | None = None
    """Whose line it is, if it is an arm's."""


class MacroTable(MeasuredColumns):
    """A row a line; Enter asks for the map of the arm that the line is of."""

    class MapWanted(Message):
        """Enter on a line of an arm."""

        def __init__(self, arm: str) -> None:
            super().__init__()
            self.arm = arm

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "ask_for_map", "Map")]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=True)
        self.lines: Sequence[Line] = ()

    @property
    def current(self) -> Line | None:
        """The line under the cursor."""
        return self.lines[min(self.cursor_row, len(self.lines) - 1)] if self.lines else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "ask_for_map":
            return self.current is not None and self.current.arm is not None
        return super().check_action(action, parameters)

    def action_ask_for_map(self) -> None:
        if self.current is not None and self.current.arm is not None:
            self.post_message(self.MapWanted(self.current.arm))

    def show(
        self,
        title: str,
        settings: Sequence[str],
        lines: Sequence[Line],
        width: int,
        fitted: Callable[[int], Mapping[str, str]],
    ) -> None:
        """Replace what is shown, in so many cells; `fitted` gives the arms' names in as many characters as asked."""
        place = self.cursor_row
        self.lines = lines
        self.clear(columns=True)
        widths = [max(map(len, (setting, *(line.cells[n] for line in lines)))) for n, setting in enumerate(settings)]
        room = max(HEAD_WIDTH, width - sum(each + 2 for each in widths) - 4)
        names = fitted(room)
        self.add_column(Text(title))
        for setting, each in zip(settings, widths, strict=True):
            self.add_column(Text(setting.replace("_", "-"), justify="right"), width=each)
        for line in lines:
            style = STYLES.get(line.kind, "")
            is_long = line.kind == "arm" and line.arm is not None and len(line.head) > room
            head = Text(shown(names[line.arm]) if is_long and line.arm else line.head, style, no_wrap=True)
            head.truncate(room, overflow="ellipsis")
            self.add_row(head, *(Text(cell, style, justify="right") for cell in line.cells))
        self.move_cursor(row=min(place, len(lines) - 1), animate=False)


def settings_in(means: Sequence[Row], published: Sequence[Row] = ()) -> list[str]:
    known = {row["setting"] for row in (*means, *published)}
    return [setting for setting in SETTINGS if setting in known]


def macro_lines(
    means: Sequence[Row], effects: Sequence[Row], published: Sequence[Row], names: Mapping[str, str]
) -> list[Line]:
    """`setting_means`, those rows of `compared` that are against the baseline, and `published_rows` as lines."""
    settings = settings_in(means)
    translated = {row["setting"] for row in effects if row["translated"]}
    lines: list[Line] = []
    for arm in dict.fromkeys(row["arm"] for row in means):
        of_arm = {row["setting"]: row for row in means if row["arm"] == arm}
        cells = [
            spread(row["mean"], row["sd"]) + TRANSLATED * (setting in translated)
            if (row := of_arm.get(setting))
            else ""
            for setting in settings
        ]
        first = next(iter(of_arm.values()))
        seeds = f"{first['n']} seeds: mean ± standard deviation over them" if first["n"] > 1 else "one seed"
        lines.append(Line(marked(shown(names[arm]), first["leaked"]), cells, "arm", f"{shown(arm)}: {seeds}", arm))
        lines += difference_lines([row for row in effects if row["arm"] == arm], settings)
    return lines + published_lines(published, settings)


def difference_lines(effects: Sequence[Row], settings: Sequence[str]) -> list[Line]:
    if not effects:
        return []
    by_setting = {row["setting"]: row for row in effects}
    rows = [by_setting.get(setting) for setting in settings]
    one = effects[0]
    what = f"{shown(one['arm'])} minus {shown(one['against'])}"
    of = (
        f"of the samplings, as seeds and questions vary (drawn by {one['unit']})"
        if one["about"] == "samplings"
        else f"questions only (drawn by {one['unit']}), one seed: no claim about the samplings"
    )
    checkpoints = f"paired randomisation test, {one['draws']} draws, of the values averaged over seeds"
    these = "it speaks for these checkpoints only"

    def line(head: str, text: Any, detail: str) -> Line:
        return Line(f"  {head}", ["" if row is None else text(row) for row in rows], "difference", detail, one["arm"])

    lines = [
        line("minus baseline", lambda row: signed(row["difference"]), what),
        line("95 % interval", lambda row: f"{plain(row['low'])} to {plain(row['high'])}", f"{what}: {of}"),
        line("p", lambda row: p_value(row["p"]), f"{what}: {of}"),
        line(
            "detectable",
            lambda row: plain(row["detectable"]),
            f"the smallest difference that such data find, power .8; {of}",
        ),
        line("p checkpoints", lambda row: p_value(row["p_checkpoints"]), f"{checkpoints}: {these}"),
        line(
            "cells higher, lower",
            lambda row: f"{row['higher']}, {row['lower']} of {row['cells']}",
            f"cells with a family-wise p below .05 over all cells and arms: {these}",
        ),
    ]
    if one["p_tukey"] is not None:
        detail = f"p checkpoints, corrected over all pairs of arms: {these}"
        lines.insert(5, line("p Tukey", lambda row: p_value(row["p_tukey"]), detail))
    return lines


def published_lines(published: Sequence[Row], settings: Sequence[str]) -> list[Line]:
    """One a model and sampling, under a heading a paper."""
    lines: list[Line] = []
    by_model: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in published:
        by_model.setdefault((row["source"], row["model"], row["sampling"]), {})[row["setting"]] = row
    source = None
    for (paper, model, sampling), rows in by_model.items():
        differs = dict.fromkeys(what for row in rows.values() for what in row["differs"])
        if paper != source:
            source = paper
            said = f"{paper}: shown beside, not tested against: there are no seeds and no intervals"
            lines.append(Line("published, not tested", [""] * len(settings), "heading", said))
        cells = [figure(rows[setting]["value"]) if setting in rows else "" for setting in settings]
        detail = f"published in {paper}; what differs: {'; '.join(differs)}"
        lines.append(Line(f"  {model} {sampling}", cells, "published", detail))
    return lines


def plain(value: float) -> str:
    """As `figure`, with four decimals however small it is: figures that stand in a column."""
    return figure(value) if abs(value) >= 0.001 else f"{value:.4f}".replace("0.", ".", 1)


def signed(value: float) -> str:
    """`plain` with its sign."""
    return f"+{plain(value)}" if value > 0 else plain(value)


def about(effects: Sequence[Row], means: Sequence[Row]) -> str:
    """What intervals and p speak of; `means` know how many seeds each arm has."""
    if not effects:
        return "one arm: nothing is held against it; choose more by a"
    if all(row["about"] == "samplings" for row in effects):
        seeds = seeds_in_words(list({row["arm"]: row["n"] for row in means}.values()))
        return f"interval, p, detectable: of the samplings, {seeds} seeds"
    where = "" if all(row["about"] != "samplings" for row in effects) else "where an arm has one seed, "
    return f"{where}interval, p, detectable: questions only, one seed: no claim about samplings"


def seeds_in_words(numbers: Sequence[int]) -> str:
    """`3`, where all arms have as many, else of each: `4 and 3`."""
    if len(set(numbers)) == 1:
        return str(numbers[0])
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def tidy(means: Sequence[Row], effects: Sequence[Row], published: Sequence[Row]) -> list[Row]:
    """For an export: the arms' means, the differences (`against`), what is published (`source`)."""
    rows = [
        *means,
        *effects,
        *({**row, "mean": row["value"], "differs": "; ".join(row["differs"])} for row in published),
    ]
    names = dict.fromkeys(name for row in rows for name in row if name != "value")
    return [{name: row.get(name) for name in names} for row in rows]
