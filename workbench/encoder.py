"""Text in, unit vectors out.

An encoder is a token model (any Hugging Face encoder, or the built-in one), a pooling, perhaps a dense layer, and
normalisation: the modules that a sentence-transformers folder lists in its `modules.json`. What `save` writes opens
with `AutoModel.from_pretrained` and with `SentenceTransformer(path)`.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES
from transformers.utils import logging as transformers_logging

from workbench.data.fingerprints import local_checkpoint
from workbench.errors import InputError, allowed
from workbench.records import ModelSpec

Side = Literal["query", "passage"]
Tokens = NDArray[np.int32]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "Tanh": nn.Tanh,
    "Identity": nn.Identity,
    "GELU": nn.GELU,
    "ReLU": nn.ReLU,
}
"""The activations that a dense layer may name; a class path from a file is never imported."""

MODULES = ("Transformer", "Pooling", "Dense", "Normalize")
"""The modules that a sentence-transformers folder may list."""

# the class paths that every release of sentence-transformers reads
ST_MODULES = "sentence_transformers.models."


class Dense(nn.Module):
    """The dense layer of a sentence-transformers folder, such as LaBSE's."""

    def __init__(self, inputs: int, outputs: int, bias: bool, activation: str) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=bias)
        self.activation_name = activation
        self.activation = ACTIVATIONS[activation]()

    def forward(self, vectors: Tensor) -> Tensor:
        return self.activation(self.linear(vectors))


@dataclass(frozen=True)
class Layout:
    """What a checkpoint folder says of itself beyond the token model."""

    pooling: Literal["mean", "cls"] | None = None
    dense: Path | None = None
    query_prompt: str = ""
    passage_prompt: str = ""


class Encoder(nn.Module):
    """A dual encoder with shared weights; queries and passages differ in their prefix and longest length."""

    def __init__(
        self,
        backbone: nn.Module,
        tokenizer: Any,
        *,
        pooling: Literal["mean", "cls"] = "mean",
        dense: Dense | None = None,
        prefixes: dict[Side, str],
        longest: dict[Side, int],
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.tokenizer = tokenizer
        self.pooling = pooling
        self.dense = dense
        self.prefixes = prefixes
        self.longest = longest

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
        precision: str = "fp32",
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
            with autocast(self.device, precision):
                part = self(*self.pad([tokens[r] for r in rows])).float().cpu().numpy()
            if vectors is None:
                vectors = np.empty((len(texts), part.shape[1]), np.float32)
            vectors[rows] = part
            done += len(rows)
            if progress:
                progress(done, len(order))
        self.train(was_training)
        return np.empty((0, 0), np.float32) if vectors is None else vectors

    def save(self, folder: Path) -> None:
        """Write a folder that transformers and sentence-transformers both open."""
        folder.mkdir(parents=True, exist_ok=True)
        self.backbone.save_pretrained(folder)  # type: ignore[operator]
        self.tokenizer.save_pretrained(folder)
        modules = ["Transformer", "Pooling", *(["Dense"] if self.dense else []), "Normalize"]
        listed = [
            {"idx": i, "name": str(i), "path": "" if i == 0 else f"{i}_{name}", "type": ST_MODULES + name}
            for i, name in enumerate(modules)
        ]
        for module in listed[1:]:
            (folder / str(module["path"])).mkdir(exist_ok=True)
        write_json(folder / "modules.json", listed)
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": max(self.longest.values())})
        write_json(
            folder / "config_sentence_transformers.json",
            {
                "prompts": {"query": self.prefixes["query"], "document": self.prefixes["passage"]},
                "similarity_fn_name": "cosine",
            },
        )
        pooled = self.backbone.config.hidden_size  # type: ignore[union-attr]
        write_json(
            folder / "1_Pooling" / "config.json",
            {
                "word_embedding_dimension": pooled,
                "pooling_mode_cls_token": self.pooling == "cls",
                "pooling_mode_mean_tokens": self.pooling == "mean",
            },
        )
        if self.dense is not None:
            save_dense(self.dense, folder / "2_Dense")


def autocast(device: torch.device, precision: str) -> Any:
    """bf16 where asked for, else nothing."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def load_encoder(spec: ModelSpec, folder: Path, seed: int) -> Encoder:
    """The encoder that a run starts from; `folder` is where a relative checkpoint path starts.

    Raises
    ------
    InputError
        The checkpoint is not there, is no encoder, or lacks weights.
    """
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.manual_seed(seed)
    if spec.checkpoint == "builtin":
        return built_in(spec)
    source = checkpoint_folder(spec.checkpoint, folder)
    layout = read_layout(source)
    backbone = load_backbone(source)
    tokenizer = load_tokenizer(source)
    limit = longest_input(backbone, tokenizer)
    query_prefix = layout.query_prompt if spec.query_prefix is None else spec.query_prefix
    passage_prefix = layout.passage_prompt if spec.passage_prefix is None else spec.passage_prefix
    return Encoder(
        backbone,
        tokenizer,
        pooling=spec.pooling or layout.pooling or "mean",
        dense=load_dense(layout.dense) if layout.dense else None,
        prefixes={"query": query_prefix, "passage": passage_prefix},
        longest={"query": min(spec.query_tokens, limit), "passage": min(spec.passage_tokens, limit)},
    )


def built_in(spec: ModelSpec) -> Encoder:
    from workbench.small_encoder import SmallConfig, SmallModel, SmallTokenizer

    return Encoder(
        SmallModel(SmallConfig(buckets=spec.builtin.buckets, dimension=spec.builtin.dimension)),
        SmallTokenizer(spec.builtin.buckets),
        pooling=spec.pooling or "mean",
        prefixes={"query": spec.query_prefix or "", "passage": spec.passage_prefix or ""},
        longest={"query": spec.query_tokens, "passage": spec.passage_tokens},
    )


def checkpoint_folder(checkpoint: str, folder: Path) -> Path:
    """A local folder as it is, or a hub id fetched into the hub's cache (safetensors only, no code)."""
    local = local_checkpoint(checkpoint, folder)
    if local is not None:
        return local
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        ignored = ["*.bin", "*.h5", "*.ot", "*.msgpack", "*.py", "onnx/*", "openvino/*"]
        return Path(snapshot_download(checkpoint, ignore_patterns=ignored))
    except (OSError, HFValidationError, HfHubHTTPError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"model.checkpoint: {checkpoint!r} is no folder here and could not be fetched from the hub: {reason}"
        ) from error


def load_backbone(source: Path) -> nn.Module:
    """The token model in float32, without a pooler head."""
    if (source / "config.json").is_file() and '"workbench-small"' in (source / "config.json").read_text():
        import workbench.small_encoder  # noqa: F401  (registers the class)
    try:
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"model.checkpoint: {source}: not a checkpoint of transformers: {one_line(error)}") from error
    check_is_encoder(source, config)
    try:
        model, info = AutoModel.from_pretrained(
            source, config=config, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(f"model.checkpoint: {source}: the weights cannot be read: {one_line(error)}") from error
    missing = [name for name in info["missing_keys"] if "pooler" not in name and "position_ids" not in name]
    if missing:
        raise InputError(
            f"model.checkpoint: {source}: {len(missing)} weights of {config.model_type} are missing, "
            f"such as {sorted(missing)[0]}"
        )
    if getattr(model, "pooler", None) is not None:
        # the head of next-sentence prediction: nothing here reads it, and it would be trained by weight decay alone
        model.pooler = None
    return model


def check_is_encoder(source: Path, config: Any) -> None:
    known = {*MODEL_FOR_MASKED_LM_MAPPING_NAMES, "workbench-small"}
    if getattr(config, "is_encoder_decoder", False) or config.model_type not in known:
        raise InputError(
            f"model.checkpoint: {source}: {config.model_type!r} is no text encoder; allowed are the "
            "architectures with a masked-language-model head, such as bert, xlm-roberta, modernbert"
        )


def load_tokenizer(source: Path) -> Any:
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"model.checkpoint: {source}: the tokenizer cannot be read: {one_line(error)}") from error
    if tokenizer.pad_token_id is None:
        raise InputError(f"model.checkpoint: {source}: the tokenizer has no padding token")
    return tokenizer


def longest_input(backbone: nn.Module, tokenizer: Any) -> int:
    """The most tokens that the model takes: its own positions or what its tokenizer states, the smaller."""
    config: Any = backbone.config
    positions = getattr(config, "max_position_embeddings", 0) or 1 << 30
    if config.model_type in ("roberta", "xlm-roberta", "camembert"):
        positions -= 2  # their first position is padding_idx + 1
    return min(positions, tokenizer.model_max_length)


def read_layout(source: Path) -> Layout:
    """The sentence-transformers modules and prompts of a folder, if it lists any."""
    if not (source / "modules.json").is_file():
        return Layout()
    pooling: Literal["mean", "cls"] | None = None
    dense: Path | None = None
    for module in read_json(source / "modules.json"):
        kind, path = str(module["type"]).rsplit(".", 1)[-1], inside(source, str(module["path"]))
        if kind == "Pooling":
            pooling = pooling_of(path / "config.json")
        elif kind == "Dense":
            dense = path
        elif kind not in MODULES:
            raise InputError(f"{source / 'modules.json'}: module {kind!r}: {allowed(kind, MODULES)}")
    prompts: dict[str, str] = {}
    if (source / "config_sentence_transformers.json").is_file():
        prompts = read_json(source / "config_sentence_transformers.json").get("prompts") or {}
    passage = prompts.get("passage") or prompts.get("document") or ""
    return Layout(pooling, dense, prompts.get("query") or "", passage)


def pooling_of(path: Path) -> Literal["mean", "cls"]:
    """The pooling of both generations of the file: a mode by name, or one flag for each mode."""
    config = read_json(path)
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [
            k.removeprefix("pooling_mode_") for k, v in config.items() if k.startswith("pooling_mode_") and v is True
        ]
    modes = [modes] if isinstance(modes, str) else modes
    names = {"mean": "mean", "mean_tokens": "mean", "cls": "cls", "cls_token": "cls"}
    if len(modes) != 1 or modes[0] not in names:
        raise InputError(f"{path}: pooling {', '.join(modes) or 'none'}: {allowed('', ['mean', 'cls'])}")
    return "mean" if names[modes[0]] == "mean" else "cls"


def load_dense(path: Path) -> Dense:
    config = read_json(path / "config.json")
    activation = str(config.get("activation_function", "Identity")).rsplit(".", 1)[-1]
    if activation not in ACTIVATIONS:
        raise InputError(
            f"{path / 'config.json'}: activation_function {activation!r}: {allowed(activation, ACTIVATIONS)}"
        )
    dense = Dense(config["in_features"], config["out_features"], config.get("bias", True), activation)
    try:
        dense.load_state_dict(load_file(path / "model.safetensors"))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise InputError(f"{path / 'model.safetensors'}: {one_line(error)}") from error
    return dense


def save_dense(dense: Dense, path: Path) -> None:
    linear = dense.linear
    config = {
        "in_features": linear.in_features,
        "out_features": linear.out_features,
        "bias": linear.bias is not None,
        "activation_function": type(dense.activation).__module__ + "." + dense.activation_name,
    }
    write_json(path / "config.json", config)
    save_file({k: v.contiguous() for k, v in dense.state_dict().items()}, path / "model.safetensors")


def inside(folder: Path, part: str) -> Path:
    """A path that a file names, kept inside its folder."""
    path = (folder / part).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"{folder / 'modules.json'}: path {part!r} leads out of the folder")
    return path


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {one_line(error)}") from error


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
