"""Fetching of known sets into the cache: `python -m workbench.data.fetching NAME...`, a process of its own.

The only module that imports `datasets`. Tables are left as parquet in the layout of the hub
(`<config>/<split>-00000.parquet`), files as they are. Parts appear whole, and the set counts as there when the last
one is; a fetch that was interrupted goes on after the last whole part, and within one where the hub's client can.
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from workbench.data.catalog import CONVERTED, KNOWN_SETS, KnownSet, Source, expanded, fingerprint, known_set
from workbench.data.fetched import Fetched, fetched_set, folder_of, write_manifest
from workbench.data.reading.languages import name_of
from workbench.errors import InputError, WorkbenchError, WorkError, allowed
from workbench.files import locked, write_whole

TIMEOUT_S = 30.0
"""Patience with a server that says nothing."""
STAGING = ".fetching"
"""Folder inside a set's folder where new parts wait for the last of them."""
COPIED = "copy-"
"""Before the revision of a copy."""


@dataclass(frozen=True)
class Place:
    """Where this fetch takes its parts from."""

    source: Source
    local: Path | None
    """A copy of the repository on this machine; None = the net."""
    revision: str
    """The commit on the hub; of a copy, COPIED and a hash of its content; of files at an address, which has none,
    nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    try:
        for name in options.names:  # before hours are spent on the first
            chosen_languages(fetchable(name), options.language)
        for name in options.names:
            fetched = fetch(name, options.language, options.copy and Path(options.copy), again=options.again)
            row = {"name": name, "folder": str(folder_of(name)), "languages": list(fetched.languages)}
            print(json.dumps(row, ensure_ascii=False) if options.json else f"{name}  {row['folder']}", flush=True)
    except WorkbenchError as error:
        print(f"workbench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workbench.data.fetching")
    parser.add_argument("names", nargs="+")
    parser.add_argument("--language", action="append")
    parser.add_argument("--copy")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def fetch(
    name: str, languages: Sequence[str] | None = None, copy: Path | None = None, *, again: bool = False
) -> Fetched:
    """Fetch a set, or the languages of it that are not there yet.

    Parameters
    ----------
    languages
        Those to fetch, where the source has them apart; none = all.
    copy
        A folder that is a copy of the repository, in place of the net.
    again
        Take the newest revision and leave what is there.

    Raises
    ------
    InputError
        The name or a language is not known, the set cannot be fetched, the copy lacks a part, or the source does not
        answer.
    WorkError
        The disk is full, or another process is fetching the set.
    """
    known = fetchable(name)
    wanted = chosen_languages(known, languages)
    folder = folder_of(name)
    try:
        with locked(folder / ".lock"):
            there = None if again else fetched_set(name)
            place = located(known, copy, there)
            missing = [part for part in parts_of(known, wanted) if there is None or part not in there.parts]
            if there is not None and not missing:
                narrate(f"{name}: all of it is there already")
                return there
            if place.local is None and place.revision.startswith(COPIED):
                raise InputError(
                    f"{name}: the languages that are there are of a copy; give it with --from, or use --again to fetch "
                    "all anew"
                )
            return taken_over(known, place, there, wanted, missing)
    except BlockingIOError as error:
        raise WorkError(f"{name}: another process is fetching it") from error


def fetchable(name: str) -> KnownSet:
    known = known_set(name)
    if known is None:
        raise InputError(f"{name!r} is no known data set; {allowed(name, sorted({k.name for k in KNOWN_SETS}))}")
    if known.source is None:
        how = "is built in" if known.loader == "demo" else "cannot be fetched: give its path in the config"
        raise InputError(f"{name}: {how}; fetchable: {', '.join(k.name for k in KNOWN_SETS if k.source)}")
    return known


def chosen_languages(known: KnownSet, languages: Sequence[str] | None) -> tuple[str, ...]:
    assert known.source is not None
    if languages is None:
        return known.languages
    if not known.source.by_language:
        raise InputError(f"{known.name}: comes in one piece for all its languages; leave out the language")
    for language in languages:
        if language not in known.languages:
            raise InputError(f"{known.name}: has no language {language!r}; {allowed(language, known.languages)}")
    return tuple(sorted(set(languages)))


def parts_of(known: KnownSet, languages: Sequence[str]) -> list[str]:
    """The source's parts for these languages: files, and tables as `config/split`."""
    assert known.source is not None
    named = {code: name_of(code) for code in languages}
    tables = [f"{config}/{split}" for config, split in known.source.rows]
    return list(dict.fromkeys(expanded([*known.source.files, *tables], named)))


def located(known: KnownSet, copy: Path | None, there: Fetched | None) -> Place:
    """Where the parts come from; what is added to a set comes from the revision of the rest."""
    assert known.source is not None
    if copy is not None:
        if not copy.is_dir():
            raise InputError(f"{copy}: there is no such folder")
        place = Place(known.source, copy.resolve(), f"{COPIED}{fingerprint(copy)}")
    elif there is not None and there.repository == known.source.repository:
        return Place(known.source, None, there.revision)
    else:
        place = Place(known.source, None, newest(known.source))
    if there is not None and place.revision != there.revision:
        raise InputError(
            f"{known.name}: the languages that are there are of revision {there.revision}, not {place.revision}; "
            "use --again to fetch all anew"
        )
    return place


def newest(source: Source) -> str:
    """The commit that the hub's branch points to."""
    if source.is_address:
        return ""
    from huggingface_hub import HfApi

    with told(source.repository):
        return HfApi().dataset_info(source.repository, revision=source.revision).sha or ""


@contextmanager
def told(what: str) -> Iterator[None]:
    """One line for whatever keeps a source from answering."""
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled, RepositoryNotFoundError

    try:
        yield
    except OfflineModeIsEnabled as error:
        raise InputError(f"{what}: the hub is switched off (HF_HUB_OFFLINE); take a copy, with --from") from error
    except RepositoryNotFoundError as error:
        raise InputError(f"{what}: the hub has no such data set, or it needs a login") from error
    except (HTTPError, HTTPException, URLError, TimeoutError, ConnectionError) as error:
        raise InputError(
            f"{what}: does not answer ({first_line(error)}); is there a network? "
            "Else take a copy of the repository, with --from, or give the path of the files in the config"
        ) from error
    except (DatasetsError, FileNotFoundError, ValueError) as error:
        raise InputError(f"{what}: cannot be read: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def taken_over(
    known: KnownSet, place: Place, there: Fetched | None, languages: Sequence[str], missing: Sequence[str]
) -> Fetched:
    """Fetch the missing parts beside the set, move them in, and only then say that they are there."""
    folder = folder_of(known.name)
    staging = staging_of(folder, place)
    for number, part in enumerate(missing, start=1):
        narrate(f"{known.name}: {part} ({number} of {len(missing)})")
        take(part, place, staging)
    if there is None:
        forget(folder)
    for part in missing:
        for file in files_of(part, staging):
            goal = folder / file.relative_to(staging)
            goal.parent.mkdir(parents=True, exist_ok=True)
            file.replace(goal)
    shutil.rmtree(staging)
    fetched = Fetched(
        name=known.name,
        repository=place.source.repository,
        revision=place.revision,
        fingerprint=identity(place, folder),
        languages=tuple(sorted({*languages, *(there.languages if there else ())})),
        parts=(*(there.parts if there else ()), *missing),
        fetched=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    )
    write_manifest(fetched)
    return fetched


def staging_of(folder: Path, place: Place) -> Path:
    """Where new parts wait; those of an earlier try at the same revision are kept."""
    staging = folder / STAGING / (place.revision or "now")
    for other in (folder / STAGING).glob("*"):
        if other != staging:
            shutil.rmtree(other)
    staging.mkdir(parents=True, exist_ok=True)
    return staging


def take(part: str, place: Place, staging: Path) -> None:
    """One part into the staging folder, unless an earlier try left it there, whole."""
    if files_of(part, staging):
        return
    if part in tables_of(place.source, part):
        config, _, split = part.rpartition("/")
        write_whole(staging / config / f"{split}-00000.parquet", lambda path: write_table(place, config, split, path))
    else:
        write_whole(staging / part, lambda path: write_file(place, part, staging / ".hub", path))


def tables_of(source: Source, part: str) -> set[str]:
    """The part itself if it is a table, not a file: only these end in the name of a split."""
    return {part} if part.rpartition("/")[2] in {split for _, split in source.rows} else set()


def files_of(part: str, folder: Path) -> list[Path]:
    """The files of a part that lie in a folder."""
    file = folder / part
    return [file] if file.is_file() else sorted(file.parent.glob(f"{file.name}-*.parquet"))


def write_table(place: Place, config: str, split: str, path: Path) -> None:
    """A split as one parquet file, through `datasets`, which keeps what it has downloaded in its own cache."""
    from datasets import load_dataset

    what = f"{place.local or place.source.repository}, {config}/{split}"
    with told(what):
        chosen = table_files(place, config, split)
        if place.local is not None:
            rows = load_dataset(str(place.local), split=split, **chosen)
        else:
            rows = load_dataset(place.source.repository, split=split, revision=place.revision, **chosen)
        if not len(rows):
            raise InputError(f"{what}: holds no row")
        rows.to_parquet(path)


def table_files(place: Place, config: str, split: str) -> dict[str, Any]:
    """What tells `datasets` which table to read: its files where they are known, else its config.

    Configs are named in a repository's README, which the hub's branch of tables converted to parquet has not, and which
    may be missing from a copy.
    """
    forms = (f"{config}/{split}/*.parquet", f"{config}/{split}-*.parquet", f"{config}/{split}.parquet")
    if place.local is None:
        found = [form for form in forms[:1] if place.source.revision == CONVERTED]
    else:
        found = [form for form in forms if any(place.local.glob(form))]
    return {"data_files": {split: found[0]}} if found else {"name": config}


def write_file(place: Place, name: str, unfinished: Path, path: Path) -> None:
    """A file as it is; the hub's client keeps what it has of one that breaks off in the folder `unfinished`."""
    what = f"{place.local or place.source.repository}/{name}"
    with told(what):
        if place.local is not None:
            shutil.copyfile(copied_file(place.local, name), path)
        elif place.source.is_address:
            download(what, path)
        else:
            from huggingface_hub import hf_hub_download

            found = hf_hub_download(
                place.source.repository, name, repo_type="dataset", revision=place.revision, local_dir=unfinished
            )
            Path(found).replace(path)


def copied_file(copy: Path, name: str) -> Path:
    """A file of a copy: of a folder with the repository's folders, or one with the files alone."""
    found = [file for file in (copy / name, copy / Path(name).name) if file.is_file()]
    if not found:
        raise InputError(f"{copy}/{name}: there is no such file")
    return found[0]


def download(address: str, path: Path) -> None:
    """A file from an address; what came of it before a break is lost."""
    from huggingface_hub.constants import is_offline_mode
    from huggingface_hub.errors import OfflineModeIsEnabled

    if is_offline_mode():
        raise OfflineModeIsEnabled(address)
    with urlopen(address, timeout=TIMEOUT_S) as answer, path.open("wb") as file:
        shutil.copyfileobj(answer, file)
        announced = answer.headers["Content-Length"]
        if announced is not None and file.tell() != int(announced):  # the client takes a break for the end
            raise IncompleteRead(b"", int(announced) - file.tell())


def identity(place: Place, folder: Path) -> str:
    """The set's fingerprint: of repository and commit, which name the content, else of the content."""
    if not place.revision:
        return fingerprint_of_files(folder)
    return hashlib.blake2b(f"{place.source.repository} {place.revision}".encode(), digest_size=8).hexdigest()


def fingerprint_of_files(folder: Path) -> str:
    """Of what lies there, before the manifest does."""
    (folder / "manifest.json").unlink(missing_ok=True)
    return fingerprint(folder)


def forget(folder: Path) -> None:
    """Take away what was fetched, not what waits; the manifest first, so that no half of it counts as the set."""
    (folder / "manifest.json").unlink(missing_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != STAGING:
            shutil.rmtree(entry)
        elif entry.is_file() and entry.name != ".lock":
            entry.unlink()


def narrate(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
