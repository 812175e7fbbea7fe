"""What a run is called, and what makes runs one arm: the same settings and data, but for the seed."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.records import Plain, Settings, to_plain

NOT_IN_ARM = (
    "label",
    "seed",
    "device",
    "threads",
    "keep",
    "train.checkpoint_every",
    "evaluate.batch_tokens",
    "evaluate.memory_gib",
)
"""Keys that change what a run is called, where and how fast it works, or its seed, but not what is compared."""


def make_run_id(now: datetime, label: str, seed: int, arm_hash: str) -> str:
    """A name that sorts by time (`now` knows its time zone) and reads by eye: `20261122-1403-hybrid-a50-s0-7f3c`."""
    return f"{now.astimezone(UTC):%Y%m%d-%H%M}-{label}-s{seed}-{arm_hash[:4]}"


def arm_label(settings: Settings, swept: Mapping[str, Any]) -> str:
    """The readable part of an arm's name: its label, or its sampling or checkpoint and what else is swept."""
    if settings.label is not None:
        return settings.label
    if settings.train is None:
        path = Path(settings.model.checkpoint)
        # a run keeps its model in `<run_id>/model`, which says little by itself
        label = f"checkpoint-{path.parent.name if path.name == 'model' else path.name}"
    else:
        sampling = settings.train.sampling
        alpha = f"-a{round(100 * sampling.alpha):02d}" if sampling.strategy in ("hybrid", "mixed") else ""
        label = sampling.strategy + alpha
    unnamed = ("seed", "train.sampling.strategy", "train.sampling.alpha")
    # a swept mapping, such as a whole `train`, is no word; the hash tells such arms apart
    shown = {k: v for k, v in swept.items() if k not in unnamed and not isinstance(v, Mapping)}
    parts = [label, *(f"{key.rsplit('.', 1)[-1]}-{Path(str(value)).name}" for key, value in shown.items())]
    return re.sub(r"[^a-z0-9._]+", "-", "-".join(parts).lower()).strip("-")[:60]


def arm_hash(settings: Settings, prints: Mapping[str, str]) -> str:
    """What two runs have in common that are of one arm."""
    return hash_of({"settings": compared(settings, prints), "fingerprints": dict(prints)})


def compared(settings: Settings, prints: Mapping[str, str]) -> Plain:
    """The settings without what does not change the comparison; a path gives way to its fingerprint.

    Keys at their default are left out, so that a key that a later version adds leaves the arms as they are.
    """
    plain: Plain = changed(settings)
    # beside `evaluate.tasks.<name>` and `train.sets.<name>`, whatever the name, keys are those of single settings
    is_set = re.compile(r"(evaluate\.tasks|train\.sets)\.[^.]+").fullmatch
    places = [f"{key}.path" if is_set(key) else key for key in prints]
    for dotted in (*NOT_IN_ARM, *places):
        *parents, last = dotted.split(".")
        place: Any = plain
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(last, None)
    return plain


def changed(value: Any) -> Any:
    """As `to_plain`, of each record only the keys whose values are not the default."""
    if is_dataclass(value) and not isinstance(value, type):
        given = {entry: getattr(value, entry.name) for entry in fields(value)}
        return {entry.name: changed(part) for entry, part in given.items() if part != default_of(entry)}
    if isinstance(value, Mapping):
        return {str(name): changed(part) for name, part in value.items()}
    return to_plain(value)


def default_of(entry: Field[Any]) -> Any:
    return entry.default if entry.default_factory is MISSING else entry.default_factory()


def hash_of(plain: Plain) -> str:
    """12 hexadecimal digits of a canonical form."""
    return hashlib.blake2b(json.dumps(plain, sort_keys=True).encode(), digest_size=6).hexdigest()
