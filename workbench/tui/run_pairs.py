"""The heat map of a run: query language x pool language, any measure of any of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.widgets import Static

from workbench.records import ALL_POOLS
from workbench.reports.tables import figure, shown
from workbench.tui.pane import Row
from workbench.tui.widgets.heatmap import HeatMap, Matrix

if TYPE_CHECKING:
    from workbench.reports.run_view import Cells, RunView

ALL = "all"
"""The column of the multilingual setting."""
NO_CELLS = "no results yet: they come when the run has finished"


class RunMap(HeatMap):
    """As high as its rows, so that what is said of a cell stands below them; Enter leads nowhere from here."""

    def fit(self, room: int) -> None:
        self.styles.height = max(2, min(room, len(self.matrix.rows) + 1))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose" and super().check_action(action, parameters)


class PairsPart(Vertical):
    """Query language x pool language, any measure of any of the run's tasks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "measure(1)", "Measure"),
        Binding("M", "measure(-1)", "Measure back", show=False),
        Binding("t", "task", "Task", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.view: RunView | None = None
        self.of_task = ""
        self.measure = "map"

    def compose(self) -> ComposeResult:
        yield Static("", classes="part-title", markup=False)
        yield RunMap()
        yield Static("", classes="part-foot", markup=False)

    def show(self, view: RunView) -> None:
        self.view = view
        if self.of_task not in view.tasks:
            self.of_task = next(iter(view.tasks), "")
        if self.cells is not None and self.measure not in self.cells.values:
            self.measure = next(iter(self.cells.values))
        self.draw()

    @property
    def cells(self) -> Cells | None:
        return self.view.tasks.get(self.of_task) if self.view else None

    def draw(self) -> None:
        heat, title = self.query_one(RunMap), self.query_one(".part-title", Static)
        cells = self.cells
        heat.display = cells is not None
        if cells is None or self.view is None:
            title.update(Text(NO_CELLS))
            self.query_one(".part-foot", Static).update("")
            return
        rows, pools = cells.languages(self.measure)
        found = cells.values[self.measure]
        values = [[found.get((row, pool)) for pool in pools] for row in rows]
        marks = [["‡" if (row, pool) in cells.translated else "" for pool in pools] for row in rows]
        names = tuple(ALL if pool == ALL_POOLS else pool for pool in pools)
        room = (self.size.width - 8) // max(1, len(pools)) - 2
        unseen = self.view.unseen
        heat.show(Matrix(rows, names, values, cell_texts(values, marks, room), "query", noted=unseen))
        heat.fit(self.size.height - 3)
        many = f" ({len(cells.values)}, m next)"
        task = f"{shown(self.of_task)} (t next)" if len(self.view.tasks) > 1 else shown(self.of_task)
        title.update(Text(f"{self.measure}{many}   {task}   {ALL}: the pool of all languages together"))
        self.tell(rows[heat.cursor[0]], names[heat.cursor[1]])

    def tell(self, query: str, pool: str) -> None:
        """The cell under the cursor in words, and the marks."""
        if self.cells is None or self.view is None:
            return
        value = self.cells.values[self.measure].get((query, ALL_POOLS if pool == ALL else pool))
        parts = [f"queries {query}, passages {pool}: {self.measure} {'none' if value is None else shown(value)}"]
        if self.view.unseen:
            parts.append(f"° unseen in training: {' '.join(sorted(self.view.unseen))}")
        if self.cells.translated:
            parts.append("‡ some questions translated by machine")
        if self.view.leaked:
            parts.append("† trained on texts of the task")
        self.query_one(".part-foot", Static).update(Text("   ".join(parts)))

    def on_heat_map_moved(self, event: HeatMap.Moved) -> None:
        event.stop()
        self.tell(event.row, event.column)

    def on_resize(self, event: Resize) -> None:
        if self.view is not None:
            self.draw()

    def action_measure(self, by: int) -> None:
        if self.cells is not None:
            measures = list(self.cells.values)
            self.measure = measures[(measures.index(self.measure) + by) % len(measures)]
            self.draw()

    def action_task(self) -> None:
        if self.view is not None and len(self.view.tasks) > 1:
            tasks = list(self.view.tasks)
            self.of_task = tasks[(tasks.index(self.of_task) + 1) % len(tasks)]
            self.show(self.view)

    def exported(self) -> tuple[Sequence[str], Sequence[Row]] | None:
        if self.cells is None:
            return None
        rows, pools = self.cells.languages(self.measure)
        found = self.cells.values[self.measure]
        return ["query", *pools], [{"query": row, **{pool: found.get((row, pool)) for pool in pools}} for row in rows]

    def copied(self) -> str:
        return str(self.query_one(".part-foot", Static).content) if self.cells else ""


def cell_texts(values: Sequence[Sequence[float | None]], marks: Sequence[Sequence[str]], room: int) -> list[list[str]]:
    """Numbers with as many decimals as there is room for in all of them: four, three or two."""
    for decimals in (4, 3, 2):
        texts = [
            ["" if value is None else f"{written(value, decimals)}{mark}" for value, mark in zip(*line, strict=True)]
            for line in zip(values, marks, strict=True)
        ]
        if max((len(text) for line in texts for text in line), default=0) <= room:
            break
    return texts


def written(value: float, decimals: int) -> str:
    if abs(value) < 10 and decimals < 4:
        text = f"{value:.{decimals}f}"
        return text.replace("0.", ".", 1) if abs(value) < 1 and not text.startswith("1") else text
    return figure(value) if decimals > 2 else f"{value:.0f}"
