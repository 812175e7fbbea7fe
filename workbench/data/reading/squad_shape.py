"""Files in the shape of SQuAD (arXiv 1606.05250): paragraphs with questions whose answers are spans of them.

TyDiQA's gold passages, XOR-TyDi's gold paragraphs, SQuAD, MLQA and its translated training data are such files. They
come as the official `.json` (articles hold paragraphs, paragraphs hold questions) or, on dataset hubs, as flat rows
with the columns id, title, context, question and answers, which holds the lists `text` and `answer_start`.
"""

import importlib.metadata
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workbench.data.reading.json_values import member, optional, parts, read_json, text
from workbench.data.reading.rows import Row, rows_of
from workbench.errors import InputError

Span = tuple[int, int]
"""[start, end) in characters."""
Places = Literal["check", "drop", "ignore"]
"""What to do where an answer does not stand in its place: refuse the file, leave the answer out, not even look."""


@dataclass(frozen=True)
class SquadRow:
    """A question with its paragraph."""

    id: str
    title: str
    """The article's; empty where the file has none."""
    context: str
    question: str
    answers: tuple[tuple[str, int], ...]
    """Each answer, and where it starts in the context, in characters (-1 = not read); empty = it has no answer."""
    language: str | None = None
    """The question's, as the file writes it (`lang` in XOR-TyDi); none where it says nothing."""

    @property
    def spans(self) -> list[Span]:
        """Where the answers stand in the context."""
        return [(start, start + len(answer)) for answer, start in self.answers]


def squad_rows(path: Path, places: Places = "check") -> Iterator[tuple[str, SquadRow]]:
    """Each question of a file or folder, with its place for messages.

    A `.json` file is read whole; the rows of `.parquet` and `.jsonl` files, and of folders of them, one by one.

    Parameters
    ----------
    places
        Of the answers: "check" reads and checks them; "drop" leaves out an answer that does not stand in its place, as
        machine translations have them; "ignore" reads the answers' texts only, their places are -1.

    Raises
    ------
    InputError
        There is no such file, it is damaged, a key is missing or of another type, a text is blank, an answer does not
        stand where it is said to. The message names file and place.
    """
    if path.suffix == ".json":
        yield from official_rows(path, places)
        return
    for where, row in rows_of(path):
        yield where, flat_row(row, where, places)


def official_rows(file: Path, places: Places) -> Iterator[tuple[str, SquadRow]]:
    for article, in_article in parts(read_json(file), "data", str(file)):
        title = optional(article, "title", str, in_article) or ""
        for paragraph, where in parts(article, "paragraphs", in_article):
            context = text(paragraph, "context", where)
            for qa, place in parts(paragraph, "qas", where):
                question_id = text(qa, "id", place)
                place = f"{place} (id {question_id!r})"
                answers = answers_in(context, parts(qa, "answers", place), places)
                language = optional(qa, "lang", str, place)
                yield place, SquadRow(question_id, title, context, text(qa, "question", place), answers, language)


def flat_row(row: Row, where: str, places: Places) -> SquadRow:
    """A row in the columns of dataset hubs."""
    question_id = text(row, "id", where)
    where = f"{where} (id {question_id!r})"
    context = text(row, "context", where)
    columns = member(row, "answers", dict, where)
    texts, starts = (member(columns, key, list, f"{where}: answers") for key in ("text", "answer_start"))
    if len(texts) != len(starts):
        raise InputError(f"{where}: answers: {len(texts)} in 'text', but {len(starts)} in 'answer_start'")
    values = [{"text": value, "answer_start": start} for value, start in zip(texts, starts, strict=True)]
    answers = [(value, f"{where}: answers[{number}]") for number, value in enumerate(values)]
    return SquadRow(
        id=question_id,
        title=optional(row, "title", str, where) or "",
        context=context,
        question=text(row, "question", where),
        answers=answers_in(context, answers, places),
        language=optional(row, "lang", str, where),
    )


def answers_in(context: str, values: Iterable[tuple[Any, str]], places: Places) -> tuple[tuple[str, int], ...]:
    """The answers, each with where it starts."""
    if places == "ignore":
        return tuple((text(value, "text", where), -1) for value, where in values)
    return tuple(
        answer(value, context, where) for value, where in values if places == "check" or stands(value, context)
    )


def stands(value: Any, context: str) -> bool:
    """Whether an answer, of whatever type its parts are, stands in its place."""
    found, start = (value.get(key) if isinstance(value, dict) else None for key in ("text", "answer_start"))
    if not isinstance(found, str) or not isinstance(start, int):
        return False
    return bool(found.strip()) and start >= 0 and context.startswith(found, start)


def answer(value: Any, context: str, where: str) -> tuple[str, int]:
    """An answer and its place, checked to stand there."""
    answer_text = text(value, "text", where)
    start = member(value, "answer_start", int, where)
    if not 0 <= start <= len(context) - len(answer_text):
        raise InputError(
            f"{where}: answer {answer_text!r:.60} at {start} does not lie in the paragraph, which has {len(context)} "
            "characters"
        )
    found = context[start : start + len(answer_text)]
    if found != answer_text:
        raise InputError(
            f"{where}: answer {answer_text!r:.60} does not stand at {start}, where the paragraph has {found!r:.60}"
        )
    return answer_text, start


def splitter() -> str:
    """What `sentences` splits with, and its version: other versions may give other sentences."""
    return f"sentencex {importlib.metadata.version('sentencex')}"


def sentences(context: str, language: str, spans: Iterable[Span] = ()) -> list[Span]:
    """[start, end) of each sentence, ascending, without the white space around it.

    Where a sentence would end inside one of the `spans` (answers), it is joined with the next. A stretch of white
    space is no sentence. A language that the splitter has no rules for is split by the general ones.
    """
    from sentencex import get_sentence_boundaries  # a machine that cuts no paragraphs need not have it

    inside = [trimmed(context, *span) for span in spans]
    starts = [boundary["start_index"] for boundary in get_sentence_boundaries(language, context)]
    uncut = [at for at in starts if at > 0 and not any(start < at < end for start, end in inside)]
    edges = [0, *uncut, len(context)]
    found = (trimmed(context, start, end) for start, end in itertools.pairwise(edges))
    return [(start, end) for start, end in found if start < end]


def trimmed(context: str, start: int, end: int) -> Span:
    """The stretch without the white space around it; empty where it is nothing else."""
    stretch = context[start:end]
    start += len(stretch) - len(stretch.lstrip())
    return start, start + len(stretch.strip())
