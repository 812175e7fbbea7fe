from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from tests.conftest import invented_pairs
from workbench.data.pairs import ParallelPairs
from workbench.encoder import Encoder, load_encoder
from workbench.errors import InputError, Stopped, WorkError
from workbench.records import ModelSpec, PairSetSpec, SamplingSpec, TrainSpec, ValidationSpec
from workbench.runs.events import EventLog, read_events
from workbench.training.checkpoints import Checkpoints
from workbench.training.counts import SampleCounts
from workbench.training.loop import learning_rate, train
from workbench.training.sampling import Sampler


def spec(**changes: Any) -> TrainSpec:
    defaults: dict[str, Any] = {
        "sets": {"invented": PairSetSpec()},
        "batch_size": 8,
        "steps": 20,
        "learning_rate": 1e-3,
        "checkpoint_every": 6,
    }
    return TrainSpec(**{**defaults, **changes})


def trained(
    folder: Path,
    checkpoint: Path,
    spec: TrainSpec,
    *,
    pairs: ParallelPairs | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Encoder, SampleCounts, list[dict[str, Any]]]:
    torch.set_num_threads(1)
    encoder = load_encoder(ModelSpec(checkpoint=str(checkpoint)), Path(), 0)
    log = EventLog(folder / "events.jsonl")
    sets = [pairs or invented_pairs(80)]
    counts = train(spec, 0, sets, encoder, Checkpoints(folder / "checkpoints"), log, Accelerator(cpu=True), stop)
    return encoder, counts, read_events(folder / "events.jsonl")


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["kind"] == kind]


def same(one: Encoder, other: Encoder) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_rate_rises_then_falls_to_nothing() -> None:
    of = spec(learning_rate=1.0, warmup=0.2)
    rates = [learning_rate(of, step, 10) for step in range(10)]
    # two steps of warm-up: 1/3, 2/3; then 8/8, 7/8, ... 1/8
    assert rates == pytest.approx([1 / 3, 2 / 3, *(n / 8 for n in range(8, 0, -1))])


def test_training_lowers_the_loss_and_counts_what_it_drew(tmp_path: Path, checkpoint: Path) -> None:
    _, counts, events = trained(tmp_path, checkpoint, spec(steps=40))
    losses = [event["loss"] for event in of_kind(events, "step")]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    drawn = counts.as_plain()
    assert sum(row["batches"] for row in drawn) == 40
    assert sum(n for row in drawn for *_, n in row["pairs"]) == 40 * 8
    assert {row["kind"] for row in drawn} == {"mono", "cross"}
    told = of_kind(events, "sampled")[-1]
    assert told["step"] == 40 and told["counts"] == counts.named([invented_pairs(80)])


@pytest.mark.parametrize("stop_after", [3, 6, 13])
def test_a_stopped_training_goes_on_bit_for_bit(tmp_path: Path, dropout_checkpoint: Path, stop_after: int) -> None:
    of = spec(validation=ValidationSpec(pairs=16, every=5))
    whole, counts, _ = trained(tmp_path / "whole", dropout_checkpoint, of)
    asked = iter(range(100))
    with pytest.raises(Stopped, match=f"after step {stop_after} of 20"):
        trained(tmp_path / "parts", dropout_checkpoint, of, stop=lambda: next(asked) == stop_after - 1)
    resumed, resumed_counts, events = trained(tmp_path / "parts", dropout_checkpoint, of)
    assert same(resumed, whole)
    assert resumed_counts.as_plain() == counts.as_plain()
    assert [e["step"] for e in of_kind(events, "step")] == list(range(1, 21))


def test_the_best_checkpoint_is_the_one_with_the_lowest_validation_loss(tmp_path: Path, checkpoint: Path) -> None:
    validation = {"pairs": 16, "every": 2}
    _, _, events = trained(tmp_path / "best", checkpoint, spec(validation=ValidationSpec(**validation), steps=30))
    measured = {e["step"]: e["loss"] for e in of_kind(events, "validation")}
    assert len(measured) == 15
    best = min(measured, key=lambda step: measured[step])
    folders = {folder.name for folder in (tmp_path / "best" / "checkpoints").iterdir()}
    assert folders == {"step-00000030", f"best-{best:08d}"}


STEEP = {"learning_rate": 1e30, "warmup": 0.0, "clip": 1e30, "checkpoint_every": 1}


def test_weights_that_have_diverged_are_never_kept(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(WorkError, match=r"nan at step 2: .*diverged; there is no checkpoint yet"):
        trained(tmp_path, checkpoint, spec(**STEEP))
    assert not (tmp_path / "checkpoints").exists()


def test_a_diverged_training_goes_on_from_its_last_sound_checkpoint(tmp_path: Path, checkpoint: Path) -> None:
    asked = iter(range(100))
    with pytest.raises(Stopped):
        trained(tmp_path, checkpoint, spec(), stop=lambda: next(asked) == 6)
    with pytest.raises(WorkError, match=r"at step 9: .*the checkpoint after step 7 is kept"):
        trained(tmp_path, checkpoint, spec(**STEEP))
    encoder, _, _ = trained(tmp_path, checkpoint, spec())
    assert all(bool(p.isfinite().all()) for p in encoder.parameters())


def test_a_validation_loss_that_is_no_number_ends_it_too(tmp_path: Path, checkpoint: Path) -> None:
    of = spec(validation=ValidationSpec(pairs=16, every=1), **STEEP)
    with pytest.raises(WorkError, match="validation loss is nan at step 1"):
        trained(tmp_path, checkpoint, of)
    assert not (tmp_path / "checkpoints").exists()


def test_a_batch_larger_than_the_set_is_refused(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(InputError, match="100"):
        trained(tmp_path, checkpoint, spec(batch_size=100), pairs=invented_pairs(20))


def test_losses_are_those_of_sentence_transformers(tmp_path: Path, checkpoint: Path) -> None:
    """Same encoder, batches and schedule, no dropout: 20 losses equal to 1e-4."""
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    pairs = invented_pairs(200)
    of = spec(sampling=SamplingSpec("english"), warmup=0.0, temperature=0.05, learning_rate=5e-4)
    _, _, events = trained(tmp_path / "ours", checkpoint, of, pairs=pairs)
    ours = [event["loss"] for event in of_kind(events, "step")]

    english = pairs.languages.index("en")
    sampler = Sampler([pairs], "english", 0.5, 8, 0)
    rows = np.concatenate([sampler.batch(step).pairs for step in range(20)])
    columns = {
        "anchor": [pairs.texts[pairs.queries[row, english]] for row in rows],
        "positive": [pairs.texts[pairs.passages[row, english]] for row in rows],
    }
    model = SentenceTransformer(modules=sentence_transformer_modules(checkpoint), device="cpu")
    losses: list[float] = []

    class Recorded(MultipleNegativesRankingLoss):
        def forward(self, *args: Any, **kwargs: Any) -> torch.Tensor:
            loss = super().forward(*args, **kwargs)
            losses.append(loss.item())
            return loss

    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path / "theirs"),
        per_device_train_batch_size=8,
        num_train_epochs=1,
        learning_rate=of.learning_rate,
        weight_decay=of.weight_decay,
        warmup_steps=0,
        lr_scheduler_type="linear",
        max_grad_norm=of.clip,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        batch_sampler=lambda dataset, batch_size, drop_last, **_: torch.utils.data.BatchSampler(
            torch.utils.data.SequentialSampler(dataset), batch_size, drop_last
        ),
    )
    trainer = SentenceTransformerTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_dict(columns), loss=Recorded(model, scale=20.0)
    )
    trainer.train()
    assert losses == pytest.approx(ours, abs=1e-4)


def sentence_transformer_modules(checkpoint: Path) -> list[Any]:
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    transformer = Transformer(str(checkpoint))
    return [transformer, Pooling(32, "mean"), Normalize()]
