"""Test images in a table of their own (``--test-data``), joined with the table of all others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.attributes import matched
from fairdistill.data.images.sources import Folder
from fairdistill.data.own.joined import Joined
from fairdistill.data.rows import NO_SPLIT, SPLITS, Rows
from fairdistill.errors import DataError

_TEST = SPLITS.index("test")


def with_test_rows(rows: Rows, test: Rows, *, paths: tuple[Path, Path], bases: tuple[Path, Path]) -> Rows:
    """Return the rows of two tables as those of one, the second one's as the test set.

    Rows of the first table without a split are for training. Classes and groups are matched by name.

    Args:
        rows: of the first table.
        test: of the second table; its own splits do not count.
        paths: the two tables, for messages.
        bases: the folders of images in files.

    Raises:
        DataError: if the first table has test rows, or the second a class that the first lacks.
    """
    if (rows.splits == _TEST).any():
        raise DataError(
            f"{paths[0]} has test rows already, so --test-data {paths[1]} does not apply; drop one of them, or call "
            "those rows something else with --split-map test=val"
        )
    rows, test = _with_equal_classes(rows, test)
    new = next((name for name in test.class_names if name not in rows.class_names), None)
    if new is not None:
        raise DataError(
            f"{paths[1]} has the class {new!r}, which {paths[0]} lacks (it has {', '.join(rows.class_names)}); correct "
            "its label column"
        )
    groups = (*rows.group_names, *(name for name in test.group_names if name not in rows.group_names))
    taken = set(rows.names.tolist())
    inner = test.names.tolist()
    names = inner if taken.isdisjoint(inner) else [f"{paths[1].name}: {name}" for name in inner]
    first, second = (
        Folder(base) if each.source is None else each.source for each, base in zip((rows, test), bases, strict=True)
    )
    places = {name: (first, name) for name in rows.names.tolist()}
    places |= {name: (second, own) for name, own in zip(names, inner, strict=True)}
    same = first.where == second.where and names == inner and isinstance(first, Folder)
    kept = np.where(rows.splits == NO_SPLIT, SPLITS.index("train"), rows.splits)
    return replace(
        rows,
        names=np.concatenate([rows.names, np.array(names, object)]),
        labels=np.concatenate([rows.labels, _codes(test.labels, test.class_names, rows.class_names)]),
        groups=np.concatenate([rows.groups, _codes(test.groups, test.group_names, groups)]),
        splits=np.concatenate([kept, np.full(len(names), _TEST)]),
        group_names=groups,
        sources=_sources(rows, test),
        notes=tuple(dict.fromkeys((*rows.notes, *test.notes))),
        source=first if same else Joined(f"{first.where} and {second.where}", places),
    )


def _with_equal_classes(rows: Rows, test: Rows) -> tuple[Rows, Rows]:
    """Return rows of several attributes with the combinations of both tables as classes; others as they are."""
    own, other = rows.attributes, test.attributes
    if own is None or other is None:
        return rows, test
    different = next(((a, b) for a, b in zip(own.answers, other.answers, strict=True) if a != b), None)
    if different is not None:
        first, second = (" and ".join(pair) for pair in different)
        raise DataError(f"the two tables call the answers differently: {first}, and {second}; write them alike")
    both, place = matched(own, other)
    return (
        replace(rows, class_names=both.class_names, attributes=both),
        replace(test, labels=place[test.labels], class_names=both.class_names, attributes=both),
    )


def _codes(codes: NDArray[np.int64], own: tuple[str, ...], names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return codes by the places of their names among others; -1 stays."""
    place = np.array([*(names.index(name) for name in own), -1], np.int64)  # -1 reads the last
    return place[codes]


def _sources(rows: Rows, test: Rows) -> NDArray[np.object_] | None:
    if rows.sources is None and test.sources is None:
        return None
    both = (np.full(len(each.names), "", object) if each.sources is None else each.sources for each in (rows, test))
    return np.concatenate(list(both))
