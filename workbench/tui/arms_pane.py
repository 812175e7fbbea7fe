"""What the screens that hold arms against each other share: the choice of arms and task, and results kept for a while.

A computation takes seconds, in a thread, and only one at a time: where the choice changes meanwhile its result is kept
for later but not shown, and one that still waits for its turn never starts.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.errors import InputError
from workbench.files import Mark, file_mark
from workbench.reports.arm_choices import LEAST_NAME, fitted_names, short_names
from workbench.reports.leakage import marked
from workbench.reports.tables import shown
from workbench.tui.arms_dialog import ArmsDialog
from workbench.tui.choice import NOTHING, Choice, read_choice
from workbench.tui.kept_results import Failed, Results
from workbench.tui.pane import Pane

SETTLED_S = 0.15
"""A choice that stays for so long is computed; while keys are pressed in a row nothing is."""
LOOK_S = 2.0
"""Between two looks whether the store has changed."""


class ArmsPane(Pane):
    """A screen over some arms and one task."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "arms", "Arms"),
        Binding("t", "task", "Task"),
        Binding("f5", "again", "Read again", key_display="F5"),
        Binding("escape", "stop", "Back"),
    ]
    DEFAULT_CSS = """
    ArmsPane #head { height: auto; max-height: 6; padding: 0 1; }
    ArmsPane #heading { height: auto; max-height: 2; padding: 0 1; color: $text-muted; text-style: bold; }
    ArmsPane #heading.busy, ArmsPane #heading.problem { color: $text-warning; max-height: 6; }
    ArmsPane #detail { height: auto; min-height: 2; max-height: 4; padding: 0 1; }
    ArmsPane #legend { height: auto; max-height: 2; padding: 0 1; color: $text-muted; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choice = Choice()
        self.task_name = ""
        self.results = Results()
        self.busy = False
        self._settling: Timer | None = None
        self._settled_at: Mark = None
        """The store's time when what is shown was asked for."""
        self.is_old = False
        """Whether the store has changed since."""

    def on_mount(self) -> None:
        self.set_interval(LOOK_S, self.look_at_store)

    def look_at_store(self) -> None:
        """Say when there may be newer results. They are not read unasked: one may be looking at these."""
        if self.choice.arms and not self.busy and not self.is_old and file_mark(self.reader.store) != self._settled_at:
            self.is_old = True
            self.draw_head()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.is_old if action == "again" else super().check_action(action, parameters)

    def action_again(self) -> None:
        self.shown()

    # what a screen says

    def key(self) -> tuple[Hashable, ...]:
        """What the result depends on, beside the store."""
        raise NotImplementedError

    def compute(self, key: tuple[Any, ...]) -> Any:
        """The result; called in a thread.

        Raises
        ------
        InputError
            Shown in place of it.
        """
        raise NotImplementedError

    def working(self) -> str:
        """What takes so long, in words."""
        raise NotImplementedError

    def clear(self) -> None:
        """Show nothing."""
        raise NotImplementedError

    def present(self, result: Any) -> None:
        """Show a result."""
        raise NotImplementedError

    def facts(self) -> Sequence[tuple[str, str]]:
        """What the head says after the task: words and the key that changes them."""
        return ()

    # the choice

    @property
    def names(self) -> dict[str, str]:
        """By arm what it is called: its name without the hash."""
        return short_names(self.choice.arms)

    def fitted(self, room: int) -> dict[str, str]:
        """`names`, shortened to so many characters, so that they can still be told apart."""
        return fitted_names(self.choice.arms, max(LEAST_NAME, room))

    def shown(self) -> None:
        app, store = self.app, self.reader.store
        marks = tuple(app.marked)
        asked = marks if marks and marks != app.marks_compared else app.compared
        app.marks_compared = marks
        self.load(lambda: read_choice(store, asked), self.chosen, group="choice")

    def chosen(self, choice: Choice) -> None:
        """There is something to show, or a reason why not."""
        self.choice = choice
        self.app.compared = choice.arms
        if self.task_name not in choice.measures:
            self.task_name = next(iter(choice.measures), "")
        self.settle()

    def action_arms(self) -> None:
        if self.choice.listing:
            self.app.push_screen(ArmsDialog(self.choice.listing, self.choice.arms), self.take_arms)
        else:
            self.app.say(NOTHING)

    def take_arms(self, arms: Sequence[str] | None) -> None:
        if arms:
            self.app.compared = tuple(arms)
            store = self.reader.store
            self.load(lambda: read_choice(store, arms), self.chosen, group="choice")

    def action_task(self) -> None:
        tasks = list(self.choice.measures)
        if len(tasks) > 1:
            self.task_name = after(tasks, self.task_name)
            self.settle()
        else:
            self.app.say("the arms have no other task in common")

    # results

    def settle(self) -> None:
        """Show what is chosen: at once where the result is kept, else compute it when the choice stays."""
        self._settled_at, self.is_old = file_mark(self.reader.store), False
        self.stop_waiting()
        if self.choice.problem:
            self.clear()
            self.say_heading(self.choice.problem, problem=True)
            return
        found = self.results.get(self.kept_as(self.key()))
        if found is not None:
            self.answered((self.key(), found))
            return
        self.clear()
        self.say_heading(f"computing: {self.working()} …  (esc stops)", busy=True)
        self._settling = self.set_timer(SETTLED_S, self.start)

    def stop_waiting(self) -> None:
        """Whatever is on its way will not be shown."""
        self.busy = False
        self.workers.cancel_group(self, "compute")
        if self._settling is not None:
            self._settling.stop()
            self._settling = None
        self.draw_head()

    def start(self) -> None:
        self._settling = None
        key = self.key()
        self.load(lambda: (key, self.computed(key)), self.answered, group="compute")

    def computed(self, key: tuple[Hashable, ...]) -> Any:
        """In a thread: the result of its turn, unless nobody waits for it any more."""
        worker = get_current_worker()
        while not self.results.turn.acquire(timeout=0.1):
            if worker.is_cancelled:
                return Failed("stopped")
        try:
            if worker.is_cancelled:
                return Failed("stopped")
            stored_as = self.kept_as(key)
            found = self.results.get(stored_as)
            if found is None:
                found = self.compute(key)
                self.results.keep(stored_as, found)
            return found
        except InputError as error:
            return Failed(str(error))
        finally:
            self.results.turn.release()

    def kept_as(self, key: tuple[Hashable, ...]) -> Hashable:
        """What a result is kept by: as the store changes, it is computed anew."""
        return file_mark(self.reader.store), key

    def answered(self, answer: tuple[tuple[Hashable, ...], Any]) -> None:
        key, result = answer
        if key != self.key():
            return
        self.busy = False
        self.draw_head()
        if isinstance(result, Failed):
            self.clear()
            self.say_heading(result.why, problem=True)
        else:
            self.present(result)

    def action_stop(self) -> None:
        if self.busy:
            self.stop_waiting()
            self.say_heading("stopped: change the choice, or come back to this screen, to compute it", problem=True)

    # what stands above

    def say_heading(self, text: str, *, busy: bool = False, problem: bool = False) -> None:
        self.busy = busy
        heading = self.query_one("#heading", Static)
        heading.set_class(busy, "busy")
        heading.set_class(problem, "problem")
        heading.update(Text(shown(text)))

    def draw_head(self) -> None:
        """The arms, the baseline first; the task and what else is chosen, each with its key."""
        self.refresh_bindings()
        text = Text()
        for note in self.notes():
            text.append(f"{note}\n", "bold")
        arms = self.choice.arms
        fitted = self.fitted(2 * self.size.width // max(1, len(arms)) - 14)
        names = [self.marked_name(arm, fitted) for arm in arms]
        if arms:
            text.append("baseline " if len(arms) > 1 else "arm ", "dim")
            text.append(names[0], "bold")
        for number, name in enumerate(names[1:]):
            gap = "  " if sum(len(one) + 2 for one in names) + 24 < self.size.width else "\n"
            text.append(f"{gap}against it " if number == 0 else ", ", "dim")
            text.append(name, "bold")
        if self.task_name:
            text.append("\n")
            for number, (words, key) in enumerate([(f"task {shown(self.task_name)}", "t"), *self.facts()]):
                text.append("   " * bool(number))
                text.append(words)
                text.append(f" ({key})", "dim")
        self.query_one("#head", Static).update(text)

    def notes(self) -> Sequence[str]:
        """What one must know of the results, first of all."""
        notes = []
        number = sum(map(len, self.app.to_delete))
        if number and self.choice.arms:
            runs = "1 run marked for deletion is" if number == 1 else f"{number} runs marked for deletion are"
            notes.append(f"{runs} still counted")
        if self.is_old:
            notes.append("the store has changed since these results were read: F5 reads again")
        return notes

    def on_resize(self) -> None:
        self.draw_head()

    def marked_name(self, arm: str, names: Mapping[str, str]) -> str:
        return marked(shown(names[arm]), arm in self.choice.leaked)


def after(values: Sequence[str], value: str, by: int = 1) -> str:
    """The next of some values, around."""
    return values[(values.index(value) + by) % len(values)] if value in values else values[0]
