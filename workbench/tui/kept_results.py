"""Results of computations that take seconds, kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

KEPT = 48
"""Results."""


@dataclass(frozen=True)
class Failed:
    """In place of a result."""

    why: str


class Results:
    """Results by what they are of, the latest `KEPT`."""

    def __init__(self) -> None:
        self._found: OrderedDict[Hashable, Any] = OrderedDict()
        self.turn = threading.Lock()
        """Held by the one computation that works."""

    def get(self, key: Hashable) -> Any:
        return self._found.get(key)

    def keep(self, key: Hashable, result: Any) -> None:
        self._found[key] = result
        while len(self._found) > KEPT:
            self._found.popitem(last=False)
