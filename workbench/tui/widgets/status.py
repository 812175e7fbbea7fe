"""The line above the keys: where one is, what is going on, what went wrong last."""

from rich.text import Text
from textual.timer import Timer
from textual.widgets import Static

KEPT_S = 12.0
"""How long a message stays."""


class StatusBar(Static):
    """A message for a while, else the standing line. All of it is data: never markup."""

    def __init__(self) -> None:
        super().__init__("", id="status", markup=False)
        self._standing = ""
        self._timer: Timer | None = None

    def stand(self, text: str) -> None:
        """What is shown while there is no message."""
        self._standing = text
        if self._timer is None:
            self.update(Text(text, overflow="ellipsis", no_wrap=True))

    @property
    def is_standing(self) -> bool:
        """Whether the standing line is what is shown."""
        return bool(self._standing) and self._timer is None

    def say(self, text: str, *, error: bool = False) -> None:
        """Show a message, its first line; an error says so in a word and stays until the next message."""
        line = " ".join(text.split())
        self.set_class(error, "error")
        self.update(Text(f"error: {line}" if error else line, overflow="ellipsis", no_wrap=True))
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(KEPT_S * (3 if error else 1), self._over)

    def forget_error(self) -> None:
        """It was about what is no longer in front."""
        if self._timer is not None and self.has_class("error"):
            self._timer.stop()
            self._over()

    def _over(self) -> None:
        self._timer = None
        self.set_class(False, "error")
        self.stand(self._standing)
