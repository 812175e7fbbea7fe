"""Sentence retrieval from LAReQA's files (arXiv 2004.05484): XQuAD-R, MLQA-R, and sets of the same shape.

A folder has one `<language>.json` a language, SQuAD-shaped, with `sentence_breaks`, [start, end) in characters, beside
each paragraph's context. Every sentence is a candidate; the relevant one of a question holds the start of its first
answer. A question has the same id in all its languages.

Articles and paragraphs of different languages are one where they share a question, directly or through others; they
are numbered in the order of the English file, then of the other languages' by code. In XQuAD-R, whose files are
parallel, these are the positions in any file; in MLQA-R those of the English paragraphs.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from workbench.data.reading.json_values import member, parts, read_json, text
from workbench.data.reading.languages import check_language
from workbench.data.task import RetrievalTask
from workbench.data.tasks.building import JudgedQuestion, Pool, as_task, unique
from workbench.data.tasks.translated_questions import TranslatedQuestion, translated_questions, translators_note
from workbench.errors import InputError, allowed

FILE_NAME = re.compile(r"[a-z]{2,3}\.json")


@dataclass(frozen=True)
class Question:
    question_id: str
    text: str
    sentence: int
    """Which of the paragraph's sentences holds the answer."""


@dataclass(frozen=True)
class Paragraph:
    language: str
    article: int
    """Position in the file."""
    position: int
    """Position in the article."""
    context: str
    breaks: tuple[tuple[int, int], ...]
    """[start, end) of each sentence."""
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Unit:
    """What a paragraph is in all its languages."""

    article: int
    number: int
    """Counted within the article."""


def load_lareqa(
    name: str,
    path: Path,
    languages: Sequence[str] | None = None,
    passage_text: Literal["sentence", "sentence_paragraph"] = "sentence",
    every_article: int = 1,
    questions: Sequence[Path] = (),
) -> RetrievalTask:
    """Read a task.

    Candidate ids are `language-article-paragraph-sentence`, positions in the language's file from 0, padded so that
    their order is the file's.

    Parameters
    ----------
    languages
        Those to take; none = every file.
    passage_text
        What is encoded: the sentence, or the sentence, a blank and its paragraph.
    every_article
        n takes the articles 0, n, 2n... as they are numbered over all the languages taken.
    questions
        Files of translated questions, which stand in place of the set's own in their language, if any: beside the set
        as it is they show how far figures of such questions are off. `notes` say under `translated` who made them.

    Raises
    ------
    InputError
        The folder or a language's file is missing or unreadable, a file's name is no language code, a key is missing,
        an answer lies in no sentence, a question id comes twice, a language has no question, a translated question is
        not one of the set or in a language that the set has not. The message names file and place.
    """
    files = language_files(path, languages)
    paragraphs = [paragraph for language, file in files.items() for paragraph in read_file(file, language)]
    units = link(paragraphs)
    chosen = {unit for unit in units if unit.article % every_article == 0}
    kept = [(paragraph, unit) for paragraph, unit in zip(paragraphs, units, strict=True) if unit in chosen]
    for language, file in files.items():
        if not any(paragraph.questions for paragraph, _ in kept if paragraph.language == language):
            part = f" with every_article {every_article}" if every_article > 1 else ""
            raise InputError(f"{file}: holds no question{part}: the language is empty")
    translated = translated_here(path, questions, paragraphs, languages)
    return paragraphs_task(name, sorted(files), kept, passage_text, candidate_namer(paragraphs), translated)


def translated_here(
    path: Path, files: Sequence[Path], paragraphs: Sequence[Paragraph], languages: Sequence[str] | None
) -> list[TranslatedQuestion]:
    """The translated questions in the languages that are taken."""
    # in no language of its own: the set has each question in several
    known = {question.question_id: "" for paragraph in paragraphs for question in paragraph.questions}
    taken = {paragraph.language for paragraph in paragraphs}
    found = translated_questions(files, known)
    for question in found:
        if languages is None and question.language not in taken:
            raise InputError(
                f"{path}: has no {question.language}.json for the translated questions; "
                f"{allowed(question.language, sorted(taken))}"
            )
    return [question for question in found if question.language in taken]


def language_files(path: Path, languages: Collection[str] | None) -> dict[str, Path]:
    """The files of the languages to take, English first, then by code."""
    if not path.is_dir():
        raise InputError(f"{path}: {'is no folder' if path.exists() else 'there is no such folder'}")
    files = {file.stem: file for file in path.glob("*.json") if FILE_NAME.fullmatch(file.name)}
    if not files:
        raise InputError(f"{path}: holds no <language>.json")
    wanted = sorted(files if languages is None else set(languages))
    for language in wanted:
        if language not in files:
            raise InputError(f"{path}: has no {language}.json; {allowed(language, sorted(files))}")
        check_language(language, f"{files[language]}: the file's name")
    if not wanted:
        raise InputError(f"{path}: no language is asked for; {allowed('', sorted(files))}")
    return {language: files[language] for language in sorted(wanted, key=lambda language: (language != "en", language))}


def read_file(file: Path, language: str) -> list[Paragraph]:
    """The paragraphs of one language, in order."""
    data = read_json(file)
    paragraphs = [
        read_paragraph(value, where, language, article, position)
        for article, (part, place) in enumerate(parts(data, "data", str(file)))
        for position, (value, where) in enumerate(parts(part, "paragraphs", place))
    ]
    check_question_ids(paragraphs, file)
    return paragraphs


def read_paragraph(value: Any, where: str, language: str, article: int, position: int) -> Paragraph:
    context = text(value, "context", where)
    breaks = sentence_breaks(value, context, where)
    questions = tuple(read_question(qa, breaks, context, place) for qa, place in parts(value, "qas", where))
    return Paragraph(language, article, position, context, breaks, questions)


def sentence_breaks(paragraph: Any, context: str, where: str) -> tuple[tuple[int, int], ...]:
    """[start, end) of each sentence, checked to be ascending and inside the context."""
    if isinstance(paragraph, dict) and "sentence_breaks" not in paragraph:
        raise InputError(
            f"{where}: 'sentence_breaks' is missing; LAReQA's own files have it, copies on dataset hubs lack it"
        )
    breaks = []
    end_before = 0
    for number, pair in enumerate(member(paragraph, "sentence_breaks", list, where)):
        match pair:
            case [int(start), int(end)] if end_before <= start < end <= len(context):
                breaks.append((start, end))
                end_before = end
            case _:
                raise InputError(
                    f"{where}: sentence_breaks[{number}] is {pair!r:.60}; allowed: [start, end] with "
                    f"{end_before} <= start < end <= {len(context)}, the paragraph's length"
                )
    return tuple(breaks)


def read_question(qa: Any, breaks: Sequence[tuple[int, int]], context: str, where: str) -> Question:
    question_id = text(qa, "id", where)
    where = f"{where} (id {question_id!r})"
    question = text(qa, "question", where)
    answers = parts(qa, "answers", where)
    first, place = next(answers, (None, ""))
    if first is None:
        raise InputError(f"{where}: has no answer")
    start = member(first, "answer_start", int, place)
    if not 0 <= start < len(context):
        raise InputError(f"{place}: answer_start {start} lies outside the paragraph; allowed: 0 to {len(context) - 1}")
    sentence = sentence_at(start, breaks, context)
    if sentence is None:
        raise InputError(f"{place}: answer_start {start} lies in no sentence; sentence_breaks: {list(breaks)!r:.200}")
    return Question(question_id, question, sentence)


def sentence_at(start: int, breaks: Sequence[tuple[int, int]], context: str) -> int | None:
    """The sentence with start <= `start` < end; of white space between sentences, the one that follows."""
    sentence = bisect_right(breaks, start, key=lambda pair: pair[0]) - 1
    if sentence >= 0 and start < breaks[sentence][1]:
        return sentence
    if sentence + 1 < len(breaks) and not context[start : breaks[sentence + 1][0]].strip():
        return sentence + 1
    return None


def check_question_ids(paragraphs: Sequence[Paragraph], file: Path) -> None:
    """Within a language an id is one question's."""
    seen: dict[str, str] = {}
    for paragraph in paragraphs:
        for number, question in enumerate(paragraph.questions):
            place = f"data[{paragraph.article}]: paragraphs[{paragraph.position}]: qas[{number}]"
            other = seen.setdefault(question.question_id, place)
            if other != place:
                raise InputError(f"{file}: {place}: id {question.question_id!r} stands in {other} already")


def link(paragraphs: Sequence[Paragraph]) -> list[Unit]:
    """What each paragraph is across the languages."""
    questions = [[question.question_id for question in paragraph.questions] for paragraph in paragraphs]
    places = list(dict.fromkeys((paragraph.language, paragraph.article) for paragraph in paragraphs))
    of_article: dict[tuple[str, int], list[str]] = {place: [] for place in places}
    for paragraph, ids in zip(paragraphs, questions, strict=True):
        of_article[paragraph.language, paragraph.article] += ids
    articles = dict(zip(places, components(list(of_article.values())), strict=True))
    numbers: dict[int, dict[int, int]] = {}
    units = []
    for paragraph, component in zip(paragraphs, components(questions), strict=True):
        article = articles[paragraph.language, paragraph.article]
        within = numbers.setdefault(article, {})
        units.append(Unit(article, within.setdefault(component, len(within))))
    return units


def components(members: Sequence[Collection[str]]) -> list[int]:
    """[sets] a number for each set of ids, equal where sets share an id, directly or through others.

    Numbers count the components from 0 in the order of their first set.
    """
    parents = list(range(len(members)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = place = parents[parents[place]]
        return place

    owners: dict[str, int] = {}
    for place, ids in enumerate(members):
        for one in ids:
            first, second = sorted((root(owners.setdefault(one, place)), root(place)))
            parents[second] = first
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(place), len(numbers)) for place in range(len(members))]


def paragraphs_task(
    name: str,
    languages: Sequence[str],
    kept: Sequence[tuple[Paragraph, Unit]],
    passage_text: Literal["sentence", "sentence_paragraph"],
    candidate_id: Callable[[Paragraph, int], str],
    translated: Sequence[TranslatedQuestion],
) -> RetrievalTask:
    """The sentences as candidates, by language, then in the order of the file, and the questions."""
    kept = sorted(kept, key=lambda pair: (pair[0].language, pair[0].article, pair[0].position))
    sentences = [(paragraph, number) for paragraph, _ in kept for number in range(len(paragraph.breaks))]
    passage_texts, candidates = unique([passage(*sentence, passage_text) for sentence in sentences])
    pool = Pool(
        candidate_ids=tuple(candidate_id(*sentence) for sentence in sentences),
        candidate_languages=np.array([languages.index(paragraph.language) for paragraph, _ in sentences], np.int16),
        candidates=candidates,
        passage_texts=passage_texts,
    )
    questions: dict[str, JudgedQuestion] = {}
    first = 0
    for paragraph, unit in kept:
        article = f"{unit.article:03d}"
        for asked in paragraph.questions:
            new = JudgedQuestion({}, {}, f"{article}-{unit.number:03d}", article)
            question = questions.setdefault(asked.question_id, new)
            question.texts[paragraph.language] = asked.text
            question.relevant[first + asked.sentence] = 1
        first += len(paragraph.breaks)
    used = [one for one in translated if one.id in questions]
    for one in used:
        questions[one.id].texts[one.language] = one.question
    cells = [(one.language, pool_language, one.translator) for one in used for pool_language in languages]
    return as_task(name, languages, pool, questions, {"translated": translators_note(cells)} if cells else {})


def passage(paragraph: Paragraph, sentence: int, passage_text: Literal["sentence", "sentence_paragraph"]) -> str:
    start, end = paragraph.breaks[sentence]
    alone = paragraph.context[start:end]
    return alone if passage_text == "sentence" else f"{alone} {paragraph.context}"


def candidate_namer(paragraphs: Sequence[Paragraph]) -> Callable[[Paragraph, int], str]:
    """How candidates are named; wide enough for all of these, so that the names sort as the sentences do."""
    article = max(3, *(len(str(paragraph.article)) for paragraph in paragraphs))
    position = max(3, *(len(str(paragraph.position)) for paragraph in paragraphs))
    sentence = max(2, *(len(str(len(paragraph.breaks))) for paragraph in paragraphs))

    def named(paragraph: Paragraph, number: int) -> str:
        return (
            f"{paragraph.language}-{paragraph.article:0{article}d}-{paragraph.position:0{position}d}"
            f"-{number:0{sentence}d}"
        )

    return named
