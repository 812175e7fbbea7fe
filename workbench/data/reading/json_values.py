"""Values out of JSON files that others wrote, checked one at a time. Standard library only.

`where` is what a message starts with: the file, and the place in it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.errors import InputError

NAMES = {dict: "an object", list: "a list", str: "a string", int: "a whole number", bool: "true or false"}


def read_json(file: Path, kind: type = object) -> Any:
    """The content of a UTF-8 file, of that type.

    Raises
    ------
    InputError
        It cannot be read, is not JSON, or of another type.
    """
    try:
        value = json.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 at byte {error.start}: {error.reason}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: not valid JSON: {error}") from error
    if not isinstance(value, kind):
        raise InputError(f"{file} is {value!r:.60}; allowed: {NAMES[kind]}")
    return value


def member(parent: Any, key: str, kind: type, where: str) -> Any:
    """The value at `key`, of that type; a string is made of whole characters."""
    if not isinstance(parent, dict):
        raise InputError(f"{where} is {parent!r:.60}; allowed: an object with {key!r}")
    if key not in parent:
        raise InputError(f"{where}: {key!r} is missing; allowed: {NAMES[kind]}")
    value = parent[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{where}: {key!r} is {value!r:.60}; allowed: {NAMES[kind]}")
    if isinstance(value, str):
        check_characters(value, key, where)
    return value


def optional(parent: Any, key: str, kind: type, where: str) -> Any:
    """The same; None where the key is absent or null."""
    if isinstance(parent, dict) and parent.get(key) is None:
        return None
    return member(parent, key, kind, where)


def number(parent: Any, key: str, where: str, least: int = 1) -> int:
    """The whole number at `key`, at least `least`."""
    value: int = member(parent, key, int, where)
    if value < least:
        raise InputError(f"{where}: {key!r} is {value}; allowed: whole numbers from {least}")
    return value


def text(parent: Any, key: str, where: str) -> str:
    """The string at `key`, not blank."""
    value: str = member(parent, key, str, where)
    if not value.strip():
        raise InputError(f"{where}: {key!r} is blank")
    return value


def parts(parent: Any, key: str, where: str) -> Iterator[tuple[Any, str]]:
    """The members of the list at `key`, each with its place for messages."""
    return ((value, f"{where}: {key}[{n}]") for n, value in enumerate(member(parent, key, list, where)))


def check_characters(value: str, key: str, where: str) -> None:
    """JSON can escape half of a surrogate pair, which no tokenizer and no file takes."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: {key!r} holds half a character at {error.start}: {error.reason}") from error
