"""From what a config says of a data set to the data set: the worker's side."""

from dataclasses import replace
from pathlib import Path

from workbench.data.catalog import known_loader
from workbench.data.demo import retrieval_task, training_pairs
from workbench.data.lareqa import load_lareqa
from workbench.data.pairs import ParallelPairs, first_pairs
from workbench.data.parallel_files import load_pairs
from workbench.data.task import RetrievalTask
from workbench.errors import InputError
from workbench.records import PairSetSpec, TaskSpec


def load_training_set(name: str, spec: PairSetSpec, folder: Path) -> ParallelPairs:
    """The training set `name`; relative paths start at `folder`.

    Raises
    ------
    InputError
        The set is unknown, or its file is not sound.
    """
    key = f"train.sets.{name}"
    loader = spec.loader or known_loader("training", name, spec.path)
    if loader == "demo":
        refuse_path(spec.path, key)
        pairs = replace(training_pairs(spec.languages), name=name)
        return pairs if spec.pairs is None else first_pairs(pairs, spec.pairs)
    path = resolved(spec.path, folder, key)
    return load_pairs(name, path, spec.languages, spec.pairs, "parquet" if loader == "parquet" else "jsonl")


def load_task(name: str, spec: TaskSpec, folder: Path) -> RetrievalTask:
    """The evaluation task `name`; relative paths start at `folder`.

    Raises
    ------
    InputError
        The task is unknown, its files are not sound, or it has no such option.
    """
    key = f"evaluate.tasks.{name}"
    loader = spec.loader or known_loader("task", name, spec.path)
    if loader == "demo":
        refuse_path(spec.path, key)
        if spec.every_article != 1:
            raise InputError(f"{key}.every_article is {spec.every_article}; the demo set has no articles, allowed: 1")
        if spec.passage_text != "sentence":
            raise InputError(f"{key}.passage_text is {spec.passage_text!r}; allowed for the demo set: sentence")
        return replace(retrieval_task(spec.languages), name=name)
    path = resolved(spec.path, folder, key)
    return load_lareqa(name, path, spec.languages, spec.passage_text, spec.every_article)


def refuse_path(path: str | None, key: str) -> None:
    if path is not None:
        raise InputError(f"{key}.path is {path!r}; the demo set is built in and has none")


def resolved(path: str | None, folder: Path, key: str) -> Path:
    if path is None:
        raise InputError(f"{key}.path is missing: where is the data set?")
    return folder / Path(path).expanduser()
