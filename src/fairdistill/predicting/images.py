"""The images to predict: all below a folder, or those that a table names, with its other columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.files import unique_ids
from fairdistill.data.images.sources import Folder, Source
from fairdistill.data.own.folder import images_below
from fairdistill.data.own.image_column import images_of
from fairdistill.data.own.metadata import FILE_NAME, MetadataColumns, header, metadata_tables, read_columns
from fairdistill.data.own.paths import check_located, locate
from fairdistill.data.own.shards import embedded, shards
from fairdistill.errors import DataError, UsageError
from fairdistill.predicting.options import ImageOptions
from fairdistill.tables.reading import SUFFIXES, check_column
from fairdistill.text.lists import listed

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class ImageList:
    """Images in files.

    Attributes:
        source: where they are.
        names: their names there, object ``[N]``.
        ids: a name for each that occurs once, object ``[N]``.
        columns: the columns of their table, object ``[N]`` each; empty for a folder.
        notes: how they were found, one sentence each.
    """

    source: Source
    names: NDArray[np.object_]
    ids: NDArray[np.object_]
    columns: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


def find_images(options: ImageOptions) -> ImageList:
    """Return the images that ``--images`` names.

    Raises:
        UsageError: if there is no such folder or table.
        DataError: naming the table, the row and the value, for a path that cannot be used; if there are no images.
    """
    path = Path(str(options.images))
    if path.suffix.lower() in SUFFIXES or (path.is_dir() and (metadata_tables(path) or shards(path))):
        return _of_table(path, options)
    if not path.is_dir():
        what = "is a file" if path.is_file() else "does not exist"
        raise UsageError(
            f"--images {path} {what}; expected a folder of images or a table ({', '.join(SUFFIXES)}) with a column of "
            "paths"
        )
    if options.data_root is not None:
        raise UsageError(f"--data-root {options.data_root}: {path} is a folder, so --data-root does not apply; drop it")
    files, notes = images_below(path)
    if not files:
        seen = f" ({'; '.join(notes)})" if notes else ""
        raise DataError(f"{path} holds no images{seen}")
    names = np.array(files, object)
    return ImageList(source=Folder(path), names=names, ids=names, notes=tuple(notes))


def _of_table(path: Path, options: ImageOptions) -> ImageList:
    names = header(path, options.encoding)
    column = FILE_NAME if options.image == "image" and "image" not in names and FILE_NAME in names else options.image
    check_column(path, names, "image", column)
    inside = embedded(path, column)
    base = Path(options.data_root) if options.data_root else path if path.is_dir() else path.parent
    frame = read_columns(
        path, [name for name in names if name and (name != column or inside is None)], options.encoding
    )
    images = images_of(MetadataColumns(path, frame, {}, encoding=options.encoding), column, base, inside)
    source, found, notes = images.source, images.names, images.notes
    if source is None or isinstance(source, Folder):
        source = Folder(base) if source is None else source
        located = locate(found, Path(source.where))
        skipped = check_located(located, Path(source.where), where=path.name, skip=options.skip_broken)
        found, notes = located.names, (*notes, *skipped)
    columns, left = _kept(frame)
    return ImageList(
        source=source,
        names=found,
        ids=np.array(unique_ids(found.tolist()), object),
        columns=columns,
        notes=(*notes, *left),
    )


def _kept(frame: pd.DataFrame) -> tuple[dict[str, NDArray[np.object_]], tuple[str, ...]]:
    """Return the columns of a table that can stand beside predictions, and a note on the others."""
    taken = [name for name in frame.columns if name == "pred" or name.startswith(("p_", "pred_"))]
    nested = [name for name in frame.columns if _is_nested(frame[name])]
    columns = {}
    for name in frame.columns:
        if name not in taken and name not in nested:
            values = frame[name].astype(object)
            columns[name] = values.where(values.notna(), "").to_numpy(object)
    notes = [f"{_columns(taken)} left out, since audit would take such names for predictions"] if taken else []
    notes += [f"{_columns(nested)} left out, since tables of predictions hold only texts and numbers"] if nested else []
    return columns, tuple(notes)


def _columns(names: list[str]) -> str:
    return f"The column {names[0]} was" if len(names) == 1 else f"The columns {listed(names, _SHOWN)} were"


def _is_nested(column: pd.Series[Any]) -> bool:
    first = next((value for value in column if value is not None), None)
    return isinstance(first, dict | list | bytes | np.ndarray)
