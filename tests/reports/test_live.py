import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from workbench.reports.live import describe, short_names, shortened, show_progress
from workbench.runs.supervisor import Update

STEP = {
    "kind": "step",
    "state": "training",
    "step": 120,
    "steps": 1000,
    "loss": 2.1,
    "batch_kind": "mono",
    "pairs_per_second": 123.4,
    "eta_s": 3723,
}
RUN = "20261122-1403-hybrid-a50-s{}-7f3c"


def screen(updates: Iterator[Update], **console: Any) -> str:
    out = Console(file=io.StringIO(), highlight=False, color_system=None, **console)
    show_progress(updates, out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def of_two_runs() -> Iterator[Update]:
    first, second = RUN.format(0), RUN.format(1)
    yield Update(first, "queued", [])
    yield Update(second, "queued", [])
    yield Update(first, "training", [STEP])
    yield Update(first, "failed", [{"kind": "error", "message": "[red]loss :100: " + "x" * 100}])
    yield Update(second, "evaluating", [{"kind": "progress", "stage": "demo", "done": 1, "total": 0, "eta_s": None}])
    yield Update(second, "finished", [{"kind": "sampled", "counts": []}, {"kind": "state", "state": "finished"}])


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (STEP, "step 120/1000  loss 2.1000  mono  123.4 pairs/s  ETA 1:02:03"),
        ({**STEP, "loss": None, "pairs_per_second": None, "eta_s": None}, "step 120/1000  loss nan  mono"),
        ({"kind": "step"}, "step ?/?  loss nan"),
        ({"kind": "progress", "stage": "demo", "done": 3, "total": 9, "eta_s": None}, "demo  3/9"),
        ({"kind": "validation", "step": 5, "loss": None}, "validation loss nan after step 5"),
        ({"kind": "validation", "step": 5, "loss": 0.5}, "validation loss 0.5000 after step 5"),
        ({"kind": "state", "state": "failed", "message": "why"}, "failed: why"),
        ({"kind": "checkpoint", "step": 4}, "checkpoint after step 4"),
        ({"kind": "sampled", "counts": [{"batches": 3}, {"batches": 4}]}, "drawn so far: 7 batches"),
        ({"kind": "sampled", "counts": None}, "drawn so far: ? batches"),
        ({"kind": "warning", "message": "[b] :100:"}, "warning: [b] :100:"),
        ({"kind": "new in a later version", "value": 1}, "new in a later version"),
    ],
)
def test_any_event_is_described(event: dict[str, Any], words: str) -> None:
    assert describe(event) == words
    assert all(len(shortened(event, room)) <= room for room in range(1, 80))


def test_the_rate_is_what_a_narrow_terminal_does_without_first() -> None:
    assert shortened(STEP, 60) == describe(STEP)
    assert shortened(STEP, 59) == "step 120/1000  loss 2.1000  mono  ETA 1:02:03"
    assert shortened(STEP, 44) == "step 120/1000  loss 2.1000  ETA 1:02:03"
    assert shortened(STEP, 10) == "step 120/…"


def test_runs_have_short_names_unless_two_would_share_one() -> None:
    one, other, again = RUN.format(0), RUN.format(1), RUN.format(0) + "-2"
    assert short_names([one, other]) == {one: "hybrid-a50-s0", other: "hybrid-a50-s1"}
    assert short_names([one, again]) == {one: one, again: again}


def test_in_a_pipe_lines_are_plain_and_whole() -> None:
    lines = screen(of_two_runs(), width=80, force_terminal=False).splitlines()
    assert f"{RUN.format(0)}  error: [red]loss :100: " + "x" * 100 in lines
    assert lines[-1] == f"{RUN.format(1)}  finished" and f"{RUN.format(1)}  demo  1/0" in lines


@pytest.mark.parametrize("width", [60, 80, 120])
def test_bars_show_the_whole_short_name(width: int) -> None:
    text = screen(of_two_runs(), width=width, force_terminal=True)
    assert "hybrid-a50-s0 " in text and "hybrid-a50-s1 " in text and "[red]loss :100:" in text
    assert "ETA 1:02:03" in text and ("pairs/s" in text) == (width == 120)
    assert f"{RUN.format(0)}  failed" in text and f"{RUN.format(1)}  finished" in text


def test_last_states_are_returned() -> None:
    states = show_progress(of_two_runs(), Console(file=io.StringIO(), force_terminal=True))
    assert list(states.values()) == ["failed", "finished"]
