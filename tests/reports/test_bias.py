"""Bias and robustness as rows and as tables."""

import json
from pathlib import Path

import pytest

from tests.analysis.hand import HYBRID, MONO, TASK, make_store
from tests.store.synthetic import Tiny, make_settings, write_run
from tests.store.test_views import measured
from workbench.errors import InputError
from workbench.reports.bias import bias_rows, print_bias, robustness_rows
from workbench.store.database import ingest


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("hand"))


def test_rows_are_plain(store: Path) -> None:
    rows = bias_rows(store, [MONO, HYBRID])
    assert {row["arm"] for row in rows} == {MONO, HYBRID} and {row["task"] for row in rows} == {TASK}
    row = rows[0]
    assert (
        row.items() >= {"arm": MONO, "measure": "rank_distance", "query_language": "*", "passage_language": "*"}.items()
    )
    assert row["value"] == pytest.approx(7.458333) and (row["seeds"], row["queries"], row["leaked"]) == (2, 12, None)
    peer = next(row for row in rows if row["measure"] == "peer@10")
    assert peer["value"] is None and peer["note"] == "undefined (one relevant per language)"
    assert {row["figure"] for row in robustness_rows(store, [MONO])} >= {"spread", "worst pair", "script", "training"}
    json.dumps([*rows, *robustness_rows(store, [MONO])], allow_nan=False)


def test_rows_of_one_unit_have_no_interval(store: Path) -> None:
    row = bias_rows(store, [MONO], unit="article")[0]
    assert row["value"] is not None and row["low"] is None and row["high"] is None


def test_printed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_bias(store, [MONO, HYBRID], full=True)
    out, hint = capsys.readouterr()
    lines = out.splitlines()
    assert not hint and lines[0] == "hand: bias between languages [95 % intervals: samplings]"
    assert lines[1].split() == [MONO, HYBRID]
    assert next(line for line in lines if line.startswith("rank distance ")).split()[2] == "7.4583"
    assert any(line.startswith("worst pair") and "de → zh .3250 [" in line for line in lines)
    assert any(line.startswith("cross-lingual, query unseen in training") for line in lines)
    place = lines.index(f"{MONO}: mean rank in the pool of all languages; mean without a language's own queries")
    assert lines[place + 1].split() == ["query", "de", "en", "zh"]
    assert lines[place + 5].split()[:2] == ["mean", "4.7500"]
    assert any(line.startswith(f"{HYBRID}: cross-lingual map by script") for line in lines)
    assert any(line.startswith(f"{HYBRID} minus {MONO}: mean rank in the pool") for line in lines)
    assert any(line.startswith(f"{HYBRID} minus {MONO}: cross-lingual map by family") for line in lines)


def test_printed_in_short(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_bias(store, [MONO, HYBRID])
    out, hint = capsys.readouterr()
    titles = [line for line in out.splitlines() if line.endswith("samplings]")]
    assert titles == [
        f"hand: {words}{less} [95 % intervals: samplings]"
        for words in ("bias between languages", "robustness over language pairs, map")
        for less in ("", f", difference from {MONO}")
    ]
    assert len([line for line in out.splitlines() if line.startswith("rank distance  ")]) == 2
    assert "mean rank" not in out and "by script" not in out and "--full" in hint
    print_bias(store, [MONO])
    assert "difference" not in capsys.readouterr().out


def test_differences_are_rows_too(store: Path) -> None:
    for rows in (bias_rows(store, [MONO, HYBRID]), robustness_rows(store, [MONO, HYBRID])):
        keys = ("measure", "setting", "query_language", "passage_language", "figure", "group")
        own = {(row["arm"], *map(row.get, keys)): row["value"] for row in rows if row["against"] is None}
        differences = [row for row in rows if row["against"] and row["value"] is not None]
        assert differences and {(row["arm"], row["against"]) for row in differences} == {(HYBRID, MONO)}
        for row in differences:
            place = (*map(row.get, keys),)
            assert row["value"] == pytest.approx(own[HYBRID, *place] - own[MONO, *place])
            assert row["against_leaked"] is None
    figures = {row["figure"] for row in differences}
    assert figures == {"mean", "spread", "script", "family", "training"}  # the worst pair is another one


def test_as_json(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_bias(store, [MONO], as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert {row["kind"] for row in rows} == {"bias", "robustness"}


def test_tasks_with_one_kind_only_and_several_tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "results.duckdb"
    results, other = measured(Tiny(), found=1.0), measured(Tiny("other", task_id="ba9876543210"), found=1.0)
    for name, rows in other.tables.items():
        kept = [row for row in rows if row.get("pool_language") != "*" and name != "retrieved_languages"]
        results.tables[name] += kept
    results.tasks += other.tasks
    environment = {"leakage": {"leaked": True}}
    run = write_run(tmp_path / "runs", results=results, settings=make_settings(), environment=environment)
    ingest(store, run)
    assert {row["task"] for row in bias_rows(store, ["hybrid-a50-1c9e07"])} == {"tiny"}
    assert {row["task"] for row in robustness_rows(store, ["hybrid-a50-1c9e07"])} == {"tiny", "other"}
    print_bias(store, ["hybrid-a50-1c9e07"])
    out = capsys.readouterr().out
    assert "hybrid-a50-1c9e07 †" in out and out.endswith("† trained on texts of the evaluation tasks\n")
    with pytest.raises(InputError, match="other: it has no multilingual setting"):
        bias_rows(store, ["hybrid-a50-1c9e07"], "other")
    with pytest.raises(InputError, match="task 'tinny': "):
        print_bias(store, ["hybrid-a50-1c9e07"], "tinny")
    with pytest.raises(InputError, match="no arm"):
        bias_rows(store, [])
