"""Training pairs from SQuAD (arXiv 1606.05250) and its machine translations, parallel by question id.

What is found in a folder, at any depth, is told by its name:

- `train-v1.1.json`, and `plain_text/train-*.parquet` as on dataset hubs: SQuAD, in English;
- `ar_squad-translate-train-train-v1.1.json`, and `mlqa-translate-train.ar/train-*.parquet`: MLQA's translations
  (arXiv 1910.07475);
- `squad.translate.train.en-ar.json`: XTREME's (arXiv 2003.11080), for XQuAD;
- `ar.json`, `ar.jsonl`, `ar.parquet`, and `ar/train-*.parquet`: the user's own.

An answer must stand in its paragraph. In machine translations, files and folders with `translate` in their names, it
may have been lost: such a question is left out, as the makers of MLQA's did with most of theirs.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from workbench.data.pairs import ParallelPairs, Texts, capped
from workbench.data.reading.languages import check_language, languages_asked_for
from workbench.data.reading.rows import data_files
from workbench.data.reading.squad_shape import Span, sentences, squad_rows, trimmed
from workbench.data.training_sets.gathering import PairRows
from workbench.errors import InputError

ENDINGS = (".json", ".jsonl", ".jsonl.gz", ".parquet")
ENGLISH = re.compile(r"train-v[12]\.[01]\.json|plain_text")
TRANSLATED = re.compile(
    r"([a-z]{2,3})_squad-translate-train-train-v1\.1\.json"
    r"|squad\.translate\.train\.en-([a-z]{2,3})\.json"
    r"|mlqa-translate-train\.([a-z]{2,3})"
)
OWN = re.compile(r"([a-z]{2,3})(?:\.(?:json|jsonl|jsonl\.gz|parquet))?")
HUB_TABLE = re.compile(r"train(?:-.*)?\.parquet")
"""A table on a hub: its folder's name tells the language."""


@dataclass(frozen=True)
class Answers:
    """Where answers stand, by language."""

    first: dict[tuple[str, str], Span] = field(default_factory=dict)
    """The first answer of a question, by language and question id."""
    all: dict[tuple[str, str], set[Span]] = field(default_factory=lambda: defaultdict(set))
    """All answers in a paragraph, by language and paragraph."""


def load_squad_pairs(
    name: str,
    path: Path,
    languages: Sequence[str] | None = None,
    pairs: int | None = None,
    pairs_per_language: int | None = None,
    passage_text: Literal["sentence", "paragraph"] = "sentence",
) -> ParallelPairs:
    """Pairs of a question and the sentence that holds its first answer, or its paragraph, by the question's id.

    Parameters
    ----------
    path
        A folder, or one file; a file whose name tells no language is in the one of `languages`.
    languages
        Those to take; none = all that the folder has.
    pairs, pairs_per_language
        At most so many of the pairs that exist in one of `languages`, and of these in each language: the first in the
        order of a hash of their pair_id.
    passage_text
        Sentences are those of `squad_shape.sentences`, and cut no answer. Neither do they depend on which pairs are
        taken: an answer to any question in a file joins the sentences that it crosses.

    Raises
    ------
    InputError
        No file is found, a language is empty, a file is damaged or truncated, has a question twice, or an answer
        outside its paragraph. The message names file and place.
    """
    files = training_files(path, languages)
    rows, answers, notes = PairRows(), Answers(), []
    wanted = languages_asked_for(files, languages, path)
    for language in wanted:
        met = lost = 0
        for file in files[language]:
            translated = "translate" in f"{file.absolute().parent.name}/{file.name}"
            for where, row in squad_rows(file, places="drop" if translated else "check"):
                met += 1
                answers.all[language, row.context].update(row.spans)
                if row.answers:
                    rows.add(row.id, language, row.question, row.context, None, where)
                    answers.first[language, row.id] = row.spans[0]
                else:
                    lost += 1
        if lost:
            notes.append(
                f"{lost} of {met} questions in {language!r} have no answer in their paragraph and are left out"
            )
    found = capped(rows.as_pairs(name, path, notes, wanted), pairs, pairs_per_language)
    return found if passage_text == "paragraph" else with_sentences(found, answers)


def with_sentences(pairs: ParallelPairs, answers: Answers) -> ParallelPairs:
    """The same pairs, where the passage is the sentence of the first answer in place of the paragraph."""
    texts, split = Texts(), dict[tuple[str, str], list[Span]]()
    queries, passages = np.full_like(pairs.queries, -1), np.full_like(pairs.passages, -1)
    for row, column in zip(*(places.tolist() for places in np.nonzero(pairs.has)), strict=True):
        language = pairs.languages[column]
        question, context = pairs.texts[pairs.queries[row, column]], pairs.texts[pairs.passages[row, column]]
        paragraph = (language, context)
        if paragraph not in split:
            split[paragraph] = sentences(context, language, sorted(answers.all[paragraph]))
        start, _ = trimmed(context, *answers.first[language, pairs.pair_ids[row]])
        sentence = next(context[first:end] for first, end in split[paragraph] if start < end)
        queries[row, column], passages[row, column] = texts.add([question, sentence])
    return replace(pairs, texts=texts.unique, queries=queries, passages=passages)


def training_files(path: Path, languages: Sequence[str] | None) -> dict[str, list[Path]]:
    """The files of each language."""
    if path.is_file():
        language = file_language(path.absolute())
        if language is None and languages is not None and len(languages) == 1:
            language = check_language(languages[0], f"{path}: languages")
        if language is None:
            raise InputError(f"{path}: the name tells no language; allowed: one language in 'languages'")
        return {language: [path]}
    found: dict[str, list[Path]] = {}
    for language, file in named_files(path):
        other = found.setdefault(language, [])
        if other and not (HUB_TABLE.fullmatch(file.name) and other[0].parent == file.parent):
            raise InputError(
                f"{path}: both {other[0].relative_to(path)} and {file.relative_to(path)} are in {language!r}"
            )
        other.append(file)
    if not found:
        raise InputError(
            f"{path}: no name of a file tells its language; allowed: train-v1.1.json (English), "
            "ar_squad-translate-train-train-v1.1.json, squad.translate.train.en-ar.json, ar.json, ar/train-*.parquet"
        )
    return found


def named_files(path: Path) -> Iterator[tuple[str, Path]]:
    for file in data_files(path, ENDINGS):
        language = file_language(file.absolute())
        if language is not None:
            yield language, file


def file_language(file: Path) -> str | None:
    """The language that a training file's name says, or the name of the folder of a hub's table; None where neither."""
    written = file.parent.name if HUB_TABLE.fullmatch(file.name) else file.name
    if ENGLISH.fullmatch(written):
        return "en"
    for form in (TRANSLATED, OWN):
        found = form.fullmatch(written)
        if found:
            code = next(group for group in found.groups() if group)
            return check_language(code, f"{file}: the name")
    return None
