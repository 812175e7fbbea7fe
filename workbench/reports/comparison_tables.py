"""Comparisons as they are printed: tables, and under them in plain words what they speak of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

from workbench.analysis.stored import Unit
from workbench.records import SETTINGS
from workbench.reports.comparisons import (
    arm_cells,
    cell_rows,
    check_measure,
    check_task,
    compared,
    measure_figures,
    unequal_tasks,
)
from workbench.reports.leakage import marked, print_footnote
from workbench.reports.output import note, print_figures
from workbench.reports.overview import Row, arm_figures, as_rows
from workbench.reports.published import published_beside
from workbench.reports.tables import beside, figure, p_value, print_table
from workbench.reports.translated import TRANSLATED, print_translated
from workbench.store.database import query

COLUMNS = (
    *("arm", "against", "source", "model", "sampling", "task", "task_id", "setting", "query_language", "measure"),
    *("mean", "sd", "n", "against_mean", "difference", "low", "high", "p", "detectable", "about", "seeds"),
    *("seed_deviation", "paired", "p_checkpoints", "p_tukey", "cells", "higher", "lower", "unit", "units", "draws"),
    *("leaked", "against_leaked", "leave_out", "depth", "pool", "translated", "differs"),
)
"""Of `compared_rows`."""


def compared_rows(
    store: Path, arms: Sequence[str], measure: str, task: str | None, unit: Unit, draws: int
) -> list[Row]:
    """The arms' figures, the differences of each two of them (`against`), what is published (`source`), in this order.

    All rows have the keys `COLUMNS`, null where they say nothing.
    """
    rows = figures_of(store, arms, measure, task)
    if len(arms) > 1:
        note_unequal(store, arms, task)
        of_task = {row["task_id"]: {name: row[name] for name in ("leave_out", "depth", "pool")} for row in rows}
        rows += [of_task[row["task_id"]] | row for row in compared(store, arms, measure, task, unit, draws)]
    rows += [{**row, "mean": row["value"]} for row in published_rows(store, arms, measure, task)]
    return [{name: row.get(name) for name in COLUMNS} for row in rows]


def figures_of(store: Path, arms: Sequence[str], measure: str, task: str | None) -> list[Row]:
    """The arms' headline figures and those of a measure, which is worked out where it is not stored.

    Raises
    ------
    InputError
        No query has a value of the measure, or the arms have no such task.
    """
    check_measure(measure)
    check_task(store, arms, task)
    rows = arm_figures(store, arms, measure, task)
    if any(row["measure"] == measure for row in rows):
        return rows
    rows += measure_figures(store, rows, measure)
    order = {place: number for number, place in enumerate(dict.fromkeys((r["task_id"], r["arm"]) for r in rows))}
    return sorted(rows, key=lambda r: (order[r["task_id"], r["arm"]], r["measure"] != measure))


def print_compared(store: Path, arms: Sequence[str], measure: str, task: str | None, unit: Unit, draws: int) -> None:
    """The arms' figures, and of two arms or more whether they differ."""
    print_figures(figures_of(store, arms, measure, task), arms, measure)
    if len(arms) > 1:
        note_unequal(store, arms, task)
        print()
        print_effects(compared(store, arms, measure, task, unit, draws))
    print_published(published_rows(store, arms, measure, task))


def published_rows(store: Path, arms: Sequence[str], measure: str, task: str | None) -> list[Row]:
    """What is published of the arms' tasks, or of one of them: each setting's mean over the query languages."""
    tasks = query(
        store,
        """
        select distinct task from arm_measures
        where list_contains($arms, arm) and ($task is null or task = $task) order by task
        """,
        {"arms": list(arms), "task": task},
    ).rows
    return [
        row
        for (name,) in tasks
        for setting in SETTINGS
        for row in published_beside(store, name, setting, measure, arms)
    ]


def print_published(rows: Sequence[Row]) -> None:
    """A line a model and sampling, its settings beside each other, then what differs from the arms."""
    for (task, measure), of_task in groupby(rows, lambda row: (row["task"], row["measure"])):
        lines: dict[tuple[str, ...], Row] = {}
        differs: dict[str, dict[str, None]] = {}
        for row in of_task:
            place = row["source"], row["model"], row["sampling"]
            line = lines.setdefault(place, dict(zip(("source", "model", "sampling"), place, strict=True)))
            line[row["setting"]] = row["value"]
            differs.setdefault(row["source"], {}).update(dict.fromkeys(row["differs"]))
        settings = [setting for setting in SETTINGS if any(setting in line for line in lines.values())]
        print()
        print_table(
            [{**line, **{setting: line.get(setting) for setting in settings}} for line in lines.values()],
            names=3,
            title=f"{measure} on {task} as published: not tested against, there are no seeds and no intervals",
        )
        for source, what in differs.items():
            print(f"what differs in {source}: {'; '.join(what)}")


def note_unequal(store: Path, arms: Sequence[str], task: str | None) -> None:
    """Say which tasks are not compared; where it is the one that was asked for, an error says so."""
    unequal = unequal_tasks(store, arms) if task is None else []
    if unequal:
        note(f"not compared, as the arms' tasks of that name are not equal (options or content): {', '.join(unequal)}")


def print_effects(rows: Sequence[Row]) -> None:
    """`compared` for reading: a table a task, then what its columns speak of."""
    several = any(row["p_tukey"] is not None for row in rows)
    for (task, measure), of_task in groupby(rows, lambda row: (row["task"], row["measure"])):
        print_table(
            [effect_line(row, several) for row in of_task],
            names=3,
            title=f"{measure} on {task}: is the difference real?",
        )
        print()
    print("\n".join(notes(rows, several)))
    note_leaks(rows)
    print_translated(rows)


def named(row: Row) -> dict[str, str]:
    """The two arms as tables show them."""
    return {"arm": marked(row["arm"], row["leaked"]), "against": marked(row["against"], row["against_leaked"])}


def note_leaks(rows: Sequence[Row]) -> None:
    """What the mark of an arm says, where one has it."""
    print_footnote([{"leaked": row["leaked"] or row.get("against_leaked")} for row in rows])


def effect_line(row: Row, several: bool) -> Row:
    written = partial(beside, row["mean"])
    tukey = {"p Tukey": p_value(row["p_tukey"])} if several else {}
    return {
        **named(row),
        "setting": row["setting"],
        "difference": written(row["difference"]) + (TRANSLATED if row["translated"] else ""),
        "95 % interval": f"{written(row['low'])} to {written(row['high'])}",
        "p": p_value(row["p"]),
        "detectable": written(row["detectable"]),
        "seeds": row["seeds"],
        "p checkpoints": p_value(row["p_checkpoints"]),
        **tukey,
        "cells": row["cells"],
        "higher": row["higher"],
        "lower": row["lower"],
    }


def notes(rows: Sequence[Row], several: bool) -> list[str]:
    """What the columns speak of."""
    unit, draws, abouts = rows[0]["unit"], rows[0]["draws"], {row["about"] for row in rows}
    what = "interval, p, detectable (the smallest difference that such data find, power .8)"
    lines = []
    if "samplings" in abouts:
        lines.append(f"{what}: of the samplings, as seeds and questions vary (drawn by {unit})")
    if abouts - {"samplings"}:
        where = "where seeds is 1, " if len(abouts) > 1 else ""
        lines.append(f"{where}{what}: questions only (drawn by {unit}), one seed: no claim about the samplings")
    lines.append(f"p checkpoints: paired randomisation test of the values averaged over seeds, {draws} draws:")
    lines.append("  it speaks for these checkpoints only")
    if several:
        lines.append("p Tukey: the same, corrected over all pairs of arms")
    lines.append("higher, lower: cells with a family-wise p below .05 over all cells of the comparison; see them by")
    lines.append("  `workbench pairs`")
    return lines


def pair_rows(store: Path, arms: Sequence[str], measure: str, task: str | None, unit: Unit, draws: int) -> list[Row]:
    """One row a cell: of one arm its figures, of several the differences of each two of them."""
    if len(arms) == 1:
        return [{"arm": arms[0], **row} for row in arm_cells(store, arms[0], measure, task)]
    return cell_rows(store, arms, measure, task, unit, draws)


def print_pairs(rows: Sequence[Row]) -> None:
    """A matrix for each task and arm, or pair of arms: query languages down, pool languages across."""
    names = ("task", "task_id", "arm", "against")
    for number, (place, block) in enumerate(groupby(rows, lambda row: tuple(row.get(name) for name in names))):
        of_place = list(block)
        first = of_place[0]
        against = place[-1]
        arms = [marked(first["arm"], first["leaked"])] if against is None else list(named(first).values())
        if number:
            print()
        print_table(
            as_rows(matrix(of_place, "mean" if against is None else "difference")),
            title=f"{first['task']}: {first['measure']}, {' minus '.join(arms)}; query language down, pool language "
            "across, * all pools together",
        )
    if any(row.get("against") for row in rows):
        print(
            "a figure with *: family-wise p below .05 over all cells of the comparison, by a randomisation test of the"
        )
        print("  values averaged over seeds: it speaks for these checkpoints only")
    note_leaks(rows)
    print_translated(rows)


def matrix(rows: Sequence[Row], value: str) -> dict[str, Row]:
    """By query language and pool language a figure with its marks."""
    cells: dict[str, Row] = {}
    for row in rows:
        marks = row.get("mark", "") + (TRANSLATED if row["translated"] else "")
        written = figure(row[value]) if value == "mean" else beside(row["mean"], row[value])
        cells.setdefault(row["query_language"], {})[row["pool_language"]] = written + marks
    return cells
