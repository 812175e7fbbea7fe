"""A config that is being written: its text and its content in step, what is wrong with it, the runs it stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from workbench.config import Experiment, expand, freeze, parse_yaml, read_text
from workbench.data.fingerprints import located
from workbench.errors import InputError, WorkbenchError
from workbench.paths import RunsPaths
from workbench.records import Plain, RunSpec
from workbench.reports.availability import MISSING as NOT_HERE
from workbench.reports.availability import availability
from workbench.reports.estimate import estimates
from workbench.reports.tables import duration
from workbench.tui.form import Entry, brief, entries, placed
from workbench.tui.yaml_edit import MISSING, Path, with_key, without_key, written_anew

MOST_RUNS = 2000
"""A sweep of more is for the command line: the form checks every run at every change."""
HERE = ("finished", "evaluating", "training", "preparing", "queued")
"""States of a run that need not be launched again."""
STARTER = """\
# A small encoder trained from nothing on the built-in set: no network, no GPU, a few seconds.
name: new
model:
  checkpoint: builtin
  builtin: {dimension: 64, buckets: 8192}
train:
  sets:
    demo: {}
  batch_size: 64
  steps: 100
  learning_rate: 0.01
evaluate:
  tasks:
    demo: {}
sweep:
  train.sampling.strategy: [mono, hybrid]
  seed: [0]
"""


@dataclass(frozen=True)
class Draft:
    """One state of it; a change gives another one."""

    text: str
    source: str
    """What it is called: the path that it was read from."""
    content: Plain = field(default_factory=dict)
    """What the text says; of a text that is no YAML, what it said last."""
    problem: str = ""
    """Why the text is no config, where it is none."""
    is_changed: bool = False
    lost_comments: bool = False
    """Whether a change in the form had the text written anew, without its comments."""

    @property
    def rows(self) -> list[Entry]:
        return entries(self.content)

    def with_text(self, text: str) -> Draft:
        """After typing in the YAML."""
        changed = replace(self, text=text, is_changed=True, lost_comments=False)
        try:
            return replace(changed, content=parse_yaml(text, self.source), problem="")
        except InputError as error:
            return replace(changed, problem=str(error))

    def with_value(self, path: Path, value: Any) -> Draft:
        """After a change in the form; MISSING takes the key out."""
        if value is MISSING:
            text, content, lost = without_key(self.text, self.content, path)
        else:
            text, content, lost = with_key(self.text, self.content, path, value)
        return replace(self, text=text, content=content, is_changed=True, lost_comments=self.lost_comments or lost)

    def saved_as(self, path: FilePath) -> Draft:
        return replace(self, source=str(path), is_changed=False)


def opened(path: FilePath) -> Draft:
    """A config as it stands in its file; one that is no YAML is opened, too, so that it can be mended.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    return replace(Draft("", str(path)).with_text(read_text(located(str(path), FilePath()))), is_changed=False)


def handed_over(content: Plain, source: str) -> Draft:
    """A config that comes as content, such as that of a run (its settings, or all that it froze) to be done again."""
    settings = content.get("settings")
    content = brief(settings if isinstance(settings, dict) else content)
    return replace(Draft("", source).with_text(written_anew(content)), is_changed=False)


@dataclass(frozen=True)
class Checked:
    """What is wrong with a draft, or the runs that it stands for."""

    by_key: Mapping[str, str] = field(default_factory=dict)
    """Problems by the key of the form's row."""
    others: tuple[str, ...] = ()
    """Problems that belong to no row."""
    experiment: Experiment | None = None

    @property
    def problems(self) -> list[str]:
        return [f"{key}: {text}" for key, text in self.by_key.items()] + list(self.others)


def checked(draft: Draft) -> Checked:
    """Check every run of the draft."""
    if draft.problem:
        return Checked(others=(draft.problem.removeprefix(f"{draft.source}:"),))
    count = size_of_product(draft.content)
    if count > MOST_RUNS:
        said = f"{count:,} runs are more than a form can show ({MOST_RUNS:,}); `workbench run` takes them"
        return Checked(others=(said,))
    try:
        return Checked(experiment=expand(deepcopy(draft.content), draft.source))
    except InputError as error:
        by_key, others = placed(str(error).splitlines(), draft.source, draft.rows)
        return Checked(by_key, tuple(others))


def size_of_product(content: Plain) -> int:
    """How many runs the sweep makes, as far as it is sound."""
    sweep = content.get("sweep") or {}
    sweeps = sweep if isinstance(sweep, list) else [sweep]
    return sum(
        math.prod(len(values) for values in one.values() if isinstance(values, list))
        for one in sweeps
        if isinstance(one, dict)
    )


@dataclass(frozen=True)
class Plan:
    """What launching would do."""

    needs: list[dict[str, Any]]
    """`availability`."""
    runs: list[dict[str, Any]] = field(default_factory=list)
    """`estimates`, with the swept values of each run."""
    specs: tuple[RunSpec, ...] = ()
    problem: str = ""
    """Why nothing can be launched."""

    @property
    def lacking(self) -> list[str]:
        return [row["key"] for row in self.needs if row["state"] == NOT_HERE]


def planned(experiment: Experiment, folder: FilePath, runs: RunsPaths) -> Plan:
    """The runs as they would be launched now; reads what the data's content hashes need."""
    needs = availability(experiment.settings, folder)
    try:
        specs = freeze(experiment, folder)
        rows = estimates(specs, runs)
    except WorkbenchError as error:
        return Plan(needs, problem=str(error))
    shown = [{**row, "swept": swept_words(swept)} for row, swept in zip(rows, experiment.swept, strict=True)]
    return Plan(needs, shown, tuple(specs))


def swept_words(swept: Mapping[str, Any]) -> str:
    """`strategy mono  seed 1`: the last words of the keys say enough."""
    return "  ".join(f"{key.rpartition('.')[2]} {value}" for key, value in swept.items())


def summary(plan: Plan) -> str:
    """`6 runs, 2 arms · training 0:04 · at most 12 MiB each`"""
    arms = len({row["arm"] for row in plan.runs})
    parts = [f"{counted(len(plan.runs), 'run')}, {counted(arms, 'arm')}"]
    times = [row["training_seconds"] for row in plan.runs]
    if times and None not in times:
        total = duration(sum(times))
        parts.append("training: seconds" if total == duration(0) else f"training {total}")
    disks = [row["disk_mib"] for row in plan.runs]
    if disks and None not in disks:
        parts.append(f"{max(disks)} MiB a run")
    return " · ".join(parts)


def on_leak_words(plan: Plan) -> str:
    """What the runs themselves do with leaks."""
    found = {spec.settings.train.on_leak for spec in plan.specs if spec.settings.train}
    does = {"drop": "leave such pairs out", "warn": "only say so", "fail": "end"}
    return ", ".join(f"{does[one]} (train.on_leak: {one})" for one in sorted(found))


def already_words(plan: Plan, store: FilePath, runs: RunsPaths) -> str:
    """How many of the runs are there already, finished or on their way, as a line; empty where none is."""
    from workbench.reports.watching import RunsWatch  # only where it is asked for: it needs the database

    states: dict[tuple[str, int], str] = {}
    for row in RunsWatch(runs, store).look() or ():
        if row["state"] in HERE:
            states.setdefault((row["arm"], row["seed"]), row["state"])
    found = [states[spec.arm, spec.settings.seed] for spec in plan.specs if (spec.arm, spec.settings.seed) in states]
    if not found:
        return ""
    by_state = ", ".join(f"{found.count(state)} {state}" for state in HERE if state in found)
    verb = "is" if len(found) == 1 else "are"
    return (
        f"{len(found)} of {counted(len(plan.specs), 'run')} {verb} there already: {by_state}. Launching repeats them."
    )


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
