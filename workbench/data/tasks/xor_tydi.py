"""XOR-TyDi (arXiv 2010.11856) as passage retrieval: questions in seven languages, gold paragraphs in English.

The questions are TyDiQA's, written by native speakers, that had no answer in their own language; people found the
answer in English Wikipedia. Of the published files only the gold paragraphs (`gp_squad_dev_data.json` and
`gp_squad_train_data.json`, SQuAD-shaped, each question with its `lang`) hold passages: they are the pool here. The
files of XOR-Retrieve and XOR-Full hold questions and short answers; retrieval is measured there by looking for the
answers in what was found in 18 million passages of Wikipedia, so figures of the two are not comparable.

Dataset hubs have no copy of these files. `coastalcph/tydi_xor_rc`, which they have, is XOR-TyDi's reading data with
paragraphs of XOR-AttriQA added: the columns lang, question, context, answerable and answer, no ids and no titles. It
is another task, with more paragraphs: those that do not answer their question are candidates only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.data.reading.json_values import member, text
from workbench.data.reading.languages import check_language, languages_asked_for
from workbench.data.reading.rows import rows_of, split_files
from workbench.data.reading.squad_shape import SquadRow, squad_rows
from workbench.data.task import RetrievalTask
from workbench.data.tasks.building import TaskBuilder
from workbench.data.tasks.tydiqa import HUB_SPLITS, checked_split
from workbench.errors import InputError

PASSAGE_LANGUAGE = "en"
HUB_CONFIG = "default"
SUBFOLDER = "xorqa_reading_comprehension_format"
"""Where the published archive of the gold paragraphs has its files."""


@dataclass
class Question:
    """A question and its gold paragraphs, of which it may have several."""

    language: str
    text: str
    paragraphs: list[str] = field(default_factory=list)


def load_xor_tydi(
    name: str, path: Path, languages: Sequence[str] | None = None, split: str | None = None
) -> RetrievalTask:
    """Read the task: human cross-lingual cells (language, en).

    Query ids are XOR-TyDi's. Every paragraph of the file is a candidate, equal ones once, and each that a question
    stands with is relevant to it; a question without an answer is none. Candidate ids are `en-article-paragraph`,
    counted from 0 in the order of the file; the paragraph and the article of a question are those of its first one.

    Parameters
    ----------
    path
        `gp_squad_dev_data.json` or one like it, a folder that holds it, or a folder as dataset hubs lay out
        `tydi_xor_rc` (config `default`), or a file of it; a question of it is named by its language and first row.
    languages
        Those of the questions to take; none = all. The pool is the same for any.
    split
        `dev` (default) or `train`, of a folder.

    Raises
    ------
    InputError
        A file is missing, not sound or holds no passages, a question has no language or one that is none, or stands
        there with two texts, a language is empty. The message names file and place.
    """
    candidates: dict[str, tuple[str, str]] = {}
    articles: dict[str, int] = {}
    counts: dict[str, int] = {}
    questions: dict[str, Question] = {}
    for where, row in xor_rows(path, split):
        context = row.context.strip()
        if context not in candidates:
            article = f"{PASSAGE_LANGUAGE}-{articles.setdefault(row.title, len(articles)):05d}"
            number = counts.setdefault(article, 0)
            counts[article] += 1
            candidates[context] = (f"{article}-{number:04d}", article)
        if row.answers:
            add_question(questions, row, where).paragraphs.append(context)
    languages_asked_for({question.language for question in questions.values()}, languages, path, "question")
    builder = TaskBuilder()
    numbers = {context: builder.add_candidate(i, PASSAGE_LANGUAGE, context) for context, (i, _) in candidates.items()}
    for question_id, question in questions.items():
        if languages is None or question.language in languages:
            paragraph, article = candidates[question.paragraphs[0]]
            relevant = {numbers[context] for context in question.paragraphs}
            builder.add_query(question_id, {question.language: question.text}, paragraph, article, relevant)
    return builder.task(
        name, {"pool": f"{len(candidates)} paragraphs of the published files, not XOR-Retrieve's Wikipedia"}
    )


def xor_rows(path: Path, split: str | None) -> Iterator[tuple[str, SquadRow]]:
    """The questions of the file, or of those of the split in a folder."""
    if not path.is_dir():
        if split is not None:
            raise InputError(f"{path}: is one file, or missing; split {split!r} can only be taken from a folder")
        return squad_rows(path, places="ignore") if path.suffix == ".json" else reading_rows([path])
    split = checked_split(split, path)
    official = f"gp_squad_{split}_data.json"
    for file in (path / official, path / SUBFOLDER / official):
        if file.is_file():
            return squad_rows(file, places="ignore")
    files = split_files(path, HUB_CONFIG, HUB_SPLITS[split])
    if not files:
        raise InputError(
            f"{path}: has neither {official}, the gold paragraphs, nor {HUB_CONFIG}/{HUB_SPLITS[split]}-*.parquet; "
            "XOR-TyDi's other files hold no passages"
        )
    return reading_rows(files)


def reading_rows(files: Sequence[Path]) -> Iterator[tuple[str, SquadRow]]:
    """The rows of `tydi_xor_rc`: a question is the same where language and text are, an article is one paragraph."""
    ids: dict[tuple[str, str], str] = {}
    for number, (where, row) in enumerate((placed for file in files for placed in rows_of(file)), start=1):
        if "context" not in row:
            raise InputError(
                f"{where}: 'context' is missing: the file holds questions, but no passages; "
                "allowed: the gold paragraphs, such as gp_squad_dev_data.json"
            )
        language, question, context = (text(row, key, where) for key in ("lang", "question", "context"))
        answers = ((text(row, "answer", where), -1),) if member(row, "answerable", bool, where) else ()
        question_id = ids.setdefault((language, question), f"{language}-{number:06d}")
        yield where, SquadRow(question_id, context, context, question, answers, language)


def add_question(questions: dict[str, Question], row: SquadRow, where: str) -> Question:
    """The question, new or met before."""
    if row.language is None:
        raise InputError(f"{where}: 'lang' is missing; allowed: the question's language")
    language = check_language(row.language, f"{where}: lang")
    if language == PASSAGE_LANGUAGE:
        raise InputError(f"{where}: lang is {language!r}, the passages' own; allowed: any other language")
    question = questions.setdefault(row.id, Question(language, row.question))
    if (question.language, question.text) != (language, row.question):
        raise InputError(f"{where}: the id comes twice, with two questions")
    return question
