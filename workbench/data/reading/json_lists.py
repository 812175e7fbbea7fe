"""Files of gigabytes that are one JSON list: read element by element, some megabytes in memory at a time."""

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from workbench.data.reading.rows import Row, opened
from workbench.errors import InputError

CHARACTERS = 2**20
"""Read at a time."""
LARGEST = 2**26
"""Longest element in characters; where none ends within so many, the file is not sound."""
MARK = re.compile(r"\S")


class Elements:
    """The elements of a JSON list, one after the other."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self._decoder = json.JSONDecoder()
        self._pending = ""
        self._at = 0

    def __iter__(self) -> Iterator[Any]:
        self._take("[")
        if self._next() != "]":
            yield self._element()
            while self._take(",]") == ",":
                yield self._element()
        else:
            self._take("]")
        if self._next():
            self._take("")

    def _take(self, wanted: str) -> str:
        """Go past the next character, which is one of these."""
        found = self._next()
        if not found or found not in wanted:
            raise json.JSONDecodeError(f"expected {' or '.join(wanted) or 'nothing more'}", self._pending, self._at)
        self._at += 1
        return found

    def _next(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            found = MARK.search(self._pending, self._at)
            if found:
                self._at = found.start()
                return found.group()
            if not self._read():
                return ""

    def _element(self) -> Any:
        self._next()
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._pending, self._at)
                return value
            except json.JSONDecodeError:
                # it may go on in what is not read yet; twice as much each time, so that long ones take few attempts
                if len(self._pending) - self._at > LARGEST or not self._read():
                    raise

    def _read(self) -> bool:
        rest = self._pending[self._at :]
        more = self._source.read(max(CHARACTERS, len(rest)))
        self._pending, self._at = rest + more, 0
        return bool(more)


def json_elements(file: Path) -> Iterator[tuple[str, Row]]:
    """The objects of a file (`.gz` too) that is one JSON list, each with its place, counted from 1.

    Raises
    ------
    InputError
        The file cannot be read, is truncated, not UTF-8, or no list of objects.
    """
    number = 0
    try:
        with io.TextIOWrapper(opened(file), encoding="utf-8-sig") as source:
            for number, element in enumerate(Elements(source), start=1):
                if not isinstance(element, dict):
                    raise InputError(f"{file}: element {number}: {element!r:.60} is no JSON object")
                yield f"{file}: element {number}", element
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: after element {number}: not UTF-8: {error.reason}") from error
    except (json.JSONDecodeError, RecursionError) as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise InputError(f"{file}: after element {number}: not a valid JSON list, or truncated: {what}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: damaged or truncated gzip data after element {number}: {error}") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
