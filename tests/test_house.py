"""The checks of the code itself: format, lint, types, who may import whom."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [["ruff", "format", "--check", "."], ["ruff", "check", "."], ["mypy"], ["lint-imports", "--no-cache"]],
    ids=lambda command: " ".join(command[:2]),
)
def test_check(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


VIEWS = """
import workbench.cli, workbench.config, workbench.store.database, workbench.store.console
import workbench.reports.details, workbench.reports.doctor, workbench.reports.estimate, workbench.reports.live
import workbench.reports.overview, workbench.runs.supervisor, workbench.runs.dispatcher, workbench.runs.cleaning
"""


def test_views_load_nothing_that_computes() -> None:
    assert not loaded_after(VIEWS) & {"torch", "transformers", "accelerate", "datasets", "scipy", "pandas"}


def test_statistics_load_scipy_and_nothing_that_trains() -> None:
    statistics = "import workbench.reports.comparison_tables, workbench.reports.queries, workbench.reports.trec"
    loaded = loaded_after(statistics)
    assert "scipy" in loaded
    assert not loaded & {"torch", "transformers", "accelerate", "datasets", "pandas", "matplotlib"}


def test_the_worker_loads_no_view() -> None:
    worker = """
import workbench.runs.worker, workbench.training.loop, workbench.evaluation.evaluate, workbench.data.loading
"""
    assert not loaded_after(worker) & {"duckdb", "typer", "pydantic", "rich", "textual"}


def test_help_loads_next_to_nothing() -> None:
    heavy = {"duckdb", "pydantic", "pyarrow", "numpy", "yaml", "psutil", "torch"}
    assert not loaded_after("import workbench.cli") & heavy


def test_a_bare_machine_needs_what_the_readme_says() -> None:
    worker = """
import workbench.runs.worker, workbench.training.loop, workbench.evaluation.evaluate, workbench.data.loading
"""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[<>=\[]", dependency)[0] for dependency in declared}
    modules = {"faiss": "faiss-cpu", "yaml": "pyyaml"}
    loaded = {modules.get(module, module) for module in loaded_after(worker)} & names
    said = re.search(r"GPU machine that has ([^(]*)\(", (ROOT / "README.md").read_text())
    # packaging and jinja2 come with torch; transformers imports sentencepiece where it is there
    assert said and loaded - {"packaging", "jinja2", "sentencepiece"} == set(
        re.split(r",\s+|\s+and\s+", said[1].strip())
    )
