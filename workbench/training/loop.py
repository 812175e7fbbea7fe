"""The training loop."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from accelerate import Accelerator
from torch.optim import AdamW

from workbench.data.pairs import ParallelPairs, hold_out_all
from workbench.encoder import Encoder
from workbench.errors import InputError, Stopped, WorkError
from workbench.records import TrainSpec
from workbench.training.checkpoints import Checkpoints, Progress
from workbench.training.contrast import backward
from workbench.training.counts import SampleCounts
from workbench.training.mixing import mix_of
from workbench.training.sampling import Sampler
from workbench.training.tokens import TokenCache
from workbench.training.validation import Validation


class Log(Protocol):
    """Where the training says how it goes on, such as a run's events."""

    def write(self, kind: str, **fields: Any) -> None: ...


def make_optimiser(encoder: Encoder, spec: TrainSpec) -> AdamW:
    """AdamW (arXiv 1711.05101); biases and the norms' gains do not decay."""
    matrices = [p for p in encoder.parameters() if p.ndim >= 2]
    vectors = [p for p in encoder.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": spec.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return AdamW([g for g in groups if g["params"]], lr=spec.learning_rate, fused=True)


def learning_rate(spec: TrainSpec, step: int, steps: int) -> float:
    """The rate of the update after `step` updates: a linear rise over the warm-up, then a linear fall to 0."""
    rising = round(spec.warmup * steps)
    if step < rising:
        return spec.learning_rate * (step + 1) / (rising + 1)
    return spec.learning_rate * (steps - step) / max(1, steps - rising)


def train(
    spec: TrainSpec,
    seed: int,
    sets: Sequence[ParallelPairs],
    encoder: Encoder,
    checkpoints: Checkpoints,
    log: Log,
    accelerator: Accelerator,
    stop_asked: Callable[[], bool],
) -> SampleCounts:
    """Train `encoder` in place, going on from the newest checkpoint; return what was drawn.

    It ends with the chosen weights in `encoder`. Every draw is a function of (seed, step), so that a resumed training
    reaches the parameters of an uninterrupted one bit for bit, on a CPU with the same number of threads.

    Raises
    ------
    InputError
        The pairs do not fill a batch, or the batch does not divide by the processes.
    WorkError
        The loss is not a number, or a checkpoint cannot be written.
    Stopped
        `stop_asked`; the state is in a checkpoint.
    """
    main = accelerator.is_main_process
    if spec.batch_size % accelerator.num_processes:
        raise InputError(
            f"train.batch_size: {spec.batch_size} does not divide by {accelerator.num_processes} processes"
        )
    split = hold_out_all(sets, spec.validation.pairs)
    sets = [training for training, _ in split]
    sampler = Sampler(sets, spec.sampling.strategy, spec.sampling.alpha, spec.batch_size, seed, mix_of(spec))
    steps = spec.steps or math.ceil(spec.epochs * sampler.epoch_steps)  # type: ignore[operator]
    validation = Validation([held for _, held in split], spec, encoder)
    for warning in [*sampler.warnings, *validation.warnings] if main else ():
        log.write("warning", message=warning)
    caches = [TokenCache(encoder, pairs) for pairs in sets]
    optimiser = make_optimiser(encoder, spec)
    progress = checkpoints.load_last(encoder, optimiser)
    counts = SampleCounts.from_plain(progress.counts)

    def save(step: int) -> Progress:
        now = replace(progress, step=step, counts=counts.as_plain())
        if main:
            checkpoints.save_last(now, encoder, optimiser)
            log.write("checkpoint", step=step)
            log.write("sampled", step=step, counts=counts.named(sets))
        return now

    encoder.train()
    first, began = progress.step, time.perf_counter()
    for step in range(first, steps):
        started = time.perf_counter()
        batch = sampler.batch(step)
        loss = backward(
            encoder,
            caches[batch.training_set].batch(batch, accelerator.process_index, accelerator.num_processes),
            temperature=spec.temperature,
            chunk_size=spec.chunk_size,
            precision=spec.precision,
            seeds=dropout_seeds(seed, step, accelerator.process_index),
            accelerator=accelerator,
        )
        norm = torch.nn.utils.clip_grad_norm_(encoder.parameters(), spec.clip).item()
        check_finite(step + 1, progress.step, loss=loss, gradient_norm=norm)
        # only now is it known that the weights after `step` updates are sound
        if step > first and step % spec.checkpoint_every == 0:
            progress = save(step)
        rate = learning_rate(spec, step, steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        counts.add(batch)
        done = step + 1
        if main:
            now = time.perf_counter()
            log.write(
                "step",
                step=done,
                steps=steps,
                loss=loss,
                learning_rate=rate,
                gradient_norm=norm,
                batch_kind=batch.kind,
                training_set=sets[batch.training_set].name,
                pairs_per_second=spec.batch_size / (now - started),
                eta_s=(now - began) / (done - first) * (steps - done),
            )
        stopping = agreed(stop_asked(), accelerator)
        if validation.batches and (done % spec.validation.every == 0 or done == steps):
            measured = validation.loss(encoder)
            check_finite(done, progress.step, validation_loss=measured)
            if progress.best_loss is None or measured < progress.best_loss:
                progress = replace(progress, best_step=done, best_loss=measured)
                if main:
                    checkpoints.save_best(done, encoder)
            if main:
                log.write("validation", step=done, loss=measured)
        if done == steps or stopping:
            progress = save(done)
            accelerator.wait_for_everyone()
        if stopping and done < steps:
            raise Stopped(f"stopped after step {done} of {steps}")
    if spec.validation.select == "best":
        checkpoints.load_best(encoder)
    return counts


def check_finite(step: int, kept: int, **figures: float) -> None:
    """Raise WorkError where a figure of `step` is no number; the checkpoint after `kept` steps stays."""
    for name, value in figures.items():
        if not math.isfinite(value):
            stays = f"the checkpoint after step {kept} is kept" if kept else "there is no checkpoint yet"
            raise WorkError(
                f"the {name.replace('_', ' ')} is {value} at step {step}: the training has diverged; {stays}; "
                "a lower train.learning_rate is worth a try"
            )


def dropout_seeds(seed: int, step: int, process: int) -> Callable[[int], int]:
    """The seed of a chunk's dropout as a function of its number."""
    return lambda chunk: int(np.random.SeedSequence([seed, step, process, chunk]).generate_state(1, np.uint64)[0] >> 1)


def agreed(flag: bool, accelerator: Accelerator) -> bool:
    """Whether any process says so; each process learns the same."""
    if accelerator.num_processes == 1:
        return flag
    return bool(accelerator.reduce(torch.tensor(float(flag), device=accelerator.device), reduction="sum").item())
