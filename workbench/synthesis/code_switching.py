"""Code-switching: words of a text replaced by their translations from bilingual lexicons (arXiv 2305.05295, section 3).

Each word, independently with probability p, is looked up and replaced by its first translation; a word without an
entry stays, and so does all that stands between words. The paper took nearest neighbours in an embedding space for
translations; here they are a dictionary's.

A text in which no word changed is a copy of its source, and a pair of which both texts are is not synthetic: no
version of it is made. Where one text of a pair changed, the other one, even if a copy, stands beside it: at a low p
that is what code-switching is. Counts and rates are over all texts, those of pairs without a version too, so that a
realised rate is to be compared with p.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from workbench.errors import InputError
from workbench.records import MIXED_LANGUAGES, CodeSwitchingSpec
from workbench.synthesis.draws import draws
from workbench.synthesis.lexicons import Lexicon, looked_up_as, with_capital
from workbench.synthesis.versions import Versions
from workbench.synthesis.words import rebuilt, split, word_places


@dataclass(frozen=True)
class SwitchCount:
    """What code-switching into one language came to, over all pairs that it was given.

    Multilingual: a word counts for the language that was drawn for it, and a pair or a text for each language that it
    has words of; a last count, of `mul`, is over all languages.
    """

    language: str
    pairs: int
    """Given."""
    texts: int
    """Of the sides that are switched."""
    switched_pairs: int
    """In which a word changed; the others have no version."""
    switched_texts: int
    """In which a word changed; the others are copies of their source."""
    words: int
    looked_up: int
    """By chance p."""
    found: int
    """Have an entry."""
    replaced: int
    """By something else: some words are the same in both languages."""

    @property
    def switch_rate(self) -> float | None:
        """Share of the words that were replaced; None without words."""
        return self.replaced / self.words if self.words else None

    @property
    def coverage(self) -> float | None:
        """Share of the words looked up that the lexicon has; None where none was looked up."""
        return self.found / self.looked_up if self.looked_up else None


@dataclass
class Tally:
    """The counts of a `SwitchCount` in the making."""

    switched_pairs: int = 0
    switched_texts: int = 0
    words: int = 0
    looked_up: int = 0
    found: int = 0
    replaced: int = 0


@dataclass(frozen=True)
class SourceText:
    """A text to be switched, split once for all languages."""

    side: str
    pieces: Sequence[str]
    places: Sequence[int]
    """Of the words among the pieces."""
    forms: Sequence[str]
    """The words as they are looked up."""


@dataclass(frozen=True)
class Target:
    """What a version takes its words from."""

    language: str
    """Of the version."""
    lexicons: Sequence[Lexicon]
    """One, or several to draw from for each word."""


def code_switched(
    pair_ids: Sequence[str],
    queries: Sequence[str],
    passages: Sequence[str],
    lexicons: Mapping[str, Lexicon],
    spec: CodeSwitchingSpec,
    source: str,
    seed: int,
) -> tuple[Versions, list[SwitchCount]]:
    """Versions of the pairs, and what it came to in each language.

    Bilingual, a pair has a version for each lexicon; multilingual, one of language `mul`. What becomes of a text
    depends on nothing but itself, its pair_id and side, the seed and the language (multilingual: the languages), and
    the words that change at one p change at every higher one.

    Parameters
    ----------
    pair_ids, queries, passages
        [pairs], texts in `source`. A side that is not switched is None in the versions.
    lexicons
        From `source`, by language.

    Raises
    ------
    InputError
        Multilingual with a single language.
    """
    targets = targets_of(lexicons, spec)
    tallies = {language: Tally() for language in (*sorted(lexicons), *(target.language for target in targets))}
    switched_sides = ("query", "passage") if spec.sides == "both" else (spec.sides,)
    rows: list[tuple[str | None, ...]] = []
    for pair_id, query, passage in zip(pair_ids, queries, passages, strict=True):
        sides = {"query": query, "passage": passage}
        texts = [source_text(side, sides[side], source) for side in switched_sides]
        for target in targets:
            made = switched(pair_id, texts, target, spec.p, seed, tallies)
            if made:
                rows.append((pair_id, target.language, made.get("query"), made.get("passage"), query, passage))
    if spec.mode == "multilingual":
        add_up(tallies)
    given = len(pair_ids), len(pair_ids) * len(switched_sides)
    counts = [SwitchCount(language, *given, **asdict(tally)) for language, tally in tallies.items()]
    columns: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else [()] * len(fields(Versions))
    return Versions(*columns), counts


def targets_of(lexicons: Mapping[str, Lexicon], spec: CodeSwitchingSpec) -> list[Target]:
    sorted_lexicons = [lexicons[language] for language in sorted(lexicons)]
    if spec.mode == "bilingual":
        return [Target(lexicon.language, [lexicon]) for lexicon in sorted_lexicons]
    if len(lexicons) < 2:
        raise InputError(
            f"code_switching.mode: 'multilingual' with words of {', '.join(lexicons) or 'no language'} alone; allowed: "
            "two languages or more, or bilingual"
        )
    return [Target(MIXED_LANGUAGES, sorted_lexicons)]


def add_up(tallies: Mapping[str, Tally]) -> None:
    """The words of all languages; pairs and texts, which may have words of several, were counted for `mul` too."""
    for kind in ("words", "looked_up", "found", "replaced"):
        setattr(tallies[MIXED_LANGUAGES], kind, sum(getattr(tally, kind) for tally in tallies.values()))


def source_text(side: str, text: str, source: str) -> SourceText:
    pieces = split(text)
    places = word_places(pieces)
    return SourceText(side, pieces, places, [looked_up_as(pieces[place], source) for place in places])


def switched(
    pair_id: str, texts: Sequence[SourceText], target: Target, p: float, seed: int, tallies: Mapping[str, Tally]
) -> dict[str, str] | None:
    """The texts of a pair by side, None where no word changed; counted in the tallies, which go by language."""
    made: dict[str, str] = {}
    of_pair: set[str] = set()
    for text in texts:
        changes, of_text = changed_words(pair_id, text, target, p, seed, tallies)
        made[text.side] = rebuilt(text.pieces, changes)
        for language in of_text:
            tallies[language].switched_texts += 1
        of_pair |= of_text
    for language in of_pair:
        tallies[language].switched_pairs += 1
    return made if of_pair else None


def changed_words(
    pair_id: str, text: SourceText, target: Target, p: float, seed: int, tallies: Mapping[str, Tally]
) -> tuple[dict[int, str], set[str]]:
    """Places and new words of a text, and the languages that it so becomes one of."""
    names = (target.language, text.side, pair_id)
    count = len(text.places)
    looked_up = np.flatnonzero(draws(count, seed, "switch", *names) < p).tolist()
    drawn = [0] * count
    if len(target.lexicons) > 1:
        drawn = (draws(count, seed, "language", *names) * len(target.lexicons)).astype(int).tolist()
    for number, lexicon in enumerate(target.lexicons):
        tallies[lexicon.language].words += drawn.count(number)
    changes: dict[int, str] = {}
    languages: set[str] = set()
    for word in looked_up:
        lexicon = target.lexicons[drawn[word]]
        tally = tallies[lexicon.language]
        tally.looked_up += 1
        translation = lexicon.translations.get(text.forms[word])
        if translation is None:
            continue
        tally.found += 1
        if translation.lower() != text.forms[word]:
            tally.replaced += 1
            place = text.places[word]
            capital = text.pieces[place][0].isupper()
            changes[place] = with_capital(translation, lexicon.language) if capital else translation
            languages |= {lexicon.language, target.language}
    return changes, languages
