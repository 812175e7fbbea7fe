"""MIRACL's published files, a hub's copy of them and local folders as one task; pools that are not MIRACL's."""

import gzip
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.data.tasks.benchmarks import (
    Judged,
    Row,
    asked,
    assert_sound,
    pool,
    relevants,
    write_beir,
    write_json_lines,
    write_lines,
    write_parquet,
)
from workbench.data.task import RetrievalTask
from workbench.data.tasks import miracl
from workbench.data.tasks.miracl import load_miracl, short
from workbench.data.tasks.stored_texts import StoredIds, StoredTexts
from workbench.errors import InputError, WorkError

CORPORA = {
    "sw": [
        {"docid": "12#0", "title": "Mto", "text": "Mto huu ni mrefu."},
        {"docid": "12#1", "title": "Mto", "text": "Una samaki wengi."},
        {"docid": "9#0", "title": "2001", "text": "2001"},
        {"docid": "100#0", "title": "Mji", "text": "Mji ni wa kale."},
        {"docid": "100#1", "title": "Mji", "text": "Mji ni wa kale."},
    ],
    "th": [
        {"docid": "12#0", "title": "แม่น้ำ", "text": "แม่น้ำยาวมาก"},
        {"docid": "7#0", "title": "2001", "text": "2001"},
        {"docid": "7#1", "title": "เมือง", "text": "เมืองเก่าแก่"},
    ],
}
QUERIES = {
    "sw": [("3#0", "Mto una urefu gani?"), ("4#0", "Mji una umri gani?"), ("5#0", "Nani?")],
    "th": [("3#0", "แม่น้ำยาวเท่าไร")],
}
QRELS: dict[str, list[Judged]] = {
    "sw": [("3#0", "12#0", 1), ("3#0", "12#1", 1), ("3#0", "9#0", 0), ("4#0", "100#1", 1), ("5#0", "9#0", 0)],
    "th": [("3#0", "12#0", 1), ("3#0", "7#1", 0)],
}


def write_release(path: Path, corpora: dict[str, list[Row]] = CORPORA, split: str = "dev") -> Path:
    """The files of `miracl/miracl-corpus` and `miracl/miracl`, in folders of these names."""
    for language, corpus in corpora.items():
        folder = path / "miracl-corpus" / f"miracl-corpus-v1.0-{language}"
        for number, rows in enumerate((corpus[:2], corpus[2:])):
            write_json_lines(folder / f"docs-{number}.jsonl.gz", rows)
        write_judgements(path / "miracl", language, QUERIES[language], QRELS[language], split)
    return path


def write_judgements(
    path: Path, language: str, queries: Sequence[tuple[str, str]], qrels: Sequence[Judged], split: str = "dev"
) -> None:
    start = path / f"miracl-v1.0-{language}"
    write_lines(start / "topics" / f"topics.miracl-v1.0-{language}-{split}.tsv", queries)
    trec = [(query_id, "Q0", passage_id, grade) for query_id, passage_id, grade in qrels]
    write_lines(start / "qrels" / f"qrels.miracl-v1.0-{language}-{split}.tsv", trec)


def write_hub(path: Path, key: str) -> Path:
    """As `mteb/MIRACLRetrieval` has it; `key` is the column of the ids."""
    for language, corpus in CORPORA.items():
        passages = [{key: row["docid"], "title": row["title"], "text": row["text"]} for row in corpus]
        queries = [{key: query_id, "text": text} for query_id, text in QUERIES[language]]
        qrels = [{"query-id": q, "corpus-id": d, "score": grade} for q, d, grade in QRELS[language]]
        for part, rows in (("corpus", passages), ("queries", queries), ("qrels", qrels)):
            write_parquet(path / f"{language}-{part}" / "dev-00000-of-00001.parquet", rows)
    return path


def write_local(path: Path) -> Path:
    for language, corpus in CORPORA.items():
        queries = [{"_id": query_id, "text": text} for query_id, text in QUERIES[language]]
        write_beir(path / language, corpus, queries, QRELS[language], "dev")
    return path


def load(path: Path, languages: list[str] | None = None, name: str = "miracl") -> RetrievalTask:
    return load_miracl(name, path, languages, None, path / "cache")


def test_the_release(tmp_path: Path) -> None:
    task = load(write_release(tmp_path))
    assert_sound(task)
    assert task.name == "miracl-8" and task.languages == ("sw", "th")
    assert relevants(task) == {
        "sw:3#0": {"sw:12#0": 1, "sw:12#1": 1},
        "sw:4#0": {"sw:100#1": 1},
        "th:3#0": {"th:12#0": 1},
    }
    assert asked(task)["th:3#0"] == {"th": "แม่น้ำยาวเท่าไร"}
    assert pool(task) == {
        f"{language}:{row['docid']}": (language, f"{row['title']} {row['text']}")
        for language, corpus in CORPORA.items()
        for row in corpus
    }
    assert task.paragraphs == ("sw:12#0", "sw:100#1", "th:12#0")
    assert task.articles == ("sw:12", "sw:100", "th:12")
    assert task.notes == {
        "queries without relevant": "1",
        "pool sw": "5 of MIRACL's 131,924 passages",
        "pool th": "3 of MIRACL's 542,166 passages",
    }


def test_texts_and_ids_stay_on_disk_and_equal_texts_are_one(tmp_path: Path) -> None:
    task = load(write_release(tmp_path))
    assert isinstance(task.passage_texts, StoredTexts) and isinstance(task.candidate_ids, StoredIds)
    texts = dict(zip(task.candidate_ids, task.candidates.tolist(), strict=True))
    assert len(task.passage_texts) == 6
    assert texts["sw:100#0"] == texts["sw:100#1"] and texts["sw:9#0"] == texts["th:7#0"]


@pytest.mark.parametrize("layout", ["hub", "hub of old", "local"])
def test_other_layouts_give_the_same(tmp_path: Path, layout: str) -> None:
    expected = load(write_release(tmp_path / "release"))
    path = tmp_path / "other"
    found = load(write_local(path) if layout == "local" else write_hub(path, "id" if layout == "hub" else "_id"))
    for look in (relevants, asked, pool):
        assert look(found) == look(expected)
    assert (found.name, found.notes, found.paragraphs) == (expected.name, expected.notes, expected.paragraphs)


def test_languages_and_splits(tmp_path: Path) -> None:
    write_release(tmp_path)
    assert load(tmp_path, ["th"]).languages == ("th",) and load(tmp_path, ["th"]).name == "miracl-3"
    refused(tmp_path, "holds no text in 'yo'; allowed: sw, th", languages=["yo"])
    refused(tmp_path, "no language is asked for", languages=[])
    with pytest.raises(InputError, match=r"holds no topics.miracl-v1.0-sw-test.tsv; allowed: dev"):
        load_miracl("miracl", tmp_path, None, "test", tmp_path / "cache")


def test_one_corpus_without_a_language(tmp_path: Path) -> None:
    queries = [{"_id": query_id, "text": text} for query_id, text in QUERIES["th"]]
    write_beir(tmp_path, CORPORA["th"], queries, QRELS["th"], "dev")
    refused(tmp_path, "nothing says its language")
    assert list(load(tmp_path, ["th"]).query_ids) == ["th:3#0"]


# the prepared copy


def test_a_corpus_is_prepared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = pool(load(write_release(tmp_path)))
    prepared = sorted(path.name for path in (tmp_path / "cache" / "corpora").glob("[!.]*"))
    assert len(prepared) == 2
    monkeypatch.setattr(miracl, "write_corpus", None)
    assert pool(load(tmp_path)) == expected
    monkeypatch.undo()
    write_json_lines(
        tmp_path / "miracl-corpus" / "miracl-corpus-v1.0-th" / "docs-2.jsonl.gz", [CORPORA["sw"][0] | {"docid": "1#1"}]
    )
    assert len(pool(load(tmp_path))) == 9
    assert len(list((tmp_path / "cache" / "corpora").glob("[!.]*"))) == 3


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    load(write_release(tmp_path))
    folder = min((tmp_path / "cache" / "corpora").glob("[!.]*"))
    left = folder.with_name(f".{folder.name}.1.new.part")
    folder.rename(left)
    load(tmp_path)
    assert folder.is_dir() and not left.exists()


def test_two_at_once_prepare_it_once(tmp_path: Path) -> None:
    write_release(tmp_path)
    threads = [threading.Thread(target=load, args=(tmp_path,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list((tmp_path / "cache" / "corpora").glob("[!.]*"))) == 2


def test_a_corpus_that_fails_leaves_nothing(tmp_path: Path) -> None:
    write_release(tmp_path)
    file = tmp_path / "miracl-corpus" / "miracl-corpus-v1.0-sw" / "docs-1.jsonl.gz"
    file.write_bytes(file.read_bytes()[:-12])
    refused(tmp_path, "docs-1.jsonl.gz: damaged or truncated gzip data")
    assert not [path for path in (tmp_path / "cache" / "corpora").iterdir() if not path.name.endswith(".lock")]


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    write_release(tmp_path)
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(WorkError, match="cache"):
        load(tmp_path)


# pools that are not MIRACL's


def test_a_pool_of_judged_passages_is_not_called_miracl(tmp_path: Path) -> None:
    judged = {i for _, i, _ in QRELS["sw"]}
    corpora = {"sw": [row for row in CORPORA["sw"] if row["docid"] in judged], "th": CORPORA["th"]}
    write_release(tmp_path, corpora)
    assert load(tmp_path, ["th"]).name == "miracl-3"
    refused(
        tmp_path,
        "all 4 passages of the pool in 'sw' are judged ones",
        "far higher than MIRACL's",
        "131,924",
        "such as miracl_judged",
    )
    assert load(tmp_path, name="miracl_judged").name == "miracl_judged-7"


def test_passages_that_are_judged_for_another_split_are_judged_ones_too(tmp_path: Path) -> None:
    qrels: list[Judged] = [("8#0", "7#0", 1)]
    write_judgements(write_release(tmp_path, {"th": CORPORA["th"]}) / "miracl", "th", [("8#0", "เมือง")], qrels, "train")
    refused(tmp_path, "all 3 passages of the pool in 'th' are judged ones")
    folder = tmp_path / "hub"
    write_hub(folder, "_id")
    rows = [{"query-id": "8#0", "corpus-id": "7#0", "score": 1}]
    write_parquet(folder / "th-qrels" / "train-00000-of-00001.parquet", rows)
    refused(folder, "all 3 passages of the pool in 'th' are judged ones", languages=["th"])
    assert load(folder, ["sw"]).name == "miracl-5"


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, "1"),
        (999, "999"),
        (1000, "1k"),
        (1234, "1.23k"),
        (49_043, "49k"),
        (131_924, "132k"),
        (999_499, "999k"),
        (999_500, "1M"),
        (2_061_414, "2.06M"),
        (32_893_221, "32.9M"),
        (106_332_152, "106M"),
    ],
)
def test_pool_sizes_in_names(count: int, expected: str) -> None:
    assert short(count) == expected


def test_the_published_sizes_add_up() -> None:
    assert len(miracl.PUBLISHED) == 18 and sum(miracl.PUBLISHED.values()) == 106_332_152


# unsound input


def refused(path: Path, *parts: str, languages: list[str] | None = None) -> None:
    with pytest.raises(InputError) as caught:
        load(path, languages)
    for part in (str(path), *parts):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("queries", "qrels", "what"),
    [
        (QUERIES["th"], [("3#0", "12#9", 1)], "line 1: names the passage '12#9', which the corpus does not have"),
        (QUERIES["th"], [("9#0", "12#0", 1)], "line 1: names the query '9#0', which the queries do not have"),
        (QUERIES["th"], [("3#0", "12#0", "x")], "line 1: score is 'x'"),
        (QUERIES["th"], [("3#0", "12#0", 0)], "'th' is empty: no query has a relevant passage"),
        (QUERIES["th"], [], "'th' is empty: no query has a relevant passage"),
        (QUERIES["th"] * 2, QRELS["th"], "line 2: id '3#0' stands in the queries already"),
        ([("3#0", " ")], QRELS["th"], "line 1: 'text' is blank"),
        ([("3#0",)], QRELS["th"], "line 1: has 1 fields; allowed: 2"),
    ],
)
def test_judgements_and_queries(tmp_path: Path, queries: list, qrels: list, what: str) -> None:
    write_release(tmp_path, {"th": CORPORA["th"]})
    write_judgements(tmp_path / "miracl", "th", queries, qrels)
    refused(tmp_path, "miracl-v1.0-th-dev.tsv", what)


def test_a_row_in_another_language_is_not_taken_for_one_of_the_pool(tmp_path: Path) -> None:
    queries = [{"_id": query_id, "text": text} for query_id, text in QUERIES["th"]]
    corpus = [{**row, "language": "th"} for row in CORPORA["th"]]
    write_beir(tmp_path / "all", [*corpus, {"_id": "1", "text": "Mto", "language": "sw"}], queries, QRELS["th"], "dev")
    refused(tmp_path / "all", "corpus.jsonl: line 4: 'language' is 'sw', but the folder's is 'th'", languages=["th"])
    write_beir(tmp_path / "th", corpus, queries, QRELS["th"], "dev")
    assert load(tmp_path / "th", ["th"]).languages == ("th",)
    with pytest.raises(InputError, match="line 1: 'language' is 'th', but the folder's is 'sw'"):
        load_miracl("miracl", tmp_path / "th", ["sw"], None, tmp_path / "th" / "cache")  # it is prepared there
    write_beir(tmp_path / "asked", corpus, [{**queries[0], "lang": "sw"}], QRELS["th"], "dev")
    refused(tmp_path / "asked", "queries.jsonl: line 1: 'language' is 'sw', but the folder's is 'th'", languages=["th"])


def test_what_is_hidden_does_not_count_and_nothing_stands_twice(tmp_path: Path) -> None:
    task = load(write_release(tmp_path))
    write_release(tmp_path / ".fetching", {"sw": CORPORA["sw"][:4]})
    assert pool(load(tmp_path)) == pool(task)
    write_release(tmp_path / "old", {"sw": CORPORA["sw"][:4]})
    refused(tmp_path, "sw-dev.tsv: stands in", "too; allowed: one of the two")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "holds no passage"),
        (b'{"docid": "1#0", "title": "x", "text": "y"}\n' * 2, "line 2: id '1#0' stands in"),
        (b'{"title": "x", "text": "y"}\n', "line 1: '_id' is missing"),
        ('{"docid": "1#0", "text": "caf\u00e9"}\n'.encode("latin-1"), "line 1: not UTF-8"),
    ],
)
def test_corpora(tmp_path: Path, content: bytes, what: str) -> None:
    write_release(tmp_path, {"th": CORPORA["th"]})
    folder = tmp_path / "miracl-corpus" / "miracl-corpus-v1.0-th"
    (folder / "docs-1.jsonl.gz").unlink()
    (folder / "docs-0.jsonl.gz").write_bytes(gzip.compress(content))
    refused(tmp_path, what)


def test_folders(tmp_path: Path) -> None:
    refused(tmp_path, "holds no corpus.jsonl")
    with pytest.raises(InputError, match="there is no such folder"):
        load_miracl("miracl", tmp_path / "none", None, None, tmp_path / "cache")
    (tmp_path / "miracl-corpus-v1.0-swa").mkdir()
    refused(tmp_path, "'swa' is no language code", "did you mean 'sw'")
    (tmp_path / "miracl-corpus-v1.0-swa").rename(tmp_path / "miracl-corpus-v1.0-sw")
    refused(tmp_path, "holds no docs-*.jsonl.gz")
