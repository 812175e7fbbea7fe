import io
import json
import math
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from workbench.reports.tables import as_csv, as_json, beside, duration, figure, p_value, print_table, spread


def on_terminal(rows: list[dict[str, object]], width: int, title: str | None = None, names: int = 1) -> list[str]:
    """The lines that a terminal of `width` cells shows, without what pads them."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False)
    print_table(rows, title=title, names=names, console=console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    return [line.rstrip() for line in lines]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.50124, ".5012"),
        (-0.0856, "-.0856"),
        (0.0, ".0000"),
        (0.001, ".0010"),
        (0.00051234, ".000512"),
        (-0.00051234, "-.000512"),
        (3e-5, "3e-05"),
        (0.99999, "1.0000"),
        (1.5, "1.5000"),
        (10.05, "10.1"),
        (1213.549, "1213.5"),
        (1e6, "1e+06"),
        (float("nan"), "nan"),
    ],
)
def test_figures_are_printed_as_in_papers(value: float, words: str) -> None:
    assert figure(value) == words


@given(st.floats(-1e300, 1e300).filter(bool))
def test_no_figure_is_shown_as_zero(value: float) -> None:
    assert math.isclose(float(figure(value)), value, rel_tol=0.06)


def test_spread_and_duration() -> None:
    assert spread(0.5, 0.01) == ".5000 ±.0100"
    assert [spread(*of) for of in ((131.5, 6.9415), (20.0, 0.91), (20.0, 0.003), (0.5, 1e-5), (0.5, 0.0))] == [
        "131.5 ±6.9",
        "20.0 ±0.9",
        "20.0 ±.0030",
        ".5000 ±1e-05",
        ".5000 ±.0000",
    ]
    assert spread(0.5, None) == spread(0.5, math.nan) == ".5000"
    assert spread(None, None) == spread(math.nan, 0.1) == ""
    assert [duration(s) for s in (None, math.inf, 4.4, 245, 3723)] == ["", "", "0:04", "4:05", "1:02:03"]


def test_a_difference_has_the_decimals_of_the_mean_beside_it() -> None:
    said = [beside(0.5, value) for value in (-0.00854, 6.67e-5, 0.0, -0.25, None, math.nan)]
    assert said == ["-.0085", ".0001", ".0000", "-.2500", "", ""]
    assert [beside(306.8, value) for value in (-1.2274, 13.94, 0.0)] == ["-1.2", "13.9", "0.0"]


def test_p_values_are_printed_as_in_papers() -> None:
    assert [p_value(p) for p in (0.0341, 0.000129, 1e-9, 1.0, math.nan, None)] == [
        ".0341",
        ".0001",
        "<.0001",
        "1.0000",
        "",
        "",
    ]


def test_marks_do_not_push_numbers_out_of_line(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"q": "de", "a": ".5000*", "b": ".25"},
        {"q": "en", "a": "-.2500", "b": "1"},
        {"q": "zh", "a": ".1*‡", "b": ""},
    ]
    print_table(rows)
    assert capsys.readouterr().out.splitlines() == [
        "q          a    b",
        "de   .5000*   .25",
        "en  -.2500      1",
        "zh      .1*‡",
    ]
    assert on_terminal(rows, 60)[1:3] == ["de   .5000*   .25", "en  -.2500      1"]
    print_table([{"a": "yes*"}, {"a": "no"}])
    assert capsys.readouterr().out.splitlines() == ["a", "yes*", "no"], "text is no number"


def test_json_is_a_list_of_objects_whatever_stands_in_it() -> None:
    row = {"a": math.nan, "b": datetime(2026, 1, 2, tzinfo=UTC), "c": [1, {"d": math.inf}], "e": "ü", "f": None}
    assert json.loads(as_json([row])) == [
        {"a": None, "b": "2026-01-02T00:00:00+00:00", "c": [1, {"d": None}], "e": "ü", "f": None}
    ]
    assert json.loads(as_json([])) == []
    assert json.loads(as_json([{"a": Decimal("0.5"), "b": Decimal("NaN")}])) == [{"a": 0.5, "b": None}]


def test_csv_quotes_what_needs_it() -> None:
    assert as_csv(["a", "b"], [{"a": 'x,"y"', "b": None}]) == 'a,b\n"x,""y""",\n'


def test_a_pipe_gets_data_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"name": "[red]runs[/a]\n:100:\x1b[2J", "n": 1}, {"name": "x" * 5000, "n": None}], title="[b]")
    title, head, first, second = capsys.readouterr().out.splitlines()
    assert title == "[b]", "nothing pads it"
    assert head.split() == ["name", "n"] and "\x1b" not in first
    assert first.startswith("[red]runs[/a] :100:") and first.endswith("  1") and first.index("1", 20) > 5000
    assert second == "x" * 5000, "no line is cut or folded"


def test_numbers_stand_to_the_right_whatever_their_form(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"a": 3e-5, "b": "12/900", "漢": ".5000 ±3e-05"},
        {"a": 0.5, "b": "1/2", "漢": "nan"},
        {"a": None} | dict.fromkeys("b漢"),
    ]
    print_table(rows)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "    a       b            漢"
    assert lines[1] == "3e-05  12/900  .5000 ±3e-05" and lines[2] == ".5000     1/2           nan" and lines[3] == ""


def test_an_empty_table_still_has_its_heads(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([], columns=["run", "state"])
    assert capsys.readouterr().out.split() == ["run", "state"]
    print_table([])
    assert capsys.readouterr().out == ""


def test_a_narrow_terminal_folds_text_but_neither_ids_nor_numbers() -> None:
    run = "20261122-1403-hybrid-a50-s0-7f3c"
    words = "the loss is nan at step 12: the training diverged; choose a lower learning rate"
    lines = on_terminal([{"run": run, "map": 0.51234, "message": words}], 80)
    assert run in lines[1] and ".5123" in lines[1] and len(lines) > 2
    assert " ".join(line[41:].strip() for line in lines[1:]) == words


def test_columns_without_room_follow_in_a_further_table() -> None:
    languages = ["ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh", "*"]
    lines = on_terminal([{"query": q, **dict.fromkeys(languages, 0.5)} for q in ("de", "en")], 80, "matrix")
    assert lines[0] == "matrix"
    assert [line.split()[0] for line in lines[1:4]] == ["query", "de", "en"] and lines[4] == ""
    assert lines[5].split() == ["query", "zh", "*"] and lines[6].split() == ["de", ".5000", ".5000"]
    assert len(on_terminal([{"query": "de", **dict.fromkeys(languages, 0.5)}], 120)) == 2


def test_further_tables_repeat_the_columns_that_tell_the_rows_apart() -> None:
    rows = [{"arm": arm, "against": "mono-1c0d31", "setting": setting, **{f"figure{n}": 0.5 for n in range(8)}}
            for arm in ("cross-2d1e42", "hybrid-3e2f53") for setting in ("mono", "multi")]  # fmt: skip
    lines = on_terminal(rows, 80, names=3)
    tables = "\n".join(lines).split("\n\n")
    assert len(tables) == 2
    for table in tables:
        head, *body = [line.split() for line in table.splitlines()]
        assert head[:3] == ["arm", "against", "setting"]
        assert [line[:3] for line in body] == [[row["arm"], row["against"], row["setting"]] for row in rows]
    # where they leave no room for a figure, fewer of them
    narrow = "\n".join(on_terminal(rows, 36, names=3)).split("\n\n")
    assert [table.split()[:2] for table in narrow[:2]] == [["arm", "against"], ["arm", "against"]]


def test_figures_of_a_column_have_as_many_decimals(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"a": 9.8765, "b": 0.5, "c": "9.8765*"}, {"a": 12.34, "b": 12.34, "c": "-12.3"}, dict.fromkeys("abc")])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["a", "b", "c"], ["9.9", ".5000", "9.9*"], ["12.3", "12.3", "-12.3"], []]  # fmt: skip


def test_even_a_tiny_terminal_gets_everything() -> None:
    lines = on_terminal([{"name": "y" * 50, "n": 123456}], 20)
    assert sum(line.count("y") for line in lines) == 50 and any("123456" in line for line in lines)


def test_a_long_table_is_whole_on_a_terminal_too() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    print_table([{"a": number, "b": "text"} for number in range(5000)], console=console)
    assert isinstance(console.file, io.StringIO)
    assert len(console.file.getvalue().splitlines()) == 5001
