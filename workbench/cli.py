"""The commands: parse, call one function, print. stdout is results, stderr is narration.

Exit codes: 0 done, 1 the work failed, 2 the input is wrong, 130 interrupted.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli_analysis import analysis_app
from workbench.cli_config import config_app
from workbench.cli_data import data_app
from workbench.cli_handling import handling_app
from workbench.cli_options import Detach, Jobs, Json, Runs, Sets, Store
from workbench.cli_synth import synth_app
from workbench.errors import InputError, WorkbenchError, WorkError
from workbench.paths import DEFAULT_RUNS, DEFAULT_STORE, RunsPaths

app = typer.Typer(
    name="workbench",
    help="A benchmark workbench for multilingual dual encoders.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(config_app, name="config")
app.add_typer(data_app, name="data")
app.add_typer(synth_app, name="synth")

ROWS = 1000
"""Rows of a query that are printed for reading; --csv and --json give all."""


def main() -> None:
    """The console script: errors that a user is meant to read become one message and their exit code."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    try:
        app([a for a in arguments if a != "--debug"], prog_name="workbench")
    except WorkbenchError as error:
        if debug:
            raise
        print(f"workbench: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        silence()
        sys.exit(1)
    except (OSError, UnicodeEncodeError) as error:
        if debug:
            raise
        print(f"workbench: {error}", file=sys.stderr)
        silence()
        sys.exit(WorkError.exit_code)


def silence() -> None:
    """Nothing more can be written to stdout, not even at exit: its reader has gone, or its disk is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.callback(epilog="--debug, anywhere: show the traceback of an error.")
def options(
    context: typer.Context,
    store: Annotated[Path | None, typer.Option("--store", help="Without a command: the store that is opened.")] = None,
    runs: Annotated[Path | None, typer.Option("--runs", help="Without a command: the runs that are opened.")] = None,
) -> None:
    """A benchmark workbench for multilingual dual encoders. Without a command, on a terminal: the interface opens."""
    command = context.invoked_subcommand
    if command is not None:
        if store is not None or runs is not None:
            raise InputError(f"--store and --runs stand after the command: workbench {command} --store ...")
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(context.get_help())
        raise typer.Exit(InputError.exit_code)
    from workbench.tui.app import run_app
    from workbench.tui.reader import Reader

    run_app(Reader(store or DEFAULT_STORE, RunsPaths(runs or DEFAULT_RUNS)))


def names_store_alone(context: typer.Context) -> bool:
    """Whether the command was given a store and no folder of runs: its runs are meant then, before those in ./runs."""
    sources = [context.get_parameter_source(name) for name in ("store", "runs")]
    return [source is not None and source.name == "COMMANDLINE" for source in sources] == [True, False]


# ------------------------------------------------------------------------------------------------- starting


@app.command()
def run(
    config: Annotated[Path, typer.Argument(help="A YAML config; see configs/.")],
    sets: Sets = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the runs, what they need and cost; start nothing.")
    ] = False,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Write run directories only, for another machine.")
    ] = False,
    detach: Detach = False,
    jobs: Jobs = None,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Train and evaluate every run of a config, and show what was measured."""
    from workbench.config import freeze, read_config
    from workbench.launching import launch
    from workbench.reports.output import emit, emit_lines

    specs = freeze(read_config(config, sets or ()), Path.cwd())
    if dry_run:
        from workbench.reports.estimate import estimate_lines, estimates

        rows = estimates(specs, RunsPaths(runs))
        emit(rows if as_json else estimate_lines(rows), as_json)
    elif prepare:
        from workbench.runs.directory import create_run

        made = [create_run(RunsPaths(runs), spec, prepared=True) for spec in specs]
        emit_lines([{"run_id": one.run_id, "folder": str(one.root)} for one in made], "folder", as_json)
    else:
        raise typer.Exit(launch(specs, store, RunsPaths(runs), jobs=jobs, detach=detach, as_json=as_json))


@app.command()
def evaluate(
    model: Annotated[str, typer.Option(help="A checkpoint: a folder or a hub id.")],
    task: Annotated[str, typer.Option(help="The name of the task, such as xquad_r.")],
    path: Annotated[str | None, typer.Option(help="Where the task's data are.")] = None,
    loader: Annotated[str | None, typer.Option(help="How they are read; default as the name tells.")] = None,
    sets: Sets = None,
    detach: Detach = False,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Evaluate a checkpoint as it is, without training."""
    from workbench.config import expand, freeze
    from workbench.launching import launch

    tasks = {task: {"path": path, "loader": loader}}
    content = {"name": "evaluate", "model": {"checkpoint": model}, "evaluate": {"tasks": tasks}}
    specs = freeze(expand(content, "evaluate", sets or ()), Path.cwd())
    raise typer.Exit(launch(specs, store, RunsPaths(runs), jobs=None, detach=detach, as_json=as_json))


# ------------------------------------------------------------------------------------------------- looking


@app.command("runs")
def list_all(
    as_json: Json = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 200,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """List all runs, newest first."""
    from workbench.launching import readable, take_home
    from workbench.reports.output import emit, note, print_runs
    from workbench.reports.overview import run_listing

    take_home(store, RunsPaths(runs))
    rows = run_listing(RunsPaths(runs), readable(store), limit)
    if not rows and not as_json:
        note("no runs yet; `workbench run configs/quickstart.yaml` makes some")
        return
    if as_json:
        emit(rows, as_json)
    else:
        print_runs(rows)


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or a part of it.")],
    measure: Annotated[str, typer.Option(help="The measure of the language table.")] = "map",
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
    *,
    context: typer.Context,
) -> None:
    """Show one run: its config, state, draws and its table of language pairs."""
    from workbench.launching import readable, take_home
    from workbench.reports.details import print_run, run_details, run_of_store
    from workbench.reports.output import emit

    take_home(store, RunsPaths(runs))
    found = readable(store)
    if names_store_alone(context):
        run_id = run_of_store(found, run_id)
    details = run_details(run_id, found, RunsPaths(runs), measure)
    if as_json:
        emit([details], as_json)
    else:
        print_run(details, measure)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to serve on: this machine's own.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to serve on.")] = 8000,
    allow_remote: Annotated[
        bool,
        typer.Option(
            "--allow-remote",
            help="Allow an address that other machines reach. There is no password: anybody who reaches the port can "
            "start and delete runs, and with them processes of yours, and read all results and every data set that "
            "you can read.",
        ),
    ] = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Show the interface in a browser on this machine."""
    from workbench.tui.serve import serve as serve_app

    serve_app(store, runs, host, port, allow_remote=allow_remote)


app.registered_commands += analysis_app.registered_commands


@app.command()
def log(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or a part of it.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the events: a list, with -f one a line.")] = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
    *,
    context: typer.Context,
) -> None:
    """Print what a run has said, and the end of its worker's own output."""
    from workbench.launching import readable
    from workbench.reports.details import print_events, run_of_store, worker_output
    from workbench.reports.output import emit, note
    from workbench.runs.directory import resolve, state_of
    from workbench.runs.events import follow as follow_events
    from workbench.runs.events import read_events

    if names_store_alone(context):
        run_id = run_of_store(readable(store), run_id)
    found = resolve(RunsPaths(runs), run_id)
    ended = ("finished", "failed", "stopped", "lost", "damaged")
    if follow:
        print_events(follow_events(found.events, ended=lambda: state_of(found) in ended), as_json)
    elif as_json:
        emit(read_events(found.events), as_json)
    else:
        print_events(read_events(found.events), as_json)
    if not as_json:
        note(worker_output(found))


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT; or SHOW TABLES, DESCRIBE view, SUMMARIZE view.")],
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    seconds: Annotated[float, typer.Option(min=0.1, help="End a query that takes longer.")] = 60.0,
    memory: Annotated[str, typer.Option(help="Memory that a query may take.")] = "1GB",
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Query the results; the database is open for reading only, and nothing else can be reached."""
    from workbench.launching import take_home
    from workbench.reports.output import emit, note
    from workbench.reports.tables import as_csv as csv_of
    from workbench.store.console import run_sql

    take_home(store, RunsPaths(runs))
    whole = as_csv or as_json
    table = run_sql(store, statement, max_seconds=seconds, memory=memory, max_rows=None if whole else ROWS)
    if as_csv:
        print(csv_of(table.columns, table.dicts()), end="")
    else:
        emit(table.dicts(), as_json, table.columns)
    if table.more:
        note(f"the first {ROWS} rows; --csv and --json give all")


app.registered_commands += handling_app.registered_commands
