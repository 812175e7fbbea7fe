"""What the leakage check finds, for a program and for a person; and how tables mark runs that trained on leaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.records import RunSpec
from workbench.reports.tables import print_table, shown

Row = dict[str, Any]
COLUMNS = ("task", "training_set", "language", "kind", "texts", "hits", "exact", "pairs")
LEAKED = "†"
FOOTNOTE = f"{LEAKED} trained on texts of the evaluation tasks"
SHOWN = 160
"""Characters of an example's text that are printed."""
COMPARED = 4000
"""Characters of an example's text in which the common part is looked for."""


def silent(_: str) -> None:
    """Says nothing."""


class Percent:
    """Tells how far a check is, at every twentieth of it."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell, self.told = tell, -1

    def __call__(self, _: str, done: int, total: int) -> None:
        step = 20 * done // max(total, 1)
        if step != self.told:
            self.told = step
            self.tell(f"training texts looked through: {5 * step} %")


def marked(name: str, leaked: bool | None) -> str:
    """A run's or an arm's name as tables show it."""
    return f"{name} {LEAKED}" if leaked else name


def print_footnote(rows: Sequence[Mapping[str, Any]]) -> None:
    """What the mark says, where one of the rows has it."""
    if any(row.get("leaked") for row in rows):
        print(FOOTNOTE)


def check_specs(specs: Sequence[RunSpec], tell: Callable[[str], None] = silent) -> list[Row]:
    """One row for each task, training set, common language and kind of the runs, those without hits among them.

    Runs on the same sets and tasks are checked once. `examples` holds up to three hits with their texts; `tell` is
    given a line now and then.

    Raises
    ------
    InputError
        No run trains, or a set or task is not sound.
    """
    from workbench.data.leaks.leakage import find_leaks
    from workbench.data.loading import load_task, load_training_set

    checked: list[tuple[Any, Any]] = []
    rows: list[Row] = []
    for spec in specs:
        train, tasks = spec.settings.train, spec.settings.evaluate.tasks
        if train is None or (train.sets, tasks) in checked:
            continue
        checked.append((train.sets, tasks))
        folder = Path(spec.folder)
        sets = []
        for name, of in train.sets.items():
            tell(f"reading the training set {name}")
            sets.append(load_training_set(name, of, folder))
        loaded = {}
        for name, task in tasks.items():
            tell(f"reading the task {name}")
            loaded[name] = load_task(name, task, folder)
        found = find_leaks(sets, loaded, Percent(tell))
        rows += [row for row in map(asdict, found.overlaps) if row not in rows]
    if not checked:
        raise InputError("train: no run of the config trains, so there are no training texts to check")
    return rows


def print_leakage(rows: Sequence[Row]) -> None:
    """The rows with hits, what they sum up to, and their examples."""
    texts = sum(row["texts"] for row in rows)
    found = [row for row in rows if row["hits"]]
    if not texts:
        print("nothing was looked up: the tasks and the training sets have no language in common")
        return
    if not found:
        print(f"no text of the evaluation tasks stands in the training texts: {texts} look-ups")
        return
    total = {"task": "all", "texts": texts, **{name: sum(row[name] for row in found) for name in ("hits", "exact")}}
    print_table([{name: row.get(name) for name in COLUMNS} for row in [*found, total]])
    print("hits: texts of the task found in the training set; exact: equal to a training text; pairs: those concerned")
    for row in found:
        for example in row["examples"]:
            print()
            print_example(row, example)


def print_example(row: Row, example: Mapping[str, str]) -> None:
    names = row["task"], row["language"], row["kind"], example["evaluation_id"]
    print(f"{shown(' '.join(names))}  and pair {shown(example['pair_id'])} of {shown(row['training_set'])}")
    texts = example["evaluation_text"], example["training_text"]
    for side, text in zip(("evaluation", "training"), common_parts(*texts), strict=True):
        print(f"  {side:10}  {shown(text)}")


def common_parts(left: str, right: str) -> tuple[str, str]:
    """Both texts cut to SHOWN characters, around what they have in common."""
    folded = left[:COMPARED].casefold(), right[:COMPARED].casefold()
    match = SequenceMatcher(None, *folded, autojunk=False).find_longest_match()
    return cut(left, match.a), cut(right, match.b)


def cut(text: str, place: int) -> str:
    """At most SHOWN characters of the text, those from `place` on among them; `…` where some are left out."""
    if len(text) <= SHOWN:
        return text
    first = max(0, min(place - 20, len(text) - SHOWN))
    last = first + SHOWN
    return f"{'…' * (first > 0)}{text[first:last]}{'…' * (last < len(text))}"
