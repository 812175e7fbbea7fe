"""The paired randomisation test and bootstrap interval of all cells at once against scipy's, a cell at a time.

`python tests/benchmarks/bench_significance.py [cells] [queries] [draws]` (132, 1,190, 10,000) prints seconds, those of
the test alone and their ratio to scipy's (which is tried on a few cells, with fewer draws, and extrapolated), and both
limits: 3 s, 1 GiB.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
from scipy import stats

from workbench.analysis.comparing import cell_tests
from workbench.analysis.randomisation import compare_pair
from workbench.analysis.samples import ArmValues, Cell, Sample

LIMIT_S, LIMIT_BYTES = 3.0, 2**30
PARAGRAPHS = 240
SCIPY_CELLS, SCIPY_DRAWS = 4, 1000


def made(cells: int, queries: int) -> Sample:
    """Reciprocal ranks of two arms of which one ranks a little better."""
    random = np.random.default_rng(0)
    unit, cell = (part.ravel().astype(np.int32) for part in np.indices((queries, cells)))
    arms = [1 / (1 + random.geometric(chance, (len(unit), 1)).astype(float)) for chance in (0.5, 0.52)]
    return Sample(
        task="made",
        measure="map",
        cells=tuple(Cell("cross_lingual", str(n), "en") for n in range(cells)),
        units=tuple(map(str, range(PARAGRAPHS))),
        cell=cell,
        unit=unit % PARAGRAPHS,
        arms=tuple(ArmValues(name, (0,), values) for name, values in zip("ab", arms, strict=True)),
    )


def main(cells: int, queries: int, draws: int) -> None:
    sample = made(cells, queries)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    started = time.perf_counter()
    (tested,) = cell_tests(sample, draws=draws)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    difference = (sample.arms[1].values - sample.arms[0].values)[:, 0]
    compare_pair(sample.sums(difference), draws=draws)
    of_test = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    started = time.perf_counter()
    sums = sample.sums(difference)
    for cell in range(SCIPY_CELLS):
        stats.permutation_test((sums[:, cell],), np.mean, permutation_type="samples", n_resamples=SCIPY_DRAWS)
    theirs = (time.perf_counter() - started) * cells / SCIPY_CELLS * draws / SCIPY_DRAWS
    print(f"{cells} cells, {queries:,} queries, {draws:,} draws; smallest family p {tested.p_family.min():.4f}")
    print(f"{'tests and intervals, s':28s} {seconds:8.2f}   of the limit {seconds / LIMIT_S:.2f}")
    print(f"{'the tests alone, s':28s} {of_test:8.2f}")
    print(f"{'scipy by cell, s (about)':28s} {theirs:8.1f}   ratio {of_test / theirs:.4f}")
    print(f"{'peak memory, MiB':28s} {peak / 2**20:8.0f}   of the limit {peak / LIMIT_BYTES:.2f}")
    print(f"{'above the inputs, MiB':28s} {(peak - held) / 2**20:8.0f}")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*[*given, *(132, 1190, 10_000)[len(given) :]])
