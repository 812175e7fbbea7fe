"""What the store says of runs and arms, as rows for a table or for JSON."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.errors import InputError, allowed
from workbench.paths import RunPaths, RunsPaths
from workbench.records import SETTINGS
from workbench.reports.leakage import marked
from workbench.reports.tables import shown, spread, time_left
from workbench.reports.translated import TRANSLATED, translated_settings
from workbench.runs.directory import run_folders, status
from workbench.store.database import query
from workbench.store.rows import leaked, read_object

HASH = re.compile(r"-[0-9a-f]{6}$")
"""What the name of an arm ends in."""
HEADLINES = (
    ("monolingual", "map"),
    ("cross_lingual", "map"),
    ("multilingual", "map"),
    ("monolingual", "recall@1"),
    ("cross_lingual", "recall@1"),
    ("multilingual", "recall@10"),
    ("multilingual", "rank_distance"),
)
"""The figures by which arms are first compared: those of the published tables."""

Row = dict[str, Any]


def arm_figures(store: Path, arms: Sequence[str], measure: str = "map", task: str | None = None) -> list[Row]:
    """One row for each arm, task and headline figure: mean and standard deviation over seeds, number of runs.

    Before the headline figures stand those of `measure`, where they are stored. `task` = of this one alone.

    `leaked` says whether a run of the arm trained on texts of its tasks. Of the task there are the languages that
    the means leave out, the depth of the search, null where all ranks are known, and all its candidates as `pool`;
    `translated` says whether the mean is over cells with questions that a machine translated, too.
    """
    table = query(
        store,
        """
        select arm, task, task_id, setting, measure, mean, standard_deviation as sd, n, leaked,
            coalesce(try_cast(options -> 'leave_out' as varchar[]), []) as leave_out,
            try_cast(options ->> 'depth' as bigint) as depth,
            list_sum(map_values(try_cast(candidates as map(varchar, bigint))))::bigint as pool
        from arm_measures join tasks using (task, task_id)
        where list_contains($arms, arm) and ($task is null or task = $task)
        """,
        {"arms": list(arms), "task": task},
    )
    wanted = {one: place for place, one in enumerate(headlines(measure))}
    order = {arm: place for place, arm in enumerate(arms)}
    rows = [row for row in table.dicts() if (row["setting"], row["measure"]) in wanted]
    translated = translated_settings(store, {row["task_id"]: row["leave_out"] for row in rows})
    rows = [{**row, "translated": (row["task_id"], row["setting"]) in translated} for row in rows]
    return sorted(rows, key=lambda r: (r["task"], r["task_id"], order[r["arm"]], wanted[r["setting"], r["measure"]]))


def headlines(measure: str) -> list[tuple[str, str]]:
    """The figures that arms are shown by: those of a measure, then the usual ones."""
    return list(dict.fromkeys((*((setting, measure) for setting in SETTINGS), *HEADLINES)))


def arm_table(figures: Sequence[Row], measure: str = "map") -> list[Row]:
    """`arm_figures` with one row an arm and task, as it is printed: `mean ± sd`; the figures of `measure` first.

    Where a task was searched to a depth, that and the size of its pool stand beside it: others give other figures.
    """
    names = task_names(figures)
    rows: dict[tuple[str, str], Row] = {}
    for row in figures:
        place = row["arm"], row["task_id"]
        line = rows.setdefault(
            place,
            {
                "arm": marked(row["arm"], row["leaked"]),
                "task": names[row["task_id"]],
                "pool": row["pool"] if row["depth"] else None,
                "depth": row["depth"],
                "runs": row["n"],
            },
        )
        mark = TRANSLATED if row["translated"] else ""
        line[headline(row["setting"], row["measure"])] = spread(row["mean"], row["sd"]) + mark
    searched = ["pool", "depth"] if any(line["depth"] for line in rows.values()) else []
    measured = {(row["setting"], row["measure"]) for row in figures}
    shown_first = [one for one in headlines(measure) if one in measured or one in HEADLINES]
    columns = ["arm", "task", *searched, "runs", *(headline(*one) for one in shown_first)]
    return [{column: line.get(column) for column in columns} for line in rows.values()]


def task_names(figures: Sequence[Row]) -> dict[str, str]:
    """By task_id: the task's name, the languages left out of its means, and for unequal tasks a piece of the id."""
    names = {row["task_id"]: task_name(row["task"], row["leave_out"]) for row in figures}
    shared = list(names.values())
    return {key: name if shared.count(name) == 1 else f"{name} {key[:6]}" for key, name in names.items()}


def task_name(task: str, leave_out: Sequence[str]) -> str:
    return f"{task}, without {' '.join(leave_out)}" if leave_out else task


def headline(setting: str, measure: str) -> str:
    short = {"monolingual": "mono", "cross_lingual": "cross", "multilingual": "multi"}[setting]
    return "rank distance" if measure == "rank_distance" else f"{short} {measure.replace('recall', 'R')}"


def differences(figures: Sequence[Row], base: str) -> list[Row]:
    """Each other arm's figures minus those of the arm `base`, on the same task_id.

    Unequal tasks are never compared, and a figure that one of the two lacks has no difference.
    """
    known = [row for row in figures if row["mean"] is not None and math.isfinite(row["mean"])]
    means = {(r["task_id"], r["setting"], r["measure"]): r["mean"] for r in known if r["arm"] == base}
    return [
        {**row, "mean": row["mean"] - means[place], "sd": None}
        for row in known
        if row["arm"] != base and (place := (row["task_id"], row["setting"], row["measure"])) in means
    ]


def arms_of_runs(store: Path, run_ids: Sequence[str]) -> list[str]:
    """The arms of some runs, in the order of the runs."""
    table = query(store, "select run_id, arm from runs where list_contains($runs, run_id)", {"runs": list(run_ids)})
    arm_of = dict(table.rows)
    return list(dict.fromkeys(arm_of[run_id] for run_id in run_ids if run_id in arm_of))


def resolve_arm(store: Path, text: str) -> str:
    """The arm that `text` means: its name with or without the hash, an unambiguous beginning of it, or any of its runs.

    Raises
    ------
    InputError
        None is meant, or several.
    """
    known = query(store, "select run_id, arm from runs where state = 'finished'").rows
    arms = sorted({arm for _, arm in known})
    if text in arms:
        return text
    meant = (
        {arm for arm in arms if HASH.sub("", arm) == text}
        or {arm for arm in arms if arm.startswith(text)}
        or {arm for run_id, arm in known if text in run_id}
    )
    if len(meant) == 1:
        return meant.pop()
    if meant:
        raise InputError(f"arm {text!r}: several are meant: {', '.join(sorted(meant))}")
    raise InputError(f"arm {text!r}: no finished run of it in {store}; {allowed(text, arms)}")


def run_matrix(store: Path, run_id: str, measure: str) -> dict[str, list[Row]]:
    """By task: one row a query language, one column a pool language, `*` the multilingual pool.

    Raises
    ------
    InputError
        The run has no such measure.
    """
    table = query(
        store,
        """
        select task, query_language, pool_language, measure, value
        from cell_measures where run_id = $run order by task, query_language, pool_language
        """,
        {"run": run_id},
    )
    measures = sorted({row[3] for row in table.rows})
    if table.rows and measure not in measures:
        raise InputError(f"measure {measure!r}: {allowed(measure, measures)}")
    found: dict[str, dict[str, Row]] = {}
    for task, query_language, pool_language, name, value in table.rows:
        if name == measure:
            found.setdefault(task, {}).setdefault(query_language, {})[pool_language] = value
    return {task: as_rows(cells) for task, cells in found.items()}


def as_rows(cells: dict[str, Row]) -> list[Row]:
    pools = sorted({pool for row in cells.values() for pool in row}, key=lambda pool: (pool == "*", pool))
    return [{"query": language, **{pool: row.get(pool) for pool in pools}} for language, row in cells.items()]


def run_listing(runs: RunsPaths, store: Path | None, limit: int | None = None) -> list[Row]:
    """The runs of the runs directory and of the store, newest first, at most `limit`.

    Where a run has figures, `map` holds the macro mean of each setting by task; of a run of one task they stand
    beside the rest too, as `monolingual_map` and so on. Figures of several tasks are never averaged. `leave_out` has
    by task the languages that its means leave out, `translated` the settings whose means are over cells with questions
    that a machine translated, too. `leaked` is true of a run that trained on texts of its tasks, and
    null where nobody looked.
    """
    stored = stored_runs(store)
    folders = {run.run_id: run for run in run_folders(runs)}
    chosen = sorted(stored.keys() | folders.keys(), reverse=True)[:limit]
    rows = {
        name: {**asdict(status(folders[name])), "leaked": leaked_by(folders[name], stored.get(name))}
        if name in folders
        else stored[name]
        for name in chosen
    }
    if store is not None and stored:
        add_figures(rows, store)
    return list(rows.values())


def leaked_by(run: RunPaths, stored: Row | None) -> bool | None:
    """Whether a run trained on texts of its tasks: as the store says, else as its directory does."""
    if stored is not None and stored["leaked"] is not None:
        return bool(stored["leaked"])
    try:
        return leaked(read_object(run.environment))
    except InputError:
        return None


def stored_runs(store: Path | None) -> dict[str, Row]:
    """What the store knows of its runs, with the fields of `RunStatus`."""
    if store is None or not store.exists():
        return {}
    table = query(
        store,
        """
        select run_id, state, experiment, arm, sampling, alpha, seed, model, device, host, steps, message,
               ended::varchar as updated, leaked
        from runs
        """,
    )
    return {row["run_id"]: {"step": None, "loss": None, "eta_s": None, **row} for row in table.dicts()}


def add_figures(rows: Mapping[str, Row], store: Path) -> None:
    table = query(
        store,
        """
        select run_id, task, setting, value, coalesce(try_cast(options -> 'leave_out' as varchar[]), []), task_id
        from setting_measures join tasks using (task, task_id)
        where measure = 'map' and list_contains($runs, run_id) order by all
        """,
        {"runs": list(rows)},
    )
    translated = translated_settings(store, {row[5]: row[4] for row in table.rows})
    for run_id, task, setting, value, leave_out, task_id in table.rows:
        rows[run_id].setdefault("map", {}).setdefault(task, {})[setting] = value
        rows[run_id].setdefault("leave_out", {})[task] = leave_out
        settings = rows[run_id].setdefault("translated", {}).setdefault(task, [])
        settings += [setting] if (task_id, setting) in translated else []
    for row in rows.values():
        if len(row.get("map", {})) == 1:
            (figures,) = row["map"].values()
            row |= {f"{setting}_map": value for setting, value in figures.items()}


def listed_map(row: Row, setting: str) -> Any:
    """A run's figure, where it was measured on one task, with a mark where machine-translated questions are in it."""
    value = row.get(f"{setting}_map")
    is_marked = value is not None and any(setting in settings for settings in row["translated"].values())
    return f"{shown(value)}{TRANSLATED}" if is_marked else value


def listing_table(rows: Sequence[Row]) -> list[Row]:
    """`run_listing` as it is printed: what a reader looks for first stands first, empty columns are left out."""
    lines = [
        {
            "run": marked(row["run_id"], row["leaked"]),
            "state": row["state"],
            "step": f"{row['step']}/{row['steps']}" if row["step"] else None,
            "ETA": time_left(row["eta_s"]),
            "task": "; ".join(task_name(*of) for of in row.get("leave_out", {}).items()),
            **{headline(setting, "map"): listed_map(row, setting) for setting in SETTINGS},
            "loss": row["loss"],
            "experiment": row["experiment"],
            "message": row["message"],
        }
        for row in rows
    ]
    filled = {name for line in lines for name, value in line.items() if value not in (None, "")}
    return [{name: value for name, value in line.items() if name in filled} for line in lines]
