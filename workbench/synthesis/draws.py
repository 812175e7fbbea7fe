"""Random numbers that belong to a thing, not to a place in a sequence: other things and their order change none."""

import hashlib

import numpy as np
from numpy.typing import NDArray


def draws(count: int, seed: int, *names: str) -> NDArray[np.float64]:
    """[count] numbers in [0, 1), the same for the same seed and names; fewer of them are the first of more.

    What happens where a number is below a rate thus happens at every higher rate too. Only the last name may hold
    any character, the others no NUL.
    """
    # of the standard library's hashes SHAKE alone gives as many bytes as are wanted
    stream = hashlib.shake_128("\0".join((str(seed), *names)).encode("utf-8", "surrogatepass"))
    return np.frombuffer(stream.digest(4 * count), "<u4") / 2.0**32


def draw(seed: int, *names: str) -> float:
    """The first of the `draws`."""
    return float(draws(1, seed, *names)[0])
