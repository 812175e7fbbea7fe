"""PEER@k, the probability of equal expected ranks (Yang et al., SIGIR 2024, 10.1145/3626772.3657943).

Whether a query's relevant passages of all languages are ranked alike, by a Kruskal-Wallis test: 1 = alike. With one
relevant passage a language its p-value is a constant that says nothing, so it is undefined there.

Of the package `peer_measure` the test itself is called: its measure class does not run with ir_measures 0.4. A relevant
below the first k takes a place after as many as there are relevants, not after k, in version 0.0.1 of the package, and
ranks in the pool are not ranked anew among the relevants; its figures are kept as they are, so that they are those of
others who use it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.samples import Values
from workbench.store.parallel import ParallelRanks

PEER_DEPTHS = (10, 100)
ONE_EACH = "undefined (one relevant per language)"
ONE_LANGUAGE = "undefined (no query has relevant passages in two languages)"
NO_PACKAGE = "not computed: it needs the package peer_measure, pip install 'workbench[peer]'"


def peer_values(ranks: ParallelRanks, depth: int) -> tuple[Values, str]:
    """[rows, runs] PEER@`depth`, NaN where it is undefined; and why it is where no query has a value.

    Defined are queries with two relevant passages or more in each of their languages, which are at least two. All
    grades count as relevant alike.
    """
    values = np.full((len(ranks.query_language), len(ranks.run_ids)), np.nan)
    languages = (ranks.relevants > 0).sum(axis=1)
    defined = (languages > 1) & (ranks.relevants != 1).all(axis=1)
    if not defined.any():
        return values, ONE_EACH if (languages > 1).any() else ONE_LANGUAGE
    test = kruskal()
    if test is None:
        return values, NO_PACKAGE
    for run in range(len(ranks.run_ids)):
        listed = ranks.listed[ranks.listed[:, 0] == run]
        starts = np.searchsorted(listed[:, 1], np.arange(len(values) + 1))
        for row in np.flatnonzero(defined).tolist():
            values[row, run] = equal_ranks(test, listed[starts[row] : starts[row + 1]], depth)
    return values, ONE_EACH


def equal_ranks(test: Callable[..., Any], listed: NDArray[np.int32], depth: int) -> float:
    """The p-value of one query's relevants, [relevants, 4] as in `ParallelRanks.listed`."""
    rank = listed[:, 3]
    placed = np.where((rank > 0) & (rank <= depth), rank, np.nan)
    with np.errstate(invalid="ignore"):  # all ranks equal: 0 / 0
        return float(test(*(placed[listed[:, 2] == language].tolist() for language in np.unique(listed[:, 2])))[1])


def kruskal() -> Callable[..., Any] | None:
    """The package's test of one query; None where it is not installed."""
    try:
        from peer_measure import kruskal as found
    except ImportError:
        return None
    return found
