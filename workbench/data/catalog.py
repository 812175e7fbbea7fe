"""The data sets that are known by name, how a name or a path leads to a loader, and content hashes.

Standard library only: the views list these without loading any data.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.errors import InputError, allowed

Kind = Literal["training", "task"]
Loader = Literal["demo", "parquet", "jsonl", "lareqa"]

ENDINGS: dict[str, Loader] = {".parquet": "parquet", ".jsonl": "jsonl", ".jsonl.gz": "jsonl"}
"""Training sets in files, by the file's ending."""
DEMO_LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "pt", "ru", "tr", "zh")


@dataclass(frozen=True)
class KnownSet:
    """A data set that a config may name without saying how it is read."""

    name: str
    kind: Kind
    loader: Loader
    languages: tuple[str, ...]
    licence: str
    source: str
    """Where it comes from."""


KNOWN_SETS = (
    KnownSet("demo", "training", "demo", DEMO_LANGUAGES, "the workbench's own", "built in"),
    KnownSet("demo", "task", "demo", DEMO_LANGUAGES, "the workbench's own", "built in"),
    KnownSet(
        "xquad_r",
        "task",
        "lareqa",
        ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"),
        "CC BY-SA 4.0",
        "github.com/google-research-datasets/lareqa, xquad-r (arXiv 2004.05484)",
    ),
    KnownSet(
        "mlqa_r",
        "task",
        "lareqa",
        ("ar", "de", "en", "es", "hi", "vi", "zh"),
        "CC BY-NC 4.0",
        "github.com/google-research-datasets/lareqa, mlqa-r (arXiv 2004.05484)",
    ),
)


def known_loader(kind: Kind, name: str, path: str | None) -> Loader:
    """How a set is read: by its name, else a training set by its file's ending, a task as a folder of LAReQA files.

    Raises
    ------
    InputError
        Neither name nor path says it.
    """
    of_kind = {known.name: known.loader for known in KNOWN_SETS if known.kind == kind}
    if name in of_kind:
        return of_kind[name]
    if path is None:
        raise InputError(f"{name!r} is no known {kind} set and has no path; {allowed(name, of_kind)}, or a path")
    if kind == "task":
        return "lareqa"
    for ending, loader in ENDINGS.items():
        if path.endswith(ending):
            return loader
    raise InputError(
        f"{name!r} is no known training set, and the ending of {path} tells no loader; "
        f"{allowed(name, of_kind)}, a path ending in {', '.join(ENDINGS)}, or a 'loader' key"
    )


def fingerprint(path: Path) -> str:
    """16 hex digits that stand for the content of a file, or of a folder's files and their names.

    Hidden files and folders do not count; where the file or folder lies does not either.

    Raises
    ------
    InputError
        It is not there, cannot be read, or is a folder without files.
    """
    try:
        if path.is_file():
            return file_hash(path).hex()
        if not path.is_dir():
            raise InputError(f"{path}: there is no such file or folder")
        files = {file.relative_to(path): file for file in path.rglob("*") if file.is_file()}
        visible = {name: file for name, file in files.items() if not any(part.startswith(".") for part in name.parts)}
        if not visible:
            raise InputError(f"{path}: the folder holds no file")
        whole = hashlib.blake2b(digest_size=8)
        for name in sorted(visible):
            # the hash has a fixed length and a name no zero byte: nothing else gives the same bytes
            whole.update(os.fsencode(name.as_posix()) + b"\0" + file_hash(visible[name]))
        return whole.hexdigest()
    except OSError as error:
        raise InputError(f"{error.filename or path}: cannot be read: {error.strerror or error}") from error


def file_hash(path: Path) -> bytes:
    """8 bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).digest()


def demo_fingerprint() -> str:
    """16 hex digits that stand for the content of the built-in demonstration set."""
    from workbench.data.demo import VERSION

    return hashlib.blake2b(f"demo {VERSION}".encode(), digest_size=8).hexdigest()
