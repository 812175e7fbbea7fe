"""The sentence-transformers layout of a checkpoint folder, read and written.

`modules.json` lists the modules, most of them with a folder of their own; `config_sentence_transformers.json` holds
the prompts and, where the workbench wrote it, the longest lengths. A folder without `modules.json` states nothing.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from workbench.data.reading.json_values import member, number, optional, read_json
from workbench.errors import InputError, allowed
from workbench.pretrained import refused

Side = Literal["query", "passage"]
Pooling = Literal["mean", "cls"]

MODULES = ("Transformer", "Pooling", "Dense", "Normalize")
"""The modules that a folder may list, in this order."""

ST_MODULES = "sentence_transformers.models."
"""The class paths that every release of sentence-transformers reads."""

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "Tanh": nn.Tanh,
    "Identity": nn.Identity,
    "GELU": nn.GELU,
    "ReLU": nn.ReLU,
}
"""The activations that a dense layer may name; a class path from a file is never imported."""

POOLINGS: dict[str, Pooling] = {"mean": "mean", "mean_tokens": "mean", "cls": "cls", "cls_token": "cls"}

LENGTHS: dict[Side, str] = {"query": "query_tokens", "passage": "passage_tokens"}
"""Keys of the lengths in the workbench's part of `config_sentence_transformers.json`."""


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
    """What a checkpoint folder says of itself beyond the token model; none = it does not say."""

    pooling: Pooling | None = None
    dense: Dense | None = None
    prefixes: Mapping[Side, str] = field(default_factory=dict)
    longest: Mapping[Side, int] = field(default_factory=dict)
    """Tokens by which a model of the workbench cuts its texts."""
    cap: int | None = None
    """The most tokens of any text in a model of somebody else."""


def read_layout(source: Path) -> Layout:
    """What the folder states.

    Raises
    ------
    InputError
        A file is damaged or asks for what the workbench does not support; names file, key and value.
    """
    if not (source / "modules.json").is_file():
        return Layout()
    folders = module_folders(source)
    stated, where = read_stated(source / "config_sentence_transformers.json")
    only(stated, "truncate_dim", None, where)
    longest = read_longest(stated, where)
    return Layout(
        pooling=read_pooling(folders["Pooling"] / "config.json") if "Pooling" in folders else None,
        dense=read_dense(folders["Dense"]) if "Dense" in folders else None,
        prefixes=read_prefixes(stated, where),
        longest=longest,
        # a folder of the workbench has its lengths, and the longer of them as sentence-transformers' one
        cap=None if longest else read_cap(source),
    )


def read_stated(file: Path) -> tuple[dict[str, Any], str]:
    """The object in a file that may be absent, and what messages about it start with."""
    return read_json(file, dict) if file.is_file() else {}, str(file)


def module_folders(source: Path) -> dict[str, Path]:
    """The folder of each module that `modules.json` lists."""
    file = source / "modules.json"
    folders: dict[str, Path] = {}
    kinds = []
    for place, module in enumerate(read_json(file, list)):
        where = f"{file}: [{place}]"
        kind = member(module, "type", str, where).rsplit(".", 1)[-1]
        if kind not in MODULES:
            raise InputError(f"{where}: module {kind!r}; {allowed(kind, MODULES)}")
        path = member(module, "path", str, where)
        if kind == "Transformer" and path:
            raise InputError(
                f"{where}: 'path' is {path!r}; a token model in a folder of its own is not supported; allowed: ''"
            )
        folders[kind] = inside(source, path, where)
        kinds.append(kind)
    if kinds != [kind for kind in MODULES if kind in folders] or "Transformer" not in folders:
        raise InputError(
            f"{file}: the modules are {', '.join(kinds) or 'none'}; supported: {', '.join(MODULES)} in this order, "
            "the first always, each at most once"
        )
    return folders


def inside(source: Path, part: str, where: str) -> Path:
    """A path that a file names, kept inside its folder."""
    path = source / part
    if "\0" in part or not path.resolve().is_relative_to(source.resolve()):
        raise InputError(f"{where}: 'path' is {part!r:.60}, which leads out of the folder; allowed: a folder inside it")
    return path


def only(config: Mapping[str, Any], key: str, supported: object, where: str) -> None:
    """Refuse an option that would change the vectors and is not supported."""
    if config.get(key, supported) != supported:
        raise InputError(f"{where}: {key!r} is {config[key]!r:.60}; supported: {json.dumps(supported)}")


def read_prefixes(stated: dict[str, Any], where: str) -> dict[Side, str]:
    """The prompts of queries and passages; sentence-transformers' own name for the latter is `document`."""
    prompts = optional(stated, "prompts", dict, where) or {}
    where = f"{where}: prompts"
    query, passage, document = (optional(prompts, key, str, where) for key in ("query", "passage", "document"))
    return {"query": query or "", "passage": passage or document or ""}


def read_longest(stated: dict[str, Any], where: str) -> dict[Side, int]:
    own = optional(stated, "workbench", dict, where)
    return {} if own is None else {side: number(own, key, f"{where}: workbench", 3) for side, key in LENGTHS.items()}


def read_cap(source: Path) -> int | None:
    """The longest length in sentence-transformers' own file, which older releases name after the architecture."""
    for file in sorted(source.glob("sentence_*_config.json")):
        config = read_json(file, dict)
        if config.get("max_seq_length") is not None:
            return number(config, "max_seq_length", str(file), 3)
    return None


def read_pooling(file: Path) -> Pooling:
    """The pooling of both generations of the file: a mode by name, or one flag for each mode."""
    config, where = read_json(file, dict), str(file)
    only(config, "include_prompt", True, where)
    modes = config.get("pooling_mode")
    if modes is None:
        flags = [key for key in config if key.startswith("pooling_mode_")]
        modes = [key.removeprefix("pooling_mode_") for key in flags if member(config, key, bool, where)]
    modes = modes if isinstance(modes, list) else [modes]
    if len(modes) != 1 or not isinstance(modes[0], str) or modes[0] not in POOLINGS:
        raise InputError(f"{where}: 'pooling_mode' is {modes!r:.60}; allowed: mean or cls, one of them")
    return POOLINGS[modes[0]]


def read_dense(folder: Path) -> Dense:
    file = folder / "config.json"
    config, where = read_json(file, dict), str(file)
    only(config, "module_input_name", "sentence_embedding", where)
    only(config, "module_output_name", "sentence_embedding", where)
    only(config, "use_residual", False, where)
    inputs, outputs = number(config, "in_features", where), number(config, "out_features", where)
    bias = optional(config, "bias", bool, where)
    activation = (optional(config, "activation_function", str, where) or "Tanh").rsplit(".", 1)[-1]
    if activation not in ACTIVATIONS:
        raise InputError(f"{where}: 'activation_function' is {activation!r}; {allowed(activation, ACTIVATIONS)}")
    with refused(f"{folder / 'model.safetensors'}: not the weights of a dense layer from {inputs} to {outputs}"):
        weights = load_file(folder / "model.safetensors")
        dense = Dense(inputs, outputs, bias is not False, activation)
        dense.load_state_dict(weights)
    return dense


def write_layout(folder: Path, layout: Layout, width: int) -> None:
    """Write a layout that states everything beside a token model of vectors of `width`."""
    names = ["Transformer", "Pooling", *(["Dense"] if layout.dense else []), "Normalize"]
    paths = ["", *(f"{place}_{name}" for place, name in enumerate(names) if place)]
    for path in paths:
        (folder / path).mkdir(exist_ok=True)
    modules = [
        {"idx": place, "name": str(place), "path": path, "type": ST_MODULES + name}
        for place, (name, path) in enumerate(zip(names, paths, strict=True))
    ]
    write_json(folder / "modules.json", modules)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max(layout.longest.values())})
    stated = {
        "prompts": {"query": layout.prefixes["query"], "document": layout.prefixes["passage"]},
        "similarity_fn_name": "cosine",
        "workbench": {key: layout.longest[side] for side, key in LENGTHS.items()},
    }
    write_json(folder / "config_sentence_transformers.json", stated)
    pooling = {
        "word_embedding_dimension": width,
        "pooling_mode_cls_token": layout.pooling == "cls",
        "pooling_mode_mean_tokens": layout.pooling == "mean",
    }
    write_json(folder / "1_Pooling" / "config.json", pooling)
    if layout.dense is not None:
        write_dense(layout.dense, folder / "2_Dense")


def write_dense(dense: Dense, folder: Path) -> None:
    linear = dense.linear
    config = {
        "in_features": linear.in_features,
        "out_features": linear.out_features,
        "bias": linear.bias is not None,
        "activation_function": type(dense.activation).__module__ + "." + dense.activation_name,
    }
    write_json(folder / "config.json", config)
    save_file({name: tensor.contiguous() for name, tensor in dense.state_dict().items()}, folder / "model.safetensors")


def write_json(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")
