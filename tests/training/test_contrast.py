import itertools
import math
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from tests.training.gradients import gradients
from workbench.training.contrast import info_nce, length_chunks

ROOT = Path(__file__).parents[2]


def worst(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> float:
    """Largest relative error of a parameter's gradient."""
    assert found.keys() == expected.keys()
    return max(float((found[k] - v).norm() / v.norm()) for k, v in expected.items() if v.norm() > 1e-6)


def test_loss_by_hand() -> None:
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    passages = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])  # the third is a hard negative
    # cosines: query 0: 1, .6, 0; query 1: 0, .8, 1; temperature .5
    first = -math.log(math.exp(2) / (math.exp(2) + math.exp(1.2) + 1))
    second = -math.log(math.exp(1.6) / (1 + math.exp(1.6) + math.exp(2)))
    assert info_nce(queries, passages, 0.5).item() == pytest.approx((first + second) / 2, abs=1e-6)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=9), st.integers(1, 9), st.integers(0, 50))
def test_chunks_are_the_cheapest(lengths: list[int], most: int, overhead: int) -> None:
    chunks = length_chunks(lengths, most, overhead)
    assert sorted(np.concatenate(chunks).tolist()) == list(range(len(lengths)))
    assert all(1 <= len(chunk) <= most for chunk in chunks)
    found = sum(len(chunk) * max(lengths[i] for i in chunk) + overhead for chunk in chunks)
    assert found == cheapest(tuple(sorted(lengths, reverse=True)), most, overhead)


def cheapest(lengths: tuple[int, ...], most: int, overhead: int) -> int:
    """By trying every way to cut the sorted lengths."""
    places = range(1, len(lengths))
    best = None
    for count in range(len(lengths)):
        for cuts in itertools.combinations(places, count):
            groups = [lengths[a:b] for a, b in itertools.pairwise((0, *cuts, len(lengths)))]
            if max(map(len, groups)) <= most:
                cost = sum(len(g) * g[0] + overhead for g in groups)
                best = cost if best is None else min(best, cost)
    assert best is not None
    return best


def test_cached_gradient_is_the_plain_one(checkpoint: Path) -> None:
    plain = gradients(str(checkpoint), 1024, None, negatives=False)
    cached = gradients(str(checkpoint), 1024, 32, negatives=False)
    assert worst(cached, plain) < 1e-5


def test_cached_gradient_with_dropout_drops_the_same_twice(dropout_checkpoint: Path) -> None:
    # chunks of equal cuts draw equal masks, so that the two ways still agree
    plain = gradients(str(dropout_checkpoint), 8, None, negatives=True)
    cached = gradients(str(dropout_checkpoint), 8, 1000, negatives=True)
    assert worst(cached, plain) < 1e-5


def test_two_processes_give_the_gradient_of_one(checkpoint: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "ACCELERATE_USE_CPU": "true"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.gradients", str(tmp_path), str(checkpoint), str(rank)],
            env={**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            cwd=ROOT,
        )
        for rank in range(2)
    ]
    assert [worker.wait(120) for worker in workers] == [0, 0]
    alone = gradients(str(checkpoint), 32, None, negatives=True)
    for rank in range(2):
        assert worst(load_file(tmp_path / f"{rank}.safetensors"), alone) < 1e-5
