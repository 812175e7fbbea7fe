"""What one does with runs: clone, stop, resume, delete and undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.tui.dialogs import ConfirmDialog
from workbench.tui.pane import Pane
from workbench.tui.run_rows import WORKING


class RunsActions(Pane):
    """The keys of a screen that has runs under its cursor."""

    @property
    def chosen(self) -> Sequence[Mapping[str, Any]]:
        """The runs that are meant."""
        raise NotImplementedError

    def look(self) -> None:
        """Read anew: something was done."""
        raise NotImplementedError

    def hide(self, run_ids: Sequence[str]) -> None:
        """Show the runs that are left: these are to be deleted."""
        raise NotImplementedError

    def show(self) -> None:
        """Show the runs, without those that are to be deleted."""
        raise NotImplementedError

    def action_clone(self) -> None:
        from workbench.reports.details import cloned

        if self.chosen:
            run_id, reader = self.chosen[0]["run_id"], self.reader
            self.load(
                lambda: cloned(reader.store, reader.runs, run_id, Path.cwd()),
                lambda config: self.app.new_from(config, run_id),
                group="clone",
            )

    def action_stop(self) -> None:
        chosen = [row["run_id"] for row in self.chosen if row["state"] in (*WORKING, "queued")]
        if not chosen:
            self.app.say("only a queued or a working run can be stopped")
            return
        self.app.say(f"stopping {named(chosen)}: a worker writes a checkpoint first")
        self.act(lambda: self.stop(chosen), f"stop {chosen[0]}")

    def stop(self, run_ids: Sequence[str]) -> str:
        """In a thread: what came of it."""
        from workbench.launching import stop_some

        states = stop_some(self.reader.runs, run_ids)
        left = [run_id for run_id, state in states.items() if state in WORKING]
        return f"{named(left)} still writes a checkpoint" if left else f"{named(run_ids)} stopped"

    def action_resume(self) -> None:
        chosen = [row["run_id"] for row in self.chosen if row["state"] in ("stopped", "failed", "lost", "queued")]
        if not chosen:
            self.app.say("only a stopped, failed or lost run can be resumed")
            return
        self.act(lambda: self.resume(chosen), f"resume {chosen[0]}")

    def resume(self, run_ids: Sequence[str]) -> str:
        """In a thread: what came of it."""
        from workbench.launching import resume_some

        resume_some(self.reader.store, self.reader.runs, run_ids)
        return f"{named(run_ids)} queued again"

    def act(self, work: Callable[[], str], group: str) -> None:
        """Do something to runs in a thread, once, say what came of it and look."""

        def told(text: str) -> None:
            self.app.say(text)
            self.look()

        self.load(work, told, group=group, again=False)

    def action_delete(self) -> None:
        chosen = [row["run_id"] for row in self.chosen]
        # a queued one would begin to work out of sight
        active = [row["run_id"] for row in self.chosen if row["state"] in (*WORKING, "queued")]
        if active:
            self.app.say(f"{named(active)}: stop first (s), then delete", error=True)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.to_delete.append(chosen)
                self.refresh_bindings()
                self.hide(chosen)

        if chosen:
            question = f"Delete {named(chosen)}: directory and results?\n\nIt goes when the app quits; u undoes it."
            self.app.push_screen(ConfirmDialog(question, "Delete"), answered)

    def action_undo(self) -> None:
        back = self.app.to_delete.pop()
        self.refresh_bindings()
        self.app.say(f"{named(back)} {'stays' if len(back) == 1 else 'stay'}")
        self.show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "undo" or bool(self.app.to_delete)


def named(run_ids: Sequence[str]) -> str:
    return f"run {run_ids[0]}" if len(run_ids) == 1 else f"{len(run_ids)} runs"
