"""Training curves of arms, thinned to what a plot can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.store.database import query

POINTS = 60
"""Of a curve; the steps between two of them are averaged."""
QUANTITIES = {"loss": "training loss", "validation_loss": "validation loss", "pairs_per_second": "pairs per second"}
"""By column of `training_steps` what it is."""


@dataclass(frozen=True)
class Curve:
    """One quantity over one run."""

    arm: str
    run_id: str
    quantity: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


def curves_of(store: Path, runs: Mapping[str, Sequence[str]]) -> tuple[Curve, ...]:
    """The curves of the runs of each arm, by quantity; those that a run has no value of are left out."""
    found = []
    for quantity in QUANTITIES:
        table = query(
            store,
            f"""
            with known as (
                select run_id, step, {quantity} as value, max(step) over (partition by run_id) as last
                from training_steps where list_contains($runs, run_id) and isfinite({quantity})
            )
            select run_id, avg(step), avg(value) from known
            group by run_id, ceil(step * $points / last) order by all
            """,
            {"runs": [run_id for of_arm in runs.values() for run_id in of_arm], "points": POINTS},
        )
        for arm, of_arm in runs.items():
            for run_id in of_arm:
                points = [(step, value) for name, step, value in table.rows if name == run_id]
                if points:
                    steps, values = zip(*points, strict=True)
                    found.append(Curve(arm, run_id, quantity, steps, values))
    return tuple(found)
