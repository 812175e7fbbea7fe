"""What a run will need, before it is started. Measured where an equal run has been measured, else said to be rough."""

import json
import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.data.fingerprints import local_checkpoint
from workbench.errors import InputError
from workbench.paths import RunsPaths
from workbench.records import RunSpec, Settings, TrainSpec
from workbench.reports.tables import duration
from workbench.runs.directory import read_spec, run_folders
from workbench.runs.events import last_event
from workbench.store.rows import read_object, read_tasks

CPU_FLOPS = 100e9
"""Arithmetic of a training step on a common two-core CPU, operations a second: an order of magnitude."""
TOKENS_A_PAIR = 55
"""Query and passage together, in sentence retrieval."""
HEADER_BYTES = 100_000_000
"""Longest header that safetensors allows."""


def estimates(specs: Sequence[RunSpec], runs: RunsPaths) -> list[dict[str, Any]]:
    """One row a run: `run`, `arm`, `steps` (null: as many as `epochs` take), `epochs`, `training_sets`, `tasks`, an
    estimate of `training_seconds` and what it is `estimated_from`, and `disk_mib`; null where nothing is known."""
    known, pools = measured_speeds(runs), measured_pools(specs, runs)
    rows = []
    for spec in specs:
        train = spec.settings.train
        seconds, basis = training_seconds(spec, known)
        rows.append(
            {
                "run": spec.run_id,
                "arm": spec.arm,
                "steps": train.steps if train else 0,
                "epochs": train.epochs if train else None,
                "training_sets": list(train.sets) if train else [],
                "tasks": list(spec.settings.evaluate.tasks),
                "training_seconds": seconds,
                "estimated_from": basis,
                "disk_mib": None if (disk := disk_bytes(spec, pools)) is None else round(disk / 2**20),
            }
        )
    return rows


def estimate_lines(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`estimates` for reading."""
    return [
        {
            "run": row["run"],
            "arm": row["arm"],
            "steps": f"{row['epochs']} epochs" if row["steps"] is None else row["steps"],
            "training sets": ", ".join(row["training_sets"]),
            "tasks": ", ".join(row["tasks"]),
            "training time": duration(row["training_seconds"]),
            "estimated from": row["estimated_from"],
            "disk MiB": row["disk_mib"],
        }
        for row in rows
    ]


def speed_key(spec: RunSpec) -> tuple[Any, ...]:
    """Runs with equal keys take equally long for a pair."""
    settings = spec.settings
    train = settings.train
    assert train is not None
    model = spec.fingerprints.get("model.checkpoint", settings.model.checkpoint)
    return (model, settings.model.builtin, settings.device, train.batch_size, train.precision, tuple(train.sets))


def measured_speeds(runs: RunsPaths) -> dict[tuple[Any, ...], float]:
    """Seconds a pair of earlier trainings here, the newest of each kind."""
    speeds: dict[tuple[Any, ...], float] = {}
    for run in run_folders(runs):
        step = last_event(run.events, ("step",))
        try:
            spec = read_spec(run)
        except InputError:
            continue
        rate = step.get("pairs_per_second") if step else None
        if spec.settings.train is not None and isinstance(rate, (int, float)) and rate > 0:
            speeds.setdefault(speed_key(spec), 1 / rate)
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
    counts = parameter_counts(spec)
    if counts is None:
        return None, "not known: the size of the checkpoint can only be read from safetensors files in a local folder"
    return rough_seconds(train, *counts), "a rough rule for a CPU"


def rough_seconds(train: TrainSpec, parameters: int, embedded: int) -> float:
    # 6 operations a weight and token forward and backward, and about 20 bytes a weight through memory for AdamW
    step = 6 * (parameters - embedded) * TOKENS_A_PAIR * train.batch_size / CPU_FLOPS + parameters * 20 / 10e9
    return step * (train.steps or 0)


def pool_key(spec: RunSpec, name: str) -> tuple[Any, ...]:
    """Tasks with equal keys have the same candidates."""
    task = spec.settings.evaluate.tasks[name]
    return (task.loader, spec.fingerprints.get(f"evaluate.tasks.{name}"), task.languages, task.split)


def searched_tasks(spec: RunSpec) -> list[str]:
    """The tasks whose passage vectors go to disk."""
    return [name for name, task in spec.settings.evaluate.tasks.items() if task.depth is not None]


def measured_pools(specs: Sequence[RunSpec], runs: RunsPaths) -> dict[tuple[Any, ...], int]:
    """Candidates of tasks with a depth, where an earlier run here has counted them."""
    if not any(map(searched_tasks, specs)):
        return {}
    pools: dict[tuple[Any, ...], int] = {}
    for run in run_folders(runs):
        try:
            spec = read_spec(run)
            tasks = read_tasks(run.results / "tasks.json")
            counts = [sum(json.loads(task["candidates"]).values()) for task in tasks]
        except (InputError, KeyError, TypeError, ValueError, AttributeError):
            continue
        # they stand in the order of the settings
        pools |= {pool_key(spec, n): c for n, c in zip(spec.settings.evaluate.tasks, counts, strict=False)}
    return pools


def vector_bytes(spec: RunSpec, pools: Mapping[tuple[Any, ...], int]) -> int | None:
    """Vectors of the tasks with a depth, 4 bytes a number; None where pools or vectors are of unknown size."""
    searched = searched_tasks(spec)
    if not searched:
        return 0
    counts, size = [pools.get(pool_key(spec, name)) for name in searched], vector_size(spec)
    return None if size is None or None in counts else 4 * size * sum(count or 0 for count in counts)


def vector_size(spec: RunSpec) -> int | None:
    """Numbers in a vector: of a local checkpoint as its config.json says."""
    model = spec.settings.model
    if model.checkpoint == "builtin":
        return model.builtin.dimension
    try:
        folder = local_checkpoint(model.checkpoint, Path(spec.folder))
        size = read_object(folder / "config.json").get("hidden_size") if folder else None
    except InputError:
        return None
    return size if isinstance(size, int) else None


def disk_bytes(spec: RunSpec, pools: Mapping[tuple[Any, ...], int]) -> int | None:
    """The most that the run directory holds at once.

    Results, vectors of tasks with a depth, weights and AdamW's two moments, the best and the kept model. None where
    the size of the checkpoint or of such a task is not known.
    """
    settings: Settings = spec.settings
    vectors = vector_bytes(spec, pools)
    if vectors is None:
        return None
    results = 4 * 2**20 + vectors
    if settings.train is None:
        return results
    counts = parameter_counts(spec)
    if counts is None:
        return None
    model = 4 * counts[0]
    best = model if settings.train.validation.pairs else 0
    # the checkpoint before is deleted once the next is whole
    return results + 6 * model + 2 * best + (model if settings.keep == "model" else 0)


def parameter_counts(spec: RunSpec) -> tuple[int, int] | None:
    """All weights, and those in the table of word vectors, of which a text uses only a few rows.

    None where they are not known without loading the checkpoint.
    """
    small = spec.settings.model.builtin
    if spec.settings.model.checkpoint == "builtin":
        table = small.buckets * small.dimension
        return table + small.dimension**2, table
    sizes: list[int] = []
    for weights in weights_of(spec):
        found = tensor_sizes(weights)
        if found is None:
            return None
        sizes += found
    return (sum(sizes), max(sizes)) if sizes else None


def weights_of(spec: RunSpec) -> list[Path]:
    """The safetensors files of a local checkpoint: one, or the shards of one."""
    try:
        folder = local_checkpoint(spec.settings.model.checkpoint, Path(spec.folder))
    except InputError:
        return []
    if folder is None:
        return []
    whole = folder / "model.safetensors"
    return [whole] if whole.is_file() else sorted(folder.glob("*.safetensors"))


def tensor_sizes(weights: Path) -> list[int] | None:
    """Numbers in each tensor of a safetensors file; None where its header is damaged.

    The header is its length (8 bytes, little endian), then a JSON object of tensors by name.
    """
    try:
        with weights.open("rb") as handle:
            (length,) = struct.unpack("<Q", handle.read(8))
            if length > HEADER_BYTES:
                return None
            found = json.loads(handle.read(length))
        sizes = [math.prod(map(int, entry["shape"])) for name, entry in found.items() if name != "__metadata__"]
        # the smallest numbers of the format have four bits
        most = 2 * weights.stat().st_size
        return sizes if all(0 <= size <= most for size in sizes) else None
    except (OSError, struct.error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
