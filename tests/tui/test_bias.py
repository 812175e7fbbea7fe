"""The screen of language bias: tables, bars and maps, arms side by side."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.analysis.hand import HYBRID, MONO
from tests.tui.conftest import LARGE, SIZE, Opened, Pictured, export_to, screen_text, until
from workbench.reports.bias import bias_rows
from workbench.tui.bias import BiasPane
from workbench.tui.bias_maps import ArmMap
from workbench.tui.bias_views import VIEWS, bar_table, coloured, limits_of, map_matrix
from workbench.tui.widgets.bars import Bars


async def computed(pilot: Pilot[None]) -> BiasPane:
    """Hybrid against mono."""
    pane = pilot.app.pane  # type: ignore[attr-defined]
    assert isinstance(pane, BiasPane)
    pane.take_arms((MONO, HYBRID))
    await until(lambda: pane.choice.arms == (MONO, HYBRID) and pane.found is not None and not pane.busy)
    await pilot.pause()
    return pane


async def look_at(pilot: Pilot[None], pane: BiasPane, title: str) -> None:
    for _ in VIEWS:
        if pane.view.title == title:
            break
        await pilot.press("m")
    await pilot.pause()
    assert pane.view.title == title


async def test_the_summary_has_what_the_command_says(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "bias", size=LARGE) as pilot:
        await computed(pilot)
        shown = screen_text(pilot.app)
        rows = bias_rows(hand_home / "results.duckdb", [MONO, HYBRID])
    means = [r for r in rows if (r["measure"], r["query_language"]) == ("rank_distance", "*")]
    assert [row["against"] for row in means] == [None, None, MONO]
    for row in means:
        assert f"{row['value']:.4f}".rstrip("0") in shown or f"{row['value']:.1f}" in shown
    assert "hybrid-a50 minus baseline" in shown and "own language first" in shown and "undefined" in shown
    assert "of the samplings, 2 seeds" in shown


async def test_bars_of_rank_distance(hand_home: Path, opened: Opened, tmp_path: Path) -> None:
    """One a query language and arm, with intervals; `r` changes mean to median, `d` to the difference."""
    async with opened(hand_home, "bias") as pilot:
        pane = await computed(pilot)
        await look_at(pilot, pane, "rank distance")
        bars = pane.query_one(Bars)
        assert list(bars.bars.labels) == ["de", "en", "zh", "mean"] and list(bars.bars.series) == ["mono", "hybrid-a50"]
        assert bars.has_focus and "█" in screen_text(pilot.app) and "▓" in screen_text(pilot.app)
        await pilot.press("down")
        await pilot.pause()
        assert "query en: mono " in screen_text(pilot.app)
        await pilot.press("y")
        assert pilot.app.clipboard.startswith("query en: mono ")
        await pilot.press("r")
        assert pane.measure == "rank_distance_median"
        await pilot.press("d")
        await pilot.pause()
        assert len(bars.bars.series) == 1 and "hybrid-a50 minus baseline" in screen_text(pilot.app)
        path = tmp_path / "bars.csv"
        await export_to(pilot, path)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert {(row["measure"], row["against"]) for row in rows} == {("rank_distance_median", MONO)} and len(rows) == 4


async def test_maps_side_by_side(hand_home: Path, opened: Opened) -> None:
    """One cursor for all maps, one scale; relative to the pool or raw."""
    async with opened(hand_home, "bias", size=LARGE) as pilot:
        pane = await computed(pilot)
        await look_at(pilot, pane, "language share@10")
        panels = [panel for panel in pane.query(ArmMap) if panel.display]
        assert len(panels) == 2 and panels[0].map.has_focus
        assert panels[0].map.matrix.limits == panels[1].map.matrix.limits
        await pilot.press("right", "down", "down")
        await pilot.pause()
        assert [panel.map.cursor for panel in panels] == [(2, 1), (2, 1)]
        assert "query zh, passage en: mono " in screen_text(pilot.app)
        assert panels[0].map.matrix.noted == {"zh"} and panels[0].map.matrix.texts[0][0] == "2.40"
        await pilot.press("r")
        await pilot.pause()
        assert panels[0].map.matrix.texts[0][0] == ".600" and not panels[0].map.matrix.diverging
        await pilot.press("d")
        await pilot.pause()
        assert [panel.display for panel in pane.query(ArmMap)].count(True) == 1
        assert panels[0].map.matrix.texts[0][0] == "-.200"


async def test_maps_without_room_are_told_of(hand_home: Path, opened: Opened) -> None:
    """Where one map stands on the screen its title says that there is another; Tab brings it."""
    async with opened(hand_home, "bias", size=(50, 24)) as pilot:
        pane = await computed(pilot)
        await look_at(pilot, pane, "language share@10")
        await until(lambda: "map 1 of 2, tab" in screen_text(pilot.app))
        assert "hybrid-a50   map" not in screen_text(pilot.app)
        await pilot.press("tab")
        await until(lambda: "hybrid-a50   map 2 of 2" in screen_text(pilot.app))
        await pilot.resize_terminal(100, 30)
        await until(lambda: "of 2, tab" not in screen_text(pilot.app))
        assert pane.maps.front.has_focus and "hybrid-a50" in screen_text(pilot.app)


async def test_every_view_can_be_drawn(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "bias", size=SIZE) as pilot:
        pane = await computed(pilot)
        for _ in VIEWS:
            for _ in pane.view.variants:
                await pilot.press("d", "r")
                await pilot.pause()
                assert pane.current_rows() and pane.words(pane.names), pane.view.title
            await pilot.press("m")
        assert pane.place == 0


async def test_nothing_to_show(empty_home: Path, opened: Opened) -> None:
    async with opened(empty_home, "bias") as pilot:
        await until(lambda: "press 2" in screen_text(pilot.app))
        await pilot.press("m", "M", "y", "e", "a")
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 1


@pytest.mark.parametrize("value", [0.25, 4.0])
def test_half_is_as_far_from_chance_as_twice(value: float) -> None:
    assert abs(coloured(value, "language_share_relative@10", False)) == 2
    assert coloured(value, "language_share_relative@10", True) == value == coloured(value, "language_share@10", False)
    assert coloured(0.0, "language_share_relative@10", False) == -5


def test_a_figure_that_is_undefined_says_why() -> None:
    row = {
        "arm": "a",
        "against": None,
        "measure": "rank_distance",
        "query_language": "de",
        "passage_language": "*",
        "value": None,
        "low": None,
        "high": None,
        "note": "undefined (a relevant passage is beyond the depth searched)",
    }
    table = bar_table([row], VIEWS[1], {"a": "a"}, frozenset())
    assert table.bars[0][0].value is None and table.bars[0][0].text.startswith("undefined")
    assert limits_of([], True) == (0.0, 1.0) and limits_of([-1.0, 3.0], True) == (-3.0, 3.0)
    assert map_matrix([{**row, "passage_language": "en"}], "mean_rank", False, (0, 1), frozenset()).texts == [[""]]


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=["80x24", "160x50"])
def test_it_looks_as_it_did(home: Path, pictured: Pictured, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        pilot.app.action_go("bias")  # type: ignore[attr-defined]
        await until(lambda: isinstance(pilot.app.pane, BiasPane))  # type: ignore[attr-defined]
        pane = await computed(pilot)
        await look_at(pilot, pane, "language share@10")
        await pilot.press("right")

    assert pictured(home, size, before)
