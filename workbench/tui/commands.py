"""Commands of the workbench in processes of their own: what loads data or looks them up must not slow the screens."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress

from workbench.errors import InputError, Stopped, WorkError
from workbench.runs.dispatcher import python


class Command:
    """One `workbench ...`; it ends with the screen that started it."""

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.is_cancelled = False
        self._process: subprocess.Popen[str] | None = None

    def run(self, tell: Callable[[str], None]) -> str:
        """What it prints; each line of its narration is told as it comes. Blocks: for a thread.

        Raises
        ------
        InputError, WorkError
            What it ended with.
        Stopped
            It was cancelled.
        """
        said = []
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
            self._process = subprocess.Popen(
                python("workbench", *self.arguments),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            if self.is_cancelled:
                self.cancel()
            with self._process as process:
                for line in process.stderr or ():
                    said.append(line.strip())
                    tell(said[-1])
            if self.is_cancelled:
                raise Stopped("cancelled")
            out.seek(0)
            printed = out.read()
        self.check(process.returncode, printed, said)
        return printed

    def check(self, code: int, printed: str, said: list[str]) -> None:
        """An error is the last thing that it said; code 1 with an answer is an answer."""
        if code == 0 or (code == WorkError.exit_code and printed):
            return
        last = next((line for line in reversed(said) if line), f"ended with {code}").removeprefix("workbench: ")
        raise (InputError if code == InputError.exit_code else WorkError)(last)

    def cancel(self) -> None:
        """End it, and what it started; at once or, from another thread, as soon as it has begun."""
        self.is_cancelled = True
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
