"""Leakage: which texts of evaluation tasks stand in the training texts, and which training pairs that concerns.

Every evaluation query and passage is looked up in the training texts (queries, passages, hard negatives) of its
language, over all training sets. It is a **hit** when a training text equals it once normalised, or when at least half
of its distinct n-grams (`ngrams.py`: 8 words for a passage, 5 for a query, or so many characters) stand in the
training texts, whichever of them. A text of less than one n-gram, or of a task that is made from templates, can only be
equal; an empty one is never a hit.

A hit **concerns** the pairs with a text, in that language, that equals it, and those that hold half of its n-grams by
themselves. Where the other pairs together still hold half, it also concerns those that hold its rarest n-gram, and so
on until they do not: a stock phrase that thousands of pairs share is left to them. Without the pairs concerned,
which go in all languages, nothing is a hit any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workbench.data.leaks.leak_search import Column, Counter, Evaluated, Hits, Kind, look_up
from workbench.data.pairs import ParallelPairs
from workbench.data.task import RetrievalTask
from workbench.records import Progress

KINDS: tuple[Kind, ...] = ("query", "passage")
EXAMPLES = 3
"""Kept of each row."""


@dataclass(frozen=True)
class Example:
    """One hit and one pair that it concerns."""

    evaluation_id: str
    """Query id or candidate id."""
    pair_id: str
    evaluation_text: str
    training_text: str
    """Of the pair's texts in the language, the one that has most in common with it."""


@dataclass(frozen=True)
class Overlap:
    """What was found of one task's queries or passages in one language, in one training set."""

    task: str
    training_set: str
    language: str
    kind: Kind
    texts: int
    """Queries or candidates looked up; equal ones are counted each."""
    hits: int
    """Those of them that concern pairs of this set."""
    exact: int
    """Hits that a text of this set equals."""
    pairs: int
    """Pairs of the set that the hits concern."""
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Leakage:
    """The outcome of a check."""

    overlaps: tuple[Overlap, ...]
    """One for each task, training set, common language and kind, those without hits among them; in this order."""
    concerned: tuple[NDArray[np.bool_], ...]
    """By training set: [pairs] whether a hit concerns the pair."""

    @property
    def found(self) -> tuple[Overlap, ...]:
        """The overlaps with hits."""
        return tuple(overlap for overlap in self.overlaps if overlap.hits)


def find_leaks(
    sets: Sequence[ParallelPairs], tasks: Mapping[str, RetrievalTask], progress: Progress | None = None
) -> Leakage:
    """Look the texts of `tasks`, by their names in the run, up in the training sets.

    The outcome depends on the texts alone: processes that train together all find the same. Memory grows with the
    evaluation texts that may be hits and with the pairs, not with the length of the training texts.
    """
    searched = []
    for language in sorted({language for task in tasks.values() for language in task.languages}):
        columns = [Column(number, pairs, language) for number, pairs in enumerate(sets) if language in pairs.languages]
        if columns:
            searched.append((columns, [Evaluated(tasks, language, kind) for kind in KINDS]))
    readings = ((1 + sum(side.is_large for side in sides), columns) for columns, sides in searched)
    counter = Counter(progress, sum(times * column.size for times, columns in readings for column in columns))
    concerned = tuple(np.zeros(len(pairs.pair_ids), np.bool_) for pairs in sets)
    overlaps: list[Overlap] = []
    for columns, sides in searched:
        for side, hits in zip(sides, look_up(sides, columns, counter), strict=True):
            for number, rows in enumerate(concerned):
                rows[hits.pair[hits.training_set == number]] = True
            overlaps += summed_up(side, hits, columns)
    places = {name: place for place, name in enumerate([*tasks, *(pairs.name for pairs in sets)])}
    overlaps.sort(key=lambda one: (places[one.task], places[one.training_set], one.language, KINDS.index(one.kind)))
    return Leakage(tuple(overlaps), concerned)


def summed_up(side: Evaluated, hits: Hits, columns: Sequence[Column]) -> Iterator[Overlap]:
    for place, task in enumerate(side.tasks):
        for column in columns:
            rows = np.flatnonzero((hits.training_set == column.number) & (side.task[hits.text] == place))
            texts, first = np.unique(hits.text[rows], return_index=True)
            yield Overlap(
                task=task,
                training_set=column.pairs.name,
                language=side.language,
                kind=side.kind,
                texts=int(side.uses[side.task == place].sum()),
                hits=int(side.uses[texts].sum()),
                exact=int(side.uses[np.unique(hits.text[rows[hits.exact[rows]]])].sum()),
                pairs=len(np.unique(hits.pair[rows])),
                examples=tuple(
                    example(side, column, int(hits.text[row]), int(hits.pair[row])) for row in rows[first[:EXAMPLES]]
                ),
            )


def example(side: Evaluated, column: Column, place: int, pair: int) -> Example:
    text = side[place]
    return Example(side.name(place), column.pairs.pair_ids[pair], text, column.closest(pair, text, side.size))


def without_concerned(sets: Sequence[ParallelPairs], leakage: Leakage) -> list[ParallelPairs]:
    """The same rows of the same pair_ids; the pairs concerned exist in no language.

    Their rows stay so that the order of the other pairs is that of a training without a check.
    """
    return [blanked(pairs, rows) for pairs, rows in zip(sets, leakage.concerned, strict=True)]


def blanked(pairs: ParallelPairs, rows: NDArray[np.bool_]) -> ParallelPairs:
    parts = (np.where(rows[:, None], np.int32(-1), part) for part in (pairs.queries, pairs.passages, pairs.negatives))
    queries, passages, negatives = parts
    return replace(pairs, queries=queries, passages=passages, negatives=negatives)
