"""What decoding a file has shown about it, beside its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.images.depth import IMPLIED, Depth

FACTS = np.dtype([("whole_bits", "u1"), ("real_bits", "u1"), ("orientation", "u1"), ("flags", "u1")])
"""One file's facts: bits of its integers and of its floats if it has more than 8 a channel (else 0), its orientation
tag (1 to 8), and flags, see :func:`has`."""

CONSTANT, TRANSPARENT, SEVERAL = 1, 2, 4


def has(facts: NDArray[Any], flag: int) -> NDArray[np.bool_]:
    """Return which files have a flag: one color, transparent pixels, or several frames or pages, bool ``[N]``."""
    found: NDArray[np.bool_] = facts["flags"] & flag > 0
    return found


@dataclass(frozen=True)
class Facts:
    """What decoding a file has shown about it.

    Attributes:
        depth: the range of its values, if it has more than 8 bits a channel.
        orientation: its EXIF orientation, 1 (upright) to 8.
        constant: whether all of its pixels have the same color.
        transparent: whether some pixels are transparent.
        several: whether it has more than one frame or page.
    """

    depth: Depth = IMPLIED
    orientation: int = 1
    constant: bool = False
    transparent: bool = False
    several: bool = False

    def record(self) -> tuple[int, int, int, int]:
        """Return the facts as a record of ``FACTS``."""
        flags = CONSTANT * self.constant | TRANSPARENT * self.transparent | SEVERAL * self.several
        return self.depth.whole or 0, self.depth.real or 0, self.orientation, flags


def common_depth(facts: NDArray[Any], given: Depth) -> Depth:
    """Return the range that all files are to be scaled by, where they imply different ones and none is given.

    Images with the same exposure must have the same brightness, so integers, and floats, are all scaled by the widest
    range that one of the files implies.
    """
    whole, real = (np.unique(facts[kind][facts[kind] > 0]) for kind in ("whole_bits", "real_bits"))
    return Depth(
        whole=int(whole[-1]) if given.whole is None and len(whole) > 1 else given.whole,
        real=int(real[-1]) if given.real is None and len(real) > 1 else given.real,
    )
