"""BEIR folders as tasks: one language, several in one folder, a folder for each pair; what unsound files are told."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.tasks.benchmarks import (
    asked,
    assert_sound,
    passage,
    pool,
    query,
    relevants,
    write_beir,
    write_json_lines,
    write_lines,
    write_parquet,
)
from workbench.data.tasks.beir import load_beir
from workbench.errors import InputError

CORPUS = [
    passage("d1", "Cats sleep.", "Cats"),
    passage("d2", "Dogs bark."),
    passage("d10", "पक्षी गाते हैं।", "पक्षी"),
    passage("d3", "Dogs bark."),
]
QUERIES = [query("q1", "Who sleeps?"), query("q2", "कौन गाता है?"), query("q3", "Nobody?"), query("q4", "Who barks?")]
QRELS = [("q1", "d1", 3), ("q1", "d2", 1), ("q2", "d10", 2), ("q2", "d1", 0), ("q3", "d1", 0), ("q4", "d3", -1)]


def one_language(folder: Path) -> Path:
    return write_beir(folder, CORPUS, QUERIES, QRELS)


def test_grades_titles_and_queries_without_relevant(tmp_path: Path) -> None:
    task = load_beir("mine", one_language(tmp_path), ["en"])
    assert_sound(task)
    assert task.name == "mine" and task.languages == ("en",)
    assert relevants(task) == {"q1": {"d1": 3, "d2": 1}, "q2": {"d10": 2}}
    assert asked(task) == {"q1": {"en": "Who sleeps?"}, "q2": {"en": "कौन गाता है?"}}
    assert {i: text for i, (_, text) in pool(task).items()} == {
        "d1": "Cats Cats sleep.",
        "d10": "पक्षी पक्षी गाते हैं।",
        "d2": "Dogs bark.",
        "d3": "Dogs bark.",
    }
    assert task.paragraphs == ("d1", "d10") and task.articles == ("d1", "d10")
    assert task.notes == {"queries without relevant": "2"}


def test_equal_texts_stay_candidates_and_share_a_text(tmp_path: Path) -> None:
    task = load_beir("mine", one_language(tmp_path), ["en"])
    places = dict(zip(task.candidate_ids, task.candidates.tolist(), strict=True))
    assert places["d2"] == places["d3"] and len(task.passage_texts) == 3


def test_without_a_language_the_caller_says_it(tmp_path: Path) -> None:
    one_language(tmp_path)
    for languages in (None, ["en", "hi"]):
        assert_refused(tmp_path, "nothing says what languages its texts are in", "'languages'", languages=languages)
    assert_refused(tmp_path, "'eng' is no language code", "did you mean 'en'", languages=["eng"])


def test_a_hubs_layout_gives_the_same(tmp_path: Path) -> None:
    expected = load_beir("mine", one_language(tmp_path / "beir"), ["en"])
    hub = tmp_path / "hub"
    write_parquet(hub / "corpus" / "corpus-00000-of-00002.parquet", CORPUS[:1])
    write_parquet(hub / "corpus" / "corpus-00001-of-00002.parquet", CORPUS[1:])
    write_parquet(hub / "queries" / "queries-00000-of-00001.parquet", QUERIES)
    scores = [{"query-id": q, "corpus-id": d, "score": float(grade)} for q, d, grade in QRELS]
    write_parquet(hub / "default" / "test-00000-of-00001.parquet", scores)
    write_parquet(hub / "default" / "train-00000-of-00001.parquet", scores[:1])
    found = load_beir("mine", hub, ["en"])
    assert (relevants(found), asked(found), pool(found)) == (relevants(expected), asked(expected), pool(expected))
    assert list(relevants(load_beir("mine", hub, ["en"], "train"))) == ["q1"]


def test_ids_under_other_keys_and_zipped_files(tmp_path: Path) -> None:
    write_json_lines(tmp_path / "corpus.jsonl.gz", [{"id": 7, "text": "Seven."}, {"docid": "x#1", "text": "One."}])
    write_json_lines(tmp_path / "queries.jsonl.gz", [{"id": 1, "text": "How many?"}])
    write_json_lines(tmp_path / "qrels" / "test.jsonl", [{"query-id": 1, "corpus-id": "7", "score": 1}])
    task = load_beir("mine", tmp_path, ["en"])
    assert task.candidate_ids == ("7", "x#1") and relevants(task) == {"1": {"7": 1}}


def test_a_passage_may_be_empty(tmp_path: Path) -> None:
    write_beir(tmp_path, [*CORPUS, passage("d9", ""), {"_id": "d8", "title": "Only", "text": None}], QUERIES, QRELS)
    task = load_beir("mine", tmp_path, ["en"])
    assert pool(task)["d9"] == ("en", "") and pool(task)["d8"] == ("en", "Only")
    assert task.notes["passages without text"] == "1"


# languages in the rows


def several_languages(folder: Path) -> Path:
    return write_beir(
        folder,
        [
            passage("p1", "Der Fluss ist lang.", language="de"),
            passage("p2", "河很长。", "河", language="zh"),
            passage("p3", "Die Stadt ist alt.", language="de"),
        ],
        [
            query("a", "Wie lang ist der Fluss?", language="de"),
            query("a", "河有多长？", language="zh"),
            query("b", "Is the town old?", language="en"),
            query("c", "Warum?", language="de"),
        ],
        [("a", "p1", 1), ("a", "p2", 2), ("b", "p3", 1)],
    )


def test_one_folder_with_several_languages(tmp_path: Path) -> None:
    task = load_beir("mine", several_languages(tmp_path))
    assert_sound(task)
    assert task.languages == ("de", "en", "zh")
    assert asked(task) == {
        "a": {"de": "Wie lang ist der Fluss?", "zh": "河有多长？"},
        "b": {"en": "Is the town old?"},
    }
    assert relevants(task) == {"a": {"p1": 1, "p2": 2}, "b": {"p3": 1}}
    assert pool(task)["p2"] == ("zh", "河 河很长。")


def test_languages_that_are_taken(tmp_path: Path) -> None:
    several_languages(tmp_path)
    task = load_beir("mine", tmp_path, ["zh", "de"])
    assert asked(task).keys() == {"a"} and len(task.candidate_ids) == 3
    assert relevants(load_beir("mine", tmp_path, ["zh"])) == {"a": {"p2": 2}}
    assert_refused(tmp_path, "holds no text in 'th'; allowed: de, en, zh", languages=["de", "th"])
    assert_refused(tmp_path, "no query has a relevant passage in en", languages=["en"])


def test_a_language_that_is_asked_for_must_have_something(tmp_path: Path) -> None:
    queries = [query("a", "Wie?", language="de"), query("b", "Miksi?", language="fi")]
    write_beir(tmp_path, [passage("p1", "So.", language="de")], queries, [("a", "p1", 1)])
    assert load_beir("mine", tmp_path).languages == ("de",)
    assert_refused(tmp_path, "'fi' is empty", languages=["de", "fi"])


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (passage("p4", "Text"), "corpus.jsonl: line 4: 'language' is missing"),
        (passage("p4", "Text", language="german"), "line 4: 'language': 'german' is no language code"),
        (passage("p1", "Text", language="zh"), "line 4: id 'p1' stands in the corpus already"),
    ],
)
def test_a_bad_language_in_a_row(tmp_path: Path, row: dict[str, str], what: str) -> None:
    folder = several_languages(tmp_path)
    content = (folder / "corpus.jsonl").read_text()
    write_json_lines(folder / "corpus.jsonl", [row])
    (folder / "corpus.jsonl").write_text(content + (folder / "corpus.jsonl").read_text())
    assert_refused(folder, what)


def test_an_id_twice_in_one_language(tmp_path: Path) -> None:
    folder = several_languages(tmp_path)
    with (folder / "queries.jsonl").open("a") as file:
        file.write('{"_id": "a", "text": "again", "language": "zh"}\n')
    assert_refused(folder, "queries.jsonl: line 5: id 'a' stands in the queries already, in 'zh'")


# a folder for each language or pair

ENGLISH = [passage("1", "The mill is old."), passage("2", "The bridge is new.")]
GERMAN = [passage("1", "Die Mühle ist alt."), passage("2", "Die Brücke ist neu.")]


def test_pairs_that_share_a_corpus_and_their_questions(tmp_path: Path) -> None:
    write_beir(tmp_path / "ar-en", ENGLISH, [query("q", "ما القديم؟"), query("r", "ما الجديد؟")], [("q", "1", 2)])
    write_beir(tmp_path / "en", ENGLISH, [query("q", "What is old?")], [("q", "1", 2)])
    write_beir(tmp_path / "ar-de", GERMAN, [query("q", "ما القديم؟")], [("q", "1", 1), ("q", "2", 1)])
    task = load_beir("mine", tmp_path)
    assert_sound(task)
    assert task.languages == ("ar", "de", "en")
    assert asked(task) == {"q": {"ar": "ما القديم؟", "en": "What is old?"}}
    assert relevants(task) == {"q": {"en:1": 2, "de:1": 1, "de:2": 1}}
    assert pool(task).keys() == {"de:1", "de:2", "en:1", "en:2"}
    assert task.notes == {"queries without relevant": "1"}
    some = load_beir("mine", tmp_path, ["ar", "en"])
    assert relevants(some) == {"q": {"en:1": 2}} and some.languages == ("ar", "en")
    assert_refused(tmp_path, "no query has a relevant passage in de", languages=["de"])


def test_ids_that_mean_different_questions_are_named_by_their_folder(tmp_path: Path) -> None:
    write_beir(
        tmp_path / "ar-en",
        ENGLISH,
        [query("1", "ما القديم؟"), query("2", "ما الجديد؟")],
        [("1", "1", 1), ("2", "2", 1)],
    )
    write_beir(
        tmp_path / "de-en",
        ENGLISH,
        [query("1", "Was ist neu?"), query("2", "Was ist neu?")],
        [("1", "2", 1), ("2", "2", 1)],
    )
    task = load_beir("mine", tmp_path)
    assert_sound(task)
    assert asked(task) == {
        "ar-en:1": {"ar": "ما القديم؟"},
        "ar-en:2": {"ar": "ما الجديد؟", "de": "Was ist neu?"},
        "de-en:1": {"de": "Was ist neu?"},
    }
    assert relevants(task) == {"ar-en:1": {"en:1": 1}, "ar-en:2": {"en:2": 1}, "de-en:1": {"en:2": 1}}


def test_other_grades_are_another_question(tmp_path: Path) -> None:
    write_beir(tmp_path / "ar-en", ENGLISH, [query("q", "ما القديم؟")], [("q", "1", 1)])
    write_beir(tmp_path / "de-en", ENGLISH, [query("q", "Was ist alt?")], [("q", "1", 2)])
    assert list(load_beir("mine", tmp_path).query_ids) == ["ar-en:q", "de-en:q"]


def test_monolingual_folders_never_share_questions(tmp_path: Path) -> None:
    write_beir(tmp_path / "de", GERMAN, [query("1", "Was ist alt?")], [("1", "1", 1)])
    write_beir(tmp_path / "en", ENGLISH, [query("1", "What is old?")], [("1", "1", 1)])
    task = load_beir("mine", tmp_path)
    assert relevants(task) == {"de:1": {"de:1": 1}, "en:1": {"en:1": 1}}


def test_folders_that_contradict_each_other_stay_apart(tmp_path: Path) -> None:
    # the texts link ar-en with ar-de and de-en with de-de, the German passages both: but the English ones differ
    for language, text, english in (("ar", "ما القديم؟", "1"), ("de", "Was ist alt?", "2")):
        write_beir(tmp_path / f"{language}-en", ENGLISH, [query("q", text)], [("q", english, 1)])
        write_beir(tmp_path / f"{language}-de", GERMAN, [query("q", text)], [("q", "1", 1)])
    assert list(load_beir("mine", tmp_path).query_ids) == ["ar-de:q", "ar-en:q", "de-de:q", "de-en:q"]


def test_pools_of_one_language_are_put_together_and_that_is_noted(tmp_path: Path) -> None:
    write_beir(tmp_path / "ar-en", ENGLISH[:1], [query("q", "ما القديم؟")], [("q", "1", 1)])
    write_beir(tmp_path / "de-en", ENGLISH, [query("r", "Was ist neu?")], [("r", "2", 1)])
    task = load_beir("mine", tmp_path)
    assert list(task.candidate_ids) == ["en:1", "en:2"]
    assert task.notes == {"pool en": "the passages of ar-en, de-en together: 2"}


def test_an_id_with_another_text_in_another_folder(tmp_path: Path) -> None:
    write_beir(tmp_path / "ar-en", ENGLISH, [query("q", "ما القديم؟")], [("q", "1", 1)])
    write_beir(tmp_path / "de-en", [passage("1", "Other.")], [query("q", "Was?")], [("q", "1", 1)])
    assert_refused(tmp_path, "de-en/corpus.jsonl: line 1: id '1' has another text in an earlier folder")


def test_a_hubs_configs_of_several_pairs_give_the_same(tmp_path: Path) -> None:
    queries, qrels = [query("q", "ما القديم؟")], [("q", "1", 2)]
    write_beir(tmp_path / "beir" / "ar-en", ENGLISH, queries, qrels)
    hub = tmp_path / "hub"
    write_parquet(hub / "ar-en-corpus" / "test-00000-of-00001.parquet", ENGLISH)
    write_parquet(hub / "ar-en-queries" / "test-00000-of-00001.parquet", queries)
    scores = [{"query-id": q, "corpus-id": d, "score": grade} for q, d, grade in qrels]
    write_parquet(hub / "ar-en-qrels" / "test-00000-of-00001.parquet", scores)
    found, expected = load_beir("mine", hub), load_beir("mine", tmp_path / "beir")
    assert (relevants(found), asked(found), pool(found)) == (relevants(expected), asked(expected), pool(expected))


def test_folders_that_are_no_languages(tmp_path: Path) -> None:
    write_beir(tmp_path / "old-stuff", ENGLISH, [query("q", "What?")], [("q", "1", 1)])
    assert_refused(tmp_path, "old-stuff", "no language code")


def test_a_row_that_contradicts_its_folder(tmp_path: Path) -> None:
    write_beir(tmp_path / "en", [passage("1", "Alt.", lang="de")], [query("q", "What?")], [("q", "1", 1)])
    assert_refused(tmp_path, "en/corpus.jsonl: line 1: 'language' is 'de', but the folder's is 'en'")


# unsound input


def assert_refused(path: Path, *parts: str, languages: list[str] | None = None, split: str | None = None) -> None:
    with pytest.raises(InputError) as caught:
        load_beir("mine", path, languages, split)
    for part in (str(path) if path.exists() else "", *parts):
        assert part in str(caught.value)


def line(number: int, text: str, file: str = "qrels/test.tsv") -> Callable[[Path], object]:
    """Replaces a line of a file."""

    def change(folder: Path) -> None:
        lines = (folder / file).read_text().splitlines()
        lines[number - 1] = text
        (folder / file).write_text("\n".join(lines))

    return change


def removed(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def emptied(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (line(3, "q1\td77\t1"), "test.tsv: line 3: names the passage 'd77', which the corpus does not have"),
        (line(3, "q77\td1\t1"), "test.tsv: line 3: names the query 'q77', which the queries do not have"),
        (line(3, "q1\td1\t2"), "test.tsv: line 3: grades 'q1' and 'd1' 2; an earlier line says 3"),
        (line(3, "q1\td2\tmuch"), "test.tsv: line 3: score is 'much'; allowed: whole numbers up to 32767"),
        (line(3, "q1\td2\t0.5"), "score is '0.5'"),
        (line(3, "q1\td2\tnan"), "score is 'nan'"),
        (line(3, "q1\td2\t99999"), "score is '99999'"),
        (line(3, "q1 d2 1"), "test.tsv: line 3: has 1 fields; allowed: 3"),
        (line(1, "q1\td1\t3"), "test.tsv: line 1: is ['q1', 'd1', '3']; the first line must be query-id, corpus-id"),
        (line(2, "no json", "corpus.jsonl"), "corpus.jsonl: line 2: not valid JSON"),
        (line(2, '{"_id": "d1", "text": "again"}', "corpus.jsonl"), "corpus.jsonl: line 2: id 'd1' stands in the"),
        (line(2, '{"text": "no id"}', "corpus.jsonl"), "corpus.jsonl: line 2: '_id' is missing"),
        (line(2, '{"_id": "", "text": "no id"}', "corpus.jsonl"), "corpus.jsonl: line 2: '_id' is blank"),
        (line(2, '{"_id": true, "text": "x"}', "corpus.jsonl"), "corpus.jsonl: line 2: '_id' is True"),
        (line(2, '{"_id": "d2"}', "corpus.jsonl"), "corpus.jsonl: line 2: 'text' is missing"),
        (line(2, '{"_id": "d2", "text": 5}', "corpus.jsonl"), "corpus.jsonl: line 2: 'text' is 5"),
        (line(2, '{"_id": "q2", "text": " "}', "queries.jsonl"), "queries.jsonl: line 2: 'text' is blank"),
        (line(2, '{"_id": "q1", "text": "x"}', "queries.jsonl"), "queries.jsonl: line 2: id 'q1' stands in the"),
        (emptied("corpus.jsonl"), "corpus.jsonl: holds no passage"),
        (emptied("queries.jsonl"), "queries.jsonl: holds no query"),
        (emptied("qrels/test.tsv"), "test.tsv: is []; the first line must be"),
        (removed("corpus.jsonl"), "holds no corpus.jsonl, no corpus folder"),
        (removed("queries.jsonl"), "holds no queries.jsonl and no folder queries"),
        (removed("qrels/test.tsv"), "holds no judgements; allowed: qrels/<split>.tsv"),
    ],
)
def test_a_damaged_folder_is_told_file_and_line(tmp_path: Path, change: Callable[[Path], object], what: str) -> None:
    change(one_language(tmp_path))
    assert_refused(tmp_path, what, languages=["en"])


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    one_language(tmp_path)
    write_lines(tmp_path / "qrels" / "dev.tsv", [("query-id", "corpus-id", "score"), ("q1", "d1", 1)])
    assert relevants(load_beir("mine", tmp_path, ["en"], "dev")) == {"q1": {"d1": 1}}
    assert_refused(tmp_path, "no judgements of the split 'tset'; allowed: dev, test", languages=["en"], split="tset")


def test_only_judgements_of_what_is_not_relevant(tmp_path: Path) -> None:
    write_beir(tmp_path, CORPUS, QUERIES, [("q1", "d1", 0)])
    assert_refused(tmp_path, "no query has a relevant passage in en", languages=["en"])


def test_truncated_and_wrongly_encoded_files(tmp_path: Path) -> None:
    one_language(tmp_path)
    (tmp_path / "corpus.jsonl").unlink()
    write_json_lines(tmp_path / "corpus.jsonl.gz", CORPUS * 50)
    whole = (tmp_path / "corpus.jsonl.gz").read_bytes()
    (tmp_path / "corpus.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    assert_refused(tmp_path, "corpus.jsonl.gz: damaged or truncated gzip data", languages=["en"])
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress('{"_id": "d1", "text": "caf\u00e9"}'.encode("latin-1")))
    assert_refused(tmp_path, "corpus.jsonl.gz: line 1: not UTF-8", languages=["en"])
    (tmp_path / "corpus.jsonl.gz").unlink()
    (tmp_path / "corpus.parquet").write_bytes(b"PAR1 and nothing more")
    assert_refused(tmp_path, "corpus.parquet: not a readable parquet file", languages=["en"])
    pq.write_table(pa.table({"_id": ["d1", "d2"], "title": ["", ""]}), tmp_path / "corpus.parquet")
    assert_refused(tmp_path, "corpus.parquet: row 1: 'text' is missing", languages=["en"])


def test_a_score_that_no_number_holds(tmp_path: Path) -> None:
    one_language(tmp_path)
    (tmp_path / "qrels" / "test.tsv").unlink()
    write_json_lines(tmp_path / "qrels" / "test.jsonl", [{"query-id": "q1", "corpus-id": "d1", "score": 10**400}])
    assert_refused(tmp_path, "test.jsonl: line 1: score is 1000", languages=["en"])


def test_hidden_files_are_no_part_of_a_corpus(tmp_path: Path) -> None:
    one_language(tmp_path)
    expected = pool(load_beir("mine", tmp_path, ["en"]))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus.jsonl").rename(tmp_path / "corpus" / "0.jsonl")
    for name in ("corpus/._0.jsonl", "corpus/.test-0.parquet", "qrels/._test.tsv"):
        (tmp_path / name).write_bytes(b"\0\5\26\7")
    assert pool(load_beir("mine", tmp_path, ["en"])) == expected
    assert_refused(tmp_path, "no judgements of the split 'dev'; allowed: test", languages=["en"], split="dev")


def test_paths_that_hold_nothing(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none", "there is no such folder")
    (tmp_path / "file").write_text("")
    assert_refused(tmp_path / "file", "is no folder")
    assert_refused(tmp_path, "holds no corpus.jsonl")
