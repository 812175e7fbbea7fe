"""Parallel training pairs: the same query-passage pair in several languages."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

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
