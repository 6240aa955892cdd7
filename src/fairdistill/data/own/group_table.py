"""Groups and sources of the images in a folder, from a table beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.own.image_column import plain_paths
from fairdistill.data.own.options import FolderOptions
from fairdistill.data.own.paths import locate
from fairdistill.data.own.sources import source_names
from fairdistill.errors import DataError
from fairdistill.tables.bins import check_bins
from fairdistill.tables.columns import Columns, words_of
from fairdistill.tables.reading import check_column, header, read_columns, several
from fairdistill.tables.sources import source_column
from fairdistill.text.numbers import counted


@dataclass(frozen=True, kw_only=True)
class TableGroups:
    """What a group table says about the images of a folder.

    Attributes:
        groups: int64 ``[N]``, -1 where the table is silent.
        names: one name per group.
        sources: object ``[N]`` texts, empty where unknown; None without a column of sources.
        notes: what a reader should know, one sentence each.
    """

    groups: NDArray[np.int64]
    names: tuple[str, ...]
    sources: NDArray[np.object_] | None
    notes: tuple[str, ...]


def read_group_table(path: Path, base: Path, files: Sequence[str], options: FolderOptions) -> TableGroups:
    """Return the group and source of each file from a table, whose paths are relative to ``base``.

    Args:
        path: the table.
        base: the folder.
        files: in it.
        options: the columns of the table, and how they are read.

    Raises:
        DataError: naming the table, row, column and value, for anything in it that cannot be used.
    """
    columns_of = header(path, options.encoding)
    groups = several(options.group, columns_of)
    source = options.source or source_column(columns_of)
    wanted = [("image", options.image), *(("group", name) for name in groups), ("source", source)]
    used = [(option, column) for option, column in wanted if column is not None]
    for option, column in used:
        check_column(path, columns_of, option, column)
    check_bins(options.bin, groups, "group columns")
    frame = read_columns(path, list(dict.fromkeys(column for _, column in used)), options.encoding)
    columns = Columns(path, frame, options.bin, words_of(options.unknown))
    codes, names = columns.crossed(groups)
    sources = None if source is None else source_names(columns, source)
    located = locate(plain_paths(columns, options.image, base), base)
    listed = located.names.tolist()
    at: dict[str, int] = {}
    for row, name in enumerate(listed):
        above = at.setdefault(name, row)
        for what, values in (("group", codes), ("source", sources)):
            if values is not None and values[above] != values[row]:
                shown = [
                    (names[value] if value >= 0 else "unknown") if what == "group" else value or "none"
                    for value in (values[row], values[above])
                ]
                perhaps = _perhaps(name, files)
                remedy = f"write the folders of the images{perhaps}" if perhaps else "correct one"
                raise DataError(
                    f"{columns.where(row)}: {name} has {what} {shown[0]!r} here but {shown[1]!r} above; {remedy}"
                )
    unused = sorted(set(at) - set(files))
    if unused:
        more = f" and {counted(len(unused) - 1, 'more image')}" if len(unused) > 1 else ""
        are = "are" if more else "is"
        raise DataError(
            f"{path} names {unused[0]!r}{_perhaps(unused[0], files)}{more}, which {are} not in {base}; "
            "correct the paths, which are relative to that folder, or remove the rows"
        )
    rows = np.array([at.get(name, -1) for name in files], np.int64)
    return TableGroups(
        groups=np.append(codes, -1)[rows],
        names=names,
        sources=None if sources is None else np.append(sources, "")[rows],
        notes=(*columns.notes, *located.notes),
    )


def _perhaps(name: str, files: Sequence[str]) -> str:
    """Return which files in folders the name of a file alone may mean, in brackets; nothing if there is none."""
    same = [] if name in files else [file for file in files if file.endswith(f"/{name}")]
    return f" (perhaps {' or '.join(same[:2])})" if same else ""
