"""Synthetic versions of training pairs: taken out of a training set, and put into one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs, Texts


@dataclass(frozen=True)
class Versions:
    """Synthetic versions of pairs, one row = one pair in one language, as columns of equal length."""

    pair_ids: Sequence[str]
    languages: Sequence[str]
    """ISO 639-1, or `mul` for words of several languages."""
    queries: Sequence[str | None]
    """None: only the passage was made."""
    passages: Sequence[str | None]
    """None: only the query was made."""
    source_queries: Sequence[str]
    """What they were made from; empty where that is not known."""
    source_passages: Sequence[str]

    def __len__(self) -> int:
        return len(self.pair_ids)

    def take(self, rows: Sequence[int]) -> "Versions":
        """These rows, in this order."""
        return Versions(*([getattr(self, column.name)[row] for row in rows] for column in fields(self)))

    def with_texts(self, queries: Sequence[str | None], passages: Sequence[str | None]) -> "Versions":
        """The same rows with other texts."""
        return replace(self, queries=queries, passages=passages)


def written(pairs: ParallelPairs, language: str, source: str | None = None) -> Versions:
    """The pairs that people wrote in a language, as versions of those in `source`, or of themselves."""
    column = column_of(pairs, language, synthetic=False)
    return of_column(pairs, column, column if source is None else column_of(pairs, source, synthetic=False))


def made(pairs: ParallelPairs, source: str) -> dict[str, Versions]:
    """The synthetic pairs of a set by what made them; `source` is the language that they were made from."""
    column = column_of(pairs, source, synthetic=False)
    found: dict[str, list[Versions]] = {}
    for place, maker in enumerate(pairs.makers):
        if maker is not None:
            found.setdefault(maker, []).append(of_column(pairs, place, column))
    return {maker: joined(parts) for maker, parts in found.items()}


def unsourced(pairs: ParallelPairs, source: str) -> tuple[str, ...]:
    """A note where what was made cannot be compared with a source."""
    if not any(pairs.makers) or len(written(pairs, source)):
        return ()
    return (f"no texts of people in {source!r}: what was made is compared with no source",)


def makers_of(pairs: ParallelPairs) -> dict[str, str]:
    """What made the synthetic texts of each language that has any."""
    return {its: maker for its, maker in zip(pairs.languages, pairs.makers, strict=True) if maker is not None}


def joined(parts: Sequence[Versions]) -> Versions:
    """The rows of all, one after the other."""
    return Versions(*([value for part in parts for value in getattr(part, each.name)] for each in fields(Versions)))


def column_of(pairs: ParallelPairs, language: str, *, synthetic: bool) -> int | None:
    """Where a set has the texts of a language."""
    columns = enumerate(zip(pairs.languages, pairs.makers, strict=True))
    return next((c for c, (its, maker) in columns if its == language and (maker is not None) == synthetic), None)


def of_column(pairs: ParallelPairs, column: int | None, source: int | None) -> Versions:
    """The pairs of a column, beside the texts of the column that they were made from."""
    if column is None:
        return joined([])
    rows = np.flatnonzero(pairs.has[:, column]).tolist()

    def texts(part: NDArray[np.int32], of: int | None) -> list[str | None]:
        indexes = [-1] * len(rows) if of is None else part[rows, of].tolist()
        return [pairs.texts[index] if index >= 0 else None for index in indexes]

    return Versions(
        pair_ids=[pairs.pair_ids[row] for row in rows],
        languages=[pairs.languages[column]] * len(rows),
        queries=texts(pairs.queries, column),
        passages=texts(pairs.passages, column),
        source_queries=[text or "" for text in texts(pairs.queries, source)],
        source_passages=[text or "" for text in texts(pairs.passages, source)],
    )


def without_made(pairs: ParallelPairs) -> ParallelPairs:
    """The set with the texts that people wrote."""
    return in_columns(pairs, [column for column, maker in enumerate(pairs.makers) if maker is None])


def in_columns(pairs: ParallelPairs, columns: Sequence[int]) -> ParallelPairs:
    """The set with these columns, in this order."""
    makers = tuple(pairs.makers[column] for column in columns)
    return replace(
        pairs,
        languages=tuple(pairs.languages[column] for column in columns),
        made_by=makers if any(makers) else (),
        **{part: getattr(pairs, part)[:, columns] for part in ("queries", "passages", "negatives")},
    )


def with_made(pairs: ParallelPairs, versions: Versions, makers: Mapping[str, str]) -> ParallelPairs:
    """The set with these synthetic texts; what a language was made by is in `makers`.

    They take the place of what was synthetic in the languages of `makers`; what was in others stays. The rows stay; of
    the versions' pairs that the set does not have there are none. A pair that had a synthetic hard negative in a
    language keeps it.
    """
    languages = sorted(set(versions.languages))
    before = [column_of(pairs, language, synthetic=True) for language in languages]
    negatives = np.full((len(pairs.pair_ids), len(languages)), -1, np.int32)
    for place, column in enumerate(before):
        if column is not None:
            negatives[:, place] = pairs.negatives[:, column]
    stays = [c for c, its in enumerate(pairs.languages) if pairs.makers[c] is None or its not in makers]
    pairs = in_columns(pairs, stays)
    if not languages:
        return pairs
    texts = Texts()
    texts.add(pairs.texts)
    places = {pair_id: row for row, pair_id in enumerate(pairs.pair_ids)}
    rows = np.array([places[pair_id] for pair_id in versions.pair_ids])
    columns = np.array([languages.index(language) for language in versions.languages])

    def matrix(side: Sequence[str | None]) -> NDArray[np.int32]:
        found = np.full((len(pairs.pair_ids), len(languages)), -1, np.int32)
        there = np.array([text is not None for text in side])
        found[rows[there], columns[there]] = texts.add(text for text in side if text is not None)
        return found

    queries, passages = matrix(versions.queries), matrix(versions.passages)
    whole = replace(
        pairs,
        languages=(*pairs.languages, *languages),
        made_by=(*pairs.makers, *(makers[language] for language in languages)),
        queries=np.hstack([pairs.queries, queries]),
        passages=np.hstack([pairs.passages, passages]),
        negatives=np.hstack([pairs.negatives, np.where((queries >= 0) | (passages >= 0), negatives, np.int32(-1))]),
        texts=texts.unique,
    )
    return in_columns(
        whole, sorted(range(len(whole.languages)), key=lambda c: (bool(whole.made_by[c]), whole.languages[c]))
    )
