"""The built-in data sets, and loading one of them, or your own table or folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairdistill.data.datasets import celeba, cifar10s, digits_s, utkface
from fairdistill.data.own import folder, table
from fairdistill.data.own.metadata import header, metadata_tables
from fairdistill.data.own.options import FolderOptions, TableOptions
from fairdistill.data.own.shards import shards
from fairdistill.data.rows import SPLITS, Split, Whole
from fairdistill.errors import UsageError
from fairdistill.metrics import Design
from fairdistill.tables import reading as tabular
from fairdistill.tables.content import no_table
from fairdistill.text.meant import did_you_mean

if TYPE_CHECKING:
    from fairdistill.data.dataset import GroupedDataset


@dataclass(frozen=True)
class DatasetEntry:
    """A data set: a summary, its options class, and the function that reads its splits.

    ``load(wanted, root, options)`` returns the wanted splits that exist; that of your own images also takes ``whole``,
    see :func:`load_splits`. ``balanced(options)`` is whether the test set has as many samples of each subgroup as
    planned; otherwise it is taken to be sampled at random.
    """

    summary: str
    options: type[Any]
    load: Callable[..., dict[Split, GroupedDataset]]
    network: str
    balanced: Callable[[Any], bool] = lambda options: False


DATASETS: Mapping[str, DatasetEntry] = {
    "digits-s": DatasetEntry(
        summary="1,797 handwritten digits, included; the paper's colour follows the class",
        options=digits_s.DigitsSOptions,
        load=digits_s.load,
        network="digit_net",
        balanced=lambda options: True,  # every digit is in both groups
    ),
    "cifar10s": DatasetEntry(
        summary="CIFAR-10 with half of the classes mostly grey and the other half mostly in colour",
        options=cifar10s.Cifar10SOptions,
        load=cifar10s.load,
        network="cifar_net",
        balanced=lambda options: True,
    ),
    "utkface": DatasetEntry(
        summary="faces with age, gender and race; predicts the age class by race",
        options=utkface.UTKFaceOptions,
        load=utkface.load,
        network="resnet18",
        balanced=lambda options: True,
    ),
    "celeba": DatasetEntry(
        summary="celebrity faces with forty attributes; predicts Attractive by Male",
        options=celeba.CelebAOptions,
        load=celeba.load,
        network="shufflenet_v2_x1_0",
        balanced=lambda options: bool(options.balanced_test),
    ),
}


def entry(name: str) -> DatasetEntry:
    """Return the entry of a data set: a built-in name, a table or a folder.

    Raises:
        UsageError: if there is no such data set; the message lists the available ones.

    Example:
        >>> entry("digits-s").network
        'digit_net'
    """
    if name in DATASETS:
        return DATASETS[name]
    path = Path(name)
    if path.suffix.lower() in tabular.SUFFIXES:
        return DatasetEntry(summary="a table of images", options=TableOptions, load=_table(path), network="resnet18")
    if path.is_dir() and (metadata_tables(path) or shards(path)):
        return DatasetEntry(
            summary="a folder of images with a metadata table, or of Parquet files",
            options=TableOptions,
            load=_table(path),
            network="resnet18",
        )
    if path.is_dir():
        return DatasetEntry(
            summary="a folder of class folders", options=FolderOptions, load=_folder(path), network="resnet18"
        )
    if path.is_file():
        raise UsageError(f"{name} {no_table(path, tabular.SUFFIXES)}")
    if "/" in name:
        raise UsageError(f"there is no folder or table {name}; correct the path")
    hint = did_you_mean(name, DATASETS, otherwise=".")
    raise UsageError(
        f"unknown data set {name!r}{hint} Choose one of: {', '.join(DATASETS)}, or pass a table "
        f"({', '.join(tabular.SUFFIXES)}) or a folder of class folders"
    )


def is_path(name: str) -> bool:
    """Return whether ``--data NAME`` is your own table or folder.

    Example:
        >>> is_path("digits-s"), is_path("faces.csv")
        (False, True)
    """
    return name not in DATASETS


def option_names(name: str) -> tuple[str, ...]:
    """Return the names of a data set's own options.

    Raises:
        UsageError: if there is no such data set.

    Example:
        >>> option_names("digits-s")
        ('skew', 'data_seed')
    """
    return tuple(field.name for field in fields(entry(name).options))


def parse_options(name: str, options: Mapping[str, Any]) -> Any:
    """Return the data set's options as an object of its options class.

    Raises:
        UsageError: if the data set has no such option, or the value is out of its range.

    Example:
        >>> parse_options("digits-s", {"skew": 0.9}).skew
        0.9
    """
    known = option_names(name)
    for option in options:
        if option not in known:
            raise UsageError(f"data set {name!r} has no option {option!r}; it has: {', '.join(known)}")
    return entry(name).options(**options)


def design_of(name: str, options: Mapping[str, Any]) -> Design:
    """Return how the test set of a data set was sampled; ``random`` for your own table or folder.

    Example:
        >>> design_of("celeba", {}), design_of("celeba", {"balanced_test": False}), design_of("faces.csv", {})
        ('balanced', 'random', 'random')
    """
    if is_path(name):
        return "random"
    return "balanced" if DATASETS[name].balanced(parse_options(name, options)) else "random"


def names_attributes(name: str, options: Mapping[str, Any]) -> bool:
    """Return whether the options of a data set name several yes/no attributes, each with an output of the network.

    Raises:
        UsageError: if there is no such data set.
        DataError: if the header of a table cannot be read.

    Example:
        >>> names_attributes("celeba", {"target": "Smiling,Young"}), names_attributes("celeba", {})
        (True, False)
    """
    if not is_path(name):
        return "," in options.get("target", "")
    label = options.get("label", "")
    if "," not in label or "label" not in option_names(name):
        return False
    return label not in header(Path(name), options.get("encoding", "utf-8"))


def load_splits(
    name: str,
    wanted: Collection[Split] = SPLITS,
    *,
    root: str | Path | None = None,
    whole: Whole = None,
    **options: Any,
) -> dict[Split, GroupedDataset]:
    """Load the wanted splits that a data set has; arguments and errors are those of :func:`load`.

    With ``whole``, all rows of your own table or folder are one test set: ``always``, or ``unsplit`` where no split is
    given, instead of a test set that is drawn. Built-in data sets have splits of their own.
    """
    for split in wanted:
        if split not in SPLITS:
            raise UsageError(f"unknown split {split!r}; choose one of: {', '.join(SPLITS)}")
    found = entry(name)
    base = Path(root) if root is not None else None
    if is_path(name):
        return found.load(wanted, base, parse_options(name, options), whole)
    if whole == "always":
        raise UsageError(f"{name} has splits of its own; choose one of: {', '.join(SPLITS)}")
    parts = found.load(wanted, base, parse_options(name, options))
    if "test" in parts:
        parts["test"] = replace(parts["test"], design=design_of(name, options))
    return parts


def load(name: str, split: Split, /, *, root: str | Path | None = None, **options: Any) -> GroupedDataset:
    """Load one split of a data set.

    Args:
        name: a name in ``DATASETS``, or the path of a table or of a folder of class folders.
        split: ``"train"`` or ``"test"``, or ``"val"`` where the data set has its own.
        root: folder with the data files; default ``$FAIRDISTILL_DATA``. Included data sets need none; for a
            table, image paths are relative to it.
        **options: the data set's own options, for example ``skew`` and ``data_seed``.

    Raises:
        UsageError: unknown data set, split or option.
        DataError: a missing or corrupt file; no file is read before its checksum has been verified.

    Example:
        >>> train = load("digits-s", "train", skew=0.9)
        >>> len(train), tuple(train.cell_counts().shape)
        (1000, (10, 2))
    """
    parts = load_splits(name, [split], root=root, **options)
    if split not in parts:
        raise UsageError(
            f"data set {name!r} has no {split!r} split of its own; fairdistill.data.cut_validation cuts one from train"
        )
    return parts[split]


def _table(path: Path) -> Callable[..., dict[Split, GroupedDataset]]:
    return lambda wanted, root, options, whole=None: table.load(wanted, path, root, options, whole)


def _folder(path: Path) -> Callable[..., dict[Split, GroupedDataset]]:
    return lambda wanted, root, options, whole=None: folder.load(wanted, path, root, options, whole)
