"""The contrastive loss and its gradient: over one device or several, at once or chunk by chunk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.encoder import Encoder, Tokens, autocast

Chunks = list[NDArray[np.intp]]


@dataclass(frozen=True)
class TokenBatch:
    """This process' part of a batch, tokenised. Row i of `passages` answers row i of `queries`."""

    queries: Sequence[Tokens]
    passages: Sequence[Tokens]
    negatives: Sequence[Tokens]
    negatives_by_process: tuple[int, ...]
    """Number of hard negatives in each process' part, this one's included."""

    @property
    def texts(self) -> list[Tokens]:
        return [*self.queries, *self.passages, *self.negatives]


def info_nce(queries: Tensor, passages: Tensor, temperature: float) -> Tensor:
    """Mean over queries of -log softmax(cosine / temperature) at the query's own passage (arXiv 1807.03748, eq. 4).

    `queries` [n, d], `passages` [n + hard negatives, d], unit vectors; passage i belongs to query i, and everything
    else in `passages` is a negative of every query.
    """
    logits = queries @ passages.T / temperature
    return nn.functional.cross_entropy(logits, torch.arange(len(queries), device=queries.device))


def length_chunks(lengths: Sequence[int], most: int, overhead: int) -> Chunks:
    """Rows in groups of similar length, at most `most` in each, so that the least is spent on padding.

    Minimises the sum over groups of (texts x longest text + `overhead`) over all cuts of the rows sorted by length:
    `overhead` is what starting a group costs, in tokens. Deterministic.
    """
    order = np.argsort([-n for n in lengths], kind="stable")
    longest = np.asarray(lengths, np.int64)[order]
    total = len(order)
    cost = np.zeros(total + 1, np.int64)  # cost[i]: the cheapest way to group the rows from i on
    cut = np.zeros(total + 1, np.intp)
    for first in range(total - 1, -1, -1):
        ends = np.arange(first + 1, min(first + most, total) + 1)
        costs = (ends - first) * longest[first] + overhead + cost[ends]
        best = int(costs.argmin())
        cost[first], cut[first] = costs[best], ends[best]
    chunks, first = [], 0
    while first < total:
        chunks.append(order[first : cut[first]])
        first = int(cut[first])
    return chunks


def text_chunks(encoder: Encoder, texts: Sequence[Tokens], most: int) -> Chunks:
    """`length_chunks` of texts, by what starting a chunk costs on the encoder's device."""
    return length_chunks([len(text) for text in texts], most, 32 if encoder.device.type == "cpu" else 8192)


def backward(
    encoder: Encoder,
    batch: TokenBatch,
    *,
    temperature: float,
    chunk_size: int | None,
    precision: str,
    seeds: Callable[[int], int],
    accelerator: Accelerator,
) -> float:
    """Add the gradient of the whole batch's loss to the encoder's parameters; return the loss.

    With a `chunk_size`, texts are encoded twice and no more than so many at a time are held with their activations
    (gradient caching, arXiv 2101.06983, section 3.2). `seeds(chunk)` seeds the dropout of a chunk, which makes both
    passes drop the same, and a step depend on nothing that came before it.
    """
    texts = batch.texts
    chunks = text_chunks(encoder, texts, chunk_size or len(texts))

    def encoded(number: int) -> Tensor:
        torch.manual_seed(seeds(number))
        with autocast(encoder.device, precision):
            return encoder(*encoder.pad([texts[row] for row in chunks[number]])).float()

    place = torch.from_numpy(np.argsort(np.concatenate(chunks))).to(encoder.device)
    with encoder.shared_lookup(texts):
        if chunk_size is None:
            vectors = torch.cat([encoded(number) for number in range(len(chunks))])[place]
            loss = batch_loss(vectors, batch, temperature, accelerator)
            loss.backward()
        else:
            with torch.no_grad():
                vectors = torch.cat([encoded(number) for number in range(len(chunks))])[place]
            vectors.requires_grad_()
            loss = batch_loss(vectors, batch, temperature, accelerator)
            loss.backward()
            assert vectors.grad is not None
            for number, rows in enumerate(chunks):
                (encoded(number) * vectors.grad[torch.from_numpy(rows).to(vectors.device)]).sum().backward()
    sum_over_processes(encoder, accelerator)
    return loss.item()


def batch_loss(vectors: Tensor, batch: TokenBatch, temperature: float, accelerator: Accelerator) -> Tensor:
    """The loss of the whole batch, of which this process' `vectors` carry a gradient."""
    queries, passages, negatives = vectors.split([len(batch.queries), len(batch.passages), len(batch.negatives)])
    if accelerator.num_processes > 1:
        queries, passages = gathered(queries, accelerator), gathered(passages, accelerator)
        negatives = gathered_ragged(negatives, batch.negatives_by_process, accelerator)
    return info_nce(queries, torch.cat([passages, negatives]), temperature)


def gathered(vectors: Tensor, accelerator: Accelerator) -> Tensor:
    """All processes' rows in the order of the processes; only this one's carry a gradient."""
    parts = list(accelerator.gather(vectors.detach()).chunk(accelerator.num_processes))
    parts[accelerator.process_index] = vectors
    return torch.cat(parts)


def gathered_ragged(vectors: Tensor, counts: Sequence[int], accelerator: Accelerator) -> Tensor:
    """`gathered` where the processes have different numbers of rows."""
    most = max(counts)
    if most == 0:
        return vectors
    padded = torch.cat([vectors, vectors.new_zeros(most - len(vectors), vectors.shape[1])])
    parts = gathered(padded, accelerator).chunk(accelerator.num_processes)
    return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])


def sum_over_processes(encoder: Encoder, accelerator: Accelerator) -> None:
    """Sum the gradients of the processes: each holds the share of its own rows in the whole batch's loss."""
    if accelerator.num_processes == 1:
        return
    gradients = [p.grad for p in encoder.parameters() if p.grad is not None]
    flat = accelerator.reduce(torch.cat([g.flatten() for g in gradients]), reduction="sum")
    first = 0
    for gradient in gradients:
        gradient.copy_(flat[first : first + gradient.numel()].view_as(gradient))
        first += gradient.numel()
