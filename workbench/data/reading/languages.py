"""Language codes: ISO 639-1 everywhere, ISO 639-3 for a language that has no code of two letters."""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

import pycountry

from workbench.errors import InputError, allowed

MISTAKEN = {
    # withdrawn codes
    "iw": "he",
    "in": "id",
    "ji": "yi",
    "jw": "jv",
    "mo": "ro",
    # countries taken for languages
    "br-pt": "pt",
    "cn": "zh",
    "cz": "cs",
    "dk": "da",
    "gb": "en",
    "gr": "el",
    "il": "he",
    "jp": "ja",
    "ua": "uk",
    "us": "en",
    "vn": "vi",
    # macrolanguages by their most spoken member
    "arb": "ar",
    "cmn": "zh",
    "pes": "fa",
    "swh": "sw",
    "zsm": "ms",
    # names that the standard writes otherwise
    "farsi": "fa",
    "greek": "el",
    "mandarin": "zh",
}
"""What people write instead of a code, and the code."""


@functools.cache
def known_codes() -> frozenset[str]:
    """Two letters where the standard has them, else three; none that means what another one does."""
    codes = {getattr(language, "alpha_2", language.alpha_3) for language in pycountry.languages}
    return frozenset(codes - MISTAKEN.keys())


@functools.cache
def codes_by_name() -> dict[str, str]:
    """Lower-cased English names, without what stands in brackets: `swahili` is `sw`."""
    named: dict[str, str] = {}
    for language in pycountry.languages:
        if hasattr(language, "alpha_2"):
            for name in (language.name, getattr(language, "common_name", language.name)):
                named[name.partition(" (")[0].casefold()] = language.alpha_2
    return named


def check_language(code: object, where: str) -> str:
    """The code itself.

    Raises
    ------
    InputError
        It is no language code; the message starts with `where` and suggests the likely one.
    """
    if isinstance(code, str) and code in known_codes():
        return code
    meant = likely(code) if isinstance(code, str) else None
    hint = f"; did you mean {meant!r}?" if meant else ""
    raise InputError(
        f"{where}: {code!r:.60} is no language code; allowed: ISO 639-1 (ar, en, zh ...), "
        f"ISO 639-3 where a language has no code of two letters{hint}"
    )


def likely(code: str) -> str | None:
    """The language that somebody meant who wrote this: another standard's code, a locale, an English name."""
    written = code.strip().casefold()
    for form in (written, written.replace("_", "-").partition("-")[0]):
        found = MISTAKEN.get(form) or codes_by_name().get(form) or (form if form in known_codes() else None)
        if found:
            return found
        language = pycountry.languages.get(alpha_3=form) or pycountry.languages.get(bibliographic=form)
        if language is not None:
            return getattr(language, "alpha_2", language.alpha_3)
    return None


def code_of_name(name: str, where: str) -> str:
    """The code of a language that is named in English, such as `swahili`.

    Raises
    ------
    InputError
        There is no such language.
    """
    code = codes_by_name().get(name.casefold()) or MISTAKEN.get(name.casefold())
    if code is None:
        raise InputError(f"{where}: {name!r:.60} is no language; allowed: an English name such as arabic or swahili")
    return code


def name_of(code: str) -> str:
    """The English name of a language, lower-cased: `sw` is `swahili`."""
    return next(name for name, named in codes_by_name().items() if named == code)


def languages_asked_for(
    found: Iterable[str], languages: Sequence[str] | None, where: Path, what: str = "text"
) -> tuple[str, ...]:
    """Those of the languages of a set that are asked for, sorted; None = all. `what` is what a language has.

    Raises
    ------
    InputError
        None is asked for, or one that the set does not have, or it has none; the message starts with `where`.
    """
    have = sorted(found)
    if not have:
        raise InputError(f"{where}: holds no {what} in any language")
    if languages is None:
        return tuple(have)
    if not languages:
        raise InputError(f"{where}: no language is asked for; {allowed('', have)}")
    for language in languages:
        if language not in have:
            raise InputError(f"{where}: holds no {what} in {language!r}; {allowed(language, have)}")
    return tuple(sorted(set(languages)))
