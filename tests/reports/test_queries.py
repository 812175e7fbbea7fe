"""What moved between two arms."""

import math
from pathlib import Path

import pytest

from tests.analysis.hand import HYBRID, MONO, make_store
from workbench.errors import InputError
from workbench.reports.queries import moved_queries, print_moved


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("hand"))


def test_what_moved_most_comes_first(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """German queries, Chinese pool: mono has the ranks 5 4 2 5 and 2 4 2 5, hybrid 2 1 1 1 and 1 1 1 1."""
    found = moved_queries(store, HYBRID, MONO, cell="cross_lingual de zh")
    assert [row["query_id"] for row in found.rows] == ["q4", "q2", "q1", "q3"]
    assert [(row["against_rank"], row["rank"]) for row in found.rows] == [(5, 1), (4, 1), (3.5, 1.5), (2, 1)]
    assert [row["moved"] for row in found.rows] == [pytest.approx(math.log2(m)) for m in (5, 4, 3.5 / 1.5, 2)]
    first = found.rows[0]
    assert (first["relevant_id"], first["relevant_language"]) == ("zh:3", "zh")
    assert first["query"] is None and found.note.startswith("no texts: ")
    print_moved(found)
    said = capsys.readouterr().out
    assert "q4  cross_lingual de zh  rank 5 → 1" in said and "relevant (zh): zh:3" in said
    back = moved_queries(store, MONO, HYBRID, cell="cross_lingual de zh", limit=1)
    assert [(row["query_id"], row["moved"]) for row in back.rows] == [("q4", pytest.approx(-math.log2(5)))]


def test_of_parallel_passages_the_best_counts(store: Path) -> None:
    """English queries, all pools: the best ranks are 1 1 1 1 for mono and 1 1 1 1 for hybrid: nothing moved."""
    found = moved_queries(store, HYBRID, MONO, cell="multilingual en *")
    assert [(row["rank"], row["against_rank"], row["moved"]) for row in found.rows] == [(1, 1, 0)] * 4
    assert {row["relevant_id"] for row in found.rows} <= {f"{a}:{q}" for a in ("de", "en", "zh") for q in range(4)}


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("de zh", "allowed: a setting, a query language, a pool language"),
        ("crosslingual de zh", "did you mean 'cross_lingual'"),
        ("cross_lingual fr zh", "query language 'fr': allowed: de, en, zh"),
        ("cross_lingual de de", "pool language 'de': allowed: en, zh"),
    ],
)
def test_a_cell_that_is_none(store: Path, cell: str, says: str) -> None:
    with pytest.raises(InputError, match=r"--cell") as caught:
        moved_queries(store, HYBRID, MONO, cell=cell)
    assert says in str(caught.value)


def test_an_arm_and_itself(store: Path) -> None:
    with pytest.raises(InputError, match="does not differ from itself"):
        moved_queries(store, MONO, MONO)
