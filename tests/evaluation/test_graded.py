"""A user's own benchmark from its files to its figures: the same as `ir_measures` gives for the whole ranking."""

from dataclasses import dataclass
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.data.tasks.benchmarks import passage, query, write_beir
from tests.evaluation.made import ranked_pools
from workbench.data.tasks.beir import load_beir
from workbench.evaluation.measures import MEASURES, RETRIEVAL, measure_cells
from workbench.evaluation.ranking import rank_task
from workbench.records import ALL_POOLS, SETTINGS

THEIRS = dict(zip(RETRIEVAL, ("AP", "AP@20", "R@1", "R@10", "R@100", "RR", "nDCG@10"), strict=True))
"""ir_measures' names."""


@dataclass(frozen=True)
class Written:
    """What stands in the files."""

    passages: dict[str, str]
    """Id -> language."""
    queries: set[tuple[str, str]]
    """Id and language."""
    qrels: dict[tuple[str, str], int]
    """Query id and passage id -> grade."""

    def cell(self, language: str, pool: str) -> dict[str, dict[str, int]]:
        """The judgements of the queries in a language that have a relevant passage in the pool."""
        found: dict[str, dict[str, int]] = {}
        for (query_id, passage_id), grade in self.qrels.items():
            if (query_id, language) in self.queries and pool in (ALL_POOLS, self.passages[passage_id]):
                found.setdefault(query_id, {})[passage_id] = grade
        return {query_id: grades for query_id, grades in found.items() if max(grades.values()) >= 1}


def graded_benchmark(folder: Path, random: np.random.Generator) -> Written:
    """Two languages with passages and one with questions only; several relevants a query, grades from -1 to 3."""
    languages = {f"p{n}": ("de", "en")[number] for n, number in enumerate(random.integers(0, 2, 150))}
    # few texts, so that some are equal
    corpus = [passage(i, f"Text {random.integers(100)} in {code}", language=code) for i, code in languages.items()]
    queries = {
        (f"q{n}", code)
        for n in range(25)
        for place, code in enumerate(("de", "en", "sw"))
        if place == n % 3 or random.random() < 0.4
    }
    qrels = {
        (f"q{n}", f"p{place}"): int(random.integers(-1, 4))
        for n in range(25)
        for place in random.permutation(150)[: random.integers(1, 20)]
    }
    rows = [query(i, f"Frage {i} in {code}", language=code) for i, code in sorted(queries)]
    write_beir(folder, corpus, rows, [(*pair, grade) for pair, grade in qrels.items()])
    return Written(languages, queries, qrels)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_graded_benchmark_gives_the_figures_of_ir_measures(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    written = graded_benchmark(tmp_path, random)
    task = load_beir("mine", tmp_path)
    # small whole numbers of few values: many ties, and every sum is exact in any order
    queries, passages = (
        random.integers(-1, 2, (len(texts), 6)).astype(np.float32) for texts in (task.query_texts, task.passage_texts)
    )
    measured = measure_cells(rank_task(task, queries, passages))
    ranked = ranked_pools(task, queries, passages)
    pools = (*task.languages, ALL_POOLS)
    columns = (measured.setting, measured.query_language, measured.pool_language, measured.measure)
    cells = set()
    for setting, language, pool, measure, value, count in zip(
        *(column.tolist() for column in columns), measured.value, measured.queries, strict=True
    ):
        if MEASURES[measure] not in THEIRS:
            continue
        qrels = written.cell(pools[language], pools[pool])
        run = {
            query_id: {
                task.candidate_ids[c]: -float(rank)
                for rank, c in enumerate(ranked[pools[language], pools[pool], task.query_ids.index(query_id)])
            }
            for query_id in qrels
        }
        their = ir_measures.parse_measure(THEIRS[MEASURES[measure]])
        assert_allclose(value, ir_measures.calc_aggregate([their], qrels, run)[their], rtol=0, atol=1e-9)
        assert count == len(qrels)
        cells.add((SETTINGS[setting], pools[language], pools[pool]))
    crossed = {("cross_lingual", a, b) for a in ("de", "en", "sw") for b in ("de", "en") if a != b}
    alone = {("monolingual", a, a) for a in ("de", "en")}
    assert cells == crossed | alone | {("multilingual", a, ALL_POOLS) for a in ("de", "en", "sw")}
    assert task.relevances.max() == 3


def test_the_example_has_ties_several_relevants_and_equal_texts(tmp_path: Path) -> None:
    graded_benchmark(tmp_path, np.random.default_rng(0))
    task = load_beir("mine", tmp_path)
    assert len(task.passage_texts) < len(task.candidate_ids)
    assert len(task.relevant_queries) > 5 * len(task.query_ids)
    assert set(task.relevances.tolist()) == {1, 2, 3}
