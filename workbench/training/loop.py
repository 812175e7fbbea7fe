"""The training loop."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch.optim import AdamW

from workbench.data.pairs import ParallelPairs
from workbench.encoder import Encoder, Side, Tokens, autocast
from workbench.errors import InputError, Stopped, WorkError
from workbench.records import TrainSpec
from workbench.training.checkpoints import Checkpoints
from workbench.training.contrast import TokenBatch, backward, info_nce
from workbench.training.sampling import Batch, SampleCounts, Sampler, hold_out


class Log(Protocol):
    """Where the training says how it goes on, such as a run's events."""

    def write(self, kind: str, **fields: Any) -> None: ...


class TokenCache:
    """The tokens of a training set's texts, made when first drawn and never again."""

    def __init__(self, encoder: Encoder, pairs: ParallelPairs) -> None:
        self.encoder = encoder
        self.pairs = pairs
        self._tokens: dict[tuple[Side, int], Tokens] = {}

    def get(self, side: Side, texts: NDArray[np.int32]) -> list[Tokens]:
        """Tokens of `texts`, indexes into the set's texts, as a query or as a passage."""
        new = [t for t in dict.fromkeys(texts.tolist()) if (side, t) not in self._tokens]
        for text, tokens in zip(new, self.encoder.tokenise([self.pairs.texts[t] for t in new], side), strict=True):
            self._tokens[side, text] = tokens
        return [self._tokens[side, t] for t in texts.tolist()]

    def batch(self, batch: Batch, process: int, processes: int) -> TokenBatch:
        """This process' rows of a batch, tokenised."""
        rows = np.array_split(np.arange(len(batch.pairs)), processes)
        negatives = self.pairs.negatives[batch.pairs, batch.passage_languages]
        own = rows[process]
        queries = self.pairs.queries[batch.pairs[own], batch.query_languages[own]]
        passages = self.pairs.passages[batch.pairs[own], batch.passage_languages[own]]
        return TokenBatch(
            self.get("query", queries),
            self.get("passage", passages),
            self.get("passage", negatives[own][negatives[own] >= 0]),
            tuple(int((negatives[part] >= 0).sum()) for part in rows),
        )


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
    split = [hold_out(pairs, spec.validation.pairs) for pairs in sets]
    sets = [training for training, _ in split]
    sampler = Sampler(sets, spec.sampling.strategy, spec.sampling.alpha, spec.batch_size, seed)
    for warning in sampler.warnings if main else ():
        log.write("warning", message=warning)
    steps = spec.steps or math.ceil(spec.epochs * sampler.epoch_steps)  # type: ignore[operator]
    validation = Validation([held for _, held in split], spec, encoder)
    caches = [TokenCache(encoder, pairs) for pairs in sets]
    optimiser = make_optimiser(encoder, spec)
    progress = checkpoints.load_last(encoder, optimiser)
    counts = SampleCounts.from_plain(progress.counts)

    encoder.train()
    for step in range(progress.step, steps):
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
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise WorkError(
                f"the loss is {loss} and the gradient's norm {norm} at step {step + 1}: the training has diverged; "
                f"the checkpoint after step {progress.step} is kept, a lower train.learning_rate is worth a try"
            )
        rate = learning_rate(spec, step, steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        counts.add(batch)
        done = step + 1
        seconds = time.perf_counter() - started
        if main:
            log.write(
                "step",
                step=done,
                steps=steps,
                loss=loss,
                learning_rate=rate,
                gradient_norm=norm,
                batch_kind=batch.kind,
                training_set=sets[batch.training_set].name,
                pairs_per_second=spec.batch_size / seconds,
                eta_s=seconds * (steps - done),
            )
        stopping = agreed(stop_asked(), accelerator)
        if validation.batches and (done % spec.validation.every == 0 or done == steps):
            measured = validation.loss(encoder)
            if progress.best_loss is None or measured < progress.best_loss:
                progress = replace(progress, best_step=done, best_loss=measured)
                if main:
                    checkpoints.save_best(done, encoder)
            if main:
                log.write("validation", step=done, loss=measured)
        if done % spec.checkpoint_every == 0 or done == steps or stopping:
            progress = replace(progress, step=done, counts=counts.as_plain())
            if main:
                checkpoints.save_last(progress, encoder, optimiser)
                log.write("checkpoint", step=done)
        if stopping and done < steps:
            raise Stopped(f"stopped after step {done} of {steps}")
    if spec.validation.select == "best":
        accelerator.wait_for_everyone()
        checkpoints.load_best(encoder)
    return counts


def dropout_seeds(seed: int, step: int, process: int) -> Callable[[int], int]:
    """The seed of a chunk's dropout as a function of its number."""
    return lambda chunk: int(np.random.SeedSequence([seed, step, process, chunk]).generate_state(1, np.uint64)[0] >> 1)


def agreed(flag: bool, accelerator: Accelerator) -> bool:
    """Whether any process says so; each process learns the same."""
    if accelerator.num_processes == 1:
        return flag
    return bool(accelerator.reduce(torch.tensor(float(flag), device=accelerator.device), reduction="sum").item())


class Validation:
    """The loss of held-out pairs, over batches that never change."""

    SEED = 0
    """Not the run's: the figures of all seeds are about the same batches."""

    def __init__(self, sets: Sequence[ParallelPairs], spec: TrainSpec, encoder: Encoder) -> None:
        sets = [pairs for pairs in sets if len(pairs.pair_ids)]
        self.spec = spec
        self.caches = [TokenCache(encoder, pairs) for pairs in sets]
        self.batches: list[Batch] = []
        if sets:
            sampler = self._sampler(sets)
            self.batches = [sampler.batch(step) for step in range(sampler.epoch_steps)]

    def _sampler(self, sets: Sequence[ParallelPairs]) -> Sampler:
        """Batches as in training; smaller where the held-out pairs of a language do not fill one."""
        sampling, size = self.spec.sampling, self.spec.batch_size
        while True:
            try:
                return Sampler(sets, sampling.strategy, sampling.alpha, size, self.SEED)
            except InputError as error:
                if size < 4:
                    raise InputError(
                        f"train.validation.pairs: {self.spec.validation.pairs} are too few: {error}"
                    ) from error
                size //= 2

    @torch.inference_mode()
    def loss(self, encoder: Encoder) -> float:
        """Mean over the batches; every process computes the same."""
        encoder.eval()
        losses = [self._batch_loss(encoder, batch) for batch in self.batches]
        encoder.train()
        return float(np.mean(losses))

    def _batch_loss(self, encoder: Encoder, batch: Batch) -> float:
        tokens = self.caches[batch.training_set].batch(batch, 0, 1)
        with autocast(encoder.device, self.spec.precision):
            vectors = [encoder(*encoder.pad(part)).float() for part in (tokens.queries, tokens.passages)]
            if tokens.negatives:
                vectors.append(encoder(*encoder.pad(tokens.negatives)).float())
        return info_nce(vectors[0], torch.cat(vectors[1:]), self.spec.temperature).item()
