"""The errors that a user is meant to read, and the exit code of each.

A message names the file, the key or the row, the bad value and what is allowed. Anything else that is raised is a
defect of the workbench and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class WorkbenchError(Exception):
    """The work failed: exit code 1."""

    exit_code = 1


class WorkError(WorkbenchError):
    """Something went wrong while working on sound input: a NaN loss, a full disk, a locked database."""


class InputError(WorkbenchError):
    """What the user gave is wrong: a key, a path, a file's content, a name. Exit code 2."""

    exit_code = 2


class Stopped(WorkbenchError):
    """The work was asked to stop (SIGTERM, Ctrl-C) and did so in order: exit code 130."""

    exit_code = 130


def allowed(value: object, options: Iterable[str]) -> str:
    """The tail of an error message: what may stand in place of `value`, the likely one first."""
    options = list(options)
    near = get_close_matches(str(value), options, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"allowed: {', '.join(options) or 'none'}{hint}"
