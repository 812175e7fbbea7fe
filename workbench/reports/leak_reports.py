"""What the leakage checks of the stored runs found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.reports.overview import Row
from workbench.store.database import query


def leak_reports(store: Path) -> list[Row]:
    """One row a stored run that trained, newest first: how many evaluation texts and pairs, and what became of them.

    `outcome` is `none found`, `left out`, `trained on` (the run is marked), `not looked up` (no language in common)
    or `not checked`.
    """
    if not store.exists():
        return []
    table = query(
        store,
        """
        select run_id, experiment, arm, leaked, (environment -> 'leakage') is not null as checked,
            try_cast((environment -> 'leakage') ->> 'hits' as bigint) as hits,
            try_cast((environment -> 'leakage') ->> 'pairs' as bigint) as pairs,
            (environment -> 'leakage') ->> 'on_leak' as on_leak
        from runs where sampling is not null order by run_id desc
        """,
    )
    columns = ("run_id", "experiment", "arm", "outcome", "hits", "pairs", "on_leak")
    rows = [{**row, "outcome": outcome(row)} for row in table.dicts()]
    return [{name: row[name] for name in columns} for row in rows]


def outcome(row: Mapping[str, Any]) -> str:
    """What became of a run's leaks, in a word or two."""
    if row["leaked"]:
        return "trained on"
    if row["leaked"] is None:
        return "not looked up" if row["checked"] else "not checked"
    return "left out" if row["hits"] else "none found"


def leaks_of(store: Path, run_id: str) -> list[Row]:
    """One row for each task, training set, language and kind of text of a run's check that had hits."""
    table = query(
        store,
        """
        select task, training_set, language, kind, texts, hits, exact, pairs, dropped
        from leakage where run_id = $run_id order by all
        """,
        {"run_id": run_id},
    )
    return table.dicts()
