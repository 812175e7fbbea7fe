"""Corpora of millions of passages on disk: prepared once, then used through memory maps.

A prepared corpus is a folder of two Arrow files:

- `texts.arrow`: `text` and `hash`, in the order in which the passages came;
- `passages.arrow`: `id`, ascending, and `row`, where its text stands in the first file.

Nothing is held in memory but the numbers: 20 bytes a passage, and 60 while the equal texts are found. While a corpus
is prepared, its ids are.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.data.tasks.beir_files import Text
from workbench.errors import InputError, WorkError

TEXTS, PASSAGES = "texts.arrow", "passages.arrow"
BATCH_ROWS = 16384
TEXT_SCHEMA = pa.schema([("text", pa.large_string()), ("hash", pa.uint64())])
PASSAGE_SCHEMA = pa.schema([("id", pa.large_string()), ("row", pa.int32())])


class StoredTexts(Sequence[str]):
    """The texts of prepared corpora, one corpus after the other, read when they are asked for."""

    def __init__(self, folders: Iterable[Path], rows: NDArray[np.int64] | None = None) -> None:
        """
        Parameters
        ----------
        rows
            Those to show, ascending, counted over all corpora; None = all.

        Raises
        ------
        WorkError
            A file is missing or damaged.
        """
        self._batches = [batch.column("text") for folder in folders for batch in batches_of(folder / TEXTS)]
        self._starts = np.cumsum([0, *(len(batch) for batch in self._batches)])
        self._rows = rows

    def __len__(self) -> int:
        return int(self._starts[-1]) if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step == 1:
                return tuple(self._stretch(start, stop))
            return tuple(self[number] for number in range(start, stop, step))
        number = range(len(self))[place]
        return next(self._stretch(number, number + 1))

    def __iter__(self) -> Iterator[str]:
        return self._stretch(0, len(self))

    def _stretch(self, start: int, stop: int) -> Iterator[str]:
        """The texts from `start` to before `stop`, batch by batch."""
        while start < stop:
            first = start if self._rows is None else int(self._rows[start])
            batch = int(np.searchsorted(self._starts, first, side="right")) - 1
            begin, end = (int(edge) for edge in self._starts[batch : batch + 2])
            if self._rows is None:
                until = min(stop, end)
                part = self._batches[batch].slice(first - begin, until - start)
            else:
                until = min(stop, start + int(np.searchsorted(self._rows[start:stop], end)))
                part = self._batches[batch].take(pa.array(self._rows[start:until] - begin))
            yield from part.to_pylist()
            start = until


class StoredIds(Sequence[str]):
    """The ids of prepared corpora, ascending; each stands behind its corpus's name: `sw:12#0`."""

    def __init__(self, names: Sequence[str], parts: Sequence[pa.ChunkedArray]) -> None:
        """`names` are of letters and ascend, one for each of `parts`, in which the ids ascend."""
        self._names = names
        self._parts = [part.combine_chunks() if part.num_chunks != 1 else part.chunk(0) for part in parts]
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(self[number] for number in range(*place.indices(len(self))))
        number = range(len(self))[place]
        part = int(np.searchsorted(self._starts, number, side="right")) - 1
        return f"{self._names[part]}:{self._parts[part][number - int(self._starts[part])].as_py()}"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Passages of each corpus."""
        return tuple(len(part) for part in self._parts)

    def place(self, value: str) -> int | None:
        """Where an id stands; None = nowhere."""
        place = bisect_left(self, value)
        return place if place < len(self) and self[place] == value else None


def batches_of(file: Path) -> list[pa.RecordBatch]:
    """The batches of an Arrow file, in a memory map.

    Raises
    ------
    WorkError
        It is missing or damaged.
    """
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(file)))
        return [reader.get_batch(number) for number in range(reader.num_record_batches)]
    except (OSError, pa.ArrowException) as error:
        raise WorkError(
            f"{file}: this prepared copy is damaged; delete its folder, it is made anew: {error}"
        ) from error


# preparing


def write_corpus(folder: Path, read: Callable[[], Iterator[Text]]) -> None:
    """Write passages into a folder that is there; `read` gives them, from the first one, each time it is called.

    Raises
    ------
    InputError
        An id comes twice.
    """
    ids: list[pa.Array] = []
    passages = read()
    with pa.OSFile(str(folder / TEXTS), "wb") as file, pa.ipc.new_file(file, TEXT_SCHEMA) as writer:
        while batch := list(islice(passages, BATCH_ROWS)):
            texts = [passage.text for passage in batch]
            ids.append(pa.array([passage.id for passage in batch], pa.large_string()))
            writer.write_batch(pa.record_batch([pa.array(texts, pa.large_string()), hashes(texts)], schema=TEXT_SCHEMA))
    table = ascending(pa.chunked_array(ids, pa.large_string()))
    check_unique(table["id"].combine_chunks(), read)
    with pa.OSFile(str(folder / PASSAGES), "wb") as file, pa.ipc.new_file(file, PASSAGE_SCHEMA) as writer:
        writer.write_table(table)


def hashes(texts: Sequence[str]) -> pa.Array:
    """uint64 [texts]. Two of 33 million unequal texts have the same one with a chance of 3 in 100,000."""
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return pa.array(np.frombuffer(digests, np.uint64))


def ascending(ids: pa.ChunkedArray) -> pa.Table:
    """Ids in order, and the row of each; Arrow orders UTF-8 bytes, which is the order of Python's strings."""
    order = pc.sort_indices(ids)
    return pa.table([ids.take(order).combine_chunks(), order.cast(pa.int32())], schema=PASSAGE_SCHEMA)


def check_unique(ids: pa.Array, read: Callable[[], Iterator[Text]]) -> None:
    """No id, in order, is another's; if one is, the passages are read again to say where."""
    again = pc.index(pc.equal(ids[1:], ids[:-1]), True).as_py()
    if again >= 0:
        twice = ids[again].as_py()
        first, second = islice((passage.where for passage in read() if passage.id == twice), 2)
        raise InputError(f"{second}: id {twice!r} stands in {first} already")


# reading


def open_ids(names: Sequence[str], folders: Sequence[Path]) -> StoredIds:
    """The ids of prepared corpora under these names, which ascend."""
    return StoredIds(names, [column(folder / PASSAGES, "id") for folder in folders])


def open_texts(folders: Sequence[Path]) -> tuple[StoredTexts, NDArray[np.int32]]:
    """The distinct texts of prepared corpora, and [passages] which of them each passage has, in the order of the ids.

    Of equal texts the first counts. They are known by their hashes.
    """
    found = np.concatenate([column(folder / TEXTS, "hash").to_numpy() for folder in folders])
    firsts, of_row = distinct(found)
    starts = np.cumsum([0, *(sum(map(len, batches_of(folder / TEXTS))) for folder in folders)])
    rows = [column(folder / PASSAGES, "row").to_numpy() for folder in folders]
    parts = zip(pairwise(starts), rows, strict=True)
    candidates = np.concatenate([of_row[start:end][part] for (start, end), part in parts])
    return StoredTexts(folders, None if len(firsts) == len(found) else firsts), candidates


def distinct(values: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The places of the values that did not come before, ascending, and [values] which of these each value is."""
    _, first, group = np.unique(values, return_index=True, return_inverse=True)
    firsts = np.sort(first)
    return firsts, np.searchsorted(firsts, first).astype(np.int32)[group]


def column(file: Path, name: str) -> pa.ChunkedArray:
    return pa.chunked_array([batch.column(name) for batch in batches_of(file)])
