"""What all screens have in common: reading in threads, errors as a line, filter, copy, export, help."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.worker import Worker, WorkerState, get_current_worker

from workbench.errors import WorkbenchError
from workbench.tui.reader import Reader

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

T = TypeVar("T")
Row = Mapping[str, Any]
PATIENCE_S = 1.0
"""With whoever holds the store, before the status bar names them."""
AGAIN_S = 0.5
"""Between two tries to read a store that is held."""


class Pane(Vertical):
    """One of the app's screens. It is mounted when it is first looked at, and told each time that it is."""

    HELP: ClassVar[str] = ""
    """A few lines of plain text: what it shows, what its keys do."""
    app: WorkbenchApp

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter"),
        Binding("y", "copy", "Copy"),
        Binding("e", "export", "Export"),
    ]

    @property
    def reader(self) -> Reader:
        return self.app.reader

    def shown(self) -> None:
        """It has come to the front: the place to read anew."""

    def load(
        self,
        read: Callable[[], T],
        then: Callable[[T], None],
        group: str = "load",
        *,
        again: bool = True,
        failed: Callable[[WorkbenchError], None] | None = None,
    ) -> None:
        """Call `read` in a thread and `then` with its answer in the app; a later call of the group replaces it.

        What goes wrong is a line in the status bar, or is given to `failed`; of the answer to a call that was replaced
        nothing is shown. While another program holds the store the status bar says who, and `read` is called again
        until it answers; not so where it does something that must not happen twice: `again=False`.
        """

        def work() -> None:
            worker = get_current_worker()
            try:
                answer = self._patiently(read, worker) if again else read()
            except WorkbenchError as error:
                if not worker.is_cancelled:
                    self.app.call_from_thread(self._answered, failed or self.say_error, error)
                return
            if not worker.is_cancelled:
                self.app.call_from_thread(self._answered, then, answer)

        self.run_worker(work, group=group, exclusive=True, thread=True, exit_on_error=False)

    def _patiently(self, read: Callable[[], T], worker: Worker[None]) -> T:
        """Its answer, once the store can be read; for a call that was replaced it waits no longer."""
        from workbench.store.connection import StoreBusy, impatient  # in the thread: the first paint needs no duckdb

        was_busy = False
        while True:
            try:
                with impatient(PATIENCE_S):
                    answer = read()
                break
            except StoreBusy as error:
                if worker.is_cancelled:
                    raise
                was_busy = True
                said = str(error).partition(";")[0]
                self.app.call_from_thread(self.app.say, f"waiting: {said}; read again as soon as it is free")
            time.sleep(AGAIN_S)
        if was_busy and not worker.is_cancelled:
            self.app.call_from_thread(self.app.say, "the store is free again")
        return answer

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A defect in what was read must not pass for an empty screen."""
        if event.state is WorkerState.ERROR:
            self.app.say(f"a defect of the workbench: {event.worker.error!r}", error=True)

    def say_error(self, error: WorkbenchError) -> None:
        self.app.say(str(error), error=True)

    def _answered(self, then: Callable[[T], None], answer: T) -> None:
        if self.is_mounted:
            then(answer)

    def take_focus(self) -> None:
        """Let the keys reach this screen: the first of its widgets that takes them."""
        first = next((widget for widget in self.screen.focus_chain if self in widget.ancestors), None)
        if first is not None:
            first.focus()

    # what the keys do; a screen says what there is to copy, export and filter

    def table(self) -> tuple[Sequence[str], Sequence[Row]] | None:
        """Columns and rows of what is shown, for copy and export; None = there is nothing."""
        return None

    def marked_text(self) -> str:
        """What `y` copies: the row under the cursor."""
        return ""

    def action_filter(self) -> None:
        """Let the user type a filter; screens with a table do."""
        self.app.say("nothing to filter here")

    def action_copy(self) -> None:
        text = self.marked_text()
        if text:
            self.app.copy_to_clipboard(text)
            self.app.say(f"copied: {text.splitlines()[0][:60]}")
        else:
            self.app.say("nothing to copy here")

    def action_export(self) -> None:
        from workbench.tui.dialogs import ExportDialog

        table = self.table()
        if table is None or not table[1]:
            self.app.say("nothing to export here")
            return
        self.app.push_screen(ExportDialog(self.id or "table", *table))
