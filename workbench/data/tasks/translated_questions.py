"""Questions of a task in further languages, and who translated them.

A file is parquet, JSON lines or tab-separated with a first line of column names, and has the columns `id` (of a
question of the task), `language` (ISO 639-1), `question` and `translator`. The translator `human` marks a translation
made by people, any other name the machine that made it: the pairs of languages that it gives rise to are synthetic.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.data.reading.json_values import text
from workbench.data.reading.languages import check_language
from workbench.data.reading.rows import Placed, rows_of, table_lines
from workbench.errors import InputError, allowed

COLUMNS = ("id", "language", "question", "translator")
HUMAN = "human"
"""The translator of translations made by people."""


@dataclass(frozen=True)
class TranslatedQuestion:
    id: str
    language: str
    question: str
    translator: str


def translated_questions(files: Iterable[Path], languages: Mapping[str, str]) -> list[TranslatedQuestion]:
    """The questions of all files, in their order.

    Parameters
    ----------
    languages
        The language of each question of the task by its id.

    Raises
    ------
    InputError
        A file is not sound, an id is no question of the task, a language is none, is the question's own, or comes
        twice for a question. The message names file and row.
    """
    met: dict[tuple[str, str], str] = {}
    found = []
    for where, row in (placed for file in files for placed in some_rows(file)):
        values = {column: text(row, column, where) for column in COLUMNS}
        if values["translator"].strip().casefold() == HUMAN:
            values["translator"] = HUMAN
        translated = TranslatedQuestion(**values)
        check_language(translated.language, f"{where}: language")
        if translated.id not in languages:
            raise InputError(f"{where}: id {translated.id!r:.80} is no question of the task")
        if translated.language == languages[translated.id]:
            raise InputError(f"{where}: {translated.language!r} is the own language of question {translated.id!r:.80}")
        other = met.setdefault((translated.id, translated.language), where)
        if other != where:
            raise InputError(
                f"{where}: question {translated.id!r:.80} stands in {translated.language!r} already: {other}"
            )
        found.append(translated)
    return found


def some_rows(file: Path) -> Iterator[Placed]:
    """`question_rows`, at least one."""
    rows = question_rows(file)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{file}: holds no question")
    yield first
    yield from rows


def question_rows(file: Path) -> Iterator[Placed]:
    if file.suffix != ".tsv":
        yield from rows_of(file)
        return
    lines = table_lines(file, len(COLUMNS))
    where, names = next(lines, (f"{file}: line 1", []))
    if sorted(names) != sorted(COLUMNS):
        raise InputError(f"{where}: the column names are {names!r:.100}; {allowed('', COLUMNS)}")
    for where, fields in lines:
        yield where, dict(zip(names, fields, strict=True))


def translators_note(cells: Iterable[tuple[str, str, str]]) -> str:
    """Who translated the questions of each cross-lingual cell, as JSON.

    Of the triples (query language, passage language, translator) comes an object such as
    {"de>sw": "human", "en>sw": "human, nllb"}: by query language > passage language the translators, sorted. A cell
    where the only name is `human` is human, one without it synthetic, one with it and others is both.
    """
    translators: dict[str, set[str]] = {}
    for query_language, passage_language, translator in cells:
        translators.setdefault(f"{query_language}>{passage_language}", set()).add(translator)
    return json.dumps({cell: ", ".join(sorted(names)) for cell, names in sorted(translators.items())})
