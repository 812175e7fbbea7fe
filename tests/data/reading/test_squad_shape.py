"""SQuAD-shaped files in both shapes, and sentences that never cut an answer."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.examples import PROPERTY
from workbench.data.reading.squad_shape import SquadRow, sentences, splitter, squad_rows
from workbench.errors import InputError

CONTEXT = "𝄞 Kettu juoksi. Se näki 🦊🦊 kuun! Oliko tri. Aho siellä? "
ROWS = [
    SquadRow("finnish-1-0", "Kettu", CONTEXT, "Kuka juoksi?", (("Kettu", 2),)),
    SquadRow("finnish-2-0", "Kettu", CONTEXT, "Mitä se näki?", (("🦊🦊 kuun", 24), ("kuun", 27))),
    SquadRow("thai-3-1", "ปลา", "ปลาอยู่ในน้ำ", "ปลาอยู่ที่ไหน", ()),
]


def write_official(file: Path, rows: list[SquadRow], extra: dict[str, Any] | None = None) -> Path:
    """One article, one paragraph and one question each, as TyDiQA's gold passages are published."""
    data = [
        {
            "title": row.title,
            "paragraphs": [
                {
                    "context": row.context,
                    "qas": [
                        {
                            "question": row.question,
                            "id": row.id,
                            "answers": [{"text": text, "answer_start": start} for text, start in row.answers],
                            **(extra or {}),
                        }
                    ],
                }
            ],
        }
        for row in rows
    ]
    file.write_text(json.dumps({"version": "TyDiQA-GoldP-1.1-for-SQuAD-1.1", "data": data}), encoding="utf-8")
    return file


def hub_columns(row: SquadRow) -> dict[str, Any]:
    """A row as dataset hubs have it."""
    texts, starts = [text for text, _ in row.answers], [start for _, start in row.answers]
    answers = {"text": texts, "answer_start": starts}
    return {"id": row.id, "title": row.title, "context": row.context, "question": row.question, "answers": answers}


def write_hub(folder: Path, config: str, split: str, rows: list[SquadRow]) -> Path:
    """The folder, with the rows spread over two files."""
    (folder / config).mkdir(parents=True, exist_ok=True)
    answers = pa.struct({"text": pa.list_(pa.string()), "answer_start": pa.list_(pa.int32())})
    schema = pa.schema({name: pa.string() for name in ("id", "title", "context", "question")} | {"answers": answers})
    for number, part in enumerate((rows[:1], rows[1:])):
        table = pa.Table.from_pylist([hub_columns(row) for row in part], schema)
        pq.write_table(table, folder / config / f"{split}-{number:05d}-of-00002.parquet")
    return folder


def test_official_and_flat_files_give_the_same_rows(tmp_path: Path) -> None:
    official = write_official(tmp_path / "dev.json", ROWS)
    hub = write_hub(tmp_path / "hub", "secondary_task", "validation", ROWS)
    lines = tmp_path / "rows.jsonl"
    lines.write_text("".join(json.dumps(hub_columns(row)) + "\n" for row in ROWS), encoding="utf-8")
    for path in (official, hub, lines):
        assert [row for _, row in squad_rows(path)] == ROWS
    places = [where for where, _ in squad_rows(official)]
    assert places[1] == f"{official}: data[1]: paragraphs[0]: qas[0] (id 'finnish-2-0')"
    assert [CONTEXT[slice(*span)] for span in ROWS[1].spans] == ["🦊🦊 kuun", "kuun"]


def test_title_and_answers_may_be_absent_and_lang_is_kept(tmp_path: Path) -> None:
    row = {"id": "q", "context": "Iso talo.", "question": "Mikä?", "answers": {"text": ["Iso"], "answer_start": [0]}}
    (tmp_path / "a.jsonl").write_text(json.dumps(row | {"lang": "fi", "title": None}))
    ((_, found),) = squad_rows(tmp_path)
    assert found == SquadRow("q", "", "Iso talo.", "Mikä?", (("Iso", 0),), "fi")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answers": [{"text": "kuu", "answer_start": 55}]}, "answer 'kuu' at 55 does not lie in the paragraph"),
        ({"answers": [{"text": "kuu", "answer_start": -1}]}, "answer 'kuu' at -1 does not lie in the paragraph"),
        ({"answers": [{"text": "kuun", "answer_start": 36}]}, "'kuun' does not stand at 36, where .* has"),
        ({"answers": [{"text": "Kettu"}]}, "answers.0.: 'answer_start' is missing"),
        ({"answers": [{"text": "Kettu", "answer_start": "2"}]}, "'answer_start' is '2'; allowed: a whole number"),
        ({"answers": None}, "'answers' is None; allowed: a list"),
        ({"question": " "}, ".id 'finnish-1-0'.: 'question' is blank"),
        ({"id": 7}, "'id' is 7; allowed: a string"),
        ({"question": "\ud83d"}, "'question' holds half a character"),
    ],
)
def test_unsound_questions_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    file = write_official(tmp_path / "dev.json", ROWS[:1], change)
    with pytest.raises(InputError, match=f"dev.json: data.0.: paragraphs.0.: qas.0.*{message}"):
        list(squad_rows(file))


def test_unsound_files_are_named(tmp_path: Path) -> None:
    file = write_official(tmp_path / "dev.json", ROWS)
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])
    with pytest.raises(InputError, match=r"dev\.json: not valid JSON"):
        list(squad_rows(file))
    file.write_bytes(json.dumps(json.loads(whole), ensure_ascii=False).encode("utf-16"))
    with pytest.raises(InputError, match=r"dev\.json: not UTF-8"):
        list(squad_rows(file))
    with pytest.raises(InputError, match=r"gone\.json: cannot be read"):
        list(squad_rows(tmp_path / "gone.json"))
    row = hub_columns(ROWS[0]) | {"answers": {"text": ["Kettu"], "answer_start": []}}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    with pytest.raises(InputError, match=r"line 1 \(id 'finnish-1-0'\): answers: 1 in 'text', but 0"):
        list(squad_rows(tmp_path / "rows.jsonl"))


def test_places_of_answers_need_not_be_read(tmp_path: Path) -> None:
    file = write_official(tmp_path / "dev.json", ROWS[:1], {"answers": [{"text": "fox", "answer_start": -1}]})
    assert [row.answers for _, row in squad_rows(file, places="ignore")] == [(("fox", -1),)]


@pytest.mark.parametrize(
    ("language", "context", "expected"),
    [
        ("ar", "ما اسمك؟ أنا سلمى. أهلا!", ["ما اسمك؟", "أنا سلمى.", "أهلا!"]),
        ("bn", "আমি ভাত খাই। তুমি কি খাও? হ্যাঁ।", ["আমি ভাত খাই।", "তুমি কি খাও?", "হ্যাঁ।"]),
        ("en", " Dr. Gray left.\n\n\n𝒜 door 🚪 shut. ", ["Dr. Gray left.", "𝒜 door 🚪 shut."]),
        ("ja", "雨だ。😀傘がない。", ["雨だ。", "😀傘がない。"]),
        ("ko", "비가 온다. 우산이 없다!", ["비가 온다.", "우산이 없다!"]),
        ("te", "వాన పడింది. గొడుగు లేదు.", ["వాన పడింది.", "గొడుగు లేదు."]),
    ],
)
def test_sentences_of_several_scripts(language: str, context: str, expected: list[str]) -> None:
    assert [context[slice(*span)] for span in sentences(context, language)] == expected


def test_an_answer_is_never_cut() -> None:
    context = "It was No! No! again. Then yes.\n\nLast one."
    alone = [context[slice(*span)] for span in sentences(context, "en")]
    assert len(alone) > 2
    answer = context.index("No! again. Then")
    joined = [context[slice(*span)] for span in sentences(context, "en", [(answer, answer + 15)])]
    assert any("No! again. Then" in sentence for sentence in joined) and len(joined) < len(alone)
    across = context.index("yes")
    assert [context[slice(*span)] for span in sentences(context, "en", [(across, len(context))])][-1].endswith(
        "yes.\n\nLast one."
    )


def test_white_space_around_an_answer_joins_nothing() -> None:
    context = "One fish. Two fish. "
    assert len(sentences(context, "en", [(9, 14)])) == 2
    assert sentences(" \n ", "en") == []


@PROPERTY
@given(
    st.text(st.sampled_from('abÄ .?!।。؟\n\t😀𝒜ก่한\u00a0«»"()1'), max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=3),
    st.sampled_from(("ar", "bn", "en", "fi", "id", "ja", "ko", "ru", "sw", "te", "th")),
)
def test_every_character_is_in_a_sentence_and_every_span_in_one(
    context: str, drawn: list[tuple[int, int]], language: str
) -> None:
    spans = [(start, min(start + length, len(context))) for start, length in drawn if start < len(context)]
    found = sentences(context, language, spans)
    inside = [place for start, end in found for place in range(start, end)]
    assert inside == sorted(set(inside))
    assert all(not context[place].strip() for place in set(range(len(context))) - set(inside))
    assert all(context[start:end] == context[start:end].strip() != "" for start, end in found)
    for start, end in spans:
        written = [place for place in range(start, end) if context[place].strip()]
        if written:
            assert sum(first <= written[0] and written[-1] < last for first, last in found) == 1


def test_answers_out_of_place_can_be_left_out(tmp_path: Path) -> None:
    answers = [{"text": "Kettu", "answer_start": 0}, {"text": "kuun", "answer_start": 27}]
    file = write_official(tmp_path / "dev.json", ROWS[:1], {"answers": answers})
    assert [row.answers for _, row in squad_rows(file, places="drop")] == [(("kuun", 27),)]


def test_the_splitter_says_its_version() -> None:
    name, _, version = splitter().partition(" ")
    assert name == "sentencex" and version[0].isdigit()
