"""Any table that names images with a class and a group: CSV, TSV or Parquet."""

from __future__ import annotations

import codecs
import csv
import itertools
import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from fairdistill.config import check_seed
from fairdistill.data.dataset import GroupedDataset, Recipe
from fairdistill.data.file_options import FileOptions
from fairdistill.data.files import NO_SPLIT, SPLITS, Rows, Split, load_rows
from fairdistill.data.sources import Folder
from fairdistill.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".parquet")
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class OwnOptions(FileOptions):
    """Options of a user's own images, whether a table or a folder says what they are."""

    classes: str | None = None
    """Classes in the order of a model's outputs, comma-separated; default: sorted."""
    size: int = 224
    """Height and width of what the network sees, in pixels."""
    crop: Literal["none", "random", "resized"] = "none"
    """Training sees the whole image (none), a random window of a larger one, or a random box resized."""
    stored_size: int | None = None
    """Height and width of the images that training crops are cut from; default: 8/7 of size."""
    flip: bool = True
    """Mirror training images at random."""
    mean: str = ",".join(map(str, IMAGENET_MEAN))
    """Channel means in [0, 1]; default: ImageNet's."""
    std: str = ",".join(map(str, IMAGENET_STD))
    """Channel standard deviations in [0, 1]; default: ImageNet's."""
    test_share: float = 0.2
    """Share of each cell that becomes the test set where no split is given."""
    data_seed: int = 0
    """Which rows become the test set where no split is given."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.test_share < 1:
            raise UsageError(f"expected test_share to lie between 0 and 1, but got {self.test_share}")
        check_seed("data_seed", self.data_seed)
        if self.stored_size is not None and self.crop == "none":
            raise UsageError("--stored-size is for training crops; add --crop random or --crop resized")
        for name in ("size", "stored_size"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= 4096:
                raise UsageError(f"expected {name} to lie in 1 to 4096 pixels, but got {value}")
        if self.crop == "random" and (self.stored_size or self.size) < self.size:
            raise UsageError(f"expected stored_size to be at least size, {self.size}, but got {self.stored_size}")
        _ = self.recipe

    @property
    def recipe(self) -> Recipe:
        """How the images are prepared."""
        stored = self.size if self.crop == "none" else self.stored_size or round(self.size * 8 / 7)
        return Recipe(
            size=self.size,
            stored=(stored, stored),
            crop=self.crop,
            flip=self.flip,
            mean=channels("mean", self.mean),
            std=channels("std", self.std, positive=True),
        )


@dataclass(frozen=True, kw_only=True)
class TableOptions(OwnOptions):
    """Options of a table of images."""

    image: str = "image"
    """Column of image paths, relative to the table's folder, or to --root."""
    label: str = "label"
    """Column of classes."""
    group: str = "group"
    """Column of groups; several, comma-separated, are crossed into one. Empty is unknown."""
    split: str | None = None
    """Column of splits (train, val, test); default: the column split, if there is one."""
    split_map: Mapping[str, str] = field(default_factory=dict)
    """What a split in the table stands for, such as val=test; may be repeated."""
    bin: Mapping[str, str] = field(default_factory=dict)
    """Cut a column of numbers into classes or groups, such as age=20,40; may be repeated."""
    encoding: str = "utf-8"
    """Text encoding of the table, such as latin-1 or cp1252."""


def load(
    wanted: Collection[Split], path: Path, root: Path | None, options: TableOptions
) -> dict[Split, GroupedDataset]:
    """Return the wanted splits of the images that a table names.

    Raises:
        DataError: naming the table, row, column and value, for anything in it that cannot be used.
    """
    base = root or path.parent
    return load_own(read_rows(path, base, options), wanted, name=path.name, base=base, options=options)


def load_own(
    rows: Rows, wanted: Collection[Split], *, name: str, base: Path, options: OwnOptions
) -> dict[Split, GroupedDataset]:
    """Return the wanted splits of a user's own images below ``base``."""
    return load_rows(
        rows,
        wanted,
        name=name,
        source=Folder(base),
        recipe=options.recipe,
        storage=options.storage,
        skip_broken=options.skip_broken,
        test_share=options.test_share,
        split_seed=options.data_seed,
    )


def read_rows(path: Path, base: Path, options: TableOptions) -> Rows:
    """Return what a table says; only the columns that are used are read."""
    names = _header(path, options.encoding)
    groups = [options.group] if options.group in names else options.group.split(",")
    split = options.split or ("split" if "split" in names else None)
    for option, column in [("image", options.image), ("label", options.label), *(("group", g) for g in groups)]:
        _check_column(path, names, option, column)
    if split is not None:
        _check_column(path, names, "split", split)
    for column in options.bin:
        if column not in (options.label, *groups):
            raise UsageError(
                f"--bin {column}: it bins the label or a group, which are {options.label}, {', '.join(groups)}"
            )
    used = list(dict.fromkeys([options.image, options.label, *groups, *([split] if split else [])]))
    frame = _read(path, used, options.encoding)
    if not len(frame):
        raise DataError(f"{path} has a header and no rows; there is nothing to load")
    reader = _Columns(path, frame, options)
    labels, class_names = reader.codes(options.label, "label", order=options.classes)
    crossed = [reader.codes(column, "group", unknown=True) for column in groups]
    group_codes, group_names = cross([c for c, _ in crossed], [n for _, n in crossed])
    return Rows(
        names=reader.names(options.image, base),
        labels=labels,
        groups=group_codes,
        splits=np.full(len(frame), NO_SPLIT) if split is None else reader.splits(split),
        class_names=class_names,
        group_names=group_names,
    )


class _Columns:
    """Columns of a table as codes, with errors that name the row."""

    def __init__(self, path: Path, frame: pd.DataFrame, options: TableOptions) -> None:
        self._path, self._frame, self._options = path, frame, options

    def names(self, column: str, base: Path) -> NDArray[np.object_]:
        """Return paths relative to ``base``, normalised; none may leave it."""
        root = posixpath.normpath(base.absolute().as_posix()).rstrip("/") + "/"
        found = []
        for row, value in enumerate(self._frame[column].tolist()):
            if not (isinstance(value, str) and value.strip()):
                raise DataError(f"{self._where(row)}: column {column!r} names no image; remove the row or name one")
            if _PLAIN_PATH(value):
                found.append(value)
                continue
            full = posixpath.normpath(posixpath.join(root, value))
            if not full.startswith(root):
                raise DataError(
                    f"{self._where(row)}: {value!r} lies outside of {root}; correct it, or give the folder that holds "
                    "all images with --root"
                )
            found.append(full[len(root) :])
        return np.array(found, object)

    def codes(
        self, column: str, role: str, *, unknown: bool = False, order: str | None = None
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return a column's values as numbers, -1 where empty, and the name of each number."""
        values = self._frame[column]
        if column in self._options.bin:
            codes, names = self._binned(column)
        else:
            try:
                categorical = values.astype("category")
            except TypeError as error:
                raise DataError(f"{self._path}: column {column!r} holds no texts or numbers: {error}") from error
            shown = [str(value) for value in categorical.cat.categories]
            names = tuple(sorted(set(shown), key=natural))
            at = {name: code for code, name in enumerate(names)}
            place = np.array([at[value] for value in shown] + [-1], np.int64)
            codes = place[categorical.cat.codes.to_numpy()]
        empty = np.flatnonzero(codes < 0)
        if len(empty) and not unknown:
            raise DataError(
                f"{self._where(int(empty[0]))}: column {column!r} is empty, as in {len(empty) - 1} more rows; every "
                f"row needs a {role}"
            )
        if order is not None:
            codes, names = reordered(codes, names, order, where=self._where)
        return codes, names

    def splits(self, column: str) -> NDArray[np.int64]:
        """Return 0, 1 or 2 for train, val and test."""
        codes, names = self.codes(column, "split")
        known: dict[str, str] = {split: split for split in SPLITS}
        known.update(self._options.split_map)
        for key, value in self._options.split_map.items():
            if value not in SPLITS:
                raise UsageError(f"--split-map {key}={value}: a split is one of {', '.join(SPLITS)}")
            if key not in names:
                raise UsageError(f"--split-map {key}={value}: column {column!r} of {self._path} has {', '.join(names)}")
        for code, name in enumerate(names):
            if name not in known:
                row = int(np.flatnonzero(codes == code)[0])
                raise DataError(
                    f"{self._where(row)}: column {column!r} has {name!r}, which is none of {', '.join(SPLITS)}; say "
                    f"what it stands for, such as --split-map {name}=test"
                )
        place = np.array([list(SPLITS).index(known[name]) for name in names], np.int64)  # type: ignore[arg-type]  # checked above
        return place[codes]

    def _binned(self, column: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        import pandas as pd

        edges = bin_edges(column, self._options.bin[column])
        values = self._frame[column]
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        wrong = np.flatnonzero(np.isnan(numbers) & values.notna().to_numpy())
        if len(wrong):
            row = int(wrong[0])
            raise DataError(
                f"{self._where(row)}: column {column!r} has {values.iloc[row]!r}, which is no number "
                "that --bin could cut"
            )
        codes = np.searchsorted(edges, numbers, side="right")
        return np.where(np.isnan(numbers), -1, codes).astype(np.int64), bin_names(edges)

    def _where(self, row: int) -> str:
        return f"{self._path}, row {row + 2 if self._path.suffix != '.parquet' else row + 1}"


# A relative path without dots or doubled slashes stays in its folder; the others are worked out, ten times slower.
_PLAIN_PATH = re.compile(r"[^/.][^/]*(/[^/.][^/]*)*").fullmatch


def natural(text: str) -> tuple[Any, ...]:
    """Return a key that sorts numbers in texts by value: ``"9"`` before ``"10"``, ``"img2"`` before ``"img10"``.

    No two texts have the same key, so that the order never depends on the file system: ``"01"`` comes before ``"1"``.
    """
    parts = [part for part in re.split(r"(\d+)", text) if part]
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts), text


def cross(
    codes: Sequence[NDArray[np.int64]], names: Sequence[Sequence[str]]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Cross several group attributes into one; only combinations that occur are groups, unknown in one is unknown."""
    total, all_names = codes[0], tuple(names[0])
    for code, more in zip(codes[1:], names[1:], strict=True):
        total = np.where((total < 0) | (code < 0), -1, total * len(more) + code)
        all_names = tuple(f"{a}, {b}" for a in all_names for b in more)
    occurring = np.unique(total[total >= 0])
    place = np.full(len(all_names) + 1, -1, np.int64)
    place[occurring] = np.arange(len(occurring))
    return place[total], tuple(all_names[code] for code in occurring.tolist())


def reordered(
    codes: NDArray[np.int64], names: tuple[str, ...], order: str, *, where: Callable[[int], str]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number the classes as ``order``, comma-separated names, says."""
    wanted = tuple(name.strip() for name in order.split(","))
    if len(set(wanted)) != len(wanted):
        raise UsageError(f"--classes {order}: a class is named twice")
    for code, name in enumerate(names):
        if name not in wanted:
            row = int(np.flatnonzero(codes == code)[0])
            raise DataError(f"{where(row)}: the class {name!r} is not among --classes {order}")
    place = np.array([wanted.index(name) for name in names], np.int64)
    return place[codes], wanted


def bin_edges(column: str, text: str) -> NDArray[np.float64]:
    """Return the increasing numbers of ``20,40``."""
    try:
        edges = np.array([float(part) for part in str(text).split(",")])
    except ValueError:
        raise UsageError(f"expected --bin {column}=NUMBER,NUMBER,..., but got {column}={text}") from None
    if not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
        raise UsageError(f"expected --bin {column} to rise from number to number, but got {text}")
    return edges


def bin_names(edges: NDArray[np.float64]) -> tuple[str, ...]:
    """Return the name of each bin: ``<20``, ``20 to <40``, ``>=40``."""
    shown = [repr(edge).removesuffix(".0") for edge in edges.tolist()]
    between = [f"{low} to <{high}" for low, high in itertools.pairwise(shown)]
    return (f"<{shown[0]}", *between, f">={shown[-1]}")


def channels(name: str, text: str, *, positive: bool = False) -> tuple[float, float, float]:
    """Return the three numbers of ``0.485,0.456,0.406``; one number stands for all three.

    Raises:
        UsageError: if there are not one or three finite numbers, or one that must be positive is not.
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) == 1:
        values *= 3
    if len(values) != 3 or not np.isfinite(values).all() or (positive and min(values) <= 0):
        kind = "positive numbers" if positive else "numbers"
        raise UsageError(f"expected {name} to be three {kind} such as 0.5,0.5,0.5, but got {text!r}")
    return values[0], values[1], values[2]


def _header(path: Path, encoding: str) -> list[str]:
    """Return the column names; a name that is there twice is an error, since one of the two would be lost."""
    if path.suffix == ".parquet":
        return _parquet_header(path)
    try:
        with path.open(encoding=_with_mark(encoding), newline="") as file:
            names = _first(csv.reader(file, delimiter=_separator(path)))
    except FileNotFoundError:
        raise DataError(f"there is no table {path}") from None
    except (UnicodeDecodeError, LookupError, csv.Error, OSError) as error:
        raise _unreadable(path, encoding, error) from error
    if not names:
        raise DataError(f"{path} is empty; expected a header of column names and a row for each image")
    return _checked_header(path, names)


def _first(lines: Iterator[list[str]]) -> list[str]:
    """Return the first line that is not blank, as pandas does."""
    return next((fields for fields in lines if fields), [])


def _checked_header(path: Path, names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{path} has {names.count(name)} columns called {name!r}; rename or remove one")
    return names


def _read(path: Path, columns: list[str], encoding: str) -> pd.DataFrame:
    import pandas as pd

    if path.suffix == ".parquet":
        return _read_parquet(path, columns)
    try:
        _check_fields(path, encoding)
        return pd.read_csv(
            path,
            usecols=columns,
            sep=_separator(path),
            encoding=_with_mark(encoding),
            dtype=str,
            keep_default_na=False,
            na_values=[""],
        )
    except DataError:
        raise
    except (ValueError, LookupError, OSError, csv.Error) as error:  # pandas' ParserError is a ValueError
        raise _unreadable(path, encoding, error) from error


def _check_fields(path: Path, encoding: str) -> None:
    """Check that no row has more or fewer fields than the header; pandas would shift or drop them in silence."""
    with path.open(encoding=_with_mark(encoding), newline="") as file:
        reader = csv.reader(file, delimiter=_separator(path))
        width = len(_first(reader))
        for fields in reader:
            if len(fields) != width and fields:
                raise DataError(
                    f"{path}, line {reader.line_num}: expected {width} fields as in the header, but got {len(fields)}; "
                    "a field that holds the separator must be quoted"
                )


def _parquet_header(path: Path) -> list[str]:
    if not path.exists():
        raise DataError(f"there is no table {path}")
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(f"reading {path} needs pyarrow; install it with: pip install 'fairdistill[parquet]'") from None
    try:
        return _checked_header(path, list(pyarrow.parquet.read_schema(path).names))
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a readable Parquet file: {' '.join(str(error).split())}") from error


def _read_parquet(path: Path, columns: list[str]) -> pd.DataFrame:
    import pandas as pd
    import pyarrow
    import pyarrow.parquet

    try:
        # What was an index is a column like others; whole numbers stay whole though some are missing.
        stored = pyarrow.parquet.read_table(path, columns=columns)
        frame: pd.DataFrame = stored.to_pandas(ignore_metadata=True, integer_object_nulls=True)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"cannot read the table {path}: {' '.join(str(error).split())}") from error
    for name in columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].astype(frame[name].cat.categories.dtype)
        if pd.api.types.is_string_dtype(frame[name].dtype):
            frame[name] = frame[name].replace("", None)
    return frame


def _unreadable(path: Path, encoding: str, error: Exception) -> DataError:
    if isinstance(error, LookupError):
        return DataError(
            f"there is no encoding {encoding!r}; give one such as utf-8, latin-1 or cp1252 with --encoding"
        )
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        guess = "utf-16" if error.start == 0 and byte in (0xFE, 0xFF) else "latin-1"
        return DataError(
            f"{path} is not {encoding} (byte {byte:#04x} at position {error.start}); give its encoding, such as "
            f"--encoding {guess}"
        )
    return DataError(f"cannot read the table {path}: {' '.join(str(error).split())}")


def _with_mark(encoding: str) -> str:
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _separator(path: Path) -> str:
    return "\t" if path.suffix == ".tsv" else ","


def _check_column(path: Path, names: list[str], option: str, column: str) -> None:
    if column not in names:
        raise DataError(f"{path} has no column {column!r}; it has {', '.join(names)}. Name one with --{option}")


def read_groups(
    path: Path, base: Path, files: Sequence[str], image: str, group: str, encoding: str
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the group that a table gives each of ``files`` (relative to ``base``); -1 for those it leaves out."""
    names = _header(path, encoding)
    columns = [group] if group in names else group.split(",")
    for option, column in [("image", image), *(("group", name) for name in columns)]:
        _check_column(path, names, option, column)
    reader = _Columns(path, _read(path, list(dict.fromkeys([image, *columns])), encoding), TableOptions())
    crossed = [reader.codes(column, "group", unknown=True) for column in columns]
    codes, group_names = cross([c for c, _ in crossed], [n for _, n in crossed])
    place = dict(zip(reader.names(image, base).tolist(), codes.tolist(), strict=True))
    unused = sorted(set(place) - set(files))
    if unused:
        raise DataError(f"{path} names {unused[0]!r}, which is no image in {base}, and {len(unused) - 1} more such")
    return np.array([place.get(name, -1) for name in files], np.int64), group_names
