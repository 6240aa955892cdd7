"""CelebA: celebrity faces with forty attributes, with the paper's balanced test set.

Z. Liu, P. Luo, X. Wang, X. Tang, *Deep Learning Face Attributes in the Wild* (ICCV 2015). The protocol is that of Jung
et al. (CVPR 2021): the official partitions, with every subgroup of the test partition cut to the size of the smallest.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import check_at_least_one
from fairdistill.data.attributes import combined
from fairdistill.data.file_options import FileOptions
from fairdistill.data.images.sources import Archive, Folder, Source
from fairdistill.data.own.options import IMAGENET_MEAN, IMAGENET_STD
from fairdistill.data.recipe import Recipe
from fairdistill.data.rows import SPLITS, Rows, Split
from fairdistill.errors import DataError, UsageError
from fairdistill.system.folders import data_folder
from fairdistill.system.regular import check_readable
from fairdistill.tables.columns import cross

if TYPE_CHECKING:
    from fairdistill.data.dataset import GroupedDataset

PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
ATTRIBUTES = "list_attr_celeba.txt"
PARTITIONS = "list_eval_partition.txt"
IMAGES = "img_align_celeba"
_HEIGHT, _WIDTH = 218, 178


@dataclass(frozen=True, kw_only=True)
class CelebAOptions(FileOptions):
    """Options of ``celeba``."""

    target: str = "Attractive"
    """Attribute to predict; several, comma-separated, are predicted by one network with an output each."""
    group: str = "Male"
    """Attribute that defines the groups; several, comma-separated, are combined."""
    balanced_test: bool = True
    """Cut every subgroup of the test partition, in file order, to the size of the smallest."""
    size: int = 176
    """Height and width of the network's input, in pixels."""

    def __post_init__(self) -> None:
        super().__post_init__()
        groups = self.group.split(",")
        for name in self.targets:
            if name in groups:
                raise UsageError(f"expected target and group to differ, but {name} is in both")
            if self.targets.count(name) > 1:
                raise UsageError(f"--target {self.target} names {name} twice")
        if len(self.targets) > 1 and self.balanced_test:
            raise UsageError(
                f"--target {self.target}: a balanced test set is balanced for one attribute; add --no-balanced-test"
            )
        check_at_least_one(self, "size")

    @property
    def targets(self) -> list[str]:
        """The attributes to predict."""
        return self.target.split(",")

    @property
    def recipe(self) -> Recipe:
        """The paper's preprocessing: a random box, resized and flipped, for training; else the whole image, resized."""
        return Recipe(
            size=self.size,
            stored=(_HEIGHT, _WIDTH),
            crop="resized",
            flip=True,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
        )


def load(wanted: Collection[Split], root: Path | None, options: CelebAOptions) -> dict[Split, GroupedDataset]:
    """Return the training, validation and test partitions.

    Raises:
        DataError: if a file is missing, or not in the official format.
    """
    folder = _find(root)
    rows = read_rows(folder, options)
    splits = [SPLITS.index(split) for split in wanted]
    from fairdistill.data.files import Origin, load_rows  # needs PyTorch, which the options do not

    rows = rows.take(np.isin(rows.splits, splits)) if "train" not in wanted else rows
    return load_rows(rows, wanted, Origin.of("celeba", _images(folder), options))


def read_rows(folder: Path, options: CelebAOptions) -> Rows:
    """Return every image with its partition, except the test images that balancing removes."""
    names, attributes, values = read_attributes(folder / ATTRIBUTES)
    partitions = read_partitions(folder / PARTITIONS)
    missing = [name for name in names if name not in partitions]
    if missing:
        raise DataError(f"{folder / PARTITIONS} has no line for {missing[0]}, and {len(missing) - 1} more")
    groups = options.group.split(",")
    for name in (*options.targets, *groups):
        if name not in attributes:
            raise DataError(f"{folder / ATTRIBUTES} has no attribute {name!r}; it has {', '.join(attributes)}")

    def binary(name: str) -> NDArray[np.int64]:
        return (values[:, attributes.index(name)] > 0).astype(np.int64)

    pairs = [(f"not {name}", name) for name in options.targets]
    labels, found = combined(options.targets, pairs, [binary(name) for name in options.targets])
    one = len(pairs) == 1
    codes, group_names = cross([binary(name) for name in groups], [(f"not {name}", name) for name in groups])
    splits = np.array([partitions[name] for name in names], np.int64)
    rows = Rows(
        names=np.array(names, object),
        labels=binary(options.target) if one else labels,
        groups=codes,
        splits=splits,
        class_names=pairs[0] if one else found.class_names,
        group_names=group_names,
        attributes=None if one else found,
    )
    return rows.take(~_left_out(rows)) if options.balanced_test else rows


def _left_out(rows: Rows) -> NDArray[np.bool_]:
    """Return which test images exceed the size of the smallest subgroup."""
    test = rows.splits == SPLITS.index("test")
    cells = rows.labels * len(rows.group_names) + rows.groups
    count = len(rows.class_names) * len(rows.group_names)
    smallest = int(np.bincount(cells[test], minlength=count).min())
    if test.any() and not smallest:
        cell = int(np.bincount(cells[test], minlength=count).argmin())
        label, group = divmod(cell, len(rows.group_names))
        raise DataError(
            f"the test partition has no image of {rows.class_names[label]}, {rows.group_names[group]}, so a "
            "balanced test set would be empty; choose other attributes, or use --no-balanced-test"
        )
    left_out = np.zeros(len(cells), bool)
    for cell in range(count):
        left_out[np.flatnonzero(test & (cells == cell))[smallest:]] = True
    return left_out


def read_attributes(path: Path) -> tuple[list[str], list[str], NDArray[np.int8]]:
    """Return image names, attribute names and values (-1 or 1, int8 ``[N, A]``) of the official attribute file.

    Raises:
        DataError: naming the line that is not in the format.
    """
    lines = _lines(path)
    if len(lines) < 3 or not lines[0].strip().isdecimal():
        raise DataError(
            f"{path}, line 1: expected the number of images, then a line of attribute names; {_instruction()}"
        )
    attributes = lines[1].split()
    names, values = [], np.zeros((len(lines) - 2, len(attributes)), np.int8)
    for at, line in enumerate(lines[2:]):
        name, *numbers = line.split()
        if len(numbers) != len(attributes) or not {"1", "-1"}.issuperset(numbers):
            raise DataError(
                f"{path}, line {at + 3}: expected a file name and {len(attributes)} values of 1 or -1, but got "
                f"{line[:60]!r}; {_instruction()}"
            )
        names.append(name)
        values[at] = [int(number) for number in numbers]
    if len(names) != int(lines[0]):
        raise DataError(f"{path} announces {int(lines[0]):,} images but lists {len(names):,}; {_instruction()}")
    return names, attributes, values


def read_partitions(path: Path) -> dict[str, int]:
    """Return the partition (0 train, 1 val, 2 test) of each image."""
    partitions = {}
    for number, line in enumerate(_lines(path), start=1):
        parts = line.split()
        if len(parts) != 2 or parts[1] not in ("0", "1", "2"):
            raise DataError(
                f"{path}, line {number}: expected a file name and 0, 1 or 2, but got {line[:60]!r}; {_instruction()}"
            )
        partitions[parts[0]] = int(parts[1])
    return partitions


def _lines(path: Path) -> list[str]:
    try:
        check_readable(path)
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}; {_instruction()}") from error


def _find(root: Path | None) -> Path:
    base = root or data_folder()
    if base is None:
        raise DataError(f"celeba needs the folder that holds {ATTRIBUTES}: pass --data-root DIR; {_instruction()}")
    for folder in (base / "celeba", base / "CelebA", base):
        if (folder / ATTRIBUTES).exists():
            return folder
    raise DataError(f"found no {ATTRIBUTES} in {base}, {base}/celeba or {base}/CelebA; {_instruction()}")


def _images(folder: Path) -> Source:
    if (folder / IMAGES).is_dir():
        return Folder(folder / IMAGES)
    if (folder / f"{IMAGES}.zip").exists():
        return Archive(folder / f"{IMAGES}.zip")
    raise DataError(f"found neither {IMAGES}/ nor {IMAGES}.zip in {folder}; {_instruction()}")


def _instruction() -> str:
    return (
        f"download {ATTRIBUTES}, {PARTITIONS} and {IMAGES}.zip (aligned and cropped images) from {PAGE} (for "
        "non-commercial research only; see the agreement there) into one folder DIR, then pass --data-root DIR"
    )
