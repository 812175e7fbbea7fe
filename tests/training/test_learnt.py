"""What the quickstart shows is learnt from the parallel pairs, and from nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from workbench.config import read_config
from workbench.data.demo import retrieval_task, training_pairs
from workbench.data.pairs import ParallelPairs
from workbench.encoder import load_encoder
from workbench.evaluation.measures import measure_cells, setting_means
from workbench.evaluation.ranking import rank_task
from workbench.records import SamplingSpec
from workbench.runs.events import EventLog
from workbench.training.checkpoints import Checkpoints
from workbench.training.loop import train

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"


def shuffled_between_languages(pairs: ParallelPairs) -> ParallelPairs:
    """The same pairs in every language, but each language's under other pair_ids: no two are translations."""
    draw = np.random.default_rng(5)
    queries, passages = pairs.queries.copy(), pairs.passages.copy()
    for column in range(len(pairs.languages)):
        order = draw.permutation(len(queries))
        queries[:, column], passages[:, column] = queries[order, column], passages[order, column]
    return replace(pairs, queries=queries, passages=passages)


def cross_lingual_map(folder: Path, strategy: str, pairs: ParallelPairs) -> float:
    """Of the quickstart's training with this sampling."""
    settings = read_config(QUICKSTART).settings[0]
    assert settings.train is not None
    spec = replace(settings.train, sampling=SamplingSpec(strategy))  # type: ignore[arg-type]
    torch.set_num_threads(1)
    encoder = load_encoder(settings.model, Path(), 0)
    log = EventLog(folder / f"{strategy}.jsonl")
    train(spec, 0, [pairs], encoder, Checkpoints(folder / strategy), log, Accelerator(cpu=True), lambda: False)
    task = retrieval_task()
    vectors = [encode(encoder, task.query_texts, "query"), encode(encoder, task.passage_texts, "passage")]
    means = setting_means(measure_cells(rank_task(task, *vectors, settings=("cross_lingual",), top=False)))
    return next(mean.value for mean in means if mean.measure == "map")


def encode(encoder: torch.nn.Module, texts: Sequence[str], side: str) -> np.ndarray:
    vectors: np.ndarray = encoder.encode(texts, side)  # type: ignore[operator]
    return vectors


@pytest.mark.parametrize("parallel", [True, False], ids=["parallel", "shuffled"])
def test_the_gap_between_hybrid_and_mono_needs_parallel_pairs(tmp_path: Path, parallel: bool) -> None:
    pairs = training_pairs() if parallel else shuffled_between_languages(training_pairs())
    mono, hybrid = (cross_lingual_map(tmp_path, strategy, pairs) for strategy in ("mono", "hybrid"))
    if parallel:
        assert hybrid > 2 * mono
    else:
        assert hybrid < 1.2 * mono
