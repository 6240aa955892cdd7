"""Folders that stand for splits: those at the top, and those that seem to but are somewhere else."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.own.shards import SPLIT_WORDS
from fairdistill.data.rows import SPLITS
from fairdistill.errors import DataError, UsageError
from fairdistill.text.lists import joined

_WORDS = re.compile(r"[^\W\d_]+")


def splits_of_folders(
    path: Path, parts: Sequence[tuple[str, ...]], split_map: Mapping[str, str]
) -> NDArray[np.int64] | None:
    """Return each file's split, int64 ``[N]``; None unless all top-level folders are splits.

    Args:
        path: the folder, for messages.
        parts: the folders that each file is in, from the top, and its name.
        split_map: the splits of further names.

    Raises:
        UsageError: for a name in ``split_map`` that is no folder or no split.
        DataError: if some or all folders seem to be splits without being called like one, or are below the top.
    """
    tops = {part[0] for part in parts}
    known = {top: SPLIT_WORDS[top.casefold()] for top in tops if top.casefold() in SPLIT_WORDS} | dict(split_map)
    for key, value in split_map.items():
        if value not in SPLITS or key not in tops:
            raise UsageError(
                f"--split-map {key}={value}: expected the name of a folder in {path}, and one of {', '.join(SPLITS)}"
            )
    found = bool(tops) and tops <= set(known)
    if not found and (tops & {*SPLITS, *split_map} or _are_splits(tops)):
        odd = sorted(tops - set(known))
        options = " ".join(f"--split-map {shlex.quote(top)}={split_in(top) or 'test'}" for top in odd)
        holds = f"split folders ({', '.join(sorted(tops & set(known)))}) and also " if tops & set(known) else ""
        which = "which split that is" if len(odd) == 1 else "which splits these are, if they are splits"
        them = "it" if len(odd) == 1 else "them"
        named = joined([repr(top) for top in odd])
        raise DataError(f"{path} holds {holds}{named}; say {which}, for example {options}, or move or rename {them}")
    _check_below(path, parts, top=1 if found else 0)
    if not found:
        return None
    return np.array([list(SPLITS).index(known[part[0]]) for part in parts], np.int64)  # type: ignore[arg-type]  # checked above


def split_in(name: str) -> str | None:
    """Return the split that a name speaks of.

    Example:
        >>> split_in("training_set"), split_in("seg-TEST"), split_in("latest"), split_in("test train")
        ('train', 'test', None, None)
    """
    found = {SPLIT_WORDS[word] for word in _WORDS.findall(name.casefold()) if word in SPLIT_WORDS}
    return found.pop() if len(found) == 1 else None


def _are_splits(names: Collection[str]) -> bool:
    """Return whether names speak of two splits, as classes and groups do not."""
    return len({split_in(name) for name in names} - {None}) > 1


def _seeming(folders: Collection[tuple[str, ...]], *, top: int = 0) -> tuple[int, str] | None:
    """Return the first level of folders that speak of splits, and which they are, ready for a message."""
    for level in range(top, max(map(len, folders), default=0)):
        names = {parts[level] for parts in folders if len(parts) > level}
        if _are_splits(names):
            return level, _named(names)
    return None


def _named(names: Collection[str]) -> str:
    """Return those of the names that speak of a split, in a sentence."""
    return joined([repr(name) for name in sorted(names) if split_in(name)])


def _check_below(path: Path, parts: Sequence[tuple[str, ...]], *, top: int) -> None:
    found = _seeming({part[:-1] for part in parts}, top=top)
    if found is None:
        return
    level, named = found
    only = level == 1 and len({part[0] for part in parts}) == 1
    inner = f", or pass {path / parts[0][0]}" if only else ""
    raise DataError(
        f"the folders {named} seem to be splits, but they are inside {path / parts[0][0]} and would be read as classes "
        f"or groups; expected {path}/[train|val|test/]CLASS/[GROUP/]image, so put them at the top{inner}"
    )


def unused_splits(names: Sequence[str]) -> list[str]:
    """Return a note if the paths of images, without splits of their own, hold folders that seem to be splits.

    Example:
        >>> unused_splits(["val/1.jpg", "train/1.jpg", "train/2.jpg"])[0].partition(";")[0]
        "The folders 'train' and 'val' in the paths of images seem to be splits, which no column gives"
    """
    found = _seeming({tuple(folder.split("/")) for folder in {name.rpartition("/")[0] for name in names}})
    if found is None:
        return []
    return [
        f"The folders {found[1]} in the paths of images seem to be splits, which no column gives; if they are, add a "
        "column 'split', or the test set may be drawn from training images"
    ]


def check_classes_of_folders(path: Path, names: Collection[str]) -> None:
    """Raise DataError if the names of the folders that would be classes speak of splits."""
    if _are_splits(names):
        raise DataError(
            f"{path} has no column 'label', and the folders of the images, {_named(names)}, seem to be splits; add the "
            "column"
        )
