import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError, WorkError
from workbench.records import TranslatorSpec
from workbench.synthesis.translators.command import CommandTranslator, ended, without_end
from workbench.synthesis.translators.interface import Unfinished, one_line
from workbench.synthesis.translators.loading import load_translator

ROOT = Path(__file__).parents[3]
TEXTS = [f"Sentence number {number} ends here." for number in range(20)]

PROGRAM = """
import os, sys, time
with open({asked!r}, "a") as file:
    for line in sys.stdin:
        text = line[:-1]
        file.write(text + "\\n")
        {body}
        print(text.upper())
"""


def made(folder: Path, body: str = "pass", **limits: tuple[float, float]) -> CommandTranslator:
    """A program that writes capital letters, after it has done `body` with each `text`; it notes what it is asked."""
    script = folder / "program.py"
    script.write_text(PROGRAM.format(asked=str(folder / "asked"), body=body))
    return CommandTranslator(f"'{sys.executable}' -S -E program.py {{source}} {{target}}", None, folder, **limits)


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


def test_one_line_in_for_each_line_out(tmp_path: Path) -> None:
    translator = made(tmp_path)
    translator.check("en", ["xx", "yy"])
    assert translator.translate(TEXTS, "en", "xx") == [text.upper() for text in TEXTS]
    assert asked(tmp_path) == TEXTS


def test_the_program_is_told_the_languages_and_no_shell_reads_them(tmp_path: Path) -> None:
    script = "import sys; [print('|'.join(sys.argv[1:])) for _ in sys.stdin]"
    command = f"{sys.executable} -c \"{script}\" {{source}}-{{target}} '$HOME; ls' {{}} to={{target}}"
    translator = load_translator(TranslatorSpec(kind="command", command=command), tmp_path)
    assert translator.translate(["Go.", "Stop."], "en", "de") == ["en-de|$HOME; ls|{}|to=de"] * 2
    assert dict(translator.identity) == {"kind": "command", "command": command, "version": None}
    assert translator.name == Path(sys.executable).name
    other = load_translator(TranslatorSpec(kind="command", command=command, version="2"), tmp_path)
    assert other.identity != translator.identity


def test_line_breaks_and_blank_texts_shift_nothing(tmp_path: Path) -> None:
    texts = ["One\ntwo.", "", "Three\r\nfour\u2028five.", " \n ", "Six\x0bseven\x00eight\x85nine.", "half \ud800."]
    expected = ["ONE TWO.", "", "THREE FOUR FIVE.", "", "SIX SEVEN EIGHT NINE.", "HALF ?."]
    assert made(tmp_path).translate(texts, "en", "xx") == expected
    assert made(tmp_path).translate(["", "\n"], "en", "xx") == ["", ""]
    assert made(tmp_path).translate([], "en", "xx") == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("if '13' in text: sys.exit('it ' * 200)", r"ended with exit code 1 \(it it .*…\)"),
        ("if '13' in text: os.kill(os.getpid(), 9)", "ended with signal 9"),
        ("if '13' in text: continue", "gave 0 lines for 1 line"),
        ("if '13' in text: print()", "gave 2 lines for 1 line"),
        ("if '13' in text: text = 'one\\ntwo'", "gave 2 lines for 1 line"),
        ("if '13' in text: sys.stdout.buffer.write(b'\\xff')", r"gave text that is not UTF-8 \(invalid start byte\)"),
    ],
)
def test_the_text_that_a_program_fails_for_is_named(tmp_path: Path, body: str, says: str) -> None:
    with pytest.raises(Unfinished, match=f"program.py en xx: {says}, for the text 'Sentence number 13 ends here.'"):
        made(tmp_path, body).translate(TEXTS, "en", "xx")


def test_what_was_translated_before_a_failure_is_kept(tmp_path: Path) -> None:
    with pytest.raises(Unfinished) as raised:
        made(tmp_path, "if '13' in text: continue").translate(["Two\nlines.", *TEXTS], "en", "xx")
    finished = raised.value.finished
    assert {*TEXTS[:13], "Two\nlines."} <= finished.keys() and TEXTS[13] not in finished
    assert all(translation == one_line(text).upper() for text, translation in finished.items())


@pytest.mark.parametrize(
    "body",
    [
        # after so many lines it ends as if the input had ended
        "if sum(1 for _ in open(file.name)) == 6: break",
        # as soon as it has been asked for 20 lines, it adds one, once
        "if sum(1 for _ in open(file.name)) == 15: print('MORE')",
        "if sum(1 for _ in open(file.name)) == 9: sys.exit(3)",
    ],
)
def test_what_fails_once_is_asked_again_in_halves_and_never_shifted(tmp_path: Path, body: str) -> None:
    translator = made(tmp_path, f"file.flush(); \n        {body}")
    assert translator.translate(TEXTS, "en", "xx") == [text.upper() for text in TEXTS]
    assert len(asked(tmp_path)) > len(TEXTS)


def test_a_long_text_is_shortened_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(WorkError) as raised:
        made(tmp_path, "sys.exit(1)").translate(["word " * 500 + "."], "en", "xx")
    assert len(str(raised.value)) < 400 and "word word" in str(raised.value)


def test_a_hanging_program_is_ended_with_what_it_started(tmp_path: Path) -> None:
    body = "import subprocess; file.flush(); print(subprocess.Popen(['sleep', '60']).pid, file=file, flush=True)\n"
    translator = made(tmp_path, body + "        time.sleep(60)", limits=(1.0, 0.1))
    began = time.monotonic()
    with pytest.raises(WorkError, match=r"gave no answer in 1 s, for the text 'Go\.'"):
        translator.translate(["Go."], "en", "xx")
    assert time.monotonic() - began < 20
    assert is_gone(int(asked(tmp_path)[1]))


def is_gone(process: int) -> bool:
    """Whether it ends soon; one that nobody has waited for yet counts as gone."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
        if found.stdout.strip()[:1] in ("", "Z"):
            return True
        time.sleep(0.02)
    return False


def test_a_program_that_reads_nothing_and_one_that_writes_much(tmp_path: Path) -> None:
    silent = CommandTranslator("true", None, tmp_path)
    with pytest.raises(WorkError, match="gave 0 lines for 1 line"):
        silent.translate(["word " * 50_000], "en", "xx")
    talker = made(tmp_path, "sys.stderr.write('x' * 100_000)")
    assert talker.translate(TEXTS, "en", "xx") == [text.upper() for text in TEXTS]


def test_a_program_that_is_not_there_or_cannot_be_executed(tmp_path: Path) -> None:
    plain = tmp_path / "plain.txt"
    plain.write_text("no program")
    broken = tmp_path / "broken"
    broken.write_text("#!/nonesuch/interpreter\n")
    broken.chmod(0o755)
    for command, says in (
        ("nonesuch-translator -x", "nonesuch-translator: there is no such program; allowed: "),
        ("./nonesuch", "nonesuch: there is no such program"),
        ("./plain.txt", "plain.txt: is no program that can be executed"),
    ):
        with pytest.raises(InputError, match=f"translator.command: .*{says}"):
            CommandTranslator(command, None, tmp_path).check("en", ["de"])
    with pytest.raises(InputError, match=r"translator.command: .*broken: No such file"):
        CommandTranslator("./broken", None, tmp_path).translate(["Go."], "en", "de")


def test_a_relative_program_starts_in_the_folder_of_the_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "tool" / "run.sh"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\nsed s/Go/Los/\n")
    script.chmod(0o755)
    assert CommandTranslator("tool/run.sh", None, tmp_path).translate(["Go."], "en", "de") == ["Los."]
    monkeypatch.chdir(tmp_path.parent)
    relative = CommandTranslator("tool/run.sh", None, Path(tmp_path.name))
    assert relative.translate(["Go."], "en", "de") == ["Los."]


def test_a_command_that_makes_no_sense(tmp_path: Path) -> None:
    for command, says in (("'open", "No closing quotation"), ("  ", "is empty"), (None, "is missing")):
        with pytest.raises(InputError, match=f"translator.command: .*{says}"):
            load_translator(TranslatorSpec(kind="command", command=command), tmp_path)
    with pytest.raises(InputError, match="translates into one language only, asked for are de, es"):
        CommandTranslator("cat", None, tmp_path).check("en", ["de", "es"])
    CommandTranslator("cat", None, tmp_path).check("en", ["de"])


@pytest.mark.parametrize(
    ("text", "sent", "back", "translation"),
    [
        ("The red house", "The red house .", "La casa roja .", "La casa roja"),
        ("The red house", "The red house .", "红房子。", "红房子"),
        ("The red house", "The red house .", "La casa roja", "La casa roja"),
        ("It is red.", "It is red. .", "Es roja. .", "Es roja."),
        ("It is yellow.", "It is yellow.", "Es amarilla.", "Es amarilla."),
        ("So she asked:", "So she asked: .", "Preguntó: .", "Preguntó:"),
        ("Is it red?", "Is it red?", "¿Es roja?", "¿Es roja?"),
        ('"Go home!"', '"Go home!"', '"¡A casa!"', '"¡A casa!"'),
        ("他住在哪里？", "他住在哪里？", "Where?", "Where?"),
        ("यह लाल है।", "यह लाल है।", "It is red.", "It is red."),
        ("Made in the U.S.", "Made in the U.S. .", "Hecho en los EE. UU. .", "Hecho en los EE. UU."),
        ("Made in the U.S.", "Made in the U.S. .", "Hecho en los EE. UU.", "Hecho en los EE. UU."),
        ("by Prof.", "by Prof. .", "de Prof..", "de Prof."),
        ("(see p. 3)", "(see p. 3) .", "(v. pág. 3) .", "(v. pág. 3)"),
    ],
)
def test_a_text_that_ends_no_sentence_is_given_an_end(text: str, sent: str, back: str, translation: str) -> None:
    assert ended(text) == sent
    assert without_end(text, back) == translation


@given(st.text().map(one_line).filter(bool))
def test_a_program_that_changes_nothing_gives_the_text_back(text: str) -> None:
    assert "\n" not in ended(text) and len(ended(text).splitlines()) == 1
    assert without_end(text, ended(text)) == text


def test_an_interrupt_ends_the_program(tmp_path: Path) -> None:
    made(tmp_path, "print(os.getpid(), file=file, flush=True); time.sleep(60)")
    code = f"""
from pathlib import Path
from workbench.synthesis.translators.command import CommandTranslator
CommandTranslator({sys.executable + " program.py"!r}, None, Path({str(tmp_path)!r})).translate(["Go."], "en", "xx")
"""
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, cwd=ROOT) as waiting:
        until = time.monotonic() + 30
        while not (tmp_path / "asked").exists() or len(asked(tmp_path)) < 2:
            assert time.monotonic() < until
            time.sleep(0.02)
        waiting.send_signal(signal.SIGINT)
    assert is_gone(int(asked(tmp_path)[1]))
