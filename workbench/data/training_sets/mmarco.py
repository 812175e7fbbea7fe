"""mMARCO (arXiv 2108.13897): MS MARCO's training triples in 14 languages, by machine translation.

As it is released, texts and triples stand in files of their own:

- `{language}_collection.tsv`: passage number, passage; 8.8 million lines a language;
- `{language}_queries.train.tsv`: query number, query;
- `triples.train.ids.small.tsv`: the numbers of a query, of a passage that answers it and of one that does not; 39.8
  million lines with some half a million pairs of the first two, each many times.

A language is its English name in small letters. On dataset hubs there is also a table a language, `arabic` and so on,
with a row for each triple, in the triples' order: the columns are query, positive and negative, and row n of each
language is the same triple.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs, Texts, hash_order
from workbench.data.reading.languages import code_of_name, languages_asked_for
from workbench.data.reading.numbered_lines import blocks, numbered_texts
from workbench.data.training_sets.mmarco_rows import from_cells, hub_pairs, hub_tables
from workbench.errors import InputError

TRIPLES = "triples.train.ids.small.tsv"
COLLECTION = "_collection.tsv"
QUERIES = "_queries.train.tsv"


def load_mmarco(
    name: str,
    path: Path,
    languages: Sequence[str] | None = None,
    pairs: int | None = None,
    pairs_per_language: int | None = None,
) -> ParallelPairs:
    """The distinct pairs of a query and a passage that answers it; the hard negative is that of their first triple.

    Only the texts that are needed are kept: of one language after the other, in one pass through its files.

    Parameters
    ----------
    path
        A folder that holds, at any depth, the files of the release, in one translation; or a folder laid out as hubs
        do, `arabic/train-*.parquet`.
    languages
        Those to take; none = all that the folder has.
    pairs, pairs_per_language
        At most so many: the first in the order of a hash of their pair_id. The lower of the two counts, for every pair
        exists in every language; where a translation is blank, its place stays empty. The pair_id is `query-passage`,
        by number, in the files of the release, and the number of the row in tables.

    Raises
    ------
    InputError
        A file is missing, unreadable or truncated, or lacks a text that is named. The message names file and line.
    """
    if not path.is_dir():
        raise InputError(f"{path}: {'is a file' if path.exists() else 'there is no such folder'}; allowed: a folder")
    counts = [count for count in (pairs, pairs_per_language) if count is not None]
    most = min(counts, default=None)
    tables = hub_tables(path)
    if tables:
        return hub_pairs(name, path, tables, languages_asked_for(tables, languages, path), most)
    return released_pairs(name, path, languages, most)


def released_pairs(name: str, path: Path, languages: Sequence[str] | None, most: int | None) -> ParallelPairs:
    """From the files of the release."""
    collections, queries = (files_by_language(path, ending) for ending in (COLLECTION, QUERIES))
    wanted = languages_asked_for({*collections, *queries}, languages, path)
    for files, ending in ((collections, COLLECTION), (queries, QUERIES)):
        for language in wanted:
            if language not in files:
                raise InputError(f"{path}: holds no file *{ending} in {language!r}; it has: {', '.join(sorted(files))}")
    triples = triples_file(path)
    chosen = first_triples(distinct_pairs(triples), most)
    texts = Texts()
    columns: list[NDArray[np.int32]] = []
    for language in wanted:
        asked = text_indexes(queries[language], chosen[:, 0], texts, triples)
        answers = text_indexes(collections[language], chosen[:, 1:].ravel(), texts, triples).reshape(-1, 2)
        columns.append(np.column_stack([asked, answers]))
    cells = np.stack(columns, axis=1)
    ids = (f"{query}-{passage}" for query, passage in chosen[:, :2].tolist())
    return from_cells(name, wanted, ids, texts, cells)


def files_by_language(path: Path, ending: str) -> dict[str, Path]:
    """The files whose names are a language and this ending."""
    found: dict[str, Path] = {}
    for file in files_named(path, f"*{ending}"):
        language = code_of_name(file.name.removesuffix(ending), str(file))
        if language in found:
            raise InputError(
                f"{path}: holds {found[language].relative_to(path)} and {file.relative_to(path)}; allowed: one "
                "translation into a language, so give a folder that holds one"
            )
        found[language] = file
    if not found:
        raise InputError(f"{path}: holds no file *{ending}, such as arabic{ending}, and no table such as arabic/train")
    return found


def files_named(path: Path, form: str) -> list[Path]:
    """The files with such a name, at any depth; none in hidden folders, where a fetch keeps what is not whole."""
    found = path.rglob(form)
    return sorted(file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts))


def triples_file(path: Path) -> Path:
    found = files_named(path, TRIPLES)
    if len(found) != 1:
        raise InputError(
            f"{path}: holds {len(found)} files {TRIPLES}; allowed: one, at any depth (hubs keep it in the folder above "
            "the translations: link or copy it)"
        )
    return found[0]


def distinct_pairs(file: Path) -> NDArray[np.int64]:
    """[pairs, 3] query, passage and first hard negative of each pair that the triples name; the pairs ascend."""
    known = np.empty((0, 3), np.int64)
    for lines in blocks(file, 3):
        triples = np.column_stack([lines.numbers(field) for field in range(3)])
        together = np.concatenate([known, triples])
        _, first = np.unique(pair_keys(together), return_index=True)
        known = together[first]
    if not len(known):
        raise InputError(f"{file}: holds no triples")
    return known


def pair_keys(triples: NDArray[np.int64]) -> NDArray[np.uint64]:
    """[triples] one number for query and passage; it ascends as they do."""
    halves = triples[:, :2].astype(np.uint64)
    return (halves[:, 0] << np.uint64(32)) | halves[:, 1]


def first_triples(triples: NDArray[np.int64], most: int | None) -> NDArray[np.int64]:
    """The first pairs of the hash order, in the order in which they stand."""
    if most is None or most >= len(triples):
        return triples
    ids = (f"{query}-{passage}" for query, passage in zip(triples[:, 0], triples[:, 1], strict=True))
    return triples[np.sort(hash_order(ids)[:most])]


def text_indexes(file: Path, numbers: NDArray[np.int64], texts: Texts, triples: Path) -> NDArray[np.int32]:
    """[numbers] where the text with each number stands in `texts`, which takes in those it lacks; -1 for a blank one.

    Raises
    ------
    InputError
        The file has no such text.
    """
    wanted, places = np.unique(numbers, return_inverse=True)
    found = numbered_texts(file, wanted)
    if None in found:
        raise InputError(f"{file}: has no line with id {wanted[found.index(None)]}, which {triples} names")
    indexes = [-1 if not text or text.isspace() else texts.add([text])[0] for text in found]
    return np.array(indexes, np.int32)[places]
