"""Prepared corpora behave like the tuples that they stand for, and fail as a whole."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.examples import PROPERTY
from workbench.data.tasks import stored_texts
from workbench.data.tasks.beir_files import Text
from workbench.data.tasks.stored_texts import StoredTexts, open_ids, open_texts, write_corpus
from workbench.errors import InputError, WorkError

WORDS = st.sampled_from(["", "a", "ab", "é", "河很长", "𝕏", "नदी", "نهر", "\n", "\x00"])
CORPORA = st.lists(
    st.lists(
        st.tuples(st.text("0aé河𝕏#", min_size=1, max_size=4), WORDS), min_size=1, max_size=12, unique_by=lambda p: p[0]
    ),
    min_size=1,
    max_size=3,
)
NAMES = ("ar", "fi", "fil")


def texts_of(passages: list[tuple[str, str]]) -> Iterator[Text]:
    return (Text(f"line {n}", i, text, None) for n, (i, text) in enumerate(passages, start=1))


def written(folder: Path, *corpora: list[tuple[str, str]]) -> list[Path]:
    folders = [folder / str(number) for number in range(len(corpora))]
    for one, passages in zip(folders, corpora, strict=True):
        one.mkdir(parents=True)
        write_corpus(one, lambda passages=passages: texts_of(passages))
    return folders


@given(CORPORA, st.integers(1, 5), st.data())
@PROPERTY
def test_corpora_behave_like_tuples(
    tmp_path_factory: pytest.TempPathFactory, corpora: list[list[tuple[str, str]]], rows: int, data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_texts, "BATCH_ROWS", rows)  # several batches in small corpora
        folders = written(tmp_path_factory.mktemp("corpora"), *corpora)
    everything = [(name, passage) for name, corpus in zip(NAMES, corpora, strict=False) for passage in corpus]
    expected = sorted((f"{name}:{i}", text) for name, (i, text) in everything)
    ids = open_ids(NAMES[: len(folders)], folders)
    texts, candidates = open_texts(folders)

    assert tuple(ids) == tuple(i for i, _ in expected)
    assert ids.sizes == tuple(len(corpus) for corpus in corpora)
    assert [ids.place(i) for i in ids] == list(range(len(expected)))
    assert ids.place("ar:") is None and ids.place("zz:1") is None and ids.place("") is None

    distinct = tuple(dict.fromkeys(text for _, (_, text) in everything))
    assert tuple(texts) == distinct and len(texts) == len(distinct)
    assert [texts[n] for n in candidates] == [text for _, text in expected]
    assert candidates.dtype == np.int32
    place = data.draw(st.slices(len(distinct) + 2))
    assert texts[place] == distinct[place] and ids[place] == tuple(ids)[place]
    assert [texts[-n - 1] for n in range(len(distinct))] == list(distinct[::-1])
    for sequence in (texts, ids):
        with pytest.raises(IndexError):
            sequence[len(sequence)]


def test_an_id_that_stands_twice_is_told_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^line 3: id 'b' stands in line 1 already$"):
        written(tmp_path, [("b", "x"), ("a", "y"), ("b", "x")])


def test_a_damaged_copy_says_how_to_be_rid_of_it(tmp_path: Path) -> None:
    (folder,) = written(tmp_path, [("a", "x" * 1000)])
    whole = (folder / "texts.arrow").read_bytes()
    (folder / "texts.arrow").write_bytes(whole[:-200])
    with pytest.raises(WorkError, match=r"texts.arrow: this prepared copy is damaged; delete its folder"):
        StoredTexts([folder])
    (folder / "texts.arrow").unlink()
    with pytest.raises(WorkError, match=r"texts.arrow: this prepared copy is damaged"):
        StoredTexts([folder])
