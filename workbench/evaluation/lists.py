"""Result lists of many queries side by side: the best so far, more similarities in, the best again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.evaluation.first_passages import first_columns
from workbench.evaluation.pools import Floats


@dataclass(frozen=True)
class Lists:
    """The best of every query; shorter lists end in -inf and -1."""

    similarities: Floats
    """[queries, depth]"""
    keys: NDArray[np.int32]
    """[queries, depth] what was found."""

    @classmethod
    def empty(cls, queries: int, depth: int) -> Lists:
        return cls(np.full((queries, depth), -np.inf, np.float32), np.full((queries, depth), -1, np.int32))

    def part(self, rows: slice | NDArray[np.integer]) -> Lists:
        return Lists(self.similarities[rows], self.keys[rows])

    def put(self, rows: slice | NDArray[np.integer], lists: Lists) -> None:
        """Overwrite these rows with lists of the same depth."""
        self.similarities[rows], self.keys[rows] = lists.similarities, lists.keys


def best_of(one: Lists, other: Lists, depth: int) -> Lists:
    """The best `depth` of two lists for each query: similarities falling, of equal ones the smaller key first.

    At most `depth` come back: not more than both have.
    """
    similarities = np.concatenate([one.similarities, other.similarities], axis=1)
    keys = np.concatenate([one.keys, other.keys], axis=1)
    if not keys.size:
        return Lists(similarities, keys)
    columns = first_columns(torch.from_numpy(similarities), keys, min(depth, keys.shape[1]), keys.shape[1])
    return Lists(np.take_along_axis(similarities, columns, 1), np.take_along_axis(keys, columns, 1))


def with_block(lists: Lists, block: torch.Tensor, keys: NDArray[np.int32]) -> Lists:
    """The lists after a block of similarities [queries, columns] to the passages `keys` [columns] has passed."""
    queries, depth = lists.keys.shape
    if not queries or not depth:
        return lists
    worst = torch.from_numpy(lists.similarities.min(axis=1, keepdims=True)).to(block.device)
    if block.shape[1] > depth and bool(torch.isinf(worst).any()):
        # lists that are not full take whatever comes, but of this block they need no more than its own best
        worst = torch.maximum(worst, torch.topk(block, depth, dim=1).values[:, -1:])
    at = torch.nonzero(block >= worst, as_tuple=True)
    row, column = (places.cpu().numpy() for places in at)
    entering = np.bincount(row, minlength=queries)
    place = np.arange(len(row)) - np.repeat(np.cumsum(entering) - entering, entering)
    more = Lists.empty(queries, int(entering.max()))
    more.similarities[row, place] = block[at].cpu().numpy()
    more.keys[row, place] = keys[column]
    return best_of(lists, more, depth)
