"""All runs: states, progress, figures as they come; what one does with runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from workbench.errors import WorkbenchError
from workbench.reports.tables import shown
from workbench.tui.run_rows import CURVE_WIDTH, WORKING, all_tasks, run_rows
from workbench.tui.runs_actions import RunsActions
from workbench.tui.runs_table import COLUMNS, RunsTable
from workbench.tui.widgets.table import PAGE, PagedTable

if TYPE_CHECKING:
    from workbench.launching import Tender
    from workbench.reports.watching import RunsWatch

Row = dict[str, Any]
EVERY_S = 1.0
"""Between two looks at the runs."""
FIRST = 60
"""Runs that are shown before all are read."""
EMPTY = "no runs yet: press n, Enter, l to run the quickstart; it needs no data"


class RunsPane(RunsActions):
    HELP: ClassVar[str] = """\
All runs, newest first, below their experiments and arms; they are read anew every second, wherever they were started.

  enter        open the run; on an arm: fold its runs away
  g            runs by arm, arms alone, runs alone
  o O          sort by the next column, reverse (or click its head); arms follow their first run
  /            filter: sampling=hybrid model~e5 multi>.5, or words; esc ends it
  [ ]          turn pages            left right   see more columns
  Home End     the first and the last row
  space        mark the arm for comparison, which screen 4 shows
  t            figures of another task, where there are several

  n            new run               c   clone: its config as a new one, to be changed
  s            stop: a working run writes a checkpoint first
  r            resume a stopped, failed or lost run
  d            delete: it takes place when the app quits; u undoes it until then
  y e          copy the row; export the table

On the line of an arm or an experiment, s r d and c mean its runs; its figures are means over the seeds.
mono, cross, multi: macro mAP of the three settings. distance: mean rank distance in the pool of all languages.
† trained on texts of the evaluation tasks. ‡ some questions were translated by machine.
loss: its course over the steps, and the last one. States: queued, preparing, training, evaluating, finished, failed,
stopped, lost (its process is gone), damaged (its files cannot be read)."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New"),
        Binding("c", "clone", "Clone"),
        Binding("space", "mark", "Mark"),
        Binding("s", "stop", "Stop"),
        Binding("r", "resume", "Resume"),
        Binding("d", "delete", "Delete"),
        Binding("u", "undo", "Undo"),
        Binding("t", "task", "Task", show=False),
    ]
    DEFAULT_CSS = """
    RunsPane #runs-line {
        height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.runs: Sequence[Mapping[str, Any]] = ()
        """All, as they were read."""
        self.of_task: str | None = None
        """Whose figures are shown; None = each run's first."""
        self._is_looking = False
        self._problem = ""

    def compose(self) -> ComposeResult:
        yield RunsTable(empty=EMPTY)
        yield Static("", id="runs-line", markup=False)

    @cached_property
    def all_runs(self) -> RunsWatch:
        """Made in a thread: the first paint needs no database."""
        from workbench.reports.watching import RunsWatch

        return RunsWatch(self.reader.runs, self.reader.store)

    @cached_property
    def tender(self) -> Tender:
        from workbench.launching import Tender

        return Tender(self.reader.store, self.reader.runs)

    @property
    def runs_table(self) -> RunsTable:
        return self.query_one(RunsTable)

    # reading

    def on_mount(self) -> None:
        self.load(lambda: self.all_runs.newest(FIRST), self.show_first, group="first")

    def shown(self) -> None:
        self.runs_table.marked = self.app.marked
        self.runs_table.redraw()

    def show_first(self, rows: list[Row]) -> None:
        if not self.runs:
            self.runs = rows
            self.show()
        self.look()
        self.set_interval(EVERY_S, self.look)

    def look(self) -> None:
        """Read what is new, unless a look still takes its time."""
        if not self._is_looking:
            self._is_looking = True
            self.load(self.read_news, self.show_news, group="look", again=False)

    def read_news(self) -> tuple[list[Row] | None, str]:
        """In a thread: all runs where anything is new, and what went wrong."""
        try:
            rows = self.all_runs.look()
            states = None if rows is None else {row["run_id"]: row["state"] for row in rows}
            return rows, self.tender.look(states) or self.all_runs.problem
        except (WorkbenchError, OSError) as error:
            return None, str(error)

    def show_news(self, news: tuple[list[Row] | None, str]) -> None:
        self._is_looking = False
        rows, problem = news
        if problem != self._problem and problem:
            self.app.say(problem, error=True)
        self._problem = problem
        if rows is not None:
            self.runs = rows
            self.show()

    def show(self) -> None:
        """What was read, without what is to be deleted."""
        gone = {run_id for batch in self.app.to_delete for run_id in batch}
        self.runs_table.marked, self.runs_table.notes = self.app.marked, self.notes()
        self.runs_table.show(run_rows((row for row in self.runs if row["run_id"] not in gone), self.of_task))
        self.load_curves()

    def hide(self, run_ids: Sequence[str]) -> None:
        self.runs_table.step_aside(run_ids)
        self.show()

    def notes(self) -> list[str]:
        """What is said beside the number of runs."""
        tasks = all_tasks(self.runs)
        notes = [f"figures of {tasks[0]}"] if len(tasks) == 1 else []
        if len(tasks) > 1:
            notes.append(f"figures of {self.of_task or 'the first task of each'} (t)")
        if self.app.marked:
            notes.append(f"{len(self.app.marked)} marked (4 compares)")
        if gone := sum(map(len, self.app.to_delete)):
            notes.append(f"{gone} deleted when you quit (u undoes)")
        return notes

    def on_runs_table_page_shown(self, event: RunsTable.PageShown) -> None:
        event.stop()
        self.load_curves()

    def load_curves(self) -> None:
        """The loss curves of the page that are not there yet, or that still grow."""
        table = self.runs_table
        page = table.found[table.page * PAGE : (table.page + 1) * PAGE]
        wanted = [
            row
            for row in page
            if row["kind"] == "run" and (row["key"] not in table.curves or row["state"] in WORKING) and row["sampling"]
        ]
        if wanted:
            all_runs, keys = self.all_runs, [row["key"] for row in wanted]
            self.load(lambda: (keys, all_runs.losses(wanted, CURVE_WIDTH)), self.show_curves, group="curves")

    def show_curves(self, found: tuple[list[str], Mapping[str, Sequence[float]]]) -> None:
        keys, curves = found
        self.runs_table.curves |= {key: curves.get(key, ()) for key in keys}
        self.runs_table.redraw()

    # what is under the cursor

    @property
    def chosen(self) -> list[Mapping[str, Any]]:
        """The run under the cursor, or those of the arm or experiment."""
        row = self.runs_table.current
        return [] if row is None else list(row["runs"]) if row["kind"] != "run" else [row]

    def on_paged_table_chosen(self, event: PagedTable.Chosen) -> None:
        event.stop()
        if event.row["kind"] == "run":
            self.app.open_run(event.row["run_id"])
        elif event.row["kind"] == "arm":
            self.runs_table.turn_arm(event.row["key"])

    def on_paged_table_moved(self, event: PagedTable.Moved) -> None:
        event.stop()
        words = (event.row.get("run_id") or event.row["run"], event.row.get("message"))
        line = "  ".join(shown(word) for word in words if word)
        self.query_one("#runs-line", Static).update(Text(line, no_wrap=True, overflow="ellipsis"), layout=False)

    def table(self) -> tuple[Sequence[str], Sequence[Mapping[str, Any]]]:
        rows = [row for row in self.runs_table.found if row["kind"] == "run"]
        rows = rows or [row for row in self.runs_table.found if row["kind"] == "arm"]
        return [column.key for column in COLUMNS], rows

    def marked_text(self) -> str:
        row = self.runs_table.current
        return "" if row is None else str(row["run"])

    # keys

    def action_filter(self) -> None:
        self.runs_table.open_filter()

    def action_task(self) -> None:
        choices = [None, *all_tasks(self.runs)]
        self.of_task = choices[(choices.index(self.of_task) + 1) % len(choices)] if self.of_task in choices else None
        self.show()

    def action_mark(self) -> None:
        row = self.runs_table.current
        arm = row["arm"] if row is not None else None
        if arm is None:
            self.app.say("mark a run or an arm")
            return
        marked = self.app.marked
        if arm in marked:
            marked.remove(arm)
        else:
            marked.append(arm)
        self.runs_table.notes = self.notes()
        self.runs_table.redraw()

    def action_new(self) -> None:
        self.app.action_go("new")
