"""What is said of leaks, and how runs that trained on them are marked."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.store.synthetic import Tiny, evaluate, make_settings, write_run
from workbench.config import expand, freeze
from workbench.errors import InputError
from workbench.paths import RunsPaths
from workbench.reports.details import print_run, run_details
from workbench.reports.leakage import FOOTNOTE, check_specs, common_parts, print_leakage
from workbench.reports.output import print_arms, print_runs
from workbench.reports.overview import arm_figures, arm_table, listing_table, run_listing
from workbench.store.database import ingest

RUN_ID = "20261122-1403-hybrid-a50-s0-7f3c"
FOUND = {"task": "tiny", "training_set": "help", "language": "th", "kind": "passage"}


def stored_run(folder: Path, leaked: bool | None, run_id: str = RUN_ID, **given: Any) -> Path:
    """A store with a run that was checked, or not."""
    results = evaluate(Tiny())
    if leaked is not None:
        row = {**FOUND, "texts": 12, "hits": 3, "exact": 1, "pairs": 2, "dropped": not leaked}
        results.tables["leakage"] = [row]
    environment = {} if leaked is None else {"leakage": {"on_leak": "warn", "leaked": leaked}}
    run = write_run(folder / "runs", run_id, results=results, environment=environment, **given)
    ingest(folder / "results.duckdb", run)
    return folder / "results.duckdb"


@pytest.mark.parametrize("leaked", [True, False, None])
def test_every_table_marks_a_run_that_trained_on_leaks(
    tmp_path: Path, leaked: bool | None, capsys: pytest.CaptureFixture[str]
) -> None:
    store = stored_run(tmp_path, leaked)
    stored_run(tmp_path, None, "20261122-1404-mono-s0-7f3c", arm="mono-2d8f10", settings=make_settings("mono"))
    arm = "hybrid-a50-1c9e07"
    print_arms(store, [arm, "mono-2d8f10"], False)
    out = capsys.readouterr().out
    assert (f"{arm} †" in out, FOOTNOTE in out, f"difference from {arm} †" in out) == (leaked is True,) * 3
    assert "mono-2d8f10 †" not in out
    print_runs(run_listing(RunsPaths(tmp_path / "runs"), store))
    out = capsys.readouterr().out
    assert (f"{RUN_ID} †" in out, FOOTNOTE in out) == (leaked is True,) * 2
    details = run_details(RUN_ID, store, RunsPaths(tmp_path / "runs"), "map")
    print_run(details, "map")
    out = capsys.readouterr().out
    assert (f"{RUN_ID} †" in out, FOOTNOTE in out) == (leaked is True,) * 2
    assert ("in the training texts" in out) == (leaked is not None)


def test_programs_get_it_as_a_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = stored_run(tmp_path, True)
    print_arms(store, ["hybrid-a50-1c9e07"], True)
    assert {row["leaked"] for row in json.loads(capsys.readouterr().out)} == {True}
    assert [row["leaked"] for row in run_listing(RunsPaths(tmp_path / "runs"), store)] == [True]
    assert [row["leaked"] for row in run_listing(RunsPaths(tmp_path / "none"), store)] == [True]
    assert [row["leaked"] for row in run_listing(RunsPaths(tmp_path / "runs"), None)] == [True]
    details = run_details(RUN_ID, store, RunsPaths(tmp_path / "runs"), "map")
    assert details["leaked"] is True
    assert details["leakage"] == [{**FOUND, "texts": 12, "hits": 3, "exact": 1, "pairs": 2, "dropped": False}]
    alone = run_details(RUN_ID, None, RunsPaths(tmp_path / "runs"), "map")
    assert alone["leaked"] is True and alone["leakage"] == []
    RunsPaths(tmp_path / "runs").run(RUN_ID).environment.write_text("{")
    assert [row["leaked"] for row in run_listing(RunsPaths(tmp_path / "runs"), None)] == [None]
    assert [row["leaked"] for row in run_listing(RunsPaths(tmp_path / "runs"), store)] == [True]


# -------------------------------------------------------------------------------------------------- options of tasks


def with_options(folder: Path, **options: Any) -> Path:
    results = evaluate(Tiny())
    results.tasks = [Tiny().described(options=options)]
    ingest(folder / "results.duckdb", write_run(folder / "runs", results=results))
    return folder / "results.duckdb"


def test_a_table_says_which_languages_its_means_leave_out(tmp_path: Path) -> None:
    store = with_options(tmp_path, leave_out=["en", "zh"])
    figures = arm_figures(store, ["hybrid-a50-1c9e07"])
    assert figures[0]["leave_out"] == ["en", "zh"] and figures[0]["task"] == "tiny"
    (line,) = arm_table(figures)
    assert line["task"] == "tiny, without en zh" and "pool" not in line
    (row,) = run_listing(RunsPaths(tmp_path / "runs"), store)
    assert row["leave_out"] == {"tiny": ["en", "zh"]}
    assert listing_table([row])[0]["task"] == "tiny, without en zh"


def test_a_task_that_was_searched_to_a_depth_has_its_pool_beside_it(tmp_path: Path) -> None:
    store = with_options(tmp_path, depth=1000)
    (line,) = arm_table(arm_figures(store, ["hybrid-a50-1c9e07"]))
    assert line["pool"] == 36 and list(line)[:4] == ["arm", "task", "pool", "depth"]


def test_cells_with_machine_translated_questions_are_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = {"en>th": "nllb", "th>zh": "human", "zh>en": "human, nllb"}
    store = with_options(tmp_path, notes={"translated": json.dumps(cells), "splitter": "one 1.0"})
    details = run_details(RUN_ID, store, RunsPaths(tmp_path / "runs"), "map")
    assert details["translated"] == {"tiny": cells}
    print_run(details, "map")
    table = capsys.readouterr().out.partition("tiny: map")[2].splitlines()[1:]
    marks = {line.split()[0]: [field.endswith("‡") for field in line.split()[1:]] for line in table[1:4]}
    assert table[0].split() == ["query", "en", "th", "zh", "*"]
    assert marks == {"en": [False, True, False, True], "th": [False] * 4, "zh": [True, False, False, True]}
    assert table[4].startswith("‡ some or all questions were translated")


# ----------------------------------------------------------------------------------------------- `workbench data check`


def write_pairs(file: Path, *passages: str) -> None:
    rows = [{"pair_id": f"p{n}", "lang": "de", "query": f"was {n}", "passage": text} for n, text in enumerate(passages)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_configs_are_checked_each_set_and_task_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.data.demo import retrieval_task

    leaked = retrieval_task(("de",)).passage_texts[0]
    write_pairs(tmp_path / "mine.jsonl", "nichts", f"  {leaked.upper()}")
    train = {"sets": {"mine": {"path": "mine.jsonl"}}, "steps": 1, "sampling": {"strategy": "mono"}}
    content = {"name": "x", "train": train, "evaluate": {"tasks": {"demo": {"languages": ["de"]}}}, "seed": [0, 1, 2]}
    rows = check_specs(freeze(expand({**content, "seed": 0}, "test"), tmp_path) * 3)
    assert [(row["kind"], row["texts"], row["hits"]) for row in rows] == [("query", 300, 0), ("passage", 720, 1)]
    (example,) = rows[1]["examples"]
    assert (example["evaluation_id"], example["pair_id"]) == ("de-0400-00", "p1")
    print_leakage(rows)
    out = capsys.readouterr().out
    assert "de-0400-00" in out and leaked[:30] in out and leaked.upper()[:30] in out and out.count("mine") == 2
    write_pairs(tmp_path / "mine.jsonl", "nichts")
    print_leakage(check_specs(freeze(expand({**content, "seed": 0}, "test"), tmp_path)))
    assert capsys.readouterr().out.startswith("no text of the evaluation tasks stands in the training texts")


def test_without_training_there_is_nothing_to_check(tmp_path: Path) -> None:
    content = {"name": "x", "evaluate": {"tasks": {"demo": {}}}}
    with pytest.raises(InputError, match="no run of the config trains"):
        check_specs(freeze(expand(content, "test"), tmp_path))


def test_long_texts_are_cut_around_what_they_share() -> None:
    shared = "das ist der gemeinsame Satz von beiden Texten"
    left, right = f"{'a ' * 300}{shared}{' b' * 300}", f"{shared} {'c ' * 400}"
    cuts = common_parts(left, right)
    assert all(shared in part and len(part) <= 162 for part in cuts)
    assert cuts[0].startswith("…") and cuts[0].endswith("…") and cuts[1].startswith(shared)
    assert common_parts("kurz", "") == ("kurz", "")


def test_nothing_in_a_text_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    example = {"evaluation_id": "c\x1b[2J", "pair_id": "p\n1", "evaluation_text": "a\x1b[31m\nb", "training_text": "c"}
    row = {**FOUND, "texts": 1, "hits": 1, "exact": 0, "pairs": 1, "examples": [example]}
    print_leakage([row])
    assert "\x1b" not in (out := capsys.readouterr().out) and "p 1 of help" in out
