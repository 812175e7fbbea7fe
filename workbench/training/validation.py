"""The loss of held-out pairs, by which the checkpoint is chosen."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from workbench.data.pairs import ParallelPairs
from workbench.encoder import Encoder, Tokens, autocast
from workbench.errors import InputError
from workbench.records import TrainSpec
from workbench.training.contrast import info_nce, text_chunks
from workbench.training.mixing import mix_of
from workbench.training.sampling import Batch, Sampler
from workbench.training.tokens import TokenCache

SEED = 0
"""Not the run's: the figures of all seeds are about the same batches."""
CHUNK_SIZE = 64
"""Texts encoded at a time where the config names no `train.chunk_size`."""


class Validation:
    """The loss of held-out pairs, over batches that never change.

    Parameters
    ----------
    sets
        The held-out pairs of each training set; sets without any are passed over.

    Raises
    ------
    InputError
        The held-out pairs do not even fill batches of two.
    """

    def __init__(self, sets: Sequence[ParallelPairs], spec: TrainSpec, encoder: Encoder) -> None:
        sets = [pairs for pairs in sets if len(pairs.pair_ids)]
        self.spec = spec
        self.caches = [TokenCache(encoder, pairs) for pairs in sets]
        self.batches: list[Batch] = []
        """As in training, but smaller where the held-out pairs do not fill batches of that size."""
        self.warnings: list[str] = []
        """What a user should know: what the batches leave out, and that they are smaller than in training."""
        if sets:
            self._draw(sets)

    def _draw(self, sets: Sequence[ParallelPairs]) -> None:
        """Make the batches of one pass, all of them now: what cannot be drawn is to be known before the training."""
        sampling, size = self.spec.sampling, self.spec.batch_size
        while not self.batches:
            try:
                sampler = Sampler(sets, sampling.strategy, sampling.alpha, size, SEED, mix_of(self.spec))
                self.batches = [sampler.batch(step) for step in range(sampler.epoch_steps)]
            except InputError as error:
                if size == 2:
                    raise self._too_few(sets) from error
                size = max(2, size // 2)
        self.warnings += [f"validation: {warning}" for warning in sampler.warnings]
        if size < self.spec.batch_size:
            self.warnings.append(
                f"validation: the held-out pairs do not fill batches of train.batch_size {self.spec.batch_size}: "
                f"the loss is over {len(self.batches)} batches of {size}"
            )

    def _too_few(self, sets: Sequence[ParallelPairs]) -> InputError:
        held = (f"{pairs.name} ({' '.join(pairs.languages)}) {len(pairs.pair_ids)}" for pairs in sets)
        return InputError(
            f"train.validation.pairs: {self.spec.validation.pairs} are too few: train.sampling.strategy "
            f"{self.spec.sampling.strategy!r} fills no batch of two from the held-out pairs: {', '.join(held)}"
        )

    @torch.inference_mode()
    def loss(self, encoder: Encoder) -> float:
        """Mean over the batches; every process computes the same. Not finite where the weights have diverged."""
        encoder.eval()
        losses = [self._batch_loss(encoder, batch) for batch in self.batches]
        encoder.train()
        return float(np.mean(losses))

    def _batch_loss(self, encoder: Encoder, batch: Batch) -> float:
        tokens = self.caches[batch.training_set].batch(batch, 0, 1)
        vectors = self._encoded(encoder, tokens.texts)
        queries = len(tokens.queries)
        return info_nce(vectors[:queries], vectors[queries:], self.spec.temperature).item()

    def _encoded(self, encoder: Encoder, texts: Sequence[Tokens]) -> Tensor:
        """[texts, dimension] unit vectors; the memory for their making is that of one chunk."""
        chunks = text_chunks(encoder, texts, self.spec.chunk_size or CHUNK_SIZE)
        with autocast(encoder.device, self.spec.precision):
            parts = [encoder(*encoder.pad([texts[row] for row in chunk])).float() for chunk in chunks]
        place = torch.from_numpy(np.argsort(np.concatenate(chunks))).to(encoder.device)
        return torch.cat(parts)[place]
