import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.evaluation.made import Sizes, expected_ranks, made_task, ranked_pools
from workbench.data.task import RetrievalTask
from workbench.evaluation.measures import MEASURES, measure_cells
from workbench.evaluation.ranking import rank_task
from workbench.evaluation.results import Rankings
from workbench.evaluation.tables import Tables, concatenated, result_tables, write_tables
from workbench.records import SETTINGS

WORD = pa.dictionary(pa.int32(), pa.string())
CELL = {"task": WORD, "setting": WORD, "query_language": WORD, "pool_language": WORD}
SCHEMAS = {
    "queries": {"task": WORD, "query_id": WORD, "paragraph": WORD, "article": WORD},
    "relevant_ranks": {
        **CELL,
        "query_id": WORD,
        "passage_id": WORD,
        "passage_language": WORD,
        "relevance": pa.int16(),
        "rank": pa.int32(),
    },
    "retrieved_languages": {
        "task": WORD,
        "query_language": WORD,
        "query_id": WORD,
        "depth": pa.int16(),
        "passage_language": WORD,
        "passages": pa.int16(),
    },
    "top_passages": {**CELL, "query_id": WORD, "position": pa.int16(), "passage_id": WORD},
    "measurements": {**CELL, "measure": WORD, "value": pa.float64(), "queries": pa.int32()},
}


def made_tables(name: str, seed: int, top: bool = True) -> tuple[RetrievalTask, Rankings, Tables]:
    task, query_vectors, passage_vectors = made_task(Sizes(), seed)
    rankings = rank_task(task, query_vectors, passage_vectors, top=top)
    return task, rankings, result_tables(name, task, rankings, measure_cells(rankings))


def test_columns_and_their_types(tmp_path: Path) -> None:
    write_tables(tmp_path, made_tables("made", seed=1)[2])
    assert {p.name for p in tmp_path.iterdir()} == {f"{name}.parquet" for name in SCHEMAS}
    for name, columns in SCHEMAS.items():
        file = pq.ParquetFile(tmp_path / f"{name}.parquet")
        assert file.schema_arrow.remove_metadata() == pa.schema(columns)
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_rank_rows_in_words() -> None:
    task, _, tables = made_tables("made", seed=2)
    query_vectors, passage_vectors = made_task(Sizes(), 2)[1:]
    expected = [
        {
            "task": "made",
            "setting": setting,
            "query_language": language,
            "pool_language": pool,
            "query_id": task.query_ids[question],
            "passage_id": task.candidate_ids[candidate],
            "passage_language": task.languages[task.candidate_languages[candidate]],
            "relevance": relevance,
            "rank": rank,
        }
        for setting, language, pool, question, candidate, relevance, rank in expected_ranks(
            task, ranked_pools(task, query_vectors, passage_vectors)
        )
    ]
    rows = tables["relevant_ranks"].to_pylist()
    assert sorted(rows, key=str) == sorted(expected, key=str)


def test_queries_measurements_and_first_passages_in_words() -> None:
    task, rankings, tables = made_tables("made", seed=3)
    assert tables["queries"].to_pylist() == [
        {"task": "made", "query_id": q, "paragraph": p, "article": a}
        for q, p, a in zip(task.query_ids, task.paragraphs, task.articles, strict=True)
    ]
    measurements = measure_cells(rankings)
    first = tables["measurements"].to_pylist()[0]
    assert (first["setting"], first["measure"]) == (SETTINGS[measurements.setting[0]], MEASURES[0])
    assert (first["value"], first["queries"]) == (measurements.value[0], measurements.queries[0])
    ranks = {(r["setting"], r["query_language"], r["pool_language"], r["query_id"], r["passage_id"]): r["rank"]
             for r in tables["relevant_ranks"].to_pylist()}  # fmt: skip
    listed = {(r["setting"], r["query_language"], r["pool_language"], r["query_id"], r["passage_id"]): r["position"]
              for r in tables["top_passages"].to_pylist()}  # fmt: skip
    assert {key: rank for key, rank in ranks.items() if key in listed} == {
        k: p for k, p in listed.items() if k in ranks
    }
    assert len([key for key in ranks if key in listed]) > 10


def test_retrieved_languages_add_up_to_the_depth() -> None:
    _, _, tables = made_tables("made", seed=4)
    sums = (
        tables["retrieved_languages"].group_by(["query_language", "query_id", "depth"]).aggregate([("passages", "sum")])
    )
    # the pool holds 30 passages
    assert {(r["depth"], r["passages_sum"]) for r in sums.to_pylist()} == {(10, 10), (100, 30)}
    assert min(tables["retrieved_languages"]["passages"].to_pylist()) > 0


def test_a_rank_beyond_the_depth_is_null() -> None:
    task, rankings, _ = made_tables("made", seed=5)
    cut = replace(rankings, rank=np.where(rankings.rank > 5, 0, rankings.rank).astype(np.int32))
    table = result_tables("made", task, cut, measure_cells(rankings))["relevant_ranks"]
    expected = [rank if rank <= 5 else None for rank in rankings.rank.tolist()]
    assert table["rank"].to_pylist() == expected
    assert None in expected


def test_tasks_of_one_run_stand_in_one_file(tmp_path: Path) -> None:
    parts = [made_tables(name, seed, top=name != "c")[2] for seed, name in enumerate("abc", start=6)]
    both = concatenated(parts)
    write_tables(tmp_path, both)
    for name, table in both.items():
        expected = [row for part in parts if name in part for row in part[name].to_pylist()]
        assert pq.read_table(tmp_path / f"{name}.parquet").to_pylist() == table.to_pylist() == expected
    assert set(both["top_passages"]["task"].to_pylist()) == {"a", "b"}


@pytest.mark.parametrize("module", ["measures", "tables", "results"])
def test_measures_and_tables_need_no_torch(module: str) -> None:
    code = f"import sys, workbench.evaluation.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
