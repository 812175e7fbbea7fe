"""One run, looked at from all sides."""

import json
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from workbench.errors import InputError
from workbench.paths import RunPaths, RunsPaths
from workbench.records import Plain, RunSpec, from_plain, to_plain
from workbench.reports.leakage import marked, print_footnote
from workbench.reports.live import describe
from workbench.reports.overview import Row, run_matrix
from workbench.reports.rooted import rooted, swept_leaves
from workbench.reports.tables import print_table
from workbench.reports.translated import TRANSLATED_FOOTNOTE, machine_translated, translators_of_run, with_marks
from workbench.runs.directory import read_spec, resolve, run_folders, status
from workbench.runs.events import Event
from workbench.store.database import query
from workbench.store.rows import leaked, read_object

SYNTHETIC = """
with drawn as (select training_set, kind, sum(pairs) as pairs from sampled_pairs where run_id = $1 group by all),
made as (select training_set, kind, sum(pairs) as pairs from synthetic_pairs where run_id = $1 group by all)
select training_set, kind, drawn.pairs::bigint as pairs, made.pairs::bigint as synthetic,
    made.pairs / drawn.pairs as share
from made join drawn using (training_set, kind) order by all
"""
LOG_TAIL = 4000
"""Characters of a worker's own output that are shown."""
BY_ID = "select run_id from runs where contains(run_id, ?) order by run_id desc"


def run_details(text: str, store: Path | None, runs: RunsPaths, measure: str) -> dict[str, Any]:
    """Status, config, draws, leaks and language table of a run, from its directory, else from the store.

    Raises
    ------
    InputError
        There is no such run, several are meant, or it has no such measure.
    """
    try:
        run = resolve(runs, text)
    except InputError:
        stored = stored_run(store, text, runs)
        if stored is None:
            look_at_store(store, text, runs)
            raise
        return {**stored, **results_of(store, stored["run_id"], measure)}
    described = {**to_plain(status(run)), "config": to_plain(read_spec(run).settings), **environment_of(run)}
    results = results_of(store, run.run_id, measure)
    if results["leaked"] is None:
        results["leaked"] = leaked(described["environment"] or {})
    return {**described, **results}


def environment_of(run: RunPaths) -> dict[str, Any]:
    """Where the run works; a damaged record of it is a `problem`, and hides nothing else of the run."""
    try:
        return {"environment": read_object(run.environment) or None}
    except InputError as error:
        return {"environment": None, "problem": str(error)}


def run_of_store(store: Path | None, text: str) -> str:
    """The id of the stored run that `text` means; `text` itself where the store has none.

    Raises
    ------
    InputError
        Several stored runs are meant.
    """
    if store is None or not store.exists():
        return text
    found = [name for (name,) in query(store, BY_ID, [text]).rows]
    if text in found or not found:
        return text
    if len(found) > 1:
        raise several(store, text, found)
    return str(found[0])


def look_at_store(store: Path | None, text: str, runs: RunsPaths) -> None:
    """Of a run that is nowhere, say what else there is, where a store has some of it.

    Raises
    ------
    InputError
        The run is nowhere, and the store has others.
    """
    stored = query(store, BY_ID, [""]).rows if store is not None and store.exists() else []
    names = sorted({*(str(name) for (name,) in stored), *(run.run_id for run in run_folders(runs))}, reverse=True)
    if stored and not any(text in name for name in names):
        near = get_close_matches(text, names, n=3, cutoff=0.3) or names[:3]
        raise InputError(f"run {text!r}: no such run in {runs.root} or {store}; did you mean {' or '.join(near)}?")


def several(store: Path, text: str, run_ids: Sequence[str], why: str = "") -> InputError:
    more = f" and {len(run_ids) - 5} more" if len(run_ids) > 5 else ""
    return InputError(f"run {text!r}: several are meant: {', '.join(run_ids[:5])}{more} (of {store}{why})")


def stored_run(store: Path | None, text: str, runs: RunsPaths) -> Row | None:
    """A run whose directory is gone; None where the store has none, or where `text` means several directories.

    Raises
    ------
    InputError
        Several stored runs are meant.
    """
    if store is None or not store.exists():
        return None
    found = query(store, "select * from runs where contains(run_id, ?) order by run_id desc", [text]).dicts()
    exact = [row for row in found if row["run_id"] == text]
    if not exact and (not found or any(text in run.run_id for run in run_folders(runs))):
        return None
    if not exact and len(found) > 1:
        raise several(store, text, [row["run_id"] for row in found], "; their directories are gone")
    row = (exact or found)[0]
    return {
        **row,
        "config": json.loads(row["config"])["settings"],
        "environment": json.loads(row["environment"] or "null"),
    }


def run_settings(store: Path, runs: RunsPaths, run_id: str) -> Plain:
    """What a run's config says, from its directory, else from the store.

    Raises
    ------
    InputError
        There is no such run, or its config is damaged.
    """
    spec = spec_of(store, runs, run_id)
    if spec is None:
        return dict(stored_config(store, runs, run_id)["settings"])
    plain: Plain = to_plain(spec.settings)
    return plain


def cloned(store: Path, runs: RunsPaths, run_id: str, folder: Path) -> Plain:
    """A config that does what a run did, from `folder`: paths of a run that was made elsewhere are whole ones.

    A sweep of one value has its arm named as the run's is, so that another seed is a seed of the same arm.

    Raises as `run_settings` does.
    """
    spec = spec_of(store, runs, run_id)
    if spec is None:
        return run_settings(store, runs, run_id)
    is_here = Path(spec.folder) == folder.resolve()
    settings = spec.settings if is_here else rooted(spec.settings, spec)
    swept = {} if settings.label else swept_leaves(spec.arm, spec.settings, settings)
    sweep = {"sweep": {key: [value] for key, value in json.loads(json.dumps(swept)).items()}} if swept else {}
    return {**to_plain(settings), **sweep}


def spec_of(store: Path, runs: RunsPaths, run_id: str) -> RunSpec | None:
    """A run's frozen config; None where another version of the workbench wrote it and only the store has it."""
    run = runs.run(run_id)
    if run.config.exists():
        return read_spec(run)
    try:
        spec: RunSpec = from_plain(RunSpec, stored_config(store, runs, run_id))
    except TypeError:
        return None
    return spec


def stored_config(store: Path, runs: RunsPaths, run_id: str) -> Plain:
    """A run's frozen config as the store has it."""
    found = query(store, "select config from runs where run_id = ?", [run_id]).rows if store.exists() else []
    if not found:
        raise InputError(f"run {run_id!r}: neither in {runs.root} nor in {store}")
    plain: Plain = json.loads(found[0][0])
    return plain


def results_of(store: Path | None, run_id: str, measure: str) -> dict[str, Any]:
    if store is None or not store.exists():
        return {"leaked": None, "leakage": [], "batches": [], "pairs": [], "synthetic": [], "cells": {},
                "translated": {}}  # fmt: skip
    marks = query(store, "select leaked from runs where run_id = ?", [run_id]).rows
    return {
        "leaked": marks[0][0] if marks else None,
        "leakage": query(
            store, "select * exclude (run_id, task_id) from leakage where run_id = ? order by all", [run_id]
        ).dicts(),
        "batches": query(
            store, "select training_set, kind, batches from sampled_batches where run_id = ? order by all", [run_id]
        ).dicts(),
        "pairs": query(
            store,
            "select kind, query_language, passage_language, sum(pairs)::bigint as pairs from sampled_pairs "
            "where run_id = ? group by all order by all",
            [run_id],
        ).dicts(),
        "synthetic": query(store, SYNTHETIC, [run_id]).dicts(),
        "cells": run_matrix(store, run_id, measure),
        "translated": translators_of_run(store, run_id),
    }


def print_run(details: dict[str, Any], measure: str) -> None:
    """Print it for reading."""
    facts = ("run_id", "state", "experiment", "arm", "seed", "device", "host", "updated", "message", "problem")
    named = {**details, "run_id": marked(details["run_id"], details["leaked"])}
    print_table([{"": name, " ": named[name]} for name in facts if details.get(name) is not None])
    print_footnote([details])
    print()
    print(yaml.safe_dump(details["config"], sort_keys=False, allow_unicode=True), end="")
    if details["leakage"]:
        print()
        print_table(details["leakage"], title="texts of the evaluation tasks in the training texts")
    if details["batches"]:
        print()
        print_table(details["batches"], title="batches drawn")
        print()
        print_table(pair_matrix(details["pairs"]), title="pairs drawn: query language x passage language")
    if details["synthetic"]:
        print()
        print_table(details["synthetic"], title="pairs drawn that are synthetic: either text was made by a machine")
    for task, rows in details["cells"].items():
        print()
        synthetic = machine_translated(details["translated"].get(task, {}))
        lines = with_marks(rows, synthetic)
        print_table(lines, title=f"{task}: {measure}, query language x pool language (* = all together)")
        print_footnote([details])
        if synthetic:
            print(TRANSLATED_FOOTNOTE)


def pair_matrix(pairs: list[Row]) -> list[Row]:
    """Counts over all kinds of batches as a table of language pairs."""
    languages = sorted({row["passage_language"] for row in pairs})
    counts: dict[str, Row] = {}
    for row in pairs:
        line = counts.setdefault(row["query_language"], dict.fromkeys(languages, 0))
        line[row["passage_language"]] += row["pairs"]
    return [{"query": language, **line} for language, line in sorted(counts.items())]


def print_events(events: Iterable[Event], as_json: bool) -> None:
    for event in events:
        line = json.dumps(event, ensure_ascii=False) if as_json else f"{event['time'][:19]}  {describe(event)}"
        print(line, flush=True)


def worker_output(run: RunPaths) -> str:
    """The end of what the worker printed itself, which a good run hardly does."""
    if not run.log.is_file():
        return ""
    return run.log.read_text(errors="replace")[-LOG_TAIL:].strip()
