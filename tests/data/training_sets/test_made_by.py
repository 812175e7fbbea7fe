"""Training sets in files with synthetic rows: what is read, and what each unsound file is told."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from tests.data.training_sets.test_parallel_files import Row, Write, write  # noqa: F401  (a fixture)
from tests.synthesis.made_examples import contents
from workbench.data.pairs import capped, hash_order, hold_out_all
from workbench.data.training_sets.parallel_files import load_pairs
from workbench.errors import InputError


def made(pair_id: str, lang: str, query: str | None, passage: str | None, made_by: str | None = "mt") -> Row:
    return {"pair_id": pair_id, "lang": lang, "query": query, "passage": passage, "made_by": made_by}


def human(pair_id: str, lang: str, **more: str | None) -> Row:
    return {**made(pair_id, lang, f"{lang} {pair_id}?", f"{lang} {pair_id}.", None), **more}


ROWS: list[Row] = [
    made("b", "de", "de b? mt", "de b. mt"),
    human("a", "en", negative="no"),
    made("a", "zh", None, "zh a. mt"),
    human("b", "en", made_by=" "),
    made("b", "ar", "ar b? mt", " "),
    human("b", "de", made_by=""),
    made("a", "mul", "de en?", "de en.", "switch"),
]
EXPECTED = {
    ("a", "en", None): ("en a?", "en a.", "no"),
    ("b", "de", None): ("de b?", "de b.", None),
    ("b", "en", None): ("en b?", "en b.", None),
    ("a", "mul", "switch"): ("de en?", "de en.", None),
    ("a", "zh", "mt"): (None, "zh a. mt", None),
    ("b", "ar", "mt"): ("ar b? mt", None, None),
    ("b", "de", "mt"): ("de b? mt", "de b. mt", None),
}


@pytest.mark.parametrize("order", [1, -1])
def test_human_columns_stand_before_synthetic_ones(write: Write, order: int) -> None:  # noqa: F811
    pairs = load_pairs("mine", write(ROWS[::order]))
    assert pairs.languages == ("de", "en", "ar", "de", "mul", "zh")
    assert pairs.made_by == (None, None, "mt", "mt", "switch", "mt")
    assert contents(pairs) == EXPECTED
    few = load_pairs("mine", write(ROWS), languages=["de", "mul"])
    assert contents(few) == {cell: texts for cell, texts in EXPECTED.items() if cell[1] in ("de", "mul")}


def test_a_column_without_a_maker_is_as_if_it_were_not_there(write: Write) -> None:  # noqa: F811
    rows = [human("a", "en"), human("b", "en"), human("a", "de")]
    pairs = load_pairs("mine", write(rows))
    assert pairs.made_by == () and pairs.languages == ("de", "en")
    bare = load_pairs("mine", write([{k: v for k, v in row.items() if k != "made_by"} for row in rows]))
    assert all(np.array_equal(getattr(pairs, part), getattr(bare, part)) for part in ("queries", "passages", "texts"))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([made("a", "de", "q", "p"), made("b", "de", "q", "p", "other")], "1: 'de' has texts made by 'mt', 'other'"),
        ([human("a", "en"), human("b", "en", query=None)], "2: 'query' is null; allowed: a text"),
        ([human("a", "en"), human("b", "en", passage=" ")], "2: 'passage' is blank; allowed: a text"),
        ([human("a", "en"), human("a", "mul")], "2: 'lang': 'mul' is several languages"),
        ([made("a", "mul", "q", "p"), human("b", "mul")], "2: 'lang': 'mul' is several languages"),
        ([human("a", "en"), made("a", "de", None, " ")], "2: 'query' is null; allowed: a text"),
        ([human("a", "en"), made("a", "de", " ", None)], "2: 'query' is blank; allowed: a text"),
        ([made("a", "de", "q", "p"), made("a", "de", "q", "r")], "2: pair_id 'a' in 'de' stands in (row|line) 1"),
        ([made("a", "qq", "q", "p")], "1: 'lang': 'qq' is no language code"),
    ],
)
def test_unsound_rows_are_named(write: Write, rows: Sequence[Row], says: str) -> None:  # noqa: F811
    with pytest.raises(InputError, match=says) as raised:
        load_pairs("mine", write(rows))
    assert re.search(r"set\.(parquet|jsonl)", str(raised.value)) and "\n" not in str(raised.value)


def many(count: int) -> list[Row]:
    """English pairs; German by a machine with a passage for every other one, and without a query for every third."""
    rows: list[Row] = []
    for number in range(count):
        name = f"p{number:02}"
        rows.append(human(name, "en"))
        query = None if number % 3 == 0 and number % 2 else f"de {name}? mt"
        rows.append(made(name, "de", query, None if number % 2 == 0 else f"de {name}. mt"))
    return rows


def test_caps_count_synthetic_languages_by_themselves(write: Write) -> None:  # noqa: F811
    pairs = load_pairs("mine", write(many(20)))
    order = [pairs.pair_ids[row] for row in hash_order(pairs.pair_ids).tolist()]
    few = load_pairs("mine", write(many(20)), pairs=6, pairs_per_language=4)
    assert contents(few) == contents(capped(pairs, 6, 4))
    assert {cell[0] for cell in contents(few)} == set(order[:4])
    assert contents(few) == {cell: texts for cell, texts in contents(pairs).items() if cell[0] in order[:4]}


def test_a_version_that_shares_a_text_with_a_held_out_pair_is_not_trained_on(write: Write) -> None:  # noqa: F811
    rows = many(20)
    names = load_pairs("mine", write(rows)).pair_ids
    held, other = (names[row] for row in hash_order(names)[[0, -1]].tolist())
    for name in (held, other):
        place = next(n for n, row in enumerate(rows) if (row["pair_id"], row["lang"]) == (name, "de"))
        rows[place] = made(name, "de", None, f"Ein {'Satz' if name == held else 'SATZ'}.")
    ((training, held_out),) = hold_out_all([load_pairs("mine", write(rows))], 1)
    assert held_out.pair_ids == (held,) and held_out.made_by == training.made_by == (None, "mt")
    assert contents(held_out)[held, "de", "mt"] == (None, "Ein Satz.", None)
    left = {(name, language) for name, language, _ in contents(training)}
    assert {name for name, _ in left} == set(names) - {held} and len(training.pair_ids) == 19
    # what people wrote of the other pair stays; its synthetic version, with the same text, does not
    assert (other, "en") in left and (other, "de") not in left
