"""What the screens read: one object that knows the store and the runs directory, and holds neither open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.paths import RunsPaths
from workbench.runs.directory import run_folders
from workbench.runs.supervisor import at_work


@dataclass(frozen=True)
class Reader:
    """The store and the runs that one app shows. Its functions block: screens call them in threads (`Pane.load`)."""

    store: Path
    runs: RunsPaths

    def standing_line(self) -> str:
        """The status bar's: what is at work, and where the results are."""
        working, queued = at_work(self.runs)
        counts = ", ".join(f"{count} {word}" for count, word in ((working, "at work"), (queued, "queued")) if count)
        if not counts and not self.store.exists() and not run_folders(self.runs):
            return f"no runs yet: press 2, Enter, l to run the quickstart   {self.store}"
        return f"{counts or 'nothing at work'}   {self.store}"
