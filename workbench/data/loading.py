"""From what a config says of a data set to the data set: the worker's side."""

from dataclasses import replace
from pathlib import Path

from workbench.data.catalog import check_options, known_loader
from workbench.data.demo import retrieval_task, training_pairs
from workbench.data.fetched import fetched_set, folder_of, languages_of
from workbench.data.fingerprints import located
from workbench.data.pairs import ParallelPairs, capped
from workbench.data.task import RetrievalTask
from workbench.data.tasks.beir import load_beir
from workbench.data.tasks.lareqa import load_lareqa
from workbench.data.tasks.miracl import load_miracl
from workbench.data.tasks.tydiqa import load_tydiqa
from workbench.data.tasks.tydiqa_primary import load_tydiqa_primary
from workbench.data.tasks.xor_tydi import load_xor_tydi
from workbench.data.training_sets.dpr import load_dpr
from workbench.data.training_sets.lines import load_line_pairs
from workbench.data.training_sets.mmarco import load_mmarco
from workbench.data.training_sets.mr_tydi import load_mr_tydi
from workbench.data.training_sets.parallel_files import load_pairs
from workbench.data.training_sets.squad import load_squad_pairs
from workbench.errors import InputError
from workbench.paths import cache_folder
from workbench.records import PairSetSpec, TaskSpec


def load_training_set(name: str, spec: PairSetSpec, folder: Path) -> ParallelPairs:
    """The training set `name`; relative paths start at `folder`.

    Raises
    ------
    InputError
        The set is unknown or not on this machine, its files are not sound, or it has no such option.
    """
    loader = spec.loader or known_loader("training", name, spec.path)
    check_options(spec, loader, f"train.sets.{name}")
    if loader == "demo":
        return capped(replace(training_pairs(spec.languages), name=name), spec.pairs, spec.pairs_per_language)
    path = place_of(name, spec, folder, f"train.sets.{name}")
    languages, caps = languages_of(name, spec), (spec.pairs, spec.pairs_per_language)
    match loader:
        case "squad":
            return load_squad_pairs(name, path, languages, *caps, spec.passage_text)
        case "mmarco":
            return load_mmarco(name, path, languages, *caps)
        case "mr_tydi":
            return load_mr_tydi(name, path, languages, *caps)
        case "dpr":
            return load_dpr(name, path, languages, *caps)
        case "tsv":
            return load_line_pairs(name, path, languages, *caps)
        case _:
            return load_pairs(name, path, languages, *caps, "parquet" if loader == "parquet" else "jsonl")


def load_task(name: str, spec: TaskSpec, folder: Path) -> RetrievalTask:
    """The evaluation task `name`; relative paths start at `folder`.

    Raises
    ------
    InputError
        The task is unknown or not on this machine, its files are not sound, or it has no such option.
    """
    loader = spec.loader or known_loader("task", name, spec.path)
    check_options(spec, loader, f"evaluate.tasks.{name}")
    if loader == "demo":
        return replace(retrieval_task(spec.languages), name=name)
    path = place_of(name, spec, folder, f"evaluate.tasks.{name}")
    languages = languages_of(name, spec)
    questions = tuple(located(file, folder) for file in spec.questions)
    match loader:
        case "tydiqa":
            return load_tydiqa(name, path, languages, spec.passage_text, spec.every_article, spec.split, questions)
        case "tydiqa_primary":
            return load_tydiqa_primary(name, path, languages, spec.split)
        case "xor_tydi":
            return load_xor_tydi(name, path, languages, spec.split)
        case "beir":
            return load_beir(name, path, languages, spec.split)
        case "miracl":
            return load_miracl(name, path, languages, spec.split, cache_folder())
        case _:
            return load_lareqa(name, path, languages, spec.passage_text, spec.every_article, questions)


def place_of(name: str, spec: PairSetSpec | TaskSpec, folder: Path, key: str) -> Path:
    """Where the set's files are: its path, else where it was fetched to.

    Raises
    ------
    InputError
        It has no path and was not fetched.
    """
    if spec.path is not None:
        return located(spec.path, folder)
    if fetched_set(name) is None:
        raise InputError(f"{key}.path is missing: where is the data set?")
    return folder_of(name)
