"""The texts of tasks in the cache."""

from dataclasses import replace

import numpy as np
import pytest

from workbench.data import texts
from workbench.data.demo import retrieval_task
from workbench.data.texts import keep_texts, read_texts, texts_file
from workbench.errors import InputError

TASK_ID = "0123456789ab"


def test_what_is_kept_is_read() -> None:
    task = retrieval_task(("de", "en"))
    keep_texts(TASK_ID, task)
    query_id, passage_id = task.query_ids[3], task.candidate_ids[-1]
    found = read_texts(TASK_ID, {(query_id, "de"), (query_id, "fr"), ("none", "en")}, {passage_id, "none"})
    assert found is not None
    assert found.queries == {(query_id, "de"): task.query_texts[task.queries[3, 0]]}
    assert found.passages == {passage_id: task.passage_texts[task.candidates[-1]]}


def test_a_query_has_no_text_where_the_question_does_not_exist() -> None:
    task = retrieval_task(("de", "en"))
    queries = task.queries.copy()
    queries[0, 0] = -1
    keep_texts(TASK_ID, replace(task, queries=queries.astype(np.int32)))
    found = read_texts(TASK_ID, {(task.query_ids[0], "de"), (task.query_ids[0], "en")}, set())
    assert found and list(found.queries) == [(task.query_ids[0], "en")]


def test_what_is_there_is_not_written_again_and_much_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    task = retrieval_task(("de", "en"))
    assert read_texts(TASK_ID, set(), set()) is None
    monkeypatch.setattr(texts, "MOST", len(task.candidate_ids))
    keep_texts(TASK_ID, task)
    assert not texts_file(TASK_ID).exists()
    monkeypatch.setattr(texts, "MOST", len(task.candidate_ids) + 2 * len(task.query_ids))
    keep_texts(TASK_ID, task)
    before = texts_file(TASK_ID).stat()
    keep_texts(TASK_ID, task)
    assert texts_file(TASK_ID).stat() == before


def test_a_damaged_file_and_a_bad_id_are_told() -> None:
    texts_file(TASK_ID).parent.mkdir(parents=True)
    texts_file(TASK_ID).write_text("no parquet")
    with pytest.raises(InputError, match=r"0123456789ab.parquet: damaged"):
        read_texts(TASK_ID, set(), set())
    with pytest.raises(InputError, match=r"'../x' is no id of a task"):
        texts_file("../x")
