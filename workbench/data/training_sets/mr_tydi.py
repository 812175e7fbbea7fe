"""Mr. TyDi's training queries (arXiv 2108.08787): eleven languages, each query in one.

As released, a language is a folder with a file of rows, `mrtydi-v1.1-swahili/train.jsonl.gz`; on dataset hubs it is a
table, `swahili/train-*.parquet`. The rows are the same: `query_id`, `query`, and `positive_passages` and
`negative_passages`, lists of passages with `docid`, `title` and `text`.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from workbench.data.pairs import ParallelPairs, capped
from workbench.data.reading.json_values import text
from workbench.data.reading.languages import codes_by_name, languages_asked_for
from workbench.data.reading.rows import rows_of
from workbench.data.training_sets.gathering import PairRows, first_passage
from workbench.errors import InputError

FOLDER = re.compile(r"(?:mrtydi-v[\d.]+-)?([a-z]+)")
FILES = ("train.jsonl.gz", "train.jsonl", "train.parquet", "train-*.parquet")


def load_mr_tydi(
    name: str,
    path: Path,
    languages: Sequence[str] | None = None,
    pairs: int | None = None,
    pairs_per_language: int | None = None,
) -> ParallelPairs:
    """Pairs of a query and its first positive passage, the title before it, with the first negative as hard negative.

    The pair_id is `language-query_id`, for query_ids are counted in each language anew.

    Parameters
    ----------
    path
        A folder of folders as above; the folder of one language; or one file in such a folder. The folder of all
        languages together, `combined`, does not count.
    languages
        Those to take; none = all.
    pairs, pairs_per_language
        At most so many pairs, and of these in each language: the first in the order of a hash of their pair_id.

    Raises
    ------
    InputError
        No language is found, or one is empty; a file is unreadable or truncated, lacks a key, or has a query twice. The
        message names file and row.
    """
    files = training_files(path)
    rows, count, bare = PairRows(), 0, 0
    wanted = languages_asked_for(files, languages, path)
    for language in wanted:
        for where, row in (placed for file in files[language] for placed in rows_of(file)):
            count += 1
            pair_id = f"{language}-{text(row, 'query_id', where)}"
            query = text(row, "query", where)
            passage = first_passage(row, "positive_passages", where)
            if passage is None:
                bare += 1
                continue
            rows.add(pair_id, language, query, passage, first_passage(row, "negative_passages", where), where)
    notes = [f"{bare} of {count} queries have no positive passage with a text and are left out"] if bare else []
    return capped(rows.as_pairs(name, path, notes, wanted), pairs, pairs_per_language)


def training_files(path: Path) -> dict[str, list[Path]]:
    """The files of each language, by its code."""
    if path.is_file():
        language = folder_language(path.absolute().parent)
        if language is None:
            raise InputError(f"{path}: its folder's name tells no language; allowed: mrtydi-v1.1-swahili, swahili ...")
        return {language: [path]}
    if not path.is_dir():
        raise InputError(f"{path}: there is no such file or folder")
    found: dict[str, list[Path]] = {}
    for folder in (path, *sorted(part for part in path.iterdir() if part.is_dir())):
        language, files = folder_language(folder.absolute()), in_folder(folder)
        if language in found and files:
            raise InputError(f"{folder}: {language!r} stands in {found[language][0].parent} already; allowed: once")
        if language is not None and files:
            found[language] = files
    if not found:
        raise InputError(
            f"{path}: holds no training file such as mrtydi-v1.1-swahili/{FILES[0]} or swahili/{FILES[-1]}"
        )
    return found


def in_folder(folder: Path) -> list[Path]:
    """The training files, in the first of the forms that the folder has."""
    return next((files for files in (sorted(folder.glob(form)) for form in FILES) if files), [])


def folder_language(folder: Path) -> str | None:
    """The language that a folder's name says; a name that is none, such as `combined`, says nothing."""
    written = FOLDER.fullmatch(folder.name)
    return codes_by_name().get(written[1]) if written else None
