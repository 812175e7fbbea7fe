"""Which stored arms a claim speaks of, and which runs it lacks.

Two arms are held against each other only where they are alike in everything but what the claim varies: a claim on
samplings compares arms of one model, on the same training sets, with the same steps and rates.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, count, islice, product
from pathlib import Path
from typing import Any

from workbench.analysis.claims import ArmOf, Claim, Comparison, arms_of
from workbench.arms import NOT_IN_ARM, arm_hash, compared
from workbench.errors import InputError
from workbench.records import PairSetSpec, RunSpec, SamplingSpec, Settings, TrainSpec, from_plain, to_plain
from workbench.store.database import query

WITH_ALPHA = ("hybrid", "mixed")
NO_ARM = "no arm has been trained: the runs of any config with `train` are a start"

ARMS = """
select r.arm, arg_max(r.config, r.run_id), m.task, list(distinct m.seed order by m.seed)
from setting_measures m join runs r using (run_id)
where r.sampling is not null group by r.arm, m.task order by max(r.run_id) desc, m.task
"""
DRAWN = """
select arm, list(distinct language) from (
    select r.arm, unnest([query_language, passage_language]) as language
    from sampled_pairs s join runs r using (run_id) where s.pairs > 0
) group by arm
"""


@dataclass(frozen=True)
class StoredArm:
    """A trained arm of the store."""

    name: str
    spec: RunSpec
    """Of its latest run."""
    seeds: Mapping[str, tuple[int, ...]]
    """By task, ascending."""
    seen: frozenset[str]
    """Languages that its batches held; empty where that is not recorded."""
    unknown_keys: tuple[str, ...] = ()
    """Keys that a config has today and the stored one has not: an earlier version made it."""

    @property
    def model(self) -> str:
        """The checkpoint, by the last part of its path."""
        return short(self.spec.settings.model.checkpoint)

    @property
    def config_hash(self) -> str:
        """What its runs have in common, by today's rules."""
        return arm_hash(self.spec.settings, self.spec.fingerprints)

    @property
    def can_grow(self) -> bool:
        """Whether a further run of its config would be of this arm; an earlier version may have named it otherwise."""
        return self.name.endswith(f"-{self.config_hash[:6]}")


def short(checkpoint: str) -> str:
    return checkpoint.rstrip("/").rsplit("/", 1)[-1]


def stored_arms(store: Path) -> list[StoredArm]:
    """The trained arms with finished runs, the newest first.

    Raises
    ------
    InputError
        There is no store, or the config of a run in it is damaged.
    """
    seen = {arm: frozenset(languages) for arm, languages in query(store, DRAWN).rows}
    found: dict[str, StoredArm] = {}
    for name, config, task, seeds in query(store, ARMS).rows:
        arm = found.get(name) or read_arm(store, name, config, seen.get(name, frozenset()))
        found[name] = replace(arm, seeds={**arm.seeds, task: tuple(seeds)})
    return list(found.values())


def read_arm(store: Path, name: str, config: str, seen: frozenset[str]) -> StoredArm:
    """An arm without its seeds."""
    try:
        plain = json.loads(config)
        spec: RunSpec = from_plain(RunSpec, plain)
    except (TypeError, ValueError) as error:
        raise InputError(f"{store}: the config of arm {name!r} is damaged: {error}") from error
    absent = absent_keys(plain["settings"], to_plain(spec.settings))
    return StoredArm(name, spec, {}, seen, tuple(key for key in absent if key not in NOT_IN_ARM))


def absent_keys(given: Mapping[str, Any], whole: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted keys of a whole config that another one does not give."""
    for key, value in whole.items():
        if key not in given:
            yield prefix + key
        elif isinstance(value, Mapping) and isinstance(given[key], Mapping):
            yield from absent_keys(given[key], value, f"{prefix}{key}.")


def is_meant(settings: Settings, of: ArmOf) -> bool:
    """Whether a description fits a trained arm's settings."""
    train = settings.train
    if train is None:
        return False
    alpha = train.sampling.alpha if train.sampling.strategy in WITH_ALPHA else None
    return (
        of.sampling in (None, train.sampling.strategy)
        and (of.alpha is None or (alpha is not None and of.alpha[0] <= alpha <= of.alpha[1]))
        and of.model in (None, settings.model.checkpoint, short(settings.model.checkpoint))
        and of.synthetic in (None, is_synthetic(train))
        and (of.sets is None or set(of.sets) == set(train.sets))
        and of.label in (None, settings.label)
    )


def is_synthetic(train: TrainSpec) -> bool | None:
    """Whether some training texts are made by a machine; None where nobody can know, as of one's own files."""
    made = train.synthetic
    if made is not None and (made.share or (made.share is None and (not made.shares or any(made.shares.values())))):
        return True
    known = [set_is_synthetic(name, of) for name, of in train.sets.items()]
    return True if True in known else None if None in known else False


def set_is_synthetic(name: str, of: PairSetSpec) -> bool | None:
    if of.loader == "mmarco":
        return of.languages is None or set(of.languages) != {"en"}
    if of.loader == "squad":
        return "translate" in f"{name} {of.path or ''}"
    return False if of.loader in ("demo", "mr_tydi", "dpr") else None


@dataclass(frozen=True)
class Case:
    """A claim on one task, among arms that are otherwise alike."""

    claim: Claim
    task: str | None
    """None where the store has no arm that the claim speaks of."""
    groups: tuple[Mapping[ArmOf, StoredArm | None], ...] = ()
    """By starting model, which arm stands for each description; None = there is none."""
    like: StoredArm | None = None
    """Whose config the missing runs take over."""


@dataclass(frozen=True)
class Missing:
    """A run that a claim lacks."""

    settings: Settings
    like: StoredArm
    """Whose config it has, but for what the claim varies."""
    is_new: bool
    """Of an arm that the store has no run of, or can have no further run of; else a further seed of `like`."""

    @property
    def label(self) -> str:
        train = self.settings.train
        assert train is not None
        alpha = f" alpha {train.sampling.alpha:g}" if train.sampling.strategy in WITH_ALPHA else ""
        arm = "" if self.is_new else f", of {self.like.name}"
        model = short(self.settings.model.checkpoint)
        return f"{train.sampling.strategy}{alpha}, {model}{arm}, seed {self.settings.seed}"

    @property
    def is_made_again(self) -> bool:
        """Whether the store has this arm under a name that no further run can get."""
        return self.is_new and replace(self.settings, seed=0) == replace(self.like.spec.settings, seed=0)


def cases_of(claim: Claim, arms: Sequence[StoredArm]) -> list[Case]:
    """One for each task and group of comparable arms in which the claim's arms are found; at least one."""
    described = descriptions(claim.comparisons)
    free = varying(claim)
    found = []
    for task in sorted({task for arm in arms for task in arm.seeds if claim.task in (None, task)}):
        measured = [arm for arm in arms if task in arm.seeds]
        for alike in grouped(measured, free).values():
            by_model = grouped(alike, free - {"model"}) if claim.models > 1 else {"": alike}
            groups = [assignments(described, of_model, task) for of_model in by_model.values()]
            groups = [group for group in groups if any(map(any_arm, group))]
            # of several arms that fit, a case each; over several models, those with most seeds
            chosen = [(one,) for one in groups[0]] if groups and claim.models == 1 else [tuple(g[0] for g in groups)]
            found += [Case(claim, task, one, newest(arms, one)) for one in chosen if one]
    return found or [Case(claim, claim.task, (), next(iter(arms), None))]


def any_arm(group: Mapping[ArmOf, StoredArm | None]) -> bool:
    return any(group.values())


def newest(arms: Sequence[StoredArm], groups: Iterable[Mapping[ArmOf, StoredArm | None]]) -> StoredArm:
    used = {arm.name for group in groups for arm in group.values() if arm}
    return next(arm for arm in arms if arm.name in used)


def descriptions(comparisons: Iterable[Comparison]) -> list[ArmOf]:
    return list(dict.fromkeys(of for one in comparisons for of in arms_of(one)))


def varying(claim: Claim) -> frozenset[str]:
    """The parts of a config that the claim's arms differ in."""
    found = {"model"} if claim.models > 1 else set()
    for one in claim.comparisons:
        for a, b in combinations(arms_of(one), 2):
            found |= {"train.sampling"} if (a.sampling, a.alpha) != (b.sampling, b.alpha) else set()
            found |= {"train.sets"} if (a.synthetic, a.sets) != (b.synthetic, b.sets) else set()
            found |= {"train.synthetic"} if a.synthetic != b.synthetic else set()
            found |= {"model"} if a.model != b.model else set()
            # a label says by itself what the arms differ in
            found |= {"train.sampling", "train.sets", "train.synthetic"} if a.label != b.label else set()
    return frozenset(found)


def grouped(arms: Iterable[StoredArm], free: frozenset[str]) -> dict[str, list[StoredArm]]:
    """Arms that are alike but for their name, what they were measured on, and the parts in `free`."""
    found: dict[str, list[StoredArm]] = {}
    for arm in arms:
        plain = compared(arm.spec.settings, arm.spec.fingerprints)
        prints = {k: v for k, v in arm.spec.fingerprints.items() if not k.startswith(("evaluate.", *sorted(free)))}
        for dotted in ("name", "evaluate", *free):
            *parents, last = dotted.split(".")
            place = plain
            for parent in parents:
                place = place.get(parent, {})
            place.pop(last, None)
        found.setdefault(json.dumps([plain, prints], sort_keys=True), []).append(arm)
    return found


def assignments(
    described: Sequence[ArmOf], arms: Sequence[StoredArm], task: str
) -> list[dict[ArmOf, StoredArm | None]]:
    """Every choice of an arm for each description, those with most seeds first; None where none fits."""
    fitting: list[list[StoredArm | None]] = []
    for of in described:
        # one config in two experiments is one arm: the one with more seeds stands for it
        same = grouped([arm for arm in arms if is_meant(arm.spec.settings, of)], frozenset())
        best = [max(of_config, key=lambda arm: len(arm.seeds[task])) for of_config in same.values()]
        fitting.append([*sorted(best, key=lambda arm: -len(arm.seeds[task]))] or [None])
    return [dict(zip(described, choice, strict=True)) for choice in product(*fitting)]


def missing_runs(case: Case) -> tuple[list[Missing], list[str]]:
    """The runs that a case lacks for a verdict on samplings, and in words those whose config nobody can derive."""
    if case.like is None:
        return [], [NO_ARM]
    claim, runs, words = case.claim, [], []
    needed = descriptions(one for one in claim.comparisons if one.required)
    for group in case.groups or ({},):
        arms = [arm for arm in group.values() if arm]
        seeds = wanted_seeds(arms, case.task, claim.seeds)
        # the newest of the group, so that what is planned takes part in the same comparison
        like = arms[0] if arms else case.like
        for of in dict.fromkeys([*needed, *(of for of, arm in group.items() if arm)]):
            arm = group.get(of)
            settings = arm.spec.settings if arm else derived(like.spec.settings, of)
            if settings is None:
                words.append(f"an arm: {in_words(of)}; otherwise as {like.name}")
                continue
            have = arm.seeds.get(case.task or "", ()) if arm else ()
            lacks = [seed for seed in seeds if seed not in have]
            is_new = arm is None or not arm.can_grow
            if lacks and is_new:
                lacks = seeds
            runs += [Missing(replace(settings, seed=seed), arm or like, is_new) for seed in lacks]
    models = max(len(case.groups), 1)
    if models < claim.models:
        words.append(f"the same arms from {claim.models - models} further starting model(s)")
    return runs, list(dict.fromkeys(words))


def wanted_seeds(arms: Sequence[StoredArm], task: str | None, number: int) -> list[int]:
    """The seeds that the arms have among them, and as many more as it takes."""
    have = {seed for arm in arms for seed in arm.seeds.get(task or "", ())}
    return sorted([*have, *islice((n for n in count() if n not in have), max(0, number - len(have)))])


def derived(settings: Settings, of: ArmOf) -> Settings | None:
    """Settings changed so that a description fits them; None where that takes other training sets."""
    if settings.train is None:
        return None
    strategy = of.sampling or settings.train.sampling.strategy
    alpha = settings.train.sampling.alpha
    if strategy not in WITH_ALPHA:
        alpha = SamplingSpec().alpha
    elif of.alpha and not of.alpha[0] <= alpha <= of.alpha[1]:
        alpha = sum(of.alpha) / 2
    changed = replace(settings, train=replace(settings.train, sampling=SamplingSpec(strategy, alpha)))
    if not is_meant(changed, replace(of, sampling=strategy)) and of.model is not None:
        changed = replace(changed, model=replace(changed.model, checkpoint=of.model))
    return changed if is_meant(changed, of) else None


def in_words(of: ArmOf) -> str:
    """A description as one reads it: `hybrid, alpha 0.4 to 0.6, on texts made by machine`."""
    parts: list[str] = [of.sampling or ""]
    parts.append(f"alpha {of.alpha[0]:g} to {of.alpha[1]:g}" if of.alpha else "")
    parts.append(f"model {of.model}" if of.model else "")
    if of.synthetic is not None:
        parts.append(f"on texts {'' if of.synthetic else 'known not to be '}made by machine")
    parts.append(f"on {', '.join(of.sets)}" if of.sets else "")
    parts.append(of.label or "")
    return ", ".join(filter(None, parts)) or "any sampling"
