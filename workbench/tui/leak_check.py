"""The leakage check of a config that is being written: in a process of its own, with progress, to be cancelled."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from workbench.errors import Stopped, WorkbenchError
from workbench.records import Plain
from workbench.reports.leakage import common_parts
from workbench.tui.commands import Command
from workbench.tui.dialogs import HelpDialog
from workbench.tui.draft import counted
from workbench.tui.widgets.table import Column, PagedTable

Row = dict[str, Any]
HITS = (
    Column("task", "task"),
    Column("training_set", "training set"),
    Column("language", "language"),
    Column("kind", "kind"),
    Column("hits", "hits", right=True),
    Column("exact", "exact", right=True),
    Column("pairs", "pairs", right=True),
)


class LeakCheck(Vertical):
    """A line that says what is known, and a table of what was found."""

    class Told(Message):
        """The check is on its way."""

        def __init__(self, command: Command, text: str) -> None:
            super().__init__()
            self.command, self.text = command, text

    class Ended(Message):
        """It has ended, well or not."""

        def __init__(self, command: Command, rows: Sequence[Row] | None, text: str) -> None:
            super().__init__()
            self.command, self.rows, self.text = command, rows, text

    DEFAULT_CSS = """
    LeakCheck { height: auto; }
    LeakCheck #leak-line { height: auto; padding: 0 1; }
    LeakCheck PagedTable { height: 9; display: none; }
    LeakCheck.found PagedTable { display: block; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.words = ""
        """What is known, in a line."""
        self.checked: Any = None
        """The sets and tasks that the answer is about."""
        self.command: Command | None = None

    def compose(self) -> ComposeResult:
        yield Static("", id="leak-line", markup=False)
        yield PagedTable(HITS, key="place", id="hits")

    def on_mount(self) -> None:
        self.forget("not checked yet; k looks for evaluation texts in the training texts")

    def on_unmount(self) -> None:
        self.cancel()

    @property
    def is_at_work(self) -> bool:
        return self.command is not None

    def say(self, text: str) -> None:
        self.words = text
        self.query_one("#leak-line", Static).update(Text(f"leaks: {text}"))

    def forget(self, text: str) -> None:
        """What was found is no longer about the config."""
        self.checked = None
        self.remove_class("found")
        self.say(text)

    def now(self, content: Plain) -> None:
        """The config has changed: an answer about other sets or tasks is none."""
        if self.checked is not None and self.checked != what_is_read(content):
            self.cancel()
            self.forget("not checked since the sets or tasks were changed; k does")

    def start(self, text: str, content: Plain) -> None:
        """Check the config that the text is."""
        self.cancel()
        self.remove_class("found")
        self.checked = what_is_read(content)
        command = self.command = Command("data", "check", "--json")
        self.say("starting · Esc cancels")
        self.run_worker(lambda: self.work(command, text), thread=True, exit_on_error=False)

    def work(self, command: Command, text: str) -> None:
        """In a thread: messages only."""

        def tell(line: str) -> None:
            self.post_message(self.Told(command, line))

        try:
            with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
                config = Path(folder) / "config.yaml"
                config.write_text(text, encoding="utf-8")
                command.arguments = (*command.arguments, str(config))
                found = json.loads(command.run(tell))
            self.post_message(self.Ended(command, found, ""))
        except Stopped:
            self.post_message(self.Ended(command, None, "cancelled; k looks again"))
        except (WorkbenchError, OSError, ValueError) as error:
            self.post_message(self.Ended(command, None, f"error: {error}"))

    def cancel(self) -> None:
        if self.command is not None:
            self.command.cancel()
            self.command = None

    def on_leak_check_told(self, event: Told) -> None:
        if event.command is self.command:
            self.say(f"{event.text} · Esc cancels")

    def on_leak_check_ended(self, event: Ended) -> None:
        if event.command is not self.command and not (event.command.is_cancelled and self.command is None):
            return
        self.command = None
        if event.rows is None:
            self.forget(event.text)
            return
        hits = [{**row, "place": place} for place, row in enumerate(event.rows) if row["hits"]]
        self.say(summed_up(event.rows))
        self.set_class(bool(hits), "found")
        self.query_one("#hits", PagedTable).show(hits)

    def on_paged_table_chosen(self, event: PagedTable.Chosen) -> None:
        event.stop()
        self.app.push_screen(HelpDialog("Hits, and the training texts they stand in", examples(event.row)))


def what_is_read(content: Plain) -> Any:
    """The parts of a config that the check depends on."""
    train, evaluate, sweep = (content.get(name) for name in ("train", "evaluate", "sweep"))
    sets = train.get("sets") if isinstance(train, dict) else None
    tasks = evaluate.get("tasks") if isinstance(evaluate, dict) else None
    swept = (
        {k: v for k, v in sweep.items() if ".sets." in str(k) or ".tasks." in str(k)}
        if isinstance(sweep, dict)
        else sweep
    )
    return json.dumps([sets, tasks, swept], sort_keys=True, default=str)


def summed_up(rows: Sequence[Row]) -> str:
    """What a check found, in a line."""
    texts, hits, pairs = (sum(row[name] for row in rows) for name in ("texts", "hits", "pairs"))
    if not texts:
        return "nothing was looked up: the tasks and the training sets have no language in common"
    if not hits:
        return f"none; no text of the evaluation tasks stands in the training texts ({texts:,} look-ups)"
    found = f"{hits:,} of {texts:,} evaluation texts stand in the training texts"
    return f"{found}; {counted(pairs, 'pair')} · Enter shows some"


def examples(row: Any) -> str:
    lines = []
    for example in row["examples"]:
        evaluation, training = common_parts(example["evaluation_text"], example["training_text"])
        lines.append(
            f"{row['task']} {row['language']} {row['kind']} {example['evaluation_id']}\n  {evaluation}\n"
            f"{row['training_set']} pair {example['pair_id']}\n  {training}\n"
        )
    return "\n".join(lines)
