"""Curves over training steps, in characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.events import Resize
from textual.widgets import Static


@dataclass(frozen=True)
class Curve:
    """One line."""

    label: str
    x: Sequence[float]
    y: Sequence[float]


class Curves(Static):
    """Drawn by plotext to the size of the widget."""

    def __init__(self, title: str, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self.heading = title
        self.curves: Sequence[Curve] = ()

    def show(self, curves: Sequence[Curve]) -> None:
        self.curves = [curve for curve in curves if len(curve.x)]
        self.draw()

    def on_resize(self, event: Resize) -> None:
        self.draw()

    def draw(self) -> None:
        width, height = self.size
        if width < 20 or height < 5:
            return
        if not self.curves:
            self.update(Text(f"{self.heading}: nothing yet"))
            return
        self.update(drawn(self.heading, self.curves, width, height))


def drawn(title: str, curves: Sequence[Curve], width: int, height: int) -> Text:
    """The picture; plotext keeps one figure a process, which is cleared first."""
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.title(title)
    for curve in curves:
        plotext.plot(list(curve.x), list(curve.y), label=curve.label if len(curves) > 1 else None, marker="braille")
    return Text.from_ansi(plotext.build())
