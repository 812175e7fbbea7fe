"""The rows of the Runs screen: a run each, below the experiment and the arm that it belongs to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from statistics import fmean
from typing import Any, Literal

from rich.cells import cell_len, set_cell_size

from workbench.reports.tables import shown, time_left

Row = dict[str, Any]
View = Literal["runs by arm", "arms", "runs"]
VIEWS: tuple[View, ...] = ("runs by arm", "arms", "runs")
FIGURES = ("mono", "cross", "multi", "distance")
PRESSING = (
    *("training", "evaluating", "preparing", "failed", "lost", "damaged", "queued", "stopped", "finished"),
    "to delete",
)
"""States in the order in which one of a group's runs is told of."""
WORKING = ("preparing", "training", "evaluating")
SHARED = ("sampling", "alpha", "model", "task", "device", "host", "experiment", "arm")
"""What an arm's line says where all its runs say the same."""
NO_SIZES: Mapping[tuple[str, str], int] = {}
BARS = "▁▂▃▄▅▆▇█"
BAR_WIDTH = 8
CURVE_WIDTH = 6
"""Points of a loss curve in a line."""


def run_rows(rows: Iterable[Mapping[str, Any]], task: str | None) -> list[Row]:
    """Runs as they are filtered and sorted: with the figures of `task`, None = of each run's first task."""
    return [run_row(row, task) for row in rows]


def run_row(row: Mapping[str, Any], task: str | None) -> Row:
    figures = row["figures"]
    name = task if task is not None else next(iter(figures), None)
    found = figures.get(name, {}) if name is not None else {}
    return {
        **row,
        "kind": "run",
        "key": row["run_id"],
        "run": row["run_id"],
        "progress": row["part"],
        "eta": row["eta_s"],
        "task": name if found else None,
        "marks": found.get("marks", {}),
        **{figure: found.get(figure) for figure in FIGURES},
    }


def all_tasks(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({task for row in rows for task in row["figures"]})


def grouped(
    runs: Sequence[Row], view: View, turned: Set[str], sizes: Mapping[tuple[str, str], int] = NO_SIZES
) -> list[Row]:
    """Runs below lines of their experiments and arms, in the order in which the first run of each comes.

    `turned` are the keys of arms that are open where `view` folds them, and folded where it does not.
    `sizes` are how many runs each experiment's arms have where `runs` are only some of them.
    """
    if view == "runs":
        return list(runs)
    experiments: dict[str, dict[str, list[Row]]] = {}
    for run in runs:
        experiments.setdefault(run["experiment"] or "", {}).setdefault(run["arm"] or "", []).append(run)
    lines: list[Row] = []
    for experiment, arms in experiments.items():
        several = [run for of_arm in arms.values() for run in of_arm]
        lines.append(experiment_line(experiment, several))
        names = short_arms(arms)
        for arm, of_arm in arms.items():
            line = {**arm_line(experiment, arm, of_arm), "name": names[arm]}
            line["state"] = group_state(of_arm, sizes.get((experiment, arm), len(of_arm)))
            line["folded"] = (view == "arms") != (line["key"] in turned)
            lines.append(line)
            lines += [] if line["folded"] else of_arm
    return lines


def short_arms(arms: Iterable[str]) -> dict[str, str]:
    """Arms without the hash that ends them, where that leaves none without a name of its own."""
    names = {arm: re.sub(r"(?<=.)-[0-9a-f]{6}$", "", arm) for arm in arms}
    shared = Counter(names.values())
    return {arm: name if shared[name] == 1 else arm for arm, name in names.items()}


def experiment_line(experiment: str, runs: list[Row]) -> Row:
    return {**group_line(runs), "kind": "experiment", "key": f"experiment {experiment}", "run": experiment or "?"}


def arm_line(experiment: str, arm: str, runs: list[Row]) -> Row:
    """An arm of an experiment, with the means over its seeds; a seed that was run twice counts by its latest run."""
    latest: dict[Any, Row] = {}
    for run in sorted(runs, key=lambda run: run["run_id"]):
        if run["state"] == "finished" and run["task"] is not None:
            latest[run["seed"]] = run
    line = {**group_line(runs), "kind": "arm", "key": f"arm {experiment} {arm}", "run": arm or "?", "marks": {}}
    if len({run["task"] for run in latest.values()}) == 1:
        for figure in FIGURES:
            values = [run[figure] for run in latest.values() if run[figure] is not None]
            line[figure] = fmean(values) if values else None
            line["marks"] |= {name: mark for run in latest.values() for name, mark in run["marks"].items()}
    return line


def group_line(runs: list[Row]) -> Row:
    """What the lines of experiments and arms have in common."""
    alike = {name: runs[0][name] if len({run[name] for run in runs}) == 1 else None for name in SHARED}
    return {
        **dict.fromkeys(runs[0]),
        **alike,
        "marks": {},
        "leaked": any(run["leaked"] for run in runs),
        "runs": runs,
        "state": group_state(runs),
        "progress": group_progress(runs),
    }


def arm_sizes(runs: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str]]:
    """How many runs each experiment's arms have."""
    return Counter((run["experiment"] or "", run["arm"] or "") for run in runs)


def group_state(runs: Sequence[Row], size: int | None = None) -> str:
    """The most pressing state among them, and of how many; of how many in all where the filter keeps some back."""
    states = [run["state"] for run in runs]
    first = min(states, key=PRESSING.index)
    of = f" of {size}" if size not in (None, len(runs)) else ""
    return f"{states.count(first)}{of} {first}"


def group_progress(runs: Sequence[Row]) -> float | None:
    """How far they are together, while one of them works: one that ended early counts as what it reached."""
    if not any(run["state"] in WORKING for run in runs):
        return None
    return fmean(1.0 if run["state"] == "finished" else run["part"] or 0.0 for run in runs)


# how values are written


def label(row: Mapping[str, Any], view: View, is_marked: bool, width: int) -> str:
    """The first cell, in `width` cells."""
    mark = "•" if is_marked else " "
    if row["kind"] == "experiment":
        return middle(f"{mark if is_marked else ''}{shown(row['run'])}", width)
    leaked = " †" if row["leaked"] else ""
    if row["kind"] == "arm":
        text = f"{mark}{'▸' if row['folded'] else '▾'} {shown(row['name']) or '?'}"
        return middle(text, width - len(leaked)) + leaked
    if view == "runs":
        run_id, room = shown(row["run"]), width - len(leaked) - 1
        for least in (r"^\d{8}-\d{4}-", r"-[0-9a-f]{4}$"):  # what tells runs apart stands between time and hash
            run_id = run_id if cell_len(run_id) <= room else re.sub(least, "…", run_id)
        return middle(f"{mark}{run_id}", width - len(leaked)) + leaked
    started = re.match(r"\d{4}(\d\d)(\d\d)-(\d\d)(\d\d)-", row["run_id"])
    when = "{}-{} {}:{}".format(*started.groups()) if started else shown(row["run_id"])
    seed = "" if row["seed"] is None else f"s{row['seed']}"
    return middle(f"   {seed:3} {when}", width - len(leaked)) + leaked


def middle(text: str, width: int) -> str:
    """A text that is too wide with an ellipsis in its middle, as ids differ at both ends."""
    if cell_len(text) <= width:
        return text
    right = max(0, width // 2 - 1)
    tail = ""
    for letter in reversed(text):
        if cell_len(letter + tail) > right:
            break
        tail = letter + tail
    return f"{set_cell_size(text, max(0, width - 1 - cell_len(tail)))}…{tail}"


def bar(part: float | None) -> str:
    """`━━━━╸     47%`"""
    if part is None:
        return ""
    part = min(1.0, max(0.0, part))
    halves = round(part * BAR_WIDTH * 2)
    return f"{('━' * (halves // 2) + '╸' * (halves % 2)).ljust(BAR_WIDTH, '·')} {part:4.0%}"


def sparkline(values: Sequence[float]) -> str:
    """A curve in a line, from its lowest to its highest value."""
    if not values:
        return ""
    low, high = min(values), max(values)
    return "".join(BARS[round((value - low) / (high - low) * 7) if high > low else 0] for value in values)


def loss_text(row: Mapping[str, Any], curve: Sequence[float]) -> str:
    loss = shown(row["loss"])
    return f"{sparkline(curve):{CURVE_WIDTH}} {loss:>6}" if loss or curve else ""


def figure_text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    return "" if value is None else f"{shown(value)}{row['marks'].get(name, '')}"


def eta_text(value: Any) -> str:
    return time_left(value)


def short_time(value: Any) -> str:
    """`2026-11-22 23:17` of an ISO 8601 time."""
    return "" if value is None else str(value)[:16].replace("T", " ")
