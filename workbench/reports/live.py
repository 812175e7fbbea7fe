"""Progress of runs as they work: a bar for each on a terminal, plain lines in a pipe. Narration: all on stderr."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from workbench.records import ENDED
from workbench.reports.tables import time_left
from workbench.runs.supervisor import Update
from workbench.store.rows import run_name

LINE_EVERY_S = 5.0
"""Pause between two lines of one run in a pipe."""
BAR_WIDTH, NARROW_BAR_WIDTH = 20, 10
"""Of a bar, and on a terminal of less than 80 columns."""
TELLING = ("warning", "error", "validation")
"""Events that are always told."""
MOVING = ("step", "progress")
"""Events that say how far a run is."""
SPARE = ("rate", "kind", "loss", "ETA")
"""Parts of a step's description that narrow terminals do without, in this order."""


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
            if event["kind"] in TELLING:
                self._say(update.run_id, describe(event))
        moving = [event for event in update.events if event["kind"] in MOVING]
        changed = self.state.get(update.run_id) != update.state
        if moving and (changed or time.monotonic() - self.said.get(update.run_id, 0) > LINE_EVERY_S):
            self._say(update.run_id, describe(moving[-1]))
        if changed:
            self.state[update.run_id] = update.state
            self._say(update.run_id, update.state)

    def _say(self, run_id: str, text: str) -> None:
        self.said[run_id] = time.monotonic()
        self.console.print(Text(f"{run_id}  {text}"), soft_wrap=True)


class Bars(Progress):
    """Bars, and one line below them."""

    below = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.below:
            yield Text(self.below)


class BarsView:
    """A bar for each run that works; those that end leave a line above, so that the working ones stay in sight."""

    def __init__(self, console: Console) -> None:
        self.bars: dict[str, TaskID] = {}
        self.states: dict[str, str] = {}
        self.moved: dict[str, Mapping[str, Any]] = {}
        self.bar_width = BAR_WIDTH if console.width >= 80 else NARROW_BAR_WIDTH
        self.progress = Bars(
            TextColumn("{task.fields[name]}", markup=False),
            BarColumn(bar_width=self.bar_width),
            TextColumn("{task.fields[now]}", markup=False),
            console=console,
        )

    def __enter__(self) -> "BarsView":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def show(self, update: Update) -> None:
        run_id, state = update.run_id, update.state
        changed = self.states.get(run_id) != state
        self.states[run_id] = state
        for event in update.events:
            if event["kind"] in MOVING:
                self.moved[run_id] = event
            elif event["kind"] == "state":
                self.moved.pop(run_id, None)
        self._draw()
        for event in update.events:
            if event["kind"] in ("warning", "error"):
                self._say(run_id, describe(event))
        if changed and state in (*ENDED, "damaged"):
            self._say(run_id, state)

    def _draw(self) -> None:
        names = short_names(self.states)
        working = {run_id: state for run_id, state in self.states.items() if is_working(state)}
        widest = max((len(names[run_id]) for run_id in working), default=0)
        # two gaps of one cell each; and one more, for terminals that break a line that is just full
        room = max(1, self.progress.console.width - widest - self.bar_width - 3)
        for run_id in self.bars.keys() - working.keys():
            self.progress.remove_task(self.bars.pop(run_id))
        for run_id, state in working.items():
            moved = self.moved.get(run_id)
            done, total = extent(moved)
            now = shortened(moved, room) if moved else state[:room]
            if run_id not in self.bars:
                self.bars[run_id] = self.progress.add_task("", name=names[run_id], now=now)
            self.progress.update(self.bars[run_id], completed=done, total=total, name=names[run_id], now=now)
        queued = sum(state == "queued" for state in self.states.values())
        self.progress.below = f"{queued} queued" if queued else ""

    def _say(self, run_id: str, text: str) -> None:
        self.progress.console.print(Text(f"{run_id}  {text}"))


def is_working(state: str) -> bool:
    return state not in (*ENDED, "damaged", "queued")


def short_names(run_ids: Iterable[str]) -> dict[str, str]:
    """Each run's name without time and suffix, `hybrid-a50-s0`; the whole run_id where several have that name."""
    names = {run_id: run_name(run_id) for run_id in run_ids}
    counts = Counter(names.values())
    return {run_id: name if counts[name] == 1 else run_id for run_id, name in names.items()}


def extent(event: Mapping[str, Any] | None) -> tuple[float, float]:
    """How much is done, of how much."""
    names = ("step", "steps") if event and event["kind"] == "step" else ("done", "total")
    done, total = (number(event.get(name)) if event else None for name in names)
    return done or 0, max(total or 1, 1)


def describe(event: Mapping[str, Any]) -> str:
    """An event in one line, whatever it lacks; numbers that are not finite come as null."""
    return "  ".join(part for part in parts(event).values() if part)


def shortened(event: Mapping[str, Any], room: int) -> str:
    """`describe` in at most `room` characters."""
    kept = parts(event)
    for name in SPARE:
        text = "  ".join(part for part in kept.values() if part)
        if len(text) <= room:
            return text
        kept.pop(name, None)
    text = "  ".join(part for part in kept.values() if part)
    return text if len(text) <= room else text[: room - 1] + "…"


def parts(event: Mapping[str, Any]) -> dict[str, str]:
    """What there is to say of an event, by name; empty what is not known."""
    kind = event["kind"]
    eta = time_left(number(event.get("eta_s")))
    ahead = {"ETA": f"ETA {eta}" if eta else ""}
    if kind == "step":
        rate = number(event.get("pairs_per_second"))
        return {
            "step": f"step {count(event, 'step')}/{count(event, 'steps')}",
            "loss": f"loss {loss(event)}",
            "kind": str(event.get("batch_kind") or ""),
            "rate": "" if rate is None else f"{rate:.1f} pairs/s",
            **ahead,
        }
    if kind == "progress":
        return {"stage": f"{event.get('stage')}  {count(event, 'done')}/{count(event, 'total')}", **ahead}
    return {"": said(kind, event)}


def said(kind: str, event: Mapping[str, Any]) -> str:
    """The events that are no measure of progress."""
    message = event.get("message")
    if kind == "validation":
        return f"validation loss {loss(event)} after step {count(event, 'step')}"
    if kind == "state":
        return str(event.get("state")) + (f": {message}" if message else "")
    if kind == "checkpoint":
        return f"checkpoint after step {count(event, 'step')}"
    if kind == "sampled":
        return f"drawn so far: {batches(event)} batches"
    return f"{kind}: {message}" if message else kind


def loss(event: Mapping[str, Any]) -> str:
    value = number(event.get("loss"))
    return "nan" if value is None else f"{value:.4f}"


def count(event: Mapping[str, Any], name: str) -> str:
    value = number(event.get(name))
    return "?" if value is None else f"{value:.0f}"


def batches(event: Mapping[str, Any]) -> str:
    counts = event.get("counts")
    if not isinstance(counts, list):
        return "?"
    drawn = [number(row.get("batches")) for row in counts if isinstance(row, Mapping)]
    return f"{sum(n for n in drawn if n is not None):.0f}"


def number(value: Any) -> float | None:
    """A finite number, else None."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and math.isfinite(value) else None
