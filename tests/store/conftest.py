import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("open", flush=True)
sys.stdin.readline()
connection.close()
"""


class Holder:
    """Another program that has the store open with plain DuckDB, until it is told to let go."""

    def __init__(self, store: Path, mode: str) -> None:
        command = [sys.executable, "-c", HOLD, str(store), mode]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout and self.process.stdout.readline() == "open\n"

    def let_go(self) -> None:
        self.process.communicate("\n", timeout=20)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "results.duckdb"


@pytest.fixture
def hold(store: Path) -> Iterator[Callable[[str], Holder]]:
    """Starts a `Holder` of the store; mode `read` or `write`."""
    holders: list[Holder] = []

    def start(mode: str) -> Holder:
        holders.append(Holder(store, mode))
        return holders[-1]

    yield start
    for holder in holders:
        if holder.process.poll() is None:
            holder.process.kill()
            holder.process.communicate()
