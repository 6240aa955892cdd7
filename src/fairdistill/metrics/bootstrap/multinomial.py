"""How often each of several types occurs among sources that are drawn with replacement."""

from __future__ import annotations

import numpy as np

from fairdistill.metrics.arrays import Floats, Ints

_COST_OF_TYPE = 10  # of one draw of a type's number, in draws of a source
_CHUNK = 100_000  # sources at a time, which stay in the processor's cache


def multinomial(weight: Floats, number: int, size: int, generator: np.random.Generator) -> Ints | Floats:
    """Draw from the multinomial distribution.

    The number of each type is drawn or, where that is faster, the type of each source: many types of few sources each,
    as of many models that are right about different images.

    Args:
        weight: float64 ``[T]``: probabilities of the types, up to a factor.
        number: of sources.
        size: how often they are drawn.
        generator: of random numbers.

    Returns:
        Sources of each type, ``[T, size]``.

    Example:
        >>> drawn = multinomial(np.array([3.0, 1.0]), 8, 1000, np.random.default_rng(0))
        >>> drawn.shape, set(drawn.sum(axis=0).tolist()), drawn.mean(axis=1).round().tolist()
        ((2, 1000), {8}, [6.0, 2.0])
    """
    whole = weight.astype(np.int64)
    if _COST_OF_TYPE * len(weight) > number and (whole == weight).all():
        return by_source(np.repeat(np.arange(len(weight)), whole), number, size, generator)
    return generator.multinomial(number, weight / weight.sum(), size=size).T


def by_source(types: Ints, number: int, size: int, generator: np.random.Generator) -> Ints:
    """Draw sources of these types, ``[S]``, with replacement, and return how many of each type: ``[T, size]``."""
    count = int(types.max()) + 1
    drawn = np.empty((size, count), np.int64)
    rows = max(1, _CHUNK // number)
    small = np.min_scalar_type(len(types) - 1)
    for start in range(0, size, rows):
        some = min(rows, size - start)
        found = types.take(generator.integers(len(types), size=(some, number), dtype=small))
        found += count * np.arange(some)[:, None]
        drawn[start : start + some] = np.bincount(found.ravel(), minlength=count * some).reshape(some, count)
    return drawn.T
