"""What README says was found is what `results.duckdb` says, and that has the runs of the configs and of the packed run
directories. `python -m tests.test_findings` writes the tables."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.config import read_config
from workbench.reports.overview import HASH
from workbench.store.console import run_sql

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
COMMAND = re.compile(r"```console\n\$ ((?:[^\n]*\\\n)*[^\n]*)\n(.*?)```", re.DOTALL)
QUERY = re.compile(r"```sql\n(.*?)```", re.DOTALL)
EXPERIMENT = ROOT / "configs" / "experiment"
TABLES, QUERIES = COMMAND.findall(README.read_text()), QUERY.findall(README.read_text())
LARGEST = 60_000_000


def printed(command: str, home: Path) -> str:
    """What a command prints in a folder with the shipped results and configs."""
    environment = {**os.environ, "NO_COLOR": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], cwd=home, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return "\n".join(text.rstrip() for text in done.stdout.rstrip().splitlines()) + "\n"


def make_home(folder: Path) -> Path:
    """The shipped store is copied, as a reader leaves a lock beside it."""
    shutil.copy(ROOT / "results.duckdb", folder)
    (folder / "configs").symlink_to(ROOT / "configs")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("findings"))


@pytest.mark.parametrize("number", range(len(TABLES)))
def test_the_tables_are_what_their_commands_print(home: Path, number: int) -> None:
    command, shown = TABLES[number]
    assert printed(command, home) == shown, "if that is right: python -m tests.test_findings"


def test_there_are_tables() -> None:
    assert len(TABLES) >= 4
    assert sum("workbench claims" in command for command, _ in TABLES) >= 2


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_the_queries_run_on_it(home: Path, number: int) -> None:
    assert run_sql(home / "results.duckdb", QUERIES[number]).rows


@pytest.mark.parametrize("config", ["core", "synthetic", "controls", "untrained"])
def test_the_runs_of_the_experiment_are_in_it(home: Path, config: str) -> None:
    wanted = {(settings.label, settings.seed) for settings in read_config(EXPERIMENT / f"{config}.yaml").settings}
    runs = run_sql(home / "results.duckdb", "select arm, seed from runs where experiment = 'experiment'").rows
    assert wanted <= {(HASH.sub("", arm), seed) for arm, seed in runs}


def test_it_is_what_the_packed_runs_say(home: Path) -> None:
    runs = run_sql(home / "results.duckdb", "select run_id, experiment from runs where state = 'finished'").rows
    packed = {folder.name for folder in (EXPERIMENT / "results").iterdir()}
    assert {run_id for run_id, experiment in runs if experiment == "experiment"} == packed
    assert {experiment for _, experiment in runs} == {"experiment", "quickstart"}
    assert (ROOT / "results.duckdb").stat().st_size < LARGEST


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        place = make_home(Path(folder))
        text = COMMAND.sub(lambda m: f"```console\n$ {m[1]}\n{printed(m[1], place)}```", README.read_text())
    README.write_text(text)
