"""Makes the pictures in the README: `python docs/screenshots.py STORE RUNS BASELINE ARM`. They show figures alone, no
texts: the runs, and the map of differences between two arms, which are named as for `workbench compare`."""

import asyncio
import os
import re
import sys
from pathlib import Path

from textual.widgets import DataTable

from workbench.paths import RunsPaths
from workbench.tui.app import WorkbenchApp
from workbench.tui.reader import Reader
from workbench.tui.widgets.heatmap import HeatMap

SIZE = (120, 32)
LIMIT_S = 60.0
HERE = Path(__file__).resolve().parent


async def until(true):
    for _ in range(round(LIMIT_S / 0.05)):
        if true():
            return
        await asyncio.sleep(0.05)
    raise SystemExit("there is nothing to show: a store with finished runs of these arms is needed")


async def take(reader: Reader, beginnings: list[str]) -> None:
    app = WorkbenchApp(reader)
    async with app.run_test(size=SIZE) as pilot:
        await until(
            lambda: app.pane is not None and app.pane.query(DataTable) and app.pane.query_one(DataTable).row_count
        )
        await save(app, pilot, "runs")
        app.action_go("compare")
        await until(lambda: app.pane.id == "compare" and app.pane.choice.listing)
        known = [row["arm"] for row in app.pane.choice.listing]
        app.pane.take_arms([next(arm for arm in known if arm.startswith(start)) for start in beginnings])
        await until(lambda: app.pane.compared is not None and not app.pane.busy)
        await pilot.press("v")
        await until(lambda: any(map_.matrix.rows for map_ in app.pane.query(HeatMap)))
        await save(app, pilot, "compare")


async def save(app: WorkbenchApp, pilot, name: str) -> None:
    await pilot.pause(1)
    path = HERE / f"{name}.svg"
    # the same picture gives the same file
    path.write_text(re.sub(r"terminal-\d+", "terminal-0", app.export_screenshot()))
    print(path)


if __name__ == "__main__":
    store, runs = (Path(text).resolve() for text in sys.argv[1:3])
    os.chdir(store.parent)  # the status bar tells the store's path
    asyncio.run(take(Reader(Path(store.name), RunsPaths(runs)), sys.argv[3:]))
