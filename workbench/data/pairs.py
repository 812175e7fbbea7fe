"""Parallel training pairs: the same query-passage pair in several languages."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ParallelPairs:
    """One training set in memory. Equal texts are held once and named by their index."""

    name: str
    languages: tuple[str, ...]
    """ISO 639-1, sorted; the columns below."""
    pair_ids: Sequence[str]
    """[pairs], unique."""
    texts: Sequence[str]
    """[texts], unique."""
    queries: NDArray[np.int32]
    """[pairs, languages] index into `texts`, -1 where the pair does not exist in the language."""
    passages: NDArray[np.int32]
    """[pairs, languages] likewise; -1 exactly where `queries` is."""
    negatives: NDArray[np.int32]
    """[pairs, languages] the hard negative passage, -1 where there is none."""

    @property
    def has(self) -> NDArray[np.bool_]:
        """[pairs, languages] whether the pair exists in the language."""
        return self.queries >= 0


def normalised(text: str) -> str:
    """The form in which two texts count as the same: NFKC, case folded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def text_keys(texts: Sequence[str]) -> NDArray[np.int32]:
    """[texts] the same number for texts that are equal once normalised."""
    seen: dict[str, int] = {}
    return np.fromiter((seen.setdefault(normalised(t), len(seen)) for t in texts), np.int32, len(texts))


def text_groups(pairs: ParallelPairs, keys: NDArray[np.int32]) -> NDArray[np.int64]:
    """[pairs] the same number for pairs that share a normalised query, or a normalised passage, in any language.

    Sharing is passed on: where a shares with b and b with c, all three have one number, the row of the first of
    them. Two pairs of different groups thus never repeat a text, whichever languages are drawn for them. `keys` are
    the set's `text_keys`.
    """
    groups = np.arange(len(pairs.pair_ids))
    rows = np.tile(np.nonzero(pairs.has)[0], 2)
    texts = np.concatenate([keys[pairs.queries[pairs.has]], keys[pairs.passages[pairs.has]] + len(keys)])
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


def hash_order(pair_ids: Sequence[str]) -> NDArray[np.int64]:
    """[pairs] the rows in a shuffled order that depends on nothing but the pair_ids themselves."""
    digests = [hashlib.blake2b(i.encode("utf-8", "surrogatepass"), digest_size=8).digest() for i in pair_ids]
    return np.argsort(np.frombuffer(b"".join(digests), ">u8"), kind="stable")


def first_pairs(pairs: ParallelPairs, count: int) -> ParallelPairs:
    """The first `count` pairs of the hash order, or all: a smaller share is a part of every larger one."""
    return select(pairs, np.sort(hash_order(pairs.pair_ids)[:count]))


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
