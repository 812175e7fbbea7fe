"""From tasks and an encoder to result tables: every text is encoded once, every cell comes from one pass."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.data.task import RetrievalTask
from workbench.encoder import Encoder, Side
from workbench.evaluation.measures import measure_cells
from workbench.evaluation.ranking import rank_task
from workbench.evaluation.tables import Tables, concatenated, result_tables
from workbench.records import EvaluateSpec, TaskSpec, to_plain

Report = Callable[[str, int, int], None]
"""Told (stage, done, total) as the work goes on; may raise to stop it."""


def encode_once(
    encoder: Encoder, texts: Iterable[Sequence[str]], side: Side, spec: EvaluateSpec, report: Report
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
    report: Report,
) -> tuple[Tables, dict[str, float]]:
    """Result tables by name, tasks one after the other in each, and wall seconds of encoding and ranking."""
    started = time.perf_counter()
    names = list(tasks)
    queries = encode_once(encoder, (tasks[n].query_texts for n in names), "query", spec, report)
    passages = encode_once(encoder, (tasks[n].passage_texts for n in names), "passage", spec, report)
    encoded = time.perf_counter()
    parts = []
    for name, query_vectors, passage_vectors in zip(names, queries, passages, strict=True):
        rankings = rank_task(
            tasks[name],
            query_vectors,
            passage_vectors,
            memory_bytes=int(spec.memory_gib * 2**30),
            settings=spec.tasks[name].settings,
            device=encoder.device.type,
            progress=lambda done, total: report("ranking", done, total),
        )
        parts.append(result_tables(name, tasks[name], rankings, measure_cells(rankings)))
    ranked = time.perf_counter()
    return concatenated(parts), {"encoding": encoded - started, "ranking": ranked - encoded}


def described(name: str, spec: TaskSpec, fingerprint: str, task: RetrievalTask) -> dict[str, Any]:
    """What `tasks.json` says of a task; results are comparable where `task_id` is the same.

    The id is a hash of everything that decides what is searched for in what: loader, options, content.
    """
    options = {key: value for key, value in to_plain(spec).items() if key not in ("loader", "path")}
    identity = json.dumps([spec.loader, options, fingerprint], sort_keys=True)
    columns = enumerate(task.languages)
    return {
        "task": name,
        "task_id": hashlib.blake2b(identity.encode(), digest_size=6).hexdigest(),
        "fingerprint": fingerprint,
        "options": {"loader": spec.loader, **options},
        "queries": {language: int((task.queries[:, i] >= 0).sum()) for i, language in enumerate(task.languages)},
        "candidates": {language: int((task.candidate_languages == i).sum()) for i, language in columns},
    }
