"""UTKFace: faces whose age, gender and race are in the file name, with the paper's balanced test set.

Z. Zhang, Y. Song, H. Qi, *Age Progression/Regression by Conditional Adversarial Autoencoder* (CVPR 2017). The protocol
is that of Jung et al. (CVPR 2021): three age classes, four races, a test set of 100 images per subgroup.
"""

from __future__ import annotations

import os
import random
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from fairdistill.contract import check_at_least_one
from fairdistill.data.file_options import FileOptions
from fairdistill.data.images.sources import Folder
from fairdistill.data.own.options import IMAGENET_MEAN, IMAGENET_STD
from fairdistill.data.recipe import Recipe
from fairdistill.data.rows import SPLITS, Rows, Split
from fairdistill.errors import DataError, UsageError
from fairdistill.system.folders import data_folder
from fairdistill.tables.order import natural

if TYPE_CHECKING:
    from fairdistill.data.dataset import GroupedDataset

Attribute = Literal["age", "gender", "race"]

FOLDER = "UTKFace"
PAGE = "https://susanqq.github.io/UTKFace/"
NAMES: dict[str, tuple[str, ...]] = {
    "age": ("under 20", "20 to 39", "40 and over"),
    "gender": ("male", "female"),
    "race": ("White", "Black", "Asian", "Indian"),
}
_AGES = (20, 40)
_SHUFFLE_SEED = 1  # which images are the test set is part of the protocol, not an option


@dataclass(frozen=True, kw_only=True)
class UTKFaceOptions(FileOptions):
    """Options of ``utkface``."""

    target: Attribute = "age"
    """Attribute to predict: age (under 20, 20 to 39, 40 and over), gender or race."""
    group: Attribute = "race"
    """Attribute that defines the groups. Race is White, Black, Asian or Indian; images of other races are not used."""
    test_per_cell: int = 100
    """Number of test images per subgroup."""
    size: int = 176
    """Height and width of the network's input, in pixels; training crops are cut from images 256/176 times as large."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target == self.group:
            raise UsageError(f"expected target and group to differ, but both are {self.target}")
        check_at_least_one(self, "test_per_cell", "size")

    @property
    def recipe(self) -> Recipe:
        """The paper's preprocessing: a flipped 176x176 crop of 256x256 for training; otherwise resized to 176x176."""
        paper = Recipe(size=176, stored=(256, 256), crop="random", flip=True, mean=IMAGENET_MEAN, std=IMAGENET_STD)
        return paper.resized(self.size)


def load(wanted: Collection[Split], root: Path | None, options: UTKFaceOptions) -> dict[Split, GroupedDataset]:
    """Return the training set and the balanced test set.

    Raises:
        DataError: if the images are missing, or a subgroup is too small for its part of the test set.
    """
    folder = _find(root)
    from fairdistill.data.files import Origin, load_rows  # needs PyTorch, which the options do not

    return load_rows(read_rows(folder, options), wanted, Origin.of("utkface", Folder(folder), options))


def read_rows(folder: Path, options: UTKFaceOptions) -> Rows:
    """Return the images whose names parse, in the protocol's order, each with its split."""
    parsed, unparsed, others = [], [], 0
    for name in sorted((entry.name for entry in os.scandir(folder) if entry.is_file()), key=natural):
        values = parse_name(name)
        if values is None:
            unparsed.append(name)
        elif values["race"] == len(NAMES["race"]):
            others += 1
        else:
            parsed.append((name, values))
    if not parsed:
        raise DataError(f"{folder} holds no image named age_gender_race_time.jpg; {_instruction()}")
    random.Random(_SHUFFLE_SEED).shuffle(parsed)
    names = np.array([name for name, _ in parsed], object)
    labels = np.array([values[options.target] for _, values in parsed], np.int64)
    groups = np.array([values[options.group] for _, values in parsed], np.int64)
    notes = []
    if unparsed:
        notes.append(
            f"{len(unparsed):,} files are not named age_gender_race_time and were skipped (for example {unparsed[0]})"
        )
    if others:
        notes.append(f"{others:,} images of the race 'others' (4) were skipped, as the protocol requires")
    class_names, group_names = NAMES[options.target], NAMES[options.group]
    test = np.zeros(len(names), bool)
    for label, class_name in enumerate(class_names):
        for group, group_name in enumerate(group_names):
            cell = np.flatnonzero((labels == label) & (groups == group))
            if len(cell) <= options.test_per_cell:
                raise DataError(
                    f"{folder} has {len(cell)} images of {class_name}, {group_name}; the test set takes "
                    f"{options.test_per_cell} per subgroup and training needs some too. Complete the folder, or "
                    "use a smaller --test-per-cell"
                )
            test[cell[-options.test_per_cell :]] = True
    return Rows(
        names=names,
        labels=labels,
        groups=groups,
        splits=np.where(test, SPLITS.index("test"), SPLITS.index("train")),
        class_names=class_names,
        group_names=group_names,
        notes=tuple(notes),
    )


def parse_name(name: str) -> dict[str, int] | None:
    """Return the classes that a file name stands for; None if it cannot be parsed.

    Example:
        >>> parse_name("26_1_0_20170116174525125.jpg.chip.jpg")
        {'age': 1, 'gender': 1, 'race': 0}
        >>> parse_name("61_1_20170109150557335.jpg.chip.jpg") is None
        True
    """
    parts = name.split("_")
    if len(parts) != 4 or not all(part.isascii() and part.isdecimal() for part in parts[:3]):
        return None
    age, gender, race = (int(part) for part in parts[:3])
    if gender > 1 or race > 4:
        return None
    return {"age": sum(age >= edge for edge in _AGES), "gender": gender, "race": race}


def _find(root: Path | None) -> Path:
    base = root or data_folder()
    if base is None:
        raise DataError(f"utkface needs the folder that holds {FOLDER}/: pass --data-root DIR; {_instruction()}")
    for folder in (base / FOLDER, base):
        if folder.is_dir() and (folder.name == FOLDER or next(folder.glob("*_*_*_*.jpg*"), None) is not None):
            return folder
    raise DataError(f"found no {FOLDER}/ in {base}; {_instruction()}")


def _instruction() -> str:
    return (
        f"download the aligned and cropped faces (UTKFace.tar.gz) from {PAGE} (for non-commercial research only; see "
        f"the terms there) and unpack them, so that DIR/{FOLDER}/ holds the images, then pass --data-root DIR"
    )
