"""Arms on the screen that compares: what they are called, the baseline that is proposed, the way to an arm's map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from tests.analysis.hand import HYBRID, MONO
from tests.tui.conftest import LARGE, Opened, screen_text, until
from tests.tui.test_compare import computed, with_baseline
from workbench.tui.arms_dialog import ArmsDialog
from workbench.tui.choice import newest
from workbench.tui.macro import Line

LONG_MONO, LONG_HYBRID = (
    f"{arm}-learning_rate-3e-05-batch_size-128-warmup-0.1-steps-2000"[:60] + hash_
    for arm, hash_ in (("mono", "-aaaaaa"), ("hybrid-a50", "-bbbbbb"))
)


async def test_long_names_stay_apart(home: Path, opened: Opened) -> None:
    """On 80 columns: above, in the choice, the table and the map; what is copied has them whole."""
    with duckdb.connect(str(home / "results.duckdb")) as connection:
        for old, new in ((MONO, LONG_MONO), (HYBRID, LONG_HYBRID)):
            connection.execute("update stored.runs set arm = ? where arm = ?", [new, old])
    async with opened(home, "compare") as pilot:
        pane = await computed(pilot)
        shown = screen_text(pilot.app)
        assert f"baseline {LONG_MONO[:-7]}\n" in shown and f"against it {LONG_HYBRID[:-7]}\n" in shown
        assert pane.choice.arms == (LONG_MONO, LONG_HYBRID)
        table = [line.split("  ")[0].strip() for line in shown.splitlines() if " ±." in line]
        assert table == ["mono…", "hybrid…"]
        await pilot.press("y")
        assert pilot.app.clipboard.startswith(f"{LONG_MONO[:-7]}\t")
        await pilot.press("a")
        await until(lambda: isinstance(pilot.app.screen, ArmsDialog))
        await pilot.pause()
        listed = [line for line in screen_text(pilot.app).splitlines() if " hybrid" in line or " mono" in line]
        assert any("hybrid…" in line or "hybrid-a50…" in line for line in listed)
        await pilot.press("escape", "v", "y")
        assert f"{LONG_MONO} " in pilot.app.clipboard and f"{LONG_HYBRID} " in pilot.app.clipboard


async def test_enter_on_an_arm_opens_its_map(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "compare") as pilot:
        pane = await with_baseline(pilot)
        assert pane.macro.has_focus and not pane.map.display
        await pilot.press("down", "down", "down", "enter")  # a difference of the hybrid arm
        await until(lambda: pane.map.has_focus)
        await pilot.pause()
        assert pane.arm == HYBRID and "hybrid-a50 minus mono: query languages" in screen_text(pilot.app)


async def test_the_map_of_the_arm_under_the_cursor(hand_home: Path, opened: Opened) -> None:
    """Of several against a baseline; published lines have none."""
    async with opened(hand_home, "compare", size=LARGE) as pilot:
        pane = await with_baseline(pilot)
        pane.choice = replace(pane.choice, arms=(MONO, HYBRID, "third"))
        pane.arm = "third"
        pane.macro.lines = [*pane.macro.lines, Line("published, not tested", ["", "", ""], "heading")]
        assert pane.macro.check_action("ask_for_map", ())
        await pilot.press("down", "enter")
        await until(lambda: pane.map.has_focus)
        assert pane.arm == HYBRID


def test_the_baseline_that_is_proposed() -> None:
    """The earlier arm; no hybrid one before another."""

    def row(arm: str, sampling: str | None, tasks: str = "t") -> dict[str, object]:
        return {"arm": arm, "sampling": sampling, "tasks": tasks}

    assert newest([row("m", "mono"), row("h", "hybrid")]) == ["m", "h"]
    assert newest([row("h", "hybrid"), row("m", "mono")]) == ["m", "h"]
    assert newest([row("new", "mono"), row("x", None, "u"), row("old", "mono", "s, t")]) == ["old", "new"]
    assert newest([row("x", None), row("new", "cross"), row("old", "mono")]) == ["old", "new"]
    assert newest([row("x", None), row("new", "cross")]) == ["x", "new"]
    assert newest([row("only", None)]) == ["only"]
