"""Small real stores for the screens, and how tests wait and press keys."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.analysis.hand import make_store
from tests.store.synthetic import make_settings, write_run
from workbench.paths import RunsPaths
from workbench.reports import claims
from workbench.store.database import ingest_pending
from workbench.tui.app import WorkbenchApp
from workbench.tui.reader import Reader
from workbench.tui.widgets.status import StatusBar

SIZE = (80, 24)
LARGE = (160, 50)
LIMIT_S = 20.0
STRANGE = (
    "[bold]not markup[/]",
    "runs[/a]",
    "🦜🦜 parrot",
    "שלום-עולם",
    "हिन्दी-ไทย",
    "x" * 200,
)
"""Names that do harm where data is taken for markup, or for one cell a letter."""


@pytest.fixture(scope="session")
def hand_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two arms of two seeds on three languages: `results.duckdb` and `runs`; to read only."""
    home = tmp_path_factory.mktemp("hand")
    make_store(home)
    return home


@pytest.fixture
def home(hand_home: Path, tmp_path: Path) -> Path:
    """A copy of `hand_home` that a test may change."""
    return Path(shutil.copytree(hand_home, tmp_path / "home"))


@pytest.fixture(scope="session")
def strange_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs whose experiments have strange names, finished and not; to read only."""
    home = tmp_path_factory.mktemp("strange")
    runs = RunsPaths(home / "runs")
    for number, name in enumerate(STRANGE):
        for state in ("finished", "failed"):
            write_run(
                runs.root,
                f"20261122-14{number:02}-{state}-s0-aaaa",
                state=state,
                arm=f"{name}-{number}",
                settings=make_settings(name=name),
            )
    ingested = ingest_pending(home / "results.duckdb", runs)
    assert not ingested.problems, ingested.problems
    return home


@pytest.fixture
def empty_home(tmp_path: Path) -> Path:
    """Neither a store nor runs."""
    home = tmp_path / "empty"
    home.mkdir()
    return home


def reader_of(home: Path) -> Reader:
    return Reader(home / "results.duckdb", RunsPaths(home / "runs"))


Opened = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Pictured = Callable[[Path, tuple[int, int], Callable[[Pilot[None]], Awaitable[None]]], bool]


@pytest.fixture
def opened() -> Opened:
    """`async with opened(home, tab="sql", size=SIZE) as pilot`: the app on a folder, with a screen in front."""

    @asynccontextmanager
    async def run(home: Path, tab: str = "runs", size: tuple[int, int] = SIZE) -> AsyncIterator[Pilot[None]]:
        app = WorkbenchApp(reader_of(home))
        async with app.run_test(size=size) as pilot:
            await until(lambda: app.pane is not None)
            if tab != "runs":
                app.action_go(tab)
                await until(lambda: app.pane is not None and app.pane.id == tab)
            await pilot.pause()
            yield pilot

    return run


JUDGED: dict[tuple[str, int], list[tuple[dict[str, Any], Any]]] = {}
"""By path and time of a store."""


@pytest.fixture(autouse=True)
def judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims on a store that has not changed are judged once: it takes a second or two."""
    really = claims.judged

    def judged(store: Path) -> list[tuple[dict[str, Any], Any]]:
        key = str(store), store.stat().st_mtime_ns
        if key not in JUDGED:
            JUDGED[key] = really(store)
        return list(JUDGED[key])

    monkeypatch.setattr(claims, "judged", judged)


async def until(true: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Wait for a condition."""
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.01)


async def at_rest(pilot: Pilot[None], rest_s: float = 0.5) -> None:
    """Wait until the status bar says something, nothing is read, and the screen has stayed as it is for a while."""
    now, since = "", time.monotonic()

    def rests() -> bool:
        nonlocal now, since
        seen = screen_text(pilot.app)  # type: ignore[arg-type]
        stands = pilot.app.screen_stack[0].query_one(StatusBar).is_standing
        if seen != now or not stands or not all(worker.is_finished for worker in pilot.app.workers):
            now, since = seen, time.monotonic()
        return time.monotonic() - since > rest_s

    await until(rests)
    await pilot.pause()


@pytest.fixture
def pictured(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> Pictured:
    """`assert pictured(home, size, before)`: the app on a folder looks as it did, after what `before` does to it."""

    def compare(home: Path, size: tuple[int, int], before: Callable[[Pilot[None]], Awaitable[None]]) -> bool:
        async def ready(pilot: Pilot[None]) -> None:
            await until(lambda: pilot.app.pane is not None)  # type: ignore[attr-defined]
            await before(pilot)
            await at_rest(pilot)

        # pictures show the store's path, which must not be one of this test
        monkeypatch.chdir(home)
        return bool(snap_compare(WorkbenchApp(reader_of(Path())), terminal_size=size, run_before=ready))

    return compare


async def export_to(pilot: Pilot[None], path: Path) -> None:
    """Through the dialog that the key `e` opens."""
    await pilot.press("e")
    await until(lambda: pilot.app.screen.query("#path"))
    pilot.app.screen.query_one("#path", Input).value = str(path)
    await pilot.press("enter")
    await until(path.exists)


def screen_text(app: WorkbenchApp) -> str:
    """What stands on the screen, a line a line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)
