"""Parts of the Run screen: their names, the curves, what was drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from workbench.reports.tables import shown
from workbench.tui.pane import Row
from workbench.tui.run_pairs import RunMap
from workbench.tui.widgets.curves import Curve, Curves
from workbench.tui.widgets.heatmap import Matrix

if TYPE_CHECKING:
    from workbench.reports.run_view import Course

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

    def exported(self) -> tuple[Sequence[str], Sequence[Row]]:
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
