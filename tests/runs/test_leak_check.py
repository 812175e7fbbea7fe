"""What a run does with training pairs that hold texts of its tasks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.data.leaks.leak_examples import TrainingRow, make_set, make_task
from workbench.config import expand, freeze
from workbench.data.demo import retrieval_task, training_pairs
from workbench.errors import InputError
from workbench.paths import RunPaths, RunsPaths
from workbench.records import PairSetSpec, TrainSpec
from workbench.runs.directory import create_run
from workbench.runs.events import read_events
from workbench.runs.leak_check import TABLE, Checked, check_leaks

TASK = make_task([("en", "where is it"), ("en", "who")], [("en", "it is here."), ("de", "es ist hier")])
ROWS: list[TrainingRow] = [
    ("a", "en", "Where is it", "nowhere"),
    ("a", "de", "wo ist es", "nirgends"),
    ("b", "en", "what", "IT IS HERE."),
    ("c", "de", "was", "das"),
    ("c", "en", "what", "that", "It is here."),
    ("d", "de", "wie", "so"),
]


def check(on_leak: str, *rows: TrainingRow) -> Checked:
    spec = TrainSpec(sets={"mine": PairSetSpec()}, on_leak=on_leak)  # type: ignore[arg-type]
    return check_leaks(spec, [make_set(rows or ROWS, "mine")], [TASK], lambda *_: None)


def test_pairs_are_dropped_and_their_rows_stay() -> None:
    checked = check("drop")
    (pairs,) = checked.sets
    assert list(pairs.pair_ids) == ["a", "b", "c", "d"] and pairs.has.any(axis=1).tolist() == [False] * 3 + [True]
    assert checked.facts == {"on_leak": "drop", "hits": 2, "pairs": 3, "leaked": False}
    rows = checked.table.to_pylist()
    place = {"task": "task", "training_set": "mine", "language": "en"}
    assert rows == [
        {**place, "kind": "query", "texts": 2, "hits": 1, "exact": 1, "pairs": 1, "dropped": True},
        {**place, "kind": "passage", "texts": 1, "hits": 1, "exact": 1, "pairs": 2, "dropped": True},
    ]
    assert checked.messages == (
        "train.sets.mine: 3 of 4 pairs hold texts of evaluation tasks: task (en 1 query, 1 passage, such as query q00 "
        "in pair a); they are left out (train.on_leak: drop)",
    )


def test_pairs_stay_and_the_run_is_marked() -> None:
    checked = check("warn")
    assert checked.sets[0].has.any(axis=1).all()
    assert checked.facts == {"on_leak": "warn", "hits": 2, "pairs": 3, "leaked": True}
    assert checked.table["dropped"].to_pylist() == [False, False]
    assert "they stay, and the run is marked (train.on_leak: warn)" in checked.messages[0]


def test_the_run_ends_where_it_is_told_to() -> None:
    with pytest.raises(InputError, match=r"train\.on_leak is 'fail': train\.sets\.mine: 3 of 4 pairs .* in pair a\)"):
        check("fail")
    assert check("fail", ROWS[-1]).messages == ()


def test_a_set_without_a_pair_left_is_refused() -> None:
    with pytest.raises(InputError, match=r"train\.sets\.mine: each of its 2 pairs .*train\.on_leak: warn"):
        check("drop", *ROWS[:3])
    assert check("warn", *ROWS[:3]).facts["leaked"]


def test_without_a_common_language_nothing_is_known() -> None:
    checked = check("fail", ("a", "fr", "où", "ici"))
    assert checked.facts["leaked"] is None and len(checked.table) == 0
    assert "no language in common" in checked.messages[0]


def test_nothing_found_leaves_the_sets_as_they_are_and_a_table_without_rows() -> None:
    pairs, task = training_pairs(("de", "en")), retrieval_task(("de", "en"))
    told: list[int] = []
    checked = check_leaks(
        TrainSpec(sets={"demo": PairSetSpec()}), [pairs], [task], lambda stage, done, total: told.append(done)
    )
    assert np.array_equal(checked.sets[0].queries, pairs.queries) and checked.messages == ()
    assert checked.facts == {"on_leak": "drop", "hits": 0, "pairs": 0, "leaked": False}
    assert len(checked.table) == 0 and checked.table.schema == TABLE
    assert told == sorted(told) and told[-1] > 7000


def prepared(folder: Path, on_leak: str) -> RunPaths:
    """A run whose second training set has a passage of the task."""
    row = {"pair_id": "leak", "lang": "en", "query": "Anything else?"}
    passage = retrieval_task(("en",)).passage_texts[0]
    rows = [{**row, "passage": passage}, {**row, "pair_id": "fine", "passage": "No."}]
    (folder / "mine.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    content = {
        "name": "leaky",
        "device": "cpu",
        "threads": 1,
        "model": {"builtin": {"dimension": 16, "buckets": 1024}},
        "train": {
            "sets": {"demo": {"languages": ["de", "en"], "pairs": 100}, "mine": {"path": str(folder / "mine.jsonl")}},
            "sampling": {"strategy": "english"},
            "steps": 4,
            "batch_size": 4,
            "on_leak": on_leak,
        },
        "evaluate": {"tasks": {"demo": {"languages": ["de", "en"]}}},
        "keep": "nothing",
    }
    return create_run(RunsPaths(folder / "runs"), freeze(expand(content, "test"), folder)[0])


def work(run: RunPaths) -> int:
    command = [sys.executable, "-m", "workbench.runs.worker", str(run.root)]
    return subprocess.run(command, capture_output=True, timeout=60).returncode


@pytest.mark.parametrize(("on_leak", "code"), [("drop", 0), ("warn", 0), ("fail", 2)])
def test_the_worker_says_and_writes_what_it_found(tmp_path: Path, on_leak: str, code: int) -> None:
    run = prepared(tmp_path, on_leak)
    assert work(run) == code, run.events.read_text()
    events = read_events(run.events)
    told = [e["message"] for e in events if e["kind"] == ("error" if code else "warning") and "mine" in e["message"]]
    assert "train.sets.mine: 1 of 2 pairs hold texts" in told[0] and "pair leak" in told[0]
    environment = json.loads(run.environment.read_text())
    assert environment["seconds"]["leakage"] > 0
    if code:
        assert not any(event["kind"] == "step" for event in events) and "leakage" not in environment
        return
    assert environment["leakage"] == {"on_leak": on_leak, "hits": 1, "pairs": 1, "leaked": on_leak == "warn"}
    (row,) = pq.read_table(run.results / "leakage.parquet").to_pylist()
    assert (row["training_set"], row["kind"], row["dropped"]) == ("mine", "passage", on_leak == "drop")
