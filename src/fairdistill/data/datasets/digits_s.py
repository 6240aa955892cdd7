"""digits-s: scikit-learn's handwritten digits on grey or coloured paper, biased in the same way as CIFAR-10S.

The images are the 1,797 8x8 digits of E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*
(UCI, 1998; CC BY 4.0), as scikit-learn ships them, enlarged to 16x16. Group 0 is light ink on dark grey paper.
Group 1 is coloured ink on coloured paper, a new pair of colours for every image. In training most images of
the classes 0-4 are in group 0 and most of 5-9 in group 1, so that colour predicts the class; in the validation
and test sets every digit appears in both groups, so that it does not.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import check_seed, check_share, check_types
from fairdistill.data.recipe import Recipe
from fairdistill.data.rows import Split

# torch is imported where it is used, so that a command's help does not wait for it.
if TYPE_CHECKING:
    from torch import Tensor

    from fairdistill.data.dataset import GroupedDataset

CLASS_NAMES = tuple(str(digit) for digit in range(10))
GROUP_NAMES = ("grey", "colour")
RECIPE = Recipe(size=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))

_ROWS = {"train": slice(0, 1000), "val": slice(1000, 1200), "test": slice(1200, 1797)}
_PARTITION_SEED = 0  # which digits are train, val and test is part of the data set, not an option

FloatArray = NDArray[np.float64]

_SCALE = 2  # 8x8 pixels become 16x16
_SATURATION = 0.8  # of all colours


@dataclass(frozen=True, kw_only=True)
class DigitsSOptions:
    """Options of ``digits-s``."""

    skew: float = 0.95
    """Fraction of each class's training images that belong to the majority group of that class."""
    data_seed: int = 0
    """Seed of the training images' groups and of all colours."""

    def __post_init__(self) -> None:
        check_types(self)
        check_share("skew", self.skew)
        check_seed("data_seed", self.data_seed)


def load(wanted: Collection[Split], root: Path | None, options: DigitsSOptions) -> dict[Split, GroupedDataset]:
    """Return 1,000 training images, and 200 validation and 597 test digits, each of these in both groups."""
    return {split: _load(split, options) for split in wanted}


def _load(split: Split, options: DigitsSOptions) -> GroupedDataset:
    import torch

    from fairdistill.data.dataset import GroupedDataset
    from fairdistill.data.datasets.skew import legacy_permutation, skewed_groups

    images, digits = _handwritten()
    rows = legacy_permutation(len(digits), _PARTITION_SEED)[_ROWS[split]]
    ink = _enlarged(torch.from_numpy(images[rows]) / 16)
    labels = torch.from_numpy(digits[rows])
    sources = tuple(f"digit-{row:04d}" for row in rows.tolist())
    if split == "train":
        order = legacy_permutation(len(labels), options.data_seed)
        groups = skewed_groups(labels, order, skew=options.skew, num_classes=len(CLASS_NAMES))
        ids = sources
    else:
        groups = torch.arange(2).repeat_interleave(len(labels))
        ids = tuple(f"{source}-{group}" for group in GROUP_NAMES for source in sources)
        ink, labels, sources = ink.repeat(2, 1, 1), labels.repeat(2), sources * 2
    return GroupedDataset(
        name=f"digits-s/{split}",
        images=_painted(ink, groups, seed=(options.data_seed, list(_ROWS).index(split))),
        labels=labels,
        groups=groups,
        ids=ids,
        source_ids=sources,
        class_names=CLASS_NAMES,
        group_names=GROUP_NAMES,
        recipe=RECIPE,
    )


@cache
def _handwritten() -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the images, float64 ``[1797, 8, 8]`` from 0 to 16, and which digit each of them is; not to be changed.

    They are read from scikit-learn's file as its ``load_digits`` does, which takes a second to import.
    """
    package = find_spec("sklearn")
    file = Path(str(None if package is None else package.origin)).parent / "datasets" / "data" / "digits.csv.gz"
    if not file.is_file():
        from sklearn.datasets import load_digits

        found = load_digits()
        return found.images, found.target.astype(np.int64)
    numbers = np.loadtxt(file, delimiter=",")
    return numbers[:, :-1].reshape(-1, 8, 8), numbers[:, -1].astype(np.int64)


def _enlarged(ink: Tensor) -> Tensor:
    """Return ``[N, 8, 8]`` ink enlarged to 16x16, bilinear."""
    import torch

    return torch.nn.functional.interpolate(
        ink.unsqueeze(1), scale_factor=_SCALE, mode="bilinear", align_corners=False
    ).squeeze(1)


def _painted(ink: Tensor, groups: Tensor, *, seed: tuple[int, int]) -> Tensor:
    """Return uint8 ``[N, 3, 16, 16]``: ``paper + ink * (pen - paper)``, with the colours of each group."""
    import torch

    generator = np.random.default_rng(seed)
    n = len(ink)
    grey_paper = np.repeat(generator.uniform(0.10, 0.30, (n, 1)), 3, axis=1)
    grey_pen = np.repeat(generator.uniform(0.70, 0.90, (n, 1)), 3, axis=1)
    colour_paper, colour_pen = _colours(n, generator)
    in_colour = (groups == 1).numpy()[:, None]
    paper = torch.from_numpy(np.where(in_colour, colour_paper, grey_paper))[:, :, None, None]
    pen = torch.from_numpy(np.where(in_colour, colour_pen, grey_pen))[:, :, None, None]
    image = paper + ink.unsqueeze(1) * (pen - paper)
    return (image * 255).round().to(torch.uint8)


def _colours(n: int, generator: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return paper and pen colours, float64 ``[n, 3]`` in [0, 1]: dark paper, bright ink of another hue."""
    hue = generator.uniform(0, 1, n)
    paper = _from_hue(hue, value=generator.uniform(0.2, 0.5, n))
    pen = _from_hue(hue + generator.uniform(0.25, 0.75, n), value=generator.uniform(0.7, 1.0, n))
    return paper, pen


def _from_hue(hue: FloatArray, *, value: FloatArray) -> FloatArray:
    """Return RGB float64 ``[n, 3]`` of HSV colours: v - v s max(0, min(k, 4 - k, 1)), k = (n_c + 6 h) mod 6."""
    k = (np.array([5.0, 3.0, 1.0]) + 6 * hue[:, None]) % 6
    return value[:, None] * (1 - _SATURATION * np.clip(np.minimum(k, 4 - k), 0, 1))
