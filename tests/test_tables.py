import json
import math
from datetime import UTC, datetime

import pytest

from workbench.reports.tables import as_csv, as_json, duration, figure, print_table, spread


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.50124, ".5012"),
        (-0.0856, "-.0856"),
        (0.0, ".0000"),
        (0.99999, "1.0000"),
        (1.5, "1.5000"),
        (1213.549, "1213.5"),
        (1e6, "1e+06"),
        (float("nan"), "nan"),
    ],
)
def test_figures_are_printed_as_in_papers(value: float, words: str) -> None:
    assert figure(value) == words


def test_spread_and_duration() -> None:
    assert spread(0.5, 0.01) == ".5000 ±.0100"
    assert spread(0.5, None) == ".5000"
    assert spread(None, None) == ""
    assert [duration(s) for s in (None, 4.4, 245, 3723)] == ["", "0:04", "4:05", "1:02:03"]


def test_json_is_a_list_of_objects_whatever_stands_in_it() -> None:
    row = {"a": math.nan, "b": datetime(2026, 1, 2, tzinfo=UTC), "c": [1, {"d": math.inf}], "e": "ü", "f": None}
    assert json.loads(as_json([row])) == [
        {"a": None, "b": "2026-01-02T00:00:00+00:00", "c": [1, {"d": None}], "e": "ü", "f": None}
    ]
    assert json.loads(as_json([])) == []


def test_csv_quotes_what_needs_it() -> None:
    assert as_csv(["a", "b"], [{"a": 'x,"y"', "b": None}]) == 'a,b\n"x,""y""",\n'


def test_a_table_shows_data_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"name": "[red]runs[/a]\nnext", "n": 1}, {"name": "x" * 300, "n": None}], title="[b]")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "[b]" and "[red]runs[/a] next" in lines[2]
    assert "x" * 300 in lines[3], "in a pipe no line is cut"


def test_an_empty_table_still_has_its_heads(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([], columns=["run", "state"])
    assert capsys.readouterr().out.split() == ["run", "state"]
