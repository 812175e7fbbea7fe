"""Any program as a translator: one text a line in, its translation a line out.

A program reads its input as one text, so that a line without a full stop may flow into the next one: apertium moves
words over the line break. A text that does not surely end a sentence is therefore sent with a full stop of its own
(" ."), which is taken off what comes back.
"""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import regex

from workbench.errors import InputError
from workbench.synthesis.translators.interface import Unfinished, around_blanks, one_line

START_S = 60.0
LINE_S = 10.0
"""A program that takes longer than the first and so many times the second as it has lines is taken for hanging."""

CLOSING = r"[\p{Pe}\p{Pf}\p{Pi}\"'\s]*$"
ENDS = regex.compile(rf"[\p{{Sentence_Terminal}}…]{CLOSING}")
ABBREVIATION = regex.compile(rf"(?<!\p{{L}})(?:\p{{L}}{{1,3}}|\p{{Lu}}\p{{L}}{{3}})\.{CLOSING}")
"""`U.S.`, `etc.`, `Prof.`: what may be the end of a sentence or not; a full stop more does no harm."""
FULL_STOP = " ."
LAST_MARK = regex.compile(r"\s*[\p{Sentence_Terminal}]\s*$")
TWO_MARKS = regex.compile(r"(?<=[\p{Sentence_Terminal}…][\p{Pe}\p{Pf}\p{Pi}\"'\s]*)\s*[\p{Sentence_Terminal}]\s*$")
SHORTENED = 120
"""Characters of a text, or of what a program said, in an error message."""


class Failed(Exception):
    """A program did not give one line for each line; says what it did."""


class CommandTranslator:
    """Starts the program anew for each batch of lines; what it gives for a batch counts only as a whole.

    A batch for which the program ends with an error, gives too few or too many lines, text that is not UTF-8, or
    nothing in time, is sent again in halves, down to the text that it fails for. A program that leaves out one line
    and adds another in the same batch is not found out.
    """

    def __init__(self, command: str, version: str | None, folder: Path, limits: tuple[float, float] | None = None):
        """`folder` is the program's working folder and where a relative path to it starts; `limits` are seconds.

        Raises
        ------
        InputError
            The command cannot be split into words.
        """
        try:
            self.words = shlex.split(command)
        except ValueError as error:
            raise InputError(
                f"translator.command: {command!r}: {error}; allowed: words as a shell reads them"
            ) from error
        if not self.words:
            raise InputError("translator.command: is empty; allowed: a program and its arguments")
        self.folder = folder
        self.start_s, self.line_s = limits or (START_S, LINE_S)
        self.identity: Mapping[str, Any] = {"kind": "command", "command": command, "version": version}
        self.name = Path(self.words[0]).name

    def check(self, source: str, targets: Sequence[str]) -> None:
        if len(set(targets)) > 1 and not any("{target}" in word for word in self.words):
            raise InputError(
                f"translator.command: {shlex.join(self.words)!r} translates into one language only, asked for are "
                f"{', '.join(targets)}; allowed: one target language, or {{target}} in the command"
            )
        for target in targets:
            self.arguments(source, target)

    def arguments(self, source: str, target: str) -> list[str]:
        """The program's path and its arguments.

        Raises
        ------
        InputError
            There is no such program, or it cannot be executed.
        """
        program, *rest = [word.replace("{source}", source).replace("{target}", target) for word in self.words]
        if "/" in program or program.startswith("~"):
            program = str(self.folder.absolute() / os.path.expanduser(program))  # noqa: PTH111  (leaves unknown homes)
        found = shutil.which(program)
        if found is None:
            says = "is no program that can be executed" if Path(program).exists() else "there is no such program"
            raise InputError(f"translator.command: {program}: {says}; allowed: a program's name or path")
        return [found, *rest]

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Line breaks and control characters within a text are sent as blanks."""
        arguments = self.arguments(source, target)
        finished: dict[str, str] = {}

        def halved(lines: list[str]) -> list[str]:
            try:
                translations = self.run(arguments, lines)
            except Failed as failure:
                if len(lines) > 1:
                    middle = len(lines) // 2
                    return halved(lines[:middle]) + halved(lines[middle:])
                raise Unfinished(
                    f"{shlex.join(arguments)}: {failure}, for the text {shortened(lines[0])!r}",
                    {text: finished[one_line(text)] for text in texts if one_line(text) in finished},
                ) from failure
            finished.update(zip(lines, translations, strict=True))
            return translations

        return around_blanks(texts, lambda lines: halved(lines) if lines else [])

    def run(self, arguments: list[str], lines: Sequence[str]) -> list[str]:
        """The program's line for each line.

        Raises
        ------
        Failed
            It gave others, or an error, or nothing in time.
        """
        sent = "".join(ended(line) + "\n" for line in lines)
        output = self.answer(arguments, sent.encode(), self.start_s + self.line_s * len(lines))
        try:
            received = output.decode().split("\n")
        except UnicodeDecodeError as error:
            raise Failed(f"gave text that is not UTF-8 ({error.reason})") from error
        if not received[-1]:
            received.pop()
        if len(received) != len(lines):
            raise Failed(f"gave {counted(len(received))} for {counted(len(lines))}")
        return [without_end(line, one_line(translation)) for line, translation in zip(lines, received, strict=True)]

    def answer(self, arguments: list[str], sent: bytes, limit_s: float) -> bytes:
        """What the program writes when it is sent this."""
        pipe = subprocess.PIPE
        try:
            # in a session of its own, so that it ends together with what it has started
            process = subprocess.Popen(
                arguments, stdin=pipe, stdout=pipe, stderr=pipe, cwd=self.folder, start_new_session=True
            )
        except OSError as error:
            raise InputError(f"translator.command: {arguments[0]}: {error.strerror or error}") from error
        with process:
            try:
                output, errors = process.communicate(sent, timeout=limit_s)
            except BaseException as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise Failed(f"gave no answer in {limit_s:.0f} s") from error
                raise
        if process.returncode:
            said = shortened(" ".join(errors.decode(errors="replace").split()))
            how = f"signal {-process.returncode}" if process.returncode < 0 else f"exit code {process.returncode}"
            raise Failed(f"ended with {how}" + (f" ({said})" if said else ""))
        return output


def ended(line: str) -> str:
    """A text that ends a sentence, at least as the program reads it."""
    return line if ENDS.search(line) and not ABBREVIATION.search(line) else line + FULL_STOP


def without_end(line: str, translation: str) -> str:
    """The translation without what `ended` has put behind its text."""
    if ended(line) == line:
        return translation
    # where the text has a mark of its own one mark stays
    return (TWO_MARKS if ENDS.search(line) else LAST_MARK).sub("", translation)


def counted(lines: int) -> str:
    return f"{lines} line" if lines == 1 else f"{lines} lines"


def shortened(text: str) -> str:
    return text if len(text) <= SHORTENED else text[: SHORTENED - 1] + "…"
