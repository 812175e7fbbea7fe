import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from workbench.errors import InputError
from workbench.pretrained import load_backbone, load_tokenizer, longest_input


@pytest.fixture
def copy(tmp_path: Path, checkpoint: Path) -> Path:
    """A checkpoint to damage."""
    return shutil.copytree(checkpoint, tmp_path / "broken")


def load(folder: Path) -> None:
    load_tokenizer(folder, load_backbone(folder))


def refusal(folder: Path, says: str) -> None:
    with pytest.raises(InputError, match=says) as raised:
        load(folder)
    assert "\n" not in str(raised.value) and str(folder) in str(raised.value)


def change(file: Path, edit: Callable[[Any], Any]) -> None:
    file.write_text(json.dumps(edit(json.loads(file.read_text()))))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", None, "config.json: cannot be read: No such file"),
        ("config.json", "[]", r"config.json is \[\]; allowed: an object"),
        ("config.json", "{", "config.json: not valid JSON"),
        ("config.json", "{}", "config.json: 'model_type' is missing"),
        ("config.json", '{"model_type": ["bert"]}', r"'model_type' is \['bert'\]; allowed: a string"),
        ("config.json", '{"model_type": "nonesuch"}', "config.json: .*`nonesuch`"),
        ("config.json", '{"model_type": "gpt2"}', "gpt2.*no text encoder; allowed"),
        ("config.json", '{"model_type": "t5", "is_encoder_decoder": true}', "t5.*no text encoder"),
        ("config.json", '{"model_type": "workbench-small", "buckets": "x"}', "'buckets' is 'x'; allowed"),
        ("model.safetensors", None, "weights cannot be read"),
        ("model.safetensors", "cut", "weights cannot be read"),
        ("tokenizer_config.json", "[]", r"tokenizer_config.json is \[\]; allowed: an object"),
        ("tokenizer_config.json", "{", "tokenizer_config.json: not valid JSON"),
        ("tokenizer.json", None, "holds no vocabulary; allowed: one of tokenizer.json, vocab.txt"),
        ("tokenizer.json", "", "tokenizer cannot be read"),
        ("tokenizer.json", "[]", "tokenizer cannot be read"),
        ("tokenizer.json", '{"added_tokens": [], "model": {"type": "Nonesuch"}}', "tokenizer cannot be read"),
        ("special_tokens_map.json", "[]", "tokenizer cannot be read"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(copy: Path, name: str, content: str | None, says: str) -> None:
    if content is None:
        (copy / name).unlink()
    else:
        (copy / name).write_text(content)
    refusal(copy, says)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hidden_size": "x"}, "config.json: .*'hidden_size' expected int, got str .*'x'"),
        ({"hidden_size": 33}, "33.*not a multiple"),
        ({"hidden_act": "nonesuch"}, "'nonesuch'"),
        ({"num_attention_heads": 0}, "ZeroDivisionError"),
        ({"id2label": [1]}, "config.json: .*AttributeError"),
        ({"num_hidden_layers": 3}, "weights of bert are missing, such as"),
        ({"vocab_size": 5}, r"word_embeddings.weight has the sizes \[407, 32\]; allowed by config.json: \[5, 32\]"),
    ],
)
def test_a_bad_value_in_the_config_is_refused_in_one_line(copy: Path, changes: dict[str, Any], says: str) -> None:
    change(copy / "config.json", lambda config: {**config, **changes})
    refusal(copy, says)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tokenizer_class": 5}, "tokenizer cannot be read"),
        ({"model_max_length": "x"}, "'model_max_length' is 'x'; allowed: numbers from 3"),
        ({"model_max_length": -1}, "'model_max_length' is -1; allowed: numbers from 3"),
        ({"pad_token": 5}, "tokenizer cannot be read: .*pad_token"),
        ({"pad_token": None}, "no padding token"),
        # transformers adds a token that it does not find, behind the last row of the model's table
        ({"pad_token": "[NEW]"}, "largest token number is 407, .*word vectors has 407 rows; allowed: .* up to 406"),
    ],
)
def test_a_bad_value_in_the_tokenizer_config(copy: Path, changes: dict[str, Any], says: str) -> None:
    change(copy / "tokenizer_config.json", lambda config: {**config, **changes})
    refusal(copy, says)


def test_a_vocabulary_of_special_tokens_alone_is_refused(copy: Path) -> None:
    def emptied(content: Any) -> Any:
        content["model"]["vocab"] = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}
        return content

    change(copy / "tokenizer.json", emptied)
    refusal(copy, "vocabulary holds only its special tokens")


def test_the_built_in_tokenizer_needs_no_vocabulary_but_as_many_buckets_as_its_model(tmp_path: Path) -> None:
    from workbench.small_encoder import SmallConfig, SmallModel, SmallTokenizer

    SmallModel(SmallConfig(buckets=64, dimension=8)).save_pretrained(tmp_path)
    SmallTokenizer(64).save_pretrained(tmp_path)
    load(tmp_path)
    change(tmp_path / "tokenizer_config.json", lambda config: {**config, "buckets": 65})
    refusal(tmp_path, "largest token number is 65, .* 65 rows")
    change(tmp_path / "tokenizer_config.json", lambda config: {**config, "buckets": 0})
    refusal(tmp_path, "'buckets' is 0; allowed: whole numbers from 1")


@pytest.mark.parametrize(("architecture", "longest"), [("Bert", 20), ("XLMRoberta", 18), ("MPNet", 18)])
def test_the_longest_input_is_one_that_the_model_takes(architecture: str, longest: int, checkpoint: Path) -> None:
    import transformers

    config = getattr(transformers, f"{architecture}Config")(
        vocab_size=407,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=20,
        pad_token_id=1,
    )
    model = getattr(transformers, f"{architecture}Model")(config).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    assert longest_input(model, tokenizer) == longest
    for length, fits in ((longest, True), (longest + 1, False)):
        tokens = torch.full((1, length), 7)
        if fits:
            model(input_ids=tokens, attention_mask=torch.ones_like(tokens))
        else:
            with pytest.raises((IndexError, RuntimeError)):
                model(input_ids=tokens, attention_mask=torch.ones_like(tokens))
