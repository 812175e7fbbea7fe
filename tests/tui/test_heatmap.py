"""The heat map and the bars: cells, cursors, what does not fit."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App, ComposeResult

from workbench.tui.widgets.bars import Bar, Bars, BarTable
from workbench.tui.widgets.heatmap import HeatMap, Matrix, cell_text


def squares(size: int = 3, *, diverging: bool = False) -> Matrix:
    """Row by row -1, 0, 1 ... or their like; the cell in the first row's second column is missing."""
    labels = [f"l{n}" for n in range(size)]
    values: list[list[float | None]] = [[(row - column) / size for column in range(size)] for row in range(size)]
    values[0][1] = None
    texts = [["" if value is None else f"{value:+.2f}" for value in line] for line in values]
    return Matrix(labels, labels, values, texts, diverging=diverging, noted=frozenset({"l1"}))


class Shown(App[None]):
    """One widget and what it said."""

    def __init__(self, widget: HeatMap | Bars) -> None:
        super().__init__()
        self.widget = widget
        self.said: list[Any] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_heat_map_moved(self, event: HeatMap.Moved) -> None:
        self.said.append(("moved", event.row, event.column))

    def on_heat_map_chosen(self, event: HeatMap.Chosen) -> None:
        self.said.append(("chosen", event.row, event.column))

    def on_bars_moved(self, event: Bars.Moved) -> None:
        self.said.append(event.label)

    def lines(self) -> list[str]:
        return [self.widget.render_line(y).text.rstrip() for y in range(self.widget.size.height)]


async def test_keys_move_and_choose() -> None:
    app = Shown(HeatMap())
    async with app.run_test(size=(60, 10)) as pilot:
        app.widget.show(squares())  # type: ignore[arg-type]
        app.widget.focus()
        await pilot.press("right", "right", "right", "down", "up", "up", "left", "enter")
        await pilot.pause()
    assert app.said == [
        ("moved", "l0", "l1"),
        ("moved", "l0", "l2"),
        ("moved", "l1", "l2"),
        ("moved", "l0", "l2"),
        ("moved", "l0", "l1"),
        ("chosen", "l0", "l1"),
    ]


async def test_what_is_drawn() -> None:
    """Labels with their rings, numbers under their columns, nothing where there is no cell, the cursor in brackets."""
    app = Shown(HeatMap())
    async with app.run_test(size=(60, 10)) as pilot:
        app.widget.show(squares())  # type: ignore[arg-type]
        app.widget.focus()
        await pilot.pause()
        lines = app.lines()
    assert lines[:4] == [
        "        l0    l1°     l2",
        "l0  [+0.00]        -0.67",
        "l1°  +0.33  +0.00  -0.33",
        "l2   +0.67  +0.33  +0.00",
    ]


async def test_columns_are_shown_whole() -> None:
    """Where not all have room, those that have; the cursor brings the others."""
    app = Shown(HeatMap())
    async with app.run_test(size=(40, 6)) as pilot:
        heat_map = app.widget
        assert isinstance(heat_map, HeatMap)
        heat_map.show(squares(20))
        heat_map.focus()
        await pilot.pause()
        assert heat_map.seen == range(5)
        for column in range(1, 20):
            await pilot.press("right")
            await pilot.pause()
            assert column in heat_map.seen and len(heat_map.seen) == 5
            assert all(len(line) <= 40 for line in app.lines())
        await pilot.press(*["down"] * 19)
        await pilot.pause()
        assert heat_map.cursor == (19, 19) and any(line.startswith("l19") for line in app.lines())
        await pilot.click(offset=(6, 1))
        assert heat_map.cursor[1] == heat_map.seen.start


async def test_colours_and_none(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Shown(HeatMap())
    async with app.run_test(size=(60, 10)) as pilot:
        heat_map = app.widget
        assert isinstance(heat_map, HeatMap)
        heat_map.show(squares(diverging=True))
        await pilot.pause()
        assert heat_map.colour(0.0).bgcolor == heat_map.colour(1e-9).bgcolor
        low, high = (heat_map.colour(end).bgcolor for end in heat_map.matrix.bounds)
        assert low != high and heat_map.matrix.bounds[0] == -heat_map.matrix.bounds[1]
        monkeypatch.setenv("NO_COLOR", "1")
        assert heat_map.colour(0.5).bgcolor is None


async def test_nothing_and_less() -> None:
    """An empty map; the cursor of a large one in a small one."""
    app = Shown(HeatMap())
    async with app.run_test(size=(60, 10)) as pilot:
        heat_map = app.widget
        assert isinstance(heat_map, HeatMap)
        heat_map.focus()
        await pilot.press("down", "enter")
        heat_map.show(squares(9))
        heat_map.cursor = 8, 8
        heat_map.show(squares(2))
        assert heat_map.cursor == (1, 1)
        heat_map.show(Matrix((), (), (), ()))
        await pilot.pause()
    assert ("chosen", "l0", "l0") not in app.said


def test_bounds() -> None:
    shared = Matrix(("a",), ("b",), ((0.5,),), ((".5",),), limits=(0.0, 2.0))
    assert shared.bounds == (0.0, 2.0) and Matrix((), (), (), ()).bounds == (0.0, 1.0)


@pytest.mark.parametrize(
    ("value", "signs", "text"),
    [
        (0.1234, False, ".123"),
        (0.1234, True, "+.123"),
        (-0.1234, True, "-.123"),
        (-0.0001, True, ".000"),
        (1.234, True, "+1.23"),
        (123.45, False, "123.5"),
    ],
)
def test_three_digits(value: float, signs: bool, text: str) -> None:
    assert cell_text(value, signs=signs) == text


def bars_of(*values: tuple[float | None, ...]) -> BarTable:
    labels = [f"l{n}" for n in range(len(values))]
    bars = [[Bar(value, "none" if value is None else f"{value:.1f}") for value in line] for line in values]
    return BarTable(labels, ["first", "second"][: len(values[0])], bars, noted=frozenset({"l1"}))


async def test_bars() -> None:
    """Lengths in proportion, series told apart by what they are made of, a word where there is no value."""
    app = Shown(Bars())
    async with app.run_test(size=(60, 12)) as pilot:
        bars = app.widget
        assert isinstance(bars, Bars)
        bars.show(bars_of((10.0, 20.0), (None, 5.0)))
        bars.focus()
        await pilot.pause()
        lines = app.lines()
        await pilot.press("down", "down", "up")
        await pilot.pause()
    assert lines[0].startswith("▸ l0") and lines[0].count("█") * 2 == pytest.approx(lines[1].count("▓"), abs=1)
    assert "second" in lines[1] and lines[2] == "" and "l1°" in lines[3] and lines[3].endswith("none")
    assert app.said == [1, 0]


async def test_bars_on_both_sides_of_zero() -> None:
    app = Shown(Bars())
    async with app.run_test(size=(60, 12)) as pilot:
        bars = app.widget
        assert isinstance(bars, Bars)
        bars.show(bars_of((-10.0,), (10.0,)))
        await pilot.pause()
        lines = app.lines()
    axis = lines[0].index("│")
    assert lines[1].index("│") == axis
    assert lines[0][axis - 1] == "█" and lines[1][axis + 1] == "█" and "█" not in lines[0][axis:]
