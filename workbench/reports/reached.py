"""How far a run is, as one figure that does not fall while it works: from its training through its evaluation."""

from collections.abc import Mapping
from typing import Any

from workbench.reports.live import extent

TRAINING = 0.8
"""What training is of a run that trains; evaluating is the rest."""
STAGES = {"encoding queries": (0.0, 0.1), "encoding passages": (0.1, 0.7), "reading passages": (0.1, 0.7)}
"""What stages of an evaluation are of it, from and to; the others, which come after them, are the rest."""
LAST_STAGES = (0.7, 1.0)
NOTHING_TO_TELL = ("finished", "damaged")
"""States that say themselves how far a run is, or of which nothing is known."""


def reached(row: Mapping[str, Any], moved: Mapping[str, Any] | None = None) -> float | None:
    """The part of a run that is done: of one that waits, was stopped or failed what it had reached; None = nothing yet.

    `row` has the fields of `RunStatus`; `moved` is its last event that says how far it is.
    """
    if row["state"] in NOTHING_TO_TELL:
        return None
    share = 0.0 if row["sampling"] is None else TRAINING
    step, steps = row["step"], row["steps"]
    trained = share * min(1.0, step / steps) if step and steps else 0.0
    if moved is not None and moved["kind"] == "progress" and moved["state"] == "evaluating" == row["state"]:
        return share + (1 - share) * evaluated(moved)
    if trained == 0.0 and row["state"] not in ("training", "evaluating"):
        return None
    return trained


def evaluated(moved: Mapping[str, Any]) -> float:
    """The part of an evaluation that is done."""
    done, total = extent(moved)
    begin, end = STAGES.get(str(moved.get("stage")), LAST_STAGES)
    return begin + (end - begin) * min(1.0, done / total)
