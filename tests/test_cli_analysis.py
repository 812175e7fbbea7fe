"""The commands that hold arms against each other, on a small sweep.

The sweep is made by a process of its own; the commands run in this one, which has loaded what they need.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.store.synthetic import Tiny, evaluate, write_run
from tests.test_cli import CONFIG, workbench
from workbench import cli
from workbench.store.database import ingest

SWEEP = (
    CONFIG.replace("  sampling: {strategy: hybrid}\n", "")
    + "sweep: {train.sampling.strategy: [mono, hybrid], seed: [0, 1, 2]}\n"
)
FEW = ("--draws", "200")


Command = Callable[..., tuple[str, str]]


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which two arms of three seeds were run; their texts are in the cache in it."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "sweep.yaml").write_text(SWEEP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CACHE", str(folder / "cache"))
        workbench(folder, "run", "sweep.yaml", "--jobs", "2")
    return folder


@pytest.fixture
def command(sweep: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in the sweep's folder; what it said on stdout and stderr."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(sweep / "cache"))
    monkeypatch.chdir(sweep)

    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["workbench", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        assert end.value.code == code, said.err
        return said.out, said.err

    return run


def rows(command: Command, *arguments: str) -> list[dict[str, Any]]:
    found = json.loads(command(*arguments, "--json")[0])
    assert isinstance(found, list)
    return found


def test_compare_says_whether_a_difference_is_real(command: Command) -> None:
    text, _ = command("compare", "mono", "hybrid", *FEW)
    assert "mean ± standard deviation" in text and "map on demo: is the difference real?" in text
    assert "of the samplings, as seeds and questions vary (drawn by paragraph)" in text
    assert "200 draws" in text and "these checkpoints only" in text
    found = rows(command, "compare", "mono", "hybrid", "--measure", "recall@10", "--unit", "article", *FEW)
    effects = [row for row in found if row["against"]]
    assert [row["setting"] for row in effects] == ["monolingual", "cross_lingual", "multilingual"]
    for row in effects:
        assert row["arm"].startswith("hybrid") and row["against"].startswith("mono") and row["seeds"] == 3
        assert row["low"] < row["difference"] < row["high"] and 0 < row["p_checkpoints"] <= 1
        assert row["measure"] == "recall@10" and row["about"] == "samplings" and row["unit"] == "article"
    assert {row["measure"] for row in found if not row["against"]} >= {"map", "recall@10"}
    again = rows(command, "compare", "mono", "hybrid", "--measure", "recall@10", "--unit", "article", *FEW)
    assert [row for row in again if row["against"]] == effects


def test_pairs_are_cells_of_one_arm_or_differences_of_two(command: Command) -> None:
    text, _ = command("pairs", "hybrid", "--measure", "recall@10")
    assert "demo: recall@10, hybrid-a50-" in text and "query" in text
    single, both = rows(command, "pairs", "mono"), rows(command, "pairs", "mono", "hybrid", *FEW)
    assert len(single) == len(both) == 6
    assert all(row["n"] == 3 and row["sd"] is not None for row in single)
    for row in both:
        assert row["p"] <= row["p_family"] + 1e-12 and (row["mark"] == "*") == (row["p_family"] < 0.05)
    text, _ = command("pairs", "mono", "hybrid", *FEW)
    assert "minus mono-" in text and "family-wise p below .05" in text


def test_queries_show_the_texts_of_what_moved(command: Command) -> None:
    found = rows(command, "queries", "mono", "hybrid", "--cell", "cross_lingual de en", "--limit", "3")
    assert len(found) == 3 and all(row["query"] and row["relevant"] and row["first"] for row in found)
    assert all((row["query_language"], row["relevant_language"]) == ("de", "en") for row in found)
    sizes = [abs(row["moved"]) for row in found]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 0
    text, _ = command("queries", "mono", "hybrid", "--limit", "1")
    assert "→" in text and "query (" in text and "relevant (" in text


def test_texts_are_read_anew_where_the_cache_lost_them(command: Command, sweep: Path) -> None:
    (kept,) = (sweep / "cache" / "texts").iterdir()
    before = kept.read_bytes()
    kept.unlink()
    (row,) = rows(command, "queries", "mono", "hybrid", "--limit", "1")
    assert row["query"] and row["relevant"]
    assert kept.read_bytes() == before


def test_power_counts_seeds(command: Command) -> None:
    found = rows(command, "power", "mono", "hybrid", "--difference", "0.5", "--difference", "0.000001")
    assert [row["difference"] for row in found] == [0.5, 0.000001] * 3
    assert all(row["pilot_seeds"] == 3 for row in found)
    assert all((row["seeds_needed"] is None) == (row["difference"] < 0.1) for row in found)
    assert "none do" in command("power", "mono", "hybrid")[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compare", "mono", "hybrid", "--measure", "mapp"], "did you mean 'map'"),
        (["compare", "mono", "mono"], "'mono' and 'mono' are both the arm mono-"),
        (["pairs", "mono", "mono"], "'mono' and 'mono' are both the arm mono-"),
        (["compare", "mono", "hybrid", "--draws", "2000000"], "1000000"),
        (["compare", "mono", "hybrid", "--task", "none"], "task 'none': allowed: demo"),
        (["compare", "mono", "hybrid", "--unit", "book"], "unit"),
        (["compare", "mono", "hybrid", "--draws", "1"], "draws"),
        (["pairs", "mono", "--measure", "mapp"], "'mapp'"),
        (["queries", "mono", "mono"], "name two"),
        (["queries", "mono", "hybrid", "--cell", "cross_lingual de fr"], "allowed: en"),
        (["power", "mono"], "two arms or more"),
        (["power", "mono", "hybrid", "--difference", "-1"], "allowed: above 0"),
    ],
)
def test_wrong_input_is_one_clear_message(command: Command, arguments: list[str], says: str) -> None:
    _, error = command(*arguments, code=2)
    assert says in error


def test_unequal_tasks_are_refused(command: Command, tmp_path: Path) -> None:
    for number, arm in enumerate(("first-1", "second-2")):
        task = Tiny(task_id=f"{arm[-1]}" * 12)
        run = write_run(tmp_path / "runs", f"2026112{number}-1403-{arm}", arm=arm, results=evaluate(task))
        ingest(tmp_path / "results.duckdb", run)
    there = ("--store", str(tmp_path / "results.duckdb"), "--runs", str(tmp_path / "runs"))
    text, error = command("compare", "first", "second", *there, code=2)
    assert "their tasks 'tiny' are not equal" in error and "mono map" in text, "the figures are shown all the same"


def test_bias_is_told_of_each_arm(command: Command) -> None:
    found = rows(command, "bias", "mono", "hybrid")
    assert {row["kind"] for row in found} == {"bias", "robustness"} and len({row["arm"] for row in found}) == 2
    assert {"rank_distance", "language_share@10", "language_cost"} <= {row["measure"] for row in found}
    assert all(row["seeds"] == 3 and row["about"] == "samplings" for row in found if row["value"] is not None)
    differences = [row for row in found if row["against"]]
    assert {row["kind"] for row in differences} == {"bias", "robustness"}
    assert all(row["arm"].startswith("hybrid") and row["against"].startswith("mono") for row in differences)
    text, hint = command("bias", "mono", "hybrid", "--full")
    assert "difference from mono-" in text and "mean rank" in text and "--full" not in hint
    assert "demo: bias between languages" in text and "demo: robustness over language pairs, map" in text
    assert "undefined (one relevant per language)" in text
    assert "did you mean 'map'" in command("bias", "mono", "--measure", "mapp", code=2)[1]


def test_claims_have_verdicts_and_a_plan_that_runs(command: Command, tmp_path: Path) -> None:
    found = {row["claim"]: row for row in rows(command, "claims")}
    assert found["rank_distance"]["seeds"] == 3 and found["rank_distance"]["about"] == "samplings"
    assert found["best_multilingual"]["verdict"] == "not testable yet"
    assert any("cross" in label for label in found["best_multilingual"]["missing"])
    assert "not testable yet" in command("claims")[0]
    (tmp_path / "missing.yaml").write_text(command("claims", "--plan")[0])
    planned = rows(command, "run", str(tmp_path / "missing.yaml"), "--dry-run")
    assert len(planned) >= 3
    assert "leave --json out" in command("claims", "--plan", "--json", code=2)[1]
    assert "none.yaml" in command("claims", "none.yaml", code=2)[1]


def test_report_and_export_write_files(command: Command, tmp_path: Path) -> None:
    said, _ = command("report", "mono", "hybrid", "--out", str(tmp_path / "report"))
    assert str(tmp_path / "report" / "report.html") in said.splitlines()
    _, error = command("report", "mono", "hybrid", "--out", str(tmp_path / "report"), code=2)
    assert "--force" in error
    trec = rows(command, "export", "mono", "--out", str(tmp_path / "trec"))
    out, narration = command("export", "mono-s0", "--out", str(tmp_path / "one"))
    (line,) = out.splitlines()
    assert "map and mrr come out lower" in narration and line.endswith(" files")
    folder, number = line.removesuffix(" files").rsplit(": ", 1)
    assert Path(folder).parent == tmp_path / "one" and int(number) == len(list(Path(folder).rglob("*.*"))) > 0
    assert len(trec) == 3 * 6 * 2 and all(Path(row["file"]).is_file() for row in trec)
    csv, _ = command("export", "mono", "hybrid", "--format", "csv", "--out", str(tmp_path / "csv"))
    assert str(tmp_path / "csv" / "cell_measures.csv") in csv.splitlines()
