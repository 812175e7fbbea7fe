"""What is known of data sets: the catalogue, and what is in one of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.data.catalog import KNOWN_SETS, KnownSet, known_loader, known_set
from workbench.data.fetched import fetched_set, folder_of
from workbench.data.loading import load_task, load_training_set
from workbench.data.pairs import ParallelPairs
from workbench.data.task import RetrievalTask
from workbench.errors import InputError, allowed
from workbench.records import PairSetSpec, TaskLoader, TaskSpec, TrainingLoader
from workbench.reports.overview import Row
from workbench.reports.tables import print_table, shown

MEASURED = 100_000
"""Texts of a language that lengths are taken from, at most; evenly spaced where there are more."""
SHOWN = 300
"""Characters of an example that are printed."""


def catalogue() -> list[Row]:
    """One row a known set: what it is, and whether it is on this machine."""
    return [
        {
            "name": known.name,
            "kind": known.kind,
            "languages": " ".join(known.languages),
            "size": known.size,
            "licence": known.licence,
            "source": known.origin,
            "here": where(known),
        }
        for known in KNOWN_SETS
    ]


def where(known: KnownSet) -> str:
    """`built in`, the languages that were fetched, `no`, or `bring it` where it cannot be fetched."""
    if known.loader == "demo":
        return "built in"
    fetched = fetched_set(known.name)
    if fetched is not None:
        return "yes" if set(fetched.languages) == set(known.languages) else " ".join(fetched.languages)
    return "no" if known.source else "bring it: give its path"


def described(
    name: str,
    path: str | None,
    loader: str | None,
    languages: Sequence[str] | None,
    split: str | None,
    samples: int,
    kind: str | None = None,
) -> Row:
    """What is in a set: counts, lengths and examples by language.

    Raises
    ------
    InputError
        The set is not known, not here, or not sound; it has no such language.
    """
    kind, chosen = kind_of(name, path, loader, kind)
    if kind == "training" and split is not None:
        raise InputError(f"--split {split!r}: {name} is a training set, and those have no splits to choose from")
    if path is None and chosen != "demo" and fetched_set(name) is None:
        known = known_set(name)
        how = f"`workbench data fetch {name}`, or " if known and known.source else ""
        raise InputError(f"{name} is not on this machine: {how}give its --path")
    wanted = None if languages is None else tuple(languages)
    if kind == "training":
        spec = PairSetSpec(loader=chosen, path=path, languages=wanted)
        pairs = load_training_set(name, spec, Path.cwd())
        rows, examples = pair_rows(pairs), pair_examples(pairs, samples)
        notes: dict[str, Any] = {"left out": list(pairs.notes)} if pairs.notes else {}
    else:
        task = load_task(name, TaskSpec(loader=chosen, path=path, languages=wanted, split=split), Path.cwd())
        rows, examples, notes = task_rows(task), task_examples(task, samples), dict(task.notes)
    at = path or (str(folder_of(name)) if fetched_set(name) else "built in")
    return {"name": name, "kind": kind, "path": at, "notes": notes, "languages": rows, "examples": examples}


def kind_of(name: str, path: str | None, loader: str | None, kind: str | None) -> tuple[str, Any]:
    """What a set is and how it is read: by the loader that is named, its name, or its path."""
    if kind not in (None, "task", "training"):
        raise InputError(f"--kind {kind!r}: {allowed(kind, ('task', 'training'))}")
    tasks, training = TaskLoader.__args__, TrainingLoader.__args__  # type: ignore[attr-defined]
    if loader is not None:
        if loader not in (*tasks, *training):
            raise InputError(f"--loader {loader!r}: {allowed(loader, sorted({*tasks, *training}))}")
        can = [one for one, loaders in (("task", tasks), ("training", training)) if loader in loaders]
        if kind is not None and kind not in can:
            raise InputError(f"--loader {loader!r} reads no {kind} sets")
        return kind or can[0], loader
    known = known_set(name, kind)  # type: ignore[arg-type]
    if known is not None:
        return known.kind, known.loader
    if path is None:
        names = sorted({known.name for known in KNOWN_SETS})
        raise InputError(f"{name!r} is no known data set; {allowed(name, names)}; or give its --path")
    return (
        ("task", known_loader("task", name, path))
        if Path(path).is_dir()
        else ("training", known_loader("training", name, path))
    )


def task_rows(task: RetrievalTask) -> list[Row]:
    """One row a language: queries, candidates, relevants, lengths in characters."""
    relevant_languages = task.candidate_languages[task.relevant_candidates]
    return [
        {
            "language": language,
            "queries": int((task.queries[:, column] >= 0).sum()),
            "candidates": int((task.candidate_languages == column).sum()),
            "relevant": int((relevant_languages == column).sum()),
            **lengths("query", task.query_texts, task.queries[task.queries[:, column] >= 0, column]),
            **lengths("passage", task.passage_texts, task.candidates[task.candidate_languages == column]),
        }
        for column, language in enumerate(task.languages)
    ]


def pair_rows(pairs: ParallelPairs) -> list[Row]:
    return [
        {
            "language": language,
            **({"made by": maker} if pairs.made_by else {}),
            "pairs": int(pairs.has[:, column].sum()),
            "hard negatives": int((pairs.negatives[:, column] >= 0).sum()),
            **lengths("query", pairs.texts, pairs.queries[pairs.queries[:, column] >= 0, column]),
            **lengths("passage", pairs.texts, pairs.passages[pairs.passages[:, column] >= 0, column]),
        }
        for column, (language, maker) in enumerate(zip(pairs.languages, pairs.makers, strict=True))
    ]


def lengths(kind: str, texts: Sequence[str], which: NDArray[np.int32]) -> Row:
    """Median and largest length in characters."""
    step = max(1, len(which) // MEASURED)
    found = [len(texts[i]) for i in which[::step].tolist()]
    return {
        f"{kind} median": round(float(np.median(found))) if found else None,
        f"{kind} longest": max(found, default=None),
    }


def task_examples(task: RetrievalTask, samples: int) -> list[Row]:
    """The first questions of each language with a relevant passage, in the same language where there is one."""
    rows = []
    for column, language in enumerate(task.languages):
        for relevant in relevants_of_first(task, column, samples):
            query, candidate = task.relevant_queries[relevant], task.relevant_candidates[relevant]
            rows.append(
                {
                    "language": language,
                    "id": task.query_ids[query],
                    "query": task.query_texts[task.queries[query, column]],
                    "passage language": task.languages[task.candidate_languages[candidate]],
                    "passage": task.passage_texts[task.candidates[candidate]],
                }
            )
    return rows


def relevants_of_first(task: RetrievalTask, column: int, count: int) -> list[int]:
    """One relevant, by its row, of each of the first `count` questions of a language."""
    rows = np.flatnonzero(task.queries[task.relevant_queries, column] >= 0)
    other = task.candidate_languages[task.relevant_candidates[rows]] != column
    rows = rows[np.lexsort((rows, other, task.relevant_queries[rows]))]
    _, first = np.unique(task.relevant_queries[rows], return_index=True)
    return rows[first[:count]].tolist()


def pair_examples(pairs: ParallelPairs, samples: int) -> list[Row]:
    return [
        {
            "language": language,
            "id": pairs.pair_ids[row],
            **{
                side: pairs.texts[texts[row, column]]
                for side, texts in (("query", pairs.queries), ("passage", pairs.passages))
                if texts[row, column] >= 0
            },
        }
        for column, language in enumerate(pairs.languages)
        for row in np.flatnonzero(pairs.has[:, column])[:samples].tolist()
    ]


def print_set(found: Row) -> None:
    """Print it for reading."""
    print_table(found["languages"], title=f"{found['name']} ({found['kind']}), {found['path']}; lengths in characters")
    for name, value in found["notes"].items():
        print(f"{name}: {shown('; '.join(value) if isinstance(value, list) else value)}")
    for example in found["examples"]:
        print()
        for name, value in example.items():
            text = shown(value)
            print(f"{name}: {text if len(text) <= SHOWN else text[:SHOWN] + ' …'}")
