"""The commands about data sets, in processes of their own."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.data.test_fetching import write_repository
from tests.test_cli import rows, workbench

CONFIG = """
name: tydiqa
threads: 1
model:
  builtin: {dimension: 16, buckets: 1024}
evaluate:
  tasks: {tydiqa_r: {}}
"""
LEAKY = """
name: leaky
threads: 1
model:
  builtin: {dimension: 16, buckets: 1024}
train:
  sets: {mine: {path: pairs.jsonl}}
  sampling: {strategy: mono}
  steps: 2
  batch_size: 2
evaluate:
  tasks: {demo: {languages: [de, en]}}
"""


def answered(number: int, language: str, context: str, question: str, answer: str) -> dict[str, object]:
    answers = {"text": [answer], "answer_start": [context.index(answer)]}
    return {
        "id": f"{language}-{number}-0",
        "title": f"T{number}",
        "context": context,
        "question": question,
        "answers": answers,
    }


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The gold passages of two languages, as the hub has them."""
    dev = [
        answered(1, "swahili", "Mji ni mkubwa. Mto unaitwa Rufu.", "Mto unaitwaje?", "Rufu"),
        answered(2, "bengali", "নগরটি পুরানো। নদীর নাম রুফা।", "নদীর নাম কী?", "রুফা"),
    ]
    return write_repository(tmp_path / "copy", {"secondary_task/train": dev[:1], "secondary_task/validation": dev})


def test_the_list_says_what_is_here(tmp_path: Path, repository: Path) -> None:
    before = {row["name"]: row for row in rows(tmp_path, "data")}
    assert before["xquad_r"]["languages"] == "ar de el en es hi ru th tr vi zh"
    assert (before["tydiqa_r"]["here"], before["demo"]["here"]) == ("no", "built in")
    workbench(tmp_path, "data", "fetch", "tydiqa_r", "--from", str(repository))
    assert {row["name"]: row["here"] for row in rows(tmp_path, "data")}["tydiqa_r"] == "yes"
    assert "tydiqa_r" in workbench(tmp_path, "data")[0]


def test_a_fetched_set_needs_no_path(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "tydiqa.yaml").write_text(CONFIG)
    error = workbench(tmp_path, "run", "tydiqa.yaml", code=2)[1]
    assert "evaluate.tasks.tydiqa_r.path: tydiqa_r is not on this machine: `workbench data fetch tydiqa_r`" in error
    workbench(tmp_path, "data", "fetch", "tydiqa_r", "--from", str(repository))
    workbench(tmp_path, "run", "tydiqa.yaml")
    (task,) = rows(tmp_path, "sql", "select task, options, candidates from tasks")
    assert task["task"] == "tydiqa_r" and json.loads(task["options"])["notes"]["splitter"].startswith("sentencex")
    cells = rows(tmp_path, "sql", "select setting, query_language from measurements where measure = 'map' order by all")
    settings = ("monolingual", "multilingual")
    assert cells == [{"setting": s, "query_language": language} for s in settings for language in ("bn", "sw")]


def test_a_set_can_be_looked_at(tmp_path: Path, repository: Path) -> None:
    workbench(tmp_path, "data", "fetch", "tydiqa_r", "--from", str(repository))
    (found,) = rows(tmp_path, "data", "show", "tydiqa_r", "--language", "sw", "--sample", "3")
    (language,) = found["languages"]
    assert (language["language"], language["queries"], language["candidates"]) == ("sw", 1, 2)
    assert (language["query median"], language["passage longest"]) == (14, 17)
    assert found["examples"] == [
        {
            "language": "sw",
            "id": "swahili-1-0",
            "query": "Mto unaitwaje?",
            "passage language": "sw",
            "passage": "Mto unaitwa Rufu.",
        }
    ]
    text = workbench(tmp_path, "data", "show", "tydiqa_r", "--sample", "1")[0]
    assert "নদীর নাম কী?" in text and "splitter: sentencex" in text


def test_the_demo_set_is_both_a_task_and_a_training_set(tmp_path: Path) -> None:
    for kind, column in (("task", "queries"), ("training", "pairs")):
        arguments = ("data", "show", "demo", "--kind", kind, "--language", "de", "--language", "tr")
        (found,) = rows(tmp_path, *arguments)
        assert [row["language"] for row in found["languages"]] == ["de", "tr"] and column in found["languages"][0]
    assert rows(tmp_path, "data", "list") == rows(tmp_path, "data")


def test_a_misspelt_task_is_not_taken_for_one_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    error = workbench(tmp_path, "evaluate", "--model", "builtin", "--task", "xqad_r", "--path", "folder", code=2)[1]
    assert "'xqad_r' is no known task; did you mean 'xquad_r'?" in error


def test_own_files_can_be_looked_at(tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl", "Wo?", "Dort.")
    (found,) = rows(tmp_path, "data", "show", "mine", "--path", "pairs.jsonl", "--sample", "1")
    assert [(row["language"], row["pairs"]) for row in found["languages"]] == [("de", 4)]
    assert found["examples"][0]["query"] == "Wo? 0"


def test_what_was_left_out_is_told_and_nothing_steers_the_terminal(tmp_path: Path) -> None:
    rows_ = [
        {"question": "Wo \x1b[2Jliegt\nes?", "positive_ctxs": [{"title": "", "text": "Dort \u202eist es."}]},
        {"question": "Ohne?", "positive_ctxs": []},
    ]
    (tmp_path / "dpr.json").write_text(json.dumps(rows_))
    arguments = ("data", "show", "mine", "--path", "dpr.json", "--loader", "dpr", "--sample", "1")
    (found,) = rows(tmp_path, *arguments)
    assert found["notes"] == {"left out": ["1 of 2 questions have no positive passage and are left out"]}
    assert found["examples"][0]["query"] == rows_[0]["question"]
    text = workbench(tmp_path, *arguments)[0]
    assert "left out: 1 of 2 questions" in text and "query: Wo [2Jliegt es?" in text and "\x1b" not in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "tydiqa"], "'tydiqa' is no known data set; allowed: .*; did you mean 'tydiqa_r'"),
        (["show", "tydiqa_r"], "tydiqa_r is not on this machine: `workbench data fetch tydiqa_r`, or give its --path"),
        (["show", "entity_questions"], "entity_questions is not on this machine: give its --path"),
        (["show", "demo", "--language", "xx"], "'xx'"),
        (["show", "mr_tydi", "--split", "dev"], "--split 'dev': mr_tydi is a training set"),
        (["show", "mine", "--path", "no.jsonl"], "no.jsonl: there is no such file"),
        (["show", "mine", "--path", "x", "--loader", "lareq"], "--loader 'lareq': allowed: .*did you mean 'lareqa'"),
        (["show", "demo", "--kind", "set"], "--kind 'set': allowed: task, training"),
        (["show", "xquad_r", "--path", ".", "--loader", "beir", "--kind", "training"], "reads no training sets"),
        (["fetch", "nope"], "'nope' is no known data set"),
        (["check", "no.yaml"], "no.yaml"),
    ],
)
def test_wrong_input(tmp_path: Path, arguments: list[str], says: str) -> None:
    import re

    error = workbench(tmp_path, "data", *arguments, code=2)[1]
    assert re.search(says, error)


def write_pairs(file: Path, query: str, passage: str) -> None:
    lines = [{"pair_id": f"p{n}", "lang": "de", "query": f"{query} {n}", "passage": f"{passage} {n}"} for n in range(4)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def leaky(folder: Path) -> str:
    """A training set of which one passage is a candidate of the demo task; that candidate."""
    from workbench.data.demo import retrieval_task

    task = retrieval_task(("de",))
    leaked = task.passage_texts[0]
    write_pairs(folder / "pairs.jsonl", "Eigene Frage", "Eigener Satz")
    row = {"pair_id": "leak", "lang": "de", "query": "Ganz anderes?", "passage": leaked.upper()}
    with (folder / "pairs.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    (folder / "leaky.yaml").write_text(LEAKY)
    return leaked


def hits(found: list[dict[str, Any]]) -> list[tuple[str, str, str, int]]:
    return [(row["task"], row["training_set"], row["language"], row["hits"]) for row in found if row["hits"]]


def test_leaks_are_found(tmp_path: Path) -> None:
    leaked = leaky(tmp_path)
    found = json.loads(workbench(tmp_path, "data", "check", "leaky.yaml", "--json", code=1)[0])
    assert hits(found) == [("demo", "mine", "de", 1)]
    text = workbench(tmp_path, "data", "check", "leaky.yaml", code=1)[0]
    assert "leak" in text and leaked[:20] in text


def test_a_clean_config_is_said_to_be_clean(tmp_path: Path) -> None:
    leaky(tmp_path)
    write_pairs(tmp_path / "pairs.jsonl", "Eigene Frage", "Eigener Satz")
    out, narration = workbench(tmp_path, "data", "check", "leaky.yaml")
    assert "no text" in out + narration


@pytest.mark.parametrize(("on_leak", "code", "leaked"), [("drop", 0, False), ("warn", 0, True), ("fail", 2, None)])
def test_a_run_does_with_leaks_as_it_is_told(tmp_path: Path, on_leak: str, code: int, leaked: bool | None) -> None:
    leaky(tmp_path)
    out, narration = workbench(tmp_path, "run", "leaky.yaml", "--set", f"train.on_leak={on_leak}", code=code)
    assert [row["leaked"] for row in rows(tmp_path, "sql", "select leaked from runs")] == [leaked]
    assert ("†" in out) == (leaked is True)
    log = workbench(tmp_path, "log", "s0")[0]
    assert "leak" in log + narration
    if on_leak == "drop":
        (row,) = rows(tmp_path, "sql", "select hits, pairs, dropped from leakage where hits > 0")
        assert row == {"hits": 1, "pairs": 1, "dropped": True}
