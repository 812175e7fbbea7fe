"""What a stopped or killed run goes on from, and the best model so far. Safetensors and JSON, never pickle."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import Optimizer

from workbench.encoder import Encoder
from workbench.files import write_folder_whole


@dataclass(frozen=True)
class Progress:
    """How far a training has come."""

    step: int = 0
    """Steps done."""
    counts: list[dict[str, Any]] = field(default_factory=list)
    """What the sampler drew until then, as `SampleCounts.as_plain` gives it."""
    best_step: int | None = None
    best_loss: float | None = None
    """Lowest validation loss so far and the step after which it was measured."""


@dataclass(frozen=True)
class Checkpoints:
    """`checkpoints/` of a run: the newest `step-N/` and, with validation, `best-N/`."""

    folder: Path

    def save_last(self, progress: Progress, encoder: Encoder, optimiser: Optimizer) -> None:
        """Weights, optimiser state and progress; older ones go once it is whole."""

        def write(folder: Path) -> None:
            save_weights(encoder, folder)
            save_file(optimiser_tensors(encoder, optimiser), folder / "optimiser.safetensors")
            (folder / "progress.json").write_text(json.dumps(asdict(progress)))

        self._replace("step", progress.step, write)

    def save_best(self, step: int, encoder: Encoder) -> None:
        """Weights alone."""
        self._replace("best", step, lambda folder: save_weights(encoder, folder))

    def load_last(self, encoder: Encoder, optimiser: Optimizer) -> Progress:
        """Put the newest checkpoint into both; an empty `Progress` where there is none."""
        folder = self._newest("step")
        if folder is None:
            return Progress()
        progress = Progress(**json.loads((folder / "progress.json").read_text()))
        load_weights(encoder, folder)
        load_optimiser(encoder, optimiser, load_file(folder / "optimiser.safetensors"))
        return progress

    def load_best(self, encoder: Encoder) -> None:
        """The weights with the lowest validation loss; leaves them as they are where none was measured."""
        folder = self._newest("best")
        if folder is not None:
            load_weights(encoder, folder)

    def _newest(self, kind: str) -> Path | None:
        return max(self.folder.glob(f"{kind}-*"), default=None)

    def _replace(self, kind: str, step: int, write: Callable[[Path], object]) -> None:
        target = self.folder / f"{kind}-{step:08d}"
        if target.exists():  # a resumed training comes by again, with the same numbers
            return
        for rest in self.folder.glob(".*.part"):  # of a write that was killed
            shutil.rmtree(rest)
        write_folder_whole(target, write, (SafetensorError,))
        for old in self.folder.glob(f"{kind}-*"):
            if old != target:
                shutil.rmtree(old)


def save_weights(encoder: Encoder, folder: Path) -> None:
    save_file(
        {name: tensor.contiguous() for name, tensor in encoder.state_dict().items()}, folder / "model.safetensors"
    )


def load_weights(encoder: Encoder, folder: Path) -> None:
    encoder.load_state_dict(load_file(folder / "model.safetensors"))


def optimiser_tensors(encoder: Encoder, optimiser: Optimizer) -> dict[str, Tensor]:
    """AdamW's state by parameter name: `name/exp_avg` and so on."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in encoder.named_parameters()}
    return {
        f"{names[parameter]}/{key}": tensor.contiguous()
        for parameter, state in optimiser.state.items()
        for key, tensor in state.items()
    }


def load_optimiser(encoder: Encoder, optimiser: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    parameters = dict(encoder.named_parameters())
    for name, tensor in tensors.items():
        of, _, key = name.rpartition("/")
        parameter = parameters[of]
        # `step` is a scalar that the fused optimiser keeps beside its parameter
        optimiser.state[parameter][key] = tensor.to(parameter.device, torch.float32)
