"""The token model and the tokenizer of a checkpoint: fetched, loaded by transformers, and checked to fit together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, StrictDataclassError
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from workbench.data.fingerprints import local_checkpoint
from workbench.data.reading.json_values import member, read_json
from workbench.errors import InputError

SMALL = "workbench-small"
"""`model_type` of the built-in encoder, whose tokenizer hashes and has no vocabulary."""

VOCABULARIES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "spiece.model",
    "spm.model",
)
"""Files that hold a vocabulary; a folder has at least one of them."""

DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    SafetensorError,
    StrictDataclassError,
    TypeError,
    ValueError,
)
"""What transformers raises over a damaged folder: whatever its parsing code trips over."""

NOT_FETCHED = ["*.bin", "*.h5", "*.ot", "*.msgpack", "*.py", "onnx/*", "openvino/*"]


def find_checkpoint(checkpoint: str, folder: Path, key: str = "model.checkpoint") -> tuple[Path, str | None]:
    """A local folder as it is, or a hub id in the hub's cache, fetched where need be (safetensors only, no code).

    `key` is where the checkpoint stands in the settings. Returns the folder, and for a hub id the revision: the hash
    of the commit that was taken.
    """
    local = local_checkpoint(checkpoint, folder, key)
    if local is not None:
        return local, None
    try:
        snapshot = Path(snapshot_download(checkpoint, ignore_patterns=NOT_FETCHED))
    except (OSError, HFValidationError, HfHubHTTPError, RuntimeError) as error:
        raise InputError(
            f"{key}: {checkpoint!r} is no folder here and could not be fetched from the hub: {one_line(error)}"
        ) from error
    return snapshot, snapshot.name


def load_backbone(source: Path) -> nn.Module:
    """The token model in float32, without a pooler head.

    Raises
    ------
    InputError
        The folder is no checkpoint of a text encoder, or its weights are missing or of other sizes.
    """
    if model_type(source) == SMALL:
        import workbench.small_encoder  # noqa: F401  (registers the class)
    with refused(f"model.checkpoint: {source / 'config.json'}: not a config that transformers reads"):
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    check_is_encoder(source, config)
    with refused(f"model.checkpoint: {source}: the weights cannot be read"):
        model, info = AutoModel.from_pretrained(
            source,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told below, by name
        )
    check_weights(source, config, info)
    if getattr(model, "pooler", None) is not None:
        # the head of next-sentence prediction: nothing here reads it, and it would be trained by weight decay alone
        model.pooler = None
    return model


def model_type(source: Path) -> str:
    """The architecture that a checkpoint folder names."""
    file = source / "config.json"
    name: str = member(read_json(file, dict), "model_type", str, str(file))
    return name


def check_is_encoder(source: Path, config: Any) -> None:
    known = {*MODEL_FOR_MASKED_LM_MAPPING_NAMES, SMALL}
    if getattr(config, "is_encoder_decoder", False) or config.model_type not in known:
        raise InputError(
            f"model.checkpoint: {source}: {config.model_type!r} is no text encoder; allowed are the "
            "architectures with a masked-language-model head, such as bert, xlm-roberta, modernbert"
        )


def check_weights(source: Path, config: Any, info: dict[str, Any], key: str = "model.checkpoint") -> None:
    """transformers draws a weight at random where the file lacks it or has it in another size."""
    unequal = sorted((name, list(found), list(wanted)) for name, found, wanted in info["mismatched_keys"])
    if unequal:
        name, found, wanted = unequal[0]
        raise InputError(f"{key}: {source}: {name} has the sizes {found}; allowed by config.json: {wanted}")
    missing = sorted(name for name in info["missing_keys"] if "pooler" not in name and "position_ids" not in name)
    if missing:
        raise InputError(
            f"{key}: {source}: {len(missing)} weights of {config.model_type} are missing, such as {missing[0]}"
        )


def load_tokenizer(source: Path, backbone: nn.Module) -> Any:
    """The tokenizer, whose every token has a word vector in `backbone`.

    Raises
    ------
    InputError
        A file is missing or damaged, the vocabulary is empty or larger than the model's, there is no padding token.
    """
    check_files(source)
    with refused(f"model.checkpoint: {source}: the tokenizer cannot be read"):
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        vocabulary: dict[str, int] = tokenizer.get_vocab()
        largest = max([tokenizer.vocab_size - 1, *vocabulary.values()])
    if tokenizer.pad_token_id is None:
        raise InputError(f"model.checkpoint: {source}: the tokenizer has no padding token")
    if model_type(source) != SMALL and set(vocabulary) <= set(tokenizer.all_special_tokens):
        raise InputError(f"model.checkpoint: {source}: the tokenizer's vocabulary holds only its special tokens")
    check_rows(source, backbone, largest)
    check_length(source, tokenizer.model_max_length)
    return tokenizer


def check_files(source: Path) -> None:
    """Without a vocabulary transformers makes a tokenizer that knows its special tokens alone."""
    if (source / "tokenizer_config.json").is_file():
        read_json(source / "tokenizer_config.json", dict)
    if model_type(source) != SMALL and not any((source / name).is_file() for name in VOCABULARIES):
        raise InputError(f"model.checkpoint: {source}: holds no vocabulary; allowed: one of {', '.join(VOCABULARIES)}")


def check_length(source: Path, longest: object) -> None:
    if not isinstance(longest, (int, float)) or not longest >= 3:
        raise InputError(
            f"{source / 'tokenizer_config.json'}: 'model_max_length' is {longest!r:.60}; allowed: numbers from 3"
        )


def check_rows(source: Path, backbone: nn.Module, largest: int) -> None:
    with refused(f"model.checkpoint: {source}: the model has no table of word vectors"):
        rows = backbone.get_input_embeddings().num_embeddings  # type: ignore[operator]
    if largest >= rows:
        raise InputError(
            f"model.checkpoint: {source}: the tokenizer's largest token number is {largest}, the model's table of word "
            f"vectors has {rows} rows; allowed: token numbers up to {rows - 1}"
        )


def longest_input(backbone: nn.Module, tokenizer: Any) -> int:
    """The most tokens that the model takes: its own positions or what its tokenizer states, the smaller."""
    config: Any = backbone.config
    positions = getattr(config, "max_position_embeddings", 0) or 1 << 30
    table = getattr(getattr(backbone, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    if padding is not None:
        positions -= padding + 1  # RoBERTa and its kin count positions from the one after padding's
    return int(min(positions, tokenizer.model_max_length))


@contextmanager
def refused(says: str) -> Iterator[None]:
    """What a library raises over a damaged file, as an InputError of one line that starts with `says`."""
    try:
        yield
    except Exception as error:
        # the tokenizers library raises Exception itself; a class that is neither is a defect and keeps its traceback
        if type(error) is not Exception and not isinstance(error, DAMAGE):
            raise
        raise InputError(f"{says}: {type(error).__name__}: {one_line(error)}") from error


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
