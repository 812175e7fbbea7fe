"""Makes the pictures in the README: `python docs/screenshots.py STORE RUNS`. They show figures alone, no texts."""

import asyncio
import re
import sys
from pathlib import Path

from textual.widgets import DataTable

from workbench.paths import RunsPaths
from workbench.tui.app import WorkbenchApp
from workbench.tui.reader import Reader
from workbench.tui.widgets.heatmap import HeatMap
from workbench.tui.widgets.status import StatusBar

SIZE = (120, 32)
LIMIT_S = 60.0


async def until(true):
    for _ in range(round(LIMIT_S / 0.05)):
        if true():
            return
        await asyncio.sleep(0.05)
    raise SystemExit("there is nothing to show: a store with finished runs is needed")


async def take(reader: Reader, folder: Path) -> None:
    """The runs, and the language pairs of the newest one that has figures."""
    app = WorkbenchApp(reader)
    async with app.run_test(size=SIZE) as pilot:
        await until(
            lambda: app.pane is not None and app.pane.query(DataTable) and app.pane.query_one(DataTable).row_count
        )
        await save(app, pilot, folder / "runs.svg")
        for _ in range(3):  # past the experiment and the arm
            await pilot.press("down")
        await pilot.press("enter")
        await until(lambda: any(map_.matrix.rows for map_ in app.pane.query(HeatMap)))
        await save(app, pilot, folder / "run.svg")


async def save(app: WorkbenchApp, pilot, path: Path) -> None:
    app.query_one(StatusBar).stand("nothing at work   results.duckdb")  # not the path on this machine
    await pilot.pause(0.5)
    app.query_one(StatusBar).stand("nothing at work   results.duckdb")
    await pilot.pause()
    # the same picture gives the same file
    path.write_text(re.sub(r"terminal-\d+", "terminal-0", app.export_screenshot()))
    print(path)


if __name__ == "__main__":
    store, runs = map(Path, sys.argv[1:])
    asyncio.run(take(Reader(store, RunsPaths(runs)), Path(__file__).parent))
