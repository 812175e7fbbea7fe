"""What a report holds: an experiment's figures, tests, training, data and how to have it all again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import Any
from urllib.parse import quote

import numpy as np
import yaml

from workbench.arms import changed
from workbench.records import RunSpec, from_plain
from workbench.reports.export.curves import Curve, curves_of
from workbench.reports.export.results import TaskResults, results_of_tasks
from workbench.reports.overview import Row
from workbench.reports.rooted import rooted
from workbench.reports.tables import figure
from workbench.store.database import query

NOT_SHOWN = ("host", "started", "ended", "fingerprints", "leakage")
"""Parts of a run's environment that a report has elsewhere, or has no business with."""


@dataclass(frozen=True)
class ArmFacts:
    """An arm beside its figures."""

    arm: str
    sampling: str | None
    """None: evaluated as it was."""
    model: str
    seeds: tuple[int, ...]
    run_ids: tuple[str, ...]
    leaked: bool | None
    """Of any run: true = trained on texts of its tasks, None = nobody looked."""
    dropped: bool
    """Whether pairs were left out of the training as their texts stand in a task."""
    config: str
    """YAML that `workbench run` takes, with the arm's seeds as a sweep; other keys at their default are left out."""
    config_file: str
    environment: Mapping[str, str]

    @property
    def leakage(self) -> str:
        """What is known of evaluation texts in its training texts."""
        if self.sampling is None:
            return "not trained here"
        if self.leaked is None:
            return "not looked for"
        if self.leaked:
            return "trained on texts of its tasks"
        return "found, and the pairs left out of the training" if self.dropped else "looked for, none found"


@dataclass(frozen=True)
class Report:
    """Everything that is printed, none of it as markup."""

    arms: tuple[ArmFacts, ...]
    tasks: tuple[TaskResults, ...]
    problems: tuple[str, ...]
    """Tasks that the arms cannot be compared on, and why."""
    curves: tuple[Curve, ...]
    leaks: tuple[Row, ...]
    fingerprints: tuple[tuple[str, str], ...]
    """(what, hash of its content)"""
    first_run: str
    last_run: str
    """When the earliest and the latest run ended, UTC."""
    commands: tuple[str, ...]

    @property
    def title(self) -> str:
        return " / ".join(facts.arm for facts in self.arms)

    @property
    def environments(self) -> list[tuple[str, list[str]]]:
        """(what, its value in each arm)"""
        names = dict.fromkeys(name for facts in self.arms for name in facts.environment)
        return [(name, [facts.environment.get(name, "") for facts in self.arms]) for name in names]


def report_of(
    store: Path, arms: Sequence[str], *, task: str | None = None, measure: str = "map", out: str = "report"
) -> Report:
    """Gather what the store knows of some arms; the first one is what the others are held against.

    Parameters
    ----------
    task
        Its name; none = every task that all the arms have in common.
    measure
        Of the heat maps.
    out
        Where it will be written, for the command that makes it again.

    Raises
    ------
    InputError
        An arm has no finished run, they have no equal task in common, or there is no such measure or task.
    """
    tasks, problems = results_of_tasks(store, arms, task, measure)
    chosen = {arm: sorted({run for t in tasks for run in t.runs[arm].values()}) for arm in arms}
    run_ids = [run_id for of_arm in chosen.values() for run_id in of_arm]
    rows = {row["run_id"]: row for row in rows_of_runs(store, run_ids)}
    facts = tuple(arm_facts(store, [rows[run_id] for run_id in chosen[arm]]) for arm in arms)
    ends = sorted(f"{row['ended']:%Y-%m-%d %H:%M}" for row in rows.values())
    options = [*(["--task", task] if task else []), *(["--measure", measure] if measure != "map" else [])]
    again = ["workbench", "report", *arms, *options, "--out", out]
    return Report(
        arms=facts,
        tasks=tasks,
        problems=problems,
        curves=curves_of(store, chosen),
        leaks=leaks_of(store, run_ids),
        fingerprints=prints_of(rows.values()),
        first_run=ends[0],
        last_run=ends[-1],
        commands=(*(join(["workbench", "run", f"{out}/{one.config_file}"]) for one in facts), join(again)),
    )


def rows_of_runs(store: Path, run_ids: Sequence[str]) -> list[Row]:
    return query(store, "select * from runs where list_contains($runs, run_id)", {"runs": list(run_ids)}).dicts()


def arm_facts(store: Path, runs: Sequence[Row]) -> ArmFacts:
    first = runs[0]
    seeds = tuple(sorted({row["seed"] for row in runs}))
    looked = [row["leaked"] for row in runs if row["leaked"] is not None]
    dropped = query(
        store,
        "select count(*) from leakage where dropped and hits > 0 and list_contains($runs, run_id)",
        {"runs": [row["run_id"] for row in runs]},
    ).rows
    return ArmFacts(
        arm=first["arm"],
        sampling=first["sampling"],
        model=first["model"],
        seeds=seeds,
        run_ids=tuple(row["run_id"] for row in runs),
        leaked=any(looked) if looked else None,
        dropped=dropped[0][0] > 0,
        config=config_yaml(first, seeds),
        config_file=f"configs/{quote(first['arm'], safe='')}.yaml",
        environment=environment_of([json.loads(row["environment"] or "{}") for row in runs]),
    )


def config_yaml(run: Row, seeds: Sequence[int]) -> str:
    """A config for all seeds of a run's arm, to be run from any folder."""
    spec: RunSpec = from_plain(RunSpec, json.loads(run["config"]))
    settings = rooted(spec.settings, spec)
    plain = {"name": settings.name, **changed(settings)}
    plain.pop("seed", None)
    if settings.train is not None:  # the experiment is said, be it the default or not
        strategy, alpha = settings.train.sampling.strategy, settings.train.sampling.alpha
        mixed = {"alpha": alpha} if strategy in ("hybrid", "mixed") else {}
        plain["train"] = {**plain["train"], "sampling": {"strategy": strategy, **mixed}}
    seeded = {"sweep": {"seed": list(seeds)}} if len(seeds) > 1 else {"seed": seeds[0]}
    return yaml.safe_dump({**plain, **seeded}, sort_keys=False, allow_unicode=True, default_flow_style=None, width=60)


def environment_of(found: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the runs of an arm worked with: one value each, the different ones, or the mean of seconds."""
    flat = [dict(flattened({k: v for k, v in one.items() if k not in NOT_SHOWN})) for one in found]
    names = dict.fromkeys(name for one in flat for name in one)
    return {name: summary(name, [one[name] for one in flat if name in one]) for name in names}


def flattened(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += flattened(value, f"{prefix}{name} ")
        elif value is not None:
            found.append((f"{prefix}{name}", value))
    return found


def summary(name: str, values: Sequence[Any]) -> str:
    if name.startswith("seconds ") and all(isinstance(value, (int, float)) for value in values):
        return figure(float(np.mean(values)))
    return ", ".join(dict.fromkeys(str(value) for value in values))


def leaks_of(store: Path, run_ids: Sequence[str]) -> tuple[Row, ...]:
    """What the leakage checks found: runs of an arm find the same, so one row for all that do."""
    table = query(
        store,
        """
        select distinct r.arm, l.task, l.training_set, l.language, l.kind, l.texts, l.hits, l.exact, l.pairs, l.dropped
        from leakage l join runs r using (run_id)
        where list_contains($runs, run_id) and l.hits > 0 order by all
        """,
        {"runs": list(run_ids)},
    )
    return tuple(table.dicts())


def prints_of(runs: Iterable[Row]) -> tuple[tuple[str, str], ...]:
    found = {(name, value) for row in runs for name, value in json.loads(row["fingerprints"] or "{}").items()}
    return tuple(sorted(found))
