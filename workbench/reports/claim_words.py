"""What is known of one claim, in words: its verdict, the evidence, what is published, what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from workbench.reports.claims import FOOTNOTE, LEVEL, ended_in_words, joined, qualified, sides_of
from workbench.reports.overview import Row
from workbench.reports.tables import beside, figure, p_value

MEANINGS = {
    "supported": "the results agree, beyond chance",
    "contradicted": "the results say the contrary, beyond chance",
    "not distinguishable": "chance alone could have made the differences, either way",
    "not testable yet": "the results that it takes are not there",
}
"""By verdict."""


def claim_in_words(row: Row) -> str:
    """A row of `claim_rows` as a page to read."""
    return "\n\n".join(filter(None, ("\n".join(part) for part in parts(row))))


def parts(row: Row) -> Iterator[list[str]]:
    yield [f"{row['text']} ({row['source']})"]
    yield list(verdict_lines(row))
    for one in row["evidence"]:
        yield list(evidence_lines(one))
    if row["published"]:
        yield list(published_lines(row))
    if row["missing"] or row["unplanned"]:
        yield ["What is missing", *(f"  {text}" for text in (*joined(row["missing"]), *row["unplanned"]))]
    yield ended_in_words(row["ended_arms"])


def verdict_lines(row: Row) -> Iterator[str]:
    where = ", ".join(filter(None, (row["task"], row["model"])))
    yield f"{qualified(row)}{f' on {where}' if where else ''}: {MEANINGS[row['verdict']]}"
    if row["arms"] and not row["evidence"]:
        yield f"of the arms that it takes there are {', '.join(row['arms'])}"
    if row["p"] is not None:
        of = " of the contrary" if row["verdict"] == "contradicted" else ""
        could = f"; it could have found a difference of {figure(row['detectable'])}" if row["detectable"] else ""
        p = f"p{of} {p_value(row['p'])}, corrected over all claims"
        yield f"{p}; seeds of the arm with fewest: {row['seeds']}{could}"
    if row["seeds"] == 1:
        yield FOOTNOTE
    if row["reason"]:
        yield row["reason"]


def evidence_lines(one: Row) -> Iterator[str]:
    yield one["says"]
    times = f"  (times {one['ratio']:g})" if one["ratio"] != 1 else ""
    first, second = sides_of(one, {})
    # names of any length stand behind
    yield f"  {figure(one['first_value']):>8}  {first}"
    yield f"  {figure(one['second_value']):>8}  {second}{times}"
    interval, written = "", partial(beside, one["first_value"])
    if one["low"] is not None and one["high"] is not None:
        interval = f", {LEVEL:.0%} interval {written(one['low'])} to {written(one['high'])}"
    yield f"  difference {written(one['difference'])}{interval}, limit {written(one['limit'])}"
    of = f" of {' '.join(one['languages'])}" if one["languages"] else ""
    yield f"  p {p_value(one['p'])}, of the contrary {p_value(one['p_contrary'])}; {one['cells']} cells{of}"


def published_lines(row: Row) -> Iterator[str]:
    """Figures of one seed, without a test: marked as what they are."""
    yield "What is published (one seed, no test)"
    said = ""
    for one in row["published"]:
        if one["says"] != said:
            said = one["says"]
            yield f"  {said}"
        holds = "holds" if one["holds"] else "does not hold"
        values = f"{figure(one['first_value']):>7}  {figure(one['second_value']):>7}"
        yield f"    {one['model']:<8} {one['task']:<10} {values}  {holds}"
