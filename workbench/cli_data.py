"""The commands about data sets: `workbench data ...`."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli_options import Json, Sets

data_app = typer.Typer(help="Look at data sets, fetch them, check them for leaks.")


@data_app.callback(invoke_without_command=True)
def list_sets(context: typer.Context, as_json: Json = False) -> None:
    """List the known data sets, and which of them are on this machine."""
    from workbench.reports.datasets import catalogue
    from workbench.reports.output import emit

    if context.invoked_subcommand is None:
        emit(catalogue(), as_json)


@data_app.command("list")
def list_again(as_json: Json = False) -> None:
    """List the known data sets, as `workbench data` does."""
    from workbench.reports.datasets import catalogue
    from workbench.reports.output import emit

    emit(catalogue(), as_json)


@data_app.command("show")
def show_set(
    name: Annotated[str, typer.Argument(help="A known set, or any name together with --path.")],
    path: Annotated[str | None, typer.Option(help="Its file or folder; default where it was fetched to.")] = None,
    loader: Annotated[str | None, typer.Option(help="How it is read; default as the name or the path tells.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only this language; repeatable.")] = None,
    kind: Annotated[str | None, typer.Option(help="training or task, where a name stands for both.")] = None,
    split: Annotated[str | None, typer.Option(help="Part of the set, such as dev.")] = None,
    sample: Annotated[int, typer.Option(min=0, help="Examples of each language.")] = 0,
    as_json: Json = False,
) -> None:
    """Show what is in a set: counts and lengths by language, and examples."""
    from workbench.reports.datasets import described, print_set
    from workbench.reports.output import emit

    found = described(name, path, loader, language, split, sample, kind)
    if as_json:
        emit([found], as_json)
    else:
        print_set(found)


@data_app.command("fetch")
def fetch_sets(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Known sets.")],
    language: Annotated[
        list[str] | None, typer.Option(help="Only this language, where the source has them apart; repeatable.")
    ] = None,
    copy: Annotated[
        Path | None, typer.Option("--from", help="A folder with a copy of the repository, in place of the net.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Anew, the newest revision.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch sets into the cache; a fetch that was interrupted goes on."""
    # a process of its own, as `datasets` takes seconds to import
    command = [sys.executable, "-m", "workbench.data.fetching", *names]
    command += [part for code in language or () for part in ("--language", code)]
    command += ["--copy", str(copy)] if copy else []
    command += [flag for flag, given in (("--again", again), ("--json", as_json)) if given]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


@data_app.command("check")
def check_leakage(
    config: Annotated[Path, typer.Argument(help="A YAML config.")],
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Look for evaluation texts in the training texts of a config; exit code 1 where there are any."""
    from workbench.config import freeze, read_config
    from workbench.reports.leakage import check_specs, print_leakage
    from workbench.reports.output import emit, note

    rows = check_specs(freeze(read_config(config, sets or ()), Path.cwd()), note)
    if as_json:
        emit(rows, as_json)
    else:
        print_leakage(rows)
    if any(row["hits"] for row in rows):
        raise typer.Exit(1)
