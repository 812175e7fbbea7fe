"""The commands that change runs, results and the disk: stop, resume, delete, ingest, look after the installation."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli_options import Detach, Jobs, Json, Runs, Store
from workbench.errors import InputError, WorkbenchError, WorkError
from workbench.paths import DEFAULT_RUNS, DEFAULT_STORE, RunPaths, RunsPaths

handling_app = typer.Typer()

Force = Annotated[bool, typer.Option("--force", help="Also a run whose worker's host is gone for good.")]


@handling_app.command()
def stop(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs' ids or parts of them.")],
    wait: Annotated[float | None, typer.Option(min=0, help="Seconds to wait for the checkpoint; default 120.")] = None,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Stop runs: a working one writes a checkpoint, a queued one does not start."""
    from workbench.launching import STOP_S
    from workbench.runs.directory import resolve
    from workbench.runs.supervisor import check_stoppable
    from workbench.runs.supervisor import stop_all as stop_runs

    paths = RunsPaths(runs)
    found = [resolve(paths, run_id) for run_id in run_ids]
    check_stoppable(paths, found)
    for run_id, state in stop_runs(paths, found, STOP_S if wait is None else wait).items():
        print(f"{run_id}  {state}")


@handling_app.command()
def resume(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs' ids or parts of them.")],
    detach: Detach = False,
    jobs: Jobs = None,
    force: Force = False,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Go on with stopped, failed or lost runs from their last checkpoints."""
    from workbench.launching import follow_to_end
    from workbench.reports.output import emit_lines
    from workbench.runs.directory import resolve
    from workbench.runs.supervisor import resume_all, start_dispatcher
    from workbench.store.connection import check_store

    check_store(store)
    paths = RunsPaths(runs)
    found = [resolve(paths, run_id) for run_id in run_ids]
    resume_all(paths, found, force=force, store=store)
    start_dispatcher(paths, store, jobs)
    if detach:
        emit_lines([{"run_id": one.run_id} for one in found], "run_id", as_json)
    else:
        raise typer.Exit(follow_to_end(found, store, paths, as_json))


@handling_app.command()
def delete(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs' ids or parts of them.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Force = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Delete runs: their directories and their rows in the store."""
    from workbench.runs.directory import delete_run, resolve
    from workbench.store.database import forget

    paths = RunsPaths(runs)
    found = [resolve(paths, run_id) for run_id in run_ids]
    if not yes:
        typer.confirm(f"Delete {', '.join(one.run_id for one in found)} for good?", abort=True, err=True)
    for one in found:
        delete_run(paths, one, force=force)
        if store.exists():
            # should the store be held just now, the tombstone has the rows removed by whoever looks next
            forget(store, one.run_id)
        print(f"{one.run_id}  deleted")


@handling_app.command()
def ingest(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR]...", help="Run directories; default all of --runs.")
    ] = None,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Take the results of ended runs into the store; what is in it already is left as it is."""
    from workbench.reports.output import emit, note
    from workbench.store.database import ingest as ingest_one
    from workbench.store.database import ingest_pending

    found: dict[str, bool] = {}
    code = 0
    if not folders:
        if not runs.is_dir():
            raise InputError(f"{runs}: no such runs directory")
        done = ingest_pending(store, RunsPaths(runs))
        found = dict.fromkeys(done.run_ids, True)
        for problem in done.problems:
            note(problem)
            code = WorkError.exit_code
        if not found and not code:
            note(f"nothing new: {store} has the results of all ended runs in {runs}")
    for folder in folders or ():
        try:
            if not folder.is_dir():
                raise InputError(f"{folder}: no such run directory")
            found[folder.resolve().name] = ingest_one(store, RunPaths(folder.resolve()), runs=RunsPaths(runs))
        except WorkbenchError as error:  # the other folders are none the worse for it
            note(f"workbench: {error}")
            code = max(code, error.exit_code)
    if as_json:
        emit([{"run_id": name, "ingested": new} for name, new in found.items()], as_json)
    else:
        for name, new in found.items():
            print(f"{name}  {'ingested' if new else 'nothing new'}")
    raise typer.Exit(code)


@handling_app.command()
def pack(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new .duckdb file, or a folder for run directories.")],
    run_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Of a folder: runs' ids; default all that finished.")
    ] = None,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Copy results to hand on: small, and without the name and folders of this machine."""
    from workbench.runs.directory import resolve, run_folders, state_of
    from workbench.runs.packing import pack_runs
    from workbench.store.packing import pack_store

    if out.suffix == ".duckdb":
        if run_ids:
            raise InputError(f"{run_ids[0]}: a store is packed whole; give a folder for single runs")
        print(f"{out}  {pack_store(store, out)} runs, {out.stat().st_size / 2**20:.1f} MiB")
        return
    paths = RunsPaths(runs)
    chosen = [resolve(paths, text) for text in run_ids or ()]
    found = chosen or [run for run in run_folders(paths) if state_of(run) == "finished"]
    for run in pack_runs(found, out):
        print(run.root)


@handling_app.command()
def doctor(as_json: Json = False, store: Store = DEFAULT_STORE, runs: Runs = DEFAULT_RUNS) -> None:
    """Check the installation, the store, the runs and the disk."""
    from workbench.reports.doctor import examine
    from workbench.reports.output import emit

    findings = examine(store, RunsPaths(runs))
    emit(findings, as_json)
    if any(finding["state"] == "problem" for finding in findings):
        raise typer.Exit(1)


@handling_app.command()
def gc(
    checkpoints: Annotated[
        bool,
        typer.Option(
            "--checkpoints", help="Also those of stopped, failed and lost runs: they can then only start anew."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: Json = False,
    store: Store = DEFAULT_STORE,
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Free disk space: what kills and crashes left behind, and the checkpoints of finished runs."""
    from workbench.reports.output import emit, note
    from workbench.runs.cleaning import clean

    freed = clean(RunsPaths(runs), checkpoints=checkpoints, dry_run=dry_run)
    if as_json:
        emit([{"file": str(path), "bytes": size, "freed": not dry_run} for path, size in freed], as_json)
    else:
        for path, size in freed:
            print(f"{size / 2**20:10.1f} MiB  {path}")
    note(f"{'would free' if dry_run else 'freed'} {sum(size for _, size in freed) / 2**20:.1f} MiB")
