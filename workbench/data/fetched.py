"""Sets that were fetched into the cache: which ones are there, whole. Standard library only.

`<cache>/sets/<name>/` holds the files of a set and `manifest.json`, which is written last: a folder without it is
not a set.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.data.catalog import known_set
from workbench.data.reading.json_values import member, read_json
from workbench.errors import InputError
from workbench.files import write_whole
from workbench.paths import cache_folder
from workbench.records import PairSetSpec, TaskSpec


@dataclass(frozen=True)
class Fetched:
    """What the manifest of a fetched set says."""

    name: str
    repository: str
    revision: str
    """The commit, or a hash of the content where the source has no commits."""
    fingerprint: str
    """16 hex digits: the same on every machine for the same repository and revision."""
    languages: tuple[str, ...]
    """Those that are there, ascending."""
    parts: tuple[str, ...]
    """Tables and files that are there, as the source names them."""
    fetched: str
    """When: UTC, ISO 8601."""


def folder_of(name: str) -> Path:
    """Where a set lies once it is fetched."""
    if not re.fullmatch(r"[\w-]+", name):
        raise InputError(f"{name!r} is no name of a data set; allowed: letters, digits, _ and -")
    return cache_folder() / "sets" / name


def fetched_set(name: str) -> Fetched | None:
    """The fetched set of that name, None where there is none or only a part of it.

    Raises
    ------
    InputError
        Its manifest is damaged.
    """
    file = folder_of(name) / "manifest.json"
    if not file.is_file():
        return None
    found = read_json(file, dict)
    return Fetched(
        name=name,
        repository=member(found, "repository", str, str(file)),
        revision=member(found, "revision", str, str(file)),
        fingerprint=member(found, "fingerprint", str, str(file)),
        languages=tuple(map(str, member(found, "languages", list, str(file)))),
        parts=tuple(map(str, member(found, "parts", list, str(file)))),
        fetched=member(found, "fetched", str, str(file)),
    )


def languages_of(name: str, spec: PairSetSpec | TaskSpec) -> tuple[str, ...] | None:
    """The languages to take, None for all; of a set that was fetched by language, those that were fetched whole."""
    if spec.languages is not None or spec.path is not None:
        return spec.languages
    fetched, known = fetched_set(name), known_set(name)
    by_language = known is not None and known.source is not None and known.source.by_language
    return fetched.languages if fetched is not None and by_language else None


def write_manifest(fetched: Fetched) -> None:
    write_whole(folder_of(fetched.name) / "manifest.json", json.dumps(asdict(fetched), indent=1, ensure_ascii=False))
