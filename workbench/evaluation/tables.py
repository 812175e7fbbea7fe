"""The result files of an evaluation: one parquet file a table, tasks one after the other in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask
from workbench.evaluation.measures import MEASURES, Measurements
from workbench.evaluation.results import Rankings, RetrievedLanguages, TopPassages
from workbench.files import write_whole
from workbench.records import ALL_POOLS, SETTINGS

Tables = dict[str, pa.Table]


def result_tables(name: str, task: RetrievalTask, rankings: Rankings, measurements: Measurements) -> Tables:
    """Tables of one task by the names of their files; the top passages only where the rankings have them.

    `name` is the task's name in the run: the column `task`. Strings are dictionary-encoded; a rank beyond the depth
    searched is null.
    """
    words = Words.of(task)
    tables = {
        "queries": queries(task),
        "relevant_ranks": relevant_ranks(rankings, words),
        "measurements": measured(measurements, words),
    }
    if rankings.top is not None:
        tables["top_passages"] = top_passages(rankings.top, words)
    if rankings.retrieved is not None:
        tables["retrieved_languages"] = retrieved_languages(rankings.retrieved, words)
    return {file: with_task(name, table) for file, table in tables.items()}


def concatenated(parts: Sequence[Mapping[str, pa.Table]]) -> Tables:
    """The tables of several tasks as one of each name."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {n: pa.concat_tables([p[n] for p in parts if n in p]).unify_dictionaries() for n in names}


def write_tables(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write each table to `<folder>/<name>.parquet`, whole or not at all.

    Raises
    ------
    WorkError
        The disk is full or not writable.
    """
    for name, table in tables.items():
        write_whole(folder / f"{name}.parquet", partial(pq.write_table, table, compression="zstd"))


@dataclass(frozen=True)
class Words:
    """The strings that the codes of a task's columns stand for."""

    languages: pa.StringArray
    pools: pa.StringArray
    queries: pa.StringArray
    candidates: Sequence[str]
    """Perhaps millions and on disk: only those that occur become strings of a table."""

    @classmethod
    def of(cls, task: RetrievalTask) -> Words:
        pools = strings([*task.languages, ALL_POOLS])
        return cls(strings(task.languages), pools, strings(task.query_ids), task.candidate_ids)


SETTING_WORDS, MEASURE_WORDS = (pa.array(words, pa.string()) for words in (SETTINGS, MEASURES))


def strings(words: Sequence[str]) -> pa.StringArray:
    return pa.array(words, pa.string())


def coded(codes: NDArray[np.integer], words: pa.StringArray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), words)


def coded_few(codes: NDArray[np.integer], words: Sequence[str]) -> pa.DictionaryArray:
    """Likewise, of the words only those that occur."""
    occurring, places = np.unique(codes, return_inverse=True)
    return coded(places, strings([words[code] for code in occurring.tolist()]))


def with_task(name: str, table: pa.Table) -> pa.Table:
    task = coded(np.zeros(len(table), np.int32), strings([name]))
    return table.add_column(0, "task", task)


def cell_columns(rows: Rankings | TopPassages | Measurements, words: Words) -> dict[str, pa.Array]:
    return {
        "setting": coded(rows.setting, SETTING_WORDS),
        "query_language": coded(rows.query_language, words.languages),
        "pool_language": coded(rows.pool_language, words.pools),
    }


def queries(task: RetrievalTask) -> pa.Table:
    columns = {"query_id": task.query_ids, "paragraph": task.paragraphs, "article": task.articles}
    return pa.table({name: strings(column).dictionary_encode() for name, column in columns.items()})


def relevant_ranks(rankings: Rankings, words: Words) -> pa.Table:
    return pa.table(
        {
            **cell_columns(rankings, words),
            "query_id": coded(rankings.query, words.queries),
            "passage_id": coded_few(rankings.candidate, words.candidates),
            "passage_language": coded(rankings.passage_language, words.languages),
            "relevance": pa.array(rankings.relevance, pa.int16()),
            "rank": pa.array(rankings.rank, pa.int32(), mask=rankings.rank == 0),
        }
    )


def retrieved_languages(retrieved: RetrievedLanguages, words: Words) -> pa.Table:
    return pa.table(
        {
            "query_language": coded(retrieved.query_language, words.languages),
            "query_id": coded(retrieved.query, words.queries),
            "depth": pa.array(retrieved.depth, pa.int16()),
            "passage_language": coded(retrieved.passage_language, words.languages),
            "passages": pa.array(retrieved.passages, pa.int16()),
        }
    )


def top_passages(top: TopPassages, words: Words) -> pa.Table:
    return pa.table(
        {
            **cell_columns(top, words),
            "query_id": coded(top.query, words.queries),
            "position": pa.array(top.position, pa.int16()),
            "passage_id": coded_few(top.candidate, words.candidates),
        }
    )


def measured(measurements: Measurements, words: Words) -> pa.Table:
    return pa.table(
        {
            **cell_columns(measurements, words),
            "measure": coded(measurements.measure, MEASURE_WORDS),
            "value": pa.array(measurements.value, pa.float64()),
            "queries": pa.array(measurements.queries, pa.int32()),
        }
    )
