"""The loss of held-out pairs: the plain computation's figures, in bounded memory, over batches that can be drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import invented_pairs
from tests.data.examples import couples, make_pairs
from workbench.data.pairs import ParallelPairs, select
from workbench.encoder import Encoder, load_encoder
from workbench.errors import InputError
from workbench.records import ModelSpec, PairSetSpec, SamplingSpec, TrainSpec, ValidationSpec
from workbench.training.contrast import info_nce
from workbench.training.validation import CHUNK_SIZE, Validation


@pytest.fixture
def encoder(checkpoint: Path) -> Encoder:
    torch.set_num_threads(1)
    return load_encoder(ModelSpec(checkpoint=str(checkpoint)), Path(), 0)


def spec(held: int = 40, strategy: str = "hybrid", **changes: Any) -> TrainSpec:
    sampling = SamplingSpec(strategy)  # type: ignore[arg-type]
    return TrainSpec(
        sets={"invented": PairSetSpec()}, sampling=sampling, validation=ValidationSpec(pairs=held), **changes
    )


def plain_loss(encoder: Encoder, validation: Validation, sets: list[ParallelPairs]) -> float:
    """Every batch encoded at once, in the order of its rows."""
    losses = []
    for batch in validation.batches:
        pairs = sets[batch.training_set]
        negatives = pairs.negatives[batch.pairs, batch.passage_languages]
        sides = {
            "query": pairs.queries[batch.pairs, batch.query_languages],
            "passage": np.append(pairs.passages[batch.pairs, batch.passage_languages], negatives[negatives >= 0]),
        }
        vectors = [
            torch.from_numpy(encoder.encode([pairs.texts[t] for t in texts.tolist()], side, batch_tokens=1 << 20))  # type: ignore[arg-type]
            for side, texts in sides.items()
        ]
        losses.append(info_nce(*vectors, validation.spec.temperature).item())
    return float(np.mean(losses))


@pytest.mark.parametrize("chunk_size", [None, 1, 7, 1000])
def test_the_loss_is_that_of_batches_encoded_at_once(encoder: Encoder, chunk_size: int | None) -> None:
    sets = [invented_pairs(40, negatives=True), make_pairs(0, ("en",), "none"), invented_pairs(60)]
    validation = Validation(sets, spec(batch_size=16, chunk_size=chunk_size), encoder)
    assert len(validation.batches) == 7 and {batch.training_set for batch in validation.batches} == {0, 1}
    assert validation.loss(encoder) == pytest.approx(plain_loss(encoder, validation, [sets[0], sets[2]]), abs=1e-6)


@pytest.mark.parametrize(("chunk_size", "most"), [(None, CHUNK_SIZE), (5, 5)])
def test_no_more_texts_than_a_chunk_are_encoded_at_a_time(encoder: Encoder, chunk_size: int | None, most: int) -> None:
    validation = Validation([invented_pairs(100)], spec(100, batch_size=100, chunk_size=chunk_size), encoder)
    sizes: list[int] = []
    encoder.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    validation.loss(encoder)
    assert sum(sizes) == 200 and max(sizes) <= most


def test_the_loss_has_no_dropout_and_leaves_the_encoder_in_training(dropout_checkpoint: Path) -> None:
    encoder = load_encoder(ModelSpec(checkpoint=str(dropout_checkpoint)), Path(), 0).train()
    validation = Validation([invented_pairs(20)], spec(20, batch_size=8), encoder)
    assert validation.loss(encoder) == validation.loss(encoder)
    assert encoder.training


def test_a_loss_that_is_no_number_is_returned(encoder: Encoder) -> None:
    validation = Validation([invented_pairs(20)], spec(20, batch_size=8), encoder)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.fill_(torch.nan)
    assert np.isnan(validation.loss(encoder))


# the batches


def test_nothing_held_out_is_nothing_to_measure(encoder: Encoder) -> None:
    validation = Validation([select(invented_pairs(5), np.arange(0))], spec(0), encoder)
    assert validation.batches == validation.warnings == []


def test_batches_as_large_as_in_training_need_no_word(encoder: Encoder) -> None:
    validation = Validation([make_pairs(40, ("de", "en"))], spec(batch_size=16), encoder)
    assert {len(batch.pairs) for batch in validation.batches} == {16} and validation.warnings == []


@pytest.mark.parametrize(
    ("held", "batch_size", "size", "batches"), [(40, 100, 25, 2), (2, 3, 2, 1), (3, 2, 2, 2), (5, 7, 3, 2)]
)
def test_batches_shrink_to_what_the_held_out_pairs_fill(
    encoder: Encoder, held: int, batch_size: int, size: int, batches: int
) -> None:
    validation = Validation([make_pairs(held, ("de", "en"))], spec(held, batch_size=batch_size), encoder)
    assert [len(batch.pairs) for batch in validation.batches] == [size] * batches
    told = (
        f"validation: the held-out pairs do not fill batches of train.batch_size {batch_size}: "
        f"the loss is over {batches} batches of {size}"
    )
    assert validation.warnings == ([told] if size < batch_size else [])


@pytest.mark.parametrize("strategy", ["mono", "cross", "pooled", "mixed"])
def test_batches_shrink_where_mined_hard_negatives_stand_in_the_way(encoder: Encoder, strategy: str) -> None:
    validation = Validation([couples(20)], spec(20, strategy, batch_size=16), encoder)
    assert [len(batch.pairs) for batch in validation.batches] == [8, 8, 8]
    assert validation.warnings[-1].endswith("batches of train.batch_size 16: the loss is over 3 batches of 8")


def test_what_the_batches_leave_out_is_told(encoder: Encoder) -> None:
    sets = [make_pairs(40, ("de", "en"), "help"), make_pairs(5, ("en", "fr"), "faq")]
    validation = Validation(sets, spec(batch_size=8, strategy="cross"), encoder)
    assert validation.warnings == [
        "validation: faq: left out of batches: 5 pairs with two languages, of which 5 go together, too few for a batch "
        "of 8"
    ]


def test_too_few_for_any_batch_is_an_error_that_names_the_key_and_the_sets(encoder: Encoder) -> None:
    sets = [couples(2, "help"), make_pairs(1, ("en", "fr"), "faq")]
    with pytest.raises(InputError) as caught:
        Validation(sets, spec(2, "cross", batch_size=32), encoder)
    assert str(caught.value) == (
        "train.validation.pairs: 2 are too few: train.sampling.strategy 'cross' fills no batch of two from the "
        "held-out pairs: help (de en) 2, faq (en fr) 1"
    )
