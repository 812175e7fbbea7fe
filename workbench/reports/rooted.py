"""Configs of stored runs that are run again: their paths lead anywhere, their arms are named alike."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.arms import arm_label
from workbench.records import DEMO_LEXICONS, Plain, RunSpec, Settings, SyntheticSpec, to_plain

SAMPLING = "train.sampling"


def rooted(settings: Settings, spec: RunSpec) -> Settings:
    """Settings with whole paths, as the folder in which the stored run `spec` was made is not the reader's.

    Where that folder is not on this machine, paths stay as they are.
    """
    folder = Path(spec.folder)
    if not folder.is_dir():
        return settings
    tasks = {
        name: replace(
            task, path=task.path and whole(task.path, folder), questions=tuple(whole(q, folder) for q in task.questions)
        )
        for name, task in settings.evaluate.tasks.items()
    }
    settings = replace(settings, evaluate=replace(settings.evaluate, tasks=tasks))
    checkpoint = settings.model.checkpoint
    if "model.checkpoint" in spec.fingerprints and checkpoint == spec.settings.model.checkpoint:
        settings = replace(settings, model=replace(settings.model, checkpoint=whole(checkpoint, folder)))
    train = settings.train
    if train:
        sets = {name: replace(of, path=of.path and whole(of.path, folder)) for name, of in train.sets.items()}
        made = train.synthetic and rooted_synthetic(train.synthetic, folder)
        settings = replace(settings, train=replace(train, sets=sets, synthetic=made))
    return settings


def rooted_synthetic(spec: SyntheticSpec, folder: Path) -> SyntheticSpec:
    """What synthetic texts are made with, by whole paths where it lies in the folder."""
    switched, translator, kept = spec.code_switching, spec.translator, spec.filter
    if switched and switched.lexicons != DEMO_LEXICONS:
        switched = replace(switched, lexicons=whole(switched.lexicons, folder))
    if translator and translator.checkpoint and is_here(translator.checkpoint, folder):
        translator = replace(translator, checkpoint=whole(translator.checkpoint, folder))
    if kept and kept.similarity and is_here(kept.similarity.checkpoint, folder):
        similarity = replace(kept.similarity, checkpoint=whole(kept.similarity.checkpoint, folder))
        kept = replace(kept, similarity=similarity)
    return replace(spec, code_switching=switched, translator=translator, filter=kept)


def whole(path: str, folder: Path) -> str:
    """A path that leads to the same place from any folder; one that starts with `~` does already."""
    return path if path.startswith("~") else str(folder / path)


def is_here(checkpoint: str, folder: Path) -> bool:
    """Whether a checkpoint lies in a folder and is no id on a hub; `{source}` and `{target}` stand for any language."""
    if checkpoint.startswith(("/", "~")):
        return False  # whole as it is
    if "{" not in checkpoint:
        return (folder / checkpoint).is_dir()
    pattern = re.sub(r"\{\w+\}", "*", glob.escape(checkpoint))
    return any(found.is_dir() for found in folder.glob(pattern))


def swept_leaves(arm: str, before: Settings, settings: Settings) -> Plain:
    """The keys and values by which an arm's sweep named it: `mono-learning_rate-0.001` has a learning rate.

    `before` are the settings of the arm, whose values are in its name; the values that are told are of `settings`. An
    arm is found again by its whole name, so a further seed has to be named alike.
    """
    label = arm.rsplit("-", 1)[0]
    found = sorted(
        (label.find(piece), key, value)
        for key, known in leaves(to_plain(before))
        for value in spellings(known)
        if (piece := piece_of(key, value)) in label
    )
    swept = {key: value for _, key, value in found}
    if not swept or arm_label(before, swept) != label:
        return {}
    plain = dict(leaves(to_plain(settings)))
    return {key: value if plain.get(key) == value else plain.get(key) for key, value in swept.items()}


def spellings(value: Any) -> list[Any]:
    """How a sweep may have said a value, the likeliest last: `1` where the config has 1.0 now."""
    return [int(value), value] if isinstance(value, float) and value.is_integer() else [value]


def piece_of(key: str, value: Any) -> str:
    text = f"-{key.rsplit('.', 1)[-1]}-{Path(str(value)).name}"
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).rstrip("-")


def leaves(plain: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of nested mappings by its dotted key, but for the seed and the sampling, which need no name."""
    for key, value in plain.items():
        dotted = prefix + key
        if isinstance(value, Mapping):
            yield from leaves(value, f"{dotted}.")
        elif dotted != "seed" and not dotted.startswith(SAMPLING):
            yield dotted, value
