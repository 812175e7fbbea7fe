"""Converted translation checkpoints in CTranslate2, an optional package: faster, above all on CPUs."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.errors import InputError, WorkError
from workbench.pretrained import refused
from workbench.records import TranslatorSpec
from workbench.synthesis.translators.transformers_engine import KEY, load_tokenizer


class CTranslate2Engine:
    """A folder that `ct2-transformers-converter --copy_files ...` wrote: model.bin and the tokenizer's files."""

    def __init__(self, folder: Path, spec: TranslatorSpec, device: str, threads: int | None) -> None:
        """
        Raises
        ------
        InputError
            The package is not installed; the folder is not converted, is damaged or has no tokenizer.
        """
        if importlib.util.find_spec("ctranslate2") is None:
            raise InputError("translator.engine: ctranslate2 is not installed: pip install ctranslate2")
        import ctranslate2

        if not (folder / "model.bin").is_file():
            raise InputError(f"{KEY}: {folder}: has no model.bin; allowed: what ct2-transformers-converter wrote")
        self.tokenizer = load_tokenizer(folder, spec)
        gpus = ctranslate2.get_cuda_device_count()
        if device == "cuda" and not gpus:
            raise WorkError("device: cuda was asked for and this machine has no GPU that ctranslate2 sees")
        self.longest = self.tokenizer.model_max_length
        self.beams, self.tokens = spec.beams, min(spec.max_tokens, self.longest)
        with refused(f"{KEY}: {folder}: the model cannot be read"):
            self.model: Any = ctranslate2.Translator(
                str(folder),
                device="cuda" if gpus and device != "cpu" else "cpu",
                compute_type="bfloat16" if spec.precision == "bf16" else "float32",
                intra_threads=threads or 0,
            )

    def generate(self, batch: Sequence[list[int]], forced: int | None) -> list[list[int]]:
        """Token numbers of each translation, special ones included."""
        found = self.model.translate_batch(
            [self.tokenizer.convert_ids_to_tokens(tokens) for tokens in batch],
            target_prefix=None if forced is None else [[self.tokenizer.convert_ids_to_tokens(forced)]] * len(batch),
            beam_size=self.beams,
            max_decoding_length=self.tokens,
            max_input_length=0,
        )
        return [self.tokenizer.convert_tokens_to_ids(translation.hypotheses[0]) for translation in found]
