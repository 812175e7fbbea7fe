"""What a user types to see some rows only: `sampling=hybrid model~e5 map>.5`, or words."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from workbench.errors import InputError

Row = Mapping[str, Any]
NAMED = 6
"""Columns that are named where there is none as typed."""
TERM = re.compile(r"([^<>=!~]+)(<=|>=|!=|=|~|<|>)(.*)", re.DOTALL)


def row_filter(expression: str, columns: Mapping[str, str]) -> Callable[[Row], bool]:
    """Whether a row has all that the terms ask for; `columns` are the keys of rows, with what stands above them.

    A term is a column, one of `= != ~ < <= > >=` and a value, or a word that any column has in it; `~` asks for a
    part of the text. Case makes no difference; a term with blanks goes in quotes. A comparison with a number is false
    where the row has none.

    Raises
    ------
    InputError
        There is no such column, or quotes are left open.
    """
    try:
        terms = shlex.split(expression)
    except ValueError as error:
        raise InputError(f"filter: {error}") from error
    tests = [term_filter(term, columns) for term in terms]
    return lambda row: all(test(row) for test in tests)


def term_filter(term: str, columns: Mapping[str, str]) -> Callable[[Row], bool]:
    found = TERM.fullmatch(term)
    if found is None:
        word = term.casefold()
        return lambda row: any(word in as_text(row.get(column)) for column in columns)
    name, operator, value = found[1].strip().casefold(), found[2], found[3].strip().casefold()
    by_name = {label.casefold(): key for key, label in columns.items()} | {key.casefold(): key for key in columns}
    column = by_name.get(name)
    if column is None:
        raise InputError(f"filter: no column {found[1]!r}; {hint(name, by_name, list(columns))}")
    if operator == "~":
        return lambda row: value in as_text(row.get(column))
    number = as_number(value)
    if number is None or operator in ("=", "!="):
        same = (operator == "=",)
        if operator not in ("=", "!="):
            raise InputError(f"filter: {term!r} compares with no number")
        return lambda row: (equals(row.get(column), value, number),) == same
    compare: dict[str, Callable[[float], bool]] = {
        "<": lambda have: have < number,
        "<=": lambda have: have <= number,
        ">": lambda have: have > number,
        ">=": lambda have: have >= number,
    }
    return lambda row: (have := as_number(row.get(column))) is not None and compare[operator](have)


def hint(name: str, known: Iterable[str], columns: Sequence[str]) -> str:
    """What may have been meant, else some of what there is: it has to fit in a line."""
    near = get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    more = len(columns) - NAMED
    return f"there are {', '.join(columns[:NAMED])}{f' and {more} more' if more > 0 else ''}"


def equals(have: Any, value: str, number: float | None) -> bool:
    of = as_number(have)
    return as_text(have) == value or (of is not None and of == number)


def as_text(value: Any) -> str:
    return "" if value is None else str(value).casefold()


def as_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
