"""The two tables of a fix: predictions for validation and for test images, with classes and groups in one order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError
from fairdistill.fixing.tables.options import TableFixOptions
from fairdistill.predictions import Predictions, read_predictions
from fairdistill.predictions.reordered import in_class_order, in_group_order

_DIVIDE = "what is chosen on an image cannot be confirmed on it, so divide them"
_FEW = 0.1  # share of the same samples whose class or group may have been corrected in one table


def read_both(paths: Sequence[Path], options: TableFixOptions) -> tuple[Predictions, Predictions]:
    """Return the predictions of both tables, with classes and groups in the same order.

    Raises:
        DataError: if a table has no probabilities, or the two do not have the same classes and groups, or share ids.
    """
    validation, test = (read_predictions(path, options) for path in paths)
    for path, found in zip(paths, (validation, test), strict=True):
        if found.probabilities is None:
            raise DataError(
                f"{path} has no probabilities, which corrections need; add a column for each class (p_cat, p_dog), or "
                "--score for two classes. A table without them can be audited: fairdistill audit"
            )
    if set(validation.class_names) != set(test.class_names):
        raise DataError(
            f"the classes of {paths[0]} ({', '.join(validation.class_names)}) are not those of {paths[1]} "
            f"({', '.join(test.class_names)}); both must come from the same model, and be written alike"
        )
    test = _in_group_order(in_class_order(test, validation.class_names), validation, paths)
    if _are_equal(validation, test):
        raise DataError(f"{paths[0]} and {paths[1]} hold the same predictions; {_DIVIDE}")
    note = _check_shared(validation, test, paths)
    return validation, test if note is None else replace(test, notes=(*test.notes, note))


def _check_shared(validation: Predictions, test: Predictions, paths: Sequence[Path]) -> str | None:
    """Check that no sample is in both tables; return a note if ids are, but of samples that differ otherwise."""
    if validation.ids is None or test.ids is None:
        return None
    shared = set(validation.ids.tolist()) & set(test.ids.tolist()) - {""}
    if not shared:
        return None
    first, second = (_described(each, shared) for each in (validation, test))
    differ = {name for name, *_ in first ^ second}
    both = f"{len(shared):,} ids are in both {paths[0]} and {paths[1]}"
    if len(differ) > _FEW * len(shared):  # numbers or file names that begin anew in each table
        return (
            f"{both}, but {len(differ):,} of them have another class or group there, so they were taken for different "
            "samples"
        )
    raise DataError(f"{both}, for example {min(shared)}; {_DIVIDE}, or give different images different ids")


def _are_equal(first: Predictions, second: Predictions) -> bool:
    """Return whether two tables have the same rows but for their ids, in whatever order."""
    one, other = _rows(first), _rows(second)
    return one.shape == other.shape and bool((one[np.lexsort(one.T)] == other[np.lexsort(other.T)]).all())


def _rows(found: Predictions) -> NDArray[np.float64]:
    assert found.probabilities is not None, "they were checked"
    return np.column_stack([found.labels, found.groups, found.predicted, found.probabilities])


def _described(found: Predictions, ids: Collection[str]) -> set[tuple[str, int, int]]:
    """Return the samples with some ids: the id, the class and the group."""
    assert found.ids is not None
    rows = zip(found.ids.tolist(), found.labels.tolist(), found.groups.tolist(), strict=True)
    return {row for row in rows if row[0] in ids}


def _in_group_order(test: Predictions, validation: Predictions, paths: Sequence[Path]) -> Predictions:
    names = validation.group_names
    new = [name for name in test.group_names if name not in names]
    if new:
        raise DataError(
            f"{paths[1]} has the group {new[0]!r}, of which {paths[0]} has no rows, so nothing can be fitted for it"
        )
    return in_group_order(test, names)
