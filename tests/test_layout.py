import json
from pathlib import Path
from typing import Any

import pytest
import torch

from workbench.errors import InputError
from workbench.layout import Dense, Layout, read_layout, write_layout

DENSE_CONFIG = "2_Dense/config.json"
POOLING_CONFIG = "1_Pooling/config.json"
STATED = "config_sentence_transformers.json"


def module(kind: str, path: str) -> dict[str, str]:
    return {"type": f"sentence_transformers.models.{kind}", "path": path}


TRANSFORMER, POOLING, DENSE = module("Transformer", ""), module("Pooling", "1_Pooling"), module("Dense", "2_Dense")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound layout with a dense layer."""
    torch.manual_seed(0)
    layout = Layout(
        "cls", Dense(4, 3, True, "GELU"), {"query": "q: ", "passage": "p: "}, {"query": 9, "passage": 30}, None
    )
    write_layout(tmp_path, layout, 4)
    return tmp_path


def test_what_is_written_is_read(folder: Path) -> None:
    layout = read_layout(folder)
    assert layout.pooling == "cls" and layout.cap is None
    assert layout.prefixes == {"query": "q: ", "passage": "p: "} and layout.longest == {"query": 9, "passage": 30}
    assert layout.dense is not None and layout.dense.activation_name == "GELU"
    torch.manual_seed(0)
    assert torch.equal(layout.dense.linear.weight, Dense(4, 3, True, "GELU").linear.weight)


def test_a_folder_without_modules_states_nothing(tmp_path: Path) -> None:
    assert read_layout(tmp_path) == Layout()


@pytest.mark.parametrize(
    ("content", "pooling"),
    [
        ({"pooling_mode": "cls"}, "cls"),
        ({"pooling_mode": ["mean"], "include_prompt": True}, "mean"),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, "mean"),
    ],
)
def test_both_generations_of_the_pooling_file(folder: Path, content: dict[str, Any], pooling: str) -> None:
    (folder / POOLING_CONFIG).write_text(json.dumps(content))
    assert read_layout(folder).pooling == pooling


@pytest.mark.parametrize("name", ["sentence_bert_config.json", "sentence_xlm-roberta_config.json"])
def test_what_a_foreign_folder_states(folder: Path, name: str) -> None:
    (folder / STATED).write_text('{"prompts": {"query": null, "passage": "p "}, "workbench": null}')
    (folder / "sentence_bert_config.json").unlink()
    assert read_layout(folder).cap is None
    (folder / name).write_text('{"max_seq_length": 128}')
    layout = read_layout(folder)
    assert layout.cap == 128 and layout.longest == {} and layout.prefixes == {"query": "", "passage": "p "}
    (folder / STATED).unlink()
    assert read_layout(folder).prefixes == {"query": "", "passage": ""}


DAMAGED: list[tuple[str, object, str]] = [
    ("modules.json", {"0": TRANSFORMER}, r"modules.json is .*; allowed: a list"),
    ("modules.json", ["Transformer"], r"\[0\] is 'Transformer'; allowed: an object with 'type'"),
    ("modules.json", [{"type": "a.Transformer"}], r"\[0\]: 'path' is missing; allowed: a string"),
    ("modules.json", [{"path": ""}], r"\[0\]: 'type' is missing"),
    ("modules.json", [{"type": 5, "path": ""}], "'type' is 5; allowed: a string"),
    ("modules.json", [TRANSFORMER, {**POOLING, "path": None}], r"\[1\]: 'path' is None; allowed: a string"),
    ("modules.json", [{"type": "evil.Module", "path": ""}], "'Module'; allowed: Transformer, Pooling"),
    ("modules.json", [module("Transformer", "0_Transformer")], "'path' is '0_Transformer'; .* not supported"),
    ("modules.json", [TRANSFORMER, module("Pooling", "../other")], "'path' is '../other', which leads out"),
    ("modules.json", [TRANSFORMER, module("Pooling", "a\0b")], "'path' is .* leads out"),
    ("modules.json", [TRANSFORMER, POOLING, DENSE, DENSE], "are Transformer, Pooling, Dense, Dense; .*at most once"),
    ("modules.json", [TRANSFORMER, DENSE, POOLING], "are Transformer, Dense, Pooling; .*in this order"),
    ("modules.json", [POOLING], "are Pooling; supported: Transformer"),
    ("modules.json", [], "are none; supported: Transformer"),
    (POOLING_CONFIG, ["cls"], r"is \['cls'\]; allowed: an object"),
    (POOLING_CONFIG, {}, r"pooling_mode' is \[\]; allowed: mean or cls"),
    (POOLING_CONFIG, {"pooling_mode": 5}, r"pooling_mode' is \[5\]; allowed"),
    (POOLING_CONFIG, {"pooling_mode": "lasttoken"}, "'lasttoken'.*allowed"),
    (POOLING_CONFIG, {"pooling_mode": ["cls", "mean"]}, "'cls', 'mean'.*one of them"),
    (POOLING_CONFIG, {"pooling_mode_cls_token": "yes"}, "'pooling_mode_cls_token' is 'yes'; allowed: true or false"),
    (POOLING_CONFIG, {"pooling_mode": "cls", "include_prompt": False}, "'include_prompt' is False; supported: true"),
    (DENSE_CONFIG, [], r"is \[\]; allowed: an object"),
    (DENSE_CONFIG, {"out_features": 3}, "'in_features' is missing; allowed: a whole number"),
    (DENSE_CONFIG, {"in_features": "4", "out_features": 3}, "'in_features' is '4'; allowed: a whole number"),
    (DENSE_CONFIG, {"in_features": 4, "out_features": 0}, "'out_features' is 0; allowed: whole numbers from 1"),
    (DENSE_CONFIG, {"in_features": 4, "out_features": 5}, "not the weights of a dense layer from 4 to 5"),
    (DENSE_CONFIG, {"in_features": 4, "out_features": 3, "bias": "no"}, "'bias' is 'no'; allowed: true or false"),
    (DENSE_CONFIG, {"in_features": 4, "out_features": 3, "bias": False}, "not the weights.*linear.bias"),
    (DENSE_CONFIG, {"in_features": 4, "out_features": 3, "activation_function": 5}, "is 5; allowed: a string"),
    (
        DENSE_CONFIG,
        {"in_features": 4, "out_features": 3, "activation_function": "os.system"},
        "'activation_function' is 'system'; allowed: Tanh",
    ),
    (DENSE_CONFIG, {"in_features": 4, "out_features": 3, "use_residual": True}, "'use_residual' is True; supported"),
    (DENSE_CONFIG, {"module_input_name": "token_embeddings"}, 'supported: "sentence_embedding"'),
    ("2_Dense/model.safetensors", "cut", "not the weights of a dense layer"),
    (STATED, [], r"is \[\]; allowed: an object"),
    (STATED, {"prompts": ["q: "]}, r"'prompts' is \['q: '\]; allowed: an object"),
    (STATED, {"prompts": {"query": 5}}, "prompts: 'query' is 5; allowed: a string"),
    (STATED, {"prompts": {"document": ["p"]}}, r"prompts: 'document' is \['p'\]; allowed: a string"),
    (STATED, {"prompts": {"passage": "\ud83d"}}, "prompts: 'passage' holds half a character at 0"),
    (STATED, {"truncate_dim": 64}, "'truncate_dim' is 64; supported: null"),
    (STATED, {"workbench": [64, 256]}, r"'workbench' is \[64, 256\]; allowed: an object"),
    (STATED, {"workbench": {"query_tokens": 64}}, "workbench: 'passage_tokens' is missing"),
    (STATED, {"workbench": {"query_tokens": 2}}, "workbench: 'query_tokens' is 2; allowed: whole numbers from 3"),
]


@pytest.mark.parametrize(("name", "content", "says"), DAMAGED)
def test_damage_is_refused_in_one_line(folder: Path, name: str, content: object, says: str) -> None:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InputError, match=says) as raised:
        read_layout(folder)
    assert "\n" not in str(raised.value) and str(folder / name.partition("/")[0]) in str(raised.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[]", "allowed: an object"),
        ('{"max_seq_length": "x"}', "'x'; allowed: a whole"),
        ('{"max_seq_length": 0}', "from 3"),
    ],
)
def test_a_damaged_length_of_a_foreign_folder(folder: Path, content: str, says: str) -> None:
    (folder / STATED).unlink()
    (folder / "sentence_bert_config.json").write_text(content)
    with pytest.raises(InputError, match=rf"sentence_bert_config.json.*{says}"):
        read_layout(folder)


@pytest.mark.parametrize("name", ["modules.json", POOLING_CONFIG, DENSE_CONFIG, STATED])
def test_what_is_no_json_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"[" * 100_000)
    with pytest.raises(InputError, match=f"{name}: not valid JSON"):
        read_layout(folder)
    (folder / name).write_bytes(b"\xff")
    with pytest.raises(InputError, match=f"{name}: not UTF-8 at byte 0"):
        read_layout(folder)


@pytest.mark.parametrize("name", [POOLING_CONFIG, DENSE_CONFIG, "2_Dense/model.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=name):
        read_layout(folder)
