"""The store's views as files: what is read back is what the views say, of the runs that were asked for."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.analysis.hand import HYBRID, MONO, make_store
from workbench.errors import InputError
from workbench.reports.export.views import export_tables, runs_meant
from workbench.store.copying import statements
from workbench.store.database import query


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("hand"))


def test_parquet_and_csv_have_the_rows_of_the_views(store: Path, tmp_path: Path) -> None:
    runs = runs_meant(store, MONO)
    assert runs == runs_meant(store, "mono") and len(runs) == 2
    files = export_tables(store, runs, tmp_path / "p", "parquet")
    export_tables(store, runs, tmp_path / "c", "csv")
    assert {file.stem for file in files} == set(statements())
    for view, statement in statements().items():
        known = query(store, f"{statement} order by all", {"runs": runs})
        table = pq.read_table(tmp_path / "p" / f"{view}.parquet")
        assert tuple(table.column_names) == known.columns
        # sums over several threads differ in their last digit
        for row, expected in zip(table.to_pylist(), known.rows, strict=True):
            numbers = [value for value in row.values() if isinstance(value, float)]
            assert numbers == pytest.approx([value for value in expected if isinstance(value, float)], nan_ok=True)
            others = [value for value in row.values() if not isinstance(value, float)]
            assert others == [value for value in expected if not isinstance(value, float)]
        with (tmp_path / "c" / f"{view}.csv").open(newline="") as handle:
            head, *lines = csv.reader(handle)
        assert tuple(head) == known.columns and len(lines) == len(known.rows)
    ranks = pq.read_table(tmp_path / "p" / "relevant_ranks.parquet")
    assert set(ranks["run_id"].to_pylist()) == set(runs) and len(ranks) == 2 * 3 * 4 * (3 + 3)
    arms = pq.read_table(tmp_path / "p" / "arm_measures.parquet")
    assert set(arms["arm"].to_pylist()) == {MONO}


def test_a_run_is_meant_by_a_part_of_its_id_and_an_arm_by_its_beginning(store: Path) -> None:
    one, other = runs_meant(store, HYBRID)
    assert runs_meant(store, one) == [one]
    assert runs_meant(store, other[:-5]) == [other]
    assert runs_meant(store, "hybrid") == runs_meant(store, "-hybrid-") == [one, other]
    with pytest.raises(InputError, match="no finished run"):
        runs_meant(store, "none")


def test_unknown_runs_and_used_folders_are_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run 'none': not in"):
        export_tables(store, ["none"], tmp_path / "out", "csv")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="something in it"):
        export_tables(store, runs_meant(store, MONO), tmp_path, "csv")
    export_tables(store, runs_meant(store, MONO), tmp_path, "csv", force=True)
    assert (tmp_path / "mine.txt").read_text() == "mine" and (tmp_path / "runs.csv").exists()
