"""What a run says of itself: one JSON object a line, append-only, in its `events.jsonl`.

A line holds `time` (UTC, ISO 8601, milliseconds), `kind`, `state` (the run's state at that moment) and the fields of
its kind. Numbers that JSON does not know (NaN, infinities) are null. A line torn by a kill is ignored, and never
takes the next one with it.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from workbench.files import as_work_error
from workbench.records import State

Event = dict[str, Any]
TAIL_BYTES = 4096
"""First bite from a file's end: several lines of steps, less than a traceback."""


def utc_now() -> str:
    """The time in the form in which events and records hold it: `2026-11-22T14:03:27.512+00:00`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class EventLog:
    """Appends to one events file; `current` is the run's state, taken up from the file's last line.

    Each line is one write at the file's end, so that a reader never meets two lines mixed.
    """

    def __init__(self, path: Path) -> None:
        last = last_event(path)
        self.path = path
        self.current: State = cast(State, last["state"]) if last else "queued"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._descriptor)

    def state(self, state: State, **fields: Any) -> None:
        """Change the run's state; on disk, not only in the kernel's memory, when it returns.

        Raises
        ------
        WorkError
            The disk is full or not writable.
        """
        self.current = state
        self.write("state", **fields)
        os.fsync(self._descriptor)

    def write(self, kind: str, **fields: Any) -> None:
        """Append one event of `kind`.

        Raises
        ------
        WorkError
            The disk is full or not writable.
        """
        event = {"time": utc_now(), "kind": kind, "state": self.current, **fields}
        line = json.dumps(without_nan(event), allow_nan=False).encode() + b"\n"
        try:
            self._append(line if self._ends_whole() else b"\n" + line)
        except OSError as error:
            raise as_work_error(error, self.path) from error

    def _append(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._descriptor, line) :]

    def _ends_whole(self) -> bool:
        """Looked at before every line: whoever wrote last may have been killed in the middle."""
        size = os.fstat(self._descriptor).st_size
        return size == 0 or os.pread(self._descriptor, 1, size - 1) == b"\n"


def without_nan(value: Any) -> Any:
    """`value` with null for every number that JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: without_nan(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(part) for part in value]
    return value


def parse_event(line: bytes) -> Event | None:
    """One line as an event; None where it is torn, garbled or no event."""
    try:
        event = json.loads(line.decode(), parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    return event if all(isinstance(event.get(name), str) for name in ("time", "kind", "state")) else None


def read_new_events(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """The events from byte `offset` on, and the offset to go on from; a line still being written is left for then.

    A file that is not there has no events.
    """
    try:
        with path.open("rb") as handle:
            handle.seek(offset)
            content = handle.read()
    except FileNotFoundError:
        return [], offset
    lines = content.split(b"\n")
    events = [parse_event(line) for line in lines]
    # no proper prefix of a JSON object is one, so a last line that parses lacks nothing but its line break
    left = len(lines[-1]) if events[-1] is None else 0
    return [event for event in events if event is not None], offset + len(content) - left


def read_events(path: Path) -> list[Event]:
    """All events of a file, oldest first."""
    return read_new_events(path)[0]


def last_event(path: Path, kinds: tuple[str, ...] | None = None) -> Event | None:
    """The newest event (of one of `kinds`), read from the file's tail; None where there is none."""
    try:
        with path.open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            tail = TAIL_BYTES
            while True:
                bite = min(tail, size)
                handle.seek(size - bite)
                found = newest(handle.read(bite), kinds)
                if found or tail >= size:
                    return found
                tail *= 4
    except FileNotFoundError:
        return None


def newest(content: bytes, kinds: tuple[str, ...] | None) -> Event | None:
    """The last event of `content`, which may begin inside a line: such a piece does not parse."""
    for line in reversed(content.split(b"\n")):
        event = parse_event(line)
        if event and (kinds is None or event["kind"] in kinds):
            return event
    return None


def follow(path: Path, poll_s: float = 0.2, ended: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """The events of a file from its start, then new ones as they come, until `ended()` and nothing more is there."""
    offset = 0
    while True:
        last_look = ended()
        events, offset = read_new_events(path, offset)
        yield from events
        if last_look and not events:
            return
        if not events:
            time.sleep(poll_s)
