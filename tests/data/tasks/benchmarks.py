"""Small benchmarks of passages, queries and judgements, written in the published shapes."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.data.task import RetrievalTask

Row = dict[str, Any]
Judged = tuple[str, str, int]
"""Query id, passage id, grade."""


def write_json_lines(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)


def write_lines(file: Path, lines: Iterable[Sequence[object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")


def write_parquet(file: Path, rows: Sequence[Row]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), file)


def write_beir(
    folder: Path, corpus: Sequence[Row], queries: Sequence[Row], qrels: Sequence[Judged], split: str = "test"
) -> Path:
    """A BEIR folder; `_id` is the key of the ids."""
    write_json_lines(folder / "corpus.jsonl", corpus)
    write_json_lines(folder / "queries.jsonl", queries)
    write_lines(folder / "qrels" / f"{split}.tsv", [("query-id", "corpus-id", "score"), *qrels])
    return folder


def passage(passage_id: str, text: str, title: str = "", **more: str) -> Row:
    return {"_id": passage_id, "title": title, "text": text, **more}


def query(query_id: str, text: str, **more: str) -> Row:
    return {"_id": query_id, "text": text, **more}


def relevants(task: RetrievalTask) -> dict[str, dict[str, int]]:
    """Query id -> candidate id -> grade."""
    found: dict[str, dict[str, int]] = {query_id: {} for query_id in task.query_ids}
    rows = zip(task.relevant_queries, task.relevant_candidates, task.relevances.tolist(), strict=True)
    for row, candidate, grade in rows:
        found[task.query_ids[row]][task.candidate_ids[candidate]] = grade
    return found


def asked(task: RetrievalTask) -> dict[str, dict[str, str]]:
    """Query id -> language -> text."""
    return {
        query_id: {
            language: task.query_texts[index]
            for language, index in zip(task.languages, task.queries[row], strict=True)
            if index >= 0
        }
        for row, query_id in enumerate(task.query_ids)
    }


def pool(task: RetrievalTask) -> dict[str, tuple[str, str]]:
    """Candidate id -> language and text."""
    rows = zip(task.candidate_ids, task.candidate_languages, task.candidates, strict=True)
    return {i: (task.languages[language], task.passage_texts[text]) for i, language, text in rows}


def assert_sound(task: RetrievalTask) -> None:
    """What every task promises of its order, its types and its sizes."""
    assert list(task.languages) == sorted(set(task.languages))
    assert list(task.query_ids) == sorted(set(task.query_ids))
    assert list(task.candidate_ids) == sorted(set(task.candidate_ids))
    pairs = list(zip(task.relevant_queries.tolist(), task.relevant_candidates.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert {row for row, _ in pairs} == set(range(len(task.query_ids)))
    assert len(set(task.query_texts)) == len(task.query_texts)
    assert len(set(task.passage_texts)) == len(task.passage_texts)
    assert task.relevances.min() >= 1
    assert (task.queries >= 0).any(axis=1).all()
    assert len(task.paragraphs) == len(task.articles) == len(task.query_ids) == len(task.queries)
    assert len(task.candidates) == len(task.candidate_languages) == len(task.candidate_ids)
    kinds = {"queries": "i4", "candidates": "i4", "candidate_languages": "i2", "relevances": "i2"}
    assert {name: getattr(task, name).dtype.str[1:] for name in kinds} == kinds
