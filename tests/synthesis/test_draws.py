"""Random numbers by name: the same for the same names, fewer of them the first of more, spread evenly."""

import numpy as np

from workbench.synthesis.draws import draw, draws


def test_draws() -> None:
    numbers = draws(4000, 3, "drop", "de", "p\0ü")
    assert numbers.shape == (4000,) and (numbers >= 0).all() and (numbers < 1).all()
    assert (draws(7, 3, "drop", "de", "p\0ü") == numbers[:7]).all()
    assert draw(3, "drop", "de", "p\0ü") == numbers[0]
    assert draws(0, 3, "drop").shape == (0,)
    for other in (draws(4000, 4, "drop", "de", "p\0ü"), draws(4000, 3, "drop", "d", "ep\0ü")):
        assert abs(np.corrcoef(numbers, other)[0, 1]) < 0.07
    counts = np.histogram(numbers, 10, (0, 1))[0]
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # chi square of 9 degrees of freedom, p = .001


def test_draws_are_the_same_everywhere() -> None:
    assert draws(3, 0, "switch", "de", "query", "demo-00000").round(6).tolist() == [0.868544, 0.20359, 0.543319]
