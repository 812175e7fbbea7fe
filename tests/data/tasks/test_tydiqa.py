"""TyDiQA-R from the official file and in the hub's layout, with translated questions, and unsound files."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.reading.test_squad_shape import write_hub, write_official
from workbench.data.reading.squad_shape import SquadRow, splitter
from workbench.data.task import RetrievalTask
from workbench.data.tasks.tydiqa import load_tydiqa
from workbench.errors import InputError
from workbench.evaluation.measures import measure_cells
from workbench.evaluation.ranking import rank_task
from workbench.evaluation.tables import result_tables

MTO = "Mto unapita mjini. 🌊 Maji yake ni baridi! Samaki wanaishi humo."
DARAJA = "Daraja lina umri wa miaka 90. Lilijengwa na Juma."
NADI = "নদীটি শহরের পাশে। জল ঠান্ডা। মাছ আছে।"
KANG = "강은 도시를 지난다. 물이 차갑다. 물고기가 산다."


def row(question_id: str, title: str, context: str, question: str, *answers: str) -> SquadRow:
    found = tuple((answer, context.index(answer)) for answer in answers)
    return SquadRow(question_id, title, context, question, found)


ROWS = [
    row("swahili-11-0", "Mto", MTO, "Maji yakoje?", "baridi", "Maji"),
    row("bengali-7-0", "নদী", NADI, "জল কেমন?", "ঠান্ডা"),
    row("swahili-12-1", "Mto", DARAJA, "Nani alijenga?", "Juma"),
    row("swahili-10-0", "Mto", MTO, "Nani wanaishi humo?", "Samaki"),
    row("korean--5-0", "강", KANG, "물은 어떤가?", "차갑다"),
    row("swahili-13-0", "Kisima", "Kisima kina maji. Ni kirefu.", "Kina nini?", "maji"),
    row("korean-6-0", "우물", KANG, "무엇이 사는가?", "물고기"),
]


@pytest.fixture
def official(tmp_path: Path) -> Path:
    return write_official(tmp_path / "tydiqa-goldp-v1.1-dev.json", ROWS)


def relevant_texts(task: RetrievalTask) -> dict[str, tuple[str, str]]:
    """By question: the id and the text of its relevant sentence."""
    return {
        task.query_ids[query]: (task.candidate_ids[candidate], task.passage_texts[task.candidates[candidate]])
        for query, candidate in zip(task.relevant_queries, task.relevant_candidates, strict=True)
    }


def asked(task: RetrievalTask) -> dict[str, dict[str, str]]:
    """By question: its text by language."""
    return {
        query_id: {
            language: task.query_texts[text]
            for language, text in zip(task.languages, task.queries[number], strict=True)
            if text >= 0
        }
        for number, query_id in enumerate(task.query_ids)
    }


def assert_same(one: RetrievalTask, other: RetrievalTask) -> None:
    for name in one.__dataclass_fields__:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def assert_in_order(task: RetrievalTask) -> None:
    assert list(task.languages) == sorted(set(task.languages))
    assert list(task.query_ids) == sorted(set(task.query_ids))
    assert list(task.candidate_ids) == sorted(set(task.candidate_ids))
    pairs = list(zip(task.relevant_queries.tolist(), task.relevant_candidates.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert len(set(task.query_texts)) == len(task.query_texts)
    assert len(set(task.passage_texts)) == len(task.passage_texts)


def test_sentences_of_every_paragraph_are_candidates(official: Path) -> None:
    task = load_tydiqa("tydiqa_r", official)
    assert_in_order(task)
    assert task.name == "tydiqa_r" and task.languages == ("bn", "ko", "sw")
    assert np.bincount(task.candidate_languages).tolist() == [3, 6, 7]
    assert asked(task)["korean--5-0"] == {"ko": "물은 어떤가?"}
    assert relevant_texts(task) == {
        "bengali-7-0": ("bn-00000-000-0001", "জল ঠান্ডা।"),
        "korean--5-0": ("ko-00000-000-0001", "물이 차갑다."),
        "korean-6-0": ("ko-00001-000-0002", "물고기가 산다."),
        "swahili-10-0": ("sw-00000-000-0002", "Samaki wanaishi humo."),
        "swahili-11-0": ("sw-00000-000-0001", "🌊 Maji yake ni baridi!"),
        "swahili-12-1": ("sw-00000-001-0001", "Lilijengwa na Juma."),
        "swahili-13-0": ("sw-00001-000-0000", "Kisima kina maji."),
    }
    of_query = dict(zip(task.query_ids, zip(task.paragraphs, task.articles, strict=True), strict=True))
    assert of_query["swahili-10-0"] == of_query["swahili-11-0"] == ("sw-00000-000", "sw-00000")
    assert of_query["swahili-12-1"] == ("sw-00000-001", "sw-00000")
    assert of_query["bengali-7-0"] == ("bn-00000-000", "bn-00000")
    assert task.notes == {"splitter": splitter()}


def test_hub_layout_and_folders_give_the_same(tmp_path: Path, official: Path) -> None:
    task = load_tydiqa("t", official)
    assert_same(load_tydiqa("t", official.parent), task)
    assert_same(load_tydiqa("t", official.parent, split="dev"), task)
    hub = write_hub(tmp_path / "hub", "secondary_task", "validation", ROWS)
    write_hub(hub, "secondary_task", "train", ROWS[:2])
    assert_same(load_tydiqa("t", hub), task)
    assert load_tydiqa("t", hub, split="train").query_ids == ("bengali-7-0", "swahili-11-0")


def test_options_choose_languages_articles_and_text(official: Path) -> None:
    task = load_tydiqa("t", official, languages=["sw", "ko"], every_article=2, passage_text="sentence_paragraph")
    assert task.query_ids == ("korean--5-0", "swahili-10-0", "swahili-11-0", "swahili-12-1")
    assert relevant_texts(task)["swahili-11-0"][1] == f"🌊 Maji yake ni baridi! {MTO}"


def test_an_answer_of_any_question_is_never_cut(tmp_path: Path) -> None:
    rows = [
        row("swahili-1-0", "Mto", MTO, "Vipi?", "baridi"),
        row("swahili-2-0", "Mto", MTO, "Yapi?", "mjini", "baridi! Samaki"),
    ]
    task = load_tydiqa("t", write_official(tmp_path / "a.json", rows))
    assert [text for _, text in relevant_texts(task).values()] == [
        "🌊 Maji yake ni baridi! Samaki wanaishi humo.",
        "Mto unapita mjini.",
    ]
    assert len(task.candidate_ids) == 2


def write_questions(file: Path, rows: Sequence[tuple[str, str, str, str]]) -> Path:
    columns = ("id", "language", "question", "translator")
    if file.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([dict(zip(columns, each, strict=True)) for each in rows]), file)
    elif file.suffix == ".jsonl":
        lines = [json.dumps(dict(zip(columns, each, strict=True)), ensure_ascii=False) for each in rows]
        file.write_text("\n".join(lines), encoding="utf-8")
    else:
        file.write_text("\n".join("\t".join(each) for each in (columns, *rows)), encoding="utf-8")
    return file


TRANSLATED = [
    ("swahili-11-0", "bn", "জল কেমন ছিল?", "human"),
    ("swahili-13-0", "bn", "কী আছে?", "nllb"),
    ("bengali-7-0", "de", "Wie ist das Wasser?", "nllb"),
    ("bengali-7-0", "sw", "Maji yakoje?", "human"),
]


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "tsv"])
def test_translated_questions_add_cells(tmp_path: Path, official: Path, ending: str) -> None:
    files = [
        write_questions(tmp_path / f"{n}.{ending}", part) for n, part in enumerate((TRANSLATED[:1], TRANSLATED[1:]))
    ]
    task = load_tydiqa("t", official, questions=files)
    assert_in_order(task)
    assert task.languages == ("bn", "de", "ko", "sw")
    assert np.bincount(task.candidate_languages, minlength=4).tolist() == [3, 0, 6, 7]
    assert asked(task)["bengali-7-0"] == {"bn": "জল কেমন?", "de": "Wie ist das Wasser?", "sw": "Maji yakoje?"}
    assert asked(task)["swahili-11-0"] == {"bn": "জল কেমন ছিল?", "sw": "Maji yakoje?"}
    assert relevant_texts(task)["bengali-7-0"][1] == "জল ঠান্ডা।"
    assert json.loads(task.notes["translated"]) == {"bn>sw": "human, nllb", "de>bn": "nllb", "sw>bn": "human"}


def test_languages_also_choose_translated_questions(tmp_path: Path, official: Path) -> None:
    file = write_questions(tmp_path / "q.tsv", TRANSLATED)
    task = load_tydiqa("t", official, languages=["bn", "de"], questions=[file])
    assert task.languages == ("bn", "de") and set(asked(task)["bengali-7-0"]) == {"bn", "de"}
    assert json.loads(task.notes["translated"]) == {"de>bn": "nllb"}
    with pytest.raises(InputError, match="'de' is empty: no paragraph taken has a question in it"):
        load_tydiqa("t", official, languages=["ko", "de"], questions=[file])


def test_a_language_of_questions_alone_is_ranked(tmp_path: Path, official: Path) -> None:
    task = load_tydiqa("t", official, questions=[write_questions(tmp_path / "q.tsv", TRANSLATED)])
    random = np.random.default_rng(0)
    queries, passages = (random.normal(size=(len(texts), 8)) for texts in (task.query_texts, task.passage_texts))
    unit = [(part / np.linalg.norm(part, axis=1, keepdims=True)).astype(np.float32) for part in (queries, passages)]
    rankings = rank_task(task, *unit)
    starts = rankings.cell_starts
    cells = {
        (rankings.languages[query], rankings.pools[pool])
        for query, pool in zip(rankings.query_language[starts], rankings.pool_language[starts], strict=True)
    }
    assert cells == {
        *((language, language) for language in ("bn", "ko", "sw")),
        *(("bn", "sw"), ("de", "bn"), ("sw", "bn")),
        *((language, "*") for language in ("bn", "de", "ko", "sw")),
    }
    for language, query, pool, candidate, rank in zip(
        rankings.query_language,
        rankings.query,
        rankings.pool_language,
        rankings.candidate,
        rankings.rank,
        strict=True,
    ):
        scores = (unit[1] @ unit[0][task.queries[query, language]])[task.candidates]
        inside = (task.candidate_languages == pool) | (rankings.pools[pool] == "*")
        above = (scores > scores[candidate]) | (scores == scores[candidate]) & (np.arange(len(scores)) < candidate)
        assert rank == 1 + (inside & above).sum()
    values = measure_cells(rankings).value
    assert np.isfinite(values).all()
    assert result_tables("t", task, rankings, measure_cells(rankings))


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (("swahili-99-0", "bn", "কী?", "human"), r"1.jsonl: line 1: id 'swahili-99-0' is no question of the task"),
        (("swahili-11-0", "sw", "Vipi?", "human"), "line 1: 'sw' is the own language of question 'swahili-11-0'"),
        (("swahili-11-0", "jp", "何?", "nllb"), "line 1: language: 'jp' is no language code.*did you mean 'ja'"),
        (("swahili-11-0", "bn", " ", "human"), "line 1: 'question' is blank"),
        (("swahili-11-0", "bn", "কী?", ""), "line 1: 'translator' is blank"),
        (TRANSLATED[0], "1.jsonl: line 1: question 'swahili-11-0' stands in 'bn' already: .*0.tsv: line 2"),
    ],
)
def test_unsound_translated_questions_are_named(
    tmp_path: Path, official: Path, question: tuple[str, str, str, str], message: str
) -> None:
    files = [write_questions(tmp_path / "0.tsv", TRANSLATED), write_questions(tmp_path / "1.jsonl", [question])]
    with pytest.raises(InputError, match=message):
        load_tydiqa("t", official, questions=files)


def test_a_file_without_questions_is_refused_and_human_may_be_written_large(tmp_path: Path, official: Path) -> None:
    with pytest.raises(InputError, match=r"q\.tsv: holds no question"):
        load_tydiqa("t", official, questions=[write_questions(tmp_path / "q.tsv", [])])
    file = write_questions(tmp_path / "q.jsonl", [("bengali-7-0", "sw", "Maji yakoje?", " Human")])
    assert json.loads(load_tydiqa("t", official, questions=[file]).notes["translated"]) == {"sw>bn": "human"}


def test_a_table_of_questions_needs_its_column_names(tmp_path: Path, official: Path) -> None:
    file = tmp_path / "q.tsv"
    file.write_text("swahili-11-0\tbn\tকী?\thuman\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"q\.tsv: line 1: the column names are .*allowed: id, language, question"):
        load_tydiqa("t", official, questions=[file])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (replace(ROWS[0], id="12345"), "qas.0. .id '12345'.: the id names no language"),
        (replace(ROWS[0], id="klingon-1-0"), "id: 'klingon' is no language"),
        (replace(ROWS[0], id="bengali-7-0"), r"data.7.*bengali-7-0'.: the id comes twice, first in .*data.1."),
        (replace(ROWS[0], answers=()), "data.7.*: has no answer"),
        (replace(ROWS[0], title=" "), "data.7.*: 'title' is missing"),
        (replace(ROWS[0], answers=(("baridi", 4),)), "data.7.*answer 'baridi' does not stand at 4"),
    ],
)
def test_unsound_rows_are_named(tmp_path: Path, bad: SquadRow, message: str) -> None:
    bad = replace(bad, id="swahili-20-0") if bad.id == ROWS[0].id else bad
    with pytest.raises(InputError, match=message):
        load_tydiqa("t", write_official(tmp_path / "a.json", [*ROWS, bad]))


def test_what_is_not_there_is_named(tmp_path: Path, official: Path) -> None:
    with pytest.raises(InputError, match="holds no question in 'fi'; allowed: bn, ko, sw"):
        load_tydiqa("t", official, languages=["sw", "fi"])
    with pytest.raises(InputError, match="no language is asked for"):
        load_tydiqa("t", official, languages=[])
    with pytest.raises(InputError, match="no split 'validation'; allowed: dev, train"):
        load_tydiqa("t", official.parent, split="validation")
    with pytest.raises(InputError, match=r"has neither tydiqa-goldp-v1\.1-train.json nor secondary_task/train-"):
        load_tydiqa("t", official.parent, split="train")
    with pytest.raises(InputError, match="split 'dev' can only be taken from a folder"):
        load_tydiqa("t", official, split="dev")
    with pytest.raises(InputError, match="gone: there is no such file"):
        load_tydiqa("t", tmp_path / "gone")
    with pytest.raises(InputError, match="holds no question in any language"):
        load_tydiqa("t", write_official(tmp_path / "empty.json", []))
