"""One run: how it goes, what it drew, what was measured, what it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Static

from workbench.records import ENDED
from workbench.reports.leakage import marked
from workbench.reports.tables import shown, time_left
from workbench.tui.pane import Pane
from workbench.tui.run_pairs import PairsPart
from workbench.tui.run_parts import CurvesPart, DrawnPart, ViewBar
from workbench.tui.run_rows import WORKING, bar
from workbench.tui.run_texts import LogPart, TextPart

if TYPE_CHECKING:
    from workbench.reports.run_view import Course, RunView

Row = Mapping[str, Any]
EVERY_S = 1.0
"""Between two looks at a run that works."""
PARTS = {
    "pairs": ("h", "heat map"),
    "curves": ("c", "curves"),
    "drawn": ("d", "drawn"),
    "log": ("l", "log"),
    "config": ("o", "config"),
    "environment": ("v", "environment"),
}
"""By name of a part its key and its title."""
NO_RUN = "no run yet: press n on screen 1"


class RunPane(Pane):
    HELP: ClassVar[str] = """\
The run that was chosen on screen 1, else the newest; while it works, all of it is live.

  h   heat map of query language x pool language; arrow keys move; m M another measure; t another task
      column all: the pool of all languages together.  ° a language unseen in training
  c   curves of loss, learning rate and pairs per second
  d   what the sampler really drew: kinds of batches, pairs by languages
  l   log;  /  the lines with some text in them, esc ends it
  o   resolved config        v   environment
  y   copy the cell, the line or the text;  e   export what is shown
  x   read anew              esc back to all runs"""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"part('{name}')", title, show=False) for name, (key, title) in PARTS.items()),
        Binding("x", "again", "Read anew", show=False),
        Binding("escape", "runs", "Runs"),
    ]
    DEFAULT_CSS = """
    RunPane #run-head { height: 2; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    RunPane #run-bar { height: 1; margin-bottom: 1; }
    RunPane #run-parts { height: 1fr; }
    RunPane .part-title { height: auto; padding: 0 1; color: $text-muted; }
    RunPane .part-foot { height: auto; max-height: 3; padding: 0 1; }
    RunPane HeatMap { margin: 0 1; }
    RunPane #drawn HeatMap { height: 1fr; }
    RunPane Curves { height: 1fr; width: 1fr; }
    RunPane #curve-loss { height: 3fr; }
    RunPane CurvesPart Horizontal { height: 2fr; }
    RunPane TextPart { padding: 0 1; }
    RunPane RichLog { padding: 0 1; background: $background; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.run_id: str | None = None
        """The run that is shown, or that is being read."""
        self.part = "pairs"
        self.view: RunView | None = None
        self.course: Course | None = None
        self._chosen: str | None = None
        self._is_looking = False

    def compose(self) -> ComposeResult:
        yield Static("", id="run-head", markup=False)
        yield ViewBar(PARTS, id="run-bar")
        with ContentSwitcher(id="run-parts", initial="pairs"):
            yield PairsPart(id="pairs")
            yield CurvesPart(id="curves")
            yield DrawnPart(id="drawn")
            yield LogPart(id="log")
            yield TextPart(id="config")
            yield TextPart(id="environment")

    def on_mount(self) -> None:
        self.query_one(ViewBar).show(self.part)
        self.set_interval(EVERY_S, self.look)

    # reading

    def shown(self) -> None:
        if self.app.run_chosen != self._chosen or self.run_id is None:
            self._chosen = self.app.run_chosen
            self.read(self._chosen)

    def read(self, run_id: str | None) -> None:
        """Read a run whole; None = the newest."""
        reader = self.reader
        if self.view is None:
            self.query_one("#run-head", Static).update("reading")

        def work() -> tuple[RunView, Course] | None:
            from workbench.reports.run_view import Course, newest_run, run_view

            name = run_id or newest_run(reader.store, reader.runs)
            if name is None:
                return None
            view = run_view(reader.store, reader.runs, name)
            course = Course(reader.runs.run(name), steps=dict(view.steps))
            course.look()
            return view, course

        self.load(work, self.show_run, group="run")

    def show_run(self, found: tuple[RunView, Course] | None) -> None:
        if found is None:
            self.query_one("#run-head", Static).update(NO_RUN)
            return
        is_other = self.run_id != found[0].run_id
        self.view, self.course = found
        self.run_id = self.view.run_id
        if is_other:
            working = self.view.facts["state"] in WORKING and self.view.facts["sampling"]
            self.action_part("curves" if working else "pairs" if self.view.tasks else "log")
        self.query_one(PairsPart).show(self.view)
        self.query_one("#config", TextPart).show(self.view.config, "")
        self.query_one("#environment", TextPart).show(self.view.environment, "the worker has not said where it works")
        self.show_course(anew=is_other)

    def show_course(self, *, anew: bool = False) -> None:
        """What grows while the run works."""
        if self.view is None or self.course is None:
            return
        self.head(self.view.facts)
        self.query_one(CurvesPart).show(self.course)
        batches, pairs = self.course.drawn()
        self.query_one(DrawnPart).show(self.view.batches or batches, self.view.pairs or pairs)
        self.query_one(LogPart).show(self.course.lines, self.view.output, anew=anew)

    def look(self) -> None:
        """Take up what is new of a run that works, or whose results are still on their way to the store."""
        if self.view is None or self.course is None or self._is_looking or self.app.pane is not self:
            return
        state = self.view.facts["state"]
        if state in ENDED and (self.view.tasks or state != "finished"):
            return
        course, is_working = self.course, state not in ENDED
        self._is_looking = True

        def work() -> tuple[bool, Row | None]:
            from dataclasses import asdict

            from workbench.runs.directory import status

            try:
                is_new = course.look()
            except OSError:
                return False, None  # to read the run whole says what is wrong
            return is_new, asdict(status(course.run)) if is_working else None

        self.load(work, self.looked, group="look", again=False)

    def looked(self, found: tuple[bool, Row | None]) -> None:
        self._is_looking = False
        is_new, facts = found
        if self.view is None:
            return
        if facts is not None:
            self.view.facts.update({name: facts.get(name) for name in self.view.facts})
        if facts is None or facts["state"] in ENDED:
            self.read(self.run_id)
        elif is_new:
            self.show_course()
        else:
            self.head(self.view.facts)

    def head(self, facts: Row) -> None:
        """Name, state in a word, how far it is."""
        view = self.view
        if view is None:
            return
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(marked(shown(view.run_id), view.leaked), "bold")
        line.append("\n")
        step, steps = facts["step"], facts["steps"]
        eta = time_left(facts["eta_s"])
        parts = [
            shown(facts["state"]),
            bar(step / steps) if facts["state"] == "training" and step and steps else "",
            f"step {step}/{steps}" if step else "",
            f"ETA {eta}" if eta else "",
            f"seed {facts['seed']}" if facts["seed"] is not None else "",
            shown(facts["experiment"]),
            shown(facts["arm"]),
            shown(facts["message"]),
        ]
        line.append("   ".join(part for part in parts if part))
        self.query_one("#run-head", Static).update(line)

    # parts

    def on_view_bar_picked(self, event: ViewBar.Picked) -> None:
        event.stop()
        self.action_part(event.part)

    def action_part(self, part: str) -> None:
        self.part = part
        self.query_one("#run-parts", ContentSwitcher).current = part
        self.query_one(ViewBar).show(part)
        self.take_focus()

    def take_focus(self) -> None:
        """The part in front has the keys."""
        front = self.query_one(f"#{self.part}")
        able = [widget for widget in [front, *front.query("*")] if widget.focusable]
        (able[-1] if able else self.query_one("#config")).focus()

    def action_filter(self) -> None:
        self.action_part("log")
        self.query_one(LogPart).search()

    def action_runs(self) -> None:
        self.app.action_go("runs")

    def action_again(self) -> None:
        self.read(self.run_id)

    def table(self) -> tuple[Sequence[str], Sequence[Row]] | None:
        if self.view is None or self.course is None:
            return None
        if self.part == "curves":
            columns = ["step", "loss", "validation_loss", "learning_rate", "pairs_per_second", "batch_kind"]
            steps = sorted(self.course.steps.items())
            return columns, [
                {name: step if name == "step" else row.get(name) for name in columns} for step, row in steps
            ]
        front = self.query_one(f"#{self.part}")
        assert isinstance(front, (PairsPart, DrawnPart, LogPart, TextPart))
        return front.exported()

    def marked_text(self) -> str:
        if self.part == "pairs":
            return self.query_one(PairsPart).copied()
        table = self.table() if self.part in ("log", "config", "environment") else None
        return "\n".join(row["line"] for row in table[1]) if table else self.run_id or ""
