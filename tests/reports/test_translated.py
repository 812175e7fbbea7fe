"""Figures of cells with questions that a machine translated are marked wherever they stand."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.store.synthetic import Tiny, evaluate, write_run
from workbench.paths import RunsPaths
from workbench.reports.comparison_tables import pair_rows, print_compared, print_effects, print_pairs
from workbench.reports.comparisons import cell_rows, compared
from workbench.reports.export.content import report_of
from workbench.reports.export.maps import maps_of
from workbench.reports.export.page import as_html
from workbench.reports.export.written import as_markdown
from workbench.reports.output import print_runs
from workbench.reports.overview import arm_figures, run_listing
from workbench.store.database import ingest

RUN_ID = "20261122-1403-hybrid-a50-s0-7f3c"
ARM = "hybrid-a50-1c9e07"


def stored(folder: Path, run_id: str = RUN_ID, arm: str = ARM, seed: int = 0, **options: Any) -> Path:
    results = evaluate(Tiny(), seed=seed)
    results.tasks = [Tiny().described(options=options)]
    ingest(folder / "results.duckdb", write_run(folder / "runs", run_id, arm=arm, results=results))
    return folder / "results.duckdb"


def test_means_and_cells_with_machine_translated_questions_are_marked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = {"translated": json.dumps({"en>th": "nllb", "th>zh": "human"})}
    store = stored(tmp_path, notes=notes)
    (run,) = run_listing(RunsPaths(tmp_path / "runs"), store)
    assert run["translated"] == {"tiny": ["cross_lingual", "multilingual"]}
    print_runs([run])
    said = capsys.readouterr().out
    assert said.splitlines()[1].count("‡") == 2 and "‡ some or all questions" in said
    print_compared(store, [ARM], "map", None, "paragraph", 100)
    said = capsys.readouterr().out
    # mAP of two settings and R@10; not the two figures of the monolingual one
    assert said.splitlines()[2].count("‡") == 3 and "‡ some or all questions" in said
    print_pairs(pair_rows(store, [ARM], "map", None, "paragraph", 100))
    said = capsys.readouterr().out
    assert [line.count("‡") for line in said.splitlines()[2:5]] == [2, 0, 0] and "‡ some or all questions" in said
    stored(tmp_path, RUN_ID.replace("a50", "a40"), "other-1", seed=5, notes=notes)
    arms = [ARM, "other-1"]
    print_effects(compared(store, arms, draws=100))
    table = capsys.readouterr().out.splitlines()
    assert ["‡" in line for line in table[2:5]] == [False, True, True] and table[-1].startswith("‡ some or all")
    print_pairs(cell_rows(store, arms, draws=100))
    said = capsys.readouterr().out
    assert [line.count("‡") for line in said.splitlines()[2:5]] == [2, 0, 0] and "‡ some or all questions" in said
    report = report_of(store, arms)
    lines = report.tasks[0].headlines.lines
    assert [line.translated for line in lines] == [line.group != "monolingual" for line in lines]
    assert "| mAP‡ |" in as_markdown(report) and "‡ some or all questions" in as_markdown(report)
    assert "mAP‡" in as_html(report, maps_of(report))


def test_a_language_that_is_left_out_marks_no_mean(tmp_path: Path) -> None:
    store = stored(tmp_path, notes={"translated": json.dumps({"en>th": "nllb"})}, leave_out=["en"])
    assert not any(row["translated"] for row in arm_figures(store, [ARM]))
