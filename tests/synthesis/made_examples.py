"""Sets that hold synthetic pairs beside human ones, and a program that stands in for a translator."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.data.examples import make_pairs, parallel_pairs
from workbench.data.pairs import ParallelPairs

PROGRAM = """
import sys, time
lines = sys.stdin.read().splitlines()
with open(sys.argv[2], "a") as asked:
    asked.write("".join(line + "\\n" for line in lines))
time.sleep(float(sys.argv[3]))
print("".join(f"{sys.argv[1]} {line}\\n" for line in lines), end="")
"""
"""Puts the target language in front of a line; notes what it is asked; takes its time."""


def write_program(folder: Path, seconds: float = 0.0) -> str:
    """The command of a translator that writes what it is asked into `asked.txt`."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    return f"{sys.executable} {program} {{target}} {folder / 'asked.txt'} {seconds}"


def asked(folder: Path) -> list[str]:
    """The lines that the program was asked for."""
    file = folder / "asked.txt"
    return file.read_text().splitlines() if file.exists() else []


Cell = tuple[str, str, str | None]
"""pair_id, language, maker."""


def contents(pairs: ParallelPairs) -> Mapping[Cell, tuple[Any, ...]]:
    """Query, passage and hard negative of each pair in each language, whatever the texts' order."""
    parts = (pairs.queries, pairs.passages, pairs.negatives)
    return {
        (pairs.pair_ids[row], pairs.languages[column], pairs.makers[column]): tuple(
            pairs.texts[part[row, column]] if part[row, column] >= 0 else None for part in parts
        )
        for row, column in np.argwhere(pairs.has).tolist()
    }


def with_two_makers(count: int = 4) -> ParallelPairs:
    """Human pairs in German and English; Arabic and German by a machine, the German ones with a query alone."""
    pairs = make_pairs(count, ("de", "en", "ar", "de"))
    passages = pairs.passages.copy()
    passages[:, 3] = -1
    return replace(pairs, passages=passages, made_by=(None, None, "machine", "other"))


@st.composite
def partly_made(draw: st.DrawFn) -> ParallelPairs:
    """Sets with gaps, repeated texts and hard negatives, of which some languages are synthetic, some of these `mul`."""
    pairs = draw(parallel_pairs())
    columns = len(pairs.languages)
    human = draw(st.integers(0, columns))
    languages = list(pairs.languages)
    if human < columns and draw(st.booleans()):
        languages[-1] = "mul"
    if human and human < columns and draw(st.booleans()):
        languages[human] = languages[0]  # in both, human and synthetic
    languages = languages[:human] + sorted(languages[human:])
    makers = [f"maker {draw(st.integers(0, 1))}" for _ in range(columns - human)]
    queries, passages = pairs.queries.copy(), pairs.passages.copy()
    random = np.random.default_rng(draw(st.integers(0, 99)))
    for column in range(human, columns):
        side = random.integers(3, size=len(queries))
        queries[side == 1, column] = -1
        passages[side == 2, column] = -1
    negatives = np.where((queries >= 0) | (passages >= 0), pairs.negatives, np.int32(-1))
    made_by = (*[None] * human, *makers) if makers else ()
    return replace(
        pairs, languages=tuple(languages), queries=queries, passages=passages, negatives=negatives, made_by=made_by
    )
