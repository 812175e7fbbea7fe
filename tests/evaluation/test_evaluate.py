from dataclasses import replace
from pathlib import Path

import pytest

from workbench.data.demo import retrieval_task
from workbench.data.task import RetrievalTask
from workbench.encoder import Encoder, load_encoder
from workbench.errors import WorkError
from workbench.evaluation.evaluate import described, evaluate
from workbench.evaluation.tables import Tables
from workbench.records import BuiltinSpec, EvaluateSpec, ModelSpec, TaskSpec

DEMO = TaskSpec(loader="demo")
PRINTS = {"evaluate.tasks.demo": "0123456789abcdef"}


@pytest.fixture(scope="module")
def task() -> RetrievalTask:
    return retrieval_task(("de", "en"))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder(ModelSpec(builtin=BuiltinSpec(dimension=16, buckets=512)), Path(), 0)


def evaluated(folder: Path, encoder: Encoder, tasks: dict[str, tuple[RetrievalTask, TaskSpec]]) -> tuple[Tables, dict]:
    spec = EvaluateSpec(tasks={key: spec for key, (_, spec) in tasks.items()}, batch_tokens=2048)
    return evaluate({key: task for key, (task, _) in tasks.items()}, encoder, spec, folder, lambda *_: None)


def test_tasks_with_and_without_a_depth_stand_in_one_result(
    tmp_path: Path, task: RetrievalTask, encoder: Encoder
) -> None:
    deep = replace(task, name="deep-1k")
    tables, seconds = evaluated(
        tmp_path, encoder, {"whole": (replace(task, name="whole"), DEMO), "deep": (deep, replace(DEMO, depth=2000))}
    )
    assert set(seconds) == {"encoding", "searching", "ranking"}
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    ranks = tables["relevant_ranks"].to_pylist()
    by_task = {
        name: {tuple(v for k, v in row.items() if k != "task") for row in ranks if row["task"] == name}
        for name in ("whole", "deep-1k")
    }
    # the pools are smaller than the depth; batches of other texts may round differently, which can turn two ranks
    assert len(by_task["whole"]) == len(by_task["deep-1k"]) == 300 * (4 + 2 * 2)
    assert len(by_task["whole"] & by_task["deep-1k"]) > 0.99 * len(by_task["whole"])
    assert set(tables["measurements"]["task"].to_pylist()) == {"whole", "deep-1k"}


def test_only_tasks_with_a_depth_need_no_other_encoding(tmp_path: Path, task: RetrievalTask, encoder: Encoder) -> None:
    tables, seconds = evaluated(tmp_path, encoder, {"demo": (task, replace(DEMO, depth=100, index="ivf"))})
    assert set(seconds) == {"encoding", "indexing", "searching", "ranking"}
    ranks = tables["relevant_ranks"]["rank"].to_pylist()
    assert None in ranks and max(rank for rank in ranks if rank) <= 100
    # strings that no row uses would cost a million-passage run dearly
    words = set(tables["relevant_ranks"]["passage_id"].combine_chunks().dictionary.to_pylist())
    assert words == set(tables["relevant_ranks"]["passage_id"].to_pylist())


def test_what_the_machine_cannot_hold_is_refused_before_the_encoding(
    tmp_path: Path, task: RetrievalTask, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.evaluation.indexes.GROWTH", 1e12)
    with pytest.raises(WorkError, match="index: flat reads the vectors from disk"):
        evaluated(tmp_path, encoder, {"demo": (task, replace(DEMO, depth=100, index="hnsw"))})
    assert not list(tmp_path.iterdir())


def test_ids_of_tasks_stored_before_there_were_depths_stay(task: RetrievalTask) -> None:
    assert described("demo", DEMO, PRINTS, task)["task_id"] == "3d916823e3a4"
    narrow = replace(DEMO, languages=("de", "en"), settings=("monolingual",))
    assert described("demo", narrow, PRINTS, task)["task_id"] == "a02372b2c0f1"


def test_what_decides_a_result_decides_the_id(task: RetrievalTask) -> None:
    deep = replace(DEMO, depth=100)
    specs = [
        DEMO,
        replace(DEMO, split="test"),
        replace(DEMO, leave_out=("en",)),
        deep,
        replace(deep, depth=200),
        replace(deep, index="ivf"),
        replace(deep, index="hnsw"),
    ]
    ids = [described("demo", spec, PRINTS, task)["task_id"] for spec in specs]
    ids.append(described("demo", DEMO, PRINTS | {"evaluate.tasks.demo.questions": "ab"}, task)["task_id"])
    ids.append(described("demo", DEMO, PRINTS, replace(task, notes={"splitter": "by hand 1"}))["task_id"])
    assert len(set(ids)) == len(ids)
    # what auto comes to is the same as asking for it; where files lie does not matter
    same = [replace(deep, index="flat"), replace(deep, path="elsewhere", questions=("a.tsv",))]
    assert {described("demo", spec, PRINTS, task)["task_id"] for spec in same} == {ids[3]}


def test_a_tasks_description_names_its_index_and_its_name_in_results(task: RetrievalTask) -> None:
    known = described("demo", replace(DEMO, depth=100, index="ivf"), PRINTS, replace(task, name="demo-600"))
    texts = len({task.candidates[n] for n, code in enumerate(task.candidate_languages) if code == 0})
    assert known["task"] == "demo-600"
    assert known["options"]["depth"] == 100
    index = known["options"]["index"]["de"]
    assert (index["kind"], index["texts"], set(index["parameters"])) == ("ivf", texts, {"nlist", "nprobe"})
    assert known["candidates"] == {"de": int((task.candidate_languages == 0).sum()), "en": known["candidates"]["en"]}
