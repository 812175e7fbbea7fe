"""What was made of a training set, and how it is kept: in the cache, and in files that are training sets themselves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.data.pairs import ParallelPairs
from workbench.files import write_whole
from workbench.records import Plain, to_plain
from workbench.synthesis.versions import Versions

TEXTS = pa.schema(
    [
        *((name, pa.string()) for name in ("training_set", "language", "made_by")),
        *((name, pa.int64()) for name in ("made", "kept")),
        ("details", pa.string()),
    ]
)
"""Of the results table `synthetic_texts`: how what there was to draw from came about."""
PAIRS = pa.schema(
    [
        *((name, pa.string()) for name in ("training_set", "kind", "query_language", "passage_language")),
        *((name, pa.string()) for name in ("query_made_by", "passage_made_by")),
        ("pairs", pa.int64()),
    ]
)
"""Of the results table `synthetic_pairs`: what of it was drawn."""
METADATA = b"workbench.synthesis"
"""Key of what a parquet file says of itself: how its synthetic rows came about."""
PARTS = {"query": "queries", "passage": "passages", "negative": "negatives"}
"""Columns of a file, and where a set holds them."""


@dataclass(frozen=True)
class Account:
    """How the synthetic texts of one training set in one language came about."""

    training_set: str
    language: str
    made_by: str
    made: int | None
    """Pairs; None: somebody else made them."""
    kept: int
    """Of these, after filtering."""
    details: Plain
    """What was rejected by rule, corrupted by kind, switched."""


CODE_SWITCHING = "code-switching"
"""Stands in the name of what makes such texts: their words are of two languages or more."""


@dataclass(frozen=True)
class Made:
    """What was made of one training set."""

    versions: Versions
    makers: Mapping[str, str]
    """By language."""
    accounts: tuple[Account, ...]
    notes: tuple[str, ...]
    """What a user should know: what a rule could not look at."""


def write_made(path: Path, found: Made) -> None:
    """All of it, for the cache."""
    texts = {
        column.name: pa.array(getattr(found.versions, column.name), pa.large_string()) for column in fields(Versions)
    }
    said = {
        "makers": dict(found.makers),
        "accounts": to_plain(found.accounts),
        "notes": list(found.notes),
    }
    table = pa.table(texts).replace_schema_metadata({METADATA: json.dumps(said)})
    write_whole(path, lambda beside: pq.write_table(table, beside, compression="zstd"))


def read_made(path: Path, training_set: str) -> Made:
    """The inverse of `write_made`; the same texts may have been made for a set of another name.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    try:
        table = pq.read_table(path)
        table.validate(full=True)
        said = json.loads(table.schema.metadata[METADATA])
        versions = Versions(*(table[column.name].to_pylist() for column in fields(Versions)))
        accounts = tuple(replace(Account(**account), training_set=training_set) for account in said["accounts"])
        return Made(versions, said["makers"], accounts, tuple(said["notes"]))
    except (pa.ArrowException, OSError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error


def write_training_set(path: Path, pairs: ParallelPairs, accounts: Sequence[Account], source: str) -> None:
    """A parquet file that is read as this training set, column after column; and how what was made came about."""
    columns: dict[str, list[str | None]] = {name: [] for name in ("pair_id", "lang", *PARTS, "made_by")}
    for column, (language, maker) in enumerate(zip(pairs.languages, pairs.makers, strict=True)):
        rows = np.flatnonzero(pairs.has[:, column]).tolist()
        columns["pair_id"] += [pairs.pair_ids[row] for row in rows]
        columns["lang"] += [language] * len(rows)
        columns["made_by"] += [maker] * len(rows)
        for name, part in PARTS.items():
            texts = getattr(pairs, part)[rows, column].tolist()
            columns[name] += [pairs.texts[text] if text >= 0 else None for text in texts]
    if not (pairs.negatives >= 0).any():
        del columns["negative"]
    said = {"source": source, "accounts": to_plain(tuple(accounts))}
    table = pa.table({name: pa.array(values, pa.large_string()) for name, values in columns.items()})
    table = table.replace_schema_metadata({METADATA: json.dumps(said, ensure_ascii=False)})
    write_whole(path, lambda beside: pq.write_table(table, beside, compression="zstd"))


def said_of(path: str) -> Plain:
    """What a file says of how it came about; empty where it says nothing or is no parquet file."""
    try:
        metadata = (pq.read_schema(path).metadata or {}) if path.endswith(".parquet") else {}
    except (OSError, pa.ArrowException):  # who reads the file itself tells it better
        return {}
    return dict(json.loads(metadata[METADATA])) if METADATA in metadata else {}


def is_code_switched(maker: str) -> bool:
    """Whether texts that this made are in their language in part only."""
    return CODE_SWITCHING in maker


def stored_accounts(pairs: ParallelPairs) -> list[Account]:
    """Of a set whose file holds synthetic texts that are taken as they are."""
    return [
        Account(pairs.name, language, maker, None, int(pairs.has[:, column].sum()), {})
        for column, (language, maker) in enumerate(zip(pairs.languages, pairs.makers, strict=True))
        if maker is not None
    ]


def summed_up(accounts: Sequence[Account]) -> list[str]:
    """A line for each training set: what made how many pairs, and how many were rejected."""
    lines = []
    groups: dict[tuple[str, str], list[Account]] = {}
    for account in accounts:
        groups.setdefault((account.training_set, account.made_by), []).append(account)
    for (name, maker), of_set in groups.items():
        by_language = ", ".join(f"{account.language} {account.kept}{out_of(account)}" for account in of_set)
        lines.append(f"{name}: pairs by {maker}: {by_language}")
    return lines


def out_of(account: Account) -> str:
    return "" if account.made in (None, account.kept) else f" of {account.made}"


def as_columns(accounts: Sequence[Account]) -> dict[str, list[Any]]:
    """Columns of `TEXTS`."""
    return {
        "training_set": [account.training_set for account in accounts],
        "language": [account.language for account in accounts],
        "made_by": [account.made_by for account in accounts],
        "made": [account.made for account in accounts],
        "kept": [account.kept for account in accounts],
        "details": [json.dumps(account.details, ensure_ascii=False) for account in accounts],
    }
