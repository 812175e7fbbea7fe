"""Translation checkpoints in transformers. Imports torch: only a first translation imports this."""

import copy
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from transformers import AutoConfig, AutoModelForSeq2SeqLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from workbench.errors import InputError, WorkError
from workbench.pretrained import check_weights, find_checkpoint, one_line, refused
from workbench.records import TranslatorSpec
from workbench.synthesis.translators.families import ARCHITECTURES

KEY = "translator.checkpoint"


def fetched(name: str, folder: Path, key: str) -> tuple[Path, str | None]:
    """A checkpoint of the hub in the hub's cache, and its revision.

    NLLB-200, M2M100 and many Marian checkpoints have no safetensors on the hub; of these the older file is taken, of
    which torch reads nothing but weights.
    """
    found, revision = find_checkpoint(name, folder, key)
    if revision is not None and not has_safetensors(found):
        try:
            older = ["pytorch_model*.bin", "pytorch_model.bin.index.json"]
            snapshot_download(name, revision=revision, allow_patterns=older)
        except (OSError, HfHubHTTPError, RuntimeError) as error:
            raise InputError(f"{key}: {name!r}: the weights could not be fetched: {one_line(error)}") from error
    return found, revision


def has_safetensors(folder: Path) -> bool:
    return any(folder.glob("*.safetensors"))


class TransformersEngine:
    """A sequence-to-sequence model and its tokenizer on their device."""

    def __init__(self, folder: Path, spec: TranslatorSpec, device: str) -> None:
        """
        Raises
        ------
        InputError
            The folder is no checkpoint of the family, is damaged or lacks weights; a package is missing.
        """
        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()
        with refused(f"{KEY}: {folder}: not a config that transformers reads"):
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        if config.model_type not in ARCHITECTURES[spec.kind]:
            raise InputError(
                f"{KEY}: {folder}: is of the architecture {config.model_type!r}; allowed for {spec.kind}: "
                f"{', '.join(ARCHITECTURES[spec.kind])}"
            )
        self.tokenizer = load_tokenizer(folder, spec)
        self.model = load_model(folder, config).to(resolved(device))
        if spec.precision == "bf16":
            self.model.to(torch.bfloat16)
        # the first position of a translation is the token that starts it
        self.longest = min(config.max_position_embeddings - 1, self.tokenizer.model_max_length)
        self.search: Any = copy.deepcopy(self.model.generation_config)
        self.search.update(
            num_beams=spec.beams,
            do_sample=False,
            num_return_sequences=1,
            max_length=None,
            max_new_tokens=min(spec.max_tokens, self.longest),
        )

    @torch.inference_mode()
    def generate(self, batch: Sequence[list[int]], forced: int | None) -> list[list[int]]:
        """Token numbers of each translation, special ones included."""
        width = max(len(tokens) for tokens in batch)
        padding = self.tokenizer.pad_token_id
        numbers = torch.tensor([[*tokens, *[padding] * (width - len(tokens))] for tokens in batch])
        lengths = torch.tensor([len(tokens) for tokens in batch])
        mask = (torch.arange(width) < lengths[:, None]).long()
        if forced is not None:
            self.search.forced_bos_token_id = forced
        try:
            found = self.model.generate(
                input_ids=numbers.to(self.model.device),
                attention_mask=mask.to(self.model.device),
                generation_config=self.search,
            )
        except torch.OutOfMemoryError as error:
            raise WorkError(
                f"translator.batch_tokens: no memory left for {len(batch)} texts of up to {width} tokens with "
                f"{self.search.num_beams} beams; give fewer batch_tokens or beams"
            ) from error
        rows: list[list[int]] = found.tolist()
        return rows


def load_model(folder: Path, config: Any) -> Any:
    """In float32, for generating."""
    with refused(f"{KEY}: {folder}: the weights cannot be read"):
        model, info = AutoModelForSeq2SeqLM.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=has_safetensors(folder),
            weights_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told below, by name
        )
    check_weights(folder, config, info, KEY)
    return model.eval()


def load_tokenizer(folder: Path, spec: TranslatorSpec) -> Any:
    """
    Raises
    ------
    InputError
        It is damaged, or a package that it needs is not installed.
    """
    for package in {"nllb": (), "m2m100": ("sentencepiece",), "marian": ("sentencepiece", "sacremoses")}[spec.kind]:
        if importlib.util.find_spec(package) is None:
            raise InputError(f"translator.kind: {spec.kind} needs the package {package}: pip install {package}")
    with refused(f"{KEY}: {folder}: the tokenizer cannot be read"):
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if tokenizer.pad_token_id is None:
        raise InputError(f"{KEY}: {folder}: the tokenizer has no padding token")
    return tokenizer


def resolved(device: str) -> str:
    """The device's name in torch."""
    if device == "cuda" and not torch.cuda.is_available():
        raise WorkError("device: cuda was asked for and this machine has no GPU that torch sees")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
