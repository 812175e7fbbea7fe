"""One run as a screen shows it: its course from the events, its tables from the store, its config from either."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.runs.conftest import make_spec
from tests.store.synthetic import Tiny, evaluate, write_run
from workbench.errors import InputError
from workbench.paths import RunsPaths
from workbench.reports.run_view import Cells, Course, flat, newest_run, run_view, unseen
from workbench.runs.directory import create_run
from workbench.runs.events import EventLog
from workbench.store.database import ingest

RUN_ID = "20261122-1403-hybrid-a50-s0-7f3c"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A finished run, in its directory and in the store."""
    ingest(tmp_path / "results.duckdb", write_run(tmp_path / "runs", RUN_ID, results=evaluate(Tiny())))
    return tmp_path


def view_of(home: Path, run_id: str = RUN_ID) -> Any:
    return run_view(home / "results.duckdb", RunsPaths(home / "runs"), run_id)


def course_of(folder: Path, *events: dict[str, Any]) -> Course:
    run = create_run(RunsPaths(folder / "runs"), make_spec())
    with EventLog(run.events) as log:
        for event in events:
            log.write(event["kind"], **{name: value for name, value in event.items() if name != "kind"})
    course = Course(run)
    course.look()
    return course


def test_a_course_is_read_on_from_where_it_was_and_the_last_word_on_a_step_counts(tmp_path: Path) -> None:
    course = course_of(tmp_path, {"kind": "step", "step": 1, "loss": 2.0}, {"kind": "step", "step": 2, "loss": None})
    assert course.curve("loss") == ([1], [2.0]) and not course.look()
    with EventLog(course.run.events) as log:
        log.write("validation", step=2, loss=0.5)
        log.write("step", step=1, loss=3.0)
    assert course.look() and course.curve("loss") == ([1], [3.0])
    assert course.curve("validation_loss") == ([2], [0.5])
    assert len(course.lines) == 5 and course.lines[-1].endswith("step 1/?  loss 3.0000")


def test_what_was_drawn_is_known_by_kind_before_the_sampler_has_told(tmp_path: Path) -> None:
    steps = [{"kind": "step", "step": n, "batch_kind": kind} for n, kind in enumerate(("mono", "cross", "mono", None))]
    course = course_of(tmp_path, *steps)
    assert course.drawn() == (
        [
            {"training_set": "", "kind": "cross", "batches": 1},
            {"training_set": "", "kind": "mono", "batches": 2},
        ],
        [],
    )
    counts = [
        {"training_set": "demo", "kind": "mono", "batches": 2, "pairs": {"en>en": 7}},
        {"training_set": "demo", "kind": "cross", "batches": 1, "pairs": {"en>de": 3, "en>en": 1}},
        "damaged",
    ]
    with EventLog(course.run.events) as log:
        log.write("sampled", counts=counts)
        log.write("sampled", counts=None)
    course.look()
    batches, pairs = course.drawn()
    assert [row["batches"] for row in batches] == [2, 1]
    assert [tuple(row.values()) for row in pairs] == [("en", "de", 3), ("en", "en", 8)]


def test_a_finished_run_has_its_cells_and_a_stored_one_its_steps_too(home: Path) -> None:
    view = view_of(home)
    rows, pools = view.tasks["tiny"].languages("map")
    assert rows == ["en", "th", "zh"] and pools == ["en", "th", "zh", "*"]
    assert view.facts["state"] == "finished" and view.steps == {} and "torch" in view.environment
    shutil.rmtree(home / "runs")
    stored = view_of(home)
    assert stored.tasks == view.tasks and stored.config == view.config
    assert sorted(stored.environment.splitlines()) == sorted(view.environment.splitlines())
    assert set(stored.steps) == {1, 2, 3, 4} and stored.steps[4]["loss"] == 0.5
    assert stored.facts["experiment"] == view.facts["experiment"] == "pilot"


def test_a_run_without_results_is_shown_before_there_is_a_store(tmp_path: Path) -> None:
    run = create_run(RunsPaths(tmp_path / "runs"), make_spec())
    run.log.write_text("Traceback\nKilled\n")
    view = view_of(tmp_path, run.run_id)
    assert view.facts["state"] == "queued" and view.tasks == {} and view.unseen == frozenset()
    assert view.output == "Traceback\nKilled" and view.environment == "" and view.leaked is None
    assert yaml.safe_load(view.config)["name"] == "quick"


def test_a_damaged_environment_hides_nothing_and_a_run_that_is_not_there_is_an_error(home: Path) -> None:
    RunsPaths(home / "runs").run(RUN_ID).environment.write_text("{")
    assert view_of(home).environment == "" and view_of(home).tasks
    for place in (home, home / "nothing"):
        with pytest.raises(InputError, match="neither in"):
            view_of(place, "20261122-1403-none-s0-7f3c")


def test_cells_with_machine_translated_questions_are_told(tmp_path: Path) -> None:
    results = evaluate(Tiny())
    results.tasks = [Tiny().described(options={"notes": {"translated": json.dumps({"en>th": "nllb"})}})]
    ingest(tmp_path / "results.duckdb", write_run(tmp_path / "runs", RUN_ID, results=results))
    assert ("en", "th") in view_of(tmp_path).tasks["tiny"].translated
    assert ("en", "zh") not in view_of(tmp_path).tasks["tiny"].translated


def test_unseen_are_the_languages_of_the_tasks_that_no_training_pair_has() -> None:
    tasks = {"a": Cells({"map": {("de", "en"): 0.5, ("zh", "*"): 0.1}}, frozenset())}
    pairs = [
        {"query_language": "de", "passage_language": "fr", "pairs": 3},
        {"query_language": "zh", "passage_language": "zh", "pairs": 0},
    ]
    assert unseen(tasks, pairs) == {"en", "zh"} and unseen(tasks, []) == frozenset()


def test_an_environment_is_told_in_lines() -> None:
    lines = flat({"versions": {"torch": "2"}, "threads": 2, "gpus": [], "note": {}})
    assert [line.split() for line in lines] == [
        ["versions.torch", "2"],
        ["threads", "2"],
        ["gpus", "[]"],
        ["note", "{}"],
    ]


def test_the_newest_run_is_that_of_the_directories_and_the_store(home: Path) -> None:
    store, runs = home / "results.duckdb", RunsPaths(home / "runs")
    assert newest_run(store, runs) == RUN_ID
    create_run(runs, make_spec("20261123-0900-hybrid-a50-s0-cccc"))
    assert newest_run(store, runs) == "20261123-0900-hybrid-a50-s0-cccc"
    shutil.rmtree(runs.root)
    assert newest_run(store, runs) == RUN_ID and newest_run(home / "none", runs) is None
