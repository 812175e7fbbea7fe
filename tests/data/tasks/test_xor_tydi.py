"""XOR-TyDi's gold paragraphs as published, the hub's reading data, and files without passages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.tasks.test_tydiqa import assert_in_order, assert_same
from workbench.data.task import RetrievalTask
from workbench.data.tasks.xor_tydi import load_xor_tydi
from workbench.errors import InputError

MILL = "The mill was built in 1870. It stands by the river."
BEES = "Bees like clover 🐝, moths like lamps."
ICE = "Ice floats on water."
ROWS = [
    ("12", "ja", "水車はいつ建てられた？", "Mill", MILL, ["1870"]),
    ("7", "te", "మర కట్టినది ఎప్పుడు?", "Mill", MILL, ["1870"]),
    ("30", "ko", "나방은 무엇을 좋아하는가?", "Moth", BEES, ["lamps"]),
    ("12", "ja", "水車はいつ建てられた？", "River", ICE, ["the 19th century"]),
    ("41", "fi", "Mikä kelluu?", "Ice", ICE, []),
]


def write_gold(file: Path, rows: list[tuple[Any, ...]]) -> Path:
    """Each question an article of its own, as published."""
    data = [
        {
            "title": f"wiki: {title}_parentSection_1",
            "paragraphs": [
                {
                    "context": context,
                    "qas": [
                        {
                            "id": question_id,
                            "question": question,
                            "lang": language,
                            "split": "dev",
                            "answers": [{"text": answer, "answer_start": context.find(answer)} for answer in answers],
                        }
                    ],
                }
            ],
        }
        for question_id, language, question, title, context, answers in rows
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"version": "1.0", "data": data}), encoding="utf-8")
    return file


def relevant(task: RetrievalTask) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for query, candidate in zip(task.relevant_queries, task.relevant_candidates, strict=True):
        found.setdefault(task.query_ids[query], []).append(task.passage_texts[task.candidates[candidate]])
    return found


def test_questions_find_their_english_paragraphs(tmp_path: Path) -> None:
    task = load_xor_tydi("xor", write_gold(tmp_path / "gp_squad_dev_data.json", ROWS))
    assert_in_order(task)
    assert task.languages == ("en", "ja", "ko", "te")
    assert np.bincount(task.candidate_languages, minlength=4).tolist() == [3, 0, 0, 0]
    assert (task.queries >= 0).sum(axis=0).tolist() == [0, 1, 1, 1]
    assert relevant(task) == {"12": [MILL, ICE], "30": [BEES], "7": [MILL]}
    assert task.candidate_ids == ("en-00000-0000", "en-00001-0000", "en-00002-0000")
    assert task.paragraphs == ("en-00000-0000", "en-00001-0000", "en-00000-0000")
    assert task.articles == ("en-00000", "en-00001", "en-00000")
    assert task.notes == {"pool": "3 paragraphs of the published files, not XOR-Retrieve's Wikipedia"}


def test_folders_and_the_choice_of_languages(tmp_path: Path) -> None:
    task = load_xor_tydi("x", write_gold(tmp_path / "a/gp_squad_dev_data.json", ROWS))
    write_gold(tmp_path / "b/xorqa_reading_comprehension_format/gp_squad_dev_data.json", ROWS)
    write_gold(tmp_path / "b/xorqa_reading_comprehension_format/gp_squad_train_data.json", ROWS[:2])
    assert_same(load_xor_tydi("x", tmp_path / "a"), task)
    assert_same(load_xor_tydi("x", tmp_path / "b"), task)
    assert load_xor_tydi("x", tmp_path / "b", split="train").query_ids == ("12", "7")
    chosen = load_xor_tydi("x", tmp_path / "a", languages=["ko"])
    assert chosen.query_ids == ("30",) and chosen.candidate_ids == task.candidate_ids


def test_the_hubs_reading_data(tmp_path: Path) -> None:
    rows = [
        ("ja", "水車はいつ建てられた？", BEES, False, "no"),
        ("ja", "水車はいつ建てられた？", MILL, True, "1870"),
        ("te", "మర కట్టినది ఎప్పుడు?", MILL, True, "1870"),
        ("fi", "Mikä kelluu?", ICE, False, "no"),
    ]
    columns = ("lang", "question", "context", "answerable", "answer")
    (tmp_path / "default").mkdir()
    table = pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows])
    pq.write_table(table, tmp_path / "default/validation-00000-of-00001.parquet")
    task = load_xor_tydi("x", tmp_path)
    assert_in_order(task)
    assert task.languages == ("en", "ja", "te") and len(task.candidate_ids) == 3
    assert relevant(task) == {"ja-000001": [MILL], "te-000003": [MILL]}
    assert task.paragraphs == ("en-00001-0000", "en-00001-0000")


def test_files_without_passages_are_refused(tmp_path: Path) -> None:
    row = {"id": "12", "question": "水車は？", "lang": "ja", "answers": ["1870"], "split": "dev"}
    file = tmp_path / "xor_dev_retrieve_eng_span_v1_1.jsonl"
    file.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(InputError, match="line 1: 'context' is missing: the file holds questions, but no passages"):
        load_xor_tydi("x", file)
    with pytest.raises(InputError, match=r"has neither gp_squad_dev_data\.json, .* other files hold no passages"):
        load_xor_tydi("x", tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({1: None}, "data.5.*: 'lang' is missing"),
        ({1: "jp"}, "data.5.*: lang: 'jp' is no language code.*did you mean 'ja'"),
        ({1: "en"}, "data.5.*: lang is 'en', the passages' own"),
        ({0: "12"}, "data.5.*id '12'.*: the id comes twice, with two questions"),
        ({4: " "}, "data.5.*'context' is blank"),
    ],
)
def test_unsound_rows_are_named(tmp_path: Path, change: dict[int, Any], message: str) -> None:
    row = ("50", "ru", "Что плавает?", "Ice", ICE, ["Ice"])
    bad = tuple(change.get(place, value) for place, value in enumerate(row))
    with pytest.raises(InputError, match=message):
        load_xor_tydi("x", write_gold(tmp_path / "gp.json", [*ROWS, bad]))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    file = write_gold(tmp_path / "gp.json", ROWS)
    with pytest.raises(InputError, match="holds no question in 'en'; allowed: ja, ko, te"):
        load_xor_tydi("x", file, languages=["en"])
    with pytest.raises(InputError, match="split 'dev' can only be taken from a folder"):
        load_xor_tydi("x", file, split="dev")
    with pytest.raises(InputError, match="holds no question"):
        load_xor_tydi("x", write_gold(tmp_path / "empty.json", ROWS[4:]))
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(InputError, match="not valid JSON"):
        load_xor_tydi("x", file)
