"""A config with the runs that claims lack: derived from the stored arms' own, for `workbench run`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from workbench.analysis.claim_arms import NO_ARM, WITH_ALPHA, Missing, stored_arms
from workbench.analysis.claims import read_claims
from workbench.analysis.verdicts import Finding, judge
from workbench.arms import changed
from workbench.errors import InputError
from workbench.records import SamplingSpec, Settings
from workbench.reports.claims import ended_arms, ended_in_words
from workbench.reports.rooted import SAMPLING, rooted, swept_leaves

Plain = dict[str, Any]


class Plainly(yaml.SafeDumper):
    """Without anchors and aliases, which configs do not take."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def claim_plan(store: Path, files: Sequence[Path] = ()) -> str | None:
    """The YAML config with exactly the runs that claims lack; None where none is missing that a config can name.

    Runs of arms that the store has get the names of these, so that they become further seeds of them. Relative paths
    are resolved, as the plan may be run from another folder. What no stored config leads to stands in comments.

    Raises as `reports.claims.claim_rows` does, and InputError where no arm has been trained yet.
    """
    findings = judge(store, read_claims(files))
    if not stored_arms(store):
        raise InputError(f"{store}: {NO_ARM}")
    return plan_of(findings)


def plan_of(findings: Sequence[Finding]) -> str | None:
    """`claim_plan` of claims that are judged already."""
    runs = list({key_of(run): run for finding in findings for run in finding.missing}.values())
    return as_config(runs, comments(findings, len(runs))) if runs else None


def comments(findings: Sequence[Finding], number: int) -> str:
    names = dict.fromkeys(finding.case.claim.name for finding in findings if finding.missing)
    lines = [f"The {number} runs that these claims lack: {', '.join(names)}."]
    lines += dict.fromkeys(f"Not in it: {text}" for finding in findings for text in finding.unplanned)
    lines += ended_in_words(arm for finding in findings for arm in ended_arms(finding))
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)


def key_of(run: Missing) -> str:
    return json.dumps([changed(run.settings), run.like.name if not run.is_new else None], sort_keys=True, default=str)


def as_config(runs: Sequence[Missing], head: str) -> str:
    """One config for runs that differ in more than a product of values: a list of sweeps, each over seeds."""
    first = runs[0]
    base = content_of(first)
    entries: dict[str, Plain] = {}
    for run in runs:
        entry = differences(base, content_of(run)) | sampling_of(run.settings) | naming_of(run)
        entry = entries.setdefault(json.dumps(entry, sort_keys=True), {**entry, "seed": []})
        entry["seed"].append(run.settings.seed)
    for entry in entries.values():
        entry["seed"].sort()
    sweep = [{key: value if key == "seed" else [value] for key, value in entry.items()} for entry in entries.values()]
    plain = json.loads(json.dumps({**base, "sweep": sweep}))
    text = yaml.dump(plain, Dumper=Plainly, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
    return f"{head}{text}"


def content_of(run: Missing) -> Plain:
    """A run's config but for its seed and its sampling, with whole paths; keys at their default are left out."""
    unsaid = replace(run.settings, label=None, seed=0, keep=None, device="auto", threads=None)
    settings = rooted(unsaid, run.like.spec)
    plain: Plain = json.loads(json.dumps(changed(settings)))
    plain.get("train", {}).pop("sampling", None)
    return plain


def differences(base: Plain, other: Plain) -> Plain:
    """The sections of another config that are not as in the base, each as a whole."""
    missing = [key for key in base if key not in other]
    assert not [key for key in missing if key != "model"], "a plan's runs all have a name, a train and an evaluate"
    found = {key: value for key, value in other.items() if base.get(key) != value}
    return found | {key: {} for key in missing}


def sampling_of(settings: Settings) -> Plain:
    """The sampling; an alpha that says nothing is left out."""
    assert settings.train is not None
    sampling = settings.train.sampling
    plain: Plain = {f"{SAMPLING}.strategy": sampling.strategy, f"{SAMPLING}.alpha": sampling.alpha}
    if sampling.strategy not in WITH_ALPHA and sampling.alpha == SamplingSpec().alpha:
        del plain[f"{SAMPLING}.alpha"]
    return plain


def naming_of(run: Missing) -> Plain:
    """The keys that name the arm as the stored one is named; a new arm of another sampling must not have its label."""
    if run.settings.label is None:
        return swept_leaves(run.like.name, run.like.spec.settings, run.settings)
    return {} if run.is_new else {"label": run.settings.label}
