"""A folder of class folders: ``[split/]class/[group/]image``."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from fairdistill.data.own.group_table import TableGroups, read_group_table
from fairdistill.data.own.options import FolderOptions
from fairdistill.data.own.paths import EXTENSIONS
from fairdistill.data.own.split_folders import splits_of_folders
from fairdistill.data.own.table import load_own
from fairdistill.data.own.walking import Walk
from fairdistill.data.rows import NO_SPLIT, Rows, Split, Whole
from fairdistill.errors import DataError, UsageError
from fairdistill.tables.columns import reordered, unused_words, words_of
from fairdistill.tables.order import in_order, natural
from fairdistill.tables.parts import tables_in
from fairdistill.tables.spelling import spelling_notes
from fairdistill.text.lists import listed

if TYPE_CHECKING:
    from fairdistill.data.dataset import GroupedDataset

_NAMED = 3  # examples in a note


def load(
    wanted: Collection[Split], path: Path, root: Path | None, options: FolderOptions, whole: Whole = None
) -> dict[Split, GroupedDataset]:
    """Return the wanted splits of the images below a folder, or all as one test set (``whole``).

    Raises:
        UsageError: if ``root`` is given, which does not apply to a folder.
        DataError: for anything in the folder that cannot be used.
    """
    if root is not None:
        raise UsageError(f"--root {root}: {path} is a folder of images, so --root does not apply; drop it")
    return load_own(read_rows(path, options), wanted, whole, name=path.absolute().name, base=path, options=options)


def read_rows(path: Path, options: FolderOptions) -> Rows:
    """Return the images of a folder with the classes, groups and splits of its structure.

    Raises:
        DataError: if it holds no class folders, or mixes images with and without a group folder.
    """
    files, notes = images_below(path)
    parts = [PurePosixPath(name).parts for name in files]
    _check_depth(path, files, least=2, notes=notes)
    splits = splits_of_folders(path, parts, options.split_map)
    depth = 0 if splits is None else 1
    _check_depth(path, files, least=depth + 2, notes=notes)
    by_folder = options.group_table is None
    inner = {len(part) > depth + 2 for part in parts}
    if by_folder and inner != {True}:
        example = next(name for name, part in zip(files, parts, strict=True) if len(part) <= depth + 2)
        raise DataError(
            f"{path / example} is not in a group folder inside its class folder; expected CLASS/GROUP/image, or a "
            "table of groups with --group-table"
        )
    labels, class_names = _codes([part[depth] for part in parts])
    if options.classes is not None:
        labels, class_names = reordered(labels, class_names, options.classes, where=lambda row: str(path / files[row]))
    if options.group_table is None:
        of_groups = _folder_groups([part[depth + 1] for part in parts], words_of(options.unknown))
    else:
        of_groups = read_group_table(Path(options.group_table), path, files, options)
    of_class = np.bincount(labels, minlength=len(class_names)).tolist()
    notes += spelling_notes(class_names, of_class, column="the class folders", kind="class")
    return Rows(
        names=np.array(files, object),
        labels=labels,
        groups=of_groups.groups,
        splits=np.full(len(files), NO_SPLIT) if splits is None else splits,
        class_names=class_names,
        group_names=of_groups.names,
        sources=of_groups.sources,
        notes=(*notes, *of_groups.notes),
    )


def _check_depth(path: Path, files: Sequence[str], *, least: int, notes: Sequence[str]) -> None:
    """Raise DataError unless there are images, and all are in at least so many folders, less one."""
    loose = next((name for name in files if name.count("/") + 1 < least), None)
    if loose is None and files:
        return
    found = f"{path} holds no images" if loose is None else f"{path / loose} is not in a class folder"
    seen = f" ({'; '.join(notes)})" if notes and loose is None else ""
    inner = path if loose is None else (path / loose).parent
    tables = tables_in(inner) or tables_in(path)
    other = f", or, if the classes are in {tables[0]}, --data {shlex.quote(str(tables[0]))}" if tables else ""
    raise DataError(f"{found}{seen}; expected {path}/[train|val|test/]CLASS/[GROUP/]image{other}")


def _folder_groups(values: list[str], unknown: frozenset[str]) -> TableGroups:
    """Return the groups that group folders stand for, with notes on their spelling."""
    codes, all_names = _codes(values)
    known = [name.strip() not in unknown for name in all_names]
    names = tuple(name for name, one in zip(all_names, known, strict=True) if one)
    groups = np.where(known, np.cumsum(known) - 1, -1)[codes]
    rows = np.bincount(groups[groups >= 0], minlength=len(names)).tolist()
    notes = spelling_notes(names, rows, column="the group folders", kind="group")
    return TableGroups(groups=groups, names=names, sources=None, notes=(*notes, *unused_words(unknown, [values])))


def images_below(path: Path) -> tuple[list[str], list[str]]:
    """Return the images below a folder in natural order, and notes on what is not read.

    Raises:
        DataError: for a folder that cannot be read, or a name that is not UTF-8.
    """
    files, others = [], Counter[str]()
    walk = Walk(path)
    for folder, name in walk.files():
        suffix = PurePosixPath(name).suffix
        if suffix.lower() in EXTENSIONS:
            files.append(f"{folder}/{name}" if folder else name)
            _check_text(path, files[-1])
        else:
            others[suffix.lower() or "without any"] += 1
    notes = []
    if others:
        count = others.total()
        kinds = listed([f"{times:,} {suffix}" for suffix, times in others.most_common()], _NAMED)
        were = "file was" if count == 1 else "files were"
        notes.append(f"{count:,} {were} ignored because of the extension ({kinds})")
    if walk.repeated:
        count = len(walk.repeated)
        were = "link was not followed, since it leads" if count == 1 else "links were not followed, since they lead"
        notes.append(
            f"{count:,} {were} to a folder that is read already or that holds {path} (for example {walk.repeated[0]})"
        )
    empty = _without_images(walk.folders, files)
    if empty and files:
        hold = "folder holds" if len(empty) == 1 else "folders hold"
        notes.append(f"{len(empty):,} {hold} no images: {listed(empty, _NAMED)}")
    return sorted(files, key=natural), notes


def _check_text(path: Path, name: str) -> None:
    """Raise DataError for a name of bytes that are not UTF-8, which no table and no file of a run could hold."""
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        raise DataError(f"{path} holds '{shown}', whose name is not UTF-8; rename it") from None


def _without_images(folders: Sequence[str], files: Sequence[str]) -> list[str]:
    """Return the folders that hold no images, without those inside them."""
    used = {""}
    for folder in {name.rpartition("/")[0] for name in files}:
        while folder not in used:
            used.add(folder)
            folder = folder.rpartition("/")[0]
    return [folder for folder in sorted(folders) if folder not in used and folder.rpartition("/")[0] in used]


def _codes(values: list[str]) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], tuple[str, ...]]:
    names = in_order(values)
    place = {name: code for code, name in enumerate(names)}
    return np.array([place[value] for value in values], np.int64), names
