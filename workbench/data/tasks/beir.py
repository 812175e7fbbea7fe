"""The user's own benchmark, in the form of BEIR and MTEB: several relevant passages a query, with grades.

`beir_files` says how a folder is laid out. Where the languages come from:

- Every passage and every query has `language` (or `lang`): one folder holds all languages. A passage id stands once; a
  query id may stand once in each language, and is then one question in several languages.
- A subfolder for each language (`en`: queries and passages) or pair (`ar-en`: queries in ar, passages in en).
- Neither: the caller names the one language.

With subfolders, candidates are named `<language>:<id>`. Equal ids and texts in folders of one passage language are one
candidate, and the language's pool is all of them together. A query id that stands in several folders is one question
where they show it: the same text in one query language, or the same relevant passages, with the same grades, in one
passage language, directly or through a third folder, and nowhere two different ones. Where they do not show it for
every such id, ids mean different questions in different folders, and each is named `<first of its folders>:<id>`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from workbench.data.reading.languages import check_language, languages_asked_for
from workbench.data.task import RetrievalTask
from workbench.data.tasks.beir_files import (
    Benchmark,
    Text,
    benchmark_names,
    find_benchmark,
    grades,
    passages,
    questions,
)
from workbench.data.tasks.building import JudgedQuestion, Pool, as_task, unique
from workbench.data.tasks.lareqa import components
from workbench.errors import InputError

Named = tuple[str, str]
"""A passage: its language and its id."""


@dataclass(frozen=True)
class Asked:
    """A query as one folder has it."""

    folder: str
    id: str
    texts: dict[str, str]
    """By language."""
    relevant: dict[Named, int]
    """Those that are relevant, and their grades."""


@dataclass
class Gathered:
    """What has been read so far."""

    wanted: frozenset[str] | None
    """Languages to keep; None = all."""
    passages: dict[Named, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    languages: set[str] = field(default_factory=set)
    """All that were met."""
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    """Language -> folder -> passages there."""

    def keeps(self, language: str) -> bool:
        return self.wanted is None or language in self.wanted


def load_beir(name: str, path: Path, languages: Sequence[str] | None = None, split: str | None = None) -> RetrievalTask:
    """Read a task.

    A query without a relevant passage in the languages taken is left out; `notes` says how many there are.

    Parameters
    ----------
    languages
        Those to take; none = all. Where the files do not say what their language is: that one.
    split
        Whose judgements to take; none = test.

    Raises
    ------
    InputError
        A part is missing or unreadable, a row lacks a key or its language, an id comes twice, a judgement names what
        is not there, a language is empty. The message names file and line.
    """
    names = benchmark_names(path)
    split = split or "test"
    if names == [""]:
        gathered = read_one(path, languages, split)
        wanted = languages_asked_for(gathered.languages, languages, path)
        merged = {asked.id: [asked] for asked in gathered.asked if asked.relevant and asked.texts}
        return gathered_task(name, path, wanted, languages is not None, gathered, merged, prefixed=False)
    pairs = {folder: pair_of(folder, path) for folder in names}
    wanted = languages_asked_for({language for pair in pairs.values() for language in pair}, languages, path)
    gathered = Gathered(None)
    for folder, (query_language, passage_language) in pairs.items():
        if {query_language, passage_language} <= set(wanted):
            read(find_benchmark(path, folder, split), query_language, passage_language, gathered)
    merged = linked([asked for asked in gathered.asked if asked.relevant])
    return gathered_task(name, path, wanted, True, gathered, merged, prefixed=True)


def pair_of(folder: str, path: Path) -> tuple[str, str]:
    """Query language and passage language of a subfolder."""
    first, dash, second = folder.partition("-")
    where = f"{path / folder}: the folder's name, a language or a pair such as ar-en"
    query_language = check_language(first, where)
    return query_language, check_language(second, where) if dash else query_language


# reading


def read_one(path: Path, languages: Sequence[str] | None, split: str) -> Gathered:
    """A folder that is one benchmark; its rows say what their language is, or the caller does."""
    benchmark = find_benchmark(path, "", split)
    gathered = Gathered(None if languages is None else frozenset(languages))
    firsts = (next(passages(benchmark), None), next(questions(benchmark), None))
    if any(first is not None and first.language is not None for first in firsts):
        read(benchmark, None, None, gathered)
    elif languages is not None and len(set(languages)) == 1:
        language = check_language(languages[0], f"{path}: languages")
        read(benchmark, language, language, gathered)
    else:
        raise InputError(
            f"{path}: nothing says what languages its texts are in; allowed: one language in the task's 'languages', "
            "a 'language' key in every passage and query, or a subfolder for each language or pair of languages"
        )
    return gathered


def read(benchmark: Benchmark, query_language: str | None, passage_language: str | None, gathered: Gathered) -> None:
    """Add a folder's content; the languages are None where the rows say them."""
    languages: dict[str, str] = {}
    for passage in passages(benchmark):
        if passage.id in languages:
            raise InputError(f"{passage.where}: id {passage.id!r} stands in the corpus already")
        language = languages[passage.id] = language_of(passage, passage_language)
        add_passage(passage, language, benchmark.name, gathered)
    texts: dict[str, dict[str, str]] = {}
    for question in questions(benchmark):
        language = language_of(question, query_language)
        if language in texts.setdefault(question.id, {}):
            raise InputError(f"{question.where}: id {question.id!r} stands in the queries already, in {language!r}")
        texts[question.id][language] = question.text
    for found, files, what in ((languages, benchmark.corpus, "passage"), (texts, benchmark.queries, "query")):
        if not found:
            raise InputError(f"{files[0]}: holds no {what}")
    judged = grades(benchmark, texts, languages)
    gathered.languages.update(languages.values(), *texts.values())
    for query_id, versions in texts.items():
        kept = {language: text for language, text in versions.items() if gathered.keeps(language)}
        relevant = {
            (languages[i], i): grade
            for i, grade in judged.get(query_id, {}).items()
            if grade >= 1 and gathered.keeps(languages[i])
        }
        if kept:
            gathered.asked.append(Asked(benchmark.name, query_id, kept, relevant))


def add_passage(passage: Text, language: str, folder: str, gathered: Gathered) -> None:
    if not gathered.keeps(language):
        return
    if gathered.passages.setdefault((language, passage.id), passage.text) != passage.text:
        raise InputError(
            f"{passage.where}: id {passage.id!r} has another text in an earlier folder with passages in {language!r}"
        )
    sizes = gathered.sizes.setdefault(language, {})
    sizes[folder] = sizes.get(folder, 0) + 1


def language_of(text: Text, expected: str | None) -> str:
    """What the row says, or what is said for the whole file; where both do, they agree."""
    if text.language is None:
        if expected is None:
            raise InputError(f"{text.where}: 'language' is missing; other rows have it, so every row must")
        return expected
    language = check_language(text.language, f"{text.where}: 'language'")
    if expected not in (None, language):
        raise InputError(f"{text.where}: 'language' is {language!r}, but the folder's is {expected!r}")
    return language


# questions in several folders


def linked(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    """The questions by their ids in the task, each with all that the folders have of it."""
    of_id: dict[str, list[Asked]] = {}
    for query in asked:
        of_id.setdefault(query.id, []).append(query)
    groups = {query_id: same_questions(queries) for query_id, queries in of_id.items()}
    plain = all(len(parts) == 1 for parts in groups.values())
    return {
        query_id if plain else f"{part[0].folder}:{query_id}": part
        for query_id, parts in groups.items()
        for part in parts
    }


def same_questions(queries: Sequence[Asked]) -> list[list[Asked]]:
    """Queries of one id, those together that are the same question."""
    parts: dict[int, list[Asked]] = {}
    for query, number in zip(queries, components([signs(query) for query in queries]), strict=True):
        parts.setdefault(number, []).append(query)
    return [group for part in parts.values() for group in ([part] if agree(part) else [[query] for query in part])]


def signs(query: Asked) -> list[str]:
    """What tells that queries of two folders are one question: its text, its relevant passages."""
    return [
        *(f"asked in {language}: {text}" for language, text in query.texts.items()),
        f"relevant: {sorted(query.relevant.items())}",
    ]


def agree(queries: Sequence[Asked]) -> bool:
    """Whether no two have different texts in one language, or different relevant passages in one."""
    texts = {pair for query in queries for pair in query.texts.items()}
    relevants = {tuple(sorted(query.relevant.items())) for query in queries}
    return all(
        len({language for language, _ in known}) == len(known)
        for known in (texts, {(relevant[0][0][0], relevant) for relevant in relevants})
    )


# all together


def gathered_task(
    name: str,
    path: Path,
    languages: Sequence[str],
    asked_for: bool,
    gathered: Gathered,
    merged: dict[str, list[Asked]],
    prefixed: bool,
) -> RetrievalTask:
    """Passages and questions as a task; of the languages, those that have any, or an error if they were asked for."""
    if not merged:
        raise InputError(f"{path}: no query has a relevant passage in {', '.join(languages)}")
    used = {language for language, _ in gathered.passages}
    used.update(language for queries in merged.values() for query in queries for language in query.texts)
    for language in languages:
        if asked_for and language not in used:
            raise InputError(f"{path}: {language!r} is empty: no passage, and no query with a relevant passage")
    kept = [language for language in languages if language in used]
    pool, places = as_pool(kept, gathered.passages, prefixed)
    joined = {query_id: joined_question(queries, pool, places) for query_id, queries in merged.items()}
    return as_task(name, kept, pool, joined, notes_of(gathered))


def joined_question(queries: Sequence[Asked], pool: Pool, places: dict[Named, int]) -> JudgedQuestion:
    """What the folders have of a question; its first relevant passage stands for the paragraph, of which they tell
    nothing: questions on one passage are not independent."""
    texts = {language: text for query in queries for language, text in query.texts.items()}
    relevant = {places[passage]: grade for query in queries for passage, grade in query.relevant.items()}
    first = pool.candidate_ids[min(relevant)]
    return JudgedQuestion(texts, relevant, first, first)


def as_pool(languages: Sequence[str], passages: dict[Named, str], prefixed: bool) -> tuple[Pool, dict[Named, int]]:
    """The candidates, ids ascending, and the place of each passage among them."""
    named = sorted((f"{language}:{i}" if prefixed else i, (language, i)) for language, i in passages)
    texts, candidates = unique([passages[passage] for _, passage in named])
    columns = [languages.index(language) for _, (language, _) in named]
    pool = Pool(tuple(i for i, _ in named), np.array(columns, np.int16), candidates, texts)
    return pool, {passage: place for place, (_, passage) in enumerate(named)}


def notes_of(gathered: Gathered) -> dict[str, str]:
    notes = {}
    if unanswered := sum(not asked.relevant for asked in gathered.asked):
        notes["queries without relevant"] = str(unanswered)
    if blank := sum(not text for text in gathered.passages.values()):
        notes["passages without text"] = str(blank)
    for language, sizes in sorted(gathered.sizes.items()):
        together = sum(1 for other, _ in gathered.passages if other == language) if len(sizes) > 1 else 0
        if any(size < together for size in sizes.values()):
            notes[f"pool {language}"] = f"the passages of {', '.join(sizes)} together: {together:,}"
    return notes
