"""SQuAD and its translations: both layouts, sentences around answers, languages by name, and what is refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.examples import assert_sound, cell_texts
from workbench.data.pairs import hash_order
from workbench.data.training_sets.squad import load_squad_pairs
from workbench.errors import InputError

Paragraph = tuple[str, list[tuple[str, str, list[str]]]]
"""Context, and id, question and answers of each question; an answer is found where it first stands."""

ENGLISH: list[Paragraph] = [
    (
        "Mount Vell is 312 m high. It was climbed by Dr. A. Moss in 1901. Nobody lives there.",
        [
            ("q1", "How high is Mount Vell?", ["312 m", "312"]),
            ("q2", "Who climbed Mount Vell first?", ["Dr. A. Moss"]),
            ("q3", "Who climbed it, and when?", ["A. Moss in 1901. Nobody"]),
        ],
    ),
    ("The river Orn is short. Its water is cold.", [("q4", "Is the water of the Orn warm?", ["cold"])]),
]
CHINESE: list[Paragraph] = [
    (
        "维尔山高312米。它在1901年被登顶。没有人住在那里。",
        [("q1", "维尔山有多高？", ["312米"]), ("q2", "何时登顶？", ["1901年"])],
    ),
]
HINDI: list[Paragraph] = [
    ("ओर्न नदी छोटी है। उसका पानी ठंडा है।", [("q4", "क्या पानी गर्म है?", ["ठंडा"])]),
]


def official(path: Path, paragraphs: Sequence[Paragraph]) -> Path:
    """The shape of the official releases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shaped = [
        {
            "context": context,
            "qas": [
                {"id": i, "question": q, "answers": [{"text": a, "answer_start": context.find(a)} for a in answers]}
                for i, q, answers in questions
            ],
        }
        for context, questions in paragraphs
    ]
    content = {"version": "1.1", "data": [{"title": "Made_up", "paragraphs": shaped}]}
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def hub(path: Path, paragraphs: Sequence[Paragraph]) -> Path:
    """The columns of the hub's tables; SQuAD's own has a title, MLQA's translations have none."""
    rows = [
        {
            "id": i,
            **({"title": "Made_up"} if path.parent.name == "plain_text" else {}),
            "context": context,
            "question": q,
            "answers": {"text": answers, "answer_start": [context.find(a) for a in answers]},
        }
        for context, questions in paragraphs
        for i, q, answers in questions
    ]
    kind = pa.struct({"text": pa.list_(pa.string()), "answer_start": pa.list_(pa.int32())})
    columns: dict[str, Any] = {key: [row[key] for row in rows] for key in rows[0]}
    columns["answers"] = pa.array(columns["answers"], kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture(params=["official", "hub", "own"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The three languages in each of the layouts, among files that are no training files."""
    if request.param == "official":
        official(tmp_path / "squad/train-v1.1.json", ENGLISH)
        official(tmp_path / "squad/dev-v1.1.json", ENGLISH)
        official(tmp_path / "mlqa-translate-train/zh_squad-translate-train-train-v1.1.json", CHINESE)
        official(tmp_path / "mlqa-translate-train/zh_squad-translate-train-dev-v1.1.json", CHINESE)
        official(tmp_path / "translate-train/squad.translate.train.en-hi.json", HINDI)
    elif request.param == "hub":
        hub(tmp_path / "plain_text/train-00000-of-00002.parquet", ENGLISH[:1])
        hub(tmp_path / "plain_text/train-00001-of-00002.parquet", ENGLISH[1:])
        hub(tmp_path / "plain_text/validation-00000-of-00001.parquet", ENGLISH)
        hub(tmp_path / "mlqa-translate-train.zh/train-00000.parquet", CHINESE)
        hub(tmp_path / "mlqa-translate-train.hi/train-00000.parquet", HINDI)
    else:
        official(tmp_path / "en.json", ENGLISH)
        hub(tmp_path / "zh.parquet", CHINESE)
        hub(tmp_path / "hi/train.parquet", HINDI)
    (tmp_path / "read-me.json").write_text("[]")
    return tmp_path


def test_every_layout_gives_the_same_pairs(folder: Path) -> None:
    pairs = load_squad_pairs("mine", folder)
    assert_sound(pairs)
    assert (pairs.name, pairs.languages, pairs.pair_ids) == ("mine", ("en", "hi", "zh"), ("q1", "q2", "q3", "q4"))
    assert (pairs.negatives == -1).all() and pairs.notes == ()
    assert cell_texts(pairs, "queries") == {
        **{(i, "en"): q for _, questions in ENGLISH for i, q, _ in questions},
        ("q1", "zh"): "维尔山有多高？",
        ("q2", "zh"): "何时登顶？",
        ("q4", "hi"): "क्या पानी गर्म है?",
    }
    joined = "It was climbed by Dr. A. Moss in 1901. Nobody lives there."
    assert cell_texts(pairs, "passages") == {
        ("q1", "en"): "Mount Vell is 312 m high.",
        ("q2", "en"): joined,
        ("q3", "en"): joined,
        ("q4", "en"): "Its water is cold.",
        ("q1", "zh"): "维尔山高312米。",
        ("q2", "zh"): "它在1901年被登顶。",
        ("q4", "hi"): "उसका पानी ठंडा है।",
    }


def test_the_passage_may_be_the_paragraph(folder: Path) -> None:
    pairs = load_squad_pairs("mine", folder, ["en", "hi"], passage_text="paragraph")
    assert_sound(pairs)
    assert pairs.languages == ("en", "hi")
    assert cell_texts(pairs, "passages") == {
        **{(i, "en"): context for context, questions in ENGLISH for i, _, _ in questions},
        ("q4", "hi"): HINDI[0][0],
    }


def test_caps_take_the_first_pairs_and_leave_their_passages_as_they_are(folder: Path) -> None:
    whole = load_squad_pairs("mine", folder)
    order = [whole.pair_ids[row] for row in hash_order(whole.pair_ids)]
    few = load_squad_pairs("mine", folder, pairs=2)
    assert_sound(few)
    assert set(few.pair_ids) == set(order[:2])
    one_each = load_squad_pairs("mine", folder, pairs_per_language=1)
    assert_sound(one_each)
    assert one_each.has.sum(axis=0).tolist() == [1, 1, 1]
    for part in (few, one_each):
        assert cell_texts(part, "passages").items() <= cell_texts(whole, "passages").items()


def test_an_answer_that_translation_lost_leaves_its_question_out(tmp_path: Path) -> None:
    questions = [("a", "Wo?", ["nirgends"]), ("b", "Was?", ["Fluss"]), ("c", "Wer?", []), ("d", "Wie?", ["", "kalt"])]
    paragraphs = [("Der Fluss ist kalt.", questions)]
    for path in (
        official(tmp_path / "squad.translate.train.en-de.json", paragraphs),
        hub(tmp_path / "mlqa-translate-train.de/train-00000.parquet", paragraphs),
    ):
        pairs = load_squad_pairs("mine", path)
        assert (pairs.pair_ids, pairs.languages) == (("b", "d"), ("de",))
        assert pairs.notes == ("2 of 4 questions in 'de' have no answer in their paragraph and are left out",)


def test_a_question_without_an_answer_is_no_pair(tmp_path: Path) -> None:
    path = official(tmp_path / "train-v2.0.json", [("Here.", [("a", "Where?", ["Here"]), ("b", "Why?", [])])])
    pairs = load_squad_pairs("mine", path)
    assert pairs.pair_ids == ("a",)
    assert pairs.notes == ("1 of 2 questions in 'en' have no answer in their paragraph and are left out",)


def test_the_language_of_a_file_is_told_by_its_name_or_by_the_user(tmp_path: Path) -> None:
    for name, language in (
        ("zh_squad-translate-train-train-v1.1.json", "zh"),
        ("squad.translate.train.en-zh.json", "zh"),
        ("zh.json", "zh"),
        ("train-v1.1.json", "en"),
    ):
        assert load_squad_pairs("mine", official(tmp_path / name, CHINESE)).languages == (language,)
    path = official(tmp_path / "mine.json", CHINESE)
    assert load_squad_pairs("mine", path, ["zh"]).languages == ("zh",)
    for languages in (None, ["zh", "en"]):
        assert_refused(path, "the name tells no language", languages=languages)
    assert_refused(path, "'chinese' is no language code", "did you mean 'zh'?", languages=["chinese"])


def assert_refused(path: Path, *parts: str, **options: Any) -> None:
    with pytest.raises(InputError) as caught:
        load_squad_pairs("mine", path, **options)
    for part in (str(path), *parts):
        assert part in str(caught.value)


def test_an_answer_outside_its_paragraph_is_refused(tmp_path: Path) -> None:
    path = official(tmp_path / "en.json", [("Here.", [("a", "Where?", ["There"])])])
    assert_refused(path, "data[0]: paragraphs[0]: qas[0] (id 'a'): answers[0]", "does not")
    path = hub(tmp_path / "fr/train.parquet", [("Ici.", [("a", "Où ?", ["Ici"]), ("b", "Où ?", ["là"])])])
    assert_refused(path, "row 2 (id 'b')", "does not")


def test_a_question_twice_is_refused(tmp_path: Path) -> None:
    path = official(tmp_path / "en.json", [*ENGLISH, ENGLISH[1]])
    assert_refused(path, "paragraphs[2]: qas[0] (id 'q4')", "id 'q4' has been met before in 'en'")


def test_what_is_not_there(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none", "there is no such file or folder")
    (tmp_path / "read-me.json").write_text("[]")
    assert_refused(tmp_path, "no name of a file tells its language; allowed: train-v1.1.json")
    official(tmp_path / "en.json", ENGLISH)
    assert_refused(tmp_path, "holds no text in 'fr'; allowed: en", languages=["fr"])
    official(tmp_path / "train-v1.1.json", ENGLISH)
    assert_refused(tmp_path, "both en.json and train-v1.1.json are in 'en'")
    official(tmp_path / "other/gr.json", ENGLISH)
    assert_refused(tmp_path / "other", "gr.json: the name: 'gr' is no language code", "did you mean 'el'?")
    official(tmp_path / "empty/en.json", [])
    assert_refused(tmp_path / "empty", "holds no pairs")


@pytest.mark.parametrize("size", [0, 40, -30])
def test_a_truncated_file(tmp_path: Path, size: int) -> None:
    for path in (official(tmp_path / "en.json", ENGLISH), hub(tmp_path / "fr.parquet", ENGLISH)):
        path.write_bytes(path.read_bytes()[:size])
        assert_refused(path, "not ")


def test_a_wrong_encoding(tmp_path: Path) -> None:
    path = official(tmp_path / "en.json", ENGLISH)
    path.write_bytes(path.read_text().replace("Orn", "Örn").encode("latin-1"))
    assert_refused(path, "not UTF-8 at byte")


def test_an_empty_language_is_refused(tmp_path: Path) -> None:
    official(tmp_path / "hi.json", HINDI)
    official(tmp_path / "zh.json", [(CHINESE[0][0], [])])
    assert load_squad_pairs("squad", tmp_path, ["hi"]).languages == ("hi",)
    with pytest.raises(InputError, match="holds no pairs in 'zh'"):
        load_squad_pairs("squad", tmp_path)
