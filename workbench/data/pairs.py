"""Parallel training pairs: the same query-passage pair in several languages."""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError


@dataclass(frozen=True)
class ParallelPairs:
    """One training set in memory. Equal texts are held once and named by their index."""

    name: str
    languages: tuple[str, ...]
    """ISO 639-1, the columns below, sorted: first those of texts that people wrote, then the synthetic ones, where
    `mul` stands for texts in several languages. Among each, a language stands once."""
    pair_ids: Sequence[str]
    """[pairs], unique."""
    texts: Sequence[str]
    """[texts], unique."""
    queries: NDArray[np.int32]
    """[pairs, languages] index into `texts`, -1 where the pair does not exist in the language."""
    passages: NDArray[np.int32]
    """[pairs, languages] likewise; -1 exactly where `queries` is, but for synthetic columns: there one of the two may
    have been made without the other."""
    negatives: NDArray[np.int32]
    """[pairs, languages] the hard negative passage, -1 where there is none."""
    notes: tuple[str, ...] = ()
    """What a user should know of the reading: rows of the files that were left out, and why."""
    made_by: tuple[str | None, ...] = ()
    """[languages] what made the texts of a column, None = people; empty = people wrote all."""

    @property
    def has(self) -> NDArray[np.bool_]:
        """[pairs, languages] whether the pair exists in the language."""
        return (self.queries >= 0) | (self.passages >= 0)

    @property
    def makers(self) -> tuple[str | None, ...]:
        """[languages] `made_by`, written out."""
        return self.made_by or (None,) * len(self.languages)


def normalised(text: str) -> str:
    """The form in which two texts count as the same: NFKC, case folded, white space collapsed."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # of white space only the plain blank is printable; splitting takes longer than all else and rarely changes a text
    if folded.isprintable() and "  " not in folded and folded[:1] != " " and folded[-1:] != " ":
        return folded
    return " ".join(folded.split())


def text_keys(texts: Sequence[str]) -> NDArray[np.int32]:
    """[texts] the same number for texts that are equal once normalised."""
    seen: dict[str, int] = {}
    return np.fromiter((seen.setdefault(normalised(t), len(seen)) for t in texts), np.int32, len(texts))


def text_groups(pairs: ParallelPairs, keys: NDArray[np.int32]) -> NDArray[np.int64]:
    """[pairs] the same number for pairs that share a normalised query, or passage, that people wrote, in any language.

    Sharing is passed on: where a shares with b and b with c, all three have one number, the row of the first of
    them. Two pairs of different groups thus never repeat such a text, whichever languages are drawn for them.
    Synthetic texts do not count: misaligned ones would tie nearly all pairs together, and the groups of arms with
    other synthetic texts would not be the same. `keys` are the set's `text_keys`.
    """
    groups = np.arange(len(pairs.pair_ids))
    written = np.array([maker is None for maker in pairs.makers], np.bool_)
    asked, answered = ((part >= 0) & written for part in (pairs.queries, pairs.passages))
    rows = np.concatenate([np.nonzero(asked)[0], np.nonzero(answered)[0]])
    texts = np.concatenate([keys[pairs.queries[asked]], keys[pairs.passages[answered]] + len(keys)])
    shared = np.bincount(texts, minlength=2 * len(keys))[texts] > 1
    rows, texts = rows[shared], texts[shared]
    while True:
        # the lowest number spreads over each text's pairs and, so that long chains take few rounds, to their numbers'
        # own rows; then each number is replaced by its number's number
        lowest = np.full(2 * len(keys), len(groups))
        np.minimum.at(lowest, texts, groups[rows])
        lower = groups.copy()
        np.minimum.at(lower, groups[rows], lowest[texts])
        np.minimum.at(lower, rows, lowest[texts])
        lower = lower[lower]
        if np.array_equal(lower, groups):
            return groups
        groups = lower


class Texts:
    """Texts held once each."""

    def __init__(self) -> None:
        self._indexes: dict[str, int] = {}

    def add(self, texts: Iterable[str]) -> list[int]:
        """The index of each."""
        return [self._indexes.setdefault(text, len(self._indexes)) for text in texts]

    @property
    def unique(self) -> tuple[str, ...]:
        return tuple(self._indexes)


def hash_order(pair_ids: Iterable[str]) -> NDArray[np.int64]:
    """[pairs] the rows in a shuffled order that depends on nothing but the pair_ids themselves."""
    digests = (hashlib.blake2b(i.encode("utf-8", "surrogatepass"), digest_size=8).digest() for i in pair_ids)
    return np.argsort(np.fromiter((int.from_bytes(digest, "big") for digest in digests), np.uint64), kind="stable")


def capped(pairs: ParallelPairs, count: int | None = None, per_language: int | None = None) -> ParallelPairs:
    """At most `count` pairs, and of these in each language at most `per_language`: those of `first_cells`."""
    if count is None and per_language is None:
        return pairs
    kept = first_cells(pairs.pair_ids, pairs.has, count, per_language)
    parts = (np.where(kept, part, np.int32(-1)) for part in (pairs.queries, pairs.passages, pairs.negatives))
    queries, passages, negatives = parts
    few = replace(pairs, queries=queries, passages=passages, negatives=negatives)
    return select(few, np.flatnonzero(kept.any(axis=1)))


def first_cells(
    pair_ids: Iterable[str], has: NDArray[np.bool_], count: int | None, per_language: int | None
) -> NDArray[np.bool_]:
    """[pairs, languages] where a set is kept that `has` [pairs, languages], within these bounds; None = no bound.

    First come the pairs: the first `count` of the hash order, of those that exist in a language. Of these, each
    language keeps the first `per_language` that exist in it, in the same order; a pair may so lose some languages.
    """
    if count is None and per_language is None:
        return has
    order = hash_order(pair_ids)
    order = order[has[order].any(axis=1)][:count]
    kept = np.zeros_like(has)
    kept[order] = has[order]
    if per_language is not None:
        kept[order] &= np.cumsum(kept[order], axis=0) <= per_language
    return kept


def select(pairs: ParallelPairs, rows: NDArray[np.int64]) -> ParallelPairs:
    """The pairs in these rows, with the texts that they use and no others."""
    parts = [pairs.queries[rows], pairs.passages[rows], pairs.negatives[rows]]
    used = np.unique(np.concatenate([part[part >= 0] for part in parts]))
    places = np.full(len(pairs.texts) + 1, -1, np.int32)  # the last one is where -1 points
    places[used] = np.arange(len(used))
    queries, passages, negatives = (places[part] for part in parts)
    pair_ids = tuple(pairs.pair_ids[row] for row in rows.tolist())
    texts = tuple(pairs.texts[text] for text in used.tolist())
    return replace(pairs, pair_ids=pair_ids, texts=texts, queries=queries, passages=passages, negatives=negatives)


def hold_out_all(sets: Sequence[ParallelPairs], count: int) -> list[tuple[ParallelPairs, ParallelPairs]]:
    """Training and validation pairs of each set; which ones are held out depends on the pair_ids alone.

    The first `count` pairs of a set's `hash_order` are held out; of those that share texts that people wrote one is
    kept, so that they can all stand in one batch. No training pair of any set has a text of a held-out pair of any
    set (normalised, in any language): pairs that people wrote with one as query or passage stay in their rows but
    exist in no language, so that the rows, and with them the order of the pairs, are the same for any texts. A
    synthetic version with one is dropped, its pair stays; so is a hard negative that is one.

    Raises
    ------
    InputError
        A set would have no pair left to train on, or none held out.
    """
    if count == 0:
        return [(pairs, select(pairs, np.arange(0))) for pairs in sets]
    parts = [split(pairs, count) for pairs in sets]
    held_texts = {text for _, held_out in parts for text in normalised_texts(held_out)}
    return [(without_texts(training, held_texts), held_out) for training, held_out in parts]


def split(pairs: ParallelPairs, count: int) -> tuple[ParallelPairs, ParallelPairs]:
    """All pairs but the first `count` of the hash order; and of these first ones, those that share no text.

    Pairs that exist in no language, as leaks leave them, count among the first, so that the others stay the same.
    """
    if count >= len(pairs.pair_ids):
        raise InputError(
            f"{pairs.name}: train.validation.pairs holds out {count} of its {len(pairs.pair_ids)} pairs; "
            f"allowed: 0 to {len(pairs.pair_ids) - 1}"
        )
    order = hash_order(pairs.pair_ids)
    first = np.sort(order[:count])
    held_out = select(pairs, first[pairs.has[first].any(axis=1)])
    if not len(held_out.pair_ids):
        raise InputError(
            f"{pairs.name}: of the {count} pairs that train.validation.pairs holds out none is left, as all hold texts "
            "of evaluation tasks; train.validation.pairs must be higher"
        )
    first_of_group = np.unique(text_groups(held_out, text_keys(held_out.texts)))
    return select(pairs, np.sort(order[count:])), select(held_out, first_of_group)


def normalised_texts(pairs: ParallelPairs) -> set[str]:
    """The queries and passages, in all languages; not the hard negatives."""
    used = np.unique(np.concatenate([part[part >= 0] for part in (pairs.queries, pairs.passages)]))
    return {normalised(pairs.texts[text]) for text in used.tolist()}


def without_texts(pairs: ParallelPairs, texts: Set[str]) -> ParallelPairs:
    """The same rows; those that people wrote with one of these normalised texts exist in no language.

    What counts are queries and passages. Of synthetic versions those with one do not exist: others of their pair, such
    as those that were not misaligned, stay.

    Raises
    ------
    InputError
        No row exists in any language.
    """
    barred = np.array([normalised(text) in texts for text in pairs.texts] + [False])  # the last is where -1 points
    found = barred[pairs.queries] | barred[pairs.passages]
    written = np.array([maker is None for maker in pairs.makers], np.bool_)
    blank = found | (found & written).any(axis=1, keepdims=True)
    if not (pairs.has & ~blank).any():
        raise InputError(
            f"{pairs.name}: each of its {len(found)} training pairs has a text of a held-out pair; "
            "train.validation.pairs must be lower"
        )
    return replace(
        pairs,
        queries=np.where(blank, np.int32(-1), pairs.queries),
        passages=np.where(blank, np.int32(-1), pairs.passages),
        negatives=np.where(blank | barred[pairs.negatives], np.int32(-1), pairs.negatives),
    )
