"""What the image files of a data set look like once they are decoded."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fairdistill.data import GroupedDataset, ImageFiles
from fairdistill.data.images.facts import CONSTANT, has
from fairdistill.inspecting.result import Pixels

_NAMED = 3


def pixels_of(parts: Iterable[GroupedDataset]) -> Pixels | None:
    """Return what the images of all splits look like; None for images that are not files."""
    files = [(part, part.images) for part in parts if isinstance(part.images, ImageFiles)]
    if not files:
        return None
    names = np.concatenate([images.names for _, images in files])
    facts = np.concatenate([images.facts for _, images in files])
    how = files[0][1].storage.how
    constant, turned = names[has(facts, CONSTANT)], names[facts["orientation"] > 1]
    whole = facts["whole_bits"]
    return Pixels(
        seen=files[0][0].recipe.geometry,
        whole=files[0][0].recipe.crop != "center",
        constant=len(constant),
        constant_images=tuple(constant[:_NAMED].tolist()),
        turned=len(turned),
        turned_images=tuple(turned[:_NAMED].tolist()),
        exif_applied=how.exif,
        deep=int(((whole > 0) | (facts["real_bits"] > 0)).sum()),
        bits=(how.depth.whole or int(whole.max())) if whole.any() else None,
    )
