"""Run as one of several processes: the gradient of one batch, split over them, into a file."""

import sys
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors.torch import save_file

from tests.conftest import invented_pairs
from workbench.encoder import load_encoder
from workbench.records import ModelSpec
from workbench.training.contrast import backward
from workbench.training.loop import dropout_seeds
from workbench.training.sampling import Sampler
from workbench.training.tokens import TokenCache


def gradients(checkpoint: str, batch_size: int, chunk_size: int | None, negatives: bool) -> dict[str, torch.Tensor]:
    torch.set_num_threads(1)
    accelerator = Accelerator(cpu=True)
    encoder = load_encoder(ModelSpec(checkpoint=checkpoint), Path(), 0)
    pairs = invented_pairs(batch_size, negatives=negatives)
    batch = Sampler([pairs], "hybrid", 0.5, batch_size, 0).batch(0)
    tokens = TokenCache(encoder, pairs).batch(batch, accelerator.process_index, accelerator.num_processes)
    loss = backward(
        encoder,
        tokens,
        temperature=0.05,
        chunk_size=chunk_size,
        precision="fp32",
        seeds=dropout_seeds(0, 0, 0),
        accelerator=accelerator,
    )
    found = {name: p.grad for name, p in encoder.named_parameters() if p.grad is not None}
    return {**found, "loss": torch.tensor(loss)}


if __name__ == "__main__":
    out, checkpoint, rank = sys.argv[1:]
    save_file(gradients(checkpoint, 32, None, negatives=True), f"{out}/{rank}.safetensors")
