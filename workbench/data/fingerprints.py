"""The content hashes of everything that a run reads: they tell arms and tasks of unequal data apart."""

from pathlib import Path

from workbench.data.catalog import demo_fingerprint, fingerprint
from workbench.errors import InputError
from workbench.records import Settings


def fingerprints(settings: Settings, folder: Path) -> dict[str, str]:
    """Content hash by dotted key; a checkpoint on a hub is named by its id and has none.

    `folder` is where relative paths start.

    Raises
    ------
    InputError
        A path is not there; names its key.
    """
    read = {f"evaluate.tasks.{name}": spec.path for name, spec in settings.evaluate.tasks.items()}
    if settings.train is not None:
        read |= {f"train.sets.{name}": spec.path for name, spec in settings.train.sets.items()}
    checkpoint = settings.model.checkpoint
    found = {}
    for key, path in sorted(read.items()):
        try:
            found[key] = demo_fingerprint() if path is None else fingerprint(located(path, folder))
        except InputError as error:
            raise InputError(f"{key}.path: {error}") from error
    if checkpoint != "builtin" and (local := local_checkpoint(checkpoint, folder)):
        found["model.checkpoint"] = fingerprint(local)
    return found


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


def local_checkpoint(checkpoint: str, folder: Path) -> Path | None:
    """The folder that a checkpoint means; None for an id on the hub, which is `name` or `owner/name`.

    Raises
    ------
    InputError
        It can only be a folder and is not there.
    """
    try:
        local = located(checkpoint, folder)
    except InputError as error:
        raise InputError(f"model.checkpoint: {error}") from error
    if local.is_dir():
        return local
    if checkpoint.startswith((".", "/", "~")) or checkpoint.count("/") > 1:
        raise InputError(f"model.checkpoint: {checkpoint}: there is no such folder")
    return None
