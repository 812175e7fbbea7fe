"""Text in, unit vectors out.

An encoder is a token model (any Hugging Face encoder, or the built-in one), a pooling, perhaps a dense layer, and
normalisation: the modules that a sentence-transformers folder lists in its `modules.json`. What `save` writes opens
with `AutoModel.from_pretrained` and with `SentenceTransformer(path)`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers.utils import logging as transformers_logging

from workbench.errors import InputError
from workbench.layout import Dense, Layout, Pooling, Side, read_layout, write_layout
from workbench.pretrained import SMALL, find_checkpoint, load_backbone, load_tokenizer, longest_input
from workbench.records import ModelSpec

Tokens = NDArray[np.int32]

SIDES: tuple[Side, ...] = ("query", "passage")

LONGEST: dict[Side, int] = {"query": 64, "passage": 256}
"""Tokens of the longest text where neither the spec nor the checkpoint says it."""
LONGEST_GRAMS: dict[Side, int] = {"query": 128, "passage": 256}
"""The same for the built-in encoder, whose tokens are n-grams of letters, several for each word."""


class Encoder(nn.Module):
    """A dual encoder with shared weights; queries and passages differ in their prefix and longest length."""

    def __init__(
        self,
        backbone: nn.Module,
        tokenizer: Any,
        *,
        pooling: Pooling = "mean",
        dense: Dense | None = None,
        prefixes: dict[Side, str],
        longest: dict[Side, int],
        revision: str | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.tokenizer = tokenizer
        self.pooling = pooling
        self.dense = dense
        self.prefixes = prefixes
        self.longest = longest
        self.revision = revision
        """The commit of a checkpoint from the hub."""

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def tokenise(self, texts: Sequence[str], side: Side) -> list[Tokens]:
        """Token numbers (int32) of each text with its side's prefix, cut to that side's longest length."""
        prefix, longest = self.prefixes[side], self.longest[side]
        if hasattr(self.tokenizer, "ids"):  # the built-in tokenizer's direct way, ten times faster
            return [np.asarray(self.tokenizer.ids(prefix + text)[:longest], np.int32) for text in texts]
        if not texts:
            return []
        encoded = self.tokenizer(
            [prefix + text for text in texts],
            truncation=True,
            max_length=longest,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        return [np.asarray(ids, np.int32) for ids in encoded["input_ids"]]

    def pad(self, tokens: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
        """Token numbers and attention mask, both int64 [texts, longest of them], on the encoder's device."""
        width = max(len(t) for t in tokens)
        ids = np.full((len(tokens), width), self.tokenizer.pad_token_id, np.int64)
        mask = np.zeros((len(tokens), width), np.int64)
        for row, text in enumerate(tokens):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        return torch.from_numpy(ids).to(self.device), torch.from_numpy(mask).to(self.device)

    @contextmanager
    def shared_lookup(self, tokens: Sequence[Tokens]) -> Iterator[None]:
        """Within it, word vectors of `tokens` are looked up once for all calls that carry a gradient.

        The gradient of a table of word vectors is as large as the table, hundreds of megabytes for a multilingual
        vocabulary. Calls within the context add up that of the rows in use; the table's own is written once, at the
        end, so that the context must close before the optimiser's step.
        """
        table: nn.Embedding = self.backbone.get_input_embeddings()  # type: ignore[operator]
        used = np.unique(np.concatenate([*tokens, [self.tokenizer.pad_token_id]]))
        place = torch.zeros(table.num_embeddings, dtype=torch.int64, device=self.device)
        place[torch.from_numpy(used).to(self.device)] = torch.arange(len(used), device=self.device)
        looked_up = nn.functional.embedding(torch.from_numpy(used).to(self.device), table.weight, table.padding_idx)
        rows = looked_up.detach().requires_grad_()
        table.forward = lambda ids: nn.functional.embedding(place[ids], rows)  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            del table.forward  # the class' own shows again
        if rows.grad is not None and looked_up.requires_grad:
            looked_up.backward(rows.grad)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """[texts, tokens] -> float32 unit vectors [texts, dimension]."""
        states = self.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
        if self.pooling == "cls":
            vectors = states[:, 0]
        else:
            mask = attention_mask.unsqueeze(-1).float()
            vectors = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        if self.dense is not None:
            vectors = self.dense(vectors)
        return nn.functional.normalize(vectors, dim=-1)

    @torch.inference_mode()
    def encode(
        self,
        texts: Sequence[str],
        side: Side,
        *,
        batch_tokens: int = 4096,
        progress: Callable[[int, int], None] | None = None,
    ) -> NDArray[np.float32]:
        """Unit vectors float32 [texts, dimension], batched by length, in the order of `texts`.

        `batch_tokens` bounds the padded tokens of a batch; `progress(done, total)` is called after each.
        """
        was_training = self.training
        self.eval()
        tokens = self.tokenise(texts, side)
        order = np.argsort([-len(t) for t in tokens], kind="stable")
        vectors: NDArray[np.float32] | None = None
        done = 0
        while done < len(order):
            size = max(1, batch_tokens // len(tokens[order[done]]))
            rows = order[done : done + size]
            part = self(*self.pad([tokens[r] for r in rows])).cpu().numpy()
            if vectors is None:
                vectors = np.empty((len(texts), part.shape[1]), np.float32)
            vectors[rows] = part
            done += len(rows)
            if progress:
                progress(done, len(order))
        self.train(was_training)
        return np.empty((0, 0), np.float32) if vectors is None else vectors

    def save(self, folder: Path) -> None:
        """Write a folder that transformers and sentence-transformers both open, and `load_encoder` as it is here."""
        folder.mkdir(parents=True, exist_ok=True)
        self.backbone.save_pretrained(folder)  # type: ignore[operator]
        self.tokenizer.save_pretrained(folder)
        config: Any = self.backbone.config
        write_layout(folder, Layout(self.pooling, self.dense, self.prefixes, self.longest), config.hidden_size)


def autocast(device: torch.device, precision: str) -> Any:
    """bf16 where asked for, else nothing."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def load_encoder(spec: ModelSpec, folder: Path, seed: int) -> Encoder:
    """The encoder that a run starts from; `folder` is where a relative checkpoint path starts.

    Raises
    ------
    InputError
        The checkpoint is not there, is no encoder, is damaged or lacks weights; a prefix leaves no room for a text.
    """
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.manual_seed(seed)
    encoder = built_in(spec) if spec.checkpoint == "builtin" else from_checkpoint(spec, folder)
    check_room(encoder)
    return encoder


def built_in(spec: ModelSpec) -> Encoder:
    from workbench.small_encoder import SmallConfig, SmallModel, SmallTokenizer

    return Encoder(
        SmallModel(SmallConfig(buckets=spec.builtin.buckets, dimension=spec.builtin.dimension)),
        SmallTokenizer(spec.builtin.buckets),
        pooling=spec.pooling or "mean",
        prefixes=chosen_prefixes(spec, Layout()),
        longest=chosen_lengths(spec, Layout(), LONGEST_GRAMS),
    )


def from_checkpoint(spec: ModelSpec, folder: Path) -> Encoder:
    """A checkpoint's encoder; what the spec leaves open is as the checkpoint says."""
    source, revision = find_checkpoint(spec.checkpoint, folder)
    layout = read_layout(source)
    backbone = load_backbone(source)
    tokenizer = load_tokenizer(source, backbone)
    config: Any = backbone.config
    if layout.dense is not None and layout.dense.linear.in_features != config.hidden_size:
        raise InputError(
            f"model.checkpoint: {source}: the dense layer's in_features is {layout.dense.linear.in_features}; "
            f"allowed: {config.hidden_size}, the token model's hidden_size"
        )
    usual = LONGEST_GRAMS if config.model_type == SMALL else LONGEST
    limit = longest_input(backbone, tokenizer)
    return Encoder(
        backbone,
        tokenizer,
        pooling=spec.pooling or layout.pooling or "mean",
        dense=layout.dense,
        prefixes=chosen_prefixes(spec, layout),
        longest={side: min(tokens, limit) for side, tokens in chosen_lengths(spec, layout, usual).items()},
        revision=revision,
    )


def chosen_prefixes(spec: ModelSpec, layout: Layout) -> dict[Side, str]:
    asked: dict[Side, str | None] = {"query": spec.query_prefix, "passage": spec.passage_prefix}
    return {side: layout.prefixes.get(side, "") if text is None else text for side, text in asked.items()}


def chosen_lengths(spec: ModelSpec, layout: Layout, usual: Mapping[Side, int]) -> dict[Side, int]:
    """Tokens of the longest text: as the spec says, else the checkpoint, else as usual; within the checkpoint's cap."""
    asked: dict[Side, int | None] = {"query": spec.query_tokens, "passage": spec.passage_tokens}
    lengths = {side: tokens or layout.longest.get(side, usual[side]) for side, tokens in asked.items()}
    return {side: min(tokens, layout.cap or tokens) for side, tokens in lengths.items()}


def check_room(encoder: Encoder) -> None:
    """A prefix that fills the longest length by itself would make all texts of its side the same."""
    special = encoder.tokenizer.num_special_tokens_to_add()
    for side in SIDES:
        prefix, longest = encoder.prefixes[side], encoder.longest[side]
        own = len(encoder.tokenizer(prefix, add_special_tokens=False)["input_ids"]) if prefix else 0
        if own + special >= longest:
            raise InputError(
                f"model.{side}_prefix: {prefix!r:.60} has {own} tokens and leaves no room for a text; allowed: at most "
                f"{longest - special - 1} tokens, as the longest {side} has {longest} (model.{side}_tokens), "
                f"{special} of them special tokens"
            )
