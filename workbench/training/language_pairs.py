"""The languages of the pairs in a batch whose pairs may be in several."""

import numpy as np
from numpy.typing import NDArray

from workbench.records import MIXED_LANGUAGES
from workbench.training.sources import Origin, Source


def language_pairs(
    kind: str,
    alpha: float,
    source: Source,
    rows: NDArray[np.int64],
    origins: NDArray[np.int64],
    draws: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[batch], [batch] the languages of queries and passages: uniformly among those that the pair can be drawn with.

    Parameters
    ----------
    kind
        `pooled`, `cross` or `mixed`.
    draws
        [3, batch] in [0, 1): for the query's language, the passage's, and whether a `mixed` pair is in one language.
    """
    mixed = source.languages.index(MIXED_LANGUAGES) if MIXED_LANGUAGES in source.languages else None
    table = np.zeros((len(rows), len(source.languages), len(source.languages)), np.bool_)
    for origin in map(Origin, np.unique(origins).tolist()):
        at = origins == origin
        table[at] = source.sides(origin, rows[at]).table(mixed)
    diagonal = np.eye(len(source.languages), dtype=np.bool_)
    if kind != "pooled" and mixed is not None:
        table[:, mixed, mixed] = False
    same, two = table & diagonal, table & ~diagonal
    if kind == "mixed":
        lone = ~two.any(axis=(1, 2))
        as_same = (draws[2] < alpha) & same.any(axis=(1, 2)) | lone
        chosen = np.where(as_same[:, None, None], same, two)
    else:
        chosen = same if kind == "pooled" else two
    ways = chosen.sum(axis=2)
    # the query's language in proportion to the passages' that go with it: all ways come equally often
    first = (np.cumsum(ways, axis=1) <= (draws[0] * ways.sum(axis=1))[:, None].astype(int)).sum(axis=1)
    left = chosen[np.arange(len(rows)), first]
    return first, nth_true(left, (draws[1] * left.sum(axis=1)).astype(int))


def nth_true(has: NDArray[np.bool_], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """[rows] the column of each row's n-th true value, n from 0."""
    return (np.cumsum(has, axis=1) == places[:, None] + 1).argmax(axis=1)
