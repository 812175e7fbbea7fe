"""What a filter may say."""

import pytest

from workbench.errors import InputError
from workbench.tui.filters import row_filter

COLUMNS = {"against_rank": "baseline", "rank": "of the arm", "baseline": "model"}
ROW = {"against_rank": 7, "rank": 2, "baseline": "e5"}


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("against_rank>5 rank<5", True),
        ("AGAINST_RANK<=6", False),
        ("'of the arm=2'", True),  # what stands above a column, too
        ("baseline~E", True),  # the key of one and the head of another: the key counts
        ("model=e5", True),
        ("e5 7", True),
        ("e5 8", False),
        ("rank!=2", False),
    ],
)
def test_terms_name_a_column_by_its_key_or_its_head(expression: str, fits: bool) -> None:
    assert row_filter(expression, COLUMNS)(ROW) == fits


def test_no_such_column() -> None:
    with pytest.raises(InputError, match=r"no column 'rnk'; did you mean 'rank'\?$"):
        row_filter("rnk=2", COLUMNS)
    with pytest.raises(InputError, match=r"no column 'x'; there are against_rank, rank, baseline$"):
        row_filter("x=2", COLUMNS)
    with pytest.raises(InputError, match=r"there are a, b, c, d, e, f and 2 more$"):
        row_filter("x=2", dict(zip("abcdefgh", "ABCDEFGH", strict=True)))
