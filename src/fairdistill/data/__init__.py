"""Data sets of images with a class and a group each, loaded by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from fairdistill.data import cifar10s, digits_s
from fairdistill.data.dataset import GroupedDataset, Recipe
from fairdistill.errors import UsageError

__all__ = ["DATASETS", "GroupedDataset", "Recipe", "Split", "load"]

Split = Literal["train", "val", "test"]


@dataclass(frozen=True)
class DatasetEntry:
    """One data set: what it is, the class of its options, and the function that reads a split."""

    summary: str
    options: type[Any]
    load: Callable[[Split, Path | None, Any], GroupedDataset]
    splits: frozenset[Split]
    network: str


DATASETS: Mapping[str, DatasetEntry] = {
    "digits-s": DatasetEntry(
        summary="1,797 handwritten digits, embedded; paper colour follows the class",
        options=digits_s.DigitsSOptions,
        load=digits_s.load,
        splits=frozenset({"train", "val", "test"}),
        network="digit_net",
    ),
    "cifar10s": DatasetEntry(
        summary="CIFAR-10 with half of the classes mostly grey, the other half mostly in colour",
        options=cifar10s.Cifar10SOptions,
        load=cifar10s.load,
        splits=frozenset({"train", "test"}),
        network="cifar_net",
    ),
}


def entry(name: str) -> DatasetEntry:
    """Return the entry of the data set ``name``.

    Raises:
        UsageError: if there is no such data set; the text names those there are.
    """
    try:
        return DATASETS[name]
    except KeyError:
        close = difflib.get_close_matches(name, DATASETS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise UsageError(f"unknown data set {name!r}{hint} Choose one of: {', '.join(DATASETS)}") from None


def parse_options(name: str, options: Mapping[str, Any]) -> Any:
    """Return the data set's own options object; unknown names and bad values are named.

    Raises:
        UsageError: if the data set has no such option, or the value is out of its range.
    """
    cls = entry(name).options
    known = [field.name for field in fields(cls)]
    for option in options:
        if option not in known:
            raise UsageError(f"data set {name!r} has no option {option!r}; it has: {', '.join(known)}")
    return cls(**options)


def load(name: str, split: Split, *, root: str | Path | None = None, **options: Any) -> GroupedDataset:
    """Load one split of a data set.

    Args:
        name: ``"digits-s"`` or ``"cifar10s"``.
        split: ``"train"`` or ``"test"``, or ``"val"`` where the data set has its own.
        root: folder with the data files; default ``$FAIRDISTILL_DATA``. Embedded data sets need none.
        **options: the data set's own options, checked by its options class: ``skew`` and ``data_seed``.

    Raises:
        UsageError: unknown data set, split or option.
        DataError: a missing or corrupt file; nothing is read before its checksum was verified.

    Example:
        >>> train = load("digits-s", "train", skew=0.9)
        >>> len(train), tuple(train.cell_counts().shape)
        (1000, (10, 2))
    """
    if split not in get_args(Split):
        raise UsageError(f"unknown split {split!r}; choose one of: {', '.join(get_args(Split))}")
    found = entry(name)
    parsed = parse_options(name, options)
    if split not in found.splits:
        raise UsageError(
            f"data set {name!r} has no {split!r} split of its own; it has: {', '.join(sorted(found.splits))}. "
            "fairdistill.data.splits.cut_validation cuts one from train"
        )
    return found.load(split, Path(root) if root is not None else None, parsed)
