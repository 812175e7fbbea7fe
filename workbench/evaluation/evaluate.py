"""From tasks and an encoder to result tables: every text is encoded once, every cell comes from one pass.

A task with a depth is searched down to it, its passage vectors on disk; others are ranked exactly, in memory.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask
from workbench.encoder import Encoder, Side
from workbench.evaluation.indexes import check_plan
from workbench.evaluation.measures import measure_cells
from workbench.evaluation.pools import Floats
from workbench.evaluation.progress import Clock
from workbench.evaluation.ranking import rank_task
from workbench.evaluation.results import Rankings
from workbench.evaluation.search import index_plans, search_task
from workbench.evaluation.tables import Tables, concatenated, result_tables
from workbench.evaluation.vectors import check_room, store_vectors, vector_size
from workbench.records import EvaluateSpec, Progress, TaskSpec, to_plain


def encode_once(
    encoder: Encoder, texts: Iterable[Sequence[str]], side: Side, spec: EvaluateSpec, report: Progress
) -> list[NDArray[np.float32]]:
    """Vectors of several lists of texts; one that stands in many of them is encoded once."""
    lists = list(texts)
    place = {text: number for number, text in enumerate(dict.fromkeys(text for part in lists for text in part))}
    stage = "encoding queries" if side == "query" else "encoding passages"
    vectors = encoder.encode(
        list(place),
        side,
        batch_tokens=spec.batch_tokens,
        progress=lambda done, total: report(stage, done, total),
    )
    if len(lists) == 1:  # nothing was put together, so nothing need be copied apart
        return [vectors]
    return [vectors[[place[text] for text in part]] for part in lists]


def evaluate(
    tasks: Mapping[str, RetrievalTask],
    encoder: Encoder,
    spec: EvaluateSpec,
    folder: Path,
    report: Progress,
) -> tuple[Tables, dict[str, float]]:
    """Result tables by name, tasks one after the other in each, and wall seconds by stage.

    `folder` is where vectors of tasks with a depth are kept; those that are there from an earlier start are taken up.

    Raises
    ------
    WorkError
        A vector is not finite; the memory does not hold an index or the disk the vectors.
    """
    clock = Clock()
    deep = {name: task for name, task in tasks.items() if spec.tasks[name].depth is not None}
    check_deep(deep, encoder, spec, folder)
    whole = [name for name in tasks if name not in deep]
    queries = dict(
        zip(tasks, encode_once(encoder, (t.query_texts for t in tasks.values()), "query", spec, report), strict=True)
    )
    texts = (tasks[name].passage_texts for name in whole)
    passages = dict(zip(whole, encode_once(encoder, texts, "passage", spec, report), strict=True)) if whole else {}
    clock("encoding")
    parts = []
    for name, task in tasks.items():
        if name in deep:
            rankings = searched(name, task, queries[name], encoder, spec, folder / name, report, clock)
        else:
            rankings = ranked(name, task, queries[name], passages.pop(name), encoder, spec, report)
        parts.append(result_tables(task.name, task, rankings, measure_cells(rankings)))
        clock("ranking")
    return concatenated(parts), clock.seconds


def check_deep(tasks: Mapping[str, RetrievalTask], encoder: Encoder, spec: EvaluateSpec, folder: Path) -> None:
    """Refuse what this machine cannot hold before hours of encoding."""
    if not tasks:
        return
    dimension = vector_size(encoder)
    for name, task in tasks.items():
        for language, plan in index_plans(task, spec.tasks[name]).items():
            check_plan(plan, dimension, language)
    check_room(folder, sum(len(task.passage_texts) for task in tasks.values()), dimension)


def ranked(
    name: str,
    task: RetrievalTask,
    queries: Floats,
    passages: Floats,
    encoder: Encoder,
    spec: EvaluateSpec,
    report: Progress,
) -> Rankings:
    return rank_task(
        task,
        queries,
        passages,
        memory_bytes=int(spec.memory_gib * 2**30),
        settings=spec.tasks[name].settings,
        device=encoder.device.type,
        progress=lambda done, total: report("ranking", done, total),
    )


def searched(
    name: str,
    task: RetrievalTask,
    queries: Floats,
    encoder: Encoder,
    spec: EvaluateSpec,
    folder: Path,
    report: Progress,
    clock: Clock,
) -> Rankings:
    vectors = store_vectors(folder, task.passage_texts, encoder, spec.batch_tokens, report)
    clock("encoding")
    return search_task(
        task,
        queries,
        vectors,
        spec.tasks[name],
        memory_bytes=int(spec.memory_gib * 2**30),
        device=encoder.device.type,
        report=report,
        clock=clock,
    )


def described(key: str, spec: TaskSpec, fingerprints: Mapping[str, str], task: RetrievalTask) -> dict[str, Any]:
    """What `tasks.json` says of a task; results are comparable where `task_id` is the same.

    The id is a hash of everything that decides what is searched for in what: loader, options, content. `key` is the
    task's key in the config, `fingerprints` are the run's.
    """
    place = f"evaluate.tasks.{key}"
    options = task_options(spec, fingerprints.get(f"{place}.questions"), task)
    identity = json.dumps([spec.loader, options, fingerprints[place]], sort_keys=True)
    columns = enumerate(task.languages)
    return {
        "task": task.name,
        "task_id": hashlib.blake2b(identity.encode(), digest_size=6).hexdigest(),
        "fingerprint": fingerprints[place],
        "options": {"loader": spec.loader, **options},
        "queries": {language: int((task.queries[:, i] >= 0).sum()) for i, language in enumerate(task.languages)},
        "candidates": {language: int((task.candidate_languages == i).sum()) for i, language in columns},
    }


def task_options(spec: TaskSpec, questions: str | None, task: RetrievalTask) -> dict[str, Any]:
    """The options that tell tasks on the same files apart; `questions` is the fingerprint of translated questions.

    An index is named as what it came to, pool by pool. Keys that most tasks have no use for appear only where they
    say something: the ids of results that are stored already stay as they are.
    """
    plain = to_plain(spec)
    options = {key: plain[key] for key in ("languages", "settings", "passage_text", "every_article")}
    occasional = {
        "split": spec.split,
        "questions": questions,
        "leave_out": sorted(spec.leave_out),
        "depth": spec.depth,
        "index": {language: to_plain(plan) for language, plan in index_plans(task, spec).items()},
        "notes": dict(sorted(task.notes.items())),
    }
    return options | {key: value for key, value in occasional.items() if value}
