"""What single keys of a config cannot say: which of them go together."""

import re
from collections.abc import Sequence

from workbench.data.reading.languages import check_language
from workbench.errors import InputError, allowed
from workbench.records import Settings, SyntheticSpec, TranslatorSpec


def check_together(settings: Settings, source: str) -> None:
    """What single keys cannot say."""
    train = settings.train
    names = {"evaluate.tasks": list(settings.evaluate.tasks), "train.sets": list(train.sets if train else ())}
    for key, given in names.items():
        for name in given:
            if not re.fullmatch(r"[\w-]+", name):
                raise InputError(f"{source}: {key}: the name {name!r}; allowed: letters, digits, _ and -")
    for name, task in settings.evaluate.tasks.items():
        if task.index != "auto" and task.depth is None and (task.loader or name) != "miracl":
            raise InputError(
                f"{source}: evaluate.tasks.{name}.index: an index needs a depth, evaluate.tasks.{name}.depth"
            )
    if train is None:
        return
    if (train.steps is None) == (train.epochs is None):
        raise InputError(f"{source}: train: give either steps or epochs")
    for name, of in train.sets.items():
        if of.languages is not None and len(set(of.languages)) != len(of.languages):
            raise InputError(f"{source}: train.sets.{name}.languages: a language stands twice")
    if train.synthetic is not None:
        check_synthetic(train.synthetic, list(train.sets), f"{source}: train.synthetic")


def check_synthetic(spec: SyntheticSpec, sets: Sequence[str], where: str) -> None:
    """Which keys of synthetic data go together."""
    if spec.translator is not None and spec.code_switching is not None:
        raise InputError(f"{where}: translator and code_switching are both given; allowed: one of them")
    switched = spec.code_switching
    if switched is not None and switched.mode == "multilingual" and switched.sides != "both":
        raise InputError(
            f"{where}.code_switching.sides: {switched.sides!r} with mode: multilingual; allowed: both, as no sampling "
            "draws texts in several languages with texts in one"
        )
    if spec.share is not None and spec.shares:
        raise InputError(f"{where}: share and shares are both given; allowed: one of them")
    for language, share in spec.shares.items():
        if not 0 <= share <= 1:
            raise InputError(f"{where}.shares.{language}: {share:g}; allowed: 0 to 1")
    for name in spec.sets or ():
        if name not in sets:
            raise InputError(f"{where}.sets: {name!r}; {allowed(name, sets)}")
    for key, languages in (("source", (spec.source,)), ("languages", spec.languages or ()), ("shares", spec.shares)):
        for language in languages:
            check_language(language, f"{where}.{key}")
    if spec.languages is not None and spec.translator is None and spec.code_switching is None:
        raise InputError(f"{where}.languages: are those to make texts in; allowed: with translator or code_switching")
    if spec.languages is not None and set(spec.languages) <= {spec.source}:
        raise InputError(f"{where}.languages: {spec.source!r} is what they are made from; name another language")
    near = spec.filter.similarity if spec.filter is not None else None
    if near is not None and (near.threshold is None) == (near.top_share is None):
        raise InputError(f"{where}.filter.similarity: give either threshold or top_share")
    if spec.translator is not None:
        check_translator(spec.translator, f"{where}.translator")


def check_translator(spec: TranslatorSpec, where: str) -> None:
    """A program has a command, a checkpoint none."""
    if (spec.kind == "command") != (spec.command is not None):
        raise InputError(f"{where}.command: {'is needed' if spec.command is None else 'is'} for kind: command alone")
    if spec.kind == "command":
        given = [name for name in ("checkpoint", "engine", "beams", "max_tokens", "batch_tokens", "precision")
                 if getattr(spec, name) != getattr(TranslatorSpec(kind="command"), name)]  # fmt: skip
        if given:
            raise InputError(f"{where}.{given[0]}: a program has no such option; only checkpoints do")
    elif spec.version is not None:
        raise InputError(f"{where}.version: is that of a command; a checkpoint is known by its content")
