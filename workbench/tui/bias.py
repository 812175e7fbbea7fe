"""The bias between languages of some arms, side by side: tables, bars and maps."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Static

from workbench.reports.arm_choices import LEAST_NAME, untrained_languages
from workbench.reports.bias import bias_rows
from workbench.reports.overview import Row
from workbench.reports.tables import shown
from workbench.tui.arms_pane import ArmsPane
from workbench.tui.bias_maps import ArmMaps
from workbench.tui.bias_summary import SummaryTable
from workbench.tui.bias_views import (
    MEAN,
    VIEWS,
    View,
    arms_in,
    bar_rows,
    bar_table,
    is_relative,
    legend_words,
    limits_of,
    map_matrix,
    map_rows,
    map_values,
    measure_name,
    value_words,
    where_words,
)
from workbench.tui.widgets.bars import NO_BARS, Bars
from workbench.tui.widgets.heatmap import HeatMap

WIDE = 100
"""Cells that it takes to say all below."""
SUMMARY_NAME = 26
"""Characters of an arm's name over a column of figures with intervals."""
MAP_NAME = 28
"""Over its map, beside what else stands there."""


@dataclass(frozen=True)
class Found:
    """What the screen shows."""

    rows: list[Row]
    untrained: Mapping[str, frozenset[str]]
    """By arm languages that no training pair was in."""


class BiasPane(ArmsPane):
    HELP: ClassVar[str] = (
        "Which language queries find their answer in, when all languages are searched together; arms side by side.\n\n"
        "m M  the next thing to look at, the one before: a summary,\n"
        "     rank distance, language share@10 and @100, own language\n"
        "     first, rank by passage language and by language pair,\n"
        "     language cost, agreement of queries\n"
        "r    another variant of it: raw or relative, mean or median\n"
        "d    the arms' own figures, or their differences from the\n"
        "     baseline, with intervals\n"
        "a    choose the arms and the baseline\n"
        "t    the next task\n"
        "tab  the next map; the cursor moves in all maps alike\n"
        "y e  copy the figures under the cursor, export what is shown\n\n"
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
    BiasPane #detail { min-height: 1; }
    BiasPane Bars { height: 1fr; margin: 0 1; }
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
            yield SummaryTable(id="summary")
            yield Bars(id="bars")
            yield ArmMaps(id="maps")
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
        self.summary.show((), {})
        self.bars.show(NO_BARS)
        self.maps.show((), ())
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
        self.query_one("#legend", Static).update(Text(self.legend()))
        if had_focus:
            self.take_focus()
        self.tell()

    def take_focus(self) -> None:
        if self.view.shape == "maps" and self.found is not None:
            self.maps.front.focus()
        elif self.view.shape == "bars":
            self.bars.focus()
        else:
            self.summary.focus()

    @property
    def summary(self) -> SummaryTable:
        return self.query_one(SummaryTable)

    @property
    def bars(self) -> Bars:
        return self.query_one(Bars)

    @property
    def maps(self) -> ArmMaps:
        return self.query_one(ArmMaps)

    @property
    def shows_differences(self) -> bool:
        return self.minus and len(self.choice.arms) > 1

    def current_rows(self) -> list[Row]:
        """What is shown, of the arms themselves or of their differences."""
        if self.found is None:
            return []
        rows = self.found.rows
        if self.view.shape == "summary":
            return [row for row in rows if measure_name(row) is not None]
        rows = [row for row in rows if (row["against"] is not None) == self.shows_differences]
        if self.view.shape == "bars":
            return bar_rows(rows, self.view, self.measure)
        return map_rows(rows, self.measure)

    def arm_name(self, arm: str, against: str | None, names: Mapping[str, str]) -> str:
        name = self.marked_name(arm, names)
        return f"{name} minus baseline" if against else name

    def draw_summary(self) -> None:
        rows, names = self.current_rows(), self.fitted(SUMMARY_NAME)
        self.summary.show(rows, {(arm, against): self.arm_name(arm, against, names) for arm, against in arms_in(rows)})

    def draw_bars(self) -> None:
        noted: frozenset[str] = frozenset().union(*self.untrained().values())
        names = self.fitted(self.size.width // 4)
        self.bars.show(bar_table(self.current_rows(), self.view, names, noted))

    def untrained(self) -> Mapping[str, frozenset[str]]:
        return self.found.untrained if self.found is not None else {}

    def draw_maps(self) -> None:
        rows, minus = self.current_rows(), self.shows_differences
        limits = limits_of(map_values(rows, self.measure, minus), minus or is_relative(self.measure))
        names = self.fitted(MAP_NAME)
        matrices = []
        for arm, against in arms_in(rows):
            noted = self.untrained().get(arm, frozenset()) | self.untrained().get(against or arm, frozenset())
            of_arm = [row for row in rows if row["arm"] == arm]
            matrices.append(map_matrix(of_arm, self.measure, minus, limits, noted))
        self.maps.show([self.arm_name(arm, against, names) for arm, against in arms_in(rows)], matrices)

    def on_resize(self) -> None:
        self.redraw()

    def legend(self) -> str:
        found, is_summary = self.found, self.view.shape == "summary"
        assert found is not None
        roomy = is_summary or self.size.width >= WIDE
        return legend_words(found.rows, roomy, noted=not is_summary and any(found.untrained.values()))

    # what the cursor is on

    def under_cursor(self) -> list[Row]:
        """The rows of all arms at the place of the cursor."""
        rows = self.current_rows()
        if self.view.shape == "summary":
            return self.summary.under_cursor
        if self.view.shape == "bars":
            label = self.bars.bars.labels[self.bars.cursor] if self.bars.bars.labels else ""
            return [row for row in rows if row[self.view.by] == ("*" if label == MEAN else label)]
        front = self.maps.front
        row, column = front.cursor
        if not front.matrix.rows:
            return []
        query, passage = front.matrix.rows[row], front.matrix.columns[column]
        place_of = ("*" if query == MEAN else query, passage)
        return [one for one in rows if (one["query_language"], one["passage_language"]) == place_of]

    def words(self, names: Mapping[str, str]) -> str:
        """The figures under the cursor, of all arms."""
        rows = self.under_cursor()
        if not rows:
            return ""
        said = "; ".join(f"{self.arm_name(row['arm'], row['against'], names)} {value_words(row)}" for row in rows)
        return f"{where_words(self.view, rows[0])}: {said}"

    def tell(self) -> None:
        self.query_one("#detail", Static).update(Text(self.words(self.fitted(LEAST_NAME))))

    def on_heat_map_moved(self, event: HeatMap.Moved) -> None:
        event.stop()
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
        return self.words(self.names)
