"""The cells that a comparison of a claim is over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.analysis.claim_arms import StoredArm
from workbench.analysis.claims import Comparison
from workbench.analysis.samples import Group, Sample, group_of
from workbench.analysis.stored import common_task, left_out
from workbench.errors import InputError, allowed
from workbench.records import ALL_POOLS

Languages = frozenset[str]


def cells_of(store: Path, one: Comparison, arms: Sequence[StoredArm], sample: Sample) -> tuple[Group, tuple[str, ...]]:
    """The cells of a comparison, and the languages that these were chosen by, if they were.

    Raises
    ------
    InputError
        No cell is left, the task has no such language, or the store does not know what the arms were trained on.
    """
    _, task_id, _ = common_task(store, [arm.name for arm in arms], sample.task)
    touched = [Languages({cell.query_language, cell.pool_language} - {ALL_POOLS}) for cell in sample.cells]
    known = Languages().union(*touched) - left_out(store, task_id)
    within, touching = limits_of(one, known, sample.task)
    seen = Languages() if one.languages == "all" else trained_on(arms, sample.task)
    if one.languages == "seen":
        within &= Languages.intersection(*(arm.seen for arm in arms))
    if one.languages == "unseen":
        touching -= seen
    chosen = [
        cell.setting == one.setting and languages <= within and bool(languages & touching)
        for cell, languages in zip(sample.cells, touched, strict=True)
    ]
    if one.languages != "all" and not any(chosen):
        raise InputError(
            f"{sample.task}: no {one.setting} cell of {one.languages} languages: its languages are "
            f"{' '.join(sorted(known))}, trained on {' '.join(sorted(seen))}; lacking: arms that were trained on "
            f"{'fewer' if one.languages == 'unseen' else 'some'} of them"
        )
    by = touching if touching != known else within
    return group_of(name_of(one), sample, chosen), tuple(sorted(by)) if by != known else ()


def limits_of(one: Comparison, known: Languages, task: str) -> tuple[Languages, Languages]:
    """(what all languages of a cell must be in, what one of them must be in), as the comparison says by name."""
    for key, names in (("within", one.within), ("touching", one.touching)):
        for name in names or ():
            if name not in known:
                raise InputError(f"{key}: {name!r}: {task} has no such language; {allowed(name, sorted(known))}")
    return Languages(one.within or known), Languages(one.touching or known)


def trained_on(arms: Sequence[StoredArm], task: str) -> Languages:
    """What any of the arms was trained on."""
    if not all(arm.seen for arm in arms):
        raise InputError(f"{task}: the store has no record of the languages that the arms were trained on")
    return Languages().union(*(arm.seen for arm in arms))


def name_of(one: Comparison) -> str:
    """Of the group: `cross_lingual, unseen`, `cross_lingual, within de en, touching en`."""
    parts: list[str] = [one.setting, *([] if one.languages == "all" else [one.languages])]
    parts += [f"within {' '.join(one.within)}"] if one.within else []
    parts += [f"touching {' '.join(one.touching)}"] if one.touching else []
    return ", ".join(parts)
