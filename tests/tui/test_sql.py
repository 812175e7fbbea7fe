"""The SQL screen, by its keys."""

import re
import time
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static, Tree

from tests.store.conftest import Holder
from tests.tui.conftest import LARGE, SIZE, Opened, Pictured, screen_text, until
from workbench.errors import InputError
from workbench.reports import saved_queries as kept
from workbench.tui.dialogs import ConfirmDialog, NameDialog
from workbench.tui.sql import SqlPane
from workbench.tui.sql_sidebar import Sidebar
from workbench.tui.widgets.editor import CodeEditor
from workbench.tui.widgets.status import StatusBar
from workbench.tui.widgets.table import PagedTable

SLOW = "select count(*) from range(100000000) a, range(100000000) b"


def the_pane(pilot) -> SqlPane:  # type: ignore[no-untyped-def]
    pane = pilot.app.pane
    assert isinstance(pane, SqlPane)
    return pane


async def ask(pilot, statement: str) -> SqlPane:  # type: ignore[no-untyped-def]
    """Type a statement and run it."""
    pane = the_pane(pilot)
    editor = pane.query_one(CodeEditor)
    editor.put(statement)
    editor.focus()
    await pilot.press("f5")
    await until(lambda: pane.asked is None)
    await pilot.pause()
    return pane


def problem(pane: SqlPane) -> str:
    return str(pane.query_one("#problem", Static).content)


def now(pane: SqlPane) -> str:
    return str(pane.query_one("#now", Static).content)


async def test_an_answer_in_a_table(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "sql") as pilot:
        pane = await ask(pilot, "select arm, count(*) as n from runs group by all order by all")
        assert pane.answer and pane.answer.columns == ("arm", "n")
        assert [row["n"] for row in pane.query_one(PagedTable).found] == [2, 2]
        assert now(pane).startswith("2 rows, ") and not problem(pane)
        assert "hybrid-a50-bbbbbb" in screen_text(pilot.app)


async def test_an_answer_of_many_rows_comes_in_pages_and_is_cut(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "sql") as pilot:
        pane = await ask(pilot, "select i, i * 2 as twice from range(12345) t(i)")
        assert now(pane).startswith("first 10,000 rows, ")
        await pilot.press("escape", "right_square_bracket")
        assert pane.query_one(PagedTable).page == 1
        await pilot.press("slash", *"i=77", "enter")
        assert [row["twice"] for row in pane.query_one(PagedTable).found] == [154]


async def test_an_error_puts_the_cursor_where_it_is(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "sql") as pilot:
        pane = await ask(pilot, "select arm,\n  sed\nfrom runs")
        assert "sed" in problem(pane) and "(line 2, column 3)" in problem(pane)
        editor = pane.query_one(CodeEditor)
        assert editor.cursor_location == (1, 2) and editor.has_focus
        pane = await ask(pilot, "select 1")
        assert not problem(pane)


async def test_an_error_leaves_no_answer_of_another_query(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "sql") as pilot:
        assert now(the_pane(pilot)) == "Tab: editor, F5: run"
        await pilot.press("tab")
        assert the_pane(pilot).query_one(CodeEditor).has_focus
        pane = await ask(pilot, "select arm from runs")
        assert "4 rows" in screen_text(pilot.app)
        await ask(pilot, "select nothing from runs")
        assert pane.answer is None and "4 rows" not in screen_text(pilot.app)
        pane = await ask(pilot, "select 1 as one")
        assert pane.answer is not None and "1 row" in screen_text(pilot.app)


async def test_what_a_user_must_not_do_is_refused(home: Path, opened: Opened) -> None:
    before = (home / "results.duckdb").read_bytes()
    async with opened(home, "sql") as pilot:
        for statement in (f"copy (select 1) to '{home}/results.duckdb' (use_tmp_file false)", "drop view runs"):
            pane = await ask(pilot, statement)
            assert "exactly one SELECT" in problem(pane)
        pane = await ask(pilot, f"from read_csv('{home}/runs/x.csv')")
        assert "out of reach" in problem(pane)
    assert (home / "results.duckdb").read_bytes() == before


async def test_escape_cancels(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "sql") as pilot:
        pane = the_pane(pilot)
        pane.query_one(CodeEditor).put(SLOW)
        await pilot.press("f5")
        await until(lambda: now(pane).startswith("running"))
        began = time.monotonic()
        await pilot.press("escape")
        await until(lambda: pane.asked is None)
        assert time.monotonic() - began < 5
        assert now(pane).startswith("cancelled after") and not problem(pane)
        # and the next one runs
        assert (await ask(pilot, "select 42 as n")).answer.rows == [(42,)]  # type: ignore[union-attr]


async def test_the_limits(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "sql") as pilot:
        pane = the_pane(pilot)
        pane.query_one("#seconds", Input).value = "0.2"
        assert "stopped after 0.2 s" in problem(await ask(pilot, SLOW))
        pane.query_one("#seconds", Input).value = "soon"
        assert "a number of seconds" in problem(await ask(pilot, "select 1"))
        pane.query_one("#seconds", Input).value = "60"
        pane.query_one("#memory", Input).value = "20MB"
        sorted_rows = "select i, hash(i) as h from range(30000000) t(i) order by h limit 5 offset 20000000"
        assert "memory" in problem(await ask(pilot, sorted_rows))


async def test_saved_queries_history_and_names_by_keyboard(home: Path, opened: Opened) -> None:
    async with opened(home, "sql", LARGE) as pilot:
        pane = the_pane(pilot)
        tree, editor = pane.query_one("#known", Tree), pane.query_one(CodeEditor)
        await until(lambda: len(tree.root.children) == 3)
        assert tree.has_focus
        await pilot.press("down", "enter")  # the first of the examples
        assert editor.text == kept.saved_queries(home / "results.duckdb")[0].statement and editor.has_focus

        editor.put("from runs limit 1")
        await pilot.press("ctrl+s", *"mine", "enter")
        await until(lambda: (home / "queries" / "mine.sql").exists())
        await until(lambda: any(str(node.label) == "mine" for node in tree.root.children[0].children))
        await ask(pilot, "select 7 as seven")
        await until(lambda: len(tree.root.children[1].children) == 1)
        await ask(pilot, "select 8 as eight")
        await until(lambda: len(tree.root.children[1].children) == 2)
        assert kept.history() == ["select 8 as eight", "select 7 as seven"]

        tree.root.children[1].expand()
        tree.focus()
        await pilot.pause()
        tree.move_cursor(tree.root.children[1].children[1])
        await pilot.press("enter")
        assert editor.text == "select 7 as seven"
        view = next(node for node in tree.root.children[2].children if str(node.label) == "arm_measures")
        view.expand()
        tree.focus()
        await pilot.pause()
        tree.move_cursor(view)
        editor.put("")
        await pilot.press("i")
        assert editor.text == "arm_measures"


async def test_a_saved_query_is_mended_replaced_and_deleted(home: Path, opened: Opened) -> None:
    store = home / "results.duckdb"
    kept.save_query(store, "mine", "select 1")
    kept.save_query(store, "other", "select 2")
    async with opened(home, "sql", LARGE) as pilot:
        tree, editor = pilot.app.query_one(Sidebar), pilot.app.query_one(CodeEditor)
        await until(lambda: "mine" in screen_text(pilot.app))
        assert "Delete" not in screen_text(pilot.app)
        await pilot.press("down", "d")  # an example stays
        assert not isinstance(pilot.app.screen, ConfirmDialog)
        tree.move_cursor(next(node for node in tree.root.children[0].children if str(node.label) == "mine"))
        await until(lambda: "d Delete" in screen_text(pilot.app))

        # its name is proposed
        await pilot.press("enter")
        await until(lambda: editor.has_focus)
        await pilot.press(*"-- ", "ctrl+s")
        await until(lambda: isinstance(pilot.app.screen, NameDialog))
        await pilot.press("enter")
        await until(lambda: kept.query_file(store, "mine").read_text() == "-- select 1\n")
        # that of another one is taken only when the user insists
        await until(lambda: pilot.app.screen is pilot.app.screen_stack[0])
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(pilot.app.screen, NameDialog))
        await pilot.press(*"other", "enter")
        await until(lambda: "Enter again replaces it" in screen_text(pilot.app))
        assert kept.query_file(store, "other").read_text() == "select 2\n"
        await pilot.press("enter")
        await until(lambda: kept.query_file(store, "other").read_text() == "-- select 1\n")

        await until(lambda: pilot.app.screen is pilot.app.screen_stack[0])
        tree.focus()
        for answer in "ny":
            assert kept.is_saved(store, "mine")
            await pilot.press("d")
            await until(lambda: isinstance(pilot.app.screen, ConfirmDialog))
            await pilot.press(answer)
            await until(lambda: pilot.app.screen is pilot.app.screen_stack[0])
        await until(lambda: not kept.is_saved(store, "mine"))
        await until(lambda: "mine" not in [str(node.label) for node in tree.root.children[0].children])
        assert kept.is_saved(store, "other")


async def test_what_the_sidebar_is_on_is_copied(home: Path, opened: Opened) -> None:
    async with opened(home, "sql") as pilot:
        tree = pilot.app.query_one(Sidebar)
        await until(lambda: len(tree.root.children) == 3)
        await pilot.press("down", "y")
        assert pilot.app.clipboard == kept.saved_queries(home / "results.duckdb")[0].statement


async def test_a_query_that_waits_for_the_store_is_cancelled(home: Path, opened: Opened) -> None:
    holder = Holder(home / "results.duckdb", "write")
    try:
        async with opened(home, "sql") as pilot:
            pane = the_pane(pilot)
            pane.query_one(CodeEditor).put("select 1 as one")
            await pilot.press("f5")
            status = pilot.app.query_one(StatusBar)
            await until(lambda: str(status.content).startswith("waiting"))
            await pilot.press("escape")
            await until(lambda: pane.asked is None)
            assert now(pane).startswith("cancelled after") and "free again" not in str(status.content)
            await pilot.press("f5")
            await until(lambda: pane.asked)
            holder.let_go()
            await until(lambda: pane.answer)
            assert pane.answer and pane.answer.rows == [(1,)]
    finally:
        holder.process.kill()


async def test_another_query_can_be_asked_whatever_went_wrong(
    empty_home: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_home / "results.duckdb").write_text("not a database" * 100)

    def broken(*arguments: object, **options: object) -> None:
        raise LookupError("defect")

    async with opened(empty_home, "sql") as pilot:
        assert "no DuckDB database" in problem(await ask(pilot, "from runs"))
        monkeypatch.setattr("workbench.tui.sql.run_sql", broken)
        assert now(await ask(pilot, "from runs")) == "failed"


async def test_a_bad_name_is_told_in_the_dialog(home: Path, opened: Opened) -> None:
    async with opened(home, "sql") as pilot:
        await pilot.press("ctrl+s", *"../x", "enter")
        await until(lambda: "allowed" in screen_text(pilot.app))
        await pilot.press("escape")
        assert not (home.parent / "x.sql").exists()


async def test_copy_and_export(home: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    long = "x" * 100
    async with opened(home, "sql") as pilot:
        pane = await ask(pilot, f"select '{long}' as text, 1.23456789::double as figure")
        await pilot.press("escape", "y")
        assert pilot.app.clipboard == f"{long}\t1.23456789"
        assert long not in screen_text(pilot.app)
        await pilot.press("e", "enter")
        await until((home / "sql.csv").exists)
        assert (home / "sql.csv").read_text() == f"text,figure\n{long},1.23456789\n"
        assert pane.answer


async def test_number_keys_are_tabs_until_one_types(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "sql") as pilot:
        await pilot.press("1")
        await until(lambda: pilot.app.pane.id == "runs")
        await pilot.press("6")
        await until(lambda: pilot.app.pane.id == "sql")
        pane = the_pane(pilot)
        editor = pane.query_one(CodeEditor)
        editor.put("")
        await pilot.press("tab", *"select 1")
        assert editor.text == "select 1"
        await pilot.press("escape", "1")
        await until(lambda: pilot.app.pane.id == "runs")


async def test_values_are_no_markup(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "sql") as pilot:
        await ask(pilot, "select '[/bold] runs[/a]' as \"[red]name[/red]\", '[@click=app.quit]x[/]' as b")
        text = screen_text(pilot.app)
        assert "[/bold] runs[/a]" in text and "[red]name[/red]" in text
        await ask(pilot, 'select "[/x]" from runs')
        assert "[/x]" in screen_text(pilot.app)


async def test_without_a_store(empty_home: Path, opened: Opened) -> None:
    async with opened(empty_home, "sql") as pilot:
        await until(lambda: "no results yet" in screen_text(pilot.app))
        assert "no such store" in problem(await ask(pilot, "from runs"))


def test_history_survives_damage_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT", 3)
    for statement in ("a", "b", "a", "c", "d", "e"):
        kept.remember(statement)
    assert kept.history() == ["e", "d", "c"]
    with kept.history_file().open("a") as handle:
        handle.write('"torn')
    assert kept.history() == ["e", "d", "c"]


def test_names_of_saved_queries(tmp_path: Path) -> None:
    store = tmp_path / "results.duckdb"
    for name in ("", "../up", ".hidden", "a/b", "x" * 61):
        with pytest.raises(InputError, match="allowed"):
            kept.save_query(store, name, "select 1")
    with pytest.raises(InputError, match="no query"):
        kept.save_query(store, "good", "  ")
    assert kept.save_query(store, "by seed 2", "select 1").read_text() == "select 1\n"
    assert [one.name for one in kept.saved_queries(store)][-1] == "by seed 2"


def test_the_examples_are_the_readme_s() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    blocks = re.findall(r"^```sql\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    assert sorted(blocks) == sorted(one.statement for one in kept.saved_queries(Path("none")))


async def test_on_a_small_screen_what_runs_is_not_cut(hand_home: Path, opened: Opened) -> None:
    async with opened(hand_home, "sql") as pilot:
        pane = the_pane(pilot)
        pane.query_one(CodeEditor).put(SLOW)
        await pilot.press("f5")
        await until(lambda: "s, Esc cancels " in screen_text(pilot.app))
        await pilot.press("escape")
        await until(lambda: pane.asked is None)


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=str)
async def test_it_fits(hand_home: Path, opened: Opened, size: tuple[int, int]) -> None:
    async with opened(hand_home, "sql", size) as pilot:
        pane = await ask(pilot, "from arm_measures")
        assert pane.query_one(PagedTable).size.height >= 5
        assert pane.query_one(CodeEditor).size.height >= 4


@pytest.mark.parametrize("size", [SIZE, LARGE], ids=["80x24", "160x50"])
def test_it_looks_as_it_did(home: Path, pictured: Pictured, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        pilot.app.action_go("sql")  # type: ignore[attr-defined]
        await until(lambda: isinstance(pilot.app.pane, SqlPane))  # type: ignore[attr-defined]
        pane = await ask(pilot, "select arm, setting, mean from arm_measures where measure = 'map' order by all")
        await until(lambda: len(pane.query_one("#known", Tree).root.children) == 3)
        await until(lambda: len(pane.query_one("#known", Tree).root.children[1].children) == 1)
        pane.say_now("6 rows")  # without the time that it took
        await pilot.press("escape", "down")

    assert pictured(home, size, before)
