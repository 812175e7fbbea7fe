"""Arms against a baseline: the macro table, the map of language pairs, and the queries behind a cell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import ContentSwitcher, Static

from workbench.records import ALL_POOLS
from workbench.reports.overview import Row
from workbench.reports.tables import shown
from workbench.tui.arms_pane import ArmsPane, after
from workbench.tui.compared import Compared, read_compared
from workbench.tui.macro import MacroTable, about, macro_lines, settings_in, tidy
from workbench.tui.pairs import ALL, cell_words, legend_words, matrix_of
from workbench.tui.queries import QueriesView
from workbench.tui.widgets.heatmap import EMPTY, HeatMap

ROOMY = 42
"""Lines that it takes to show table and map together."""


class ComparePane(ArmsPane):
    HELP: ClassVar[str] = (
        "Arms held against a baseline on one task.\n\n"
        "The table has the mean of each setting over seeds, and under each arm its difference from the baseline with "
        "a 95 % interval, p, and the smallest difference that such data find. With one seed these speak of the "
        "questions only. Published figures follow, marked as such; nothing is tested against them.\n\n"
        "The map has the difference of each language pair: query languages down, pool languages across, "
        "`all` is all languages searched together. A * behind a figure: family-wise p below .05 over all cells, for "
        "these checkpoints only. A ring ° after a language: no training pair of one of the two arms was in it.\n\n"
        "a      choose the arms and the baseline\n"
        "t      the next task\n"
        "m M    the next measure, the one before\n"
        "x      the next arm in the map\n"
        "v      table or map, where there is room for one only\n"
        "tab    from the table to the map\n"
        "enter  on an arm: its map; on a cell: its queries, those\n"
        "       that moved most first; on a query: to its texts\n"
        "esc    back from the queries; stops a computation\n"
        "/      filter the queries\n"
        "y e    copy the row or cell, export what is shown"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "measure(1)", "Measure"),
        Binding("M", "measure(-1)", "Measure back", show=False),
        Binding("x", "next_arm", "Next arm"),
        Binding("v", "view", "View"),
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
        self.arm = ""
        """The one that the map shows."""
        self.add_class("table")

    def compose(self) -> ComposeResult:
        yield Static("", id="head", markup=False)
        with ContentSwitcher(initial="overview", id="views"):
            with Vertical(id="overview"):
                yield Static("", id="heading", markup=False)
                yield MacroTable(id="macro")
                yield Static("", id="title", markup=False)
                yield HeatMap(id="map")
                yield Static("", id="detail", markup=False)
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
            name = self.fitted(self.size.width // 3).get(self.arm, "")
            said.append((f"in the map {shown(name)}", "x"))
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
        else:
            self.draw_map()

    def on_macro_table_map_wanted(self, event: MacroTable.MapWanted) -> None:
        event.stop()
        if event.arm in self.choice.arms[1:]:
            self.arm = event.arm
            self.draw_head()
            self.draw_map()
        self.be("map")
        self.take_focus()

    # the results

    def working(self) -> str:
        return f"randomisation tests of {len(self.choice.arms)} arms, {self.measure} on {shown(self.task_name)}"

    def compute(self, key: tuple[Any, ...]) -> Compared:
        arms, task, measure = key
        return read_compared(self.reader.store, arms, task, measure)

    def clear(self) -> None:
        self.compared = None
        self.macro.show("", (), (), 0, self.fitted)
        self.map.show(EMPTY)
        for name in ("#title", "#detail", "#legend"):
            self.query_one(name, Static).update("")

    def present(self, result: Compared) -> None:
        self.compared = result
        self.say_heading(about(result.effects, result.means))
        self.draw_macro()
        self.draw_map()
        self.on_data_table_row_highlighted()

    def draw_macro(self) -> None:
        found = self.compared
        if found is None:
            return
        lines = macro_lines(found.means, found.effects, found.published, self.names)
        title = f"{self.measure}, mean ±sd"
        self.macro.show(title, settings_in(found.means), lines, self.size.width, self.fitted)

    def draw_map(self) -> None:
        found = self.compared
        if found is None:
            return
        rows, unseen = found.cells_of(self.arm), found.unseen(self.arm)
        self.map.show(matrix_of(rows, "difference" if found.several else "mean", unseen))
        # what is said of a cell stands below the map, not at the screen's end
        self.map.styles.max_height = len(self.map.matrix.rows) + 2
        names = self.fitted(self.size.width // 2 - 4)
        what = names[self.arm]
        if found.several:
            what += f" minus {names[self.choice.arms[0]]}"
        self.query_one("#title", Static).update(Text(f"{shown(what)}: query languages down, pools across"))
        leaked = bool(self.choice.leaked & set(self.choice.arms))
        self.query_one("#legend", Static).update(Text(legend_words(rows, unseen, leaked)))
        if self.map.has_focus:
            self.tell_cell(*self.map.cursor)

    # what the cursor is on

    @property
    def macro(self) -> MacroTable:
        return self.query_one(MacroTable)

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
        self.refresh_bindings()
        if self.macro.current is not None and not self.map.has_focus:
            self.tell(self.macro.current.detail)

    def cell(self, row: int, column: int) -> Row | None:
        """The row of a cell of the map."""
        shown_map = self.map.matrix
        if self.compared is None or not shown_map.rows:
            return None
        pool = shown_map.columns[column]
        return self.compared.cell(self.arm, shown_map.rows[row], ALL_POOLS if pool == ALL else pool)

    def tell_cell(self, row: int, column: int) -> None:
        found = self.cell(row, column)
        self.tell("there is no such cell" if found is None else cell_words(found, self.fitted(self.size.width // 3)))

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

    def on_resize(self) -> None:
        self.set_class(self.size.height < ROOMY, "low")
        self.draw_macro()
        self.draw_map()

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
        view.open(cell, self.fitted(self.size.width // 2))
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
        on_map = self.map.has_focus
        rows = found.cells_of(self.arm) if on_map else tidy(found.means, found.effects, found.published)
        return (list(rows[0]), rows) if rows else None

    def marked_text(self) -> str:
        if self.in_queries:
            return self.queries.marked_text()
        if self.map.has_focus:
            found = self.cell(*self.map.cursor)
            return "" if found is None else cell_words(found, {arm: arm for arm in self.choice.arms})
        line = self.macro.current
        return "" if line is None else "\t".join((line.head.strip(), *line.cells))
