"""TyDiQA-R: sentence retrieval from the gold passages of TyDiQA (arXiv 2003.05002, the secondary task).

Each paragraph is split into sentences, which are the candidates; the relevant one of a question holds the start of its
first answer. The language of a question stands in front of its id: `swahili-123-0`. The questions of TyDiQA were
written in the language of their paragraph; a question that is there in further languages (translated_questions.py)
gives cross-lingual cells, and its relevant sentence stays in the paragraph's language.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workbench.data.reading.languages import code_of_name, languages_asked_for
from workbench.data.reading.rows import split_files
from workbench.data.reading.squad_shape import Span, SquadRow, sentences, splitter, squad_rows, trimmed
from workbench.data.task import RetrievalTask
from workbench.data.tasks.building import TaskBuilder
from workbench.data.tasks.translated_questions import TranslatedQuestion, translated_questions, translators_note
from workbench.errors import InputError, allowed

HUB_CONFIG = "secondary_task"
HUB_SPLITS = {"dev": "validation", "train": "train"}
"""The splits of the official files, and what they are called on dataset hubs."""


@dataclass
class Paragraph:
    """A paragraph and the questions about it."""

    language: str
    title: str
    context: str
    rows: list[SquadRow] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """Where a paragraph stands among those of its language."""

    article: int
    """Articles are numbered in the order in which they come."""
    number: int
    """Counted within the article."""


def load_tydiqa(
    name: str,
    path: Path,
    languages: Sequence[str] | None = None,
    passage_text: Literal["sentence", "sentence_paragraph"] = "sentence",
    every_article: int = 1,
    split: str | None = None,
    questions: Sequence[Path] = (),
) -> RetrievalTask:
    """Read the task.

    Query ids are TyDiQA's; candidate ids are `language-article-paragraph-sentence`, counted in each language from 0
    and padded so that their order is the file's. Articles of different languages are never the same. The task's
    `notes` say under `splitter` what split the sentences and, where there are translated questions, under
    `translated` who made those of each cell (`translators_note`).

    Parameters
    ----------
    path
        `tydiqa-goldp-v1.1-dev.json` or one like it, a folder that holds it, or a folder as dataset hubs lay them out
        (config `secondary_task`), or a file in the columns that it has there.
    languages
        Those to take, of paragraphs and of translated questions; none = all.
    passage_text
        What is encoded: the sentence, or the sentence, a blank and its paragraph.
    every_article
        n takes the articles 0, n, 2n... of each language.
    split
        `dev` (default) or `train`, of a folder.
    questions
        Files of translated questions.

    Raises
    ------
    InputError
        A file is missing or not sound, an id names no language or comes twice, a question has no answer, an answer
        does not stand in its paragraph, a language is empty, a translated question is not one of the set. The message
        names file and place.
    """
    paragraphs = read_paragraphs(gold_files(path, split))
    own = {row.id: paragraph.language for paragraph in paragraphs for row in paragraph.rows}
    translated = translated_questions(questions, own)
    languages_asked_for({*own.values(), *(question.language for question in translated)}, languages, path, "question")
    kept = [
        (paragraph, place)
        for paragraph, place in zip(paragraphs, places(paragraphs), strict=True)
        if place.article % every_article == 0 and (languages is None or paragraph.language in languages)
    ]
    if not kept:
        raise InputError(f"{path}: holds no paragraph in {', '.join(languages or sorted(set(own.values())))}")
    wanted = [question for question in translated if languages is None or question.language in languages]
    task = as_task(name, kept, wanted, passage_text)
    for language in languages or ():
        if language not in task.languages:
            raise InputError(f"{path}: {language!r} is empty: no paragraph taken has a question in it")
    return task


def gold_files(path: Path, split: str | None) -> list[Path]:
    """The file itself, or the files of the split in a folder."""
    if not path.is_dir():
        if split is not None:
            raise InputError(f"{path}: is one file, or missing; split {split!r} can only be taken from a folder")
        return [path]
    split = checked_split(split, path)
    official = path / f"tydiqa-goldp-v1.1-{split}.json"
    found = [official] if official.is_file() else split_files(path, HUB_CONFIG, HUB_SPLITS[split])
    if not found:
        raise InputError(f"{path}: has neither {official.name} nor {HUB_CONFIG}/{HUB_SPLITS[split]}-*.parquet")
    return found


def checked_split(split: str | None, path: Path) -> str:
    """The split to take from a folder, `dev` unless told."""
    if split is not None and split not in HUB_SPLITS:
        raise InputError(f"{path}: there is no split {split!r}; {allowed(split, HUB_SPLITS)}")
    return split or "dev"


def read_paragraphs(files: Sequence[Path]) -> list[Paragraph]:
    """The paragraphs in the order in which they come; rows with the same title and context are of the same one."""
    paragraphs: dict[tuple[str, str, str], Paragraph] = {}
    met: dict[str, str] = {}
    for where, row in (placed for file in files for placed in squad_rows(file)):
        other = met.setdefault(row.id, where)
        if other != where:
            raise InputError(f"{where}: the id comes twice, first in {other}")
        if not row.title.strip():
            raise InputError(f"{where}: 'title' is missing: it tells which questions are about the same article")
        if not row.answers:
            raise InputError(f"{where}: has no answer")
        key = (language_of(row.id, where), row.title, row.context)
        paragraphs.setdefault(key, Paragraph(*key)).rows.append(row)
    return list(paragraphs.values())


def language_of(question_id: str, where: str) -> str:
    name, dash, _ = question_id.partition("-")
    if not dash:
        raise InputError(f"{where}: the id names no language; allowed: one such as swahili-123-0")
    return code_of_name(name, f"{where}: id")


def places(paragraphs: Sequence[Paragraph]) -> Iterator[Place]:
    articles: dict[str, dict[str, int]] = {}
    counts: dict[tuple[str, int], int] = {}
    for paragraph in paragraphs:
        of_language = articles.setdefault(paragraph.language, {})
        article = of_language.setdefault(paragraph.title, len(of_language))
        number = counts.get((paragraph.language, article), 0)
        counts[paragraph.language, article] = number + 1
        yield Place(article, number)


def as_task(
    name: str,
    kept: Sequence[tuple[Paragraph, Place]],
    translated: Sequence[TranslatedQuestion],
    passage_text: Literal["sentence", "sentence_paragraph"],
) -> RetrievalTask:
    further: dict[str, dict[str, str]] = {}
    for question in translated:
        further.setdefault(question.id, {})[question.language] = question.question
    builder = TaskBuilder()
    for paragraph, place in kept:
        article = f"{paragraph.language}-{place.article:05d}"
        number = f"{article}-{place.number:03d}"
        spans = sentences(paragraph.context, paragraph.language, [s for row in paragraph.rows for s in row.spans])
        passages = [
            builder.add_candidate(
                f"{number}-{n:04d}", paragraph.language, passage(paragraph.context, span, passage_text)
            )
            for n, span in enumerate(spans)
        ]
        for row in paragraph.rows:
            relevant = passages[answering(row, spans)]
            in_languages = {paragraph.language: row.question, **further.get(row.id, {})}
            builder.add_query(row.id, in_languages, number, article, [relevant])
    return builder.task(name, notes(kept, translated))


def passage(context: str, span: Span, passage_text: Literal["sentence", "sentence_paragraph"]) -> str:
    alone = context[slice(*span)]
    return alone if passage_text == "sentence" else f"{alone} {context}"


def answering(row: SquadRow, spans: Sequence[Span]) -> int:
    """Which sentence holds the start of the first answer."""
    start, _ = trimmed(row.context, *row.spans[0])
    return next(n for n, (_, end) in enumerate(spans) if start < end)


def notes(kept: Sequence[tuple[Paragraph, Place]], translated: Sequence[TranslatedQuestion]) -> dict[str, str]:
    languages = {row.id: paragraph.language for paragraph, _ in kept for row in paragraph.rows}
    cells = [(q.language, languages[q.id], q.translator) for q in translated if q.id in languages]
    return {"splitter": splitter(), **({"translated": translators_note(cells)} if cells else {})}
