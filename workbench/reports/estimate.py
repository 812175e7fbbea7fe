"""What a run will need, before it is started. Measured where an equal run has been measured, else said to be rough."""

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.paths import RunsPaths
from workbench.records import RunSpec, Settings, TrainSpec
from workbench.reports.tables import duration
from workbench.runs.directory import run_folders
from workbench.runs.events import last_event

CPU_FLOPS = 100e9
"""Arithmetic of a training step on a common two-core CPU, operations a second: an order of magnitude."""
TOKENS_A_PAIR = 55
"""Query and passage together, in sentence retrieval."""


def estimates(specs: Sequence[RunSpec], runs: RunsPaths) -> list[dict[str, Any]]:
    """One row a run: its name, steps, data, and an estimate of training time and disk."""
    known = measured_speeds(runs)
    rows = []
    for spec in specs:
        train = spec.settings.train
        seconds, basis = training_seconds(spec, known)
        rows.append(
            {
                "run": spec.run_id,
                "arm": spec.arm,
                "steps": train.steps if train and train.steps else f"{train.epochs} epochs" if train else 0,
                "training sets": ", ".join(train.sets) if train else "",
                "tasks": ", ".join(spec.settings.evaluate.tasks),
                "training time": duration(seconds),
                "estimated from": basis,
                "disk MiB": round(disk_bytes(spec) / 2**20),
            }
        )
    return rows


def speed_key(spec: RunSpec) -> tuple[Any, ...]:
    """Runs with equal keys take equally long for a pair."""
    settings = spec.settings
    train = settings.train
    assert train is not None
    model = spec.fingerprints.get("model.checkpoint", settings.model.checkpoint)
    return (model, settings.model.builtin, settings.device, train.batch_size, train.precision, tuple(train.sets))


def measured_speeds(runs: RunsPaths) -> dict[tuple[Any, ...], float]:
    """Seconds a pair of earlier trainings here, the newest of each kind."""
    from workbench.errors import InputError
    from workbench.runs.directory import read_spec

    speeds: dict[tuple[Any, ...], float] = {}
    for run in run_folders(runs):
        step = last_event(run.events, ("step",))
        try:
            spec = read_spec(run)
        except InputError:
            continue
        if step and spec.settings.train is not None:
            speeds.setdefault(speed_key(spec), 1 / step["pairs_per_second"])
    return speeds


def training_seconds(spec: RunSpec, known: dict[tuple[Any, ...], float]) -> tuple[float | None, str]:
    train = spec.settings.train
    if train is None:
        return 0.0, "no training"
    if train.steps is None:
        return None, "epochs: known once the data are read"
    pairs = train.steps * train.batch_size
    if speed_key(spec) in known:
        return pairs * known[speed_key(spec)], "an earlier run"
    if spec.settings.model.checkpoint != "builtin" and weights_of(spec) is None:
        return None, "the checkpoint is not on this machine"
    return rough_seconds(spec, train), "a rough rule for a CPU"


def rough_seconds(spec: RunSpec, train: TrainSpec) -> float:
    parameters, embedded = parameter_counts(spec)
    # 6 operations a weight and token forward and backward, and about 20 bytes a weight through memory for AdamW
    step = 6 * (parameters - embedded) * TOKENS_A_PAIR * train.batch_size / CPU_FLOPS + parameters * 20 / 10e9
    return step * (train.steps or 0)


def disk_bytes(spec: RunSpec) -> int:
    """The most that the run directory holds at once: weights and AdamW's two moments, the best and the kept model."""
    settings: Settings = spec.settings
    results = 4 * 2**20
    if settings.train is None:
        return results
    model = 4 * parameter_counts(spec)[0]
    best = model if settings.train.validation.pairs else 0
    # the checkpoint before is deleted once the next is whole
    return results + 6 * model + 2 * best + (model if settings.keep == "model" else 0)


def parameter_counts(spec: RunSpec) -> tuple[int, int]:
    """All weights, and those in the table of word vectors, of which a text uses only a few rows."""
    small = spec.settings.model.builtin
    if spec.settings.model.checkpoint == "builtin":
        table = small.buckets * small.dimension
        return table + small.dimension**2, table
    weights = weights_of(spec)
    if weights is None:
        return 0, 0
    shapes = [entry["shape"] for entry in header(weights).values() if "shape" in entry]
    sizes = [size(shape) for shape in shapes]
    return sum(sizes), max(sizes, default=0)


def size(shape: Sequence[int]) -> int:
    total = 1
    for side in shape:
        total *= side
    return total


def weights_of(spec: RunSpec) -> Path | None:
    path = Path(spec.folder, spec.settings.model.checkpoint, "model.safetensors").expanduser()
    return path if path.is_file() else None


def header(weights: Path) -> dict[str, Any]:
    """The table of contents of a safetensors file: its length (8 bytes, little endian), then JSON."""
    with weights.open("rb") as handle:
        (length,) = struct.unpack("<Q", handle.read(8))
        found: dict[str, Any] = json.loads(handle.read(length))
    return found
