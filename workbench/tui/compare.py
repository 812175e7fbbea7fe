"""Arms against a baseline: the macro table, the map of language pairs, and the queries behind a cell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.widgets import ContentSwitcher, DataTable, Static

from workbench.records import ALL_POOLS
from workbench.reports.arm_choices import setting_means, untrained_languages
from workbench.reports.comparison_tables import published_rows
from workbench.reports.comparisons import Comparison, arm_cells, comparison
from workbench.reports.leakage import FOOTNOTE
from workbench.reports.overview import Row
from workbench.reports.tables import shown
from workbench.reports.translated import TRANSLATED_FOOTNOTE
from workbench.tui.arms_pane import ArmsPane, after
from workbench.tui.macro import Line, about, macro_lines, settings_in, tidy
from workbench.tui.pairs import ALL, cell_words, matrix_of
from workbench.tui.queries import QueriesView
from workbench.tui.widgets.heatmap import EMPTY, HeatMap

ROOMY = 42
"""Lines that it takes to show table and map together."""
HEAD_WIDTH = 18
"""Characters that the names in the table have at least."""


@dataclass(frozen=True)
class Compared:
    """What the screen shows."""

    means: list[Row]
    effects: list[Row]
    """Against the baseline."""
    cells: list[Row]
    """Differences from the baseline; with one arm its figures."""
    published: list[Row]
    untrained: Mapping[str, frozenset[str]]
    """By arm languages that no training pair was in."""


class ComparePane(ArmsPane):
    HELP: ClassVar[str] = (
        "Arms held against a baseline on one task.\n\n"
        "The table has the mean of each setting over seeds, and under each arm its difference from the baseline with "
        "a 95 % interval, p, and the smallest difference that such data find. With one seed these speak of the "
        "questions only. Published figures follow, marked as such; nothing is tested against them.\n\n"
        "The map has the difference of each language pair: query languages down, pool languages across, * all "
        "languages searched together. A * behind a figure: family-wise p below .05 over all cells, for these "
        "checkpoints only. A ring ° after a language: no training pair of one of the two arms was in it.\n\n"
        "a  choose the arms and the baseline\n"
        "t  the next task      m M  the next measure, the one before\n"
        "x  the next arm in the map      v  table or map, where there is no room for both\n"
        "tab  from table to map      arrows  move      enter  on a cell: its queries, those that moved most first\n"
        "esc  back from the queries; stops a computation\n"
        "y  copy the row or cell      e  export what is shown      /  filter the queries"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "measure(1)", "Measure"),
        Binding("M", "measure(-1)", "Measure back", show=False),
        Binding("x", "next_arm", "Next arm"),
        Binding("v", "view", "Table/map"),
    ]
    DEFAULT_CSS = """
    ComparePane #views, ComparePane #overview { height: 1fr; }
    ComparePane #macro { height: auto; max-height: 50%; }
    ComparePane #map { height: 1fr; min-height: 5; margin: 0 1; }
    ComparePane #title { height: auto; max-height: 2; padding: 0 1; margin-top: 1; text-style: bold; }
    ComparePane.low #macro { height: 1fr; max-height: 100%; }
    ComparePane.low #title { margin-top: 0; }
    ComparePane.low.map #heading { display: none; }
    ComparePane.low.map #heading.busy, ComparePane.low.map #heading.problem { display: block; }
    ComparePane.low.table #map, ComparePane.low.table #legend, ComparePane.low.table #title { display: none; }
    ComparePane.low.map #macro { display: none; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.measure = "map"
        self.compared: Compared | None = None
        self.lines: list[Line] = []
        self.arm = ""
        """The one that the map shows."""
        self.add_class("table")

    def compose(self) -> ComposeResult:
        yield Static("", id="head", markup=False)
        with ContentSwitcher(initial="overview", id="views"):
            with Vertical(id="overview"):
                yield Static("", id="heading", markup=False)
                yield DataTable(id="macro", cursor_type="row", zebra_stripes=True)
                yield Static("", id="title", markup=False)
                yield Static("", id="detail", markup=False)
                yield HeatMap(id="map")
                yield Static("", id="legend", markup=False)
            yield QueriesView(id="queries")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing now are not shown."""
        if action in ("measure", "task", "arms", "view") and self.in_queries:
            return False
        if action == "filter":
            return self.in_queries
        if action == "next_arm":
            return len(self.choice.arms) > 2
        if action == "stop":
            return self.in_queries or self.busy
        return super().check_action(action, parameters)

    # the choice

    def facts(self) -> Sequence[tuple[str, str]]:
        said = [(f"measure {self.measure}", "m")]
        if len(self.choice.arms) > 2 and self.arm:
            said.append((f"in the map {self.names.get(self.arm, '')}", "x"))
        return said

    def key(self) -> tuple[Hashable, ...]:
        return self.choice.arms, self.task_name, self.measure

    def settle(self) -> None:
        measures = self.choice.measures.get(self.task_name, ())
        if measures and self.measure not in measures:
            self.measure = measures[0]
        others = self.choice.arms[1:] or self.choice.arms
        if others and self.arm not in others:
            self.arm = others[0]
        super().settle()

    def action_measure(self, by: int) -> None:
        measures = list(self.choice.measures.get(self.task_name, ()))
        if measures:
            self.measure = after(measures, self.measure, by)
            self.settle()

    def action_next_arm(self) -> None:
        self.arm = after(self.choice.arms[1:], self.arm)
        self.draw_head()
        if self.in_queries:
            self.open_queries(self.queries.cell)
        elif self.compared is not None:
            self.draw_map()

    # the results

    def working(self) -> str:
        return f"randomisation tests of {len(self.choice.arms)} arms, {self.measure} on {shown(self.task_name)}"

    def compute(self, key: tuple[Any, ...]) -> Compared:
        store = self.reader.store
        arms, task, measure = key
        means = setting_means(store, arms, task, measure)
        published = published_rows(store, arms, measure, task)
        untrained = untrained_languages(store, arms, task)
        if len(arms) == 1:
            return Compared(means, [], arm_cells(store, arms[0], measure, task), published, untrained)
        found: Comparison = comparison(store, arms, measure, task)
        effects, cells = ([row for row in rows if row["against"] == arms[0]] for rows in (found.effects, found.cells))
        return Compared(means, effects, cells, published, untrained)

    def clear(self) -> None:
        self.compared = None
        self.lines = []
        self.macro.clear(columns=True)
        self.map.show(EMPTY)
        for name in ("#title", "#detail", "#legend"):
            self.query_one(name, Static).update("")

    def present(self, result: Compared) -> None:
        self.compared = result
        self.say_heading(about(result.effects))
        self.draw_macro()
        self.draw_map()
        self.on_data_table_row_highlighted()

    def draw_macro(self) -> None:
        found = self.compared
        if found is None:
            return
        self.lines = macro_lines(found.means, found.effects, found.published, self.names)
        settings = settings_in(found.means)
        place = self.macro.cursor_row
        self.macro.clear(columns=True)
        widths = [
            max(map(len, (setting, *(line.cells[n] for line in self.lines)))) for n, setting in enumerate(settings)
        ]
        room = max(HEAD_WIDTH, self.size.width - sum(width + 2 for width in widths) - 4)
        self.macro.add_column(Text(f"{self.measure}, mean ±sd"))
        for setting, width in zip(settings, widths, strict=True):
            self.macro.add_column(Text(setting.replace("_", "-"), justify="right"), width=width)
        for line in self.lines:
            style = {"arm": "bold", "published": "italic", "heading": "italic bold"}.get(line.kind, "")
            head = Text(line.head, style, no_wrap=True)
            head.truncate(room, overflow="ellipsis")
            self.macro.add_row(head, *(Text(cell, style, justify="right") for cell in line.cells))
        self.macro.move_cursor(row=min(place, len(self.lines) - 1), animate=False)

    def draw_map(self) -> None:
        found = self.compared
        if found is None:
            return
        several = bool(found.effects)
        rows = [row for row in found.cells if not several or row["arm"] == self.arm]
        unseen = found.untrained.get(self.arm, frozenset())
        if several:
            unseen |= found.untrained.get(self.choice.arms[0], frozenset())
        self.map.show(matrix_of(rows, "difference" if several else "mean", unseen))
        what = self.names[self.arm]
        if several:
            what += f" minus {self.names[self.choice.arms[0]]}"
        title = f"{shown(what)}: query languages down, pools across"
        self.query_one("#title", Static).update(Text(title))
        self.query_one("#legend", Static).update(self.legend(rows, several, unseen))
        if self.map.has_focus:
            self.tell_cell(*self.map.cursor)

    def legend(self, rows: Sequence[Row], several: bool, unseen: frozenset[str]) -> Text:
        parts = []
        if several:
            parts.append("* family-wise p < .05, these checkpoints only")
        if unseen & {name for row in rows for name in (row["query_language"], row["pool_language"])}:
            parts.append("° not in training")
        if any(row["translated"] for row in rows):
            parts.append(TRANSLATED_FOOTNOTE)
        if self.choice.leaked & set(self.choice.arms):
            parts.append(FOOTNOTE)
        return Text("   ".join(parts))

    # what the cursor is on

    @property
    def macro(self) -> DataTable[Text]:
        return self.query_one("#macro", DataTable)

    @property
    def map(self) -> HeatMap:
        return self.query_one("#map", HeatMap)

    @property
    def queries(self) -> QueriesView:
        return self.query_one(QueriesView)

    @property
    def views(self) -> ContentSwitcher:
        return self.query_one("#views", ContentSwitcher)

    @property
    def in_queries(self) -> bool:
        return self.is_mounted and self.views.current == "queries"

    def tell(self, text: str) -> None:
        self.query_one("#detail", Static).update(Text(text))

    def on_data_table_row_highlighted(self) -> None:
        if self.lines and not self.map.has_focus:
            self.tell(self.lines[min(self.macro.cursor_row, len(self.lines) - 1)].detail)

    def cell(self, row: int, column: int) -> Row | None:
        """The row of a cell of the map."""
        shown_map = self.map.matrix
        if self.compared is None or not shown_map.rows:
            return None
        pool = shown_map.columns[column]
        place = shown_map.rows[row], ALL_POOLS if pool == ALL else pool
        several = bool(self.compared.effects)
        cells = (one for one in self.compared.cells if not several or one["arm"] == self.arm)
        return next((one for one in cells if (one["query_language"], one["pool_language"]) == place), None)

    def tell_cell(self, row: int, column: int) -> None:
        found = self.cell(row, column)
        self.tell("there is no such cell" if found is None else cell_words(found, self.names))

    def on_heat_map_moved(self, event: HeatMap.Moved) -> None:
        event.stop()
        if self.map.has_focus:
            self.tell_cell(*self.map.cursor)

    def on_descendant_focus(self) -> None:
        if self.map.has_focus:
            self.tell_cell(*self.map.cursor)
            self.be("map")
        elif self.macro.has_focus:
            self.on_data_table_row_highlighted()
            self.be("table")

    # views

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.height < ROOMY, "low")
        if self.compared is not None:
            self.draw_macro()

    def take_focus(self) -> None:
        if self.in_queries:
            self.queries.paged.data.focus()
        else:
            (self.map if self.has_class("map") else self.macro).focus()

    def action_view(self) -> None:
        self.be("map" if self.has_class("table") else "table")
        self.take_focus()

    def be(self, view: str) -> None:
        """Show the table or the map, where there is no room for both."""
        self.set_class(view == "map", "map")
        self.set_class(view == "table", "table")

    def on_heat_map_chosen(self, event: HeatMap.Chosen) -> None:
        event.stop()
        found = self.cell(*self.map.cursor)
        if found is None:
            self.app.say("there is no such cell")
        elif found.get("against") is None:
            self.app.say("one arm alone moves no query: choose a second one by a")
        else:
            self.open_queries((found["setting"], found["query_language"], found["pool_language"]))

    def open_queries(self, cell: tuple[str, str, str]) -> None:
        view = self.queries
        self.views.current = "queries"
        self.refresh_bindings()
        view.open(cell, self.names)
        store, arm, against, task = self.reader.store, self.arm, self.choice.arms[0], self.task_name
        self.load(partial(view.read, store, arm, against, task, cell), view.show, group="queries")

    def action_stop(self) -> None:
        if self.in_queries:
            self.workers.cancel_group(self, "queries")
            self.views.current = "overview"
            self.map.focus()
            self.refresh_bindings()
        else:
            super().action_stop()

    # what there is to take away

    def action_filter(self) -> None:
        self.queries.open_filter()

    def table(self) -> tuple[Sequence[str], Sequence[Mapping[str, Any]]] | None:
        if self.in_queries:
            return self.queries.table()
        found = self.compared
        if found is None:
            return None
        if self.map.has_focus:
            rows = [row for row in found.cells if row["arm"] == self.arm] if found.effects else found.cells
        else:
            rows = tidy(found.means, found.effects, found.published)
        return (list(rows[0]), rows) if rows else None

    def marked_text(self) -> str:
        if self.in_queries:
            return self.queries.marked_text()
        if self.map.has_focus:
            found = self.cell(*self.map.cursor)
            return "" if found is None else cell_words(found, {arm: arm for arm in self.choice.arms})
        if not self.lines:
            return ""
        line = self.lines[min(self.macro.cursor_row, len(self.lines) - 1)]
        return "\t".join((line.head.strip(), *line.cells))
