"""TREC files: what ir_measures reads back from them is what the store has."""

import shutil
from pathlib import Path
from urllib.parse import unquote

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, R, nDCG

from tests.store.synthetic import Tiny, evaluate, write_run
from workbench.errors import InputError
from workbench.evaluation.measures import per_query
from workbench.paths import RunsPaths
from workbench.reports.trec import DEPTH, UNKNOWN, export_trec, token
from workbench.store.database import ingest, query

RUN_ID = "20261122-1403-hybrid-a50-s0-7f3c"
NAMES = {"map@20": AP @ 20, "recall@1": R @ 1, "recall@10": R @ 10, "recall@100": R @ 100, "ndcg@10": nDCG @ 10}


def stored(folder: Path, task: Tiny, found: float = 1.0) -> tuple[Path, RunsPaths]:
    run = write_run(folder / "runs", RUN_ID, results=evaluate(task, found=found))
    ingest(folder / "results.duckdb", run)
    return folder / "results.duckdb", RunsPaths(folder / "runs")


def read_back(stem: Path) -> dict[str, float]:
    qrels = list(ir_measures.read_trec_qrels(str(stem) + ".qrels"))
    run = list(ir_measures.read_trec_run(str(stem) + ".run"))
    found = ir_measures.calc_aggregate([*NAMES.values(), AP @ DEPTH, RR @ DEPTH], qrels, run)
    return {str(measure): value for measure, value in found.items()}


@pytest.mark.parametrize(("gone", "per_language"), [(False, 2), (True, 1)], ids=["run directory", "store alone"])
def test_ir_measures_reads_the_stored_numbers(tmp_path: Path, gone: bool, per_language: int) -> None:
    # pools of 120 and 360: some relevants stand below the last rank of a run file
    store, runs = stored(tmp_path, Tiny(pool=120, per_language=per_language))
    if gone:
        shutil.rmtree(runs.run(RUN_ID).root)
    files = export_trec(store, runs, [RUN_ID], tmp_path / "trec")
    assert len(files) == 2 * 12 and all(file.suffix in (".run", ".qrels") for file in files)
    measures = query(store, "select setting, query_language, pool_language, measure, value from rank_measures").rows
    values = {(a, b, c, measure): value for a, b, c, measure, value in measures}
    for setting, language, pool in Tiny().cells():
        stem = tmp_path / "trec" / RUN_ID / "tiny" / f"{setting}.{language}-{pool.replace('*', 'all')}"
        found = read_back(stem)
        for name, measure in NAMES.items():
            assert found[str(measure)] == pytest.approx(values[setting, language, pool, name], abs=1e-6)
        rows = query(
            store,
            "select query_id, rank, relevance from relevant_ranks "
            "where (setting, query_language, pool_language) = (?, ?, ?)",
            [setting, language, pool],
        ).rows
        ids = sorted({row[0] for row in rows})
        columns = np.array([(ids.index(name), rank, grade) for name, rank, grade in rows]).T
        # what has no cut-off in the store has that of the file
        assert found[str(AP @ DEPTH)] == pytest.approx(per_query("map@100", *columns).mean(), abs=1e-6)
        assert found[str(RR @ DEPTH)] == pytest.approx(per_query("mrr@100", *columns).mean(), abs=1e-6)
    assert any(rank > DEPTH for _, rank, _ in rows)


def test_a_run_file_by_hand(tmp_path: Path) -> None:
    results = evaluate(Tiny(questions=1, languages=("en", "th")))
    cell = {"task": "tiny", "setting": "cross_lingual", "query_language": "en", "pool_language": "th"}
    one = {**cell, "query_id": "q0"}

    def others(name: str) -> list[dict[str, object]]:
        return [row for row in results.tables[name] if any(row.get(key) != value for key, value in cell.items())]

    relevant = {"passage_language": "th", "relevance": 1}
    results.tables["relevant_ranks"] = [
        *others("relevant_ranks"),
        {**one, **relevant, "passage_id": "th:0", "rank": 5},
        {**one, **relevant, "passage_id": "th 1", "rank": None, "relevance": 2},
    ]
    results.tables["top_passages"] = [
        *others("top_passages"),
        *({**one, "position": place, "passage_id": name} for place, name in ((1, "_unknown-9"), (2, "50%"))),
    ]
    run = write_run(tmp_path / "runs", RUN_ID, results=results)
    ingest(tmp_path / "results.duckdb", run)
    export_trec(tmp_path / "results.duckdb", RunsPaths(tmp_path / "runs"), [RUN_ID], tmp_path / "trec")
    stem = tmp_path / "trec" / RUN_ID / "tiny" / "cross_lingual.en-th"
    passages = ("%5Funknown-9", "50%25", "_unknown-3", "_unknown-4", "th:0")
    lines = [f"q0 Q0 {name} {rank} {-rank} {RUN_ID}" for rank, name in enumerate(passages, start=1)]
    assert Path(f"{stem}.run").read_text().splitlines() == lines
    assert Path(f"{stem}.qrels").read_text().splitlines() == ["q0 0 th%201 2", "q0 0 th:0 1"]


def test_ids_with_spaces_are_read_back(tmp_path: Path) -> None:
    store, runs = stored(tmp_path, Tiny(query_prefix="who is "))
    export_trec(store, runs, [RUN_ID], tmp_path / "trec")
    found = read_back(tmp_path / "trec" / RUN_ID / "tiny" / "multilingual.en-all")
    (expected,) = query(
        store, "select value from rank_measures where pool_language = '*' and query_language = 'en' and measure = 'map'"
    ).rows
    assert found[str(AP @ DEPTH)] == pytest.approx(expected[0])


@given(st.text(min_size=1), st.sampled_from(["", UNKNOWN]))
def test_a_token_is_one_word_and_gives_its_name_back(text: str, before: str) -> None:
    name = before + text
    word = token(name)
    assert unquote(word) == name and word.split() == [word] and not word.startswith(UNKNOWN)


def test_an_empty_id_is_refused() -> None:
    with pytest.raises(InputError, match="an id is empty"):
        token("")


def test_files_are_whole_and_nobody_elses_are_lost(tmp_path: Path) -> None:
    store, runs = stored(tmp_path, Tiny())
    out = tmp_path / "trec"
    with pytest.raises(InputError, match="no ranks of it"):
        export_trec(store, runs, ["20261122-1403-none"], out)
    assert not out.exists()
    first = {file: file.read_bytes() for file in export_trec(store, runs, [RUN_ID], out)}
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="something in it"):
        export_trec(store, runs, [RUN_ID], out)
    victim = next(iter(first))
    victim.write_text("old")
    assert export_trec(store, runs, [RUN_ID], out, force=True) == sorted(first)
    assert {file: file.read_bytes() for file in first} == first and (out / "notes.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    with pytest.raises(InputError, match="a file, not a folder"):
        export_trec(store, runs, [RUN_ID], victim)


def test_of_several_runs_all_are_written_or_none(tmp_path: Path) -> None:
    store, runs = stored(tmp_path, Tiny())
    other = RUN_ID.replace("-s0-", "-s1-")
    ingest(store, write_run(tmp_path / "runs", other, results=evaluate(Tiny(), seed=1)))
    out = tmp_path / "trec"
    with pytest.raises(InputError, match="no ranks of it"):
        export_trec(store, runs, [RUN_ID, "20261122-1403-none"], out)
    assert not out.exists()
    files = export_trec(store, runs, [RUN_ID, other], out)
    assert {file.relative_to(out).parts[0] for file in files} == {RUN_ID, other} and len(files) == 2 * 2 * 12
    with pytest.raises(InputError, match="something in it"):
        export_trec(store, runs, [RUN_ID, other], out)


def test_files_that_contradict_the_store_are_refused(tmp_path: Path) -> None:
    store, runs = stored(tmp_path, Tiny())
    other = evaluate(Tiny(), seed=9)
    write_run(tmp_path / "runs", RUN_ID, results=other)
    with pytest.raises(InputError, match="both stand at rank"):
        export_trec(store, runs, [RUN_ID], tmp_path / "trec")
    assert not (tmp_path / "trec").exists()
    (runs.run(RUN_ID).results / "top_passages.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=r"top_passages\.parquet: damaged"):
        export_trec(store, runs, [RUN_ID], tmp_path / "trec")
