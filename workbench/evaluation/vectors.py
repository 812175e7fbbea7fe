"""Passage vectors of a large pool: encoded chunk by chunk to disk, taken up again after a kill, read by memory map."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import header_data_from_array_1_0, write_array_header_1_0
from numpy.typing import NDArray

from workbench.encoder import Encoder
from workbench.errors import WorkError
from workbench.evaluation.pools import Floats
from workbench.evaluation.ranking import check_vectors
from workbench.files import write_whole
from workbench.records import Progress

ENCODING = "encoding passages"
"""The stage that is reported."""
CHUNK_TEXTS = 16384
"""Texts of a chunk, at most: the tokens of so many fit in a few hundred megabytes, and a kill costs no more work."""
TEXTS_PER_TOKEN = 4
"""Texts of a chunk for each token of a batch, at most: a chunk is hundreds of batches, so sorting by length pays."""


@dataclass(frozen=True)
class StoredVectors:
    """float32 unit vectors [texts, dimension] in files of `chunk_texts` rows each; the last file may have fewer."""

    files: tuple[Path, ...]
    texts: int
    chunk_texts: int
    dimension: int

    def blocks(self, texts: NDArray[np.integer]) -> Iterator[tuple[slice, Floats]]:
        """Chunk by chunk the part of `texts`, ascending numbers of texts, that is in it, and its vectors."""
        edges = np.searchsorted(texts, np.arange(len(self.files) + 1) * self.chunk_texts)
        for number, file in enumerate(self.files):
            part = slice(int(edges[number]), int(edges[number + 1]))
            if part.start < part.stop:
                chunk = np.load(file, mmap_mode="r", allow_pickle=False)
                yield part, np.array(chunk[texts[part] - number * self.chunk_texts])

    def rows(self, texts: NDArray[np.integer]) -> Floats:
        """[texts, dimension] the vectors of a few texts, ascending."""
        found = np.empty((len(texts), self.dimension), np.float32)
        for part, vectors in self.blocks(texts):
            found[part] = vectors
        return found


def store_vectors(
    folder: Path, texts: Sequence[str], encoder: Encoder, batch_tokens: int, report: Progress
) -> StoredVectors:
    """Encode passages to `folder`; chunks that are there, of these texts and this encoder, are taken as they are.

    A chunk's file is named after what is in it (a hash of its texts and of all that makes the encoder), so a name that
    is there is the chunk, and one that is not is made anew. Other files in the folder are deleted.

    Raises
    ------
    WorkError
        The disk is full or not writable; a vector is not finite.
    """
    size = min(CHUNK_TEXTS, TEXTS_PER_TOKEN * batch_tokens)
    files = chunk_files(folder, texts, size, encoder_hash(encoder), report)
    for old in set(folder.glob("*")) - set(files.values()):
        old.unlink()
    missing = {start: file for start, file in files.items() if not file.exists()}
    done = len(texts) - sum(min(size, len(texts) - start) for start in missing)
    report(ENCODING, done, len(texts))
    for start, file in missing.items():
        part = texts[start : start + size]
        store_chunk(file, part, encoder, batch_tokens, counting(done, len(texts), report))
        done += len(part)
    return StoredVectors(tuple(files.values()), len(texts), size, vector_size(encoder))


def counting(before: int, total: int, report: Progress) -> Callable[[int, int], None]:
    """Reports what is done of a chunk as what is done in all."""
    return lambda done, _: report(ENCODING, before + done, total)


def chunk_files(folder: Path, texts: Sequence[str], size: int, maker: bytes, report: Progress) -> dict[int, Path]:
    """The file of each chunk by the number of its first text."""
    files = {}
    for number, start in enumerate(range(0, len(texts), size)):
        part = texts[start : start + size]
        files[start] = folder / f"{number:06d}-{chunk_hash(maker, part)}.npy"
        report("reading passages", start + len(part), len(texts))
    return files


def vector_size(encoder: Encoder) -> int:
    """Numbers in a vector."""
    return encoder.encode(["a"], "passage").shape[1]


def store_chunk(
    file: Path, texts: Sequence[str], encoder: Encoder, batch_tokens: int, progress: Callable[[int, int], None]
) -> None:
    vectors = np.ascontiguousarray(encoder.encode(texts, "passage", batch_tokens=batch_tokens, progress=progress))
    check_vectors(vectors, len(texts), "passage")

    def write(path: Path) -> None:
        # np.save would say of a full disk only that fewer bytes were written than asked for
        with path.open("wb") as handle:
            write_array_header_1_0(handle, header_data_from_array_1_0(vectors))
            handle.write(vectors.data)

    write_whole(file, write)


def check_room(folder: Path, texts: int, dimension: int) -> None:
    """Refuse to start on vectors that the disk cannot take; those that are in `folder` already are counted in.

    Raises
    ------
    WorkError
        Says how much is needed.
    """
    needed = vector_bytes(texts, dimension) - sum(file.stat().st_size for file in folder.rglob("*.npy"))
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise WorkError(
            f"{folder}: the vectors of {texts:,} passages need {gib(needed)} more on disk, and {gib(free)} are free"
        )


def vector_bytes(texts: int, dimension: int) -> int:
    return texts * dimension * np.dtype(np.float32).itemsize


def gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"


def encoder_hash(encoder: Encoder) -> bytes:
    """Stands for the weights and for how a passage becomes a vector."""
    how = (encoder.pooling, encoder.prefixes["passage"], encoder.longest["passage"])
    whole = hashlib.blake2b(repr(how).encode(), digest_size=16)
    for name, weights in sorted(encoder.state_dict().items()):
        whole.update(f"{name} {weights.dtype} {tuple(weights.shape)}".encode())
        whole.update(weights.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return whole.digest()


def chunk_hash(maker: bytes, texts: Sequence[str]) -> str:
    """16 hex digits for these texts in this order, by this encoder."""
    whole = hashlib.blake2b(maker, digest_size=8)
    # the lengths tell where a text ends
    whole.update(np.array([len(text) for text in texts], np.int64).tobytes())
    whole.update("".join(texts).encode("utf-8", "surrogatepass"))
    return whole.hexdigest()
