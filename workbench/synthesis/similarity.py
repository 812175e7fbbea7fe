"""How near synthetic texts are to their sources in the space of an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.records import ModelSpec, Progress, SimilaritySpec
from workbench.synthesis.versions import Versions

if TYPE_CHECKING:
    from workbench.encoder import Encoder
    from workbench.layout import Side

KEY = "filter.similarity.checkpoint"
BLOCK = 16_384
"""Made texts whose vectors are held at a time; those of the sources are held together, as each has many versions."""


def similarities(
    versions: Versions, spec: SimilaritySpec, folder: Path, device: str, progress: Progress | None = None
) -> NDArray[np.float64]:
    """[rows] cosine of a text and its source, the lower one of query and passage; 1 where nothing can be compared.

    Queries are encoded as queries, passages as passages, each text once. `folder` is where a relative checkpoint
    starts, `progress(what, done, total)` is called now and then.

    Raises
    ------
    InputError
        The checkpoint is not there or is no encoder.
    """
    from workbench.encoder import load_encoder

    model = ModelSpec(checkpoint=spec.checkpoint, query_prefix=spec.prefix, passage_prefix=spec.prefix)
    try:
        encoder = load_encoder(model, folder, seed=0).to(device)
    except InputError as error:
        raise InputError(f"{KEY}: {str(error).removeprefix('model.checkpoint: ')}") from error
    queries = cosines(encoder, "query", versions.queries, versions.source_queries, progress)
    passages = cosines(encoder, "passage", versions.passages, versions.source_passages, progress)
    return np.minimum(queries, passages)


def cosines(
    encoder: Encoder, side: Side, texts: Sequence[str | None], sources: Sequence[str], progress: Progress | None
) -> NDArray[np.float64]:
    """[texts] cosine of each with its source, 1 where one of them is missing."""
    result = np.ones(len(texts))
    both = [
        (row, text, source) for row, (text, source) in enumerate(zip(texts, sources, strict=True)) if text and source
    ]
    rows = np.array([row for row, _, _ in both], np.int64)
    made, which_made = distinct([text for _, text, _ in both])
    wanted, which_wanted = distinct([source for _, _, source in both])
    what, total = f"{side} similarity", len(made) + len(wanted)

    def encode(part: Sequence[str], before: int) -> NDArray[np.float32]:
        return encoder.encode(part, side, progress=progress and (lambda done, _: progress(what, before + done, total)))

    vectors = encode(wanted, 0)
    for start in range(0, len(made), BLOCK):
        block = encode(made[start : start + BLOCK], len(wanted) + start)
        here = np.flatnonzero((which_made >= start) & (which_made < start + BLOCK))
        result[rows[here]] = np.einsum("ij,ij->i", block[which_made[here] - start], vectors[which_wanted[here]])
    return result


def distinct(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Each text once, sorted, so that the rows' order changes no batch; and which of these each is."""
    found = {text: number for number, text in enumerate(sorted(set(texts)))}
    return list(found), np.fromiter((found[text] for text in texts), np.int64, len(texts))


def too_far(
    found: NDArray[np.float64], languages: Sequence[str], ties: Sequence[str], spec: SimilaritySpec
) -> NDArray[np.bool_]:
    """[rows] whether a row is below the threshold, or not among the top share of its language (rounded up).

    Of rows with the same similarity the one with the smaller of `ties`, its pair_id, comes first.
    """
    if spec.threshold is not None:
        return found < spec.threshold
    assert spec.top_share is not None  # the config gives one of them
    far = np.zeros(len(found), bool)
    for language in set(languages):
        rows = [row for row, its in enumerate(languages) if its == language]
        rows.sort(key=lambda row: (-found[row], ties[row]))
        far[rows[int(np.ceil(spec.top_share * len(rows) - 1e-9)) :]] = True
    return far
