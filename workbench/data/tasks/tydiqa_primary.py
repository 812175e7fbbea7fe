"""TyDiQA's primary task as passage retrieval (arXiv 2003.05002): 11 languages, whole articles cut into passages.

A row is a question, an article and its passages, given by offsets into the article's UTF-8 bytes, and one annotation
or several, each of which marks a passage or none. Every passage of every article is a candidate; relevant to a question
is each passage that any annotator marked. A question is answerable where two annotators or more marked a passage, or
the only one did: the training data have one annotation a question, the development data three.

The official files have an object a line, dataset hubs the same without `example_id` and in columns. So that both give
the same task, a question is named by its language and the number of its row.
"""

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.data.reading.json_values import member, parts, text
from workbench.data.reading.languages import code_of_name, languages_asked_for
from workbench.data.reading.rows import Row, json_lines, parquet_rows, split_files
from workbench.data.reading.squad_shape import Span
from workbench.data.task import RetrievalTask
from workbench.data.tasks.building import TaskBuilder
from workbench.data.tasks.tydiqa import HUB_SPLITS, checked_split
from workbench.errors import InputError, allowed

HUB_CONFIG = "primary_task"
HUB_COLUMNS = ("language", "question_text", "document_plaintext", "passage_answer_candidates", "annotations")
ENDINGS = (".jsonl.gz", ".jsonl")
ANNOTATORS = 2
"""So many must have marked a passage, where there are as many."""
NO_PLACE = -1
"""The offset of a passage without a place in the text, and the index of a mark on no passage."""


@dataclass(frozen=True)
class Example:
    """A row, its offsets not yet checked."""

    question: str
    document: bytes
    spans: list[Span]
    """[passages] [start, end) in bytes."""
    marks: list[int]
    """[annotations] the passage marked, or NO_PLACE."""


@dataclass(frozen=True)
class Article:
    """An article whose passages are candidates."""

    name: str
    passages: "array[int]"
    """[passages] the number of the candidate; NO_PLACE = none."""


def load_tydiqa_primary(
    name: str, path: Path, languages: Sequence[str] | None = None, split: str | None = None
) -> RetrievalTask:
    """Read the task, line by line; an article that stands in several rows gives its passages once.

    Query ids are `language-row`, the row counted from 1; candidate ids `language-article-passage`, counted from 0,
    articles in each language. Both the paragraph and the article of a question are its article. A passage that is
    blank or has no place in the text (offset -1) is no candidate, and a mark on it none. A language without an
    answerable question stays in the pool where languages are not named.

    Parameters
    ----------
    path
        `tydiqa-v1.0-dev.jsonl.gz` or one like it (unpacked, too), a folder that holds it, or a folder as dataset hubs
        lay them out (config `primary_task`).
    split
        `dev` (default) or `train`, of a folder.

    Raises
    ------
    InputError
        A file is missing, truncated or not sound, an `example_id` comes twice, an offset lies outside the text or
        inside a character, a mark is on no passage, a language is empty. The message names file and row.
    """
    builder, articles = TaskBuilder(), Articles()
    found: set[str] = set()
    for number, (where, language, row) in enumerate(placed_rows(primary_files(path, split)), start=1):
        if languages is not None and language not in languages:
            found.add(language)
            continue
        example = hub_example(row, where) if "example_id" not in row else official_example(row, where)
        article = articles.met(builder, language, example, where)
        relevant = marked(example, article, where)
        if relevant:
            found.add(language)
            query_id = f"{language}-{number:07d}"
            builder.add_query(query_id, {language: example.question}, article.name, article.name, relevant)
    languages_asked_for(found, languages, path, "question")
    return builder.task(name, {})


def primary_files(path: Path, split: str | None) -> list[Path]:
    """The file itself, or the files of the split in a folder."""
    if not path.is_dir():
        if split is not None:
            raise InputError(f"{path}: is one file, or missing; split {split!r} can only be taken from a folder")
        if not path.name.endswith((*ENDINGS, ".parquet")):
            raise InputError(f"{path}: the ending tells no format; {allowed(path.suffix, (*ENDINGS, '.parquet'))}")
        return [path]
    split = checked_split(split, path)
    official = [path / f"tydiqa-v1.0-{split}{ending}" for ending in ENDINGS]
    found = [file for file in official if file.is_file()][:1] or split_files(path, HUB_CONFIG, HUB_SPLITS[split])
    if not found:
        raise InputError(f"{path}: has neither {official[0].name} nor {HUB_CONFIG}/{HUB_SPLITS[split]}-*.parquet")
    return found


def placed_rows(files: Sequence[Path]) -> Iterator[tuple[str, str, Row]]:
    """Place, language and content of each row."""
    met: dict[str, str] = {}
    for file in files:
        official = file.suffix != ".parquet"
        for where, row in placed_lines(file) if official else parquet_rows(file, HUB_COLUMNS):
            if official:
                example_id = row.get("example_id")
                if not isinstance(example_id, (int, str)):
                    raise InputError(
                        f"{where}: 'example_id' is {example_id!r:.60}; allowed: a whole number or a string"
                    )
                other = met.setdefault(str(example_id), where)
                if other != where:
                    raise InputError(f"{where}: example_id {example_id} comes twice, first in {other}")
            yield where, code_of_name(text(row, "language", where), f"{where}: language"), row


def placed_lines(file: Path) -> Iterator[tuple[str, Row]]:
    return ((f"{file}: line {number}", row) for number, row in json_lines(file))


def official_example(row: Row, where: str) -> Example:
    spans = [
        (member(passage, "plaintext_start_byte", int, place), member(passage, "plaintext_end_byte", int, place))
        for passage, place in parts(row, "passage_answer_candidates", where)
    ]
    marks = [
        member(member(annotation, "passage_answer", dict, place), "candidate_index", int, f"{place}: passage_answer")
        for annotation, place in parts(row, "annotations", where)
    ]
    return Example(*texts(row, where), spans, marks)


def hub_example(row: Row, where: str) -> Example:
    passages, place = member(row, "passage_answer_candidates", dict, where), f"{where}: passage_answer_candidates"
    starts, ends = (whole_numbers(passages, key, place) for key in ("plaintext_start_byte", "plaintext_end_byte"))
    if len(starts) != len(ends):
        raise InputError(f"{place}: has {len(starts)} starts and {len(ends)} ends")
    annotations = member(row, "annotations", dict, where)
    marks = whole_numbers(annotations, "passage_answer_candidate_index", f"{where}: annotations")
    return Example(*texts(row, where), list(zip(starts, ends, strict=True)), marks)


def texts(row: Row, where: str) -> tuple[str, bytes]:
    return text(row, "question_text", where), text(row, "document_plaintext", where).encode()


def whole_numbers(parent: Row, key: str, where: str) -> list[int]:
    values = member(parent, key, list, where)
    for value in values:
        if type(value) is not int:
            raise InputError(f"{where}: {key!r} holds {value!r:.60}; allowed: whole numbers")
    return values


class Articles:
    """The articles that were met, each once."""

    def __init__(self) -> None:
        self._met: dict[bytes, Article] = {}
        self._counts: dict[str, int] = {}

    def met(self, builder: TaskBuilder, language: str, example: Example, where: str) -> Article:
        """The row's article; where it is new, its passages become candidates."""
        content = hashlib.blake2b(f"{language} {example.spans} ".encode(), digest_size=16)
        content.update(example.document)
        key = content.digest()
        if key not in self._met:
            number = self._counts.get(language, 0)
            self._counts[language] = number + 1
            self._met[key] = add_article(builder, f"{language}-{number:06d}", language, example, where)
        return self._met[key]


def add_article(builder: TaskBuilder, name: str, language: str, example: Example, where: str) -> Article:
    passages = array("i")
    for number, span in enumerate(example.spans):
        passage = passage_text(example.document, span, f"{where}: passage_answer_candidates[{number}]")
        candidate = builder.add_candidate(f"{name}-{number:05d}", language, passage) if passage else NO_PLACE
        passages.append(candidate)
    return Article(name, passages)


def passage_text(document: bytes, span: Span, where: str) -> str:
    """The passage without white space around it; empty where it has no place in the text."""
    start, end = span
    if NO_PLACE in span:
        return ""
    if not 0 <= start <= end <= len(document):
        raise InputError(
            f"{where}: bytes {start} to {end} do not lie in the text; allowed: 0 <= start <= end <= {len(document)}, "
            "or -1 for a passage that is not in it"
        )
    try:
        return document[start:end].decode().strip()
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: bytes {start} to {end} begin or end inside a character") from error


def marked(example: Example, article: Article, where: str) -> set[int]:
    """The candidates that annotators marked; empty where the question is not answerable."""
    for number, mark in enumerate(example.marks):
        if not NO_PLACE <= mark < len(example.spans):
            raise InputError(
                f"{where}: annotations[{number}]: candidate_index {mark} is no passage; "
                f"allowed: -1 to {len(example.spans) - 1}"
            )
    found = [article.passages[mark] for mark in example.marks if mark != NO_PLACE]
    found = [candidate for candidate in found if candidate != NO_PLACE]
    return set(found) if len(found) >= min(ANNOTATORS, len(example.marks)) else set()
