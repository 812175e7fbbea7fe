"""The bias between languages of some arms, side by side: tables, bars and maps."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalScroll, Vertical
from textual.events import Resize
from textual.widgets import ContentSwitcher, DataTable, Static

from workbench.reports.arm_choices import untrained_languages
from workbench.reports.bias import bias_rows
from workbench.reports.leakage import FOOTNOTE
from workbench.reports.overview import Row
from workbench.reports.tables import shown
from workbench.tui.arms_dialog import MOST
from workbench.tui.arms_pane import ArmsPane
from workbench.tui.bias_views import (
    MEAN,
    VIEWS,
    View,
    arms_in,
    bar_rows,
    bar_table,
    is_relative,
    limits_of,
    map_matrix,
    map_rows,
    map_values,
    measure_name,
    summary_lines,
    value_words,
)
from workbench.tui.widgets.bars import NO_BARS, Bars
from workbench.tui.widgets.heatmap import EMPTY, HeatMap
from workbench.tui.widgets.table import WholeColumns

WIDE = 100
"""Cells that it takes to say all below."""


@dataclass(frozen=True)
class Found:
    """What the screen shows."""

    rows: list[Row]
    untrained: Mapping[str, frozenset[str]]
    """By arm languages that no training pair was in."""


class SummaryTable(WholeColumns):
    """Its columns are figures with their intervals, all to be seen whole."""

    narrow: ClassVar[int] = 60


class StillMap(HeatMap):
    """Nothing is behind its cells."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose"


class ArmMap(Vertical):
    """An arm's name over its map."""

    def compose(self) -> ComposeResult:
        yield Static("", classes="arm", markup=False)
        yield StillMap()

    @property
    def map(self) -> HeatMap:
        return self.query_one(HeatMap)

    def entitle(self, name: str) -> None:
        self.query_one(".arm", Static).update(Text(name, no_wrap=True, overflow="ellipsis"))


class BiasPane(ArmsPane):
    HELP: ClassVar[str] = (
        "Which language queries find their answer in, when all languages are searched together; arms side by side.\n\n"
        "m M  the next thing to look at, the one before: a summary, rank distance, language share@10 and @100, own "
        "language first, rank by passage language and by language pair, language cost, agreement of queries\n"
        "r    another variant of it: raw or relative, mean or median\n"
        "d    the arms' own figures, or their differences from the baseline, with intervals\n"
        "a    choose the arms and the baseline      t  the next task\n"
        "arrows  move: the cursor moves in all maps alike      tab  the next map\n"
        "y    copy the figures under the cursor      e  export what is shown\n\n"
        "Intervals hold 95 %. With one seed they speak of the questions only. A ring ° after a language: no training "
        "pair of the arm was in it. The maps of all arms share one scale of colours."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "look(1)", "Measure"),
        Binding("M", "look(-1)", "Measure back", show=False),
        Binding("r", "variant", "Variant"),
        Binding("d", "differences", "Minus"),
    ]
    DEFAULT_CSS = """
    BiasPane #shapes { height: 1fr; }
    BiasPane #summary { height: 1fr; }
    BiasPane #maps { height: 1fr; scrollbar-size: 1 1; }
    BiasPane #detail { min-height: 1; }
    BiasPane Bars { height: 1fr; margin: 0 1; }
    BiasPane ArmMap { height: 1fr; padding: 0 1; }
    BiasPane ArmMap HeatMap { height: 1fr; }
    BiasPane ArmMap .arm { height: 1; text-style: bold; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.found: Found | None = None
        self.place = 0
        """In `VIEWS`."""
        self.variants: dict[str, int] = {}
        """By view the variant that is looked at."""
        self.minus = False
        """Whether differences from the baseline are shown."""

    def compose(self) -> ComposeResult:
        yield Static("", id="head", markup=False)
        yield Static("", id="heading", markup=False)
        yield Static("", id="detail", markup=False)
        with ContentSwitcher(initial="summary", id="shapes"):
            yield SummaryTable(id="summary", cursor_type="cell", zebra_stripes=True, fixed_columns=1)
            yield Bars(id="bars")
            with HorizontalScroll(id="maps", can_focus=False):
                for _ in range(MOST):
                    yield ArmMap()
        yield Static("", id="legend", markup=False)

    # the choice

    @property
    def view(self) -> View:
        return VIEWS[self.place]

    @property
    def variant(self) -> str:
        """What the variant that is shown is called."""
        names = list(self.view.variants)
        return names[self.variants.get(self.view.title, 0) % len(names)]

    @property
    def measure(self) -> str:
        return self.view.variants[self.variant]

    def key(self) -> tuple[Hashable, ...]:
        return self.choice.arms, self.task_name

    def facts(self) -> Sequence[tuple[str, str]]:
        facts = [(self.view.title, "m")]
        if len(self.view.variants) > 1:
            facts.append((self.variant, "r"))
        if len(self.choice.arms) > 1 and self.view.shape != "summary":
            facts.append(("minus baseline" if self.minus else "each arm", "d"))
        return facts

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing now are not shown."""
        if action == "filter":
            return False
        if action == "variant":
            return len(self.view.variants) > 1
        if action == "differences":
            return len(self.choice.arms) > 1 and self.view.shape != "summary"
        if action == "stop":
            return self.busy
        return super().check_action(action, parameters)

    def action_look(self, by: int) -> None:
        self.place = (self.place + by) % len(VIEWS)
        self.redraw()

    def action_variant(self) -> None:
        self.variants[self.view.title] = self.variants.get(self.view.title, 0) + 1
        self.redraw()

    def action_differences(self) -> None:
        self.minus = not self.minus
        self.redraw()

    # the results

    def working(self) -> str:
        return f"bias of {len(self.choice.arms)} arms with intervals, on {shown(self.task_name)}"

    def compute(self, key: tuple[Any, ...]) -> Found:
        arms, task = key
        store = self.reader.store
        return Found(bias_rows(store, arms, task), untrained_languages(store, arms, task))

    def clear(self) -> None:
        self.found = None
        self.summary.clear(columns=True)
        self.query_one(Bars).show(NO_BARS)
        for panel in self.query(ArmMap):
            panel.map.show(EMPTY)
            panel.entitle("")
        for name in ("#detail", "#legend"):
            self.query_one(name, Static).update("")

    def present(self, result: Found) -> None:
        self.found = result
        self.redraw()

    def redraw(self) -> None:
        """Show what is looked at."""
        self.draw_head()
        if self.found is None:
            return
        had_focus = self.app.focused is None or self in self.app.focused.ancestors
        self.query_one("#shapes", ContentSwitcher).current = self.view.shape
        {"summary": self.draw_summary, "bars": self.draw_bars, "maps": self.draw_maps}[self.view.shape]()
        self.say_heading(self.view.words)
        self.query_one("#legend", Static).update(self.legend())
        if had_focus:
            self.take_focus()
        self.tell()

    def take_focus(self) -> None:
        if self.view.shape == "maps" and self.found is not None:
            self.query(HeatMap).first().focus()
        elif self.view.shape == "bars":
            self.query_one(Bars).focus()
        else:
            self.summary.focus()

    @property
    def summary(self) -> DataTable[Text]:
        return self.query_one("#summary", DataTable)

    def current_rows(self) -> list[Row]:
        """What is shown, of the arms themselves or of their differences."""
        if self.found is None:
            return []
        rows = self.found.rows
        if self.view.shape == "summary":
            return [row for row in rows if measure_name(row) is not None]
        minus = self.minus and len(self.choice.arms) > 1
        rows = [row for row in rows if (row["against"] is not None) == minus]
        if self.view.shape == "bars":
            return bar_rows(rows, self.view, self.measure)
        return map_rows(rows, self.measure)

    def arm_name(self, arm: str, against: str | None) -> str:
        name = self.marked_name(arm, self.names)
        return f"{name} minus baseline" if against else name

    def draw_summary(self) -> None:
        rows = self.current_rows()
        lines, arms = summary_lines(rows), arms_in(rows)
        table = self.summary
        place = table.cursor_coordinate
        table.clear(columns=True)
        table.add_column(Text(""))
        for arm, against in arms:
            table.add_column(Text(self.arm_name(arm, against), justify="right"))
        for name, by_arm in lines.items():
            cells = [by_arm.get(arm) for arm in arms]
            texts = ["" if row is None else "undefined" if row["value"] is None else value_words(row) for row in cells]
            table.add_row(Text(name), *(Text(text, justify="right") for text in texts))
        table.cursor_coordinate = place if place.column else place.right()

    def draw_bars(self) -> None:
        rows = self.current_rows()
        noted: frozenset[str] = frozenset().union(*self.untrained().values())
        self.query_one(Bars).show(bar_table(rows, self.view, self.names, noted))

    def untrained(self) -> Mapping[str, frozenset[str]]:
        return self.found.untrained if self.found is not None else {}

    def draw_maps(self) -> None:
        rows = self.current_rows()
        minus = self.minus and len(self.choice.arms) > 1
        limits = limits_of(map_values(rows, self.measure, minus), minus or is_relative(self.measure))
        arms = arms_in(rows)
        for number, panel in enumerate(self.query(ArmMap)):
            panel.display = number < len(arms)
            if panel.display:
                arm, against = arms[number]
                noted = self.untrained().get(arm, frozenset()) | self.untrained().get(against or arm, frozenset())
                of_arm = [row for row in rows if row["arm"] == arm]
                panel.map.show(map_matrix(of_arm, self.measure, minus, limits, noted))
                panel.entitle(self.arm_name(arm, against))
        self.fit_maps()

    def fit_maps(self) -> None:
        """As many maps side by side as there is room for, each whole; where one is too wide it scrolls in itself."""
        panels = [panel for panel in self.query(ArmMap) if panel.display]
        needed = max((panel.map.virtual_size.width + 3 for panel in panels), default=1)
        beside = max(1, self.size.width // needed)
        for panel in panels:
            panel.styles.width = needed if beside >= len(panels) else max(20, self.size.width // beside)

    def on_resize(self, event: Resize) -> None:
        self.fit_maps()

    def legend(self) -> Text:
        found = self.found
        assert found is not None
        abouts = {row["about"] for row in found.rows if row["about"]}
        seeds = {row["seeds"] for row in found.rows if row["seeds"]}
        of = f"of the samplings, {min(seeds, default=0)} seeds"
        if abouts != {"samplings"}:
            roomy = self.size.width >= WIDE or self.view.shape == "summary"
            of = "questions only, one seed" + ": no claim about the samplings" * roomy
        parts = [f"95 % intervals: {of}"]
        if self.view.shape != "summary" and any(found.untrained.values()):
            parts.append("° not in training")
        if any(row["leaked"] for row in found.rows):
            parts.append(FOOTNOTE)
        return Text("   ".join(parts))

    # what the cursor is on

    def under_cursor(self) -> list[Row]:
        """The rows of all arms at the place of the cursor."""
        rows = self.current_rows()
        if self.view.shape == "summary":
            names = list(summary_lines(rows))
            place = self.summary.cursor_coordinate.row
            return list(summary_lines(rows)[names[place]].values()) if place < len(names) else []
        if self.view.shape == "bars":
            bars = self.query_one(Bars)
            label = bars.bars.labels[bars.cursor] if bars.bars.labels else ""
            return [row for row in rows if row[self.view.by] == ("*" if label == MEAN else label)]
        heat_map = self.front_map()
        row, column = heat_map.cursor
        if not heat_map.matrix.rows:
            return []
        query, passage = heat_map.matrix.rows[row], heat_map.matrix.columns[column]
        place_of = ("*" if query == MEAN else query, passage)
        return [one for one in rows if (one["query_language"], one["passage_language"]) == place_of]

    def front_map(self) -> HeatMap:
        """The one with the focus, else the first."""
        return next((one for one in self.query(HeatMap) if one.has_focus), self.query(HeatMap).first())

    def words(self) -> str:
        rows = self.under_cursor()
        if not rows:
            return ""
        first = rows[0]
        if self.view.shape == "summary":
            where = str(measure_name(first))
        else:
            query, passage = first["query_language"], first["passage_language"]
            parts = [f"query {'mean' if query == '*' else query}"] if self.view.by == "query_language" else []
            where = ", ".join([*parts, *([f"passage {passage}"] if passage != "*" else [])])
        said = "; ".join(f"{self.arm_name(row['arm'], row['against'])} {value_words(row)}" for row in rows)
        return f"{where}: {said}"

    def tell(self) -> None:
        self.query_one("#detail", Static).update(Text(self.words()))

    def on_heat_map_moved(self, event: HeatMap.Moved) -> None:
        event.stop()
        front = self.front_map()
        for panel in self.query(ArmMap):
            if panel.display and panel.map is not front:
                panel.map.cursor = front.cursor
        self.tell()

    def on_bars_moved(self, event: Bars.Moved) -> None:
        event.stop()
        self.tell()

    def on_data_table_cell_highlighted(self) -> None:
        if self.view.shape == "summary":
            self.tell()

    # what there is to take away

    def table(self) -> tuple[Sequence[str], Sequence[Row]] | None:
        rows = self.current_rows()
        return (list(rows[0]), rows) if rows else None

    def marked_text(self) -> str:
        return self.words()
