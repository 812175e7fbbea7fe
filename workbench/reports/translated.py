"""Cells with questions that a machine translated, and how tables mark them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from workbench.records import ALL_POOLS
from workbench.reports.tables import shown
from workbench.store.database import query

Row = dict[str, Any]
Cell = tuple[str, str]
"""(query language, pool language), `*` the pool of all languages."""
TRANSLATED = "‡"
TRANSLATED_FOOTNOTE = f"{TRANSLATED} some or all questions were translated into the query language by machine"


def translators_of_run(store: Path, run_id: str) -> dict[str, dict[str, str]]:
    """By task and cell, `de>sw`, who translated its questions; empty where nobody did."""
    table = query(
        store,
        """
        select distinct task, options ->> '$.notes.translated'
        from tasks semi join (select distinct task, task_id from cell_measures where run_id = ?) using (task, task_id)
        where json_type(options, '$.notes.translated') = 'VARCHAR'
        """,
        [run_id],
    )
    return {task: json.loads(cells) for task, cells in table.rows}


def machine_translated(translators: Mapping[str, str]) -> frozenset[Cell]:
    """The cells with questions that a machine translated."""
    cells = [cell.split(">") for cell, names in translators.items() if names != "human"]
    return frozenset((cell[0], pool) for cell in cells for pool in (cell[-1], ALL_POOLS))


def translated_cells(store: Path, task_ids: Iterable[str]) -> dict[str, frozenset[Cell]]:
    """By task_id the cells with questions that a machine translated, languages in `leave_out` among them."""
    table = query(
        store,
        """
        select task_id, any_value(options ->> '$.notes.translated') from tasks
        where list_contains($task_ids, task_id) and json_type(options, '$.notes.translated') = 'VARCHAR'
        group by task_id
        """,
        {"task_ids": sorted(set(task_ids))},
    )
    return {task_id: machine_translated(json.loads(cells)) for task_id, cells in table.rows}


def translated_settings(store: Path, leave_out: Mapping[str, Sequence[str]]) -> set[tuple[str, str]]:
    """The (task_id, setting) whose means are over such cells too.

    Parameters
    ----------
    leave_out
        By task_id the languages whose cells do not count in its means.
    """
    found = set()
    for task_id, cells in translated_cells(store, leave_out).items():
        for language, pool in cells:
            if not {language, pool} & set(leave_out[task_id]):
                setting = "monolingual" if language == pool else "cross_lingual"
                found.add((task_id, "multilingual" if pool == ALL_POOLS else setting))
    return found


def with_marks(rows: Sequence[Row], cells: Set[Cell]) -> list[Row]:
    """The table of language pairs with a mark on the values of these cells."""
    return [
        {
            pool: f"{shown(value)}{TRANSLATED}" if value is not None and (row["query"], pool) in cells else value
            for pool, value in row.items()
        }
        for row in rows
    ]


def print_translated(rows: Iterable[Mapping[str, Any]]) -> None:
    """What the mark says, where one of the rows has it."""
    if any(row.get("translated") for row in rows):
        print(TRANSLATED_FOOTNOTE)
