"""The screen of claims, by its keys."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.analysis.claimed import Arm, level, make_store
from tests.tui.conftest import LARGE, SIZE, Opened, Pictured, screen_text, until
from workbench.reports import claims
from workbench.reports.claim_words import claim_in_words
from workbench.tui.claims import ClaimsPane, EvidenceDialog
from workbench.tui.new_run import NewRunPane
from workbench.tui.widgets.table import PagedTable


async def judged(pilot) -> ClaimsPane:  # type: ignore[no-untyped-def]
    pane = pilot.app.pane
    assert isinstance(pane, ClaimsPane)
    await until(lambda: pane.query_one(PagedTable).found)
    await pilot.pause()
    return pane


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=str)
async def test_verdicts(hand_home: Path, opened: Opened, size: tuple[int, int]) -> None:
    async with opened(hand_home, "claims", size) as pilot:
        pane = await judged(pilot)
        rows = [row for row, _ in claims.judged(hand_home / "results.duckdb")]
        assert [row["claim"] for row in pane.query_one(PagedTable).found] == [row["claim"] for row in rows]
        text = screen_text(pilot.app)
        assert "? not testable yet" in text and "no_worse" in text
        assert "Hybrid batches have the best multilingual mAP. (arXiv 2408.10536)" in text
        await pilot.press("down", "down", "down")
        await until(lambda: "smaller rank distance" in str(pane.query_one("#claim", Static).content))


async def test_rows_of_one_claim_are_told_apart(tmp_path: Path, opened: Opened) -> None:
    """By their arms, on 80 columns; the filter and the lines below know them whole."""
    arms = [
        Arm(sampling, level(0.5, 0.5, 0.5), (0,), rate=rate, label=f"{sampling}-{'of-a-long-name-' * 2}rate-{rate:g}")
        for rate in (1e-4, 3e-3)
        for sampling in ("hybrid", "mono")
    ]
    make_store(tmp_path, arms).rename(tmp_path / "results.duckdb")
    async with opened(tmp_path, "claims") as pilot:
        pane = await judged(pilot)
        table = pane.query_one(PagedTable)
        claimed = [line["arm"] for line in table.found if line["claim"] == "best_multilingual"]
        assert len(set(claimed)) == 2 and all(len(arm) > 40 for arm in claimed)
        lines = [line for line in screen_text(pilot.app).splitlines() if "best_multilingual" in line]
        assert sorted("hybrid…rate-0.003" in line for line in lines[:2]) == [False, True]
        assert sorted("hybrid…rate-0.0001" in line for line in lines[:2]) == [False, True]
        await pilot.press("slash", *"arm~rate-0.003", "enter")
        await until(lambda: {line["arm"] for line in table.found} == {arm for arm in claimed if "-0.003-" in arm})
        await pilot.pause()
        assert "of-a-long-name-rate-0.003-" in str(pane.query_one("#claim", Static).content)


async def test_a_verdict_from_one_seed_says_so(tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arms = [Arm(sampling, level(0.5, 0.5, 0.5), (0,), far=far) for sampling, far in (("hybrid", 8), ("mono", 40))]
    make_store(tmp_path, arms).rename(tmp_path / "results.duckdb")
    async with opened(tmp_path, "claims") as pilot:
        pane = await judged(pilot)
        await pilot.press("slash", *"verdict=supported claim=rank_distance", "enter")
        await pilot.pause()
        text = screen_text(pilot.app)
        assert "+ supported*" in text and "* questions only, one seed: nothing is said of samplings" in text
        assert [row["verdict"] for row in pane.table()[1]] == ["supported for these checkpoints*"]  # type: ignore[index]
        await pilot.press("y")
        assert "supported for these checkpoints*" in pilot.app.clipboard
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, EvidenceDialog))
        await pilot.pause()
        assert "rank_distance  + supported for these checkpoints*" in screen_text(pilot.app)


async def test_columns_are_as_wide_as_their_cells_when_painted_at_once(hand_home: Path, opened: Opened) -> None:
    """As happens when the terminal is resized: what is painted then is kept."""
    async with opened(hand_home, "claims", LARGE) as pilot:
        pane = await judged(pilot)
        pane.draw()
        data = pane.query_one(PagedTable).data
        assert "best_multilingual" in "".join(data.render_line(y).text for y in range(data.size.height))


async def test_the_published_column_can_be_filtered(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "claims") as pilot:
        pane = await judged(pilot)
        await pilot.press("slash", *"published~of", "enter")
        found = pane.query_one(PagedTable).found
        assert found and all(" of " in line["published"] for line in found)


async def test_enter_shows_the_evidence(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "claims", LARGE) as pilot:
        pane = await judged(pilot)
        place = next(place for place, (row, _) in enumerate(pane.judged) if row["evidence"])
        for _ in range(place):
            await pilot.press("down")
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, EvidenceDialog))
        await pilot.pause()
        text = screen_text(pilot.app)
        one = pane.judged[place][0]["evidence"][0]
        assert one["first"] in text and one["second"] in text and "difference" in text
        await pilot.press("y")
        assert pilot.app.clipboard == claim_in_words(pane.judged[place][0])
        await pilot.press("escape")
        await until(lambda: not isinstance(pilot.app.screen, EvidenceDialog))


async def test_the_evidence_is_exported(home: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    async with opened(home, "claims") as pilot:
        pane = await judged(pilot)
        await pilot.press("slash", *"verdict=supported", "enter")
        place = pane.query_one(PagedTable).found[0]["place"] if pane.query_one(PagedTable).found else None
        if place is None or not pane.judged[place][0]["evidence"]:
            await pilot.press("escape", "slash", *"rank_distance", "enter")
        await pilot.press("enter", "e", "enter")
        name = f"{pane.current['claim']}-evidence.csv"  # type: ignore[index]
        await until((home / name).exists)
        assert (home / name).read_text().startswith("says,first,second,")


async def test_one_key_brings_the_missing_runs_to_the_new_screen(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "claims") as pilot:
        pane = await judged(pilot)
        assert pane.current and pane.current["missing"]
        await pilot.press("l")
        await until(lambda: isinstance(pilot.app.pane, NewRunPane) and pilot.app.pane.draft is not None)
        new = pilot.app.pane
        assert isinstance(new, NewRunPane) and new.draft is not None
        assert "cross" in new.draft.text and not new.draft.problem
        await until(lambda: new.plan is not None)
        assert len(new.plan.runs) == len(pane.judged[0][0]["missing"])  # type: ignore[union-attr]


async def test_nothing_to_launch(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "claims") as pilot:
        pane = await judged(pilot)
        place = next(place for place, (row, _) in enumerate(pane.judged) if not row["missing"])
        for _ in range(place):
            await pilot.press("down")
        await pilot.press("l")
        await until(lambda: "no run is missing" in screen_text(pilot.app))


async def test_verdicts_are_kept_until_the_store_changes(home: Path, opened: Opened) -> None:
    async with opened(home, "claims") as pilot:
        pane = await judged(pilot)
        before = pane.judged
        pane.shown()
        await pilot.pause()
        assert pane.judged is before
        store = home / "results.duckdb"
        store.touch()
        pane.shown()
        await until(lambda: pane.judged is not before)


async def test_without_a_store(empty_home: Path, opened: Opened) -> None:
    async with opened(empty_home, "claims") as pilot:
        await until(lambda: "the quickstart waits" in screen_text(pilot.app))
        await pilot.press("l", "enter", "y", "e")
        assert "nothing to export" in screen_text(pilot.app)


def test_words_of_a_claim(hand_home: Path) -> None:
    for row, _ in claims.judged(hand_home / "results.duckdb"):
        words = claim_in_words(row)
        assert row["text"] in words and row["verdict"] in words
        assert all(one["first"] in words for one in row["evidence"])
        assert ("What is missing" in words) == bool(row["missing"] or row["unplanned"])
        assert all(text in words for text in claims.ended_in_words(row["ended_arms"]))
        assert ("What is published" in words) == bool(row["published"])


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=["80x24", "160x50"])
def test_it_looks_as_it_did(home: Path, pictured: Pictured, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        pilot.app.action_go("claims")  # type: ignore[attr-defined]
        await until(lambda: isinstance(pilot.app.pane, ClaimsPane))  # type: ignore[attr-defined]
        await judged(pilot)
        await pilot.press("down")

    assert pictured(home, size, before)
