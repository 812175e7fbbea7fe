"""Progress of runs as they work: a bar for each on a terminal, plain lines in a pipe. Narration: all on stderr."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from workbench.reports.tables import duration
from workbench.runs.supervisor import Update

LINE_EVERY_S = 5.0
"""Pause between two lines of one run in a pipe."""


def show_progress(updates: Iterable[Update], console: Console | None = None) -> dict[str, str]:
    """Show updates until they end; return the last state of each run."""
    console = console or Console(stderr=True, highlight=False)
    watcher = BarsView(console) if console.is_terminal else LinesView(console)
    states: dict[str, str] = {}
    with watcher:
        for update in updates:
            states[update.run_id] = update.state
            watcher.show(update)
    return states


class LinesView:
    """One line when a run changes its state, warns or fails, and every few seconds between."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.said: dict[str, float] = {}
        self.state: dict[str, str] = {}

    def __enter__(self) -> "LinesView":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, update: Update) -> None:
        for event in update.events:
            if event["kind"] in ("warning", "error", "validation"):
                self._say(update.run_id, describe(event))
        moving = [event for event in update.events if event["kind"] in ("step", "progress")]
        changed = self.state.get(update.run_id) != update.state
        if moving and (changed or time.monotonic() - self.said.get(update.run_id, 0) > LINE_EVERY_S):
            self._say(update.run_id, describe(moving[-1]))
        if changed:
            self.state[update.run_id] = update.state
            self._say(update.run_id, update.state)

    def _say(self, run_id: str, text: str) -> None:
        self.said[run_id] = time.monotonic()
        self.console.print(f"{run_id}  {text}", markup=False, soft_wrap=True)


class BarsView:
    """A bar for each run that works or has worked."""

    def __init__(self, console: Console) -> None:
        self.bars: dict[str, TaskID] = {}
        self.progress = Progress(
            TextColumn("{task.fields[name]}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[now]}", markup=False),
            console=console,
        )

    def __enter__(self) -> "BarsView":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def show(self, update: Update) -> None:
        if update.run_id not in self.bars:
            self.bars[update.run_id] = self.progress.add_task("", total=1, name=update.run_id, now=update.state)
        bar = self.bars[update.run_id]
        for event in update.events:
            if event["kind"] in ("warning", "error"):
                self.progress.console.print(Text(f"{update.run_id}  {describe(event)}"))
        moving = [event for event in update.events if event["kind"] in ("step", "progress")]
        if moving:
            last = moving[-1]
            done, total = (last["step"], last["steps"]) if last["kind"] == "step" else (last["done"], last["total"])
            self.progress.update(bar, completed=done, total=max(total, 1), now=describe(last))
        elif update.state in ("queued", "preparing", "finished", "failed", "stopped", "lost"):
            self.progress.update(bar, now=update.state)


def describe(event: Mapping[str, Any]) -> str:
    """An event in one line."""
    kind = event["kind"]
    if kind == "step":
        loss = "nan" if event["loss"] is None else f"{event['loss']:.4f}"
        return (
            f"step {event['step']}/{event['steps']}  loss {loss}  {event['batch_kind']}  "
            f"{event['pairs_per_second']:.1f} pairs/s  ETA {duration(event['eta_s'])}"
        )
    if kind == "progress":
        return f"{event['stage']}  {event['done']}/{event['total']}  ETA {duration(event['eta_s'])}"
    if kind == "validation":
        return f"validation loss {event['loss']:.4f} after step {event['step']}"
    if kind == "state":
        return event["state"] + (f": {event['message']}" if event.get("message") else "")
    if kind == "checkpoint":
        return f"checkpoint after step {event['step']}"
    return f"{kind}: {event.get('message')}"
