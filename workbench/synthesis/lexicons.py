"""Bilingual lexicons: the first translation of a word, by its lower-cased form."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.data import demo
from workbench.data.reading.languages import check_language, languages_asked_for
from workbench.data.reading.rows import text_lines
from workbench.errors import InputError, allowed
from workbench.records import DEMO_LEXICONS
from workbench.synthesis.words import is_word, split

ENDINGS = (".txt", ".tsv")
DOTLESS = ("az", "tr")
"""Languages in which I is the capital of ı, and İ of i."""


@dataclass(frozen=True)
class Lexicon:
    """From a source language into another one."""

    language: str
    """ISO 639-1, of the translations."""
    translations: Mapping[str, str]
    """Word as `looked_up_as` gives it -> its first translation, which may have several words."""
    several_words: int = 0
    """Entries left out as they are no single word to the splitter, such as `a-bomb`: none would ever be found."""


def looked_up_as(word: str, language: str) -> str:
    """The form in which a word is looked up: lower-cased, composed (NFC), with a straight apostrophe."""
    if language in DOTLESS:
        word = word.replace("I", "ı").replace("İ", "i")
    return word.lower() if word.isascii() else unicodedata.normalize("NFC", word.lower()).replace("’", "'")


def with_capital(text: str, language: str) -> str:
    """The text with a capital as its first letter, where its script has any."""
    first = "İ" if language in DOTLESS and text[:1] == "i" else text[:1].title()  # title: one of ǆ is ǅ, not Ǆ
    return first + text[1:]


def load_lexicons(lexicons: str, source: str, languages: Sequence[str] | None, folder: Path) -> dict[str, Lexicon]:
    """The lexicons from `source` into each of `languages`, by language; none = all that there are.

    Parameters
    ----------
    lexicons
        A folder of files `<source>-<language>.txt` or `.tsv`, in the format of MUSE: in a line a word and a
        translation, with a tab or blanks between; of several lines of a word the first one counts. Or `demo`.
    folder
        What a relative `lexicons` starts from.

    Raises
    ------
    InputError
        There is no such folder or lexicon, or a file is unreadable, not UTF-8, without entries, or has a line that is
        no word and translation. The message names file and line.
    """
    if lexicons == DEMO_LEXICONS:
        return demo_lexicons(source, languages)
    path = folder / lexicons
    files = lexicon_files(path, source)
    wanted = languages_asked_for(files, languages, path, f"lexicon from {source!r}")
    return {language: read_lexicon(files[language], source, language) for language in wanted}


def demo_lexicons(source: str, languages: Sequence[str] | None) -> dict[str, Lexicon]:
    if source != "en":
        raise InputError(f"lexicons: demo: holds no words of {source!r}; allowed: en")
    others = [language for language in demo.LANGUAGES if language != source]
    wanted = languages_asked_for(others, languages, Path("lexicons: demo"), "words")
    return {language: Lexicon(language, demo.lexicon(language)) for language in wanted}


def lexicon_files(path: Path, source: str) -> dict[str, Path]:
    """The files of a folder that are lexicons from `source`, by language."""
    if not path.is_dir():
        there = "is a file" if path.exists() else "there is no such folder"
        raise InputError(f"lexicons: {path}: {there}; allowed: a folder, {DEMO_LEXICONS}")
    found: dict[str, Path] = {}
    named = [file for ending in ENDINGS for file in sorted(path.glob(f"*-*{ending}"))]
    for file in named:
        first, _, language = file.stem.partition("-")
        if first != source:
            continue
        check_language(language, f"{file}: the name")
        if language in found:
            raise InputError(f"{path}: holds {found[language].name} and {file.name}; allowed: one of them")
        found[language] = file
    if not found:
        sources = sorted({file.stem.partition("-")[0] for file in named})
        raise InputError(f"{path}: holds no lexicon from {source!r}; {allowed(source, sources)}")
    return found


def read_lexicon(file: Path, source: str, language: str) -> Lexicon:
    """One file; blank lines are none."""
    translations: dict[str, str] = {}
    several_words: set[str] = set()
    for number, line in text_lines(file):
        if not line or line.isspace():
            continue
        fields = line.split("\t") if "\t" in line else line.split(maxsplit=1)
        word, translation = (field.strip() for field in (fields if len(fields) == 2 else ("", "")))
        if not word or not translation:
            raise InputError(
                f"{file}: line {number}: {line!r:.60} is no entry; allowed: a word and a translation, "
                "with a tab or blanks between"
            )
        form = looked_up_as(word, source)
        if form in translations or form in several_words:
            continue
        if is_word(form) and len(split(form)) == 1:
            translations[form] = translation
        else:
            several_words.add(form)
    if not translations:
        raise InputError(f"{file}: holds no entry of a single word; allowed: lines of a word and a translation")
    return Lexicon(language, translations, len(several_words))
