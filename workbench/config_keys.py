"""The keys of a config: strict models derived from the records, what is wrong in words, the reference.

A record in `records.py` is the one place where a key's type, default, limits and line of doc stand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from workbench.errors import InputError, allowed
from workbench.records import Plain, Settings, from_plain

T = TypeVar("T")


@cache
def model_of(record: type) -> type[BaseModel]:
    """The strict pydantic model of a record type: same keys, defaults, docs and limits; unknown keys refused."""
    hints = get_type_hints(record)
    definitions: dict[str, Any] = {}
    for entry in fields(record):
        doc, limits = entry.metadata["doc"], dict(entry.metadata["limits"])
        if entry.default is not MISSING:
            limits["default"] = entry.default
        elif entry.default_factory is not MISSING:
            factory = entry.default_factory
            limits["default_factory"] = model_of(factory) if is_dataclass(factory) else factory
        definitions[entry.name] = (in_models(hints[entry.name]), Field(description=doc, **limits))
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    return create_model(record.__name__, __config__=config, __doc__=record.__doc__, **definitions)


def in_models(kind: Any) -> Any:
    """A record's type with models in place of records."""
    origin, args = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return model_of(kind)  # type: ignore[arg-type]
    if origin in (UnionType, Union):
        return Union[tuple(in_models(arg) for arg in args)]  # noqa: UP007  (built from a tuple)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, in_models(args[1])]  # type: ignore[misc]
    if origin is tuple:
        return tuple[in_models(args[0]), ...]  # type: ignore[misc]
    return Annotated[kind, BeforeValidator(no_truth_value)] if kind in (int, float) else kind


def no_truth_value(value: Any) -> Any:
    """Python takes `true` for 1; a config does not."""
    if isinstance(value, bool):
        raise ValueError("a number is needed")
    return value


def as_record(record: type[T], plain: Plain, source: str) -> T:
    """What a user wrote as a record of some type; unknown keys, wrong types and values beyond limits are refused.

    Raises
    ------
    InputError
        A line for each thing that is wrong, with `source`, the key, the value and what is allowed.
    """
    try:
        model = model_of(cast(type, record)).model_validate(plain)
    except ValidationError as error:
        raise InputError("\n".join(f"{source}: {line}" for line in messages(error, record))) from error
    return cast(T, from_plain(record, model.model_dump()))


def messages(error: ValidationError, record: type) -> Iterator[str]:
    """One line for each thing that is wrong: key, value, what is allowed."""
    for problem in error.errors(include_url=False):
        where = [str(part) for part in problem["loc"]]
        key, value = ".".join(where), problem["input"]
        if problem["type"] == "extra_forbidden":
            yield f"{key}: unknown key; {allowed(where[-1], keys_at(where[:-1], record))}"
        elif problem["type"] == "missing":
            yield f"{key}: this key is needed"
        elif problem["type"] == "literal_error":
            options = [
                option.strip().strip("'") for option in problem["ctx"]["expected"].replace(" or ", ", ").split(",")
            ]
            yield f"{key}: {value!r} is not allowed; {allowed(value, options)}"
        elif problem["type"] == "string_pattern_mismatch":
            # labels alone have a pattern
            allowed_letters = "lower-case letters, digits, '.', '_' and '-', a letter or digit first"
            yield f"{key}: {value!r}: use at most 40 {allowed_letters}"
        elif problem["type"] == "tuple_type":
            yield f"{key}: {value!r}: give a list, such as [{value}]"
        else:
            words = problem["msg"].removeprefix("Value error, ")
            yield f"{key}: {value!r}: {words[0].lower()}{words[1:]}"


def keys_at(where: Sequence[str], record: type) -> list[str]:
    """The keys that may stand at a place in what is read as a `record`."""
    kind: Any = record
    for name in where:
        # a mapping's values, or the items of a list, whose type is written `tuple[item, ...]`
        inside = get_args(kind)[0 if get_origin(kind) is tuple else 1 :]
        kind = get_type_hints(kind).get(name) if is_dataclass(kind) else inside[0]
        kind = (
            next((arg for arg in get_args(kind) if is_dataclass(arg)), kind)
            if get_origin(kind) in (UnionType, Union)
            else kind
        )
    sweep = ["sweep"] if kind is Settings else []
    return [entry.name for entry in fields(kind)] + sweep if is_dataclass(kind) else []


def reference() -> list[Plain]:
    """Every key of a config in the order of the records: key, type, default, what it means."""
    return list(reference_of(Settings, ""))


def reference_of(record: type, prefix: str) -> Iterator[Plain]:
    hints = get_type_hints(record)
    for entry in fields(record):
        key, kind = prefix + entry.name, hints[entry.name]
        below = next((part for part in (kind, *get_args(kind)) if is_dataclass(part)), None)
        if below is not None:
            name = "<name>." if get_origin(kind) not in (UnionType, Union, None) else ""
            yield from reference_of(below, f"{key}.{name}")  # type: ignore[arg-type]
            continue
        given = entry.default if entry.default_factory is MISSING else entry.default_factory()
        default = "needed" if given is MISSING else plain_default(given)
        yield {"key": key, "type": type_name(kind), "default": default, "meaning": entry.metadata["doc"]}


def plain_default(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else ", ".join(value) if isinstance(value, tuple) else str(value)


def type_name(kind: Any) -> str:
    """A type as a user writes it: `mean | cls`, `list of text`."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " | ".join(str(arg) for arg in args)
    if origin in (UnionType, Union):
        return " | ".join(type_name(arg) for arg in args if arg is not NoneType)
    if origin is tuple:
        return f"list of {type_name(args[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"{type_name(args[1])} by name"
    return {str: "text", int: "whole number", float: "number", bool: "true | false"}[kind]
