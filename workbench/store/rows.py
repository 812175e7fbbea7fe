"""What a run directory says of its run, as rows for the store: plain Python, no database."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.paths import RunPaths
from workbench.records import ENDED, RunSpec, State, to_plain
from workbench.runs.events import Event, last_event

FLOAT_MAX = 3.4e38
"""What lies above it does not fit the store's FLOAT."""


@dataclass(frozen=True)
class Ending:
    """How a run directory says that its run ended; one that is resumed has another later."""

    run_id: str
    state: State
    ended: datetime
    """UTC, without a time zone, as the store holds times."""


def read_ending(run: RunPaths) -> Ending:
    """How the run ended, by its last event.

    Raises
    ------
    InputError
        It has not ended, or there is no run.
    """
    last = last_event(run.events)
    if last is None:
        raise InputError(f"{run.root}: no run directory: it has no events in {run.events.name}")
    if last["state"] not in ENDED:
        raise InputError(f"{run.root}: the run is {last['state']}; ingested is what is {', '.join(ENDED)}")
    return Ending(run.run_id, last["state"], utc(run, last["time"]))


def run_row(run: RunPaths, spec: RunSpec, ending: Ending, events: Sequence[Event]) -> dict[str, Any]:
    """The run's row in `runs`; what the run did not live to record is null."""
    settings, environment = spec.settings, read_object(run.environment)
    train = settings.train
    at_work = [e["time"] for e in events if e["state"] not in ("queued", *ENDED)]
    started = environment.get("started") or next(iter(at_work), None)
    steps = [e["steps"] for e in events if e["kind"] == "step" and isinstance(e.get("steps"), int)]
    errors = [e.get("message") for e in events if e["kind"] == "error"]
    return {
        "run_id": run.run_id,
        "run_name": run_name(run.run_id),
        "experiment": settings.name,
        "arm": spec.arm,
        "sampling": train.sampling.strategy if train else None,
        "alpha": train.sampling.alpha if train and train.sampling.strategy in ("hybrid", "mixed") else None,
        "model": settings.model.checkpoint,
        "seed": settings.seed,
        "state": ending.state,
        "created": utc(run, spec.created),
        "started": utc(run, started) if started else None,
        "ended": ending.ended,
        "seconds": seconds_at_work(environment),
        "device": environment.get("device"),
        "threads": environment.get("threads"),
        "host": environment.get("host"),
        "steps": steps[-1] if steps else train and train.steps,
        "batch_size": train and train.batch_size,
        "learning_rate": train and train.learning_rate,
        "temperature": train and train.temperature,
        "parameters": environment.get("parameters"),
        "message": errors[-1] if errors and ending.state == "failed" else None,
        "config": as_json(to_plain(spec)),
        "environment": as_json(environment),
        "fingerprints": as_json(spec.fingerprints),
        "leaked": leaked(environment),
    }


def run_name(run_id: str) -> str:
    """`20261122-1403-hybrid-a50-s0-7f3c` without its time and its suffix; any other form as it is."""
    found = re.fullmatch(r"\d{8}-\d{4}-(.+?)-[0-9a-f]{4}(-\d+)?", run_id)
    return found[1] if found else run_id


def seconds_at_work(environment: Mapping[str, Any]) -> float | None:
    stages = environment.get("seconds")
    return sum(filter(None, map(number, stages.values()))) if isinstance(stages, Mapping) else None


def leaked(environment: Mapping[str, Any]) -> bool | None:
    """Whether the run trained on texts of its tasks; null where nobody looked."""
    check = environment.get("leakage")
    found = check.get("leaked") if isinstance(check, Mapping) else None
    return found if isinstance(found, bool) else None


def training_steps(run: RunPaths, events: Sequence[Event]) -> list[dict[str, Any]]:
    """One row a step, ascending. A resumed run repeats steps: the last word on a step counts."""
    steps: dict[int, dict[str, Any]] = {}
    for event in events:
        step = event.get("step")
        if not isinstance(step, int):
            continue
        if event["kind"] == "step":
            steps.setdefault(step, {}).update(step_values(run, event))
        elif event["kind"] == "validation":
            steps.setdefault(step, {})["validation_loss"] = number(event.get("loss"))
    return [{"step": step, **steps[step]} for step in sorted(steps)]


def step_values(run: RunPaths, event: Event) -> dict[str, Any]:
    numbers = ("loss", "learning_rate", "gradient_norm", "pairs_per_second")
    words = ("batch_kind", "training_set")
    return {
        "time": utc(run, event["time"]),
        **{name: number(event.get(name)) for name in numbers},
        **{name: event[name] if isinstance(event.get(name), str) else None for name in words},
    }


def read_tasks(path: Path) -> list[dict[str, Any]]:
    """The tasks that a run evaluated; objects in them as JSON with sorted keys, so that equal ones are equal text."""
    tasks = read_json(path)
    if not isinstance(tasks, list) or not all(
        isinstance(task, dict) and isinstance(task.get("task"), str) and isinstance(task.get("task_id"), str)
        for task in tasks
    ):
        raise InputError(f"{path}: damaged: not a list of objects with `task` and `task_id`")
    return [{k: v if isinstance(v, str) else as_json(v) for k, v in task.items()} for task in tasks]


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; an empty one where the file is not there."""
    content = read_json(path) if path.exists() else {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: damaged: not a JSON object")
    return content


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; was the run's folder copied whole?") from error
    except ValueError as error:
        raise InputError(f"{path}: damaged: {error}") from error


def as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def number(value: Any) -> float | None:
    """A finite number that a FLOAT can hold, else null."""
    return float(value) if isinstance(value, (int, float)) and abs(value) < FLOAT_MAX else None


def utc(run: RunPaths, text: str) -> datetime:
    """ISO 8601 as the store holds times: UTC, without a time zone."""
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise InputError(f"{run.root}: damaged: {text!r} is no ISO 8601 time") from error
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
