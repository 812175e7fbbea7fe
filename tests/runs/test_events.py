import json
import math
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import WorkError
from workbench.runs.events import EventLog, follow, last_event, parse_event, read_events, read_new_events

FIELDS = st.dictionaries(
    st.text(max_size=8).filter(lambda name: name not in ("self", "kind", "time", "state")),
    st.none() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.floats(), max_size=3),
    max_size=4,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_every_line_has_time_kind_and_the_state_of_that_moment(path: Path) -> None:
    with EventLog(path) as events:
        events.state("queued")
        events.state("training", message="go")
        events.write("step", step=1, loss=2.5)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["kind"], line["state"]) for line in lines] == [
        ("state", "queued"),
        ("state", "training"),
        ("step", "training"),
    ]
    assert lines[1]["message"] == "go" and lines[2]["loss"] == 2.5
    assert all(len(line["time"]) == len("2026-11-22T14:03:27.512+00:00") for line in lines)


def test_a_log_that_is_opened_again_goes_on_from_the_last_state(path: Path) -> None:
    with EventLog(path) as events:
        events.state("evaluating")
    with EventLog(path) as events:
        assert events.current == "evaluating"
        events.write("progress", done=1)
    assert [event["state"] for event in read_events(path)] == ["evaluating", "evaluating"]


def test_a_new_log_is_queued(path: Path) -> None:
    with EventLog(path) as events:
        assert events.current == "queued"
    assert read_events(path) == [] and last_event(path) is None


def test_a_file_that_is_not_there_has_no_events(path: Path) -> None:
    assert read_events(path) == [] and last_event(path) is None and read_new_events(path, 7) == ([], 7)


def test_numbers_that_json_does_not_know_are_null(path: Path) -> None:
    with EventLog(path) as events:
        events.write("step", loss=math.nan, gradient_norm=math.inf, cells={"a": [-math.inf, 1.0], "b": (math.nan,)})
    event = last_event(path)
    assert event is not None
    assert (event["loss"], event["gradient_norm"], event["cells"]) == (None, None, {"a": [None, 1.0], "b": [None]})
    assert "NaN" not in path.read_text() and "Infinity" not in path.read_text()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"\0\0\0\0",
        b"\xff\xfe{}",
        b"[]",
        b"17",
        b'{"time": "t", "kind": "step"}',
        b'{"time": "t", "kind": "step", "state": 4}',
        b"[" * 100_000,
    ],
    ids=["empty", "open", "zeros", "no text", "list", "number", "no state", "wrong state", "deep"],
)
def test_garbage_is_no_event(line: bytes) -> None:
    assert parse_event(line) is None


def test_nan_of_another_writer_does_not_break_a_reader() -> None:
    event = parse_event(b'{"time": "t", "kind": "step", "state": "training", "loss": NaN}')
    assert event is not None and event["loss"] is None


@settings(max_examples=30, deadline=None)
@given(st.lists(FIELDS, min_size=1, max_size=5), st.data())
def test_whatever_a_kill_tears_off_only_the_last_line_is_lost(
    tmp_path_factory: pytest.TempPathFactory, written: list[dict[str, object]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("torn") / "events.jsonl"
    with EventLog(path) as events:
        events.state("training")
        for fields in written:
            events.write("step", **fields)
    whole, lines = read_events(path), path.read_bytes().splitlines(keepends=True)
    assert len(whole) == len(written) + 1
    torn = data.draw(st.integers(0, len(lines[-1])))
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:torn])
    with EventLog(path) as events:
        events.write("warning", message="after")
    found = read_events(path)
    kept = whole if torn >= len(lines[-1]) - 1 else whole[:-1]
    assert found[:-1] == kept
    assert found[-1]["message"] == "after" and found[-1]["state"] == "training"
    assert last_event(path) == found[-1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=6))
def test_events_read_by_offset_are_the_events_read_at_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("offsets")
    with EventLog(folder / "all") as events:
        for step in range(4):
            events.write("step", step=step, note="ä\u2028")
    content, seen, offset = (folder / "all").read_bytes(), [], 0
    for cut in [*sorted(cuts), len(content)]:
        (folder / "growing").write_bytes(content[:cut])
        new, offset = read_new_events(folder / "growing", offset)
        seen += new
    assert seen == read_events(folder / "all")


def test_the_last_event_is_found_behind_a_long_one_and_by_kind(path: Path) -> None:
    with EventLog(path) as events:
        events.state("training")
        events.write("step", step=1)
        events.write("step", step=2)
        events.write("error", message="x", traceback="y" * 50_000)
        for done in range(300):
            events.write("progress", done=done)
    last = last_event(path)
    assert last is not None and last["done"] == 299
    step = last_event(path, ("step",))
    assert step is not None and step["step"] == 2
    assert last_event(path, ("validation",)) is None


def test_follow_gives_old_and_new_events_and_ends_with_the_run(path: Path) -> None:
    with EventLog(path) as events:
        events.state("training")
        followed = follow(path, 0.01, ended=lambda: events.current == "finished")
        assert next(followed)["state"] == "training"
        events.write("step", step=1)
        events.write("step", step=2)
        assert [event["step"] for event in islice(followed, 2)] == [1, 2]
        events.state("finished")
        assert [event["state"] for event in followed] == ["finished"]


def test_a_full_disk_is_one_clear_line() -> None:
    with EventLog(Path("/dev/full")) as events, pytest.raises(WorkError, match="/dev/full: no disk space left"):
        events.write("step", step=1)
