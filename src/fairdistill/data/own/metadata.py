"""A folder of images with a metadata table, as Hugging Face's ``imagefolder`` has it.

``metadata.csv``, ``metadata.jsonl`` or ``metadata.parquet`` is in the folder itself or in a folder for each split, and
its column ``file_name`` holds paths relative to the table. The functions here read such tables together, or the Parquet
files of a folder, as the functions of the same names in :mod:`fairdistill.tables.reading` read one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fairdistill.data.own.shards import SPLIT_WORDS, rows_in, shards
from fairdistill.data.own.split_folders import check_classes_of_folders
from fairdistill.errors import DataError
from fairdistill.tables import reading
from fairdistill.tables.columns import Columns

if TYPE_CHECKING:
    import pandas as pd

FILE_NAME = "file_name"
_NAMES = tuple(f"metadata{suffix}" for suffix in (".csv", ".jsonl", ".parquet"))


def metadata_tables(folder: Path) -> tuple[tuple[str, Path], ...]:
    """Return the metadata tables of a folder of images, each with its inner folder ("" for none)."""
    own = _table(folder)
    if own is not None:
        return (("", own),)
    try:
        inner = sorted(path for path in folder.iterdir() if path.name.lower() in SPLIT_WORDS and path.is_dir())
    except OSError:
        return ()
    return tuple((path.name, table) for path in inner if (table := _table(path)) is not None)


def _table(folder: Path) -> Path | None:
    """Return the metadata table in a folder; one that cannot be read counts, so that its fault is named later."""
    for path in (folder / name for name in _NAMES):
        try:
            if path.is_file() and FILE_NAME in reading.header(path, "utf-8"):
                return path
        except DataError:
            return path
    return None


def header(path: Path, encoding: str) -> list[str]:
    """Return the column names of a table, or those that all metadata tables of a folder have.

    Two may be added: ``split``, by the names of folders, and ``label``, by the folder of each image.
    """
    if not path.is_dir():
        return reading.header(path, encoding)
    parts = shards(path)
    if parts:
        names = reading.header(parts[0][1], encoding)
        return names + [name for name in ("split",) if name not in names and parts[0][0]]
    tables = metadata_tables(path)
    headers = [reading.header(table, encoding) for _, table in tables]
    names = [name for name in headers[0] if all(name in other for other in headers)]
    files = _files(path, encoding)
    added = {"split": _splits(files) is not None, "label": all("/" in _inside(name) for name in files)}
    return names + [name for name, known in added.items() if known and name not in names]


def read_columns(path: Path, columns: list[str], encoding: str) -> pd.DataFrame:
    """Return columns of a table, or of all metadata tables of a folder, one below the other."""
    if not path.is_dir():
        return reading.read_columns(path, columns, encoding)
    import pandas as pd

    parts = shards(path)
    if parts:
        own = [name for name in columns if name in reading.header(parts[0][1], encoding)]
        read = [(split, reading.read_columns(file, own, encoding)) for split, file in parts]
        return pd.concat(
            [frame if own == columns else frame.assign(split=split) for split, frame in read], ignore_index=True
        )
    tables = metadata_tables(path)
    stored = [name for name in reading.header(tables[0][1], encoding) if name in columns]
    frames = [reading.read_columns(table, stored, encoding) for _, table in tables]
    frame = pd.concat(frames, ignore_index=True)
    files = _files(path, encoding)
    if FILE_NAME in stored:
        frame[FILE_NAME] = files
    if "split" in columns and "split" not in stored:
        frame["split"] = _splits(files)
    if "label" in columns and "label" not in stored:
        frame["label"] = [posixpath.basename(posixpath.dirname(_slashed(name))) for name in files]
        check_classes_of_folders(path, set(frame["label"]))
    return frame


class MetadataColumns(Columns):
    """Columns of a table, or of all metadata tables of a folder; errors name the table and the row."""

    def __init__(
        self, path: Path, frame: pd.DataFrame, bins: Mapping[str, str], unknown: Collection[str] = (), *,
        encoding: str = "utf-8",
    ) -> None:  # fmt: skip
        super().__init__(path, frame, bins, unknown)
        self._encoding = encoding
        self._tables = (shards(path) or metadata_tables(path)) if path.is_dir() else ()

    def where(self, row: int) -> str:
        """Return where a row is, for messages."""
        for _, table in self._tables:
            of_parquet = reading.is_parquet(table)
            count = rows_in(table) if of_parquet else len(reading.read_columns(table, [FILE_NAME], self._encoding))
            if row < count:
                return reading.place(table, row)
            row -= count
        return super().where(row)


def _files(folder: Path, encoding: str) -> list[str]:
    """Return the paths of all images, relative to the folder."""
    files = []
    for split, table in metadata_tables(folder):
        for row, name in enumerate(reading.read_columns(table, [FILE_NAME], encoding)[FILE_NAME].tolist()):
            if not (isinstance(name, str) and name.strip()):
                raise DataError(f"{reading.place(table, row)}: column {FILE_NAME!r} is empty; name the image's file")
            files.append(posixpath.join(split, name))
    return files


def _splits(files: list[str]) -> list[str] | None:
    """Return each file's split by its outermost folder; None unless all of them are splits, and differ."""
    tops = [_slashed(name).partition("/")[0].lower() for name in files]
    if not set(tops) <= set(SPLIT_WORDS) or len({SPLIT_WORDS[top] for top in tops}) < 2:
        return None
    return [SPLIT_WORDS[top] for top in tops]


def _inside(name: str) -> str:
    """Return a path without the folder of its split."""
    top, _, rest = _slashed(name).partition("/")
    return rest if top.lower() in SPLIT_WORDS else _slashed(name)


def _slashed(name: str) -> str:
    """Return a path with slashes, as Windows may have written it."""
    return (name if "/" in name else name.replace("\\", "/")).removeprefix("./")
