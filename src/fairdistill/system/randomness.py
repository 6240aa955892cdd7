"""Random numbers that depend on a purpose and a position, not on earlier draws.

Every random part of a run has its own generator, made from the seed, the name of the part and a counter (a step, or a
pass over the data). Nothing needs to be saved to resume exactly, and adding one random part never changes another.
"""

from __future__ import annotations

import hashlib

import torch


def derived_seed(seed: int, purpose: str, *position: int) -> int:
    """Return a 63-bit seed for ``purpose`` at ``position``, derived from the run's ``seed``.

    Example:
        >>> derived_seed(0, "flip", 7) == derived_seed(0, "flip", 7)
        True
        >>> derived_seed(0, "flip", 7) == derived_seed(0, "flip", 8)
        False
    """
    text = f"{seed}/{purpose}/{'/'.join(map(str, position))}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, purpose: str, *position: int) -> torch.Generator:
    """Return a CPU generator for ``purpose`` at ``position``, derived from the run's ``seed``."""
    return torch.Generator().manual_seed(derived_seed(seed, purpose, *position))
