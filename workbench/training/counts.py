"""What the sampler really drew: kept in checkpoints, told in events, stored with the results."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbench.data.pairs import ParallelPairs
from workbench.training.sampling import Batch


class SampleCounts:
    """What was really drawn: batches and pairs by training set, kind and languages."""

    def __init__(self) -> None:
        self._batches: Counter[tuple[int, str]] = Counter()
        self._pairs: Counter[tuple[int, str, int, int]] = Counter()

    def add(self, batch: Batch) -> None:
        at = batch.training_set, batch.kind
        self._batches[at] += 1
        columns = zip(batch.query_languages.tolist(), batch.passage_languages.tolist(), strict=True)
        self._pairs.update((*at, query, passage) for query, passage in columns)

    def as_plain(self) -> list[dict[str, Any]]:
        """For JSON: sets by index, languages by column."""
        return [
            {
                "training_set": index,
                "kind": kind,
                "batches": batches,
                "pairs": [[*at[2:], n] for at, n in sorted(self._pairs.items()) if at[:2] == (index, kind)],
            }
            for (index, kind), batches in sorted(self._batches.items())
        ]

    def named(self, sets: Sequence[ParallelPairs]) -> list[dict[str, Any]]:
        """For JSON that is read by eye: the set by name, the pairs of each `query language>passage language`."""
        rows = self.as_plain()
        for row in rows:
            chosen = sets[row["training_set"]]
            row["training_set"] = chosen.name
            row["pairs"] = {f"{chosen.languages[q]}>{chosen.languages[p]}": n for q, p, n in row["pairs"]}
        return rows

    @classmethod
    def from_plain(cls, plain: Iterable[Mapping[str, Any]]) -> "SampleCounts":
        """The inverse of `as_plain`."""
        counts = cls()
        for part in plain:
            at = part["training_set"], part["kind"]
            counts._batches[at] += part["batches"]
            counts._pairs.update({(*at, query, passage): n for query, passage, n in part["pairs"]})
        return counts

    def tables(self, sets: Sequence[ParallelPairs]) -> dict[str, dict[str, list[Any]]]:
        """Columns of the tables `sampled_batches` and `sampled_pairs`, sets and languages by name."""
        batches = sorted(self._batches.items())
        pairs = sorted(self._pairs.items())
        return {
            "sampled_batches": {
                "training_set": [sets[index].name for (index, _), _ in batches],
                "kind": [kind for (_, kind), _ in batches],
                "batches": [n for _, n in batches],
            },
            "sampled_pairs": {
                "training_set": [sets[index].name for (index, *_), _ in pairs],
                "kind": [kind for (_, kind, *_), _ in pairs],
                "query_language": [sets[index].languages[query] for (index, _, query, _), _ in pairs],
                "passage_language": [sets[index].languages[passage] for (index, _, _, passage), _ in pairs],
                "pairs": [n for _, n in pairs],
            },
        }
