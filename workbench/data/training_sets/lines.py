"""The user's own pairs in tab-separated files, one a language, parallel by line.

A folder holds `ar.tsv`, `en.tsv` and so on (`.tsv.gz` too). Line n is pair n in every language: the query, the passage
and, where there is one, the hard negative passage, with tabs between. There are no quotes and no head line. Where a
line lacks query or passage, or either is blank, the pair does not exist in that language.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs, first_cells
from workbench.data.reading.languages import check_language, languages_asked_for
from workbench.data.reading.rows import text_lines
from workbench.data.training_sets.gathering import PairRows
from workbench.errors import InputError

ENDINGS = (".tsv", ".tsv.gz")


def load_line_pairs(
    name: str,
    path: Path,
    languages: Sequence[str] | None = None,
    pairs: int | None = None,
    pairs_per_language: int | None = None,
) -> ParallelPairs:
    """Read the folder; the pair_id is the number of the line, from 1.

    The files are read twice: which pairs there are, and then the texts of those that are taken. No other texts are
    ever in memory.

    Parameters
    ----------
    languages
        Those to take; none = all.
    pairs, pairs_per_language
        At most so many of the pairs that exist in one of `languages`, and of these in each language: the first in the
        order of a hash of their pair_id.

    Raises
    ------
    InputError
        The folder holds no such file, a name is no language code, the files have unequal numbers of lines, a line has
        more than three fields, a file holds no pair, is unreadable or not UTF-8. The message names file and line.
    """
    files = language_files(path)
    wanted = languages_asked_for(files, languages, path)
    has = existing({language: files[language] for language in wanted})
    for column in np.flatnonzero(~has.any(axis=0)).tolist():
        raise InputError(f"{files[wanted[column]]}: holds no pairs: no line has a query and a passage")
    ids = (str(number) for number in range(1, len(has) + 1))
    kept = first_cells(ids, has, pairs, pairs_per_language)
    rows = PairRows()
    for column, language in enumerate(wanted):
        for number, (query, passage, negative) in line_pairs(files[language]):
            if kept[number - 1, column]:
                where = f"{files[language]}: line {number}"
                rows.add(str(number), language, query, passage, negative or None, where)
    return rows.as_pairs(name, path)


def language_files(path: Path) -> dict[str, Path]:
    if not path.is_dir():
        raise InputError(f"{path}: {'is a file' if path.exists() else 'there is no such folder'}; allowed: a folder")
    files = {file: ending for ending in ENDINGS for file in sorted(path.glob(f"*{ending}"))}
    found: dict[str, Path] = {}
    for file, ending in files.items():
        language = check_language(file.name.removesuffix(ending), f"{file}: the name")
        if language in found:
            raise InputError(f"{path}: holds {found[language].name} and {file.name}; allowed: one of them")
        found[language] = file
    if not found:
        raise InputError(f"{path}: holds no file such as en.tsv")
    return found


def existing(files: Mapping[str, Path]) -> NDArray[np.bool_]:
    """[lines, languages] whether the pair exists in the language."""
    columns = {
        language: np.fromiter((bool(query and passage) for _, (query, passage, _) in line_pairs(file)), np.bool_)
        for language, file in files.items()
    }
    lengths = {language: len(column) for language, column in columns.items()}
    if len(set(lengths.values())) > 1:
        counted = ", ".join(f"{files[language].name} {length}" for language, length in lengths.items())
        raise InputError(
            f"{next(iter(files.values())).parent}: unequal numbers of lines: {counted}; allowed: the same in all, "
            "an empty line for a pair that does not exist in the language"
        )
    return np.stack(list(columns.values()), axis=1)


def line_pairs(file: Path) -> Iterator[tuple[int, tuple[str, str, str]]]:
    """Number, from 1, and query, passage and hard negative of each line; what is blank is empty."""
    for number, line in text_lines(file):
        fields = [field if field.strip() else "" for field in line.split("\t")]
        if len(fields) > 3:
            raise InputError(
                f"{file}: line {number}: has {len(fields)} fields; allowed: query, passage and hard negative"
            )
        query, passage, negative = (*fields, "", "")[:3]
        yield number, (query, passage, negative)
