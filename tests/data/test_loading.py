"""From a config's words to a data set."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.tasks.test_lareqa import paragraph, write
from workbench.data import demo
from workbench.data.loading import load_task, load_training_set
from workbench.errors import InputError
from workbench.records import PairSetSpec, TaskSpec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {"pair_id": f"p{n}", "lang": lang, "query": f"q{n}", "passage": f"p{n}"}
        for n in range(5)
        for lang in ("de", "en")
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "set.parquet")
    (tmp_path / "set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "task").mkdir()
    write(
        tmp_path / "task", "en", [paragraph(["A b.", "C."], ("q1", "A?", "b"))], [paragraph(["D."], ("q2", "D?", "D"))]
    )
    return tmp_path


@pytest.mark.parametrize("name", ["set.parquet", "set.jsonl"])
def test_a_file_starts_at_the_folder_or_at_the_root(folder: Path, name: str) -> None:
    for path in (name, str(folder / name)):
        pairs = load_training_set("mine", PairSetSpec(path=path, languages=("en",), pairs=3), folder)
        assert (pairs.name, pairs.languages, len(pairs.pair_ids)) == ("mine", ("en",), 3)


def test_the_demo_set_is_limited_like_a_file(folder: Path) -> None:
    pairs = load_training_set("demo", PairSetSpec(languages=("en", "zh"), pairs=100), folder)
    assert (pairs.name, pairs.languages, len(pairs.pair_ids)) == ("demo", ("en", "zh"), 100)
    assert load_training_set("d", PairSetSpec(loader="demo"), folder).name == "d"
    assert load_training_set("demo", PairSetSpec(), folder).pair_ids == demo.training_pairs().pair_ids


def test_a_task_takes_its_options(folder: Path) -> None:
    spec = TaskSpec(path="task", passage_text="sentence_paragraph", every_article=2)
    task = load_task("mine", spec, folder)
    assert (task.name, task.query_ids, task.passage_texts) == ("mine", ("q1",), ("A b. A b. C.", "C. A b. C."))
    assert load_task("demo", TaskSpec(languages=("de", "tr")), folder).languages == ("de", "tr")


def test_what_the_demo_set_does_not_have_is_refused(folder: Path) -> None:
    for change, what in (
        ({"every_article": 2}, "evaluate.tasks.demo.every_article is 2"),
        ({"passage_text": "sentence_paragraph"}, "evaluate.tasks.demo.passage_text is 'sentence_paragraph'"),
        ({"path": "task"}, "evaluate.tasks.demo.path is 'task'"),
    ):
        with pytest.raises(InputError, match=what):
            load_task("demo", replace(TaskSpec(), **change), folder)
    with pytest.raises(InputError, match=r"train\.sets\.demo\.path is 'x'"):
        load_training_set("demo", PairSetSpec(path="x"), folder)


def test_a_path_that_is_missing_is_asked_for(folder: Path) -> None:
    with pytest.raises(InputError, match=r"evaluate\.tasks\.xquad_r\.path is missing"):
        load_task("xquad_r", TaskSpec(), folder)
    with pytest.raises(InputError, match=r"train\.sets\.help\.path is missing"):
        load_training_set("help", PairSetSpec(loader="parquet"), folder)
