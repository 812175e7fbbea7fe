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
        """For JSON that is read by eye: the set by name, the pairs of each `query language>passage language`.

        `synthetic` counts those of them that are, where there are any.
        """
        rows = self.as_plain()
        for row in rows:
            chosen = sets[row["training_set"]]
            row["training_set"] = chosen.name
            pairs: Counter[str] = Counter()
            for query, passage, n in row["pairs"]:
                pairs[f"{chosen.languages[query]}>{chosen.languages[passage]}"] += n
            synthetic = sum(n for query, passage, n in row["pairs"] if chosen.makers[query] or chosen.makers[passage])
            row |= {"pairs": dict(sorted(pairs.items())), **({"synthetic": synthetic} if synthetic else {})}
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
        """Columns of `sampled_batches` and `sampled_pairs`, and of `synthetic_pairs`: the part of those that is."""
        batches = sorted(self._batches.items())
        pairs: Counter[tuple[str, ...]] = Counter()
        synthetic: Counter[tuple[str | None, ...]] = Counter()
        for (index, kind, *columns), n in self._pairs.items():
            languages = [sets[index].languages[column] for column in columns]
            makers = [sets[index].makers[column] for column in columns]
            pairs[(sets[index].name, kind, *languages)] += n
            if any(makers):
                synthetic[(sets[index].name, kind, *languages, *makers)] += n
        return {
            "sampled_batches": {
                "training_set": [sets[index].name for (index, _), _ in batches],
                "kind": [kind for (_, kind), _ in batches],
                "batches": [n for _, n in batches],
            },
            "sampled_pairs": columns_of(("training_set", "kind", "query_language", "passage_language"), pairs),
            "synthetic_pairs": columns_of(SYNTHETIC, synthetic),
        }


SYNTHETIC = ("training_set", "kind", "query_language", "passage_language", "query_made_by", "passage_made_by")


def columns_of(names: Sequence[str], counted: Counter[Any]) -> dict[str, list[Any]]:
    """Columns of what was counted, by their names, and `pairs`."""
    rows = sorted(counted.items(), key=lambda row: [part or "" for part in row[0]])
    columns: dict[str, list[Any]] = {name: [at[place] for at, _ in rows] for place, name in enumerate(names)}
    return columns | {"pairs": [n for _, n in rows]}
