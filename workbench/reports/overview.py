"""What the store says of runs and arms, as rows for a table or for JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.errors import InputError, allowed
from workbench.paths import RunsPaths
from workbench.reports.tables import duration, spread
from workbench.runs.directory import list_runs
from workbench.store.database import query

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


def arm_figures(store: Path, arms: Sequence[str]) -> list[Row]:
    """One row for each arm, task and headline figure: mean and standard deviation over seeds, number of runs."""
    table = query(
        store,
        """
        select arm, task, task_id, setting, measure, mean, standard_deviation as sd, n
        from arm_measures
        where list_contains($arms, arm)
        """,
        {"arms": list(arms)},
    )
    wanted = {headline: place for place, headline in enumerate(HEADLINES)}
    order = {arm: place for place, arm in enumerate(arms)}
    rows = [row for row in table.dicts() if (row["setting"], row["measure"]) in wanted]
    return sorted(rows, key=lambda r: (r["task"], r["task_id"], order[r["arm"]], wanted[r["setting"], r["measure"]]))


def arm_table(figures: Sequence[Row]) -> list[Row]:
    """`arm_figures` with one row an arm and task, as it is printed: `mean ± sd`."""
    rows: dict[tuple[str, str], Row] = {}
    for row in figures:
        line = rows.setdefault((row["arm"], row["task_id"]), {"arm": row["arm"], "task": row["task"], "runs": row["n"]})
        line[headline(row["setting"], row["measure"])] = spread(row["mean"], row["sd"])
    columns = ["arm", "task", "runs", *(headline(*h) for h in HEADLINES)]
    return [{column: line.get(column) for column in columns} for line in rows.values()]


def headline(setting: str, measure: str) -> str:
    short = {"monolingual": "mono", "cross_lingual": "cross", "multilingual": "multi"}[setting]
    return "rank distance" if measure == "rank_distance" else f"{short} {measure.replace('recall', 'R')}"


def differences(figures: Sequence[Row]) -> list[Row]:
    """Each arm's figures minus those of the first arm, on the same task; unequal tasks are never compared."""
    if not figures:
        return []
    first = figures[0]["arm"]
    base = {(r["task_id"], r["setting"], r["measure"]): r["mean"] for r in figures if r["arm"] == first}
    return [
        {**row, "mean": row["mean"] - base[place], "sd": None}
        for row in figures
        if row["arm"] != first and (place := (row["task_id"], row["setting"], row["measure"])) in base
    ]


def arms_of_runs(store: Path, run_ids: Sequence[str]) -> list[str]:
    """The arms of some runs, in the order of the runs."""
    table = query(store, "select run_id, arm from runs where list_contains($runs, run_id)", {"runs": list(run_ids)})
    arm_of = dict(table.rows)
    return list(dict.fromkeys(arm_of[run_id] for run_id in run_ids if run_id in arm_of))


def resolve_arm(store: Path, text: str) -> str:
    """The arm that `text` means: its name, an unambiguous beginning of it, or any of its runs.

    Raises
    ------
    InputError
        None is meant, or several.
    """
    known = query(store, "select run_id, arm from runs where state = 'finished'").rows
    arms = sorted({arm for _, arm in known})
    if text in arms:
        return text
    meant = {arm for arm in arms if arm.startswith(text)} or {arm for run_id, arm in known if text in run_id}
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


def run_listing(runs: RunsPaths, store: Path) -> list[Row]:
    """Every run of the runs directory and of the store, newest first, with its headline figures where it has any."""
    rows = {status.run_id: asdict(status) for status in list_runs(runs)}
    if store.exists():
        stored = query(
            store,
            """
            select run_id, state, experiment, arm, sampling, alpha, seed, model, device, host, steps, message,
                   ended::varchar as updated
            from runs
            """,
        )
        for row in stored.dicts():
            rows.setdefault(row["run_id"], {"step": None, "loss": None, "eta_s": None, **row})
        add_figures(rows, store)
    return sorted(rows.values(), key=lambda row: row["run_id"], reverse=True)


def add_figures(rows: dict[str, Row], store: Path) -> None:
    table = query(
        store,
        """
        select run_id, setting, avg(value) from setting_measures
        where measure = 'map' and list_contains($runs, run_id) group by all
        """,
        {"runs": list(rows)},
    )
    for run_id, setting, value in table.rows:
        rows[run_id][f"{setting}_map"] = value


def listing_table(rows: Sequence[Row]) -> list[Row]:
    """`run_listing` as it is printed."""
    return [
        {
            "run": row["run_id"],
            "state": row["state"],
            "experiment": row["experiment"],
            "seed": row["seed"],
            "step": f"{row['step']}/{row['steps']}" if row["step"] else None,
            "loss": row["loss"],
            "ETA": duration(row["eta_s"]),
            "mono map": row.get("monolingual_map"),
            "cross map": row.get("cross_lingual_map"),
            "multi map": row.get("multilingual_map"),
            "message": row["message"],
        }
        for row in rows
    ]
