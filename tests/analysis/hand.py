"""A case to work out by hand: 3 languages, 4 questions on 2 paragraphs, 2 arms of 2 seeds, in a store.

Ranks are written by the evaluation's own writer and ingested, so that what reads them is tested as well. Every rank in
a pool of one language is at most that passage's single-target rank in the pool of all, as in a real ranking.
"""

import json
from pathlib import Path

import numpy as np

from tests.store.synthetic import COLUMNS, make_settings, write_run, write_table
from workbench.data.task import RetrievalTask
from workbench.evaluation.measures import measure_cells
from workbench.evaluation.results import SHARE_DEPTHS, Rankings, RetrievedLanguages
from workbench.evaluation.tables import result_tables, write_tables
from workbench.paths import RunsPaths
from workbench.records import SETTINGS
from workbench.store.database import ingest_pending

TASK, TASK_ID = "hand", "4a4d0123beef"
LANGUAGES = ("de", "en", "zh")
POOLS = {"de": 50, "en": 100, "zh": 50}
QUESTIONS = ("q1", "q2", "q3", "q4")
PARAGRAPHS = ("p1", "p1", "p2", "p2")
MONO, HYBRID = "mono-aaaaaa", "hybrid-a50-bbbbbb"

Ranks = dict[str, tuple[tuple[int, int, int], ...]]

MERGED: dict[tuple[str, int], Ranks] = {
    (MONO, 0): {
        "de": ((1, 4, 9), (1, 3, 8), (2, 1, 6), (1, 5, 10)),
        "en": ((3, 1, 10), (5, 1, 4), (2, 1, 20), (6, 2, 1)),
        "zh": ((8, 5, 1), (4, 2, 1), (10, 20, 1), (5, 1, 2)),
    },
    (HYBRID, 0): {
        "de": ((1, 2, 4), (2, 1, 3), (1, 2, 3), (1, 3, 2)),
        "en": ((2, 1, 4), (1, 2, 5), (2, 1, 3), (3, 1, 2)),
        "zh": ((3, 2, 1), (2, 4, 1), (5, 2, 1), (1, 2, 3)),
    },
}
"""By arm, seed, query language and question: the ranks of the passages in de, en and zh in the pool of all."""
ALONE: dict[tuple[str, int], Ranks] = {
    (MONO, 0): {
        "de": ((1, 2, 5), (1, 1, 4), (1, 1, 2), (1, 4, 5)),
        "en": ((1, 1, 5), (2, 1, 2), (1, 1, 10), (4, 1, 1)),
        "zh": ((5, 4, 1), (2, 1, 1), (5, 10, 1), (2, 1, 1)),
    },
    (HYBRID, 0): {
        "de": ((1, 1, 2), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
        "en": ((1, 1, 1), (1, 1, 2), (1, 1, 1), (1, 1, 1)),
        "zh": ((1, 1, 1), (1, 2, 1), (2, 1, 1), (1, 1, 1)),
    },
}
"""Likewise: the ranks in the pools of de, en and zh alone."""


def changed(ranks: Ranks, *changes: tuple[str, int, tuple[int, int, int]]) -> Ranks:
    """Ranks that differ in some (query language, question counted from 0)."""
    tables = {language: list(rows) for language, rows in ranks.items()}
    for language, question, row in changes:
        tables[language][question] = row
    return {language: tuple(rows) for language, rows in tables.items()}


MERGED[MONO, 1] = changed(MERGED[MONO, 0], ("de", 0, (1, 2, 5)), ("en", 3, (2, 1, 6)), ("zh", 2, (4, 5, 1)))
ALONE[MONO, 1] = changed(ALONE[MONO, 0], ("de", 0, (1, 1, 2)), ("en", 3, (1, 1, 4)), ("zh", 2, (2, 2, 1)))
MERGED[HYBRID, 1] = changed(MERGED[HYBRID, 0], ("de", 0, (1, 2, 3)), ("zh", 2, (4, 2, 1)))
ALONE[HYBRID, 1] = changed(ALONE[HYBRID, 0], ("de", 0, (1, 1, 1)))

RETRIEVED: dict[tuple[str, int], dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]]] = {
    (MONO, 10): {"de": ((7, 2, 1), (5, 2, 3)), "en": ((2, 7, 1), (2, 7, 1)), "zh": ((1, 2, 7), (1, 2, 7))},
    (MONO, 100): dict.fromkeys(LANGUAGES, ((30, 45, 25), (30, 45, 25))) | {"de": ((45, 35, 20), (45, 35, 20))},
    (HYBRID, 10): {"de": ((4, 4, 2), (4, 4, 2)), "en": ((3, 5, 2), (3, 5, 2)), "zh": ((2, 4, 4), (2, 4, 4))},
    (HYBRID, 100): dict.fromkeys(LANGUAGES, ((30, 45, 25), (30, 45, 25))),
}
"""By arm, depth and query language: passages in de, en and zh among the first, for questions on p1 and on p2."""
DRAWN = {
    MONO: [("mono", "de", "de", 100), ("mono", "en", "en", 100)],
    HYBRID: [("mono", "de", "de", 50), ("mono", "en", "en", 50), ("cross", "de", "en", 50), ("cross", "en", "de", 50)],
}
"""By arm the training pairs: kind, query and passage language, pairs. No arm was trained on zh."""
ARMS = {MONO: ("mono", "20261122-1403-mono-s{seed}-aaaa"), HYBRID: ("hybrid", "20261122-1403-hybrid-a50-s{seed}-bbbb")}
"""By arm its sampling and the form of its run ids."""


def make_store(folder: Path) -> Path:
    """A store with the case in it; the run directories are beside it."""
    store, runs = folder / "results.duckdb", RunsPaths(folder / "runs")
    for (arm, seed), merged in MERGED.items():
        write_hand_run(runs, arm, seed, merged)
    ingested = ingest_pending(store, runs)
    assert len(ingested.run_ids) == len(MERGED) and not ingested.problems, ingested.problems
    return store


def write_hand_run(runs: RunsPaths, arm: str, seed: int, merged: Ranks) -> None:
    sampling, form = ARMS[arm]
    run = write_run(
        runs.root, form.format(seed=seed), arm=arm, settings=make_settings(sampling, seed=seed, name="hand"), steps=2
    )
    for left in run.results.iterdir():
        left.unlink()
    rankings = as_rankings(merged, ALONE[arm, seed], arm)
    write_tables(run.results, result_tables(TASK, the_task(), rankings, measure_cells(rankings)))
    (run.results / "tasks.json").write_text(described())
    rows = [{"training_set": "demo", "kind": k, "query_language": a, "passage_language": b, "pairs": n}
            for k, a, b, n in DRAWN[arm]]  # fmt: skip
    write_table(run.results / "sampled_pairs.parquet", rows, COLUMNS["sampled_pairs"].split())


def described() -> str:
    """`tasks.json`."""
    return json.dumps(
        [
            {
                "task": TASK,
                "task_id": TASK_ID,
                "fingerprint": "f" * 12,
                "options": {"passage_text": "sentence", "languages": None},
                "queries": dict.fromkeys(LANGUAGES, len(QUESTIONS)),
                "candidates": POOLS,
            }
        ]
    )


def the_task() -> RetrievalTask:
    """What the writer needs to know of the task: the relevant of the n-th question in `de` is the passage `de:n`."""
    none = np.zeros(0, np.int32)
    candidates = sorted((f"{language}:{n}", place) for place, language in enumerate(LANGUAGES) for n in range(4))
    return RetrievalTask(
        name=TASK,
        languages=LANGUAGES,
        query_texts=(),
        passage_texts=(),
        query_ids=QUESTIONS,
        queries=none,
        paragraphs=PARAGRAPHS,
        articles=("a1",) * 4,
        candidate_ids=[name for name, _ in candidates],
        candidate_languages=np.array([place for _, place in candidates], np.int16),
        candidates=none,
        relevant_queries=none,
        relevant_candidates=none,
        relevances=np.zeros(0, np.int16),
    )


def as_rankings(merged: Ranks, alone: Ranks, arm: str) -> Rankings:
    """The ranks as the evaluation holds them."""
    every = range(len(LANGUAGES))
    rows = []
    for a in every:
        for q in range(len(QUESTIONS)):
            for b in every:
                relevant = 4 * b + q, b
                one, all_ = alone[LANGUAGES[a]][q][b], merged[LANGUAGES[a]][q][b]
                setting = SETTINGS.index("monolingual" if a == b else "cross_lingual")
                rows.append((setting, a, b, q, one, *relevant))
                rows.append((SETTINGS.index("multilingual"), a, len(LANGUAGES), q, all_, *relevant))
    setting, query_language, pool, query, rank, candidate, language = np.array(sorted(rows)).T
    return Rankings(
        languages=LANGUAGES,
        pool_sizes=np.array([*POOLS.values(), sum(POOLS.values())]),
        setting=setting.astype(np.int8),
        query_language=query_language.astype(np.int16),
        pool_language=pool.astype(np.int16),
        query=query.astype(np.int32),
        candidate=candidate.astype(np.int32),
        passage_language=language.astype(np.int16),
        relevance=np.ones(len(rows), np.int16),
        rank=rank.astype(np.int32),
        retrieved=as_retrieved(arm),
    )


def as_retrieved(arm: str) -> RetrievedLanguages:
    rows = [
        (a, q, depth, b, passages)
        for depth in SHARE_DEPTHS
        for a, language in enumerate(LANGUAGES)
        for q in range(len(QUESTIONS))
        for b, passages in enumerate(RETRIEVED[arm, depth][language][q // 2])
    ]
    query_language, query, depth, passage_language, passages = np.array(rows).T
    return RetrievedLanguages(
        query_language=query_language.astype(np.int16),
        query=query.astype(np.int32),
        depth=depth.astype(np.int16),
        passage_language=passage_language.astype(np.int16),
        passages=passages.astype(np.int16),
    )
