"""mMARCO as released and as on hubs: which pairs are taken, in which languages, and what is refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.examples import PROPERTY, assert_sound, cell_texts
from workbench.data.pairs import hash_order
from workbench.data.reading import numbered_lines
from workbench.data.reading.numbered_lines import blocks, numbered_texts
from workbench.data.training_sets import mmarco_rows
from workbench.data.training_sets.mmarco import load_mmarco
from workbench.errors import InputError

PASSAGES = {
    "english": {7: 'A "quoted" passage.', 8: "Salt melts at 801 °C.", 15: "Nothing here.", 30: "Snow is cold."},
    "chinese": {7: "一个“引用”的段落。", 8: "盐在801度熔化。", 15: "这里什么都没有。", 30: "雪是冷的。"},
    "arabic": {7: 'فقرة "مقتبسة".', 8: "يذوب الملح عند 801.", 15: "لا شيء هنا.", 30: "الثلج بارد."},
}
QUERIES = {
    "english": {1185869: "when does salt melt", 2: "what is quoted", 40: "how is snow"},
    "chinese": {1185869: "盐什么时候熔化", 2: "引用了什么", 40: "雪怎么样"},
    "arabic": {1185869: "متى يذوب الملح", 2: "ما المقتبس", 40: "كيف الثلج"},
}
TRIPLES = [(1185869, 8, 15), (2, 7, 30), (1185869, 8, 30), (40, 30, 15), (2, 15, 7), (40, 30, 7)]
FIRST = {(1185869, 8): 15, (2, 7): 30, (40, 30): 15, (2, 15): 7}
CODES = {"arabic": "ar", "chinese": "zh", "english": "en"}


def tsv(path: Path, rows: Mapping[int, str] | Sequence[tuple[int, ...]], end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = rows.items() if isinstance(rows, Mapping) else rows
    path.write_bytes("".join("\t".join(map(str, line)) + end for line in lines).encode())
    return path


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The folders of the release."""
    for language in CODES:
        tsv(tmp_path / f"data/google/collections/{language}_collection.tsv", PASSAGES[language])
        tsv(tmp_path / f"data/google/queries/train/{language}_queries.train.tsv", QUERIES[language])
        tsv(tmp_path / f"data/google/queries/dev/{language}_queries.dev.tsv", {1: "no training query"})
    tsv(tmp_path / "data/triples.train.ids.small.tsv", TRIPLES)
    return tmp_path


def collection(release: Path, language: str = "english") -> Path:
    return release / f"data/google/collections/{language}_collection.tsv"


def expected(languages: Sequence[str] = tuple(CODES)) -> dict[str, dict[tuple[str, str], str]]:
    found: dict[str, dict[tuple[str, str], str]] = {"queries": {}, "passages": {}, "negatives": {}}
    for language in languages:
        for (query, passage), negative in FIRST.items():
            cell = (f"{query}-{passage}", CODES[language])
            found["queries"][cell] = QUERIES[language][query]
            found["passages"][cell] = PASSAGES[language][passage]
            found["negatives"][cell] = PASSAGES[language][negative]
    return found


def test_distinct_pairs_with_the_negative_of_their_first_triple(release: Path) -> None:
    pairs = load_mmarco("mmarco", release)
    assert_sound(pairs)
    assert pairs.languages == ("ar", "en", "zh") and pairs.notes == ()
    assert sorted(pairs.pair_ids) == sorted(f"{query}-{passage}" for query, passage in FIRST)
    assert {part: cell_texts(pairs, part) for part in expected()} == expected()


def test_what_a_fetch_has_not_finished_does_not_count(release: Path) -> None:
    before = load_mmarco("m", release)
    for name in ("data/triples.train.ids.small.tsv", "data/google/collections/english_collection.tsv"):
        file = release / ".fetching" / "abc" / name
        file.parent.mkdir(parents=True)
        file.write_text("1\tunfinished")
    after = load_mmarco("m", release)
    assert after.pair_ids == before.pair_ids and cell_texts(after, "passages") == cell_texts(before, "passages")


def test_languages_limit_what_is_read(release: Path) -> None:
    collection(release, "chinese").write_bytes(b"\xff")
    pairs = load_mmarco("mmarco", release, ["en", "ar"])
    assert pairs.languages == ("ar", "en")
    assert {part: cell_texts(pairs, part) for part in expected()} == expected(["arabic", "english"])


@pytest.mark.parametrize("caps", [{"pairs": 2}, {"pairs_per_language": 2}, {"pairs": 3, "pairs_per_language": 2}])
def test_caps_take_the_first_pairs_of_the_hash_order(release: Path, caps: dict[str, int]) -> None:
    whole, few = load_mmarco("mmarco", release), load_mmarco("mmarco", release, **caps)
    assert_sound(few)
    assert set(few.pair_ids) == {whole.pair_ids[row] for row in hash_order(whole.pair_ids)[:2]}
    assert few.has.all()
    for part in expected():
        assert cell_texts(few, part).items() <= cell_texts(whole, part).items()
    assert len(load_mmarco("mmarco", release, pairs=99).pair_ids) == 4


@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_of_any_size_give_the_same_pairs(release: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(numbered_lines, "BLOCK_BYTES", block)
    pairs = load_mmarco("mmarco", release)
    assert {part: cell_texts(pairs, part) for part in expected()} == expected()


def test_other_ends_of_lines_and_a_byte_order_mark(release: Path) -> None:
    file = collection(release)
    rows = {30: PASSAGES["english"][30], **PASSAGES["english"], 99: "A lone\rreturn."}
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(f"{i}\t{text}" for i, text in rows.items()).encode())
    pairs = load_mmarco("mmarco", release)
    assert {part: cell_texts(pairs, part) for part in expected()} == expected()


def test_a_blank_translation_leaves_its_place_empty(release: Path) -> None:
    tsv(collection(release, "arabic"), {**PASSAGES["arabic"], 8: " ", 30: ""})
    pairs = load_mmarco("mmarco", release)
    assert_sound(pairs)
    assert pairs.notes == ("2 of 12 pairs in a language have a blank text there and are left out",)
    for language in CODES:
        tsv(release / f"data/google/queries/train/{language}_queries.train.tsv", {**QUERIES[language], 40: " "})
    without = load_mmarco("mmarco", release)
    assert_sound(without)
    assert "40-30" not in without.pair_ids and len(without.pair_ids) == 3
    missing = {("1185869-8", "ar"), ("40-30", "ar")}
    assert cell_texts(pairs, "passages").keys() == expected()["passages"].keys() - missing
    assert cell_texts(pairs, "negatives").keys() == expected()["negatives"].keys() - missing - {("2-7", "ar")}


def assert_refused(path: Path, *parts: str, **options: Any) -> None:
    with pytest.raises(InputError) as caught:
        load_mmarco("mmarco", path, **options)
    for part in parts:
        assert part in str(caught.value)


def test_a_text_that_the_triples_name_must_be_there(release: Path) -> None:
    tsv(collection(release, "chinese"), {7: "七", 8: "八"})
    file = str(collection(release, "chinese"))
    assert_refused(release, file, "has no line with id 15, which", "triples.train.ids.small.tsv names")
    collection(release, "chinese").unlink()
    assert_refused(release, "holds no file *_collection.tsv in 'zh'; it has: ar, en")


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (b"7\tseven\n8 eight\n", "line 2: has 1 fields; allowed: 2"),
        (b"7\tseven\n\n8\teight\n", "line 2: has 1 fields; allowed: 2"),
        (b"7\tseven\n8\teight\tmore\n", "line 2: has 3 fields; allowed: 2"),
        (b"7\tseven\nx8\teight\n", "line 2: b'x8' is no id; allowed: a number of at most 10 digits"),
        (b"7\tseven\n\teight\n", "line 2: b'' is no id"),
        (b"7\tseven\n12345678901\teight\n", "line 2: b'12345678901' is no id"),
        (b"7\tseven\n8\tcaf\xe9\n", "line 2: not UTF-8"),
        (b"7\tseven\n8\teight\n7\tagain\n", "line 3: id 7 stands in an earlier line already"),
    ],
)
@pytest.mark.parametrize("block", [5, 2**24])
def test_a_bad_line_is_named(
    release: Path, monkeypatch: pytest.MonkeyPatch, lines: bytes, what: str, block: int
) -> None:
    monkeypatch.setattr(numbered_lines, "BLOCK_BYTES", block)
    collection(release).write_bytes(lines)
    assert_refused(release, f"{collection(release)}: {what}")


def test_triples_that_are_none(release: Path) -> None:
    triples = release / "data/triples.train.ids.small.tsv"
    triples.write_text("1\t2\t3\n1\t2\n")
    assert_refused(release, f"{triples}: line 2: has 2 fields; allowed: 3")
    triples.write_text("1\t2\tx\n")
    assert_refused(release, f"{triples}: line 1: b'x' is no id")
    triples.write_text("")
    assert_refused(release, f"{triples}: holds no triples")
    triples.unlink()
    assert_refused(release, "holds 0 files triples.train.ids.small.tsv; allowed: one")


def test_what_is_not_there(release: Path, tmp_path: Path) -> None:
    assert_refused(tmp_path / "none", "there is no such folder; allowed: a folder")
    assert_refused(collection(release), "is a file; allowed: a folder")
    assert_refused(release / "data/google/queries", "holds no file *_collection.tsv")
    assert_refused(release, "holds no text in 'fr'; allowed: ar, en, zh", languages=["fr"])
    tsv(release / "data/helsinki/collections/arabic_collection.tsv", PASSAGES["arabic"])
    assert_refused(release, "google/collections/arabic_collection.tsv", "one translation into a language")
    tsv(release / "data/google/collections/klingon_collection.tsv", {1: "nuqneH"})
    assert_refused(release / "data/google", "'klingon' is no language")


@PROPERTY
@given(st.dictionaries(st.integers(0, 10**10 - 1), st.text("aé中\r\"' ", max_size=4)), st.sets(st.integers(0, 50)))
def test_the_texts_are_those_that_python_splits(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[int, str], wanted: set[int]
) -> None:
    file = tsv(tmp_path_factory.mktemp("lines") / "lines.tsv", rows)
    wanted |= set(list(rows)[::2])
    found = numbered_texts(file, np.array(sorted(wanted), np.int64))
    assert found == [rows[i].removesuffix("\r") if i in rows else None for i in sorted(wanted)]
    assert [n for block in blocks(file, 2) for n in block.numbers(0).tolist()] == list(rows)


# tables of hubs


def hub_table(folder: Path, language: str, triples: Sequence[tuple[int, int, int]], shards: int = 2) -> None:
    rows = [(QUERIES[language][q], PASSAGES[language][p], PASSAGES[language][n]) for q, p, n in triples]
    (folder / language).mkdir(parents=True, exist_ok=True)
    size = -(-len(rows) // shards)
    for shard in range(shards):
        part = rows[shard * size : (shard + 1) * size]
        table = pa.table({key: [row[at] for row in part] for at, key in enumerate(("query", "positive", "negative"))})
        pq.write_table(table, folder / language / f"train-{shard:05d}-of-{shards:05d}.parquet")


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    for language in CODES:
        hub_table(tmp_path, language, TRIPLES)
    return tmp_path


@pytest.mark.parametrize("rows", [2, 2**14])
def test_tables_give_the_same_texts_by_row(tables: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(mmarco_rows, "BATCH_ROWS", rows)
    pairs = load_mmarco("mmarco", tables)
    assert_sound(pairs)
    assert (pairs.languages, pairs.pair_ids) == (("ar", "en", "zh"), ("0", "1", "3", "4"))
    ids = {f"{q}-{p}": str(TRIPLES.index((q, p, n))) for (q, p), n in FIRST.items()}
    for part, cells in expected().items():
        assert cell_texts(pairs, part) == {(ids[pair], language): text for (pair, language), text in cells.items()}
    few = load_mmarco("mmarco", tables, ["zh"], pairs=2)
    assert set(few.pair_ids) == {pairs.pair_ids[row] for row in hash_order(pairs.pair_ids)[:2]}
    assert cell_texts(few, "passages").items() <= cell_texts(pairs, "passages").items()


def test_tables_must_have_the_same_rows_and_columns(tables: Path) -> None:
    hub_table(tables, "chinese", TRIPLES[:-1])
    assert_refused(tables, "the table in 'zh' has 5 rows, that in 'en' 6")
    file = tables / "english/train-00000-of-00002.parquet"
    pq.write_table(pq.read_table(file).rename_columns(["query", "passage", "negative"]), file)
    assert_refused(tables, f"{file}: column 'positive' is missing; it has: query, passage, negative")
    pq.write_table(pa.table({"query": [1], "positive": ["p"], "negative": ["n"]}), file)
    assert_refused(tables, f"{file}: column 'query' holds int64; allowed: string")
    file.write_bytes(file.read_bytes()[:-9])
    assert_refused(tables, f"{file}: not a readable parquet file")


def test_an_empty_language_is_refused(release: Path) -> None:
    tsv(collection(release, "arabic"), dict.fromkeys(PASSAGES["arabic"], " "))
    assert_refused(release, "holds no pairs in 'ar': 4 of 4 have a blank text")
    assert load_mmarco("mmarco", release, ["en"]).languages == ("en",)
