"""What a user should know about the pixels of a data set, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.images.facts import CONSTANT, SEVERAL, TRANSPARENT, has
from fairdistill.text.lists import listed

if TYPE_CHECKING:
    from fairdistill.data.images.decoding import Decoding

_NAMED = 3
_SHOWN = 200  # characters of a name


def remarks(names: NDArray[np.object_], facts: NDArray[Any], how: Decoding) -> Iterator[str]:
    """Yield remarks on constant, transparent and animated images, orientation tags and deep images.

    Args:
        names: the names of the files, object ``[N]``.
        facts: what decoding has shown about them, ``FACTS [N]``.
        how: how they were decoded.
    """
    constant = names[has(facts, CONSTANT)]
    if len(constant):
        are = "image is" if len(constant) == 1 else "images are"
        yield f"{len(constant):,} {are} a single color: {named(constant)}"
    transparent = names[has(facts, TRANSPARENT)]
    if len(transparent):
        have = "image has" if len(transparent) == 1 else "images have"
        yield (
            f"{len(transparent):,} {have} transparent pixels ({named(transparent)}); transparency was dropped, so they "
            "show the color that is stored below it, often black"
        )
    several = names[has(facts, SEVERAL)]
    if len(several):
        have = "file has" if len(several) == 1 else "files have"
        yield f"{len(several):,} {have} several frames or pages ({named(several)}), of which the first was read"
    turned = names[facts["orientation"] > 1]
    if len(turned):
        have = "image has" if len(turned) == 1 else "images have"
        done = "applied" if how.exif else "ignored; --exif applies it, as image viewers do"
        yield f"{len(turned):,} {have} an EXIF orientation other than upright ({named(turned)}), which was {done}"
    whole, real = facts["whole_bits"], facts["real_bits"]
    if whole.any():
        bits = how.depth.whole or int(whole.max())
        one = (whole > 0).sum() == 1
        yield (
            f"{int((whole > 0).sum()):,} {'image stores' if one else 'images store'} more than 8 bits a channel; "
            f"{'it was' if one else 'they were'} read as {bits}-bit values (white is {2**bits - 1:,}; --bits sets it)"
        )
    if real.any():
        white = 2 ** (how.depth.real or int(real.max())) - 1
        one = (real > 0).sum() == 1
        yield (
            f"{int((real > 0).sum()):,} {'image stores' if one else 'images store'} floats; "
            f"{'it was' if one else 'they were'} read as values from 0 to {white:,}"
        )


def named(names: NDArray[np.object_]) -> str:
    """Return the first three names, shortened, and how many more there are."""
    shown = [name if len(name) <= _SHOWN else f"{name[: _SHOWN - 3]}..." for name in names[:_NAMED].tolist()]
    return listed([*shown, *names[_NAMED:].tolist()], _NAMED)
