"""Noise put into synthetic texts on purpose, to measure what it does to training.

The kinds come in this order: `wrong_language`, `untranslated`, `word_drop`, `shuffle`, `truncated`, `misaligned`; each
works on what the one before it left. What happens to a text depends on the seed, the kind, its pair_id, language and
side; other pairs matter only where their texts are taken. What happens at one rate happens at every higher rate too.

Words are those of `workbench.synthesis.words`: where a script sets no blanks between words, a Thai letter with its
marks or a Chinese character is one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.data.pairs import text_keys
from workbench.errors import InputError
from workbench.records import CorruptionSpec
from workbench.synthesis.draws import draw, draws
from workbench.synthesis.versions import Versions
from workbench.synthesis.words import rebuilt, split, word_places

REACH = 1000
"""Pairs that are looked at, at most, for one whose passage is another."""
Side = Sequence[str | None]


class Touched(NamedTuple):
    """How much noise there is."""

    touched: int
    """Rows (`wrong_language`, `misaligned`), texts (`shuffle`, `truncated`) or words."""
    of: int
    """Out of so many."""


class Noisy(NamedTuple):
    """A text with noise in it."""

    text: str
    touched: int
    of: int


Noise = Callable[[str, str, float, int, Sequence[str]], Noisy]
"""Text, its source, rate, seed, names of its stream."""


def corrupted(
    versions: Versions, spec: CorruptionSpec, seed: int
) -> tuple[Versions, Mapping[str, Mapping[str, Touched]]]:
    """The same rows with noise in their texts, and how much: by kind, of those with a rate, and language.

    Only texts that were made are touched; a text never becomes empty. What cannot be touched stays and so lowers the
    realised rate: a text of one word (`shuffle`, `truncated`, and `word_drop` keeps a word of each text), a pair
    without another language (`wrong_language`), or without another passage in its language (`misaligned`).

    Raises
    ------
    InputError
        `wrong_language` with no pair in two languages.
    """
    counts: dict[str, dict[str, Touched]] = {}
    if spec.wrong_language and len(versions):
        versions, touched = wrong_language(versions, spec.wrong_language, seed)
        counts["wrong_language"] = by_language(versions, touched, np.ones(len(versions), int))
    for kind, noise in NOISES.items():
        if rate := getattr(spec, kind):
            versions, touched, of = with_noise(versions, kind, noise, rate, seed)
            counts[kind] = by_language(versions, touched, of)
    if spec.misaligned:
        versions, touched = misaligned(versions, spec.misaligned, seed)
        counts["misaligned"] = by_language(versions, touched, np.ones(len(versions), int))
    return versions, counts


def by_language(versions: Versions, touched: NDArray[np.int_], of: NDArray[np.int_]) -> dict[str, Touched]:
    """The rows' numbers added up."""
    languages = np.array(versions.languages, dtype=object)
    sums = {}
    for language in sorted(set(versions.languages)):
        rows = languages == language
        sums[language] = Touched(int(touched[rows].sum()), int(of[rows].sum()))
    return sums


def with_noise(
    versions: Versions, kind: str, noise: Noise, rate: float, seed: int
) -> tuple[Versions, NDArray[np.int_], NDArray[np.int_]]:
    """Versions, [rows] touched, [rows] out of how many; of a kind that works on one text at a time."""
    touched, of = np.zeros((2, len(versions)), int)
    sides: list[list[str | None]] = []
    for side, texts, sources in (
        ("query", versions.queries, versions.source_queries),
        ("passage", versions.passages, versions.source_passages),
    ):
        made: list[str | None] = []
        names = zip(versions.languages, versions.pair_ids, strict=True)
        for row, (text, source, (language, pair_id)) in enumerate(zip(texts, sources, names, strict=True)):
            if text is None:
                made.append(None)
                continue
            noisy = noise(text, source, rate, seed, (kind, language, side, pair_id))
            made.append(noisy.text)
            touched[row] += noisy.touched
            of[row] += noisy.of
        sides.append(made)
    return versions.with_texts(*sides), touched, of


def untranslated(text: str, source: str, rate: float, seed: int, names: Sequence[str]) -> Noisy:
    """Words give way to the source's word at the same relative place: word i of n to word (i + 1/2) m / n of m.

    Where the source has fewer words, neighbours give way to the same one, which then stands once.
    """
    pieces, source_pieces = split(text), split(source)
    places, source_places = word_places(pieces), word_places(source_pieces)
    if not source_places:
        return Noisy(text, 0, len(places))
    chosen = np.flatnonzero(draws(len(places), seed, *names) < rate).tolist()
    given = [(2 * word + 1) * len(source_places) // (2 * len(places)) for word in chosen]
    changed: dict[int, str] = {}
    for number, (word, other) in enumerate(zip(chosen, given, strict=True)):
        again = number and chosen[number - 1] == word - 1 and given[number - 1] == other
        changed[places[word]] = "" if again else source_pieces[source_places[other]]
    return Noisy(rebuilt(pieces, changed), len(chosen), len(places))


def word_drop(text: str, source: str, rate: float, seed: int, names: Sequence[str]) -> Noisy:
    """Words are left out, but one word stays."""
    pieces = split(text)
    places = word_places(pieces)
    if not places:
        return Noisy(text, 0, 0)
    drawn = draws(len(places), seed, *names)
    chosen = drawn < rate
    chosen[np.argmax(drawn)] = False  # the last to go as the rate rises
    left_out = {places[word]: "" for word in np.flatnonzero(chosen).tolist()}
    return Noisy(rebuilt(pieces, left_out), len(left_out), len(places))


def shuffle(text: str, source: str, rate: float, seed: int, names: Sequence[str]) -> Noisy:
    """The words change places within a window of three: none moves by more than two places.

    Word i goes where i + U(0, 3) ranks (Lample et al., arXiv 1711.00043, section 2.3). Where that leaves the text as
    it was, the first two neighbours that differ change places.
    """
    kind, *text_names = names
    if draw(seed, *names) >= rate:
        return Noisy(text, 0, 1)
    pieces = split(text)
    places = word_places(pieces)
    words = [pieces[place] for place in places]
    order = np.argsort(np.arange(len(words)) + 3 * draws(len(words), seed, f"{kind} order", *text_names), kind="stable")
    shuffled = [words[word] for word in order.tolist()]
    if shuffled == words:
        first = next((word for word in range(len(words) - 1) if words[word] != words[word + 1]), None)
        if first is None:
            return Noisy(text, 0, 1)
        shuffled[first : first + 2] = words[first + 1], words[first]
    return Noisy(rebuilt(pieces, dict(zip(places, shuffled, strict=True))), 1, 1)


def truncated(text: str, source: str, rate: float, seed: int, names: Sequence[str]) -> Noisy:
    """The text ends after one of its words but the last, any of them alike."""
    kind, *text_names = names
    if draw(seed, *names) >= rate:
        return Noisy(text, 0, 1)
    pieces = split(text)
    places = word_places(pieces)
    if len(places) < 2:
        return Noisy(text, 0, 1)
    last = places[int(draw(seed, f"{kind} place", *text_names) * (len(places) - 1))]
    return Noisy("".join(pieces[: last + 1]), 1, 1)


NOISES: Mapping[str, Noise] = {
    "untranslated": untranslated,
    "word_drop": word_drop,
    "shuffle": shuffle,
    "truncated": truncated,
}


def wrong_language(versions: Versions, rate: float, seed: int) -> tuple[Versions, NDArray[np.int_]]:
    """Versions, and [rows] whether a row has the texts of the same pair in another language.

    The languages of a pair stand in a circle, in an order drawn for it, and a row has the texts of the next one; so
    at rate 1 the versions of a pair change places, and none stands twice.
    """
    rows_of: dict[str, list[int]] = {}
    for row, pair_id in enumerate(versions.pair_ids):
        rows_of.setdefault(pair_id, []).append(row)
    if all(len({versions.languages[row] for row in rows}) < 2 for rows in rows_of.values()):
        raise InputError(
            f"corruption.wrong_language: {rate:g} with no pair in two synthetic languages, but in "
            f"{', '.join(sorted(set(versions.languages)))}; allowed: 0, or two languages or more"
        )
    queries, passages = list(versions.queries), list(versions.passages)
    touched = np.zeros(len(versions), int)
    for pair_id, rows in rows_of.items():
        circle = sorted(rows, key=lambda row: draw(seed, "wrong_language order", versions.languages[row], pair_id))
        for place, row in enumerate(circle):
            if draw(seed, "wrong_language", versions.languages[row], pair_id) >= rate:
                continue
            others = (*circle[place + 1 :], *circle[:place])
            other = next((other for other in others if replaces(versions, row, other)), None)
            if other is not None:
                queries[row], passages[row] = versions.queries[other], versions.passages[other]
                touched[row] = 1
    return versions.with_texts(queries, passages), touched


def replaces(versions: Versions, row: int, other: int) -> bool:
    """Whether the other row is in another language, has the same sides and other texts."""
    texts, others = ((versions.queries[r], versions.passages[r]) for r in (row, other))
    same_sides = [text is None for text in texts] == [text is None for text in others]
    return versions.languages[row] != versions.languages[other] and same_sides and texts != others


def misaligned(versions: Versions, rate: float, seed: int) -> tuple[Versions, NDArray[np.int_]]:
    """Versions, and [rows] whether a row has the passage of another pair; where no passage was made, the query.

    The pairs of a language stand in a circle, in an order drawn for it, and a row takes the passage of the next one
    that differs from it in both texts, as made and in the source: else the pair might still be a true one. So at rate
    1 the passages of a language change places.
    """
    queries, passages = list(versions.queries), list(versions.passages)
    touched = np.zeros(len(versions), int)
    groups: dict[tuple[str, bool], list[int]] = {}
    for row, (language, passage) in enumerate(zip(versions.languages, versions.passages, strict=True)):
        groups.setdefault((language, passage is None), []).append(row)
    for (language, no_passage), rows in groups.items():
        taken = queries if no_passage else passages
        before = tuple(taken)
        for row, other in others_passages(versions.take(rows), language, rate, seed):
            taken[rows[row]] = before[rows[other]]
            touched[rows[row]] = 1
    return versions.with_texts(queries, passages), touched


def others_passages(versions: Versions, language: str, rate: float, seed: int) -> Iterator[tuple[int, int]]:
    """Rows of one language that are misaligned, each with the row whose passage it takes."""
    count = len(versions)
    ids = versions.pair_ids
    circle = np.array(
        sorted(range(count), key=lambda row: (draw(seed, "misaligned order", language, ids[row]), ids[row]))
    )
    made = (
        [text if text is not None else source for text, source in zip(texts, sources, strict=True)]
        for texts, sources in (
            (versions.queries, versions.source_queries),
            (versions.passages, versions.source_passages),
        )
    )
    columns = (*made, versions.source_queries, versions.source_passages)
    keys = np.stack([text_keys(column) for column in columns])[:, circle]  # of the texts by their place in the circle
    chosen = [draw(seed, "misaligned", language, ids[row]) < rate for row in circle.tolist()]
    waiting = np.flatnonzero(chosen)
    for step in range(1, min(count, REACH + 1)):
        others = (waiting + step) % count
        differ = (keys[:, waiting] != keys[:, others]).all(axis=0)
        yield from zip(circle[waiting[differ]].tolist(), circle[others[differ]].tolist(), strict=True)
        waiting = waiting[~differ]
        if not len(waiting):
            return
