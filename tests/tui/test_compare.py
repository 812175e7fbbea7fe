"""The screen that compares: arms, tables, the map, and down to the queries."""

from __future__ import annotations

import csv
import io
import threading
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.analysis.hand import HYBRID, LANGUAGES, MONO, QUESTIONS, TASK_ID
from tests.tui.conftest import LARGE, SIZE, Opened, Pictured, export_to, screen_text, until
from workbench.data.texts import texts_file
from workbench.reports.comparisons import Comparison, cell_rows, compared
from workbench.tui import compared as read
from workbench.tui.arms_dialog import ArmsDialog
from workbench.tui.compare import ComparePane
from workbench.tui.macro import about, macro_lines
from workbench.tui.queries import texts_of

NASTY = "[/red] [bold]שלום हिन्दी ภาษาไทย 🦜 " + "long " * 60


def keep_strange_texts() -> None:
    """Texts of the task in the cache, made up to do harm."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [("query", query, language, f"{language} {NASTY}") for query in QUESTIONS for language in LANGUAGES]
    rows += [("passage", f"{a}:{n}", a, f"passage {a}:{n} {NASTY}") for a in LANGUAGES for n in range(len(QUESTIONS))]
    path = texts_file(TASK_ID)
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = zip(*rows, strict=True)
    pq.write_table(pa.table(dict(zip(("kind", "id", "language", "text"), columns, strict=True))), path)


def pane_of(pilot: Pilot[None]) -> ComparePane:
    pane = pilot.app.pane  # type: ignore[attr-defined]
    assert isinstance(pane, ComparePane)
    return pane


async def computed(pilot: Pilot[None]) -> ComparePane:
    pane = pane_of(pilot)
    await until(lambda: pane.compared is not None and not pane.busy)
    await pilot.pause()
    return pane


async def with_baseline(pilot: Pilot[None]) -> ComparePane:
    """Hybrid against mono."""
    pane = pane_of(pilot)
    await until(lambda: pane.choice.listing)
    pane.take_arms((MONO, HYBRID))
    await until(lambda: pane.choice.arms == (MONO, HYBRID) and pane.compared is not None)
    await pilot.pause()
    return pane


async def test_the_table_is_that_of_the_command(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "compare") as pilot:
        pane = await computed(pilot)
        await pilot.press("a")
        await until(lambda: isinstance(pilot.app.screen, ArmsDialog))
        await pilot.press("slash", *"mono", "enter", "b", "enter")
        await until(lambda: pane.choice.arms == (MONO, HYBRID) and pane.compared is not None)
        await pilot.pause()
        shown = screen_text(pilot.app)
        wanted = compared(hand_home / "results.duckdb", [MONO, HYBRID])
        assert pane.compared is not None
        assert pane.compared.effects == wanted or str(pane.compared.effects) == str(wanted)
        lines = {line.head.strip(): line.cells for line in pane.macro.lines}
    assert "baseline mono  against it hybrid-a50" in shown and "2 seeds" in shown
    assert list(lines)[:3] == ["mono", "hybrid-a50", "minus baseline"]
    assert lines["minus baseline"][2].startswith("+")
    assert " to " in lines["95 % interval"][0] and " of 6" in lines["cells higher, lower"][1]
    for cell in (*lines["mono"], *lines["minus baseline"], *lines["95 % interval"]):
        assert cell in shown


async def test_down_to_a_query_and_back(hand_home: Path, opened: Opened, tmp_path: Path) -> None:
    """German queries, Chinese pool, worked out by hand: q4 goes from rank 5 to 1."""
    keep_strange_texts()
    async with opened(hand_home, "compare") as pilot:
        pane = await with_baseline(pilot)
        await pilot.press("v", "right", "right")
        await pilot.pause()
        assert "cross-lingual, query de, pool zh: mono .3250, hybrid-a50 .9375" in screen_text(pilot.app)
        await pilot.press("enter")
        await until(lambda: pane.queries.rows)
        await pilot.pause()
        shown = screen_text(pilot.app)
        assert "cross-lingual, query de, pool zh; moved = log2" in shown and "+2.32" in shown
        assert "rank 5 in mono, 1 in hybrid-a50" in shown and "[/red] [bold]" in shown
        await pilot.press("y")
        assert "first in hybrid-a50-bbbbbb" in pilot.app.clipboard and "not known" in pilot.app.clipboard
        await pilot.press("enter", "pagedown")
        await until(lambda: "passage zh:3" in screen_text(pilot.app))
        await pilot.press("shift+tab", "down")
        await pilot.pause()
        assert "rank 4 in mono, 1 in hybrid-a50" in screen_text(pilot.app)

        path = tmp_path / "queries.csv"
        await export_to(pilot, path)
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        assert [row["query_id"] for row in rows] == ["q4", "q2", "q1", "q3"] and NASTY.strip() in rows[0]["query"]

        await pilot.press("slash", *"q1", "enter")
        await until(lambda: len(pane.queries.paged.found) == 1)
        await pilot.press("escape")  # leaves the filter first
        await until(lambda: len(pane.queries.paged.found) == 4 and pane.in_queries)
        await pilot.press("escape")
        await until(lambda: not pane.in_queries)
        await pilot.pause()
        assert pane.map.has_focus and pane.map.cursor == (0, 2)
        await pilot.press("y")
        assert "mono-aaaaaa .3250" in pilot.app.clipboard


async def test_without_texts_ids_stand_in(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "compare", size=LARGE) as pilot:
        pane = await with_baseline(pilot)
        await pilot.press("tab", "enter")
        await until(lambda: pane.queries.rows)
        await pilot.pause()
        shown = screen_text(pilot.app)
    assert "no texts: " in shown and "de:0" in shown


async def test_the_map_is_that_of_the_command(hand_home: Path, opened: Opened, tmp_path: Path) -> None:
    """Differences in the cells, unseen languages with a ring; `e` on the map writes the cells."""
    async with opened(hand_home, "compare", size=LARGE) as pilot:
        pane = await with_baseline(pilot)
        wanted = {
            (row["query_language"], row["pool_language"]): row["difference"]
            for row in cell_rows(hand_home / "results.duckdb", [MONO, HYBRID])
        }
        matrix = pane.map.matrix
        assert (list(matrix.rows), list(matrix.columns)) == (["de", "en", "zh"], ["de", "en", "zh", "all"])
        assert matrix.diverging and matrix.noted == {"zh"}
        for a, line in zip(matrix.rows, matrix.values, strict=True):
            for b, value in zip(matrix.columns, line, strict=True):
                assert value == pytest.approx(wanted[a, "*" if b == "all" else b])
        await pilot.press("tab")
        path = tmp_path / "cells.md"
        await export_to(pilot, path)
    assert len(path.read_text().splitlines()) == 2 + 12


async def test_measures_and_one_arm(hand_home: Path, opened: Opened) -> None:
    """`m` goes on, `M` back; one arm alone shows its own figures and has no queries that moved."""
    async with opened(hand_home, "compare", size=LARGE) as pilot:
        pane = await with_baseline(pilot)
        await pilot.press("M")
        await until(lambda: pane.measure == "rank_distance" and pane.compared is not None)
        assert list(pane.map.matrix.columns) == ["all"]
        await pilot.press("m")
        await until(lambda: pane.measure == "map" and pane.compared is not None)
        await pilot.press("a")
        await until(lambda: isinstance(pilot.app.screen, ArmsDialog))
        await pilot.press("slash", *"hybrid", "enter", "space", "enter")
        await until(lambda: pane.choice.arms == (MONO,) and pane.compared is not None)
        assert not pane.map.matrix.diverging and len(pane.macro.lines) == 1
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert "choose a second one" in screen_text(pilot.app)


async def test_marked_runs_are_compared(hand_home: Path, opened: Opened) -> None:
    """Marks are taken up once: the choice that follows stays when one comes back."""
    async with opened(hand_home) as pilot:
        pilot.app.marked = [MONO]  # type: ignore[attr-defined]
        pilot.app.action_go("compare")  # type: ignore[attr-defined]
        await until(lambda: isinstance(pilot.app.pane, ComparePane))  # type: ignore[attr-defined]
        pane = await computed(pilot)
        assert pane.choice.arms == (MONO,)
        await pilot.press("a")
        await until(lambda: isinstance(pilot.app.screen, ArmsDialog))
        await pilot.press("slash", *"hybrid", "enter", "space", "enter")
        await until(lambda: pane.choice.arms == (MONO, HYBRID))
        await computed(pilot)
        pane.shown()
        await pilot.pause()
        await computed(pilot)
        assert pane.choice.arms == (MONO, HYBRID)


async def test_results_are_kept_and_waiting_ones_dropped(
    hand_home: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one computation works the next waits; Esc stops it; what was computed is not computed again."""
    real, go, began = read.comparison, threading.Event(), []

    def slow(store: Path, arms: tuple[str, ...], measure: str, task: str) -> Comparison:
        began.append(measure)
        go.wait(20)
        return real(store, arms, measure, task)

    monkeypatch.setattr(read, "comparison", slow)
    async with opened(hand_home, "compare") as pilot:
        pane = pane_of(pilot)
        await until(lambda: began == ["map"])
        assert "computing: randomisation tests of 2 arms, map on hand" in screen_text(pilot.app)
        await pilot.press("m")
        await until(lambda: pane.measure == "map@20" and pane._settling is None)
        await pilot.press("escape")
        await pilot.pause()
        assert not pane.busy and "stopped" in screen_text(pilot.app)
        await pilot.press("M")
        go.set()
        await computed(pilot)
        assert began == ["map"] and pane.measure == "map"
        await pilot.press("m")
        await until(lambda: began == ["map", "map@20"] and pane.compared is not None)
        await pilot.press("M")
        await computed(pilot)
        assert began == ["map", "map@20"]


async def test_arms_without_a_common_task(strange_home: Path, empty_home: Path, opened: Opened) -> None:
    """Strange names do no harm; where there is nothing it says what to press."""
    async with opened(strange_home, "compare", size=SIZE) as pilot:
        pane = pane_of(pilot)
        await until(lambda: pane.choice.arms)
        await pilot.press("a")
        await until(lambda: isinstance(pilot.app.screen, ArmsDialog))
        await pilot.press("space", "down", "space", "down", "space", "enter")
        await until(lambda: not pane.busy)
        await pilot.pause()
        assert screen_text(pilot.app)
    async with opened(empty_home, "compare", size=SIZE) as pilot:
        await until(lambda: "press 2" in screen_text(pilot.app))


async def test_what_the_head_says_of_the_results(home: Path, opened: Opened) -> None:
    """Runs that are to go still count; the store changed; one key reads again."""
    async with opened(home, "compare", size=SIZE) as pilot:
        pane = await with_baseline(pilot)
        assert "still counted" not in screen_text(pilot.app) and not pane.check_action("again", ())
        pilot.app.to_delete = [["a", "b"], ["c"]]  # type: ignore[attr-defined]
        (home / "results.duckdb").touch()
        pane.look_at_store()
        await pilot.pause()
        text = screen_text(pilot.app)
        assert "3 runs marked for deletion are still counted" in text and "F5 reads again" in text
        await pilot.press("f5")
        await until(lambda: not pane.is_old and pane.compared is not None and not pane.busy)
        await pilot.pause()
        assert "F5 reads again" not in screen_text(pilot.app)


async def test_row_labels_are_whole_when_painted_at_once(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "compare", size=LARGE) as pilot:
        pane = await with_baseline(pilot)
        pane.draw_macro()
        painted = "".join(pane.macro.render_line(y).text for y in range(pane.macro.size.height))
        assert "minus baseline" in painted and "95 % interval" in painted


@pytest.mark.parametrize(
    ("seeds", "words"), [((3, 3), "3 seeds"), ((4, 3), "4 and 3 seeds"), ((4, 3, 2), "4, 3 and 2 seeds")]
)
def test_seeds_of_arms_that_have_unequally_many(seeds: tuple[int, ...], words: str) -> None:
    means = [{"arm": str(place), "n": n} for place, n in enumerate(seeds)]
    assert about([{"about": "samplings", "seeds": 3}], means).endswith(f"of the samplings, {words}")


def test_what_an_arm_ranks_first() -> None:
    row = {
        "query_id": "q1",
        "query_language": "de",
        "query": "was?",
        "arm": HYBRID,
        "against": MONO,
        "rank": 1,
        "against_rank": None,
        "relevant_language": "en",
        "relevant_id": "en:1",
        "relevant": None,
        "first_id": "en:1",
        "first_language": "en",
        "first": None,
        "against_first_id": "zh:2",
        "against_first_language": "zh",
        "against_first": "[b]",
    }
    assert texts_of(row, {MONO: "mono", HYBRID: "hybrid"}).plain.splitlines() == [
        "q1   rank beyond in mono, 1 in hybrid",
        "query (de)",
        "  was?",
        "relevant (en)",
        "  en:1",
        "first in mono (zh)",
        "  [b]",
        "first in hybrid (en)",
        "  the relevant one",
    ]


def test_published_figures_are_rows_of_their_own() -> None:
    means = [
        {"arm": MONO, "setting": "multilingual", "mean": 0.5, "sd": None, "n": 1, "leaked": None, "task": "xquad_r"},
    ]
    published = [
        {
            "source": "arXiv 2408.10536",
            "model": "xlm-r",
            "sampling": "mono",
            "setting": "multilingual",
            "value": 0.5479,
            "differs": ["one seed"],
        }
    ]
    lines = macro_lines(means, [], published, {MONO: "mono"})
    assert [line.kind for line in lines] == ["arm", "heading", "published"]
    assert lines[0].detail.endswith("one seed") and lines[1].head == "published, not tested"
    assert lines[2].cells == [".5479"] and "what differs: one seed" in lines[2].detail


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=["80x24", "160x50"])
def test_it_looks_as_it_did(home: Path, pictured: Pictured, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        pilot.app.action_go("compare")  # type: ignore[attr-defined]
        await until(lambda: isinstance(pilot.app.pane, ComparePane))  # type: ignore[attr-defined]
        await with_baseline(pilot)
        await pilot.press("v", "right")

    assert pictured(home, size, before)
