"""The texts of evaluated tasks, kept in the cache for views to show: `<cache>/texts/<task_id>.parquet`.

No text enters the store. A task_id stands for files and options alike, so that a task whose passages are sentences and
one whose passages are paragraphs of the same files are two.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import InputError
from workbench.files import write_whole
from workbench.paths import cache_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.data.task import RetrievalTask

MOST = 1_000_000
"""Texts of a task that is kept; a larger one would fill the cache."""
BATCH = 65_536
"""Texts that are looked through at a time."""


@dataclass(frozen=True)
class TaskTexts:
    """Some texts of a task."""

    queries: Mapping[tuple[str, str], str]
    """By query id and language."""
    passages: Mapping[str, str]
    """By passage id."""


def texts_file(task_id: str) -> Path:
    """Where the texts of a task are kept.

    Raises
    ------
    InputError
        That is no id of a task.
    """
    if not re.fullmatch(r"[\w-]+", task_id):
        raise InputError(f"{task_id!r} is no id of a task; allowed: letters, digits, _ and -")
    return cache_folder() / "texts" / f"{task_id}.parquet"


def keep_texts(task_id: str, task: RetrievalTask) -> None:
    """Write the texts of a task into the cache, unless they are there or more than `MOST`.

    Raises
    ------
    WorkError
        The disk is full or not writable.
    """
    path = texts_file(task_id)
    if path.exists() or int((task.queries >= 0).sum()) + len(task.candidate_ids) > MOST:
        return
    import pyarrow.parquet as pq

    table = text_table(task)
    write_whole(path, lambda beside: pq.write_table(table, beside, compression="zstd"))


def text_table(task: RetrievalTask) -> pa.Table:
    """Columns kind (query, passage), id, language, text: one row for each query in a language and each candidate."""
    import pyarrow as pa

    query, column = np.nonzero(task.queries >= 0)
    rows = [
        ("query", task.query_ids[q], task.languages[c], task.query_texts[task.queries[q, c]])
        for q, c in zip(query.tolist(), column.tolist(), strict=True)
    ]
    places = zip(task.candidate_languages.tolist(), task.candidates.tolist(), strict=True)
    rows += [
        ("passage", passage_id, task.languages[language], task.passage_texts[text])
        for passage_id, (language, text) in zip(task.candidate_ids, places, strict=True)
    ]
    kinds, ids, languages, texts = zip(*rows, strict=True)
    return pa.table(
        {
            "kind": pa.array(kinds).dictionary_encode(),
            "id": pa.array(ids),
            "language": pa.array(languages).dictionary_encode(),
            "text": pa.array(texts),
        }
    )


def read_texts(task_id: str, queries: Collection[tuple[str, str]], passages: Collection[str]) -> TaskTexts | None:
    """The texts of some queries (id and language) and passages of a task; None where the cache has none of it.

    Raises
    ------
    InputError
        The file in the cache is damaged.
    """
    path = texts_file(task_id)
    if not path.is_file():
        return None
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    wanted = pa.array(sorted({query_id for query_id, _ in queries} | set(passages)), pa.string())
    asked, shown = set(queries), set(passages)
    texts_of_queries: dict[tuple[str, str], str] = {}
    texts_of_passages: dict[str, str] = {}
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH, columns=["kind", "id", "language", "text"]):
                for row in batch.filter(pc.is_in(batch["id"], value_set=wanted)).to_pylist():
                    if row["kind"] == "passage" and row["id"] in shown:
                        texts_of_passages[row["id"]] = row["text"]
                    elif row["kind"] == "query" and (row["id"], row["language"]) in asked:
                        texts_of_queries[row["id"], row["language"]] = row["text"]
    except (pa.ArrowInvalid, pa.ArrowKeyError, KeyError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path}: damaged: {reason}; remove it, and the next run of the task writes it anew"
        ) from error
    return TaskTexts(texts_of_queries, texts_of_passages)
