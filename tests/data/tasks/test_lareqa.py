"""LAReQA's files as a task: the real XQuAD-R's sizes, MLQA-R's shape in small, and what unsound files are told."""

import json
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.data.task import RetrievalTask
from workbench.data.tasks.lareqa import load_lareqa
from workbench.errors import InputError

XQUAD_R = Path(__file__).parents[3] / "../shared/data/xquad-r"
XQUAD_R_CANDIDATES = {
    "ar": 1222,
    "de": 1276,
    "el": 1234,
    "en": 1180,
    "es": 1215,
    "hi": 1244,
    "ru": 1219,
    "th": 852,
    "tr": 1167,
    "vi": 1209,
    "zh": 1196,
}

needs_xquad_r = pytest.mark.skipif(not XQUAD_R.exists(), reason=f"{XQUAD_R} is not there")

Json = Any


def paragraph(sentences: Sequence[str], *questions: tuple[str, str, str], between: str = " ") -> Json:
    """A SQuAD paragraph of these sentences; a question is its id, its text and its answer in the paragraph."""
    breaks, start = [], 0
    for sentence in sentences:
        breaks.append([start, start + len(sentence)])
        start += len(sentence) + len(between)
    context = between.join(sentences)
    qas = [
        {"id": i, "question": question, "answers": [{"text": answer, "answer_start": context.index(answer)}]}
        for i, question, answer in questions
    ]
    return {"context": context, "qas": qas, "sentence_breaks": breaks, "sentences": list(sentences)}


def write(folder: Path, language: str, *articles: Sequence[Json]) -> Path:
    data = [{"title": f"{language} {n}", "paragraphs": list(paragraphs)} for n, paragraphs in enumerate(articles)]
    file = folder / f"{language}.json"
    file.write_text(json.dumps({"version": 1.0, "data": data}), encoding="utf-8")
    return file


@pytest.fixture
def mlqa_shaped(tmp_path: Path) -> Path:
    """Four languages and scripts; a question exists in two or three, paragraphs and articles differ by language."""
    write(
        tmp_path,
        "en",
        [
            paragraph(["The mill stands by the river.", "It was built in 1870."], ("q1", "When was it built?", "1870")),
            paragraph(["The town has a bridge."], ("q4", "What does the town have?", "a bridge")),
        ],
        [paragraph(["Bees like clover.", "Moths like lamps."], ("q2", "What do moths like?", "lamps"))],
        [paragraph(["Ice floats."], ("q3", "What floats?", "Ice"))],
    )
    write(
        tmp_path,
        "de",
        [paragraph(["Eis schwimmt.", "Öl auch."], ("q3", "Was schwimmt?", "Eis"))],
        [paragraph(["Die Mühle wurde 1870 erbaut.", "Sie steht am Fluss."], ("q1", "Wann erbaut?", "1870"))],
    )
    write(
        tmp_path,
        "hi",
        [paragraph(["पतंगे दीपक पसंद करते हैं।", "मधुमक्खियाँ फूल।"], ("q2", "पतंगे क्या पसंद करते हैं?", "दीपक"))],
        [paragraph(["यह चक्की १८७० में बनी।"], ("q1", "चक्की कब बनी?", "१८७०"))],
    )
    write(
        tmp_path,
        "zh",
        [paragraph(["飞蛾喜欢灯。", "冰会漂浮🧊。", "油也会。"], ("q3", "什么会漂浮？", "冰"), between="")],
        [paragraph(["镇上有一座桥。"], ("q4", "镇上有什么？", "桥"))],
    )
    return tmp_path


def relevant(task: RetrievalTask) -> dict[tuple[str, str], tuple[str, str, str]]:
    """By question and language: the question, the relevant candidate's id and its text."""
    found = {}
    for row, candidate in zip(task.relevant_queries, task.relevant_candidates, strict=True):
        column = task.candidate_languages[candidate]
        query = task.query_texts[task.queries[row, column]]
        text = task.passage_texts[task.candidates[candidate]]
        found[task.query_ids[row], task.languages[column]] = (query, task.candidate_ids[candidate], text)
    return found


def assert_in_order(task: RetrievalTask) -> None:
    assert list(task.languages) == sorted(set(task.languages))
    assert list(task.query_ids) == sorted(set(task.query_ids))
    assert list(task.candidate_ids) == sorted(set(task.candidate_ids))
    pairs = list(zip(task.relevant_queries.tolist(), task.relevant_candidates.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert len(set(task.query_texts)) == len(task.query_texts)
    assert len(set(task.passage_texts)) == len(task.passage_texts)
    assert (task.relevances == 1).all()


def test_questions_are_linked_where_they_exist(mlqa_shaped: Path) -> None:
    task = load_lareqa("mlqa_r", mlqa_shaped)
    assert_in_order(task)
    assert task.name == "mlqa_r" and task.languages == ("de", "en", "hi", "zh")
    assert (task.queries >= 0).sum(axis=0).tolist() == [2, 4, 2, 2]
    assert np.bincount(task.candidate_languages).tolist() == [4, 6, 3, 4]
    assert relevant(task) == {
        ("q1", "de"): ("Wann erbaut?", "de-001-000-00", "Die Mühle wurde 1870 erbaut."),
        ("q1", "en"): ("When was it built?", "en-000-000-01", "It was built in 1870."),
        ("q1", "hi"): ("चक्की कब बनी?", "hi-001-000-00", "यह चक्की १८७० में बनी।"),
        ("q2", "en"): ("What do moths like?", "en-001-000-01", "Moths like lamps."),
        ("q2", "hi"): ("पतंगे क्या पसंद करते हैं?", "hi-000-000-00", "पतंगे दीपक पसंद करते हैं।"),
        ("q3", "de"): ("Was schwimmt?", "de-000-000-00", "Eis schwimmt."),
        ("q3", "en"): ("What floats?", "en-002-000-00", "Ice floats."),
        ("q3", "zh"): ("什么会漂浮？", "zh-000-000-01", "冰会漂浮🧊。"),
        ("q4", "en"): ("What does the town have?", "en-000-001-00", "The town has a bridge."),
        ("q4", "zh"): ("镇上有什么？", "zh-001-000-00", "镇上有一座桥。"),
    }


def test_paragraphs_and_articles_are_one_across_languages(mlqa_shaped: Path) -> None:
    task = load_lareqa("mlqa_r", mlqa_shaped)
    assert dict(zip(task.query_ids, task.paragraphs, strict=True)) == {
        "q1": "000-000",
        "q2": "001-000",
        "q3": "002-000",
        "q4": "000-001",
    }
    assert list(task.articles) == ["000", "001", "002", "000"]


def test_questions_that_share_a_paragraph_in_any_language_share_the_unit(tmp_path: Path) -> None:
    write(tmp_path, "en", [paragraph(["A b."], ("q1", "A?", "b"))], [paragraph(["C d."], ("q2", "C?", "d"))])
    write(tmp_path, "es", [paragraph(["E f.", "G h."], ("q1", "E?", "f"), ("q2", "G?", "h"))])
    task = load_lareqa("small", tmp_path)
    assert list(task.paragraphs) == ["000-000", "000-000"] and list(task.articles) == ["000", "000"]
    assert list(load_lareqa("small", tmp_path, ["en"]).articles) == ["000", "001"]


def test_every_article_takes_the_same_articles_in_all_languages(mlqa_shaped: Path) -> None:
    task = load_lareqa("mlqa_r", mlqa_shaped, ["de", "en"], every_article=2)
    assert_in_order(task)
    assert list(task.query_ids) == ["q1", "q3", "q4"]
    articles = {tuple(candidate.split("-")[:2]) for candidate in task.candidate_ids}
    assert articles == {("en", "000"), ("en", "002"), ("de", "000"), ("de", "001")}
    assert relevant(task)["q1", "de"][1] == "de-001-000-00"


def asked_by_machine(folder: Path, *rows: tuple[str, str]) -> Path:
    """A file of translated questions, by id and language."""
    path = folder / "questions.jsonl"
    lines = [
        json.dumps({"id": number, "language": language, "question": f"{number} in {language}?", "translator": "mt"})
        for number, language in rows
    ]
    path.write_text("\n".join(lines))
    return path


def test_translated_questions_stand_in_place_of_the_own_ones(mlqa_shaped: Path, tmp_path: Path) -> None:
    questions = asked_by_machine(tmp_path, ("q1", "hi"), ("q2", "zh"))
    own, task = load_lareqa("mlqa_r", mlqa_shaped), load_lareqa("mlqa_r", mlqa_shaped, questions=[questions])
    assert_in_order(task)
    changed = {("q1", "hi"): "q1 in hi?", ("q2", "zh"): "q2 in zh?"}
    for row, column in np.ndindex(task.queries.shape):
        place = task.query_ids[row], task.languages[column]
        texts = [
            of.query_texts[of.queries[row, column]] if of.queries[row, column] >= 0 else None for of in (task, own)
        ]
        assert texts[0] == changed.get(place, texts[1]), place
    assert task.candidate_ids == own.candidate_ids and task.paragraphs == own.paragraphs
    cells = [f"{language}>{pool}" for language in ("hi", "zh") for pool in task.languages]
    assert json.loads(task.notes["translated"]) == dict.fromkeys(cells, "mt") and own.notes == {}
    part = load_lareqa("mlqa_r", mlqa_shaped, ["de", "en"], questions=[questions])
    assert part.notes == {} and part.query_texts == load_lareqa("mlqa_r", mlqa_shaped, ["de", "en"]).query_texts


def test_translated_questions_that_are_none_of_the_set(mlqa_shaped: Path, tmp_path: Path) -> None:
    questions = asked_by_machine(tmp_path, ("q1", "fr"))
    assert_refused(mlqa_shaped, "has no fr.json for the translated questions; allowed: de", questions=[questions])
    with pytest.raises(InputError, match="id 'q9' is no question of the task"):
        load_lareqa("mlqa_r", mlqa_shaped, questions=[asked_by_machine(tmp_path, ("q9", "hi"))])


def test_a_passage_may_carry_its_paragraph(mlqa_shaped: Path) -> None:
    task = load_lareqa("mlqa_r", mlqa_shaped, ["en"], passage_text="sentence_paragraph")
    assert relevant(task)["q1", "en"][2] == "It was built in 1870. The mill stands by the river. It was built in 1870."
    assert len(task.candidates) == 6


def test_equal_sentences_stay_candidates_and_share_a_text(tmp_path: Path) -> None:
    write(tmp_path, "en", [paragraph(["Yes.", "No.", "Yes."], ("q", "No?", "No"))])
    task = load_lareqa("small", tmp_path)
    assert task.candidate_ids == ("en-000-000-00", "en-000-000-01", "en-000-000-02")
    assert task.candidates.tolist() == [0, 1, 0] and task.passage_texts == ("Yes.", "No.")


def test_ids_sort_as_the_sentences_do_however_many_there_are(tmp_path: Path) -> None:
    sentences = [f"S{n}." for n in range(120)]
    write(tmp_path, "en", [paragraph(sentences, ("q", "Last?", "S119"))])
    write(tmp_path, "de", [paragraph(["Hier."], ("q", "Wo?", "Hier"))])
    task = load_lareqa("small", tmp_path)
    assert_in_order(task)
    assert relevant(task)["q", "en"][1:] == ("en-000-000-119", "S119.")


def test_an_answer_that_starts_with_the_space_between_sentences_is_in_the_next(tmp_path: Path) -> None:
    file = write(tmp_path, "en", [paragraph(["One.", "Two."], ("q", "?", " Two"))])
    assert relevant(load_lareqa("small", tmp_path))["q", "en"][1] == "en-000-000-01"
    assert json.loads(file.read_text())["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] == 4


def test_only_the_first_answer_counts_and_other_files_are_left_alone(tmp_path: Path) -> None:
    one = paragraph(["One.", "Two."], ("q", "?", "Two"))
    one["qas"][0]["answers"].append({"text": "nowhere", "answer_start": 999})
    write(tmp_path, "en", [one])
    (tmp_path / "README.json").write_text("no JSON")
    (tmp_path / "LICENSE").write_text("text")
    assert relevant(load_lareqa("small", tmp_path))["q", "en"][1] == "en-000-000-01"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = write(tmp_path, "en", [paragraph(["One."], ("q", "?", "One"))])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load_lareqa("small", tmp_path).query_ids == ("q",)


# unsound input


def assert_refused(path: Path, *parts: str, **options: Any) -> None:
    with pytest.raises(InputError) as caught:
        load_lareqa("small", path, **options)
    for part in (str(path), *parts):
        assert part in str(caught.value)


def test_folders_and_languages_that_are_not_there(mlqa_shaped: Path, tmp_path: Path) -> None:
    assert_refused(tmp_path / "none", "there is no such folder")
    assert_refused(mlqa_shaped / "en.json", "is no folder")
    assert_refused(mlqa_shaped, "has no dd.json; allowed: de, en, hi, zh", languages=["en", "dd"])
    assert_refused(mlqa_shaped, "no language is asked for; allowed: de, en, hi, zh", languages=[])
    (mlqa_shaped / "hi.json").rename(mlqa_shaped / "jp.json")
    assert_refused(mlqa_shaped, "jp.json: the file's name: 'jp' is no language code", "did you mean 'ja'?")
    (tmp_path / "empty").mkdir()
    assert_refused(tmp_path / "empty", "holds no <language>.json")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "not valid JSON"),
        (b'{"data": [', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        ('{"data": []}'.encode("utf-16"), "not UTF-8 at byte 0"),
        ('{"data": "caf\u00e9"}'.encode("latin-1"), "not UTF-8 at byte 13"),
        (b"[]", "en.json is []; allowed: an object with 'data'"),
        (b"{}", "en.json: 'data' is missing"),
        (b'{"data": {}}', "'data' is {}; allowed: a list"),
        (b'{"data": []}', "holds no question: the language is empty"),
        (b'{"data": [5]}', "en.json: data[0] is 5; allowed: an object with 'paragraphs'"),
    ],
)
def test_a_file_that_cannot_be_read(mlqa_shaped: Path, content: bytes, what: str) -> None:
    (mlqa_shaped / "en.json").write_bytes(content)
    assert_refused(mlqa_shaped, "en.json", what)


GOOD = paragraph(["One.", "Two.", "Three."], ("q1", "First?", "One"), ("q2", "Third?", "Three"))
LENGTH = len(GOOD["context"])


def changed(*path: str | int, value: Json) -> Json:
    """The paragraph with another value at a place; None takes the key away."""
    copy = deepcopy(GOOD)
    at = copy
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("bad", "parts"),
    [
        (5, ("data[1]: paragraphs[1] is 5",)),
        (changed("context", value=None), ("paragraphs[1]: 'context' is missing",)),
        (changed("context", value=" "), ("'context' is blank",)),
        (changed("context", value=7), ("'context' is 7; allowed: a string",)),
        (changed("context", value="x\ud800" + GOOD["context"]), ("'context' holds half a character at 1",)),
        (changed("qas", value=None), ("paragraphs[1]: 'qas' is missing",)),
        (changed("qas", 1, "id", value=None), ("qas[1]: 'id' is missing",)),
        (changed("qas", 1, "question", value=None), ("qas[1] (id 'q2'): 'question' is missing",)),
        (changed("qas", 1, "question", value=""), ("qas[1] (id 'q2'): 'question' is blank",)),
        (changed("qas", 1, "answers", value=None), ("qas[1] (id 'q2'): 'answers' is missing",)),
        (changed("qas", 1, "answers", value=[]), ("qas[1] (id 'q2'): has no answer",)),
        (changed("qas", 1, "answers", 0, "answer_start", value=None), ("answers[0]: 'answer_start' is missing",)),
        (
            changed("qas", 1, "answers", 0, "answer_start", value="3"),
            ("'answer_start' is '3'; allowed: a whole number",),
        ),
        (changed("qas", 1, "answers", 0, "answer_start", value=True), ("'answer_start' is True",)),
        (
            changed("qas", 1, "answers", 0, "answer_start", value=LENGTH),
            ("(id 'q2'): answers[0]", f"{LENGTH} lies outside the paragraph; allowed: 0 to {LENGTH - 1}"),
        ),
        (changed("qas", 1, "answers", 0, "answer_start", value=-1), ("-1 lies outside the paragraph",)),
        (
            changed("qas", 1, "id", value="q1"),
            ("paragraphs[1]: qas[1]: id 'q1' stands in data[1]: paragraphs[1]: qas[0]",),
        ),
        (changed("qas", 1, "id", value="q0"), ("id 'q0' stands in data[0]: paragraphs[0]: qas[0] already",)),
        (changed("sentence_breaks", value=None), ("'sentence_breaks' is missing", "copies on dataset hubs lack it")),
        (changed("sentence_breaks", value=[[0, 4], [5, 9]]), ("(id 'q2')", "answer_start 10 lies in no sentence")),
        (changed("sentence_breaks", value=[]), ("(id 'q1')", "answer_start 0 lies in no sentence")),
        (
            changed("sentence_breaks", 2, value=[10, 99]),
            ("sentence_breaks[2] is [10, 99]", f"<= {LENGTH}, the paragraph's"),
        ),
        (
            changed("sentence_breaks", 1, value=[3, 9]),
            ("sentence_breaks[1] is [3, 9]; allowed: [start, end] with 4 <=",),
        ),
        (changed("sentence_breaks", 1, value=[5, 5]), ("sentence_breaks[1] is [5, 5]",)),
        (changed("sentence_breaks", 0, value=[-1, 4]), ("sentence_breaks[0] is [-1, 4]",)),
        (changed("sentence_breaks", 0, value=["0", 4]), ("sentence_breaks[0] is ['0', 4]",)),
        (changed("sentence_breaks", 0, value=4), ("sentence_breaks[0] is 4",)),
    ],
)
def test_a_bad_paragraph_is_named_with_its_place(tmp_path: Path, bad: Json, parts: tuple[str, ...]) -> None:
    first = paragraph(["Zero."], ("q0", "Nought?", "Zero"))
    write(tmp_path, "en", [first], [paragraph(["No question."]), bad])
    assert_refused(tmp_path, str(tmp_path / "en.json"), "data[1]: paragraphs[1]", *parts)


def test_a_language_may_be_empty_in_the_articles_taken(tmp_path: Path) -> None:
    write(tmp_path, "en", [paragraph(["A b."], ("q1", "A?", "b"))], [paragraph(["C d."], ("q2", "C?", "d"))])
    write(tmp_path, "es", [paragraph(["E f."], ("q2", "E?", "f"))])
    assert len(load_lareqa("small", tmp_path).query_ids) == 2
    assert_refused(tmp_path, "es.json: holds no question with every_article 2: the language is empty", every_article=2)


# real data


@needs_xquad_r
def test_xquad_r_has_the_published_sizes() -> None:
    task = load_lareqa("xquad_r", XQUAD_R)
    assert_in_order(task)
    assert dict(zip(task.languages, np.bincount(task.candidate_languages).tolist(), strict=True)) == XQUAD_R_CANDIDATES
    assert task.queries.shape == (1190, 11) and (task.queries >= 0).all()
    assert len(task.relevant_queries) == 1190 * 11
    assert set(Counter(task.relevant_queries.tolist()).values()) == {11}
    assert len(set(task.paragraphs)) == 240 and len(set(task.articles)) == 48
    english = task.candidate_languages[task.relevant_candidates] == task.languages.index("en")
    assert len(set(task.relevant_candidates[english].tolist())) == 787


@needs_xquad_r
def test_xquad_r_paragraphs_are_positions_in_any_file() -> None:
    task = load_lareqa("xquad_r", XQUAD_R, ["th", "de"])
    for (query_id, _), (_, candidate_id, _) in relevant(task).items():
        row = task.query_ids.index(query_id)
        assert candidate_id[3:10] == task.paragraphs[row]
        assert task.paragraphs[row].startswith(task.articles[row])


@needs_xquad_r
def test_xquad_r_in_part() -> None:
    task = load_lareqa("xquad_r", XQUAD_R, ["en", "zh"], every_article=6)
    assert sorted(set(task.articles)) == [f"{n:03d}" for n in range(0, 48, 6)]
    assert {candidate.split("-")[1] for candidate in task.candidate_ids} == set(task.articles)
    whole = load_lareqa("xquad_r", XQUAD_R, ["en", "zh"])
    assert relevant(task).items() <= relevant(whole).items()
