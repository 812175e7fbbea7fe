"""The leakage check of a million training rows (pair_id x language) against a task in LAReQA's files, such as XQuAD-R.

`python tests/benchmarks/bench_leakage.py FOLDER [rows]` prints seconds and peak memory, and both divided by their
limits, a minute and 2 GB. The rows are made up of the task's own words; in some of them its texts are planted.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

from workbench.data.leaks.leakage import find_leaks
from workbench.data.leaks.ngrams import CHARACTERS
from workbench.data.pairs import ParallelPairs
from workbench.data.task import RetrievalTask
from workbench.data.tasks.lareqa import load_lareqa

LIMIT_S, LIMIT_BYTES = 60.0, 2e9
PLANTED = 300
"""Pairs that hold a text of the task, in one language each."""


def made_texts(task: RetrievalTask, language: str, count: int, least: int, most: int) -> list[str]:
    """Texts of `least` to `most` words, drawn from a running text of the language: some of its phrases recur."""
    draw = np.random.default_rng([count, least, *language.encode()])
    place = task.languages.index(language)
    passages = [task.passage_texts[n] for n in task.candidates[task.candidate_languages == place]]
    joint = "" if language in CHARACTERS else " "
    words = list("".join(passages)) if language in CHARACTERS else " ".join(passages).split()
    factor = 4 if language in CHARACTERS else 1
    running = draw.choice(words, 200_000).tolist()
    first = draw.integers(0, len(running) - factor * most, count).tolist()
    lengths = (factor * draw.integers(least, most + 1, count)).tolist()
    return [
        joint.join(running[f : f + n]) + f" {number}" for number, (f, n) in enumerate(zip(first, lengths, strict=True))
    ]


def made_pairs(task: RetrievalTask, rows: int) -> tuple[ParallelPairs, set[int]]:
    """Pairs in all languages of the task, and which of them hold one of its texts."""
    languages = task.languages
    count = rows // len(languages)
    queries = np.arange(count * len(languages), dtype=np.int32).reshape(len(languages), count).T
    texts: list[str] = []
    for least, most in ((5, 14), (15, 60)):
        for language in languages:
            texts += made_texts(task, language, count, least, most)
    draw = np.random.default_rng(0)
    planted = draw.choice(count, PLANTED, replace=False).tolist()
    long = [n for n, text in enumerate(task.passage_texts) if len(text) > 150]
    of_language = dict(zip(task.candidates.tolist(), task.candidate_languages.tolist(), strict=True))
    for pair in planted:
        text = int(draw.choice(long))
        place = of_language[text] * count + pair + count * len(languages)
        texts[place] = f"{texts[place][:50]} {task.passage_texts[text]} {texts[place][:50]}"
    return ParallelPairs(
        name="made",
        languages=languages,
        pair_ids=[f"p{n}" for n in range(count)],
        texts=texts,
        queries=queries,
        passages=queries + np.int32(count * len(languages)),
        negatives=np.full_like(queries, -1),
    ), set(planted)


def main(folder: Path, rows: int) -> None:
    task = load_lareqa("task", folder)
    pairs, planted = made_pairs(task, rows)
    characters = sum(map(len, pairs.texts))
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{pairs.has.sum():,} rows of {len(task.languages)} languages, {characters / 1e6:.0f} million characters")
    started = time.perf_counter()
    leakage = find_leaks([pairs], {"task": task})
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found = set(np.flatnonzero(leakage.concerned[0]).tolist())
    print(f"{sum(row.hits for row in leakage.found)} hits, {len(found)} pairs; planted: {len(planted)}, "
          f"not found: {len(planted - found)}, beside them: {len(found - planted)}")  # fmt: skip
    print(f"{'seconds':24s} {seconds:8.1f}   of the limit {seconds / LIMIT_S:.2f}")
    print(f"{'peak memory, all, MB':24s} {peak / 1e6:8.0f}   of the limit {peak / LIMIT_BYTES:.2f}")
    print(f"{'above the inputs, MB':24s} {(peak - held) / 1e6:8.0f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
