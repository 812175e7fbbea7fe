"""The content hashes of everything that a run reads: they tell arms and tasks of unequal data apart."""

from pathlib import Path

from workbench.data.catalog import demo_fingerprint, fingerprint, known_set
from workbench.data.fetched import fetched_set
from workbench.errors import InputError
from workbench.records import DEMO_LEXICONS, PairSetSpec, Settings, SyntheticSpec, TaskSpec


def fingerprints(settings: Settings, folder: Path) -> dict[str, str]:
    """Content hash by dotted key; a checkpoint on a hub is named by its id and has none.

    `folder` is where relative paths start.

    Raises
    ------
    InputError
        A path is not there; names its key.
    """
    sets: dict[str, TaskSpec | PairSetSpec] = {
        f"evaluate.tasks.{name}": spec for name, spec in settings.evaluate.tasks.items()
    }
    if settings.train is not None:
        sets |= {f"train.sets.{name}": spec for name, spec in settings.train.sets.items()}
    checkpoint = settings.model.checkpoint
    found = synthetic_fingerprints(settings.train.synthetic if settings.train else None, folder)
    for key, spec in sorted(sets.items()):
        try:
            found[key] = set_fingerprint(key.rpartition(".")[2], spec, folder)
        except InputError as error:
            raise InputError(f"{key}.path: {error}") from error
        if isinstance(spec, TaskSpec) and spec.questions:
            found[f"{key}.questions"] = questions_fingerprint(key, spec, folder)
    if checkpoint != "builtin" and (local := local_checkpoint(checkpoint, folder)):
        found["model.checkpoint"] = fingerprint(local)
    return found


def synthetic_fingerprints(spec: SyntheticSpec | None, folder: Path) -> dict[str, str]:
    """Of the lexicons and the local checkpoints that synthetic texts are made with."""
    made = spec.code_switching if spec else None
    checkpoints = {
        "translator.checkpoint": spec.translator.checkpoint if spec and spec.translator else None,
        "filter.similarity.checkpoint": spec.filter.similarity.checkpoint
        if spec and spec.filter and spec.filter.similarity
        else None,
    }
    found = {}
    if made is not None and made.lexicons != DEMO_LEXICONS:
        key = "train.synthetic.code_switching.lexicons"
        try:
            found[key] = fingerprint(located(made.lexicons, folder))
        except InputError as error:
            raise InputError(f"{key}: {error}") from error
    for name, checkpoint in checkpoints.items():
        key = f"train.synthetic.{name}"
        # one for each pair of languages: the translator looks at those that it uses
        if checkpoint and "{" not in checkpoint and (local := local_checkpoint(checkpoint, folder, key)):
            found[key] = fingerprint(local)
    return found


def set_fingerprint(name: str, spec: TaskSpec | PairSetSpec, folder: Path) -> str:
    """Of the files at its path; of a fetched set, as its manifest says; of the built-in one, of its version."""
    if spec.path is not None:
        return fingerprint(located(spec.path, folder))
    if (spec.loader or name) == "demo":
        return demo_fingerprint()
    fetched = fetched_set(name)
    if fetched is None:
        known = known_set(name)
        how = f"`workbench data fetch {name}`, or " if known and known.source else ""
        raise InputError(f"{name} is not on this machine: {how}give the path of its files")
    return fetched.fingerprint


def questions_fingerprint(key: str, spec: TaskSpec, folder: Path) -> str:
    """Of the contents of all files of questions, in their order."""
    try:
        return "-".join(fingerprint(located(file, folder)) for file in spec.questions)
    except InputError as error:
        raise InputError(f"{key}.questions: {error}") from error


def located(path: str, folder: Path) -> Path:
    """Where a path of a config leads: from `folder`, or from a home where it starts with `~`.

    Raises
    ------
    InputError
        There is no such home.
    """
    try:
        return folder / Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"{path}: there is no such home folder") from error


def local_checkpoint(checkpoint: str, folder: Path, key: str = "model.checkpoint") -> Path | None:
    """The folder that a checkpoint means; None for an id on the hub, which is `name` or `owner/name`.

    `key` is the config's, for errors.

    Raises
    ------
    InputError
        It can only be a folder and is not there.
    """
    try:
        local = located(checkpoint, folder)
    except InputError as error:
        raise InputError(f"{key}: {error}") from error
    if local.is_dir():
        return local
    if checkpoint.startswith((".", "/", "~")) or checkpoint.count("/") > 1:
        raise InputError(f"{key}: {checkpoint}: there is no such folder")
    return None
