"""One training step against sentence-transformers' trainer: same encoder, pairs, batch size, lengths and threads.

    python tests/benchmarks/bench_step.py CHECKPOINT PAIRS.parquet [--steps 20]

Prints the median seconds of a step of both, their ratio (limit 0.67), and which share of the machine's measured
matrix-product rate a step reaches. Run it on an idle machine.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from workbench.data.training_sets.parallel_files import load_pairs
from workbench.encoder import load_encoder
from workbench.records import ModelSpec, TrainSpec
from workbench.training.contrast import backward
from workbench.training.loop import dropout_seeds, make_optimiser
from workbench.training.sampling import Sampler
from workbench.training.tokens import TokenCache

BATCH = 32
LONGEST = 96
LIMIT = 0.67


def ours(checkpoint: str, rows: Any, sampler: Sampler, steps: int) -> tuple[list[float], list[int], Any]:
    """Seconds and tokens of each step."""
    encoder = load_encoder(ModelSpec(checkpoint=checkpoint, query_tokens=LONGEST, passage_tokens=LONGEST), Path(), 0)
    spec = TrainSpec(sets={})
    optimiser, cache, accelerator = make_optimiser(encoder, spec), TokenCache(encoder, rows), Accelerator(cpu=True)
    encoder.train()
    seconds, tokens = [], []
    for step in range(steps):
        started = time.perf_counter()
        batch = cache.batch(sampler.batch(step), 0, 1)
        backward(
            encoder,
            batch,
            temperature=0.05,
            chunk_size=None,
            precision="fp32",
            seeds=dropout_seeds(0, step, 0),
            accelerator=accelerator,
        )
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - started)
        tokens.append(sum(len(text) for text in batch.texts))
    return seconds, tokens, encoder


def theirs(checkpoint: str, columns: dict[str, list[str]], steps: int) -> list[float]:
    """Seconds of each step of SentenceTransformerTrainer with MultipleNegativesRankingLoss."""
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def __init__(self) -> None:
            self.times: list[float] = []

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.started = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.times.append(time.perf_counter() - self.started)

    model = SentenceTransformer(checkpoint, device="cpu")
    model.max_seq_length = LONGEST
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=BATCH,
            max_steps=steps,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
        )
        SentenceTransformerTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_dict(columns),
            loss=MultipleNegativesRankingLoss(model, scale=20.0),
            callbacks=[clock],
        ).train()
    return clock.times


def matrix_rate() -> float:
    """Float32 operations a second of a large matrix product."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    times = []
    for _ in range(8):
        started = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - started)
    return 2 * 2048**3 / min(times)


def step_operations(encoder: Any, tokens: float) -> float:
    """6 operations a weight and token, forward and backward together; tables that are only looked up do not count."""
    tables = sum(m.weight.numel() for m in encoder.modules() if isinstance(m, torch.nn.Embedding))
    return 6 * (sum(p.numel() for p in encoder.parameters()) - tables) * tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    rows = load_pairs("pairs", asked.pairs, ["en", "de", "es"])
    sampler = Sampler([rows], "hybrid", 0.5, BATCH, 0)
    seconds, tokens, encoder = ours(asked.checkpoint, rows, sampler, asked.steps)
    batches = [sampler.batch(step) for step in range(asked.steps)]
    columns = {
        "anchor": [
            rows.texts[rows.queries[p, q]] for b in batches for p, q in zip(b.pairs, b.query_languages, strict=True)
        ],
        "positive": [
            rows.texts[rows.passages[p, q]] for b in batches for p, q in zip(b.pairs, b.passage_languages, strict=True)
        ],
    }
    peer = theirs(asked.checkpoint, columns, asked.steps)
    own, other = statistics.median(seconds[2:]), statistics.median(peer[2:])
    rate = matrix_rate()
    print(f"threads {torch.get_num_threads()}, batch {BATCH}, {np.mean(tokens):.0f} tokens a step")
    print(f"workbench             {own:.2f} s a step (median of {len(seconds) - 2})")
    print(f"sentence-transformers {other:.2f} s a step")
    print(f"ratio                 {own / other:.2f} (limit {LIMIT})")
    reached = step_operations(encoder, float(np.mean(tokens))) / own
    print(f"arithmetic            {reached / 1e9:.0f} GFLOP/s of {rate / 1e9:.0f} measured: {reached / rate:.0%}")


if __name__ == "__main__":
    main()
