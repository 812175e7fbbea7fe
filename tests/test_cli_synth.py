"""`workbench synth`: what it writes, what it refuses, how it is stopped and goes on."""

import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.data.reading.test_squad_shape import write_official
from tests.data.tasks.test_tydiqa import ROWS
from tests.data.tasks.test_tydiqa import asked as questions_of
from tests.synthesis.made_examples import asked, contents, write_program
from tests.test_cli import until, workbench
from workbench import cli, cli_synth
from workbench.data.demo import training_pairs
from workbench.data.pairs import capped
from workbench.data.tasks.tydiqa import load_tydiqa
from workbench.data.training_sets.parallel_files import load_pairs
from workbench.paths import cache_folder
from workbench.synthesis.__main__ import main

LIMIT_S = 60.0


Run = Callable[..., tuple[int, str, str]]
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The console script and the process that it starts, without a start of Python: exit code, stdout, stderr."""

    def answer(command: list[str]) -> tuple[int, str]:
        said = io.StringIO()
        with redirect_stdout(said):
            return main(command[-1:]), said.getvalue()

    monkeypatch.setattr(cli_synth, "answer", answer)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["workbench", *arguments])
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        capfd.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def rows(run: Run) -> Rows:
    """What a command gives as JSON."""

    def call(*arguments: str) -> list[dict[str, Any]]:
        code, out, said = run(*arguments, "--json")
        assert code == 0 and "Traceback" not in said, said
        found = json.loads(out)
        assert isinstance(found, list)
        return found

    return call


def translate(home: Path, *more: str, out: str = "made.parquet", seconds: float = 0.0) -> list[str]:
    """The arguments of a translation of a few pairs by a small program."""
    command = write_program(home, seconds)
    given = ["--data", "demo", "--to", "de,hi", "--translator", "command", "--command", command, "--out", out]
    return ["synth", "translate", *given, *(more or ("--pairs", "8"))]


def test_a_file_takes_further_languages_from_another_maker(tmp_path: Path, run: Run, rows: Rows) -> None:
    rows(*translate(tmp_path, "--pairs", "8", "--language", "en", "--language", "tr"))
    more = ["--data", "made", "--path", "made.parquet", "--lexicons", "demo", "--p", "1"]
    rows("synth", "codeswitch", *more, "--to", "es,ru", "--out", "both.parquet")
    pairs = load_pairs("both", tmp_path / "both.parquet")
    assert pairs.languages == ("en", "tr", "de", "es", "hi", "ru")
    assert pairs.makers[3] == pairs.makers[5] == "code-switching, p 1" and pairs.makers[2] == pairs.makers[4]
    told = {row["language"]: row["made"] for row in rows("synth", "report", "both.parquet") if row["maker"] != "people"}
    assert told == {"de": 8, "hi": 8, "es": 8, "ru": 8}
    code, _, said = run("synth", "codeswitch", *more, "--to", "de", "--out", "again.parquet")
    assert code == 2 and "holds synthetic texts in 'de' already" in said


def test_a_translated_set_is_filtered_and_looked_at(tmp_path: Path, run: Run, rows: Rows) -> None:
    made = rows(*translate(tmp_path))
    assert [(row["language"], row["made"], row["kept"], row["details"]) for row in made] == [
        ("de", 8, 8, {}),
        ("hi", 8, 8, {}),
    ]
    pairs = load_pairs("made", tmp_path / "made.parquet")
    human = contents(capped(training_pairs(), 8))
    assert {cell: texts for cell, texts in contents(pairs).items() if cell[2] is None} == human
    (maker,) = set(pairs.makers) - {None}
    one = pairs.pair_ids[0]
    assert contents(pairs)[one, "hi", maker] == (*(f"hi {text}" for text in human[one, "en", None][:2]), None)

    # the English words that follow are no Hindi
    out = ("--out", "left.parquet", "--rejected", "rejected.jsonl", "--set", "script=true")
    filtered = rows("synth", "filter", "made.parquet", *out, "--set", "language=false")
    assert [(row["language"], row["made"], row["kept"]) for row in filtered] == [("de", 8, 8), ("hi", 8, 0)]
    rejected = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    assert {(row["lang"], row["rule"]) for row in rejected} == {("hi", "script")} and len(rejected) == 8
    assert all(row["query"] == f"hi {row['source_query']}" for row in rejected)
    left = load_pairs("left", tmp_path / "left.parquet")
    assert contents(left) == {cell: texts for cell, texts in contents(pairs).items() if cell[1:] != ("hi", maker)}

    described = rows("synth", "report", "left.parquet")
    assert [(row["maker"], row["language"], row["pairs"]) for row in described if row["maker"] != "people"] == [
        (maker, "de", 8)
    ]
    assert sum(row["pairs"] for row in described if row["maker"] == "people") == 80
    assert all(row["made"] is None for row in described if row["maker"] == "people")
    _, text, _ = run("synth", "report", "left.parquet")
    assert "people" in text and str(maker) in text and "identified as en" in text


def test_what_a_file_was_filtered_for_before_is_not_forgotten(tmp_path: Path, run: Run, rows: Rows) -> None:
    switch = ("--data", "demo", "--pairs", "40", "--lexicons", "demo", "--to", "de,ru")
    rows("synth", "codeswitch", *switch, "--mode", "multilingual", "--out", "0.parquet")
    (before,) = [row for row in rows("synth", "report", "0.parquet") if row["language"] == "mul"]
    rejected = 0
    for step, ratio in ((1, 1.05), (2, 1.02)):
        (row,) = rows("synth", "filter", f"{step - 1}.parquet", "--out", f"{step}.parquet", "--set",
                      f"length_ratio={ratio}")  # fmt: skip
        assert row["made"] - row["kept"] == row["details"]["rejected"]["length_ratio"] > 0
        rejected += row["made"] - row["kept"]
    (after,) = [row for row in rows("synth", "report", "2.parquet") if row["language"] == "mul"]
    assert after["made"] == before["made"] == after["pairs"] + rejected
    assert after["details"] == {**before["details"], "rejected": {"length_ratio": rejected}}


def test_a_source_that_nobody_wrote_in_is_told(tmp_path: Path, run: Run) -> None:
    code, _, _ = run(*translate(tmp_path, "--pairs", "8", "--language", "en"))
    assert code == 0
    for arguments in (("filter", "made.parquet", "--out", "left.parquet"), ("report", "made.parquet")):
        code, _, said = run("synth", *arguments, "--source", "fi")
        assert code == 0 and "no texts of people in 'fi'" in said
        assert "no texts of people" not in run("synth", *arguments)[2]


def test_lexicons_are_written_and_switched_with(tmp_path: Path, run: Run, rows: Rows) -> None:
    written = rows("synth", "lexicons", "--out", "lexicons")
    assert {row["language"] for row in written} >= {"de", "ru"} and all(row["words"] > 100 for row in written)
    given = ("--data", "demo", "--pairs", "20", "--to", "de,ru")
    for name in ("lexicons", "demo"):
        out = ("--lexicons", name, "--out", f"{name}.parquet", "--p", "1")
        made = rows("synth", "codeswitch", *given, *out)
        assert [row["language"] for row in made] == ["de", "ru"]
        assert all(row["kept"] == row["details"]["switched"]["switched_pairs"] > 0 for row in made)
    one, other = (load_pairs("set", tmp_path / f"{name}.parquet") for name in ("lexicons", "demo"))
    assert contents(one) == contents(other)
    # the file of a set that is built in is read as the file that it is
    described = [row for row in rows("synth", "report", "demo.parquet") if row["made"]]
    assert [row["language"] for row in described] == ["de", "ru"]
    assert all(row["details"]["switched"]["coverage"] > 0 for row in described)
    _, text, _ = run("synth", "codeswitch", *given, "--lexicons", "demo", "--out", "more/all.parquet")
    assert "switch rate" in text and "code-switching, p 0.5" in text


def test_translated_questions_are_read_by_the_task(tmp_path: Path, rows: Rows) -> None:
    official = write_official(tmp_path / "tydiqa.json", ROWS)
    given = ("--data", "mine", "--path", official.name, "--loader", "tydiqa", "--out", "questions.jsonl")
    command = ("--translator", "command", "--command", write_program(tmp_path))
    found = rows("synth", "questions", *given, *command, "--to", "en,sw,en")
    own = [("bn", "en", 1), ("bn", "sw", 1), ("ko", "en", 2), ("ko", "sw", 2), ("sw", "en", 4)]
    assert [(row["from"], row["to"], row["questions"]) for row in found] == own
    task = load_tydiqa("mine", official, questions=[tmp_path / "questions.jsonl"])
    assert task.languages == ("bn", "en", "ko", "sw")
    assert questions_of(task)["bengali-7-0"] == {"bn": "জল কেমন?", "en": "en জল কেমন?", "sw": "sw জল কেমন?"}
    assert questions_of(task)["swahili-11-0"] == {"sw": "Maji yakoje?", "en": "en Maji yakoje?"}
    (by_machine,) = [json.loads(note) for note in task.notes.values() if note.startswith("{")]
    assert set(by_machine) == {"en>bn", "en>ko", "en>sw", "sw>bn", "sw>ko"}
    (only,) = rows("synth", "questions", *given, *command, "--to", "en", "--language", "bn")
    assert only == {"from": "bn", "to": "en", "questions": 1}


def test_a_question_in_several_languages_is_translated_from_one(tmp_path: Path, rows: Rows) -> None:
    command = ("--translator", "command", "--command", write_program(tmp_path))
    found = rows("synth", "questions", "--data", "demo", "--to", "sw,de", *command, "--out", "q.jsonl")
    assert [(row["from"], row["to"]) for row in found] == [("ar", "sw")]
    lines = [json.loads(line) for line in (tmp_path / "q.jsonl").read_text().splitlines()]
    assert len({line["id"] for line in lines}) == len(lines) == found[0]["questions"]


@pytest.mark.skipif(shutil.which("apertium") is None, reason="apertium is not installed")
def test_apertium_translates_a_set(rows: Rows) -> None:
    given = ("--data", "demo", "--pairs", "4", "--to", "es", "--out", "es.parquet")
    program = ("--translator", "command", "--command", "apertium -u eng-spa")
    (made,) = rows("synth", "translate", *given, *program)
    assert (made["made_by"], made["kept"]) == ("apertium", 4)
    (row,) = [row for row in rows("synth", "report", "es.parquet") if row["maker"] == "apertium"]
    assert row["own_language"] > 0.5 and row["copies"] == 0


# ------------------------------------------------------------------------------------------------- wrong input


TRANSLATE = "synth translate --data demo --to de --pairs 4 --out o.parquet --translator"
SWITCH = "synth codeswitch --data demo --pairs 4"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (f"{TRANSLATE} nlb", "translator.kind: 'nlb' is not allowed; allowed: nllb, m2m100, marian, command; did you"),
        (f"{TRANSLATE} command", "synth.translator.command: is needed for kind: command"),
        (f"{TRANSLATE} nllb --command cat", "synth.translator.command: is for kind: command alone"),
        (f"{TRANSLATE} command --command cat --beams 2", "synth.translator.beams: a program has no such option"),
        (f"{TRANSLATE} command --command no-such", "translator.command: no-such: there is no such program"),
        (f"{TRANSLATE} nllb --checkpoint ./none", "./none: there is no such folder"),
        (f"{TRANSLATE} command --command cat --source hi --to hi", "'hi' is what they are made from"),
        (f"{TRANSLATE} command --command cat --source sw", "train.synthetic.source: demo has no texts in 'sw'"),
        (f"{TRANSLATE} command --command cat --to ,", "--to ',': names no language; allowed: language codes"),
        (f"{TRANSLATE} command --command cat --to xx", "synth.languages: 'xx' is no language code"),
        (f"{TRANSLATE} command --command cat --out o.jsonl", "--out o.jsonl: allowed: a name that ends in .parquet"),
        (f"{TRANSLATE} command --command cat --out folder.parquet", "--out folder.parquet: is a folder"),
        (f"{SWITCH} --lexicons demo --p 2 --out o.parquet", "synth: code_switching.p: 2.0"),
        (f"{SWITCH} --lexicons demo --mode many --out o.parquet", "mode: 'many' is not allowed; allowed: bilingual, m"),
        (f"{SWITCH} --lexicons none --out o.parquet", "lexicons: .*none: there is no such file or folder"),
        (f"{SWITCH} --lexicons demo --p 0 --out o.parquet", "nothing is left of what was made of demo: no word"),
        ("synth codeswitch --data dmeo --lexicons demo --out o.parquet", "'dmeo' is no known training set and has no"),
        ("synth codeswitch --data x --path no.parquet --lexicons demo --out o.parquet", "no.parquet: there is no such"),
        ("synth filter none.parquet --out o.parquet", "none.parquet: there is no such file"),
        ("synth filter broken.parquet --out o.parquet", "broken.parquet: not a readable parquet file"),
        ("synth filter human.jsonl --out o.parquet", "human.jsonl: holds no synthetic pairs: no row has a text in"),
        ("synth filter made.jsonl --out o.parquet --set numbers=maybe", "synth: filter.numbers: 'maybe'"),
        ("synth filter made.jsonl --out o.parquet --set nubmers=true", "filter.nubmers: unknown key; .*'numbers'"),
        (
            "synth filter made.jsonl --out o.parquet --set copies=false --set similarity.threshold=0 "
            "--set similarity.checkpoint=./no",
            "workbench: filter.similarity.checkpoint: ./no: there is no such folder",
        ),
        ("synth filter made.jsonl --out o.parquet --set numbers", "--set numbers: write it as"),
        ("synth filter made.jsonl --out o.parquet", "made.jsonl: no synthetic pair is left: rejected by copies"),
        ("synth filter made.jsonl --out o.parquet --rejected folder.parquet", "--rejected folder.parquet: is a folder"),
        ("synth report none.parquet", "none.parquet: there is no such file"),
        ("synth report broken.parquet", "broken.parquet: not a readable parquet file"),
        ("synth report human.txt", "the ending of .*human.txt tells no loader"),
        ("synth questions --data xquad_r --to de --translator nllb --out q", "xquad_r.* is not on this machine|path"),
        ("synth questions --data demo --to xx --translator nllb --out q", "synth.languages: 'xx' is no language code"),
        ("synth questions --data demo --to de --translator command --out q", "synth.translator.command: is needed"),
        (
            "synth questions --data demo --to en --translator command --command cat --out q",
            "demo: there is nothing to translate: its questions are in ar, de, en",
        ),
    ],
)
def test_wrong_input(tmp_path: Path, run: Run, arguments: str, says: str) -> None:
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    row = {"pair_id": "a", "lang": "en", "query": "who is that man", "passage": "that is nobody"}
    (tmp_path / "human.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "human.txt").write_text("")
    made = json.dumps({**row, "lang": "de", "made_by": "nobody"})
    (tmp_path / "made.jsonl").write_text(f"{json.dumps(row)}\n{made}\n")
    code, out, said = run(*arguments.split())
    *before, last = said.splitlines()
    assert (code, out) == (2, "") and last.startswith("workbench: ") and re.search(says, last), said
    assert not any("workbench" in line or "Traceback" in line for line in before), said
    assert not (tmp_path / "o.parquet").exists() and not (tmp_path / "q").exists()


# ------------------------------------------------------------------------------------------------- stopped, at once


def start(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    """In a session of its own, so that it can be killed with all that it started."""
    command = [sys.executable, "-m", "workbench", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=home, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def stored() -> int:
    """How many translations are in the cache."""
    try:
        with sqlite3.connect(cache_folder() / "translations.sqlite") as store:
            return int(store.execute("select count(*) from translations").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file that nobody disturbed the making of."""
    home = tmp_path_factory.mktemp("whole")
    command = [sys.executable, "-m", "workbench", *translate(home, "--pairs", "60")]
    environment = os.environ | {"WORKBENCH_CACHE": str(home / "cache")}
    subprocess.run(command, cwd=home, env=environment, check=True, capture_output=True)
    return (home / "made.parquet").read_bytes()


def test_killed_it_goes_on_and_asks_for_no_text_twice(tmp_path: Path, whole: bytes) -> None:
    slow = translate(tmp_path, "--pairs", "60", seconds=0.3)
    killed = start(tmp_path, *slow)
    # after the first batch of 64 texts, while the program has the next one
    until(lambda: stored() >= 64 and len(asked(tmp_path)) > 64)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "made.parquet").exists()
    before, kept = asked(tmp_path), stored()
    workbench(tmp_path, *slow)
    assert (tmp_path / "made.parquet").read_bytes() == whole
    # 120 texts into two languages; what the program had in hand when it was killed is all that it is asked again
    again = asked(tmp_path)[len(before) :]
    assert 64 <= kept < 240 and len(again) == 240 - kept
    workbench(tmp_path, *slow)
    assert len(asked(tmp_path)) == len(before) + len(again)


@pytest.mark.parametrize("how", ["terminal", "term"])
def test_stopped_it_says_so_and_ends_with_130(tmp_path: Path, how: str) -> None:
    running = start(tmp_path, *translate(tmp_path, "--pairs", "60", seconds=1.0))
    until(lambda: len(asked(tmp_path)) > 0)
    send: dict[str, Callable[[], None]] = {
        "terminal": lambda: os.killpg(running.pid, signal.SIGINT),
        "term": lambda: running.send_signal(signal.SIGTERM),
    }
    began = time.monotonic()
    send[how]()
    out, said = running.communicate(timeout=LIMIT_S)
    assert running.returncode == 130 and out == ""
    assert said.splitlines()[-1].startswith("stopped; what was translated stays in the cache"), said
    assert "Traceback" not in said and time.monotonic() - began < 10
    assert not list(tmp_path.glob("*.parquet"))
    # nothing goes on in the background
    count = len(asked(tmp_path))
    time.sleep(0.2)
    assert len(asked(tmp_path)) == count


def test_two_at_once_write_the_right_files(tmp_path: Path, whole: bytes) -> None:
    slow = translate(tmp_path, "--pairs", "60", seconds=0.1)
    both = [start(tmp_path, *slow, "--out", f"{name}.parquet") for name in ("one", "two")]
    for process, name in zip(both, ("one", "two"), strict=True):
        _, said = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, said
        assert (tmp_path / f"{name}.parquet").read_bytes() == whole
    lines = asked(tmp_path)
    assert len(lines) == 240 and {lines.count(line) for line in lines} == {2}
