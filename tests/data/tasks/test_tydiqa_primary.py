"""TyDiQA's primary task: the published lines, made-up ones with bytes of several lengths, the hub's columns."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.tasks.test_tydiqa import assert_in_order, assert_same, relevant_texts
from workbench.data.task import RetrievalTask
from workbench.data.tasks.tydiqa_primary import load_tydiqa_primary
from workbench.errors import InputError

TINY = Path(__file__).parents[3] / "../shared/data/tydiqa/tiny_dev.jsonl.gz"

Json = Any


def line(number: int, language: str, question: str, passages: list[str], *marks: int) -> Json:
    """A row in the shape of `tydiqa-v1.0-dev.jsonl`: passages stand in the text with a heading between them."""
    document, candidates = "\n🏔 ", []
    for passage in passages:
        start = len(document.encode())
        document += passage
        candidates.append({"plaintext_start_byte": start, "plaintext_end_byte": len(document.encode())})
        document += "\n章 "
    return {
        "annotations": [
            {
                "annotation_id": 100 * number + n,
                "minimal_answer": {"plaintext_start_byte": -1, "plaintext_end_byte": -1},
                "passage_answer": {"candidate_index": mark},
                "yes_no_answer": "NONE",
            }
            for n, mark in enumerate(marks)
        ],
        "document_plaintext": document,
        "document_title": passages[0][:4],
        "document_url": f"https://{language}.wikipedia.org/wiki/{passages[0][:4]}",
        "example_id": -number,
        "language": language,
        "passage_answer_candidates": candidates,
        "question_text": question,
    }


JA = ["富士山は日本の山である。", "高さは3776メートル🗻。", "雪が積もる。"]
TH = ["กรุงเทพเป็นเมือง", "แม่น้ำเจ้าพระยา 🚣 ไหลผ่าน"]
FI = ["Jäätä on täällä.", "Ööliä."]
LINES = [
    line(1, "japanese", "富士山の高さは？", JA, 1, 1, -1),
    line(2, "thai", "แม่น้ำอะไร", TH, 1, 1, 0),
    line(3, "japanese", "いつ噴火した？", JA, 2, -1, -1),
    line(4, "finnish", "Missä jäätä on?", FI, 0),
    line(5, "japanese", "雪は？", JA, 0, 2, 2),
    line(6, "finnish", "Onko öljyä?", FI, -1, -1, -1),
]


def write_lines(file: Path, lines: list[Json]) -> Path:
    content = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines).encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return file


def write_hub(folder: Path, lines: list[Json]) -> Path:
    """In the columns that the set has on the hub, over two files."""
    rows = [
        {
            "passage_answer_candidates": {
                key: [passage[key] for passage in each["passage_answer_candidates"]]
                for key in ("plaintext_start_byte", "plaintext_end_byte")
            },
            "question_text": each["question_text"],
            "document_title": each["document_title"],
            "language": each["language"],
            "annotations": {
                "passage_answer_candidate_index": [a["passage_answer"]["candidate_index"] for a in each["annotations"]],
                "minimal_answers_start_byte": [-1 for _ in each["annotations"]],
                "minimal_answers_end_byte": [-1 for _ in each["annotations"]],
                "yes_no_answer": ["NONE" for _ in each["annotations"]],
            },
            "document_plaintext": each["document_plaintext"],
            "document_url": each["document_url"],
        }
        for each in lines
    ]
    (folder / "primary_task").mkdir(parents=True)
    for number, part in enumerate((rows[:2], rows[2:])):
        pq.write_table(pa.Table.from_pylist(part), folder / f"primary_task/validation-{number:05d}-of-00002.parquet")
    return folder


def relevant_passages(task: RetrievalTask) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for query, candidate in zip(task.relevant_queries, task.relevant_candidates, strict=True):
        found.setdefault(task.query_ids[query], []).append(task.passage_texts[task.candidates[candidate]])
    return found


def test_passages_of_articles_are_candidates_once(tmp_path: Path) -> None:
    task = load_tydiqa_primary("primary", write_lines(tmp_path / "dev.jsonl.gz", LINES))
    assert_in_order(task)
    assert task.languages == ("fi", "ja", "th")
    assert np.bincount(task.candidate_languages).tolist() == [2, 3, 2]
    assert task.candidate_ids[2:5] == ("ja-000000-00000", "ja-000000-00001", "ja-000000-00002")
    assert [task.passage_texts[n] for n in task.candidates[2:5]] == JA
    assert relevant_passages(task) == {
        "fi-0000004": [FI[0]],
        "ja-0000001": [JA[1]],
        "ja-0000005": [JA[0], JA[2]],
        "th-0000002": TH,
    }
    assert (task.queries >= 0).sum(axis=0).tolist() == [1, 2, 1]
    assert task.paragraphs == task.articles == ("fi-000000", "ja-000000", "ja-000000", "th-000000")


def test_lines_packed_lines_folders_and_columns_give_the_same(tmp_path: Path) -> None:
    task = load_tydiqa_primary("t", write_lines(tmp_path / "tydiqa-v1.0-dev.jsonl", LINES))
    assert_same(load_tydiqa_primary("t", tmp_path), task)
    assert_same(load_tydiqa_primary("t", write_lines(tmp_path / "a.jsonl.gz", LINES)), task)
    assert_same(load_tydiqa_primary("t", write_hub(tmp_path / "hub", LINES)), task)
    assert_same(load_tydiqa_primary("t", tmp_path / "hub", split="dev"), task)


def test_languages_are_chosen_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    task = load_tydiqa_primary("t", write_lines(tmp_path / "dev.jsonl", LINES), languages=["th", "fi"])
    assert task.query_ids == ("fi-0000004", "th-0000002") and len(task.candidate_ids) == 4


def test_a_passage_without_place_or_text_is_no_candidate(tmp_path: Path) -> None:
    lines = [line(1, "finnish", "Missä?", [FI[0], " \n", FI[1]], 2, 2, 1), line(2, "finnish", "Mikä?", JA, 0, 0, 1)]
    lines[1]["passage_answer_candidates"][0] = {"plaintext_start_byte": -1, "plaintext_end_byte": -1}
    task = load_tydiqa_primary("t", write_lines(tmp_path / "dev.jsonl", lines))
    assert relevant_passages(task) == {"fi-0000001": [FI[1]]}
    assert task.candidate_ids == ("fi-000000-00000", "fi-000000-00002", "fi-000001-00001", "fi-000001-00002")


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (5, 20, r"passage_answer_candidates\[0\]: bytes 5 to 20 begin or end inside a character"),
        (6, 20, "bytes 6 to 20 begin or end inside a character"),
        (6, 5, "bytes 6 to 5 do not lie in the text; allowed: 0 <= start <= end <= "),
        (6, 4000, "bytes 6 to 4000 do not lie in the text"),
        (-7, 6, "bytes -7 to 6 do not lie in the text"),
        (True, 6, "'plaintext_start_byte' is True; allowed: a whole number"),
    ],
)
def test_offsets_inside_a_character_or_outside_are_named(tmp_path: Path, start: int, end: int, message: str) -> None:
    lines = [LINES[0], line(2, "thai", "แม่น้ำอะไร", TH, 1, 1)]
    lines[1]["passage_answer_candidates"][0] = {"plaintext_start_byte": start, "plaintext_end_byte": end}
    with pytest.raises(InputError, match=f"dev.jsonl: line 2: .*{message}"):
        load_tydiqa_primary("t", write_lines(tmp_path / "dev.jsonl", lines))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"language": "klingon"}, "line 7: language: 'klingon' is no language"),
        ({"language": None}, "line 7: 'language' is None"),
        ({"document_plaintext": 3}, "line 7: 'document_plaintext' is 3"),
        ({"question_text": " "}, "line 7: 'question_text' is blank"),
        ({"example_id": None}, "line 7: 'example_id' is None; allowed: a whole number or a string"),
        ({"example_id": -1}, "line 7: example_id -1 comes twice, first in .*line 1"),
        ({"annotations": [{"passage_answer": {"candidate_index": 3}}]}, "candidate_index 3 is no passage; .* -1 to 2"),
        ({"passage_answer_candidates": None}, "line 7: 'passage_answer_candidates' is None; allowed: a list"),
        ({"annotations": [{"passage_answer": 1}]}, "line 7: annotations.0.: 'passage_answer' is 1"),
    ],
)
def test_unsound_rows_are_named(tmp_path: Path, change: Json, message: str) -> None:
    lines = [*LINES, line(7, "japanese", "誰？", JA, 1, 1, 1) | change]
    with pytest.raises(InputError, match=message):
        load_tydiqa_primary("t", write_lines(tmp_path / "dev.jsonl", lines))


def test_unsound_files_are_named(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "dev.jsonl.gz", LINES)
    with pytest.raises(InputError, match="holds no question in 'sw'; allowed: fi, ja, th"):
        load_tydiqa_primary("t", file, languages=["sw"])
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InputError, match="damaged or truncated gzip data"):
        load_tydiqa_primary("t", file)
    with pytest.raises(InputError, match=r"has neither tydiqa-v1\.0-train\.jsonl\.gz nor primary_task/train-"):
        load_tydiqa_primary("t", tmp_path, split="train")
    with pytest.raises(InputError, match="the ending tells no format; allowed"):
        load_tydiqa_primary("t", tmp_path / "dev.txt")
    with pytest.raises(InputError, match="holds no question"):
        load_tydiqa_primary("t", write_lines(tmp_path / "dev.jsonl", LINES[2:3]))


def test_columns_of_unequal_length_are_named(tmp_path: Path) -> None:
    hub = write_hub(tmp_path, LINES[:3]) / "primary_task"
    file = hub / "validation-00000-of-00002.parquet"
    rows = pq.read_table(file).to_pylist()
    rows[1]["passage_answer_candidates"]["plaintext_end_byte"].pop()
    pq.write_table(pa.Table.from_pylist(rows), file)
    with pytest.raises(InputError, match="row 2: passage_answer_candidates: has 2 starts and 1 ends"):
        load_tydiqa_primary("t", tmp_path)
    rows[1]["passage_answer_candidates"]["plaintext_end_byte"].append(None)
    pq.write_table(pa.Table.from_pylist(rows), file)
    with pytest.raises(InputError, match=r"row 2: .*'plaintext_end_byte' holds None; allowed: whole numbers"):
        load_tydiqa_primary("t", tmp_path)
    pq.write_table(pq.read_table(file).drop_columns(["language"]), file)
    with pytest.raises(InputError, match="column 'language' is missing"):
        load_tydiqa_primary("t", tmp_path)


@pytest.mark.skipif(not TINY.exists(), reason=f"{TINY} is not there")
def test_eleven_published_lines(tmp_path: Path) -> None:
    task = load_tydiqa_primary("t", TINY)
    assert_in_order(task)
    with gzip.open(TINY, "rt", encoding="utf-8") as file:
        lines = [json.loads(each) for each in file]
    assert len(task.languages) == len(lines) == 11
    assert len(task.candidate_ids) == sum(len(each["passage_answer_candidates"]) for each in lines)
    assert np.bincount(task.candidate_languages)[list(task.languages).index("th")] == 25
    assert task.query_ids == ("ar-0000008", "id-0000009", "ru-0000006")
    assert [i for i, _ in relevant_texts(task).values()] == ["ar-000000-00001", "id-000000-00001", "ru-000000-00079"]
    for query, candidate in zip(task.relevant_queries, task.relevant_candidates, strict=True):
        row = lines[int(task.query_ids[query].split("-")[1]) - 1]
        span = row["passage_answer_candidates"][int(task.candidate_ids[candidate].split("-")[2])]
        text = row["document_plaintext"].encode()[span["plaintext_start_byte"] : span["plaintext_end_byte"]].decode()
        assert task.passage_texts[task.candidates[candidate]] == text.strip()
    assert_same(load_tydiqa_primary("t", write_hub(tmp_path, lines)), task)
