"""Configs of stored runs that can be run from anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from workbench.records import RunSpec, Settings


def rooted(settings: Settings, spec: RunSpec) -> Settings:
    """Settings with whole paths, as the folder in which the stored run `spec` was made is not the reader's.

    Where that folder is not on this machine, paths stay as they are.
    """
    folder = Path(spec.folder)
    if not folder.is_dir():
        return settings

    def whole(path: str | None) -> str | None:
        return path and str(folder / path)

    tasks = {
        name: replace(task, path=whole(task.path), questions=tuple(str(folder / file) for file in task.questions))
        for name, task in settings.evaluate.tasks.items()
    }
    settings = replace(settings, evaluate=replace(settings.evaluate, tasks=tasks))
    checkpoint = settings.model.checkpoint
    if "model.checkpoint" in spec.fingerprints and checkpoint == spec.settings.model.checkpoint:
        settings = replace(settings, model=replace(settings.model, checkpoint=str(folder / checkpoint)))
    if settings.train:
        sets = {name: replace(of, path=whole(of.path)) for name, of in settings.train.sets.items()}
        settings = replace(settings, train=replace(settings.train, sets=sets))
    return settings
