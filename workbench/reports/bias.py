"""The bias between languages and the robustness over language pairs, as rows and as tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from workbench.analysis.stored import Unit
from workbench.errors import InputError
from workbench.reports.comparisons import common_names
from workbench.reports.leakage import marked, print_footnote
from workbench.reports.output import emit, note
from workbench.reports.overview import Row
from workbench.reports.tables import figure, print_table
from workbench.store.database import query

TABLES = (
    ("language_share_relative@10", "share of the first 10 passages, over the share of the pool (1 = as by chance)"),
    ("language_share_relative@100", "share of the first 100 passages, over the share of the pool (1 = as by chance)"),
    ("mean_rank", "mean rank in the pool of all languages; mean without a language's own queries"),
    ("single_target_rank", "mean rank as if the relevants of other languages were not there; mean as above"),
    (
        "language_cost",
        "language cost: MRR in the passage language's own pool minus single-target MRR in that of all",
    ),
)
"""Tables of query language x passage language; the other measures by language are in `--json`."""
OF_TRAINING = "seen, unseen: by each arm's own training; arms of other languages have other cells there"
KINDS = (("script", "by script"), ("family", "by family"))


def bias_rows(store: Path, arms: Sequence[str], task: str | None = None, unit: Unit = "paragraph") -> list[Row]:
    """One row for each task that the arms have in common, arm, measure of bias and languages that it is of.

    After the rows of each arm, whose `against` is null, come those of each further arm held against the first: there
    `value` is the difference, `arm` minus `against`, seed by seed where both have the same seeds. A `query_language`
    or `passage_language` of `*` is a mean over languages, or of all passages together; `passage_language` is "own"
    where it is the query's. `value` is a mean over seeds, `low` to `high` its 95 % interval, which speaks of `about`:
    "samplings", or "questions only, one seed". Where a measure is undefined these are null and `note` says why. The
    measures:

    - `rank_distance`, `rank_distance_median`, `rank_distance_relative` (over the pool's size), `own_language_first`;
    - `kendall_w`, the agreement of queries on the order of the other languages (0 to 1);
    - `language_share@k` and `language_share_relative@k`, over the language's share of the pool;
    - `mean_rank`, `single_target_rank`, `single_target_mrr`, `language_cost`: see the store's views of these names;
    - `peer@k`.

    `leaked` and `against_leaked` say whether a run of the arm trained on texts of the task.

    Raises
    ------
    InputError
        An arm has no finished run; no such task, or none in common, or none with a multilingual setting.
    """
    from workbench.analysis.bias import bias_figures
    from workbench.analysis.language_tables import load_ranks

    def rows(name: str | None) -> list[Row]:
        loaded = load_ranks(store, arms, task=name, unit=unit)
        return [flat(asdict(found)) for data in loaded for found in bias_figures(data)]

    return with_leaked(store, each_task(store, arms, task, rows))


def robustness_rows(
    store: Path, arms: Sequence[str], task: str | None = None, measure: str = "map", unit: Unit = "paragraph"
) -> list[Row]:
    """One row for each task that the arms have in common, arm and figure of its robustness over language pairs.

    `figure` is, of cross-lingual cells, "mean", "spread" (standard deviation of the cells), "worst pair", "worst
    tenth" (mean; chosen on half of the paragraphs and measured on the other, and swapped), "script" and "family" (of
    query > passage language), or "training": languages that the arm's training pairs have against others. `group`
    says of which cells, `cells` is their number. Values, intervals and differences (none of the worst pair, and by
    training where both arms were trained on the same languages) as in `bias_rows`.

    Raises
    ------
    InputError
        As `bias_rows` does, for cross-lingual cells; no such measure, or one that is better where it is lower.
    """
    from workbench.analysis.robustness import robustness

    def rows(name: str | None) -> list[Row]:
        found = robustness(store, arms, task=name, measure=measure, unit=unit)
        return [renamed(flat(asdict(one))) for one in found]

    return with_leaked(store, each_task(store, arms, task, rows))


def each_task(store: Path, arms: Sequence[str], task: str | None, rows: Callable[[str | None], list[Row]]) -> list[Row]:
    """The rows of every task that has some; where none has, why the first has none."""
    if not arms:
        raise InputError("no arm: name one or more")
    found: list[Row] = []
    problems = []
    for name in [task] if task is not None else common_names(store, arms):
        try:
            found += rows(name)
        except InputError as error:
            problems.append(error)
    if not found:
        raise problems[0]
    return found


def flat(row: Row) -> Row:
    """With the figure's fields in place of the figure, numbers that are not known as None."""
    of_figure = row.pop("figure") or dict.fromkeys(("value", "low", "high", "seeds", "about"))
    known = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in of_figure.items()}
    return {**row, **known}


def renamed(row: Row) -> Row:
    return {"figure" if key == "figure_name" else key: value for key, value in row.items()}


def with_leaked(store: Path, rows: list[Row]) -> list[Row]:
    """With `leaked` and `against_leaked`: whether a run of the arm trained on texts of the task."""
    found = query(
        store,
        "select arm, task, bool_or(leaked) from arm_measures where list_contains($arms, arm) group by all",
        {"arms": sorted({row["arm"] for row in rows})},
    )
    leaked = {(arm, task): value for arm, task, value in found.rows}
    names = {"leaked": "arm", "against_leaked": "against"}
    return [{**row, **{key: leaked.get((row[arm], row["task"])) for key, arm in names.items()}} for row in rows]


def print_bias(
    store: Path,
    arms: Sequence[str],
    task: str | None = None,
    measure: str = "map",
    unit: Unit = "paragraph",
    as_json: bool = False,
    full: bool = False,
) -> None:
    """Both kinds of rows for a person; for a program all of them, `kind` bias or robustness.

    For a person without `full` only what is of all languages together.

    A task without cross-lingual cells has no robustness, one without a multilingual setting no bias.
    """
    parts: dict[str, list[Row]] = {}
    problems = []
    for kind, rows in (
        ("bias", lambda: bias_rows(store, arms, task, unit)),
        ("robustness", lambda: robustness_rows(store, arms, task, measure, unit)),
    ):
        try:
            parts[kind] = rows()
        except InputError as error:
            problems.append(error)
    if not parts:
        raise problems[0]
    for problem in problems:
        note(str(problem))
    if as_json:
        emit([{"kind": kind, **row} for kind, rows in parts.items() for row in rows], as_json)
        return
    every = [row for rows in parts.values() for row in rows]
    for number, name in enumerate(dict.fromkeys(row["task"] for row in every)):
        if number:
            print()
        of_task = {kind: [row for row in rows if row["task"] == name] for kind, rows in parts.items()}
        print_summaries(name, **of_task)
        if full:
            print_tables(**of_task)
    print_footnote(every)
    if not full:
        note("--full prints the tables by language, script and family")


def print_summaries(task: str, bias: Sequence[Row] = (), robustness: Sequence[Row] = ()) -> None:
    """What is of all languages together: one line a figure, of the arms and then of their differences."""
    kinds = {kind for kind, _ in KINDS}
    single = [row for row in robustness if row["figure"] not in kinds]
    over_pairs = f"robustness over language pairs, {single[0]['measure']}" if single else ""
    for rows, words, name in (
        (bias, "bias between languages", measure_name),
        (single, over_pairs, robustness_name),
    ):
        for against in dict.fromkeys(row["against"] for row in rows):
            chosen = [row for row in rows if row["against"] == against]
            about = sorted({row["about"] for row in chosen if row["about"]})
            less = f", difference from {marked(against, chosen[0]['against_leaked'])}" if against else ""
            title = f"{task}: {words}{less} [95 % intervals: {'; '.join(about)}]"
            print_table(summary(chosen, name), title=title)
            of_training = {row["arm"] for row in chosen if row.get("figure") == "training"}
            if against is None and len(of_training) > 1:
                print(OF_TRAINING)
            print()


def print_tables(bias: Sequence[Row] = (), robustness: Sequence[Row] = ()) -> None:
    """Query languages, scripts or families down, those of passages across: of each arm and each difference."""
    for arm, against in dict.fromkeys((row["arm"], row["against"]) for row in (*bias, *robustness)):
        of_bias, of_pairs = (
            [row for row in rows if (row["arm"], row["against"]) == (arm, against)] for rows in (bias, robustness)
        )
        one = next(iter((*of_bias, *of_pairs)))
        name = marked(arm, one["leaked"])
        name += f" minus {marked(against, one['against_leaked'])}" if against else ""
        for measure, words in TABLES:
            rows = [row for row in of_bias if row["measure"] == measure]
            if rows:
                print_table(language_table(rows), title=f"{name}: {words}")
                print()
        for kind, words in KINDS:
            rows = [row for row in of_pairs if row["figure"] == kind]
            if len(rows) > 1:
                print_table(kind_table(rows), title=f"{name}: cross-lingual {rows[0]['measure']} {words}")
                print()


def summary(rows: Iterable[Row], name: Callable[[Row], str | None]) -> list[Row]:
    """One line a figure, one column an arm."""
    lines: dict[str, Row] = {}
    arms: dict[str, None] = {}
    for row in rows:
        arm = marked(row["arm"], row["leaked"])
        of_row = name(row)
        if of_row is not None:
            arms[arm] = None
            lines.setdefault(of_row, {})[arm] = with_interval(row)
    return [{"": words, **{arm: line.get(arm) for arm in arms}} for words, line in lines.items()]


def with_interval(row: Row) -> str:
    """`.5012 [.4933, .5091]`; or why there is none. The worst pair's name stands before it."""
    if row["value"] is None:
        return str(row["note"])
    interval = "" if row["low"] is None else f" [{figure(row['low'])}, {figure(row['high'])}]"
    named = f"{row['group'].replace(' > ', ' → ')} " if row.get("figure") == "worst pair" else ""
    return f"{named}{figure(row['value'])}{interval}"


def measure_name(row: Row) -> str | None:
    """What the summary calls a measure; None for the rows that stand in a table of languages."""
    if row["query_language"] != "*" or row["passage_language"] not in ("*", "own"):
        return None
    words = str(row["measure"]).replace("single_target", "single-target").replace("_", " ").replace("mrr", "MRR")
    words = words.replace("kendall w", "Kendall's W").replace("peer", "PEER")
    if row["passage_language"] == "own":
        return words.replace("language share", "own language share")
    return words if row["setting"] == "multilingual" else f"{words}, {row['setting'].replace('_', '-')}"


def robustness_name(row: Row) -> str:
    if row["figure"] != "training":
        return str(row["figure"])
    return f"{row['setting'].replace('_', '-')}, {row['group']} in training"


def language_table(rows: Sequence[Row]) -> list[Row]:
    """Query languages down, passage languages across; the means last."""
    passages = sorted({row["passage_language"] for row in rows} - {"*", "own"})
    lines: dict[str, Row] = {}
    for row in rows:
        if row["passage_language"] in passages:
            lines.setdefault(row["query_language"], {})[row["passage_language"]] = row["value"]
    ordered = sorted(lines, key=lambda language: (language == "*", language))
    names = {"*": "mean"}
    return [{"query": names.get(a, a), **{b: lines[a].get(b) for b in passages}} for a in ordered]


def kind_table(rows: Sequence[Row]) -> list[Row]:
    """Kinds of query languages down, of passage languages across."""
    values = {tuple(row["group"].split(" > ")): row["value"] for row in rows}
    across = sorted({passage for _, passage in values})
    return [
        {"query": kind, **{other: values.get((kind, other)) for other in across}}
        for kind in sorted({kind for kind, _ in values})
    ]
