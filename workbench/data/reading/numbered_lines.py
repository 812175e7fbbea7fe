"""Tab-separated files of gigabytes whose lines begin with whole numbers: read block by block, never whole.

There is no quoting: a quotation mark is a character like any other, and no text holds a tab or a line feed.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.data.reading.rows import opened
from workbench.errors import InputError

BLOCK_BYTES = 2**24
DIGITS = 10
"""Longest number; what is longer is none."""


@dataclass(frozen=True, eq=False)
class Block:
    """Whole lines of a file."""

    file: Path
    first_line: int
    """Its number in the file, from 1."""
    content: bytes
    """Each line with its line feed."""
    starts: NDArray[np.int64]
    """[lines] where each begins."""
    tabs: NDArray[np.int64]
    """[lines, fields - 1] where its tabs are."""
    ends: NDArray[np.int64]
    """[lines] where each ends, before the line feed and a carriage return."""

    def named(self, line: int) -> str:
        return f"{self.file}: line {self.first_line + line}"

    def numbers(self, field: int) -> NDArray[np.int64]:
        """[lines] a field as whole numbers.

        Raises
        ------
        InputError
            A field is none.
        """
        starts = self.starts if field == 0 else self.tabs[:, field - 1] + 1
        ends = self.tabs[:, field] if field < self.tabs.shape[1] else self.ends
        widths = ends - starts
        sound = (widths > 0) & (widths <= DIGITS)
        characters = np.frombuffer(self.content, np.uint8)
        numbers = np.zeros(len(starts), np.int64)
        for place in range(int(widths.max(initial=0, where=sound))):
            inside = place < widths
            digits = characters[np.where(inside, starts + place, starts)] - np.uint8(ord("0"))  # others wrap around
            sound &= ~inside | (digits < 10)
            numbers = np.where(inside, 10 * numbers + digits, numbers)
        if not sound.all():
            line = int(np.argmin(sound))
            found = self.content[starts[line] : ends[line]]
            raise InputError(
                f"{self.named(line)}: {found!r:.60} is no id; allowed: a number of at most {DIGITS} digits"
            )
        return numbers

    def text(self, line: int) -> str:
        """The last field.

        Raises
        ------
        InputError
            It is not UTF-8.
        """
        try:
            return self.content[self.tabs[line, -1] + 1 : self.ends[line]].decode()
        except UnicodeDecodeError as error:
            raise InputError(f"{self.named(line)}: not UTF-8: {error.reason}") from error


def blocks(file: Path, fields: int) -> Iterator[Block]:
    """The lines of a file, some megabytes at a time.

    Raises
    ------
    InputError
        The file cannot be read, is truncated, or a line has another number of fields.
    """
    number = 1
    for content in whole_lines(file):
        found = block(file, number, content, fields)
        number += len(found.starts)
        yield found


def block(file: Path, number: int, content: bytes, fields: int) -> Block:
    characters = np.frombuffer(content, np.uint8)
    feeds = np.flatnonzero(characters == ord("\n"))
    starts = np.concatenate([[0], feeds[:-1] + 1])
    tabs = np.flatnonzero(characters == ord("\t"))
    counts = np.diff(np.searchsorted(tabs, np.concatenate([starts, [len(content)]])))
    wrong = np.flatnonzero(counts != fields - 1)
    if len(wrong):
        raise InputError(
            f"{file}: line {number + wrong[0]}: has {counts[wrong[0]] + 1} fields; allowed: {fields}, with tabs between"
        )
    ends = feeds - ((feeds > starts) & (characters[feeds - 1] == ord("\r")))
    return Block(file, number, content, starts, tabs.reshape(-1, fields - 1), ends)


def whole_lines(file: Path) -> Iterator[bytes]:
    """The bytes of a file, cut at line feeds; the last line gets one where it has none."""
    rest = b""
    try:
        with opened(file) as source:
            mark = source.read(3)
            rest = b"" if mark == b"\xef\xbb\xbf" else mark
            while part := source.read(BLOCK_BYTES):
                cut = part.rfind(b"\n") + 1
                if cut:
                    yield rest + part[:cut]
                    rest = part[cut:]
                else:
                    rest += part
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: damaged or truncated gzip data: {error}") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"


def numbered_texts(file: Path, wanted: NDArray[np.int64]) -> list[str | None]:
    """The texts with these numbers, which ascend; None where the file has no such line.

    Raises
    ------
    InputError
        The file is not made of lines `number<TAB>text`, or has one of the numbers twice.
    """
    texts: list[str | None] = [None] * len(wanted)
    if not len(wanted):
        return texts
    for lines in blocks(file, 2):
        numbers = lines.numbers(0)
        places = np.minimum(np.searchsorted(wanted, numbers), len(wanted) - 1)
        found = np.flatnonzero(wanted[places] == numbers)
        for line, place in zip(found.tolist(), places[found].tolist(), strict=True):
            if texts[place] is not None:
                raise InputError(f"{lines.named(line)}: id {wanted[place]} stands in an earlier line already")
            texts[place] = lines.text(line)
    return texts
