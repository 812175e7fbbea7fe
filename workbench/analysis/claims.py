"""Claims about arms, as files say them: what is compared, in which direction, by how much. Data, never evaluated.

A file holds one claim. Those that ship with the package are in `published_claims/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from workbench.analysis.effects import MARGIN
from workbench.config import parse_yaml, read_text
from workbench.config_keys import as_record
from workbench.errors import InputError
from workbench.evaluation.measures import per_query
from workbench.records import Setting, Strategy, key

Direction = Literal["higher", "lower", "at_least", "at_most"]
Property = Literal["no_leakage"]

SHIPPED = Path(__file__).parent / "published_claims"
NO_WORSE = ("at_least", "at_most")
"""Directions of non-inferiority."""


@dataclass(frozen=True)
class ArmOf:
    """Which arms are meant, by what their configs say."""

    sampling: Strategy | None = key(None, "how they draw the languages of a batch; none = any, and untrained ones not")
    alpha: tuple[float, ...] | None = key(None, "lowest and highest alpha; none = any", min_length=2, max_length=2)
    model: str | None = key(None, "the checkpoint they start from, or the last part of its path; none = any")
    synthetic: bool | None = key(None, "whether some of their training texts are made by machine; none = any")
    sets: tuple[str, ...] | None = key(None, "names of all their training sets; none = any", min_length=1)
    label: str | None = key(None, "what their config calls them; none = any", min_length=1)


@dataclass(frozen=True)
class Difference:
    """Of two arms."""

    first: ArmOf = key(doc="the arms whose figures count")
    second: ArmOf = key(doc="the arms whose figures are taken away")


@dataclass(frozen=True)
class Comparison:
    """What is said of two arms that are otherwise alike."""

    first: ArmOf = key(doc="the arms that it is about")
    second: ArmOf = key(doc="the arms that they are held against")
    setting: Setting = key(doc="the setting whose cells are compared")
    direction: Direction = key(doc="what the first is; at_least and at_most allow for the margin")
    measure: str = key("map", "what is measured", min_length=1)
    of: Literal["mean", "spread", "worst_tenth"] = key(
        "mean", "of the cells' figures: mean, standard deviation, mean of the worst tenth"
    )
    margin: float | None = key(
        None, "higher, lower: by more than this, none = 0; at_least, at_most: worse by less, none = 0.005", ge=0
    )
    ratio: float = key(1.0, "what the second's mean is multiplied by before: 0.8 with lower = a fifth lower", gt=0)
    languages: Literal["all", "seen", "unseen"] = key(
        "all", "cells of languages that both arms were trained on, or with one that neither was trained on"
    )
    within: tuple[str, ...] | None = key(None, "only cells whose languages are all of these; none = any", min_length=1)
    touching: tuple[str, ...] | None = key(
        None, "only cells with at least one of these languages; none = any", min_length=1
    )
    less: Difference | None = key(
        None, "two further arms: their difference is taken from that of first and second, seed by seed"
    )
    required: bool = key(True, "false: counts where such arms are in the store, is not asked for otherwise")


@dataclass(frozen=True)
class Claim:
    """A sentence that results can support or contradict: all of its comparisons hold, or its property."""

    name: str = key(doc="a short name, unique", pattern=r"^[\w-]+$")
    text: str = key(doc="what is claimed, in words", min_length=1)
    source: str = key(doc="who claims it", min_length=1)
    comparisons: tuple[Comparison, ...] = key((), "what has to hold, all of it")
    holds: Property | None = key(None, "instead of comparisons: no_leakage, no run trained on texts of its tasks")
    task: str | None = key(None, "the evaluation task; none = each task that the arms have", min_length=1)
    models: int = key(1, "starting models that it has to hold for, each", ge=1)
    seeds: int = key(3, "seeds of each arm that are asked for", ge=2)


def read_claims(files: Sequence[Path]) -> list[Claim]:
    """The claims of files, in their order; those that ship with the package where no file is given.

    Raises
    ------
    InputError
        Names the file, the key, the bad value and what is allowed.
    """
    claims: dict[str, tuple[Claim, Path]] = {}
    for file in files or sorted(SHIPPED.glob("*.yaml")):
        claim = read_claim(file)
        if claim.name in claims:
            raise InputError(f"{file}: name: {claim.name!r} is the name of a claim in {claims[claim.name][1]} too")
        claims[claim.name] = claim, file
    return [claim for claim, _ in claims.values()]


def read_claim(file: Path) -> Claim:
    """The one claim of a file.

    Raises as `read_claims` does.
    """
    claim = as_record(Claim, parse_yaml(read_text(file), str(file), "a claim"), str(file))
    if bool(claim.comparisons) == bool(claim.holds):
        raise InputError(f"{file}: comparisons: give either comparisons or holds")
    if claim.holds and (claim.task or claim.models > 1):
        raise InputError(f"{file}: holds: {claim.holds} is a property of all runs; leave task and models out")
    for number, one in enumerate(claim.comparisons):
        check_comparison(one, f"{file}: comparisons.{number}")
    return claim


def check_comparison(one: Comparison, where: str) -> None:
    """What single keys cannot say."""
    nothing = np.zeros(0, np.int64)
    try:
        per_query(one.measure, nothing, nothing, nothing)
    except InputError as error:
        raise InputError(f"{where}.measure: {error}") from error
    if one.measure == "rank_distance" and one.setting != "multilingual":
        raise InputError(f"{where}.setting: rank_distance is measured in the multilingual setting; not {one.setting!r}")
    if one.of != "mean" and one.ratio != 1:
        raise InputError(f"{where}.ratio: means are multiplied, the {one.of} of cells is not; leave it out")
    if one.measure == "rank_distance" and one.direction in NO_WORSE and one.margin is None:
        raise InputError(f"{where}.margin: rank_distance is counted in ranks: say how many are no worse")
    if one.less and (one.of != "mean" or one.ratio != 1):
        raise InputError(f"{where}.less: goes with differences of means alone; leave of and ratio out")
    if one.less and (one.less.first, one.less.second) == (one.first, one.second):
        raise InputError(f"{where}.less: the same arms as first and second")
    check_pair(one, where)
    if one.less:
        check_pair(one.less, f"{where}.less")


def check_pair(pair: Comparison | Difference, where: str) -> None:
    if pair.first == pair.second:
        raise InputError(f"{where}.second: the same arms as first")
    for side in ("first", "second"):
        alpha = getattr(pair, side).alpha
        if alpha and alpha[0] > alpha[1]:
            raise InputError(f"{where}.{side}.alpha: {list(alpha)}: the lowest stands first")


def arms_of(one: Comparison) -> tuple[ArmOf, ...]:
    """All that a comparison speaks of: first, second, and those of `less`."""
    return (one.first, one.second, *((one.less.first, one.less.second) if one.less else ()))


def limit_of(one: Comparison) -> float:
    """What the difference, seen in the claim's direction, has to be above."""
    if one.direction in NO_WORSE:
        return -(MARGIN if one.margin is None else one.margin)
    return one.margin or 0.0
