"""TREC run and qrels files of runs, for ir_measures, trec_eval and whoever reads those.

`export_trec(store, runs, [run_id], out)` writes for each task and cell

    <out>/<run_id>/<task>/<setting>.<query language>-<pool language>.run      query Q0 passage rank -rank run_id
    <out>/<run_id>/<task>/<setting>.<query language>-<pool language>.qrels    query 0 passage grade

with `all` for the pool of all languages. A run file reaches down to rank 100 at most: whatever is measured with a
cut-off up to 100 (`AP@100`, `R@10`, `nDCG@10` ...) is what the workbench measures; without one (`map`, `mrr`) it is
lower, as what stands below does not count. A run directory keeps 10 passages of a query in the pool of one language
and 100 in that of all; between these and a relevant passage further down stand passages whose names nobody kept:
`_unknown-<rank>`. Below the last known passage there are no lines.

A name may not hold white space in these files: it is percent-encoded there, and so are `%` and what would look like a
placeholder; `urllib.parse.unquote` gives the name back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.paths import RunPaths, RunsPaths
from workbench.records import ALL_POOLS
from workbench.reports.export.folders import write_export
from workbench.store.database import query

DEPTH = 100
"""The last rank in a run file."""
CUT = (
    f"run files reach to rank {DEPTH}: map and mrr come out lower from them, as relevant passages further down do not "
    "count; map@20, recall@k and ndcg@10 agree"
)
UNKNOWN = "_unknown-"

Cell = tuple[str, str, str, str]
"""(task, setting, query language, pool language)"""
NAMES = ("task", "setting", "query_language", "pool_language", "query_id", "passage_id")
"""Columns of first passages, the cell's before the others."""


@dataclass(frozen=True)
class Relevant:
    """A relevant passage of a query in a cell."""

    cell: Cell
    query_id: str
    passage_id: str
    relevance: int
    rank: int | None
    """None = beyond the depth searched."""


def export_trec(store: Path, runs: RunsPaths, run_ids: Sequence[str], out: Path, *, force: bool = False) -> list[Path]:
    """Write the run and qrels files of finished runs, all or none; the files, sorted.

    What stands beside the relevant passages comes from the run's directory; where that is gone, from the store, which
    knows the first passage only.

    Raises
    ------
    InputError
        The store has no ranks of a run, its files contradict each other, an id is empty, or `out` is in use.
    WorkError
        The store is busy or `out` cannot be written.
    """

    def write(folder: Path) -> None:
        for run_id in run_ids:
            write_run(store, runs, run_id, folder / run_id)

    return write_export(out, write, force=force)


def write_run(store: Path, runs: RunsPaths, run_id: str, folder: Path) -> None:
    relevants = relevants_of(store, run_id)
    if not relevants:
        raise InputError(f"run {run_id!r}: no ranks of it in {store}; only finished runs have them")
    top = top_passages(runs.run(run_id))
    if top is None:
        top = first_passages(store, run_id)
    for cell, rows in groupby(relevants, key=lambda row: row.cell):
        of_query = {name: list(group) for name, group in groupby(rows, key=lambda row: row.query_id)}
        path = folder / file_stem(cell)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = run_lines(of_query, top.of(cell), run_id)
        path.with_name(f"{path.name}.run").write_text("".join(lines), encoding="utf-8")
        path.with_name(f"{path.name}.qrels").write_text("".join(qrels_lines(of_query)), encoding="utf-8")


def file_stem(cell: Cell) -> Path:
    """`xquad_r/multilingual.ar-all`."""
    task, setting, query_language, pool_language = cell
    pool = "all" if pool_language == ALL_POOLS else quote(pool_language, safe="")
    return Path(quote(task, safe="")) / f"{setting}.{quote(query_language, safe='')}-{pool}"


def relevants_of(store: Path, run_id: str) -> list[Relevant]:
    """Sorted by cell, query and rank."""
    table = query(
        store,
        """
        select task, setting, query_language, pool_language, query_id, passage_id, relevance, rank
        from relevant_ranks where run_id = ? order by 1, 2, 3, 4, 5, rank nulls last, 6
        """,
        [run_id],
    )
    return [Relevant(row[:4], *row[4:]) for row in table.rows]


class Top:
    """The first passages of the queries of every cell, one cell at a time: a run may have millions."""

    def __init__(self, columns: Mapping[str, Any], positions: NDArray[np.int64]) -> None:
        """`columns` dictionary-encoded, of the length of `positions`: `NAMES`."""
        self.columns = columns
        self.positions = positions
        self.cells: dict[Cell, NDArray[np.int64]] = {}
        if not len(positions):
            return
        key = np.zeros(len(positions), np.int64)
        for name in NAMES[:4]:
            key = key * len(columns[name].dictionary) + columns[name].indices.to_numpy()
        order = np.argsort(key, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
            task, setting, query_language, pool = (columns[name][int(rows[0])].as_py() for name in NAMES[:4])
            self.cells[task, setting, query_language, pool] = rows

    def of(self, cell: Cell) -> dict[str, list[tuple[int, str]]]:
        """By query (position, passage)."""
        found: dict[str, list[tuple[int, str]]] = {}
        rows = self.cells.get(cell, np.zeros(0, np.int64))
        queries, passages = (self.columns[name].take(rows).to_pylist() for name in NAMES[4:])
        for query_id, position, passage in zip(queries, self.positions[rows].tolist(), passages, strict=True):
            found.setdefault(query_id, []).append((position, passage))
        return found


def first_passages(store: Path, run_id: str) -> Top:
    """What the store knows besides the relevant passages: which one is ranked first."""
    import pyarrow as pa

    table = query(store, f"select {', '.join(NAMES)} from first_passages where run_id = ?", [run_id])
    columns = [pa.array([row[place] for row in table.rows], pa.string()) for place in range(len(NAMES))]
    encoded = {name: column.dictionary_encode() for name, column in zip(NAMES, columns, strict=True)}
    return Top(encoded, np.ones(len(table.rows), np.int64))


def top_passages(run: RunPaths) -> Top | None:
    """The first passages as the run's directory has them; None where it is gone.

    Raises
    ------
    InputError
        The file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = run.results / "top_passages.parquet"
    if not path.exists():
        return None
    try:
        table = pq.read_table(path, read_dictionary=list(NAMES)).unify_dictionaries().combine_chunks()
        columns = {name: table[name].combine_chunks() for name in NAMES}
        return Top(columns, table["position"].to_numpy().astype(np.int64))
    except (pa.ArrowException, KeyError, AttributeError) as error:
        raise InputError(f"{path}: damaged: {str(error).splitlines()[0]}") from error


def run_lines(
    relevants: Mapping[str, list[Relevant]], top: Mapping[str, list[tuple[int, str]]], tag: str
) -> Iterator[str]:
    """The lines of a run file; the score is minus the rank, so that it falls."""
    name = token(tag)
    for query_id, rows in relevants.items():
        query_name = token(query_id)
        for rank, passage in enumerate(ranking(rows, top.get(query_id, [])), start=1):
            yield f"{query_name} Q0 {passage} {rank} {-rank} {name}\n"


def ranking(relevants: list[Relevant], top: list[tuple[int, str]]) -> list[str]:
    """The passages of one query from rank 1 down to the last known one, `DEPTH` at most.

    Raises
    ------
    InputError
        Two passages stand at one rank.
    """
    known = {rank: passage for rank, passage in top if rank <= DEPTH}
    for row in relevants:
        if row.rank is not None and row.rank <= DEPTH and known.setdefault(row.rank, row.passage_id) != row.passage_id:
            raise InputError(
                f"query {row.query_id!r} in {' '.join(row.cell)}: {row.passage_id!r} and {known[row.rank]!r} both "
                f"stand at rank {row.rank}; is the run directory that of the run in the store?"
            )
    last = max(known, default=0)
    return [token(known[rank]) if rank in known else f"{UNKNOWN}{rank}" for rank in range(1, last + 1)]


def qrels_lines(relevants: Mapping[str, list[Relevant]]) -> Iterator[str]:
    for query_id, rows in relevants.items():
        for row in sorted(rows, key=lambda row: row.passage_id):
            yield f"{token(query_id)} 0 {token(row.passage_id)} {row.relevance}\n"


def token(name: Any) -> str:
    """A name as one word, from which `urllib.parse.unquote` makes the name again.

    Raises
    ------
    InputError
        It is empty: these files have no word for that.
    """
    text = str(name)
    if not text:
        raise InputError("an id is empty, and TREC files are separated by spaces: give every query and passage one")
    if text.startswith(UNKNOWN):
        return f"%5F{token(text[1:])}"
    if text.isprintable() and " " not in text and "%" not in text:
        return text
    return "".join(quote(c, safe="") if c == "%" or c.isspace() or not c.isprintable() else c for c in text)
