"""MIRACL (arXiv 2210.09984): questions in 18 languages, each searched for in the Wikipedia of its language.

A folder has, for each language, one of

- the release's files: `miracl-corpus-v1.0-sw/docs-*.jsonl.gz`, `topics.miracl-v1.0-sw-dev.tsv` and
  `qrels.miracl-v1.0-sw-dev.tsv`, anywhere below it;
- a hub's configs `sw-corpus`, `sw-queries`, `sw-qrels`, or a BEIR folder `sw`: see `beir_files`.

What is encoded as the passage is title, blank, text. Passages and questions are named `<language>:<id>`. The unit of
resampling is the first relevant passage; its article is what stands before the `#` of the passage's id.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa

from workbench.data.catalog import file_hash
from workbench.data.reading.languages import check_language, languages_asked_for
from workbench.data.task import RetrievalTask
from workbench.data.tasks.beir import language_of
from workbench.data.tasks.beir_files import (
    Benchmark,
    Text,
    benchmark_names,
    find_benchmark,
    grades,
    judgements,
    passages,
    questions,
)
from workbench.data.tasks.building import JudgedQuestion, Pool, as_task
from workbench.data.tasks.stored_texts import StoredIds, open_ids, open_texts, write_corpus
from workbench.errors import InputError, allowed
from workbench.files import locked, write_folder_whole

CORPUS, TOPICS, QRELS = "miracl-corpus-v1.0-", "topics.miracl-v1.0-", "qrels.miracl-v1.0-"
JUDGED = "_judged"
"""Ending of the name of a task whose pool is of judged passages only."""
FORMAT = b"corpus 1"
"""Changes when a prepared corpus would be written differently."""

PUBLISHED = {
    "ar": 2_061_414,
    "bn": 297_265,
    "de": 15_866_222,
    "en": 32_893_221,
    "es": 10_373_953,
    "fa": 2_207_172,
    "fi": 1_883_509,
    "fr": 14_636_953,
    "hi": 506_264,
    "id": 1_446_315,
    "ja": 6_953_614,
    "ko": 1_486_752,
    "ru": 9_543_918,
    "sw": 131_924,
    "te": 518_079,
    "th": 542_166,
    "yo": 49_043,
    "zh": 4_934_368,
}
"""Passages of each language in MIRACL 1.0 (Table 1)."""


def load_miracl(
    name: str, path: Path, languages: Sequence[str] | None, split: str | None, cache: Path
) -> RetrievalTask:
    """Read a task; its texts and ids stay on disk.

    A query without a relevant passage is left out; `notes` says how many there are, and how large the pools are beside
    MIRACL's. The task's name ends in the size of the pool: `miracl-132k`.

    Parameters
    ----------
    languages
        Those to take; none = all.
    split
        Whose queries and judgements to take; none = dev.
    cache
        Where prepared corpora are kept, in `corpora/`; each is made once.

    Raises
    ------
    InputError
        A part is missing or unreadable, a row lacks a key or is in another language, an id comes twice, a judgement
        names what is not there, or all passages of a language are judged ones, for whichever split, and the name does
        not say so.
    WorkError
        The cache cannot be written, or a prepared corpus is damaged.
    """
    parts = find_parts(path, languages, split or "dev")
    wanted, folders = tuple(parts), [prepared(part, language, cache) for language, part in parts.items()]
    ids = open_ids(wanted, folders)
    texts, candidates = open_texts(folders)
    asked: dict[str, JudgedQuestion] = {}
    unanswered = 0
    for (language, part), size in zip(parts.items(), ids.sizes, strict=True):
        queries, places = questions_of(part, language), judged_places(part, language, ids)
        if len(places) == size and not name.endswith(JUDGED):
            raise InputError(judged_only(path, language, size, name))
        found = answered(part, language, queries, places, ids)
        unanswered += len(queries) - len(found)
        asked |= found
    pool = Pool(ids, np.repeat(np.arange(len(wanted), dtype=np.int16), ids.sizes), candidates, texts)
    notes = notes_of(dict(zip(wanted, ids.sizes, strict=True)), unanswered)
    return as_task(f"{name}-{short(len(ids))}", wanted, pool, asked, notes)


# where the files are


def find_parts(path: Path, languages: Sequence[str] | None, split: str) -> dict[str, Benchmark]:
    """The files of each language to take, by its code."""
    release = released(path)
    corpora = {name.removeprefix(CORPUS): found for name, found in release.items() if found.is_dir()}
    names = sorted(corpora) or benchmark_names(path)
    if names == [""]:
        if languages is None or len(set(languages)) != 1:
            raise InputError(f"{path}: one corpus, and nothing says its language; name it in the task's 'languages'")
        return {check_language(languages[0], f"{path}: languages"): find_benchmark(path, "", split)}
    have = [check_language(name, f"{corpora.get(name, path / name)}: the folder's language") for name in names]
    wanted = languages_asked_for(have, languages, path)
    if corpora:
        return {language: release_files(path, release, language, split) for language in wanted}
    return {language: find_benchmark(path, language, split) for language in wanted}


def released(path: Path) -> dict[str, Path]:
    """The release's corpora, topics and judgements below a folder, by their names; nothing hidden.

    Raises
    ------
    InputError
        A name stands in two folders.
    """
    found: dict[str, Path] = {}
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        corpora = [name for name in folders if name.startswith(CORPUS)]
        for name in (*corpora, *(name for name in sorted(files) if name.startswith((TOPICS, QRELS)))):
            here = Path(folder, name)
            other = found.setdefault(name, here)
            if other != here:
                raise InputError(f"{here}: stands in {other.parent} too; allowed: one of the two")
    return found


def release_files(path: Path, release: Mapping[str, Path], language: str, split: str) -> Benchmark:
    """The files of one language of the release."""
    folder = release[f"{CORPUS}{language}"]
    corpus = sorted(file for file in folder.glob("docs-*") if file.name.endswith((".jsonl", ".jsonl.gz")))
    if not corpus:
        raise InputError(f"{folder}: holds no docs-*.jsonl.gz")
    topics, qrels = (of_splits(release, f"{prefix}{language}-") for prefix in (TOPICS, QRELS))
    for start, files in ((f"{TOPICS}{language}-", topics), (f"{QRELS}{language}-", qrels)):
        if split not in files:
            raise InputError(f"{path}: holds no {start}{split}.tsv; {allowed(split, sorted(files))}")
    return Benchmark(language, tuple(corpus), (topics[split],), (qrels[split],), tuple(qrels.values()), trec=True)


def of_splits(release: Mapping[str, Path], start: str) -> dict[str, Path]:
    """By split, the files whose names start so."""
    named = {name.removeprefix(start): file for name, file in release.items() if name.startswith(start)}
    return {rest.removesuffix(".tsv"): file for rest, file in named.items() if rest.endswith(".tsv")}


# what is in them


def prepared(part: Benchmark, language: str, cache: Path) -> Path:
    """The folder with the prepared copy of a corpus, made if it is not there; a second process waits for the first."""
    content = b"".join((FORMAT, language.encode(), b" ", *(file_hash(file) for file in part.corpus)))
    folder = cache / "corpora" / blake2b(content, digest_size=8).hexdigest()
    with locked(folder.with_name(f".{folder.name}.lock"), wait_s=None):
        if not folder.is_dir():
            for rest in folder.parent.glob(f".{folder.name}.*.part"):  # of a process that was killed
                shutil.rmtree(rest)
            if next(passages(part), None) is None:
                raise InputError(f"{part.corpus[0]}: holds no passage")
            write = partial(write_corpus, read=lambda: in_language(passages(part), language))
            write_folder_whole(folder, write, (pa.ArrowException,))
    return folder


def in_language(texts: Iterator[Text], language: str) -> Iterator[Text]:
    """The texts; one whose row says that it is in another language is refused."""
    for text in texts:
        language_of(text, language)
        yield text


def questions_of(part: Benchmark, language: str) -> dict[str, str]:
    """Query id -> text."""
    found: dict[str, str] = {}
    for question in in_language(questions(part), language):
        if question.id in found:
            raise InputError(f"{question.where}: id {question.id!r} stands in the queries already")
        found[question.id] = question.text
    return found


def judged_places(part: Benchmark, language: str, ids: StoredIds) -> dict[str, int]:
    """Where the passages judged for any split stand among the candidates, relevant or not; those that are there."""
    judged = {judgement.passage_id for judgement in judgements(replace(part, qrels=part.judged))}
    places = {passage_id: ids.place(f"{language}:{passage_id}") for passage_id in judged}
    return {passage_id: place for passage_id, place in places.items() if place is not None}


def answered(
    part: Benchmark, language: str, queries: Mapping[str, str], places: Mapping[str, int], ids: StoredIds
) -> dict[str, JudgedQuestion]:
    """The questions that have a relevant passage, by their ids in the task."""
    found = {}
    for query_id, judged in grades(part, queries, places).items():
        relevant = {places[passage_id]: grade for passage_id, grade in judged.items() if grade >= 1}
        if relevant:
            first = ids[min(relevant)]
            texts = {language: queries[query_id]}
            found[f"{language}:{query_id}"] = JudgedQuestion(texts, relevant, first, first.partition("#")[0])
    if not found:
        raise InputError(f"{part.qrels[0]}: {language!r} is empty: no query has a relevant passage")
    return found


# what the task is called


def judged_only(path: Path, language: str, size: int, name: str) -> str:
    """Why such a pool is not MIRACL's."""
    whole = f", MIRACL's {PUBLISHED[language]:,}" if language in PUBLISHED else ""
    return (
        f"{path}: all {size:,} passages of the pool in {language!r} are judged ones; figures on such a pool are far "
        f"higher than MIRACL's and must not be taken for them. Allowed: the whole corpus{whole}, or a task whose name "
        f"ends in {JUDGED}, such as {name}{JUDGED}"
    )


def notes_of(sizes: Mapping[str, int], unanswered: int) -> dict[str, str]:
    notes = {"queries without relevant": str(unanswered)} if unanswered else {}
    for language, size in sizes.items():
        whole = PUBLISHED.get(language, size)
        notes[f"pool {language}"] = (
            f"{size:,} passages" if size == whole else f"{size:,} of MIRACL's {whole:,} passages"
        )
    return notes


def short(count: int) -> str:
    """Three significant digits: 132k, 32.9M."""
    rounded = float(f"{count:.3g}")
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if rounded >= size:
            return f"{rounded / size:.4g}{unit}"
    return str(count)
