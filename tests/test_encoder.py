import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from workbench.encoder import Encoder, load_encoder
from workbench.errors import InputError
from workbench.layout import Dense
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
    states, mask = token_vectors(tmp_path / "model", ["q: " + text for text in texts], 128)
    mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    assert cosines(ours, mean.numpy()) == pytest.approx(1, abs=1e-5)
    theirs = SentenceTransformer(str(tmp_path / "model"), device="cpu").encode_query(texts)
    assert cosines(ours, theirs) == pytest.approx(1, abs=1e-5)
    again = load_encoder(ModelSpec(checkpoint=str(tmp_path / "model")), Path(), 0)
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


@pytest.mark.parametrize("checkpoint_name", ["builtin", "bert"])
def test_a_saved_model_cuts_texts_where_it_did_before(tmp_path: Path, checkpoint: Path, checkpoint_name: str) -> None:
    start = "builtin" if checkpoint_name == "builtin" else str(checkpoint)
    spec = ModelSpec(checkpoint=start, builtin=SMALL.builtin, query_tokens=6, passage_tokens=20)
    load_encoder(spec, Path(), 0).save(tmp_path / "model")
    saved = str(tmp_path / "model")
    again = load_encoder(ModelSpec(checkpoint=saved), Path(), 0)
    assert again.longest == {"query": 6, "passage": 20}
    assert max(len(tokens) for tokens in again.tokenise(TEXTS, "query")) == 6
    # both may be lengthened, up to what the model takes
    changed = load_encoder(ModelSpec(checkpoint=saved, query_tokens=9, passage_tokens=50), Path(), 0)
    assert changed.longest == {"query": 9, "passage": 50}


def test_lengths_that_nobody_states(checkpoint: Path) -> None:
    assert load_encoder(ModelSpec(builtin=SMALL.builtin), Path(), 0).longest == {"query": 128, "passage": 256}
    # the checkpoint has 64 positions
    assert load_encoder(ModelSpec(checkpoint=str(checkpoint)), Path(), 0).longest == {"query": 64, "passage": 64}


@pytest.mark.parametrize("release", [2, 6])
def test_the_length_of_a_foreign_folder_bounds_both_sides(tmp_path: Path, checkpoint: Path, release: int) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    length = {"max_seq_length": 10} if release == 6 else {}
    theirs = SentenceTransformer(modules=[Transformer(str(checkpoint), **length), Pooling(32, "mean")], device="cpu")
    theirs.save(str(tmp_path / "model"))
    if release == 2:
        (tmp_path / "model" / "sentence_bert_config.json").write_text('{"max_seq_length": 10, "do_lower_case": false}')
    encoder = load_encoder(ModelSpec(checkpoint=str(tmp_path / "model"), query_tokens=4), Path(), 0)
    assert encoder.longest == {"query": 4, "passage": 10}


def test_sentence_transformers_opens_a_saved_model_without_a_warning(
    tmp_path: Path, checkpoint: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from sentence_transformers import SentenceTransformer

    load_encoder(with_prefixes(checkpoint), Path(), 0).save(tmp_path / "model")
    with caplog.at_level("WARNING", "sentence_transformers"):
        theirs = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    assert not caplog.records
    assert theirs.prompts == {"query": "query : ", "document": "passage : "} and theirs.max_seq_length == 64


@pytest.mark.parametrize("side", ["query", "passage"])
@pytest.mark.parametrize("start", ["builtin", "bert"])
def test_a_prefix_leaves_room_for_the_text(checkpoint: Path, side: Any, start: str) -> None:
    # a short word is three n-grams of the built-in encoder: itself and two parts in boundary marks
    words, tokens, special = (("w1 " * 3), 9, 0) if start == "builtin" else (("w1 " * 7), 7, 2)
    where = "builtin" if start == "builtin" else str(checkpoint)
    spec = ModelSpec(checkpoint=where, **{f"{side}_prefix": words, f"{side}_tokens": tokens + special + 1})
    one, other = load_encoder(spec, Path(), 0).tokenise(["w1 w2", "w3"], side)
    assert len(one) == tokens + special + 1 and one.tolist() != other.tolist()
    tight = ModelSpec(checkpoint=where, **{f"{side}_prefix": words, f"{side}_tokens": tokens + special})
    says = (
        rf"model.{side}_prefix: 'w1 .* has {tokens} tokens .*at most {tokens - 1} tokens.*{side} has {tokens + special}"
    )
    with pytest.raises(InputError, match=says):
        load_encoder(tight, Path(), 0)


def test_a_dense_layer_fits_its_token_model(tmp_path: Path, checkpoint: Path) -> None:
    encoder = load_encoder(with_prefixes(checkpoint), Path(), 0)
    encoder.dense = Dense(31, 8, True, "Tanh")
    encoder.save(tmp_path / "model")
    with pytest.raises(InputError, match="in_features is 31; allowed: 32"):
        load_encoder(ModelSpec(checkpoint=str(tmp_path / "model")), Path(), 0)


def test_an_encoder_from_the_hub_knows_its_revision(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "models--some--model"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(commit)
    shutil.copytree(checkpoint, cached / "snapshots" / commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert load_encoder(ModelSpec(checkpoint="some/model"), Path(), 0).revision == commit
    assert load_encoder(ModelSpec(checkpoint=str(checkpoint)), Path(), 0).revision is None


def test_a_missing_folder_and_an_unreachable_hub(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        load_encoder(ModelSpec(checkpoint="./nowhere"), tmp_path, 0)
    with pytest.raises(InputError, match=r"some/model.*could not be fetched"):
        load_encoder(ModelSpec(checkpoint="some/model"), tmp_path, 0)
