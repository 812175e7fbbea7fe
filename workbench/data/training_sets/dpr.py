"""Training files in the shape of DPR (arXiv 2004.04906), as its own sets, EntityQuestions and others come in.

Each row has `question`, `positive_ctxs`, `hard_negative_ctxs` and `negative_ctxs`, the last three lists of passages
with `title` and `text`; other keys do not count. A file is one JSON list, or has a row a line.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from workbench.data.pairs import ParallelPairs, capped
from workbench.data.reading.json_lists import json_elements
from workbench.data.reading.json_values import text
from workbench.data.reading.languages import check_language
from workbench.data.reading.rows import ENDINGS, Placed, data_files, rows_of
from workbench.data.training_sets.gathering import PairRows, first_passage
from workbench.errors import InputError

LISTS = (".json", ".json.gz")


def load_dpr(
    name: str,
    path: Path,
    languages: Sequence[str] | None = None,
    pairs: int | None = None,
    pairs_per_language: int | None = None,
) -> ParallelPairs:
    """Pairs of a question and its first positive passage, the title before it, all in one language.

    The hard negative is the first of `hard_negative_ctxs`, else of `negative_ctxs`. A row without a positive passage
    is left out, as DPR's own training does. The pair_id is the row's number in its file; in a folder, the file's name
    stands before it.

    Parameters
    ----------
    path
        A file, `.json`, `.jsonl` or `.parquet`, or a folder of such; lists may be gzipped and of any size.
    languages
        The one that the set is in; none = English.
    pairs, pairs_per_language
        At most so many: the first in the order of a hash of their pair_id; the lower of the two counts.

    Raises
    ------
    InputError
        Several languages are asked for; a file is unreadable or truncated, or lacks a key. The message names the row.
    """
    if languages is not None and len(languages) != 1:
        raise InputError(f"{path}: languages are {', '.join(languages) or 'none'}; allowed: the one that the set is in")
    language = check_language("en" if languages is None else languages[0], f"{path}: languages")
    rows, count, bare = PairRows(), 0, 0
    for pair_id, where, row in dpr_rows(path):
        count += 1
        question = text(row, "question", where)
        passage = first_passage(row, "positive_ctxs", where)
        if passage is None:
            bare += 1
            continue
        negatives = (first_passage(row, key, where) for key in ("hard_negative_ctxs", "negative_ctxs") if row.get(key))
        rows.add(pair_id, language, question, passage, next(filter(None, negatives), None), where)
    notes = [f"{bare} of {count} questions have no positive passage and are left out"] if bare else []
    return capped(rows.as_pairs(name, path, notes), pairs, pairs_per_language)


def dpr_rows(path: Path) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Pair_id, place and row."""
    for file in data_files(path, (*LISTS, *ENDINGS)):
        before = f"{file.relative_to(path).as_posix()}:" if path.is_dir() else ""
        found: Iterator[Placed] = json_elements(file) if file.name.endswith(LISTS) else rows_of(file)
        for number, (where, row) in enumerate(found, start=1):
            yield f"{before}{number}", where, row
