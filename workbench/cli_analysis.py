"""The commands that hold arms against each other: is a difference real, where is it, what is it made of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from workbench.cli_options import Arms, Json, Measure, Runs, Store, Task
from workbench.paths import DEFAULT_RUNS, DEFAULT_STORE, RunsPaths

analysis_app = typer.Typer()

Unit = Annotated[
    Literal["paragraph", "article"], typer.Option(help="What is drawn: questions on one are not independent.")
]
Draws = Annotated[int, typer.Option(min=100, max=1_000_000, help="Arrangements that a randomisation test tries.")]
DRAWS = 10_000


def resolved(arms: list[str], store: Path, runs: Path) -> list[str]:
    """The arms that are meant, each once, after what has ended since was taken home."""
    from workbench.launching import take_home
    from workbench.reports.overview import resolve_arm

    take_home(store, RunsPaths(runs))
    return list(dict.fromkeys(resolve_arm(store, arm) for arm in arms))


def refuse_one(given: Sequence[str], found: Sequence[str]) -> None:
    """Refuse several names of one arm: it cannot be held against itself."""
    from workbench.errors import InputError

    if len(found) == 1 < len(given):
        named = " and ".join(repr(text) for text in given)
        raise InputError(f"{named} are {'both' if len(given) == 2 else 'all'} the arm {found[0]}: name two arms")


@analysis_app.command()
def compare(
    arms: Arms,
    measure: Measure = "map",
    task: Task = None,
    unit: Unit = "paragraph",
    draws: Draws = DRAWS,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Compare arms: means and deviations over seeds, differences from the first arm, and whether they are real."""
    from workbench.reports.comparison_tables import compared_rows, print_compared
    from workbench.reports.output import emit

    found = resolved(arms, store, runs)
    refuse_one(arms, found)
    if as_json:
        emit(compared_rows(store, found, measure, task, unit, draws), as_json)
    else:
        print_compared(store, found, measure, task, unit, draws)


@analysis_app.command()
def pairs(
    arms: Annotated[
        list[str], typer.Argument(metavar="ARM [ARM]", help="One arm, or two: then the second minus the first.")
    ],
    measure: Measure = "map",
    task: Task = None,
    unit: Unit = "paragraph",
    draws: Draws = DRAWS,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Every pair of query and pool language: an arm's figures, or the differences of two, marked where significant."""
    from workbench.reports.comparison_tables import pair_rows, print_pairs
    from workbench.reports.output import emit

    found = resolved(arms, store, runs)
    refuse_one(arms, found)
    rows = pair_rows(store, found, measure, task, unit, draws)
    if as_json:
        emit(rows, as_json)
    else:
        print_pairs(rows)


@analysis_app.command()
def queries(
    against: Annotated[str, typer.Argument(metavar="ARM", help="An arm's name, its beginning, or one of its runs.")],
    arm: Annotated[str, typer.Argument(metavar="ARM", help="The arm that is held against it.")],
    cell: Annotated[
        str | None, typer.Option(help="'SETTING QUERY_LANGUAGE POOL_LANGUAGE', such as 'cross_lingual sw en'.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many queries.")] = 20,
    task: Annotated[
        str | None, typer.Option(help="One of the arms' tasks; default the one they have in common.")
    ] = None,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """The queries whose relevant passage moved most between two arms, with the texts."""
    from workbench.reports.output import emit, note
    from workbench.reports.queries import moved_queries, print_moved

    found = resolved([against, arm], store, runs)
    refuse_one([against, arm], found)
    moved = moved_queries(store, found[1], found[0], task=task, cell=cell, limit=limit)
    if as_json:
        emit(moved.rows, as_json)
    else:
        print_moved(moved)
    note(moved.note)


@analysis_app.command()
def power(
    arms: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Pilot runs (or arms) of two arms or more, two seeds each.")
    ],
    difference: Annotated[
        list[float] | None, typer.Option(help="A difference to be found; repeatable; default .005, .01 and .02.")
    ] = None,
    measure: Measure = "map",
    task: Task = None,
    unit: Unit = "paragraph",
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """How many seeds it takes to find a difference from the first arm, judged by pilot runs."""
    from workbench.reports.output import emit
    from workbench.reports.power import DIFFERENCES, power_rows, print_power

    found = resolved(arms, store, runs)
    rows = power_rows(store, found, measure, task, unit, difference or DIFFERENCES)
    if as_json:
        emit(rows, as_json)
    else:
        print_power(rows)


@analysis_app.command()
def report(
    arms: Arms,
    out: Annotated[Path, typer.Option(help="The folder that is written.")],
    measure: Annotated[str, typer.Option(help="Of the heat maps: map, map@k, mrr, recall@k or ndcg@k.")] = "map",
    task: Task = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files of the same names in the folder.")] = False,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Write a report of arms: an HTML page, Markdown and LaTeX tables, a config for each arm."""
    from workbench.reports.export.report import write_report

    show_files(write_report(store, resolved(arms, store, runs), out, task=task, measure=measure, force=force), as_json)


@analysis_app.command()
def export(
    meant: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Runs by their ids, or arms with all their runs.")
    ],
    out: Annotated[Path, typer.Option(help="The folder that is written.")],
    form: Annotated[
        Literal["trec", "parquet", "csv"],
        typer.Option(
            "--format", help="trec: run and qrels files of each cell; parquet, csv: a file a view of the store."
        ),
    ] = "trec",
    force: Annotated[bool, typer.Option("--force", help="Replace files of the same names in the folder.")] = False,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Write runs' results for other programs: TREC run and qrels files, parquet or CSV."""
    from workbench.launching import take_home
    from workbench.reports.export.views import export_tables, runs_meant
    from workbench.reports.output import note
    from workbench.reports.trec import CUT, export_trec

    take_home(store, RunsPaths(runs))
    run_ids = list(dict.fromkeys(run_id for text in meant for run_id in runs_meant(store, text)))
    if form == "trec":
        files = export_trec(store, RunsPaths(runs), run_ids, out, force=force)
        note(CUT)
    else:
        files = export_tables(store, run_ids, out, form, force=force)
    if form == "trec" and not as_json:
        for run_id in run_ids:
            number = sum((out / run_id) in file.parents for file in files)
            print(f"{out / run_id}: {number} files")
    else:
        show_files(files, as_json)


def show_files(paths: Sequence[Path], as_json: bool) -> None:
    """What was written, a line each."""
    from workbench.reports.output import emit_lines

    emit_lines([{"file": str(path)} for path in paths], "file", as_json)


@analysis_app.command()
def claims(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="YAML files, a claim each; default the shipped ones."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print the config of the runs that the claims lack, for `workbench run`.")
    ] = False,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Hold published claims, or your own, against the results: supported, contradicted, or what is missing."""
    from workbench.errors import InputError
    from workbench.launching import take_home
    from workbench.reports.claim_plan import claim_plan
    from workbench.reports.claims import claim_rows, print_claims
    from workbench.reports.output import emit, note

    if plan and as_json:
        raise InputError("--plan prints a YAML config: leave --json out")
    take_home(store, RunsPaths(runs))
    if plan:
        config = claim_plan(store, files or ())
        if config is None:
            note("no run is missing that a config can name; `workbench claims` says what else is")
        else:
            print(config, end="")
        return
    rows = claim_rows(store, files or ())
    if as_json:
        emit(rows, as_json)
    else:
        print_claims(rows)


@analysis_app.command()
def bias(
    arms: Arms,
    measure: Annotated[
        str, typer.Option(help="Whose robustness over language pairs is told: map, mrr, recall@k ...")
    ] = "map",
    task: Task = None,
    unit: Unit = "paragraph",
    full: Annotated[bool, typer.Option("--full", help="Print the tables by language, script and family too.")] = False,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Bias between languages in the multilingual pool, and robustness over language pairs; differences of arms."""
    from workbench.reports.bias import print_bias
    from workbench.reports.comparisons import check_measure

    check_measure(measure)
    print_bias(store, resolved(arms, store, runs), task, measure, unit, as_json, full)
