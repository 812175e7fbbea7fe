"""The Runs screen on a store of many runs: first paint, cursor keys, sorting, filtering, paging, against their limits.

`python -m tests.benchmarks.bench_tui [runs] [times]` (10000 runs, 5 times) prints a line a measure: its median, its
worst, and the worst divided by the limit, which is at most 1 where the promise is kept. First paint is counted from
the start of a process that only makes the app; `first rows`, which has no limit, until runs are in the table. A key's
time ends when the terminal is sent what it changed. `pause` is the longest time for which the app answered nothing
while something was sorted, filtered or paged.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.synthetic_store import make_store
from workbench.paths import RunsPaths
from workbench.tui import app as app_module
from workbench.tui.app import WorkbenchApp
from workbench.tui.reader import Reader
from workbench.tui.runs import RunsPane

LIMITS_S = {"first paint": 0.5, "cursor key": 0.05, "sort": 0.5, "filter": 0.5, "paging": 0.5, "pause": 0.5}
SIZE = (160, 50)
PAINT = """
import asyncio, sys, time
from pathlib import Path
from workbench.paths import RunsPaths
from workbench.tui.app import WorkbenchApp
from workbench.tui.reader import Reader

async def main():
    app = WorkbenchApp(Reader(Path(sys.argv[1]), RunsPaths(Path(sys.argv[2]))))
    async with app.run_test(size=(160, 50)):
        print("screen", time.time(), flush=True)
        while not app.query("RunsTable") or not app.query_one("RunsTable").found:
            await asyncio.sleep(0.002)
        print("rows", time.time(), flush=True)

asyncio.run(main())
"""
"""Prints the time at which the screen is there, and at which runs are in its table."""
Times = dict[str, list[float]]


def first_paint(store: Path, runs: Path, times: int) -> Times:
    found: Times = {"first paint": [], "first rows": []}
    for _ in range(times):
        began = time.time()
        command = [sys.executable, "-c", PAINT, str(store), str(runs)]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        found["first paint"].append(float(lines[1]) - began)
        found["first rows"].append(float(lines[3]) - began)
    return found


class Watched(WorkbenchApp):
    """Knows when the terminal was last sent anything, and the longest time between two turns of the event loop."""

    CSS_PATH = Path(app_module.__file__).with_name("workbench.tcss")
    painted = 0.0
    longest = 0.0

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        self.painted = time.perf_counter()

    async def beat(self) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.longest, last = max(self.longest, now - last), now

    async def timed(self, key: str, there: Callable[[], object]) -> float:
        """From a key until what it asks for is there and painted."""
        began = time.perf_counter()
        self.simulate_key(key)
        await until(there)
        came = time.perf_counter()
        await until(lambda: self.painted > came)
        taken = self.painted - began
        await asyncio.sleep(0.1)
        return taken


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.001)


async def keys(store: Path, runs: Path, count: int, times: int) -> Times:
    """What the keys take."""
    found: Times = {name: [] for name in ("cursor key", "sort", "filter", "paging", "pause")}
    app = Watched(Reader(store, RunsPaths(runs)))
    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: app.pane is not None)
        pane = app.query_one(RunsPane)
        table = pane.runs_table
        await until(lambda: len(pane.runs) == count and len(table.found) > count)
        await pilot.pause(1)
        for place in range(4 * times):
            found["cursor key"].append(await app.timed("down", lambda place=place: table.data.cursor_row > place))
        for place in range(times):
            app.longest = 0.0
            beat = asyncio.create_task(app.beat())
            before = table.found
            key = "O" if place else "o"
            found["sort"].append(await app.timed(key, lambda before=before: table.found is not before))
            turn = "right_square_bracket" if not table.page else "left_square_bracket"
            found["paging"].append(await app.timed(turn, lambda page=table.page: table.page != page))
            await pilot.press("slash")
            before = table.found
            found["filter"].append(await app.timed("e", lambda before=before: table.found is not before))
            before = table.found
            await pilot.press("escape")
            await until(lambda before=before: table.found is not before)
            beat.cancel()
            found["pause"].append(app.longest)
    return found


def main(runs: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, directory = Path(folder) / "results.duckdb", Path(folder) / "runs"
        began = time.perf_counter()
        make_store(store, runs)
        print(f"{runs} runs in {time.perf_counter() - began:.1f} s, {store.stat().st_size / 2**20:.0f} MiB")
        found = first_paint(store, directory, times) | asyncio.run(keys(store, directory, runs, times))
    for name, taken in found.items():
        limit = LIMITS_S.get(name)
        ratio = f"{max(taken) / limit:6.2f} of {limit} s" if limit else ""
        print(f"{name:14} {statistics.median(taken):7.3f} s   worst {max(taken):7.3f} s   {ratio}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, int(sys.argv[2]) if len(sys.argv) > 2 else 5)
