import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from workbench.encoder import Dense, Encoder, load_encoder
from workbench.errors import InputError
from workbench.records import BuiltinSpec, ModelSpec

TEXTS = ["w1 w2 w3", "w4", " ".join(f"w{i}" for i in range(40)), "w1 w2 w3 w9 w8"]
SMALL = ModelSpec(builtin=BuiltinSpec(dimension=16, buckets=256), query_prefix="q: ", passage_prefix="p: ")


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    one, other = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (one, other))
    return (one * other).sum(1)


def with_prefixes(checkpoint: Path, **changes: Any) -> ModelSpec:
    defaults = {"query_prefix": "query : ", "passage_prefix": "passage : ", "passage_tokens": 20}
    return ModelSpec(checkpoint=str(checkpoint), **{**defaults, **changes})


def token_vectors(folder: Path, texts: list[str], longest: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token vectors and mask as transformers alone makes them."""
    from transformers import AutoModel, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(folder)(
        texts, padding=True, truncation=True, max_length=longest, return_tensors="pt"
    )
    with torch.inference_mode():
        return AutoModel.from_pretrained(folder)(**tokens).last_hidden_state, tokens["attention_mask"]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_vectors_are_those_of_transformers_and_sentence_transformers(
    tmp_path: Path, checkpoint: Path, pooling: Any
) -> None:
    from sentence_transformers import SentenceTransformer

    encoder = load_encoder(with_prefixes(checkpoint, pooling=pooling), Path(), 0)
    ours = encoder.encode(TEXTS, "passage", batch_tokens=64)
    assert ours.dtype == np.float32
    assert np.linalg.norm(ours, axis=1) == pytest.approx(1, abs=1e-6)
    encoder.save(tmp_path / "model")

    states, mask = token_vectors(tmp_path / "model", ["passage : " + text for text in TEXTS], 20)
    mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    alone = states[:, 0] if pooling == "cls" else mean
    assert cosines(ours, alone.numpy()) == pytest.approx(1, abs=1e-5)

    # its one longest length is the longer of ours, so only texts that no side cuts are compared
    theirs = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    short = [text for text in TEXTS if len(text.split()) < 10]
    assert cosines(encoder.encode(short, "passage"), theirs.encode_document(short)) == pytest.approx(1, abs=1e-5)
    assert cosines(encoder.encode(short, "query"), theirs.encode_query(short)) == pytest.approx(1, abs=1e-5)


def test_a_saved_model_loads_with_its_pooling_prompts_and_dense_layer(tmp_path: Path, checkpoint: Path) -> None:
    from sentence_transformers import SentenceTransformer

    encoder = load_encoder(with_prefixes(checkpoint, pooling="cls"), Path(), 0)
    torch.manual_seed(0)
    dense = Encoder(
        encoder.backbone,
        encoder.tokenizer,
        pooling="cls",
        dense=Dense(32, 8, True, "Tanh"),
        prefixes=encoder.prefixes,
        longest=encoder.longest,
    )
    dense.save(tmp_path / "model")
    again = load_encoder(ModelSpec(checkpoint=str(tmp_path / "model")), Path(), 0)
    assert again.pooling == "cls" and again.prefixes == {"query": "query : ", "passage": "passage : "}
    ours = dense.encode(TEXTS[:2], "query")
    assert ours.shape == (2, 8)
    assert np.array_equal(again.encode(TEXTS[:2], "query"), ours)
    theirs = SentenceTransformer(str(tmp_path / "model"), device="cpu").encode_query(TEXTS[:2])
    assert cosines(ours, theirs) == pytest.approx(1, abs=1e-5)


def test_a_folder_written_by_sentence_transformers_is_honoured(tmp_path: Path, checkpoint: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense as TheirDense
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    torch.manual_seed(0)
    modules = [Transformer(str(checkpoint)), Pooling(32, "cls"), TheirDense(32, 12), Normalize()]
    theirs = SentenceTransformer(modules=modules, device="cpu", prompts={"query": "query : ", "document": ""})
    theirs.save(str(tmp_path / "model"))
    ours = load_encoder(ModelSpec(checkpoint=str(tmp_path / "model")), Path(), 0)
    assert cosines(ours.encode(TEXTS[:2], "query"), theirs.encode_query(TEXTS[:2])) == pytest.approx(1, abs=1e-5)
    assert cosines(ours.encode(TEXTS[:2], "passage"), theirs.encode_document(TEXTS[:2])) == pytest.approx(1, abs=1e-5)


def test_the_built_in_encoder_opens_in_both_libraries(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    texts = ["Der blaue Turm von Tamiro", "蓝色的塔", "नीला मीनार", "?", "สวัสดีชาวโลก"]
    encoder = load_encoder(SMALL, Path(), 0)
    ours = encoder.encode(texts, "query")
    encoder.save(tmp_path / "model")
    states, mask = token_vectors(tmp_path / "model", ["q: " + text for text in texts], 64)
    mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    assert cosines(ours, mean.numpy()) == pytest.approx(1, abs=1e-5)
    theirs = SentenceTransformer(str(tmp_path / "model"), device="cpu").encode_query(texts)
    assert cosines(ours, theirs) == pytest.approx(1, abs=1e-5)
    again = load_encoder(ModelSpec(checkpoint=str(tmp_path / "model"), query_tokens=64), Path(), 0)
    assert np.array_equal(again.encode(texts, "query"), ours)


def test_order_batches_and_equal_texts(checkpoint: Path) -> None:
    encoder = load_encoder(with_prefixes(checkpoint), Path(), 0)
    texts = [f"w{i} w{i + 1}" + " w7" * (i % 9) for i in range(50)]
    seen: list[tuple[int, int]] = []
    one_batch = encoder.encode(texts, "passage", batch_tokens=10_000)
    many = encoder.encode(texts, "passage", batch_tokens=64, progress=lambda *at: seen.append(at))
    assert one_batch == pytest.approx(many, abs=1e-5)
    assert seen[-1] == (50, 50) and len(seen) > 5
    assert encoder.encode([], "query").shape[0] == 0


def test_gradients_do_not_change_by_looking_up_once(checkpoint: Path) -> None:
    encoder = load_encoder(with_prefixes(checkpoint), Path(), 0)
    tokens = encoder.tokenise(TEXTS, "query")

    def gradient() -> torch.Tensor:
        vectors = torch.cat([encoder(*encoder.pad(tokens[:2])), encoder(*encoder.pad(tokens[2:]))])
        (vectors @ vectors.T).tril().sum().backward()

    gradient()
    table = encoder.backbone.get_input_embeddings().weight  # type: ignore[operator]
    plain = table.grad.clone()
    encoder.zero_grad()
    with encoder.shared_lookup(tokens):
        gradient()
    assert torch.allclose(table.grad, plain, atol=1e-7) and plain.abs().sum() > 0
    assert "forward" not in vars(encoder.backbone.get_input_embeddings())  # type: ignore[operator]


def broken(checkpoint: Path, folder: Path, name: str, content: str | None) -> Path:
    shutil.copytree(checkpoint, folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", None, "config.json"),
        ("config.json", '{"model_type": "gpt2"}', "gpt2.*no text encoder"),
        ("config.json", '{"model_type": "t5", "is_encoder_decoder": true}', "t5.*no text encoder"),
        ("model.safetensors", None, "weights cannot be read"),
        ("model.safetensors", "cut", "weights cannot be read"),
        ("modules.json", '[{"type": "evil.Module", "path": ""}]', "Module.*allowed"),
        ("modules.json", '[{"type": "a.Pooling", "path": "../elsewhere"}]', "out of the folder"),
        ("modules.json", "[", "modules.json"),
    ],
)
def test_what_is_no_encoder_is_refused_in_one_line(
    tmp_path: Path, checkpoint: Path, name: str, content: str | None, says: str
) -> None:
    folder = broken(checkpoint, tmp_path / "broken", name, content)
    with pytest.raises(InputError, match=says) as raised:
        load_encoder(ModelSpec(checkpoint=str(folder)), Path(), 0)
    assert "\n" not in str(raised.value) and str(folder) in str(raised.value)


def test_missing_weights_are_not_drawn_at_random(tmp_path: Path, checkpoint: Path) -> None:
    folder = tmp_path / "deeper"
    shutil.copytree(checkpoint, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(InputError, match="weights of bert are missing"):
        load_encoder(ModelSpec(checkpoint=str(folder)), Path(), 0)


def test_a_missing_folder_and_an_unreachable_hub(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        load_encoder(ModelSpec(checkpoint="./nowhere"), tmp_path, 0)
    with pytest.raises(InputError, match=r"some/model.*could not be fetched"):
        load_encoder(ModelSpec(checkpoint="some/model"), tmp_path, 0)
