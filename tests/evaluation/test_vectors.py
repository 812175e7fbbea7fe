import resource
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from workbench.encoder import Encoder, load_encoder
from workbench.errors import Stopped, WorkError
from workbench.evaluation import vectors as module
from workbench.evaluation.vectors import StoredVectors, check_room, encoder_hash, store_vectors
from workbench.records import BuiltinSpec, ModelSpec

WORDS = ["Haus", "house", "घर", "บ้าน", "дом", "家"]
TEXTS = [f"{WORDS[n % 6]} {n} {WORDS[n % 5]}" for n in range(150)]
BATCH_TOKENS = 16
"""Makes chunks of 64 texts: 64, 64 and 22."""


@pytest.fixture
def encoder() -> Encoder:
    return small_encoder(seed=0)


def small_encoder(seed: int, prefix: str = "") -> Encoder:
    spec = ModelSpec(builtin=BuiltinSpec(dimension=8, buckets=64), passage_prefix=prefix)
    return load_encoder(spec, Path(), seed)


class Told:
    """Remembers what was reported; stops the work after some of it."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.events: list[tuple[int, int]] = []
        self.stop_at = stop_at

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage == module.ENCODING:
            self.events.append((done, total))
            if self.stop_at is not None and done >= self.stop_at:
                raise Stopped("asked to")


def stored(folder: Path, encoder: Encoder, texts: Sequence[str] = TEXTS, told: Told | None = None) -> StoredVectors:
    return store_vectors(folder, texts, encoder, BATCH_TOKENS, told or Told())


def test_the_vectors_are_the_encoders_in_the_order_of_the_texts(tmp_path: Path, encoder: Encoder) -> None:
    told = Told()
    found = stored(tmp_path / "new", encoder, told=told)
    assert (found.texts, found.chunk_texts, found.dimension, len(found.files)) == (150, 64, 8, 3)
    whole = found.rows(np.arange(150))
    assert whole.dtype == np.float32 and np.allclose(whole, encoder.encode(TEXTS, "passage"), atol=1e-6)
    few = np.array([0, 3, 63, 64, 149])
    assert (found.rows(few) == whole[few]).all()
    parts = [(part.start, part.stop, block.shape) for part, block in found.blocks(few)]
    assert parts == [(0, 3, (3, 8)), (3, 4, (1, 8)), (4, 5, (1, 8))]
    assert told.events[0] == (0, 150) and told.events[-1] == (150, 150)
    assert [done for done, _ in told.events] == sorted(done for done, _ in told.events)


def test_no_texts_have_no_vectors(tmp_path: Path, encoder: Encoder) -> None:
    found = stored(tmp_path, encoder, [])
    assert found.files == () and found.rows(np.empty(0, np.int32)).shape == (0, 8)


def test_after_a_stop_whole_chunks_are_taken_as_they_are(tmp_path: Path, encoder: Encoder) -> None:
    with pytest.raises(Stopped):
        stored(tmp_path / "killed", encoder, told=Told(stop_at=100))
    there = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "killed").iterdir()}
    assert len(there) == 1, "the chunk that was being encoded left nothing"
    (tmp_path / "killed" / ".000001-0123456789abcdef.npy.99.part").write_bytes(b"half of it")
    told = Told()
    again = stored(tmp_path / "killed", encoder, told=told)
    assert told.events[0] == (64, 150)
    assert {f.name: f.stat().st_mtime_ns for f in again.files if f.name in there} == there
    undisturbed = stored(tmp_path / "whole", encoder)
    assert [f.name for f in again.files] == [f.name for f in undisturbed.files]
    assert [f.read_bytes() for f in again.files] == [f.read_bytes() for f in undisturbed.files]
    assert set((tmp_path / "killed").iterdir()) == set(again.files)


def test_vectors_of_other_texts_or_of_another_encoder_are_not_taken(tmp_path: Path, encoder: Encoder) -> None:
    first = stored(tmp_path, encoder)
    changed = [*TEXTS[:-1], "something else"]
    told = Told()
    second = stored(tmp_path, encoder, changed, told)
    assert told.events[0] == (128, 150), "only the last chunk has another text"
    assert first.files[:2] == second.files[:2] and set(tmp_path.iterdir()) == set(second.files)
    for other in (small_encoder(seed=1), small_encoder(seed=0, prefix="passage: ")):
        told = Told()
        stored(tmp_path, other, changed, told)
        assert told.events[0] == (0, 150)


def test_texts_that_only_join_alike_are_not_the_same() -> None:
    assert module.chunk_hash(b"", ["ab", "c"]) != module.chunk_hash(b"", ["a", "bc"])
    assert module.chunk_hash(b"", ["\ud800"]) != module.chunk_hash(b"", ["?"])


def test_weights_decide_the_hash(encoder: Encoder) -> None:
    before = encoder_hash(encoder)
    assert before == encoder_hash(small_encoder(seed=0))
    next(encoder.parameters()).data[3, 2] += 1e-3
    assert encoder_hash(encoder) != before


def test_a_disk_without_room_is_said_before_the_work(tmp_path: Path) -> None:
    check_room(tmp_path / "later", 1000, 384)
    with pytest.raises(WorkError, match=r"later: the vectors of 1,000,000,000,000 passages need 1430511\.5 GiB more"):
        check_room(tmp_path / "later", 10**12, 384)


def test_what_keeps_a_chunk_from_being_written_is_said(tmp_path: Path, encoder: Encoder) -> None:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, unlimited[1]))
    try:
        with pytest.raises(WorkError, match=r"000000-\w+\.npy: cannot be written: File too large"):
            stored(tmp_path, encoder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert not list(tmp_path.iterdir())


def test_vectors_that_are_not_finite_are_refused(tmp_path: Path, encoder: Encoder) -> None:
    next(encoder.parameters()).data[:] = np.nan
    with pytest.raises(WorkError, match="64 of 64 are not finite"):
        stored(tmp_path, encoder)
    assert not list(tmp_path.iterdir())
