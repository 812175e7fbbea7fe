"""How far an evaluation has come, and what its stages took."""

import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Adds up the wall seconds of stages; each call says which one has just ended."""

    since: float = field(default_factory=time.perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def __call__(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.since
        self.since = now
