"""A corpus of a million passages as a real run: MIRACL's loader, the built-in encoder, killed once and taken up again.

`python tests/benchmarks/bench_corpus.py [passages]` makes the corpus of made-up words in a temporary folder, prints
what each step takes, and the peak memory of the worker processes: at most 4 GiB for a million passages.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq

from workbench.config import expand, freeze
from workbench.paths import RunPaths, RunsPaths
from workbench.runs.directory import create_run, state_of
from workbench.runs.events import read_events

SHARES = {"en": 0.75, "sw": 0.25}
"""Of the passages: one pool that gets an index, and one that is searched whole."""
WORDS = 200_000
QUERIES = 1000
"""In each language."""
LENGTH = 40
"""Words of a passage."""
LETTERS = "aeioubdfgklmnprstvz"


def made_words(random: np.random.Generator) -> np.ndarray:
    letters = np.array(list(LETTERS))
    return np.array(["".join(random.choice(letters, size)) for size in random.integers(4, 10, WORDS)], object)


def write_language(folder: Path, language: str, passages: int) -> None:
    """corpus.jsonl, queries.jsonl and qrels/dev.tsv; a query is of words of the passage that answers it."""
    random = np.random.default_rng(len(language) + passages)
    words = made_words(random)
    (folder / "qrels").mkdir(parents=True)
    asked = set(random.choice(passages, min(QUERIES, passages), replace=False).tolist())
    with (
        (folder / "corpus.jsonl").open("w") as corpus,
        (folder / "queries.jsonl").open("w") as queries,
        (folder / "qrels" / "dev.tsv").open("w") as qrels,
    ):
        qrels.write("query-id\tcorpus-id\tscore\n")
        for number, text in enumerate(made_texts(random, words, passages)):
            passage = f"{number // 5}#{number % 5}"
            corpus.write(json.dumps({"_id": passage, "title": text[0], "text": " ".join(text[1:])}) + "\n")
            if number in asked:
                question = " ".join(random.choice(text, 8, replace=False))
                queries.write(json.dumps({"_id": f"q{number}", "text": question}) + "\n")
                qrels.write(f"q{number}\t{passage}\t1\n")


def made_texts(random: np.random.Generator, words: np.ndarray, passages: int) -> Iterator[np.ndarray]:
    """Words of each passage, the common ones far more often, as in a language."""
    for start in range(0, passages, 10_000):
        size = min(10_000, passages - start)
        yield from words[(WORDS ** random.random((size, LENGTH))).astype(int) - 1]


def prepared(folder: Path) -> RunPaths:
    content = {
        "name": "corpus",
        "device": "cpu",
        "evaluate": {"tasks": {"miracl": {"path": str(folder / "miracl")}}, "batch_tokens": 16384},
    }
    (spec,) = freeze(expand(content, "bench"), folder)
    return create_run(RunsPaths(folder / "runs"), spec, prepared=True)


def work(run: RunPaths, cache: Path, until: Callable[[], bool]) -> tuple[int, float, float]:
    """Run the worker, kill it when `until` says so; exit code, seconds, peak resident GiB."""
    environment = os.environ | {"WORKBENCH_CACHE": str(cache)}
    started, peak = time.perf_counter(), 0
    with run.log.open("ab") as log:
        command = [sys.executable, "-m", "workbench.runs.worker", str(run.root)]
        worker = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    while worker.poll() is None:
        peak = max(peak, peak_of(worker.pid))
        if until():
            worker.send_signal(signal.SIGKILL)
        time.sleep(0.05)
    return worker.returncode, time.perf_counter() - started, peak / 2**30


def peak_of(pid: int) -> int:
    """The most memory that a process has had so far, in bytes; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def chunks(run: RunPaths) -> int:
    return sum(not file.name.startswith(".") for file in run.vectors.rglob("*.npy"))


def main(passages: int) -> None:
    print(f"{passages:,} passages, {psutil.cpu_count()} cores")
    folder = Path(tempfile.mkdtemp(prefix="corpus-"))
    try:
        started = time.perf_counter()
        for language, share in SHARES.items():
            write_language(folder / "miracl" / language, language, int(share * passages))
        print(f"{'corpus made':28s} {time.perf_counter() - started:8.1f} s")
        run = prepared(folder)
        half = max(1, passages // 16384 // 2)
        code, seconds, peak = work(run, folder / "cache", lambda: chunks(run) >= half)
        print(f"{'killed in the middle':28s} {seconds:8.1f} s   exit {code}, {state_of(run)}, peak {peak:.2f} GiB")
        taken, events = chunks(run), len(read_events(run.events))
        code, seconds, peak = work(run, folder / "cache", lambda: False)
        print(f"{'resumed and finished':28s} {seconds:8.1f} s   exit {code}, {state_of(run)}, peak {peak:.2f} GiB")
        if code:
            sys.exit(run.log.read_text())
        report(run, taken, events)
    finally:
        shutil.rmtree(folder)


def report(run: RunPaths, taken: int, events: int) -> None:
    encoding = [e for e in read_events(run.events)[events:] if e.get("stage") == "encoding passages"]
    print(f"{'taken over':28s} {encoding[0]['done']:8,} of {encoding[0]['total']:,} passages, in {taken} chunks")
    for stage, seconds in json.loads(run.environment.read_text())["seconds"].items():
        print(f"{stage:28s} {seconds:8.1f} s")
    (task,) = json.loads((run.results / "tasks.json").read_text())
    print(task["task"], json.dumps(task["options"]["index"]), json.dumps(task["options"].get("notes")))
    cells = pq.read_table(run.results / "measurements.parquet").to_pylist()
    for cell in cells:
        if cell["measure"] == "recall@100":
            place = f"{cell['setting']} {cell['query_language']} in {cell['pool_language']}"
            print(f"  {place:24s} recall@100 {cell['value']:.3f} of {cell['queries']} queries")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
