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
            found[key] = demo_fingerprint() if path is None else fingerprint((folder / path).expanduser())
        except InputError as error:
            raise InputError(f"{key}.path: {error}") from error
    if checkpoint != "builtin" and (folder / checkpoint).expanduser().is_dir():
        found["model.checkpoint"] = fingerprint((folder / checkpoint).expanduser())
    return found
