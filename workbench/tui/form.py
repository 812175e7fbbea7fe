"""A config as the rows of a form, derived from the records: keys with their types, defaults, limits and docs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import Field, dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml

from workbench.config import StrictLoader
from workbench.config_keys import plain_default, type_name
from workbench.data.catalog import KNOWN_SETS
from workbench.records import Plain, Settings, hints_of
from workbench.tui.yaml_edit import MISSING, Path, inline, value_at

Kind = Literal["value", "group", "optional", "names", "named", "sweep"]
"""A key with a value; keys below a key; the same where they can be left out as a whole; names that the user gives;
one of these; a swept key."""

FIRST = ("name", "model", "train", "evaluate")
"""Keys that the form begins with, in the order of the work."""


@dataclass(frozen=True)
class Entry:
    """One row of the form."""

    path: Path
    kind: Kind
    doc: str
    type: str = ""
    """As a user writes it: `whole number`, `mean | cls`."""
    default: str = ""
    """`needed` where there is none."""
    limits: str = ""
    """`1 or more`; empty where any value of the type will do."""
    choices: tuple[str, ...] = ()
    """All that is allowed, or what is known of it."""
    value: Any = MISSING
    """What the config says."""
    of: Any = None
    """The type of the value."""

    @property
    def key(self) -> str:
        return ".".join(self.path)

    @property
    def label(self) -> str:
        return self.path[-1]

    @property
    def is_given(self) -> bool:
        return self.value is not MISSING

    @property
    def is_value(self) -> bool:
        return self.kind in ("value", "sweep")

    def shown(self) -> str:
        """The value as the row has it."""
        if self.kind == "optional":
            return "" if self.is_on else "none"
        if self.kind == "names":
            return "" if self.value else "none yet"
        if not self.is_value:
            return ""
        return as_text(self.value) if self.is_given else self.default

    @property
    def is_on(self) -> bool:
        """Whether keys that can be left out as a whole are there."""
        return isinstance(self.value, dict)

    def about(self) -> str:
        """What may be written here, in one line."""
        default = f"default {self.default}" if self.default not in ("", "needed") else self.default
        return " · ".join(part for part in (self.type, self.limits, default) if part)


def as_text(value: Any) -> str:
    """A value as it is typed in."""
    if isinstance(value, list):
        return ", ".join(map(as_text, value))
    if isinstance(value, str):
        # blanks at an end would not be seen, and quotes are taken away when it is read
        return inline(value) if value != value.strip() or not value or value[0] in "\"'" else value
    return inline(value)


def entries(content: Plain) -> list[Entry]:
    """The rows for what a config says, swept keys last."""
    rows = sorted(
        entries_of(Settings, content, ()), key=lambda row: FIRST.index(row.path[0]) if row.path[0] in FIRST else 9
    )
    sweep = content.get("sweep")
    if isinstance(sweep, dict):
        by_key = {row.key: row for row in rows}
        rows.append(Entry(("sweep",), "names", "keys with the values that they take in turn", value=sweep))
        for key, values in sweep.items():
            of = by_key.get(str(key))
            item: Any = of.of if of and of.is_value else Any
            doc = of.doc if of else "a key of the config, dotted"
            rows.append(
                Entry(
                    ("sweep", str(key)),
                    "sweep",
                    doc,
                    f"list of {of.type}" if of else "list",
                    choices=of.choices if of else (),
                    value=values,
                    of=tuple[item, ...],
                )
            )
    return rows


def entries_of(record: type, content: Any, prefix: Path) -> Iterator[Entry]:
    hints = hints_of(record)
    for entry in fields(record):
        path, kind = (*prefix, entry.name), hints[entry.name]
        value = value_at(content, (entry.name,))
        yield from rows_of(path, kind, entry, value)


def rows_of(path: Path, kind: Any, entry: Field[Any], value: Any) -> Iterator[Entry]:
    doc = entry.metadata["doc"]
    below = next((part for part in (kind, *get_args(kind)) if is_dataclass(part)), None)
    if below is None:
        yield value_entry(path, kind, entry, value)
    elif kind is below:
        yield Entry(path, "group", doc, value=value)
        yield from entries_of(below, value, path)
    elif get_origin(kind) in (UnionType, Union):
        row = Entry(path, "optional", doc, value=value)
        yield row
        if row.is_on:
            yield from entries_of(below, value, path)  # type: ignore[arg-type]
    else:
        known = tuple(sorted({one.name for one in KNOWN_SETS if (one.kind == "task") == (path[0] == "evaluate")}))
        yield Entry(path, "names", doc, choices=known, value=value)
        for name, part in value.items() if isinstance(value, dict) else ():
            yield Entry((*path, str(name)), "named", "", value=part)
            yield from entries_of(below, part, (*path, str(name)))  # type: ignore[arg-type]


def value_entry(path: Path, kind: Any, entry: Field[Any], value: Any) -> Entry:
    if entry.default_factory is not NO_DEFAULT:
        default = "none"
    else:
        default = "needed" if entry.default is NO_DEFAULT else plain_default(entry.default) or "none"
    return Entry(
        path,
        "value",
        entry.metadata["doc"],
        mapping_name(kind) or type_name(kind).replace("<class 'bool'>", "true | false"),
        default,
        in_words(entry.metadata["limits"]),
        choices_of(kind),
        value,
        kind,
    )


def mapping_name(kind: Any) -> str:
    """Of keys that the user names and that have plain values: `{en: 0.5}`."""
    origin = get_origin(kind)
    is_mapping = isinstance(origin, type) and issubclass(origin, Mapping)
    return f"{{name: {type_name(get_args(kind)[1])}}}" if is_mapping else ""


def choices_of(kind: Any) -> tuple[str, ...]:
    """The values of a type that has only a few."""
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    if kind is bool:
        return ("true", "false")
    if get_origin(kind) in (UnionType, Union):
        return next((found for arg in get_args(kind) if (found := choices_of(arg))), ())
    return ()


def in_words(limits: Mapping[str, Any]) -> str:
    """`1 or more`, `0 to 1`, `above 0, below 1`."""
    words = {"ge": "{} or more", "gt": "above {}", "le": "{} or less", "lt": "below {}"}
    if "ge" in limits and "le" in limits:
        return f"{limits['ge']} to {limits['le']}"
    found = [text.format(limits[name]) for name, text in words.items() if name in limits and limits[name] != 2**31]
    return ", ".join(found)


def inner(kind: Any) -> Any:
    """A type without `none`."""
    if get_origin(kind) in (UnionType, Union):
        return next(arg for arg in get_args(kind) if arg is not NoneType)
    return kind


def typed(text: str, kind: Any) -> Any:
    """What was typed in, as the config has it; what is no such value stays text, and the check of the config says so.

    Empty is MISSING: the default. Items of a list stand between commas; quotes keep a text as it is, blanks and all.
    """
    kind = inner(kind)
    if not text.strip():
        return MISSING
    if get_origin(kind) is tuple:
        parts = from_yaml(text) if text.lstrip().startswith("[") else None
        if isinstance(parts, list):
            return parts
        item = get_args(kind)[0]
        return [typed(part, item) for part in text.split(",") if part.strip()]
    if kind is str or get_origin(kind) is Literal:
        quoted = re.fullmatch(r"\s*([\"']).*\1\s*", text, re.DOTALL)
        return from_yaml(text) if quoted else text.strip()
    if kind in (int, float):
        return as_number(text.strip(), kind)
    return from_yaml(text)


def as_number(text: str, kind: type) -> Any:
    for read in (int, float) if kind is float else (int,):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def from_yaml(text: str) -> Any:
    """A value as YAML has it, or the text itself."""
    try:
        found = yaml.load(text, StrictLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return text
    return found if isinstance(found, (dict, list, str, int, float, bool, NoneType)) else text


def placed(lines: Sequence[str], source: str, rows: Sequence[Entry]) -> tuple[dict[str, str], list[str]]:
    """What is wrong, by the key of the row that it belongs to; and what belongs to none.

    A swept key's problem stands with its values.
    """
    keys = {row.key for row in rows}
    swept = {row.label for row in rows if row.kind == "sweep"}
    by_key: dict[str, str] = {}
    others = []
    for line in lines:
        words = line.removeprefix(f"{source}: ")
        key, rest = split_key(words, keys | swept)
        if not key:
            others.append(words)
            continue
        place = f"sweep.{key}" if key in swept else key
        by_key.setdefault(place, rest)
    return by_key, others


def split_key(words: str, keys: set[str]) -> tuple[str, str]:
    """The longest key that the words begin with, and what follows it."""
    name = re.match(r"[\w.-]+", words)
    found = name[0].rstrip(".") if name else ""
    while found and found not in keys:
        found = found.rpartition(".")[0]
    return found, words[len(found) :].lstrip(":. ") if found else words


def brief(content: Any, record: type = Settings) -> Any:
    """A config without what is default anyway, as a person would have written it."""
    if not isinstance(content, dict):
        return content
    hints, kept = hints_of(record), {}
    for entry in fields(record):
        value = value_at(content, (entry.name,))
        if value is MISSING:
            continue
        kind = hints[entry.name]
        below: Any = next((part for part in (kind, *get_args(kind)) if is_dataclass(part)), None)
        if below is kind:
            value = brief(value, below) or MISSING
        elif below is not None and get_origin(kind) in (UnionType, Union):
            value = MISSING if value is None else brief(value, below)
        elif below is not None and isinstance(value, dict):
            value = {name: brief(part, below) for name, part in value.items()}
        if value is not MISSING and not is_default(entry, value):
            kept[entry.name] = value
    return kept | {name: value for name, value in content.items() if name not in hints}


def is_default(entry: Field[Any], value: Any) -> bool:
    if entry.default_factory is not NO_DEFAULT:
        return bool(value == {})
    default = list(entry.default) if isinstance(entry.default, tuple) else entry.default
    return bool(default == value)
