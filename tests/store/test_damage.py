"""Damaged and contradicting run directories, strange names: told, and the store stays as it was."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from tests.store.looking import counts, rows_of, written
from tests.store.synthetic import COLUMNS, Tiny, evaluate, make_settings, write_run, write_table
from workbench.errors import InputError
from workbench.paths import RunPaths
from workbench.store.database import ingest, query


def cut(file: str) -> Callable[[RunPaths], None]:
    def damage(run: RunPaths) -> None:
        path = run.results / file
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return damage


def remove(file: str) -> Callable[[RunPaths], None]:
    return lambda run: (run.results / file).unlink()


def change(file: str, edit: Callable[[list[dict[str, Any]]], Any], drop: str = "") -> Callable[[RunPaths], None]:
    """Rewrite a table after `edit` had its rows, without the column `drop`."""

    def damage(run: RunPaths) -> None:
        path = run.results / f"{file}.parquet"
        rows = pq.read_table(path).to_pylist()
        edit(rows)
        write_table(path, rows, [name for name in COLUMNS[file].split() if name != drop])

    return damage


def change_tasks(**changed: Any) -> Callable[[RunPaths], None]:
    return write("results/tasks.json", json.dumps([Tiny().described(**changed)]))


def write(name: str, text: str) -> Callable[[RunPaths], None]:
    def damage(run: RunPaths) -> None:
        (run.root / name).write_text(text)

    return damage


def rename_config(run: RunPaths) -> None:
    plain = yaml.safe_load(run.config.read_text())
    run.config.write_text(yaml.safe_dump({**plain, "run_id": "another"}))


DAMAGES = {
    "a cut parquet file": (cut("measurements.parquet"), "measurements.parquet: damaged"),
    "cut tasks": (cut("tasks.json"), "tasks.json: damaged"),
    "tasks that are no list": (write("results/tasks.json", '{"task": 1}'), "tasks.json: damaged"),
    "no tasks": (remove("tasks.json"), "tasks.json: No such file"),
    "no ranks": (remove("relevant_ranks.parquet"), "relevant_ranks.parquet: missing"),
    "no queries": (remove("queries.parquet"), "queries.parquet: missing"),
    "a column missing": (change("relevant_ranks", lambda rows: None, "rank"), 'column "rank" not found'),
    "an environment that is none": (write("environment.json", "[]"), "environment.json: damaged"),
    "threads that are words": (write("environment.json", '{"threads": "many"}'), "many"),
    "a time that is none": (write("environment.json", '{"started": "noon"}'), "'noon' is no ISO 8601 time"),
    "a config that is none": (write("config.yaml", "run_id: [x"), "config.yaml"),
    "a config of another run": (rename_config, "config.yaml is of the run another"),
    "a rank of 0": (change("relevant_ranks", lambda rows: rows[3].update(rank=0)), "rank 0 of query"),
    "a null id": (change("relevant_ranks", lambda rows: rows[3].update(query_id=None)), "NOT NULL"),
    "a task not listed": (
        change("measurements", lambda rows: rows[3].update(task="foreign")),
        "measurements.parquet: unknown task foreign; tasks.json lists tiny",
    ),
    "a query not listed": (
        change("relevant_ranks", lambda rows: rows[3].update(query_id="q99")),
        "relevant_ranks.parquet: query q99 of task tiny is not in queries.parquet",
    ),
    "a query twice": (change("queries", lambda rows: rows.append(rows[0])), "queries.parquet: occurs more than once"),
    "a measure twice": (
        change("measurements", lambda rows: rows.append(rows[0])),
        "measurements.parquet: occurs more than once: tiny monolingual en en map",
    ),
    "a passage ranked twice": (
        change("relevant_ranks", lambda rows: rows.append({**rows[0], "rank": 9})),
        "passage en:0 is ranked more than once for query q0",
    ),
    "two relevances of a passage": (
        change("relevant_ranks", lambda rows: rows[0].update(relevance=9)),
        "relevant_ranks.parquet: query q0 and passage en:0 have the relevances",
    ),
    "two languages of a passage": (
        change("relevant_ranks", lambda rows: rows[0].update(passage_language="fr")),
        "passage en:0 is in the languages",
    ),
}


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A store with one run, which no test changes, and its numbers of rows."""
    folder = tmp_path_factory.mktemp("settled")
    ingest(folder / "results.duckdb", write_run(folder / "runs"))
    return folder / "results.duckdb", counts(folder / "results.duckdb")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_is_told_and_leaves_the_store_as_it_was(
    settled: tuple[Path, dict[str, int]], tmp_path: Path, damage: str
) -> None:
    store, before = settled
    run = write_run(tmp_path / "runs", "20261122-1404-mono-s1-2222")
    do_damage, message = DAMAGES[damage]
    do_damage(run)
    with pytest.raises(InputError) as caught:
        ingest(store, run)
    assert message in str(caught.value)
    assert str(run.root) in str(caught.value) and "\n" not in str(caught.value)
    assert counts(store) == before


CONTRADICTIONS = {
    "fingerprint": (change_tasks(fingerprint="0" * 12), "a stored task that differs in fingerprint"),
    "options": (change_tasks(options={"passage_text": "sentence_paragraph"}), "differs in options"),
    "pool": (change_tasks(candidates={"en": 1, "th": 1, "zh": 1}), "differs in candidates"),
    "paragraph": (change("queries", lambda rows: rows[0].update(paragraph="p9")), "query q0 is stored with another"),
    "relevance": (
        change("relevant_ranks", lambda rows: [row.update(relevance=5) for row in rows]),
        "have the relevances",
    ),
    "language": (
        change("relevant_ranks", lambda rows: [row.update(passage_language="fr") for row in rows]),
        "is in the languages",
    ),
}


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_results_that_contradict_a_stored_task_are_refused(
    settled: tuple[Path, dict[str, int]], tmp_path: Path, contradiction: str
) -> None:
    store, before = settled
    run = write_run(tmp_path / "runs", "20261122-1404-mono-s1-2222")
    do_damage, message = CONTRADICTIONS[contradiction]
    do_damage(run)
    (run.results / "top_passages.parquet").unlink()
    with pytest.raises(InputError, match=message):
        ingest(store, run)
    assert counts(store) == before


def test_a_contradiction_ends_when_the_task_has_another_id(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    run = write_run(tmp_path / "runs", "20261122-1404-mono-s1-2222")
    change("queries", lambda rows: rows[0].update(paragraph="p9"))(run)
    change_tasks(task_id="ffffffffffff")(run)
    assert ingest(store, run)
    rows = query(store, "select task_id, paragraph from queries where query_id = 'q0' order by all").rows
    assert rows == [("0123456789ab", "p0"), ("ffffffffffff", "p9")]


def test_a_task_under_two_names_is_kept_under_both(store: Path, tmp_path: Path) -> None:
    ingest(store, write_run(tmp_path / "runs"))
    ingest(store, write_run(tmp_path / "runs", "20261122-1404-mono-s1-2222", results=evaluate(Tiny("renamed"))))
    assert query(store, "select task, task_id from tasks order by all").rows == [
        ("renamed", "0123456789ab"),
        ("tiny", "0123456789ab"),
    ]
    assert query(store, "select task, count(*) from relevant_ranks group by all").rows


def test_a_language_that_only_first_places_left_open_is_filled_in_later(store: Path, tmp_path: Path) -> None:
    results = evaluate(Tiny())
    multilingual = [row for row in results.tables["top_passages"] if row["pool_language"] == "*"]
    multilingual[0]["passage_id"] = "th:11"  # relevant to no question
    results.tables["top_passages"] = multilingual
    ingest(store, write_run(tmp_path / "runs", results=results))
    assert query(store, "select passage_language from first_passages where passage_id = 'th:11'").rows[0] == (None,)
    ingest(store, write_run(tmp_path / "runs", "20261122-1404-mono-s1-2222", results=evaluate(Tiny(), seed=3)))
    named = query(store, "select distinct passage_id, passage_language from first_passages").rows
    assert all(language in (None, passage.split(":")[0]) for passage, language in named)


def test_strange_strings_are_only_strings(store: Path, tmp_path: Path) -> None:
    strange = "'); drop table stored.runs; --"
    task = Tiny("runs[/a] \"quoted\" 'x'", "0'1", ("日本", "e'n"), query_prefix="ü[]{}$1?*\n\t\\ " + strange)
    results = evaluate(task)
    folder = tmp_path / "a[b]*? =c=d" / "it's"
    run = write_run(folder, results=results, settings=make_settings(name=strange))
    assert ingest(store, run)
    assert rows_of(store, "relevant_ranks", COLUMNS["relevant_ranks"]) == written(
        results, "relevant_ranks", COLUMNS["relevant_ranks"]
    )
    assert query(store, "select experiment from runs where experiment = $name", {"name": strange}).rows == [(strange,)]


def test_a_store_may_have_a_strange_name(tmp_path: Path) -> None:
    store = tmp_path / "it's [my] 'store?'; drop.duckdb"
    assert ingest(store, write_run(tmp_path / "runs"))
    assert query(store, "select count(*) from runs").rows == [(1,)]
