"""Verdicts on claims, for a program and for a person, next to what is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from workbench.analysis.claim_arms import in_words
from workbench.analysis.claims import Comparison, read_claims
from workbench.analysis.effects import LEVEL
from workbench.analysis.verdicts import Evidence, Finding, judge
from workbench.reports.arm_choices import short_names
from workbench.reports.overview import Row
from workbench.reports.published import published_comparisons
from workbench.reports.tables import beside, p_value, print_table, shown

ONE_SEED = "*"
FOOTNOTE = f"{ONE_SEED} questions only, one seed: nothing is said of samplings"
PUBLISHED = "published: how many of the printed figures that it compares are as it says; they have one seed and no test"
OF_P = """p: two-sided of "higher" and "lower", one-sided of "at least" and "at most", corrected over all claims;
  low and high are of each difference for itself, two-sided"""
DIRECTIONS = {"higher": "higher than", "lower": "lower than", "at_least": "at least", "at_most": "at most"}
OF = {"mean": "", "spread": "spread of ", "worst_tenth": "worst tenth of "}
VERDICTS = ("claim", "task", "arms", "model", "verdict", "seeds", "p", "detectable", "published")


def claim_rows(store: Path, files: Sequence[Path] = ()) -> list[Row]:
    """One row for each claim, task and group of arms that are alike but for what the claim varies.

    Parameters
    ----------
    files
        A claim each; none = the claims that ship with the package.

    Returns
    -------
    Rows with `claim`, `text`, `source`, `task`, `model` (the starting models), `arms` (a list of those that are
    compared, the one that the claim is made of first), and

    - `verdict`: supported, contradicted, not distinguishable or not testable yet; `about`: samplings, or "questions
      only, one seed", when the verdict is of these checkpoints; null where nothing was tested;
    - `seeds` of the arm that has fewest; `p`, corrected over all rows (Holm): of the claim, of its contrary where it
      is contradicted;
    - `detectable`: the smallest difference that the comparison which decides could have found (power .8): the one with
      the largest p, or where it is contradicted with the smallest of the contrary;
    - `evidence`: a list with a row each comparison: `first`, `second` (arms), `less` (two further arms, or null),
      `says`, `first_value`, `second_value`, `ratio`, `difference` (first minus `ratio` times second) with `low`,
      `high`, `limit`, `p`, `detectable`, `cells`, `languages`, `seeds`; where there is `less`, the values are those of
      first minus second and of the two further arms' difference, and `difference` is between these;
    - `missing`: labels of the runs that it lacks, for a verdict or for one on samplings; `unplanned`: what it lacks
      besides, in words; `ended_arms`: a list of the stored arms that can get no further seeds, as an earlier version
      made them, each with `arm` and `unknown_keys`, which their configs lack; `reason`: why it is not testable, or
      what a property's verdict rests on;
    - `published`: a list of the published figures of its comparisons: `model`, `task`, `says`, `first_value`,
      `second_value`, `holds` (of the figures as printed: they have one seed and no test).

    Raises
    ------
    InputError
        There is no store, or a claim's file is wrong.
    """
    return [row for row, _ in judged(store, files)]


def judged(store: Path, files: Sequence[Path] = ()) -> list[tuple[Row, Finding]]:
    """`claim_rows` with what each was made from: `claim_plan.plan_of` plans the runs that some of them lack."""
    return [(as_row(store, finding), finding) for finding in judge(store, read_claims(files))]


def as_row(store: Path, finding: Finding) -> Row:
    claim = finding.case.claim
    models = sorted({arm.model for group in finding.case.groups for arm in group.values() if arm})
    return {
        "claim": claim.name,
        "text": claim.text,
        "source": claim.source,
        "task": finding.case.task,
        "model": ", ".join(models) or None,
        "arms": list(dict.fromkeys(arm.name for group in finding.case.groups for arm in group.values() if arm)),
        "verdict": finding.verdict,
        "about": finding.about,
        "seeds": finding.seeds,
        "p": finding.p,
        "detectable": finding.detectable,
        "evidence": [evidence_row(one) for one in finding.evidence],
        "missing": list(dict.fromkeys(run.label for run in finding.missing)),
        "unplanned": list(finding.unplanned),
        "ended_arms": ended_arms(finding),
        "reason": finding.reason or None,
        "published": [
            {"says": says(one), **row}
            for one in claim.comparisons
            for row in published_comparisons(store, one, finding.case.task)
        ],
    }


def ended_arms(finding: Finding) -> list[Row]:
    return [{"arm": arm.name, "unknown_keys": list(arm.unknown_keys)} for arm in finding.ended_arms]


def evidence_row(one: Evidence) -> Row:
    return {
        "first": one.first.name,
        "second": one.second.name,
        "less": [arm.name for arm in one.less] or None,
        "says": says(one.comparison),
        "first_value": one.values[0],
        "second_value": one.values[1],
        "ratio": one.comparison.ratio,
        "difference": one.effect.difference,
        "low": one.effect.low,
        "high": one.effect.high,
        "limit": one.limit,
        "p": one.p_supported,
        "p_contrary": one.p_contradicted,
        "detectable": one.effect.detectable,
        "cells": one.cells,
        "languages": list(one.languages),
        "seeds": one.effect.seeds,
        "paired": one.effect.paired,
        "about": one.effect.about,
    }


def says(one: Comparison) -> str:
    """A comparison in a few words: `hybrid lower than 0.8 x mono: rank_distance, multilingual`."""
    first, second = in_words(one.first), in_words(one.second)
    if one.less:
        first, second = f"{first} - {second}", f"{in_words(one.less.first)} - {in_words(one.less.second)}"
    times = f"{one.ratio:g} x " if one.ratio != 1 else ""
    where = "" if one.languages == "all" else f", {one.languages} languages"
    where += f", within {' '.join(one.within)}" if one.within else ""
    where += f", touching {' '.join(one.touching)}" if one.touching else ""
    margin = "" if one.margin is None else f" by {one.margin:g}"
    return (
        f"{first} {DIRECTIONS[one.direction]} {times}{second}{margin}: {OF[one.of]}{one.measure}, {one.setting}{where}"
    )


def told_apart(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each of `claim_rows` the arms that tell it from the others of its claim and task, as few as it takes; the
    first one where it is the only one."""
    of_claims: dict[tuple[str, str | None], list[list[str]]] = {}
    for row in rows:
        of_claims.setdefault((row["claim"], row["task"]), []).append(row["arms"])
    needed = {claim: first_that_differ(arms) for claim, arms in of_claims.items()}
    return [", ".join(row["arms"][: needed[row["claim"], row["task"]]]) for row in rows]


def first_that_differ(lists: Sequence[Sequence[str]]) -> int:
    """How many of the first of each list it takes so that no two are the same."""
    longest = max(map(len, lists))
    return next((n for n in range(1, longest) if len({tuple(one[:n]) for one in lists}) == len(lists)), longest)


def print_claims(rows: Sequence[Row]) -> None:
    """`claim_rows` for reading: the verdicts, what they rest on, and what is missing."""
    for _, of_claim in groupby(rows, key=lambda row: row["claim"]):
        first = next(of_claim)
        print(shown(f"{first['claim']}: {first['text']} ({first['source']})"))
    print()
    arms = ambiguous_arms(rows)
    lines = [{**verdict_line(row), "arms": of_row} for row, of_row in zip(rows, arms, strict=True)]
    columns = [column for column in VERDICTS if column != "arms" or any(arms)]
    print_table(lines, columns=columns, names=columns.index("model"))
    if any(row["seeds"] == 1 for row in rows):
        print(FOOTNOTE)
    if any(row["published"] for row in rows):
        print(PUBLISHED)
    of_rows = [(row, one) for row in rows for one in row["evidence"]]
    if of_rows:
        print()
        is_scaled = any(one["ratio"] != 1 for _, one in of_rows)
        short = short_names(sorted({arm for _, one in of_rows for arm in compared_arms(one)}))
        less = f"difference: first minus {'ratio x ' if is_scaled else ''}second"
        print_table(
            [evidence_line(row, one, is_scaled, short) for row, one in of_rows],
            names=4,
            title=f"what the verdicts rest on; {less}, with its {LEVEL:.0%} interval, held against the limit",
        )
        print(OF_P)
    print_missing(rows)


def ambiguous_arms(rows: Sequence[Row]) -> list[str]:
    """`told_apart` where a claim has several rows on a task, else nothing."""
    claims = [(row["claim"], row["task"]) for row in rows]
    return [arms * (claims.count(claim) > 1) for claim, arms in zip(claims, told_apart(rows), strict=True)]


def qualified(row: Mapping[str, Any]) -> str:
    """The verdict, with what it is of where it rests on one seed; `FOOTNOTE` belongs to that."""
    verdict: str = row["verdict"]
    return f"{verdict} for these checkpoints{ONE_SEED}" if row["seeds"] == 1 else verdict


def verdict_line(row: Row) -> Row:
    held = [figure["holds"] for figure in row["published"]]
    return {
        **row,
        "p": p_value(row["p"]),
        "detectable": beside(row["evidence"][0]["first_value"], row["detectable"]) if row["evidence"] else None,
        "verdict": qualified(row),
        "published": f"{sum(held)} of {len(held)} hold" if held else None,
    }


def evidence_line(row: Row, one: Row, is_scaled: bool, short: Mapping[str, str]) -> Row:
    """`is_scaled`: whether a table has what the second is multiplied by. `short`: by arm, what it is called there."""

    def written(key: str) -> str:
        return beside(one["first_value"], one[key])

    scaled = {"ratio": f"{one['ratio']:g}", "ratio x second": one["ratio"] * one["second_value"]} if is_scaled else {}
    return {
        "claim": row["claim"],
        "task": row["task"],
        **dict(zip(("first", "second"), sides_of(one, short), strict=True)),
        "first value": written("first_value"),
        "second value": written("second_value"),
        **scaled,
        **{key: written(key) for key in ("difference", "low", "high", "limit", "detectable")},
        "cells": one["cells"],
        "seeds": one["seeds"],
        "says": one["says"],
    }


def compared_arms(one: Row) -> list[str]:
    return [one["first"], one["second"], *(one["less"] or ())]


def sides_of(one: Row, short: Mapping[str, str]) -> tuple[str, str]:
    """What a row of evidence is the difference of: two arms, or two differences of arms. `short`: what they are called
    where it is not by their names."""
    names = [short.get(arm, arm) for arm in compared_arms(one)]
    return (names[0], names[1]) if len(names) == 2 else (" - ".join(names[:2]), " - ".join(names[2:]))


def print_missing(rows: Sequence[Row]) -> None:
    """Why claims are not testable, and the runs that they lack; also of those that rest on one seed."""
    named = zip(rows, ambiguous_arms(rows), strict=True)
    lacking = [(row, arms) for row, arms in named if row["reason"] or row["missing"] or row["unplanned"]]
    if lacking:
        print()
    for row, arms in lacking:
        name = " ".join(filter(None, (row["claim"], row["task"], f"({arms})" if arms else "")))
        print(shown(f"{name}: {row['reason'] or 'more seeds are asked for'}"))
        for text in (*joined(row["missing"]), *row["unplanned"]):
            print(f"  missing: {shown(text)}")
    for text in ended_in_words(arm for row in rows for arm in row["ended_arms"]):
        print(shown(text))


def ended_in_words(ended: Iterable[Row]) -> list[str]:
    """Why stored arms get no further seeds: a line for all that lack the same keys."""
    found: dict[tuple[str, ...], dict[str, None]] = {}
    for arm in ended:
        found.setdefault(tuple(arm["unknown_keys"]), {})[arm["arm"]] = None
    return [
        f"{', '.join(arms)}: no further seeds, as an earlier version made it; a run of its config is of another arm "
        f"now, so all seeds are asked for. Keys that its config lacks: {', '.join(keys) or 'none; its name differs'}"
        for keys, arms in found.items()
    ]


def joined(labels: Sequence[str]) -> list[str]:
    """Labels of runs with the seeds of an arm in one line."""
    found: dict[str, list[str]] = {}
    for label in labels:
        arm, seed = label.rsplit(", seed ", 1)
        found.setdefault(arm, []).append(seed)
    return [f"{arm}, seed {' '.join(seeds)}" for arm, seeds in found.items()]
