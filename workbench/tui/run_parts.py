"""The parts of the Run screen: heat map, curves, draws, log, texts. Each is handed a run and shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import Resize
from textual.message import Message
from textual.widgets import Input, RichLog, Static

from workbench.records import ALL_POOLS
from workbench.reports.tables import figure, shown
from workbench.tui.widgets.curves import Curve, Curves
from workbench.tui.widgets.heatmap import HeatMap, Matrix

if TYPE_CHECKING:
    from workbench.reports.run_view import Cells, Course, RunView

Row = Mapping[str, Any]
Exported = tuple[Sequence[str], Sequence[Row]]
ALL = "all"
"""The column of the multilingual setting."""
LOG_LINES = 1000
"""Of the log, the last ones that are shown."""
NO_CELLS = "no results yet: they come when the run has finished"
POINTS = 400
"""Of a curve; more than a terminal has columns."""


class ViewBar(Static):
    """The names of the parts with their keys; the one in front stands out. A click goes there."""

    DEFAULT_CSS = "ViewBar { link-style: none; link-color: $foreground; link-style-hover: bold; }"

    class Picked(Message):
        """A click on a part's name."""

        def __init__(self, part: str) -> None:
            super().__init__()
            self.part = part

    def __init__(self, parts: Mapping[str, tuple[str, str]], id: str) -> None:
        super().__init__("", id=id, markup=False)
        self.parts = parts
        """By name its key and its title."""

    def show(self, current: str) -> None:
        text = Text(no_wrap=True, overflow="ellipsis")
        for name, (key, title) in self.parts.items():
            style = Style(bold=name == current, reverse=name == current)
            text.append(f" {key} {title} ", style + Style.from_meta({"@click": f"pick('{name}')"}))
            text.append(" ")
        self.update(text)

    def action_pick(self, part: str) -> None:
        self.post_message(self.Picked(part))


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

    def exported(self) -> Exported | None:
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


class CurvesPart(Vertical):
    """Loss, learning rate and speed over the steps."""

    def compose(self) -> ComposeResult:
        yield Curves("loss", id="curve-loss")
        with Horizontal():
            yield Curves("learning rate", id="curve-rate")
            yield Curves("pairs per second", id="curve-speed")

    def show(self, course: Course) -> None:
        loss = [Curve("training", *thinned(*course.curve("loss")))]
        held_out = course.curve("validation_loss")
        if held_out[0]:
            loss.append(Curve("validation", *thinned(*held_out)))
        self.query_one("#curve-loss", Curves).show(loss)
        rate, speed = course.curve("learning_rate"), course.curve("pairs_per_second")
        self.query_one("#curve-rate", Curves).show([Curve("learning rate", *thinned(*rate))])
        self.query_one("#curve-speed", Curves).show([Curve("pairs per second", *thinned(*speed))])


def thinned(x: Sequence[int], y: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """Every n-th point, so that few enough are drawn; the last one among them."""
    every = -(-len(x) // POINTS) or 1
    return x[::-1][::every][::-1], y[::-1][::every][::-1]


class DrawnPart(Vertical):
    """What the sampler really drew: kinds of batches, and pairs by languages."""

    pairs: Sequence[Row] = ()

    def compose(self) -> ComposeResult:
        yield Static("", classes="part-title", markup=False)
        yield RunMap()

    def show(self, batches: Sequence[Row], pairs: Sequence[Row]) -> None:
        self.pairs = pairs
        self.query_one(".part-title", Static).update(batch_lines(batches, bool(pairs)))
        heat = self.query_one(RunMap)
        heat.display = bool(pairs)
        queries = sorted({row["query_language"] for row in pairs})
        passages = sorted({row["passage_language"] for row in pairs})
        counts = {(row["query_language"], row["passage_language"]): row["pairs"] for row in pairs}
        values = [[counts.get((a, b)) for b in passages] for a in queries]
        texts = [["" if value is None else short_count(value) for value in line] for line in values]
        heat.show(Matrix(queries, passages, values, texts, "query"))

    def exported(self) -> Exported:
        return ["query_language", "passage_language", "pairs"], self.pairs


def batch_lines(batches: Sequence[Row], has_pairs: bool) -> Text:
    """A line a kind of batch, with a bar of its share."""
    text = Text()
    if not batches:
        return Text("nothing drawn yet, or the run trained on nothing")
    total = sum(row["batches"] for row in batches) or 1
    names = [" ".join(filter(None, (shown(row["training_set"]), shown(row["kind"])))) for row in batches]
    for row, name in zip(batches, names, strict=True):
        part = row["batches"] / total
        bar = "━" * round(20 * part)
        text.append(f"{name:{max(map(len, names))}}  {bar:20} {row['batches']:>7} batches {part:5.1%}\n")
    said = "pairs drawn: query language x passage language"
    text.append(said if has_pairs else "pairs by languages are told at the next checkpoint")
    return text


def short_count(value: float) -> str:
    """`704`, `12.3k`, `4.56M`"""
    for size, letter in ((1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e6 if letter == 'M' else 1e3):.3g}{letter}"
    return f"{value:.0f}"


class LogPart(Vertical):
    """What the run has said, the newest last; `/` shows the lines with some text in them."""

    DEFAULT_CSS = """
    LogPart Input { display: none; height: 1; border: none; padding: 0 1; }
    LogPart Input.open { display: block; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.lines: Sequence[str] = ()
        self.wanted = ""
        self._written = 0
        self._output = ""

    def compose(self) -> ComposeResult:
        yield Input(placeholder="lines with this text in them; esc ends it", compact=True)
        yield RichLog(markup=False, highlight=False, wrap=True, min_width=20, max_lines=LOG_LINES)

    def show(self, lines: Sequence[str], output: str, *, anew: bool) -> None:
        """`anew`: it is another run; else the lines only grow."""
        self.lines = lines
        if anew or output != self._output or len(lines) < self._written:
            self._output = output
            self.rewrite()
        else:
            self.write(lines[self._written :])
        self._written = len(lines)

    def rewrite(self) -> None:
        self.query_one(RichLog).clear()
        printed = [f"worker: {line}" for line in self._output.splitlines()]
        self.write([*self.lines, *printed])

    def write(self, lines: Sequence[str]) -> None:
        log = self.query_one(RichLog)
        for line in self.matching(lines)[-LOG_LINES:]:
            text = Text(printable(line))
            if self.wanted:
                text.highlight_words([self.wanted], Style(reverse=True, bold=True), case_sensitive=False)
            log.write(text)

    def matching(self, lines: Sequence[str]) -> list[str]:
        wanted = self.wanted.casefold()
        return [line for line in lines if wanted in line.casefold()]

    def search(self) -> None:
        entry = self.query_one(Input)
        entry.add_class("open")
        entry.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.wanted = event.value
        self.rewrite()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.input.set_class(bool(event.value), "open")
        self.query_one(RichLog).focus()

    def on_key(self, event) -> None:  # type: ignore[no-untyped-def]
        entry = self.query_one(Input)
        if event.key == "escape" and entry.has_class("open"):
            event.stop()
            entry.value = ""
            entry.remove_class("open")
            self.query_one(RichLog).focus()

    def exported(self) -> Exported:
        return ["line"], [{"line": line} for line in self.matching(self.lines)]


class TextPart(VerticalScroll, can_focus=True):
    """A text that is scrolled."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.text = ""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)

    def show(self, text: str, empty: str) -> None:
        if text != self.text or not text:
            self.text = text
            self.query_one(Static).update(Text("\n".join(map(printable, text.splitlines())) or empty))

    def exported(self) -> Exported:
        return ["line"], [{"line": line} for line in self.text.splitlines()]


def printable(line: str) -> str:
    """A line as it is, indented as it is, without what steers a terminal."""
    body = line.lstrip(" ")
    return " " * (len(line) - len(body)) + "".join(letter for letter in body if letter.isprintable())
