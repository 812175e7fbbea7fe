"""A new run: a config as a form and as YAML, the runs that it stands for, the data that they need; then launch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Static, TextArea

from workbench.paths import RunPaths
from workbench.records import Plain
from workbench.reports.configs import config_listing
from workbench.tui.choose_config import ChooseConfig
from workbench.tui.draft import (
    STARTER,
    Checked,
    Draft,
    Plan,
    already_words,
    checked,
    counted,
    handed_over,
    on_leak_words,
    opened,
    planned,
    summary,
)
from workbench.tui.form_view import FormView
from workbench.tui.launch_dialogs import LaunchDialog, SaveDialog
from workbench.tui.leak_check import LeakCheck
from workbench.tui.needs_view import NeedsView
from workbench.tui.new_run_parts import NewRunParts
from workbench.tui.pane import Row
from workbench.tui.widgets.table import PagedTable
from workbench.tui.yaml_view import YamlView

PAUSE_S = 0.15
"""Between a change and the check of it, so that fast typing is checked once."""
BEGUN = ("launch", "check_leaks", "save", "copy", "export", "section")
"""What can be done once there is a config."""
CONFIGS = Path("configs")


class NewRunPane(NewRunParts):
    HELP: ClassVar[str] = """\
A config as a form and as YAML; a change in one shows in the other at once.

c  another config       f t u d  form, text (YAML), runs, data; Esc goes to the form
/  only some keys       s        save as a file
k  check for leaks      l        launch: asks how many runs may work at once

In the form: Enter changes a value, and what is wrong shows as you type; Esc gives
back what was there. Space takes the next of the allowed values, x the default again
or takes a set out, w has a key take several values in turn. Items of a list stand
between commas; quotes keep a text as it is: "query: ". A dot marks what the config
says itself.

Comments of the YAML stay where a change concerns one value. Where the form has to
write the text anew they are lost, and the line above the text says so; Ctrl+Z in
the text takes changes back."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "launch", "Launch"),
        Binding("k", "check_leaks", "Leaks"),
        Binding("slash", "filter", "Filter"),
        Binding("c", "choose", "Other config"),
        Binding("s", "save", "Save"),
        Binding("f", "section('form')", "Form", show=False),
        Binding("t", "section('yaml')", "YAML", show=False),
        Binding("u", "section('runs')", "Runs", show=False),
        Binding("d", "section('needs')", "Data", show=False),
        Binding("y", "copy", "Copy"),
        Binding("e", "export", "Export"),
        Binding("escape", "back", "Form"),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.draft: Draft | None = None
        self.checked = Checked()
        self.plan: Plan | None = None
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        self.add_class("choosing")
        self.place()

    def shown(self) -> None:
        if self.draft is None:
            self.action_choose()
        else:
            self.check()  # sets may have been fetched meanwhile

    def take_focus(self) -> None:
        if self.has_class("choosing"):
            self.query_one("#configs").focus()
        else:
            self.action_section(self.part)

    def action_back(self) -> None:
        """First what is going on ends, then the form has the keys again."""
        leaks = self.query_one(LeakCheck)
        if leaks.is_at_work:
            leaks.cancel()
        elif self.draft is not None:
            self.remove_class("choosing")
            self.refresh_bindings()
            self.action_section("form")

    # choosing

    def action_choose(self) -> None:
        self.add_class("choosing")
        self.refresh_bindings()
        self.load(lambda: config_listing(CONFIGS), self.query_one(ChooseConfig).show, group="configs")
        self.query_one("#configs").focus()

    def on_choose_config_chosen(self, event: ChooseConfig.Chosen) -> None:
        event.stop()
        path = event.path
        if path is None:
            self.begin(Draft("", "a new config").with_text(STARTER))
        else:
            self.load(lambda: opened(path), self.begin, group="open")

    def begin(self, draft: Draft) -> None:
        """Show another config."""
        self.remove_class("choosing")
        self.refresh_bindings()
        self.checked, self.plan, self.part = Checked(), None, "form"
        self.query_one(YamlView).problems(())
        self.app.forget_error()
        self.query_one(LeakCheck).cancel()
        self.query_one(LeakCheck).forget("not checked yet; k looks for evaluation texts in the training texts")
        self.query_one(FormView).begin()
        self.change(draft)
        self.action_section("yaml" if draft.problem else "form")

    def new_from(self, content: Plain, source: str) -> None:
        """Begin with the settings of a run, without those that are defaults anyway."""
        self.begin(handed_over(content, source))

    # changing

    def on_form_view_changed(self, event: FormView.Changed) -> None:
        event.stop()
        if self.draft is None:
            return
        if self.draft.problem:
            self.app.say("the YAML cannot be read; mend it there first (t)", error=True)
            return
        self.change(self.draft.with_value(event.path, event.value))

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        text = event.text_area.text
        if self.draft is not None and text != self.draft.text:
            self.change(self.draft.with_text(text))

    def change(self, draft: Draft) -> None:
        """Have form, YAML and all that follows from them show a config."""
        self.draft = draft
        # nothing is launched that the checks have not seen
        self.checked, self.plan = replace(self.checked, experiment=None), None
        self.query_one(YamlView).show(draft)
        self.query_one(FormView).show(draft.rows, self.checked.by_key, self.checked.others)
        self.query_one(LeakCheck).now(draft.content)
        self.head("checking")
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE_S, self.check)

    def check(self) -> None:
        draft = self.draft
        if draft is not None:
            self.load(lambda: checked(draft), self.show_checked, group="check")

    def show_checked(self, found: Checked) -> None:
        """What is wrong, beside its keys; or on to the runs."""
        if self.draft is None:
            return
        self.checked, self.plan = found, None
        self.query_one(FormView).show(self.draft.rows, found.by_key, found.others)
        self.query_one(YamlView).problems(found.problems)
        experiment, runs = found.experiment, self.reader.runs
        if experiment is None:
            self.show_runs([], "no runs: mend the config first")
            self.head(f"error: {counted(len(found.problems), 'problem')}")
            return

        def show(plan: Plan) -> None:
            if self.checked.experiment is experiment:
                self.show_plan(plan)

        self.load(lambda: planned(experiment, Path.cwd(), runs), show, group="plan")

    def show_plan(self, plan: Plan) -> None:
        self.plan = plan
        self.show_runs(plan.runs, "no runs: first bring what is missing (d)" if plan.lacking else "no runs")
        self.query_one(NeedsView).show(plan.needs)
        self.place()
        if plan.lacking:
            self.head(f"missing: {', '.join(plan.lacking)} (d)")
        else:
            self.head(f"error: {plan.problem}" if plan.problem else summary(plan))

    def show_runs(self, rows: Sequence[Row], empty: str) -> None:
        """What the sweep comes to; `empty` says why it comes to nothing."""
        product = self.query_one("#product", PagedTable)
        product.empty = empty
        product.show(rows)

    def head(self, words: str) -> None:
        """The line above: which config, what it comes to."""
        if self.draft is None:
            return
        source = f"{self.draft.source}{' · changed' if self.draft.is_changed else ''}"
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(source, Style(bold=True)).append(f"   {words}")
        self.query_one("#head", Static).update(text)

    # keys

    def action_check_leaks(self) -> None:
        if self.draft is None or self.checked.experiment is None:
            self.app.say("nothing to check: the config has problems", error=True)
            return
        self.query_one(LeakCheck).start(self.draft.text, self.draft.content)
        if not self.has_class("wide"):
            self.action_section("needs")

    def action_launch(self) -> None:
        """Ask once more, then queue the runs."""
        if self.draft is None:
            return
        if self.checked.problems:
            self.app.say(self.checked.problems[0], error=True)
        elif self.plan is None:
            self.app.say("still looking at the data")
        elif not self.plan.specs:
            self.app.say(self.plan.problem, error=True)
        else:
            plan, reader = self.plan, self.reader
            self.load(
                lambda: already_words(plan, reader.store, reader.runs),
                lambda already: self.ask(plan, already),
                group="ask",
            )

    def ask(self, plan: Plan, already: str) -> None:
        """Unless another config, or another screen, has come to the front while the runs were looked through."""
        if self.plan is plan and self.app.screen is self.screen and self.app.pane is self:
            words = self.query_one(LeakCheck).words
            self.app.push_screen(LaunchDialog(summary(plan), words, on_leak_words(plan), already), self.launch)

    def launch(self, answer: dict[str, Any] | None) -> None:
        experiment, reader = self.checked.experiment, self.reader
        if answer is None or experiment is None:
            return
        if answer["check"]:
            self.action_check_leaks()
            return

        def start() -> list[RunPaths]:
            from workbench.config import freeze
            from workbench.launching import start_runs

            return start_runs(freeze(experiment, Path.cwd()), reader.store, reader.runs, answer["jobs"])

        self.app.say("launching")
        self.load(start, self.launched, group="launch", again=False)

    def launched(self, queued: Sequence[RunPaths]) -> None:
        self.app.say(f"launched {counted(len(queued), 'run')}")
        self.app.action_go("runs")

    def action_save(self) -> None:
        if self.draft is not None:
            self.app.push_screen(SaveDialog(self.draft.source, self.draft.text), self.saved)

    def saved(self, path: Path | None) -> None:
        if path is not None and self.draft is not None:
            self.change(self.draft.saved_as(path))

    def action_filter(self) -> None:
        if self.has_class("choosing"):
            self.query_one(ChooseConfig).action_path()
        elif self.part in ("runs", "needs"):
            self.query_one("#product" if self.part == "runs" else "#files", PagedTable).open_filter()
        else:
            self.action_section("form")
            self.query_one(FormView).open_words()

    def table(self) -> tuple[Sequence[str], Sequence[Row]] | None:
        """The runs, or the data where these are in front."""
        if self.plan is None:
            return None
        rows = self.plan.needs if self.part == "needs" else self.plan.runs
        return (list(rows[0]), rows) if rows else None

    def marked_text(self) -> str:
        """The command that brings what the cursor is on, or the whole YAML."""
        if self.part == "needs":
            return self.query_one(NeedsView).copied()
        return self.draft.text if self.draft else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Before a config is chosen there is nothing to launch, to check, to save; in the form one is in the form."""
        if action == "back":
            return self.draft is not None and (
                self.query_one(LeakCheck).is_at_work or not self.query_one("#rows").has_focus
            )
        return action not in BEGUN or not self.has_class("choosing")
