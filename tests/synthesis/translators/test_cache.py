import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import InputError, WorkError
from workbench.paths import cache_folder
from workbench.synthesis.translators import cache
from workbench.synthesis.translators.cache import cache_file, translate_cached
from workbench.synthesis.translators.interface import PairTranslator, Unfinished, identity_of

ROOT = Path(__file__).parents[3]
TEXTS = [f"This is text number {number}." for number in range(300)]


class Shouter:
    """Writes capital letters, and notes what it is asked."""

    name = "shouter"

    def __init__(self, **identity: Any) -> None:
        self.identity: Mapping[str, Any] = {"kind": "shouter", **identity}
        self.asked: list[list[str]] = []

    def check(self, source: str, targets: Sequence[str]) -> None:
        raise InputError("not asked here")

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        self.asked.append(list(texts))
        return [f"{text.upper()} {target}".encode(errors="replace").decode() for text in texts]


class PairShouter(Shouter):
    def pair_identity(self, source: str, target: str) -> Mapping[str, Any]:
        return {"pair": f"{source}-{target}"}


def quiet(stage: str, done: int, total: int) -> None:
    """No news."""


def test_nothing_is_translated_twice() -> None:
    shouter = Shouter()
    texts = [*TEXTS[:5], *TEXTS[:5], "", "\ud800"]
    expected = [*[f"{text.upper()} de" for text in texts[:-1]], "? de"]
    assert translate_cached(shouter, texts, "en", "de", quiet) == expected
    assert shouter.asked == [[*TEXTS[:5], "", "\ud800"]]
    assert translate_cached(shouter, texts[::-1], "en", "de", quiet) == expected[::-1]
    assert translate_cached(Shouter(), [*texts, "New."], "en", "de", quiet) == [*expected, "NEW. de"]
    assert translate_cached(Shouter(), [], "en", "de", quiet) == []
    assert len(shouter.asked) == 1


def test_what_changes_the_output_changes_the_key() -> None:
    translate_cached(Shouter(beams=4), ["Go."], "en", "de", quiet)
    for other, source, target in ((Shouter(beams=5), "en", "de"), (Shouter(beams=4), "fr", "de")):
        translate_cached(other, ["Go."], source, target, quiet)
        assert other.asked == [["Go."]]
    other = Shouter(beams=4)
    assert translate_cached(other, ["Go."], "en", "es", quiet) == ["GO. es"]
    assert translate_cached(other, ["Go."], "en", "de", quiet) == ["GO. de"]
    assert len(other.asked) == 1


def test_a_translator_of_pairs_has_its_part_of_the_key() -> None:
    shouter = PairShouter()
    assert isinstance(shouter, PairTranslator) and not isinstance(Shouter(), PairTranslator)
    assert identity_of(shouter, "en", "de") == {"pair": "en-de"}
    translate_cached(shouter, ["Go."], "en", "de", quiet)
    other = PairShouter(another=True)
    assert translate_cached(other, ["Go."], "en", "de", quiet) == ["GO. de"] and not other.asked


def test_progress_counts_different_texts_from_those_that_were_there() -> None:
    translate_cached(Shouter(), TEXTS[:10], "en", "de", quiet)
    seen: list[tuple[str, int, int]] = []
    shouter = Shouter()
    translate_cached(shouter, [*TEXTS, *TEXTS], "en", "de", lambda *news: seen.append(news))
    assert seen == [("translate en into de", done, 300) for done in (10, 74, 202, 300)]
    assert [len(batch) for batch in shouter.asked] == [64, 128, 98]


def test_slow_batches_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SHORT_S", 0.0)
    shouter = Shouter()
    translate_cached(shouter, TEXTS, "en", "de", quiet)
    assert [len(batch) for batch in shouter.asked] == [64, 64, 64, 64, 44]


def failing(shouter: Shouter, after: int) -> Callable[[str, int, int], None]:
    def stop(stage: str, done: int, total: int) -> None:
        if done >= after:
            raise KeyboardInterrupt

    return stop


def test_an_interrupted_job_resumes() -> None:
    first, second = Shouter(), Shouter()
    with pytest.raises(KeyboardInterrupt):
        translate_cached(first, TEXTS, "en", "de", failing(first, 192))
    assert translate_cached(second, TEXTS, "en", "de", quiet) == [f"{text.upper()} de" for text in TEXTS]
    assert [text for batch in first.asked + second.asked for text in batch] == TEXTS


def test_what_a_failing_translator_has_finished_is_kept() -> None:
    class Failing(Shouter):
        def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
            raise Unfinished("text 7 is bad", dict.fromkeys(texts[:7], "kept"))

    with pytest.raises(WorkError, match="text 7 is bad"):
        translate_cached(Failing(), TEXTS[:20], "en", "de", quiet)
    shouter = Shouter()
    assert translate_cached(shouter, TEXTS[:20], "en", "de", quiet)[:7] == ["kept"] * 7
    assert shouter.asked == [TEXTS[7:20]]


def test_what_was_stored_first_holds_for_both() -> None:
    class Slow(Shouter):
        """Somebody else translates the same meanwhile."""

        def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
            translate_cached(Shouter(), texts[:3], source, target, quiet)
            return [text.lower() for text in texts]

    given = translate_cached(Slow(), TEXTS[:5], "en", "de", quiet)
    assert given == [*(f"{text.upper()} de" for text in TEXTS[:3]), *(text.lower() for text in TEXTS[3:5])]


def test_a_translator_that_gives_too_few_is_a_defect() -> None:
    class Short(Shouter):
        def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
            return list(texts)[1:]

    with pytest.raises(ValueError, match="shorter"):
        translate_cached(Short(), TEXTS, "en", "de", quiet)


def test_a_cache_that_is_damaged_or_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_folder().mkdir(parents=True, exist_ok=True)
    cache_file().write_text("no database at all, but long enough to be read as the head of one" * 20)
    with pytest.raises(WorkError, match=r"translations.sqlite: .*not a database; a damaged file may be deleted"):
        translate_cached(Shouter(), TEXTS, "en", "de", quiet)
    (tmp_path / "file").touch()
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "file" / "under"))
    with pytest.raises(WorkError, match="cannot be written"):
        translate_cached(Shouter(), TEXTS, "en", "de", quiet)


def test_a_lock_that_is_never_freed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "WAIT_S", 0.1)
    translate_cached(Shouter(), TEXTS[:1], "en", "de", quiet)
    holder = sqlite3.connect(cache_file())
    try:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(WorkError, match="database is locked"):
            translate_cached(Shouter(), TEXTS, "en", "de", quiet)
    finally:
        holder.close()


JOB = """
import sys
from pathlib import Path
from workbench.synthesis.translators import cache
from workbench.synthesis.translators.command import CommandTranslator
cache.FIRST_BATCH = cache.LARGEST_BATCH = 20
translator = CommandTranslator(sys.argv[1], None, Path.cwd())
texts = [f"This is text number {number}." for number in range(200)]
found = cache.translate_cached(translator, texts, "en", "de", lambda *news: None)
assert found == [text.upper() for text in texts], found
print("right")
"""
PROGRAM = """#!{python} -SE
import os, sys, time
lines = sys.stdin.read().splitlines()
with open("asked", "a") as file:
    file.writelines(line + "\\n" for line in lines)
asked = len(open("asked").readlines())
{body}
sys.stdout.writelines(line.upper() + "\\n" for line in lines)
"""


def job(folder: Path, body: str) -> "subprocess.Popen[str]":
    """A process that translates 200 texts through the cache, 20 at a time, with a program that does `body` first."""
    program = folder / "program"
    beside = folder / "program.new"
    beside.write_text(PROGRAM.format(python=sys.executable, body=body))
    beside.chmod(0o755)
    beside.replace(program)
    return subprocess.Popen(
        [sys.executable, "-c", JOB, "./program"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


def stored() -> int:
    store = sqlite3.connect(cache_file())
    try:
        (rows,) = store.execute("SELECT count(*) FROM translations").fetchone()
    finally:
        store.close()
    return int(rows)


def test_a_killed_job_resumes_and_pays_for_no_sentence_that_it_had_twice(tmp_path: Path) -> None:
    texts = TEXTS[:200]
    # the fifth time the program ends who started it, before it has answered
    with job(tmp_path, f"if asked >= 100: os.kill(os.getppid(), {signal.SIGKILL:d}); time.sleep(60)") as killed:
        assert killed.wait(60) == -signal.SIGKILL
    assert asked(tmp_path) == texts[:100] and stored() == 80
    with job(tmp_path, "pass") as resumed:
        assert resumed.communicate(timeout=60) == ("right\n", "")
    # of what was in the cache nothing is asked again; only the batch without an answer is
    assert asked(tmp_path) == [*texts[:100], *texts[80:]]
    with job(tmp_path, "pass") as again:
        assert again.communicate(timeout=60) == ("right\n", "")
    assert len(asked(tmp_path)) == 220


def test_a_job_killed_at_any_moment_resumes(tmp_path: Path) -> None:
    ends = []
    for after in (0.3, 0.5, 0.7):
        with job(tmp_path, "time.sleep(0.02)") as process:
            time.sleep(after)
            process.kill()
        ends.append(process.returncode)
    before = stored() if cache_file().exists() else 0
    with job(tmp_path, "open('again', 'a').writelines(line + '\\n' for line in lines)") as resumed:
        assert resumed.communicate(timeout=60) == ("right\n", "")
    assert -signal.SIGKILL in ends
    again = (tmp_path / "again").read_text().splitlines() if before < 200 else []
    assert again == TEXTS[before:200]


def test_two_jobs_at_once_give_the_right_results(tmp_path: Path) -> None:
    with job(tmp_path, "time.sleep(0.01)") as one, job(tmp_path, "time.sleep(0.01)") as other:
        for process in (one, other):
            assert process.communicate(timeout=60) == ("right\n", "")
    assert stored() == 200
    assert set(asked(tmp_path)) == set(TEXTS[:200]) and len(asked(tmp_path)) <= 400
