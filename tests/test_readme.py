"""What the README says is so. `python -m tests.test_readme` writes its table of config keys."""

import re
from pathlib import Path

import pytest

from tests.store.synthetic import make_settings, write_run
from workbench.analysis.claims import read_claims
from workbench.config import parse_yaml, read_config, validate
from workbench.config_keys import reference
from workbench.store.console import run_sql
from workbench.store.database import ingest

README = Path(__file__).parents[1] / "README.md"
MARKS = re.compile(r"(<!-- reference: .*? -->\n)(.*?)(<!-- end of reference -->)", re.DOTALL)


def reference_table() -> str:
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for row in reference():
        cells = [f"`{row['key']}`", row["type"].replace("|", r"\|"), row["default"], row["meaning"]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def test_the_table_of_config_keys_is_that_of_the_records() -> None:
    found = MARKS.search(README.read_text())
    assert found and found[2] == reference_table(), "run: python -m tests.test_readme"


def test_the_example_claim_is_sound(tmp_path: Path) -> None:
    *_, example = blocks("yaml")
    (tmp_path / "claim.yaml").write_text(example)
    (claim,) = read_claims([tmp_path / "claim.yaml"])
    assert [one.direction for one in claim.comparisons] == ["at_least", "lower", "at_least"]


def test_the_example_config_is_sound() -> None:
    example, *_ = blocks("yaml")
    content = parse_yaml(example, "README.md")
    del content["sweep"]
    assert validate(content, "README.md").name == "my-experiment"


def test_the_example_of_synthetic_data_is_sound() -> None:
    example, synthetic, _ = (parse_yaml(block, "README.md") for block in blocks("yaml"))
    del example["sweep"]
    example["train"] |= synthetic["train"]
    assert validate(example, "README.md").train.synthetic is not None  # type: ignore[union-attr]


@pytest.mark.parametrize("number", range(3))
def test_its_queries_run(tmp_path: Path, number: int) -> None:
    for arm in ("mono-111111", "hybrid-a50-222222"):
        settings = make_settings(name="quickstart")
        run = write_run(tmp_path / "runs", f"20261122-1403-{arm}", arm=arm, settings=settings)
        ingest(tmp_path / "results.duckdb", run)
    table = run_sql(tmp_path / "results.duckdb", blocks("sql")[number])
    assert table.rows and table.columns


def test_its_first_two_commands_are_the_ones_that_ci_runs() -> None:
    commands = re.findall(r"^    (pip install .*)$", README.read_text(), re.MULTILINE)
    assert commands == [
        "pip install -e . && workbench run configs/quickstart.yaml",
        "pip install -e '.[test]' && pytest -n 2 --dist loadfile",
    ]
    assert read_config(README.parent / "configs" / "quickstart.yaml").settings


if __name__ == "__main__":
    README.write_text(MARKS.sub(lambda m: m[1] + reference_table() + m[3], README.read_text()))
