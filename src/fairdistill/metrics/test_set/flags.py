"""Which samples a model gets right, as the statistics take it."""

from __future__ import annotations

from typing import Any

import numpy as np

from fairdistill.metrics.arrays import Flags
from fairdistill.metrics.counts import as_array
from fairdistill.metrics.test_set.samples import Samples


def checked_flags(values: Any, name: str, samples: Samples) -> Flags:
    """Return which samples of a test set are right as bool ``[M, N]``, from ``[N]`` or ``[M, N]``.

    Args:
        values: bool; an array, a list, or a tensor on any device.
        name: the argument's name, for messages.
        samples: the test set.

    Raises:
        ValueError: if they are not bool, such as predicted classes, or not of these samples.
    """
    flags = np.atleast_2d(as_array(values))
    if flags.dtype != np.bool_:
        raise ValueError(
            f"Expected argument `{name}` to be bool: which samples are right, such as `predicted == labels`; but got "
            f"{flags.dtype}"
        )
    if flags.ndim != 2 or flags.shape[1] != len(samples.labels):
        raise ValueError(
            f"Expected argument `{name}` to be [N] or [M, N] with the {len(samples.labels)} samples of the test set, "
            f"but got shape {flags.shape if len(flags) > 1 else flags.shape[1:]}"
        )
    return flags
