"""The data sets that are known by name, how a name or a path leads to a loader, and content hashes.

Standard library only: the views list these without loading any data.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from workbench.errors import InputError, allowed
from workbench.records import PairSetSpec, TaskLoader, TaskSpec, TrainingLoader

Kind = Literal["training", "task"]
Loader = TaskLoader | TrainingLoader

ENDINGS: dict[str, TrainingLoader] = {".parquet": "parquet", ".jsonl": "jsonl", ".jsonl.gz": "jsonl"}
"""Training sets in files, by the file's ending."""
CONVERTED = "refs/convert/parquet"
"""The hub's branch with the tables of a repository that is a program: `<config>/<split>/0000.parquet`."""
DEMO_LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "pt", "ru", "tr", "zh")
TASK_OPTIONS: dict[TaskLoader, tuple[str, ...]] = {
    "demo": (),
    "lareqa": ("passage_text", "every_article", "questions"),
    "tydiqa": ("split", "passage_text", "every_article", "questions"),
    "tydiqa_primary": ("split",),
    "xor_tydi": ("split",),
    "beir": ("split",),
    "miracl": ("split",),
}
"""What a task's loader can do beside taking languages; the other keys of a task are for all loaders."""
TRAINING_OPTIONS: dict[TrainingLoader, tuple[str, ...]] = {
    "demo": (),
    "parquet": (),
    "jsonl": (),
    "tsv": (),
    "squad": ("passage_text",),
    "mmarco": (),
    "mr_tydi": (),
    "dpr": (),
}
"""The same of a training set's loader."""


@dataclass(frozen=True)
class Source:
    """Where a set is fetched from. `{code}` and `{name}` in a part stand for each language: `sw`, `swahili`."""

    repository: str
    """A dataset repository's id on the hub, or the address of a folder that holds the files."""
    rows: tuple[tuple[str, str], ...] = ()
    """(config, split) of tables, read by `datasets`."""
    files: tuple[str, ...] = ()
    """Files that are taken as they are."""
    revision: str | None = None
    """A branch; none = the main one."""

    @property
    def is_address(self) -> bool:
        """Whether the files lie at an address, with no commits to name, and not on the hub."""
        return "://" in self.repository

    @property
    def by_language(self) -> bool:
        """Whether single languages can be fetched, and others be added later."""
        return not self.is_address and any("{" in part for part in (*self.files, *(config for config, _ in self.rows)))


@dataclass(frozen=True)
class KnownSet:
    """A data set that a config may name without saying how it is read."""

    name: str
    kind: Kind
    loader: Loader
    languages: tuple[str, ...]
    size: str
    licence: str
    origin: str
    """Who made it."""
    source: Source | None = None
    """None = it is built in, or must be brought."""


def languages(codes: str) -> tuple[str, ...]:
    return tuple(sorted(codes.split()))


LAREQA = "https://raw.githubusercontent.com/google-research-datasets/lareqa/master/"
KNOWN_SETS = (
    KnownSet("demo", "training", "demo", DEMO_LANGUAGES, "3,600 pairs a language", "the workbench's own", "built in"),
    KnownSet(
        "demo",
        "task",
        "demo",
        DEMO_LANGUAGES,
        "300 queries, 720 candidates a language",
        "the workbench's own",
        "built in",
    ),
    KnownSet(
        "xquad_r",
        "task",
        "lareqa",
        languages("ar de el en es hi ru th tr vi zh"),
        "1,190 queries, 852 to 1,276 candidates a language",
        "CC BY-SA 4.0",
        "LAReQA (arXiv 2004.05484)",
        Source(LAREQA + "xquad-r", files=("{code}.json",)),
    ),
    KnownSet(
        "mlqa_r",
        "task",
        "lareqa",
        languages("ar de en es hi vi zh"),
        "500 to 1,148 queries, 1,787 to 6,264 candidates a language",
        "CC BY-SA 3.0",
        "LAReQA (arXiv 2004.05484)",
        Source(LAREQA + "mlqa-r", files=("{code}.json",)),
    ),
    KnownSet(
        "tydiqa_r",
        "task",
        "tydiqa",
        languages("ar bn en fi id ko ru sw te"),
        "5,077 queries (dev)",
        "Apache-2.0",
        "TyDi QA, gold passage task (arXiv 2003.05002)",
        Source("google-research-datasets/tydiqa", rows=(("secondary_task", "train"), ("secondary_task", "validation"))),
    ),
    KnownSet(
        "tydiqa_primary",
        "task",
        "tydiqa_primary",
        languages("ar bn en fi id ja ko ru sw te th"),
        "18,670 questions with their articles (dev)",
        "Apache-2.0",
        "TyDi QA, passage selection task (arXiv 2003.05002)",
        Source("google-research-datasets/tydiqa", rows=(("primary_task", "validation"),)),
    ),
    KnownSet(
        "xor_tydi",
        "task",
        "xor_tydi",
        languages("ar bn en fi ja ko ru te"),
        "questions in 7 languages, passages in English",
        "CC BY-SA 4.0",
        "XOR-TyDi QA (arXiv 2010.11856)",
        Source("coastalcph/tydi_xor_rc", rows=(("default", "train"), ("default", "validation"))),
    ),
    KnownSet(
        "miracl",
        "task",
        "miracl",
        languages("ar bn de en es fa fi fr hi id ja ko ru sw te th yo zh"),
        "pools of 49 thousand (yo) to 32.9 million passages (en)",
        "Apache-2.0",
        "MIRACL (arXiv 2210.09984), as laid out by MTEB",
        Source(
            "mteb/MIRACLRetrieval",
            rows=(("{code}-corpus", "dev"), ("{code}-queries", "dev"), ("{code}-qrels", "dev")),
        ),
    ),
    KnownSet(
        "squad",
        "training",
        "squad",
        ("en",),
        "87,599 pairs",
        "CC BY-SA 4.0",
        "SQuAD 1.1 (arXiv 1606.05250)",
        Source("rajpurkar/squad", rows=(("plain_text", "train"),)),
    ),
    KnownSet(
        "mlqa_translate_train",
        "training",
        "squad",
        languages("ar de es hi vi zh"),
        "about 80 thousand pairs a language",
        "CC BY-SA 3.0",
        "SQuAD by machine translation, MLQA (arXiv 1910.07475)",
        Source("facebook/mlqa", rows=(("mlqa-translate-train.{code}", "train"),), revision=CONVERTED),
    ),
    KnownSet(
        "mmarco",
        "training",
        "mmarco",
        languages("ar de en es fr hi id it ja nl pt ru vi zh"),
        "39.8 million triples a language",
        "Apache-2.0",
        "mMARCO, MS MARCO by machine translation (arXiv 2108.13897)",
        Source(
            "unicamp-dl/mmarco",
            files=(
                "data/triples.train.ids.small.tsv",
                "data/google/queries/train/{name}_queries.train.tsv",
                "data/google/collections/{name}_collection.tsv",
            ),
        ),
    ),
    KnownSet(
        "mr_tydi",
        "training",
        "mr_tydi",
        languages("ar bn en fi id ja ko ru sw te th"),
        "48,729 queries, each in one language",
        "Apache-2.0",
        "Mr. TyDi (arXiv 2108.08787)",
        Source("castorini/mr-tydi", files=("mrtydi-v1.1-{name}/train.jsonl.gz",)),
    ),
    KnownSet(
        "entity_questions",
        "training",
        "dpr",
        ("en",),
        "176,560 questions",
        "MIT",
        "EntityQuestions (arXiv 2109.08535), in the shape of DPR's training files",
    ),
)


def known_set(name: str, kind: Kind | None = None) -> KnownSet | None:
    """The set of that name; where a task and a training set share it and no kind is named, the task."""
    found = [known for known in KNOWN_SETS if known.name == name and kind in (None, known.kind)]
    return found[-1] if found else None


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
        refuse_near_miss(name, of_kind)
        return "lareqa"
    for ending, loader in ENDINGS.items():
        if path.endswith(ending):
            return loader
    raise InputError(
        f"{name!r} is no known training set, and the ending of {path} tells no loader; "
        f"{allowed(name, of_kind)}, a path ending in {', '.join(ENDINGS)}, or a 'loader' key"
    )


def refuse_near_miss(name: str, known: Iterable[str]) -> None:
    """Results under a misspelt name would never meet those under the right one."""
    near = get_close_matches(name, known, n=1, cutoff=0.85)
    if near:
        raise InputError(f"{name!r} is no known task; did you mean {near[0]!r}? A name of its own needs a 'loader' key")


def check_options(spec: TaskSpec | PairSetSpec, loader: Loader, key: str) -> None:
    """No option is set that this set's loader does not have, and a known task is read by its own loader.

    Raises
    ------
    InputError
        One is; names its key.
    """
    name = key.rpartition(".")[2]
    known = known_set(name, "task") if isinstance(spec, TaskSpec) else None
    if known is not None and known.loader != loader:
        # what it would measure is something else than what readers know by that name
        raise InputError(f"{key}.loader is {loader!r}; {name} is read by {known.loader}: give the task another name")
    by_loader: dict[Any, tuple[str, ...]] = dict(TASK_OPTIONS if isinstance(spec, TaskSpec) else TRAINING_OPTIONS)
    options = {option for has in by_loader.values() for option in has}
    for entry in fields(spec):
        value = getattr(spec, entry.name)
        if entry.name in options - set(by_loader[loader]) and value != entry.default and value != ():
            able = ", ".join(sorted(other for other, has in by_loader.items() if entry.name in has))
            raise InputError(f"{key}.{entry.name} is {value!r}; the loader {loader} has no such option, only: {able}")
    if loader == "demo" and spec.path is not None:
        raise InputError(f"{key}.path is {spec.path!r}; the demo set is built in and has none")


def expanded(parts: Sequence[str], languages_by_name: dict[str, str]) -> Iterator[str]:
    """Parts of a source with `{code}` and `{name}` filled in for each language."""
    for part in parts:
        if "{" in part:
            yield from (part.format(code=code, name=name) for code, name in languages_by_name.items())
        else:
            yield part


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
