"""What one's own results say of claims: supported, contradicted, not distinguishable, or not testable yet.

- A claim's comparisons are all needed: it is supported where each is (its p-value is the largest of theirs), and
  contradicted where one is (the smallest, times their number).
- `higher` and `lower` are two-sided tests, the 95 % interval lies beyond the margin; `at_least` and `at_most` are
  non-inferiority, a one-sided bound of 95 % lies within it.
- Claims that are tested together are corrected together, by Holm's procedure over them all: the probability of one
  wrong "supported" among them is at most 5 %, and so is that of one wrong "contradicted".
- With one seed a verdict is about these checkpoints, never about samplings; it says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from scipy import stats

from workbench.analysis.claim_arms import Case, Missing, StoredArm, cases_of, missing_runs, stored_arms
from workbench.analysis.claim_cells import cells_of
from workbench.analysis.claims import NO_WORSE, ArmOf, Claim, Comparison, arms_of, limit_of
from workbench.analysis.effects import LEVEL, Effect, effect, group_mean, paired_effect
from workbench.analysis.evenness import evenness_effect, table, within
from workbench.analysis.randomisation import holm
from workbench.analysis.samples import Group, Sample
from workbench.analysis.stored import load_sample
from workbench.errors import InputError
from workbench.store.database import query

Verdict = Literal["supported", "contradicted", "not distinguishable", "not testable yet"]
ALPHA = 1 - LEVEL
CHECKED = """
select arm, seed, leaked from runs where state = 'finished' and sampling is not null order by run_id
"""


@dataclass(frozen=True)
class Evidence:
    """One comparison of a claim on stored arms."""

    comparison: Comparison
    first: StoredArm
    second: StoredArm
    less: tuple[StoredArm, ...]
    """The two further arms of a difference of differences, else none."""
    values: tuple[float, float]
    """Of the first and the second arm, means over their seeds; with `less`, of the two differences."""
    effect: Effect
    """First minus `ratio` times second; with `less`, the first difference minus the second one."""
    limit: float
    """What the difference has to be above, for `lower` and `at_most` below."""
    p_supported: float
    """Of no more than the limit, against the claim's direction."""
    p_contradicted: float
    """Of no less than the limit."""
    cells: int
    languages: tuple[str, ...]
    """Of the cells, where they were chosen by what was trained on."""


@dataclass(frozen=True)
class Finding:
    """A claim's verdict in one case."""

    case: Case
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    p: float | None = None
    """Corrected: of the claim where it is supported or open, of its contrary where it is contradicted."""
    reason: str = ""
    """Why it is not testable, or what a property's verdict rests on."""
    missing: tuple[Missing, ...] = ()
    """The runs that it lacks for a verdict, or for one on samplings."""
    unplanned: tuple[str, ...] = ()
    """What it lacks besides, in words: no stored config leads to it."""

    @property
    def ended_arms(self) -> list[StoredArm]:
        """The stored arms that can get no further seeds, so that all are asked for again."""
        return list({run.like.name: run.like for run in self.missing if run.is_made_again}.values())

    @property
    def seeds(self) -> int | None:
        """Of the arm that has fewest."""
        return min((one.effect.seeds for one in self.evidence), default=None)

    @property
    def detectable(self) -> float | None:
        """The smallest difference that the comparison which decides could have found, in its own measure."""
        if not self.evidence:
            return None
        if self.verdict == "contradicted":
            return min(self.evidence, key=lambda one: one.p_contradicted).effect.detectable
        return max(self.evidence, key=lambda one: one.p_supported).effect.detectable

    @property
    def about(self) -> str | None:
        """What the verdict speaks of; None without a test."""
        if not self.evidence:
            return None
        return "samplings" if all(one.effect.seeds > 1 for one in self.evidence) else "questions only, one seed"


def judge(store: Path, claims: Sequence[Claim]) -> list[Finding]:
    """The verdicts on some claims, corrected together: for each claim one a task and group of comparable arms.

    Raises
    ------
    InputError
        There is no store, or the config of a run in it is damaged.
    """
    arms = stored_arms(store)
    bench = Bench(store)
    found = []
    for claim in claims:
        if claim.holds:
            found.append(no_leakage(store, claim, arms))
        else:
            found += [bench.tested(case) for case in cases_of(claim, arms)]
    tested = [place for place, finding in enumerate(found) if finding.evidence]
    supported = holm(np.array([max(e.p_supported for e in found[n].evidence) for n in tested]))
    contradicted = holm(np.array([against(found[n].evidence) for n in tested]))
    for place, p_for, p_against in zip(tested, supported.tolist(), contradicted.tolist(), strict=True):
        found[place] = decided(found[place], p_for, p_against)
    return found


def against(evidence: Sequence[Evidence]) -> float:
    """One comparison that fails is enough: the smallest p-value, times their number (Bonferroni)."""
    return min(1.0, len(evidence) * min(one.p_contradicted for one in evidence))


def decided(finding: Finding, p_for: float, p_against: float) -> Finding:
    if p_for <= ALPHA:
        return replace(finding, verdict="supported", p=p_for)
    if p_against <= ALPHA:
        return replace(finding, verdict="contradicted", p=p_against)
    return replace(finding, verdict="not distinguishable", p=p_for)


class Bench:
    """Tests cases; samples that several claims need are read once."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.samples: dict[tuple[str, ...], Sample] = {}

    def tested(self, case: Case) -> Finding:
        """The evidence on a case, not decided yet; not testable where it lacks something."""
        runs, words = missing_runs(case)
        finding = Finding(case, "not testable yet", missing=tuple(runs), unplanned=tuple(words))
        reason = lacking(case)
        evidence: list[Evidence] = []
        if not reason:
            try:
                for group in case.groups:
                    evidence += [
                        self.evidence(case, one, group) for one in case.claim.comparisons if present(one, group)
                    ]
            except InputError as error:
                reason = str(error)
        if reason:
            return replace(finding, reason=reason)
        return replace(finding, verdict="not distinguishable", evidence=tuple(evidence))

    def evidence(self, case: Case, one: Comparison, group: Mapping[ArmOf, StoredArm | None]) -> Evidence:
        arms = [arm for of in arms_of(one) if (arm := group[of])]
        assert len(arms) == len(arms_of(one)) and case.task
        sample = self.sample([arm.name for arm in arms], one.measure, case.task)
        cells, languages = cells_of(self.store, one, arms, sample)
        found, values = measured(one, sample, cells)
        number = int((cells.weights > 0).sum())
        limit = direction_of(one) * limit_of(one) + 0.0
        first, second, *less = arms
        return Evidence(one, first, second, tuple(less), values, found, limit, *p_values(one, found), number, languages)

    def sample(self, arms: Sequence[str], measure: str, task: str) -> Sample:
        place = (*arms, measure, task)
        if place not in self.samples:
            self.samples[place] = load_sample(self.store, arms, measure, task=task)
        return self.samples[place]


def present(one: Comparison, group: Mapping[ArmOf, StoredArm | None]) -> bool:
    return all(group[of] for of in arms_of(one))


def lacking(case: Case) -> str:
    """What keeps a case from being tested; empty = nothing."""
    if not case.groups:
        return "no arm that the claim speaks of"
    for group in case.groups:
        for one in case.claim.comparisons:
            if one.required and not present(one, group):
                return "runs are missing"
    return "starting models are missing" if len(case.groups) < case.claim.models else ""


def measured(one: Comparison, sample: Sample, cells: Group) -> tuple[Effect, tuple[float, float]]:
    """The effect, and the two values that it is the difference of; the sample's arms are those of the comparison."""
    if one.less:
        return interaction(sample, cells)
    arms = sample.arms
    first, second = (arm.arm for arm in arms)
    if one.of != "mean":
        part = within(sample, (cells.weights > 0).tolist())
        if len(part.cells) < 2:
            raise InputError(f"{sample.task}: one cell has no {one.of}")
        drawn = np.ones((1, len(part.units)))
        shown = [float(table(part, arm.values, one.of, drawn).mean()) for arm in part.arms]
        return evenness_effect(sample, first, second, cells, one.of), (shown[0], shown[1])
    shown = [group_mean(sample, arm.values.mean(axis=1), cells) for arm in arms]
    scaled = replace(sample, arms=(arms[0], replace(arms[1], values=one.ratio * arms[1].values)))
    return effect(scaled, first, second, cells), (shown[0], shown[1])


def interaction(sample: Sample, cells: Group) -> tuple[Effect, tuple[float, float]]:
    """(a - b) - (c - d) of a sample's four arms, over the seeds that all of them have, and the two differences."""
    arms = sample.arms
    common = sorted(set.intersection(*(set(arm.seeds) for arm in arms)))
    if not common:
        raise InputError(f"{sample.task}: {', '.join(arm.arm for arm in arms)} have no seed in common")
    a, b, c, d = (arm.values[:, [arm.seeds.index(seed) for seed in common]] for arm in arms)
    shown = [group_mean(sample, difference.mean(axis=1), cells) for difference in (a - b, c - d)]
    return paired_effect(sample, (a - b) - (c - d), cells), (shown[0], shown[1])


def direction_of(one: Comparison) -> int:
    """Of the difference that the comparison speaks of."""
    return 1 if one.direction in ("higher", "at_least") else -1


def p_values(one: Comparison, found: Effect) -> tuple[float, float]:
    """(of no more than the limit, of no less), both seen in the direction of the comparison; 1 where unknown."""
    beyond = direction_of(one) * found.difference - limit_of(one)
    if np.isnan(found.error):
        return 1.0, 1.0
    if found.error == 0:
        return float(beyond <= 0), float(beyond >= 0)
    t = beyond / found.error
    sides = 1 if one.direction in NO_WORSE else 2
    more, less = stats.t.sf(t, found.freedom), stats.t.cdf(t, found.freedom)
    return min(1.0, sides * float(more)), min(1.0, sides * float(less))


def no_leakage(store: Path, claim: Claim, arms: Sequence[StoredArm]) -> Finding:
    """Of the runs that trained, the latest of each seed: all were looked at, none trained on texts of its tasks."""
    by_name = {arm.name: arm for arm in arms}
    # one config under two names, as versions give them, is one arm
    latest = {
        (by_name[arm].config_hash, seed): (arm, seed, leaked)
        for arm, seed, leaked in query(store, CHECKED).rows
        if arm in by_name
    }
    runs = list(latest.values())
    case = Case(claim, None)
    leaked = sorted({arm for arm, _, is_leaked in runs if is_leaked})
    if leaked:
        return Finding(case, "contradicted", reason=f"trained on texts of their tasks: {', '.join(leaked)}")
    if not runs:
        return Finding(case, "not testable yet", reason="no arm has been trained")
    unknown = [(by_name[arm], seed) for arm, seed, is_leaked in runs if is_leaked is None]
    if unknown:
        again = tuple(Missing(replace(arm.spec.settings, seed=seed), arm, not arm.can_grow) for arm, seed in unknown)
        return Finding(
            case, "not testable yet", reason="runs were not checked for leaks: run them again", missing=again
        )
    return Finding(case, "supported", reason=f"{len(runs)} runs were checked; what was found was left out of training")
