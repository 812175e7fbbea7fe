"""Benchmarks of passages, queries and judgements as files: BEIR's folders, and the same sets as dataset hubs keep them.

A folder holds one benchmark, or several: each in a subfolder of its own, or under a prefix.

    corpus.jsonl  queries.jsonl  qrels/test.tsv             BEIR: JSON lines, .gz or parquet; the judgements as TSV
    corpus/  queries/  qrels/ (or default/)                 a hub's configs: parquet files `<split>-*.parquet`
    ar-corpus/  ar-queries/  ar-qrels/  bn-corpus/ ...      a hub's configs of several benchmarks
    ar/  bn/ ...                                            a subfolder for each, laid out like the first or the second

A passage has `_id` (or `id`, `docid`), `title` (optional) and `text`; a query has `_id` and `text`; both may have
`language` (or `lang`). A judgement has `query-id`, `corpus-id` and `score`: the grade, or below 1 for a passage that
was judged and is not relevant.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workbench.data.reading.json_values import member, optional, text
from workbench.data.reading.rows import Row, rows_of, split_files, table_lines
from workbench.errors import InputError, allowed

HEADER = ["query-id", "corpus-id", "score"]
ID_KEYS = ("_id", "id", "docid")
LANGUAGE_KEYS = ("language", "lang")
TEXT_ENDINGS = (".jsonl", ".jsonl.gz", ".parquet")
QRELS_ENDINGS = (".tsv", ".tsv.gz", *TEXT_ENDINGS)
MOST = int(np.iinfo(np.int16).max)
"""The highest grade."""


@dataclass(frozen=True)
class Benchmark:
    """Where the parts of one benchmark are."""

    name: str
    """Its subfolder or prefix; empty where the folder holds no other."""
    corpus: tuple[Path, ...]
    queries: tuple[Path, ...]
    qrels: tuple[Path, ...]
    """Those of the split."""
    judged: tuple[Path, ...]
    """Those of all splits."""
    trec: bool = False
    """Queries are lines of `id`, text; judgements lines of query, `Q0`, passage, grade: with tabs and no header."""


class Text(NamedTuple):
    """A passage or a query, as it stands in a file."""

    where: str
    """File and line, for messages."""
    id: str
    text: str
    language: str | None
    """None = the row does not say."""


class Judgement(NamedTuple):
    where: str
    query_id: str
    passage_id: str
    grade: int
    """Below 1 = not relevant."""


# where the files are


def benchmark_names(path: Path) -> list[str]:
    """The benchmarks that a folder holds; only `""` where it is one itself.

    Raises
    ------
    InputError
        There is no such folder, or no benchmark in it.
    """
    if not path.is_dir():
        raise InputError(f"{path}: {'is no folder' if path.exists() else 'there is no such folder'}")
    if is_benchmark(path):
        return [""]
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    prefixes = [folder.name.removesuffix("-corpus") for folder in folders if folder.name.endswith("-corpus")]
    names = sorted({*prefixes, *(folder.name for folder in folders if is_benchmark(folder))})
    if not names:
        raise InputError(
            f"{path}: holds no corpus.jsonl, no corpus folder and no folder with one; allowed: corpus.jsonl, "
            "queries.jsonl and qrels/<split>.tsv, or a subfolder with these for each language or pair of languages"
        )
    return names


def is_benchmark(folder: Path) -> bool:
    return (folder / "corpus").is_dir() or any((folder / f"corpus{ending}").is_file() for ending in TEXT_ENDINGS)


def find_benchmark(path: Path, name: str, split: str) -> Benchmark:
    """The files of one of `benchmark_names(path)`.

    Raises
    ------
    InputError
        A part is missing, or there are no judgements of the split; names the splits that there are.
    """
    prefixed = bool(name) and (path / f"{name}-corpus").is_dir()
    folder, prefix = (path, f"{name}-") if prefixed else (path / name, "")
    configs = [f"{prefix}qrels", *([] if prefixed else ["default"])]
    judged = [file for config in configs for file in files_in(folder / config, QRELS_ENDINGS)]
    qrels = qrels_files(folder, configs, split, judged)
    corpus, queries = (text_files(folder, f"{prefix}{part}", part, split) for part in ("corpus", "queries"))
    return Benchmark(name, corpus, queries, qrels, tuple(judged))


def text_files(folder: Path, config: str, part: str, split: str) -> tuple[Path, ...]:
    """The files of a corpus or of queries; a hub's folder may name its split after the part, or have only one."""
    for ending in TEXT_ENDINGS:
        if (folder / f"{config}{ending}").is_file():
            return (folder / f"{config}{ending}",)
    for name in (split, part):
        if found := split_files(folder, config, name):
            return tuple(found)
    inside = files_in(folder / config, TEXT_ENDINGS)
    splits = splits_of(file for file in inside if file.suffix == ".parquet")
    if len(splits) > 1:
        raise InputError(f"{folder / config}: has no split {split!r}; {allowed(split, splits)}")
    if not inside:
        raise InputError(f"{folder}: holds no {config}.jsonl and no folder {config} with files in it")
    return tuple(inside)


def qrels_files(folder: Path, configs: Sequence[str], split: str, judged: Sequence[Path]) -> tuple[Path, ...]:
    """The files with a split's judgements, which are in one of the configs; `judged` are those of all splits."""
    for config in configs:
        for ending in QRELS_ENDINGS:
            if (folder / config / f"{split}{ending}").is_file():
                return (folder / config / f"{split}{ending}",)
        if found := split_files(folder / config, ".", split):
            return tuple(found)
    if not judged:
        raise InputError(f"{folder}: holds no judgements; allowed: {configs[0]}/<split>.tsv or <split>-*.parquet")
    raise InputError(f"{folder}: has no judgements of the split {split!r}; {allowed(split, splits_of(judged))}")


def files_in(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """The files of a folder with one of these endings, by name; none hidden."""
    return sorted(file for file in folder.glob("[!.]*") if file.name.endswith(endings) and file.is_file())


def splits_of(files: Iterable[Path]) -> list[str]:
    """`dev` from `dev.tsv` and from `dev-00000-of-00002.parquet`."""
    return sorted({file.name.split(".")[0].partition("-0")[0] for file in files})


# what is in them


def passages(benchmark: Benchmark) -> Iterator[Text]:
    """Passages in the order of the files; the text is title, blank, text, or the text alone where there is no title.

    A passage may be empty, as some in published benchmarks are.

    Raises
    ------
    InputError
        A file is damaged, a key is missing or of another type. The same in the functions below.
    """
    for where, row in rows(benchmark.corpus):
        title = optional(row, "title", str, where)
        body = optional(row, "text", str, where) if title else member(row, "text", str, where)
        yield Text(where, identifier(row, where), f"{title or ''} {body or ''}".strip(), language_of(row))


def questions(benchmark: Benchmark) -> Iterator[Text]:
    """Queries in the order of the files."""
    if benchmark.trec:
        for file in benchmark.queries:
            for where, fields in table_lines(file, 2):
                row = dict(zip(("id", "text"), fields, strict=True))
                yield Text(where, text(row, "id", where), text(row, "text", where), None)
        return
    for where, row in rows(benchmark.queries):
        yield Text(where, identifier(row, where), text(row, "text", where), language_of(row))


def judgements(benchmark: Benchmark) -> Iterator[Judgement]:
    """Judgements in the order of the files."""
    for file in benchmark.qrels:
        if benchmark.trec:
            yield from trec_judgements(file)
        else:
            yield from tsv_judgements(file) if file.name.endswith((".tsv", ".tsv.gz")) else row_judgements(file)


def grades(benchmark: Benchmark, queries: Container[str], passages: Container[str]) -> dict[str, dict[str, int]]:
    """Query id -> passage id -> grade, below 1 for what was judged not to be relevant.

    Raises
    ------
    InputError
        A query or a passage is not among these, or one pair has two grades.
    """
    found: dict[str, dict[str, int]] = {}
    for where, query_id, passage_id, grade in judgements(benchmark):
        if query_id not in queries:
            raise InputError(f"{where}: names the query {query_id!r}, which the queries do not have")
        if passage_id not in passages:
            raise InputError(f"{where}: names the passage {passage_id!r}, which the corpus does not have")
        before = found.setdefault(query_id, {}).setdefault(passage_id, grade)
        if before != grade:
            raise InputError(f"{where}: grades {query_id!r} and {passage_id!r} {grade}; an earlier line says {before}")
    return found


def rows(files: Iterable[Path]) -> Iterator[tuple[str, Row]]:
    for file in files:
        yield from rows_of(file)


def trec_judgements(file: Path) -> Iterator[Judgement]:
    for where, (query_id, _, passage_id, grade) in table_lines(file, 4):
        yield Judgement(where, query_id, passage_id, grade_of(grade, where))


def tsv_judgements(file: Path) -> Iterator[Judgement]:
    lines = table_lines(file, len(HEADER))
    where, header = next(lines, (str(file), []))
    if header != HEADER:
        raise InputError(f"{where}: is {header!r:.80}; the first line must be {', '.join(HEADER)}, with tabs between")
    for where, (query_id, passage_id, score) in lines:
        yield Judgement(where, query_id, passage_id, grade_of(score, where))


def row_judgements(file: Path) -> Iterator[Judgement]:
    for where, row in rows_of(file):
        query_id, passage_id = (identifier(row, where, (key,)) for key in HEADER[:2])
        yield Judgement(where, query_id, passage_id, grade_of(row.get("score"), where))


def identifier(row: Row, where: str, keys: tuple[str, ...] = ID_KEYS) -> str:
    """The id; a whole number is one too."""
    key = next((key for key in keys if key in row), keys[0])
    value: Any = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(row, key, where)


def language_of(row: Row) -> str | None:
    """What the row says its language is, unchecked."""
    return next((row[key] for key in LANGUAGE_KEYS if row.get(key) is not None), None)


def grade_of(score: object, where: str) -> int:
    """A whole number; hubs write it as `1`, `1.0` or `"1"`."""
    try:
        if isinstance(score, (int, float, str)) and not isinstance(score, bool):
            value = float(score)
            if value.is_integer() and value <= MOST:
                return int(value)
    except (ValueError, OverflowError):
        pass
    raise InputError(f"{where}: score is {score!r:.60}; allowed: whole numbers up to {MOST}")
