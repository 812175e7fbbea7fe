"""What the statistics work on: a measure's value for every query of every cell, under every run of every arm.

Questions on one paragraph are not independent, so paragraphs (or articles) are the units that are drawn: values are
added up over the queries of a unit in a cell before anything is drawn, and one draw serves all cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.records import Setting

Values = NDArray[np.float64]
NUMBERS_AT_ONCE = 2**22
"""Of a matrix of draws: 32 MiB."""


@dataclass(frozen=True)
class Cell:
    """Where queries of a language are searched for in a pool."""

    setting: Setting
    query_language: str
    pool_language: str


@dataclass(frozen=True)
class ArmValues:
    """An arm's values, one column a seed."""

    arm: str
    seeds: tuple[int, ...]
    """Ascending and unique."""
    values: Values
    """[rows, seeds] the measure of each query, in the rows of the `Sample`."""


@dataclass(frozen=True)
class Sample:
    """The queries that some arms of one task have in common."""

    task: str
    measure: str
    cells: tuple[Cell, ...]
    units: tuple[str, ...]
    """Names of the paragraphs, or articles, that questions are drawn by."""
    cell: NDArray[np.int32]
    """[rows] index into `cells`; every cell has a row."""
    unit: NDArray[np.int32]
    """[rows] index into `units`."""
    arms: tuple[ArmValues, ...]

    @cached_property
    def counts(self) -> Values:
        """[units, cells] queries."""
        return self.sums(np.ones(len(self.cell)))

    @property
    def queries(self) -> Values:
        """[cells] queries."""
        return self.counts.sum(axis=0)

    def sums(self, values: Values) -> Values:
        """[units, cells] the sums of a value of each row."""
        shape = len(self.units), len(self.cells)
        flat = np.bincount(self.unit * shape[1] + self.cell, values, shape[0] * shape[1]).astype(float)
        return flat.reshape(shape)

    def means(self, values: Values) -> Values:
        """[cells] the means of a value of each row."""
        return self.sums(values).sum(axis=0) / self.queries

    def arm(self, name: str) -> ArmValues:
        """The values of an arm.

        Raises
        ------
        InputError
            The sample has none of it.
        """
        for arm in self.arms:
            if arm.arm == name:
                return arm
        raise InputError(f"arm {name!r}: allowed: {', '.join(arm.arm for arm in self.arms)}")


@dataclass(frozen=True)
class Group:
    """Cells whose means are averaged, each counting alike: a setting, the cells that touch a language, one cell."""

    name: str
    weights: Values
    """[cells] of sum 1."""


def group_of(name: str, sample: Sample, chosen: Sequence[bool]) -> Group:
    """The unweighted mean of the cells that are chosen.

    Raises
    ------
    InputError
        There is none.
    """
    weights = np.asarray(chosen, float)
    if not weights.any():
        raise InputError(f"{name}: no cell of {sample.task} is in it")
    return Group(name, weights / weights.sum())


def cell_groups(sample: Sample) -> list[Group]:
    """One for each cell."""
    names = (" ".join((cell.setting, cell.query_language, cell.pool_language)) for cell in sample.cells)
    return [Group(name, row) for name, row in zip(names, np.eye(len(sample.cells)), strict=True)]


def blocks(draws: int, width: int) -> Iterator[range]:
    """The draws, as many at a time as memory allows; `width` = the numbers that a draw takes."""
    size = max(1, NUMBERS_AT_ONCE // width)
    return (range(start, min(start + size, draws)) for start in range(0, draws, size))
