"""What the files of a run folder hold: checked when they are read, so that nothing after trips over an edited one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairdistill.errors import RunFolderError

_LARGEST = 2**63
_LARGEST_FLOAT = 3.5e38  # of float32, in which a loss is computed; one of a run that diverges comes near it


@dataclass(frozen=True)
class Kind:
    """One kind of value.

    Attributes:
        name: for messages.
        types: its types; a truth value is no number.
        empty: whether null is allowed too.
    """

    name: str
    types: tuple[type, ...]
    empty: bool = False


@dataclass(frozen=True)
class Each:
    """A list, or a mapping from any name, whose items all have one form.

    Attributes:
        form: of each item.
        of: ``list`` or ``dict``.
        length: the number of items, if it is fixed.
    """

    form: Any
    of: type = list
    length: int | None = None


TEXT, TEXT_OR_NULL = Kind("a text", (str,)), Kind("a text or null", (str,), empty=True)
WHOLE, WHOLE_OR_NULL = Kind("a whole number", (int,)), Kind("a whole number or null", (int,), empty=True)
NUMBER, NUMBER_OR_NULL = Kind("a number", (int, float)), Kind("a number or null", (int, float), empty=True)
TRUTH, ANYTHING = Kind("true or false", (bool,)), Kind("anything", (object,), empty=True)
NAMES = Each(TEXT)

_SCORES = dict.fromkeys(("accuracy", "balanced_accuracy", "deo_a", "deo_m", "loss", "cell_loss"), NUMBER_OR_NULL)

CONFIG: Mapping[str, Any] = {
    "data": TEXT, "data_options": Each(ANYTHING, dict), "set": Each(NUMBER, dict), "method": TEXT, "model": TEXT,
    "protocol": TEXT, "seed": WHOLE, "split_seed": WHOLE, "teacher": TEXT_OR_NULL, "tap": TEXT_OR_NULL,
    "device": TEXT, "out": TEXT_OR_NULL,
}  # fmt: skip
_OF_LABEL: Mapping[str, Any] = {
    **_SCORES,
    "collapsed": TRUTH,
    "counts": Each(Each(Each(WHOLE))),
    "empty_cells": Each(Each(WHOLE, length=2)),
    "class_names": NAMES,
}
RESULT: Mapping[str, Any] = {
    **_OF_LABEL,
    "attributes": Each(_OF_LABEL, dict),
    "group_names": NAMES,
    "test_rows": WHOLE,
    "unknown_groups": Each(WHOLE, dict),
    "notes": NAMES,
    "skipped_images": WHOLE,
    "teacher": {
        **_SCORES,
        "method": TEXT_OR_NULL,
        "protocol": TEXT_OR_NULL,
        "steps": WHOLE_OR_NULL,
        "settings": Each(ANYTHING, dict),
    },
    "checkpoint_step": WHOLE,
    "budget": {"steps": WHOLE, "samples": WHOLE, "epochs": NUMBER},
    "seconds": NUMBER_OR_NULL,
    "samples_per_second": NUMBER_OR_NULL,
    "peak_memory_bytes": WHOLE_OR_NULL,
    "digests": Each(TEXT_OR_NULL, dict),
}
LOG_ROW: Mapping[str, Any] = {
    "step": WHOLE,
    "epoch": NUMBER_OR_NULL,
    "stage": TEXT,
    "loss": Each(NUMBER_OR_NULL, dict),
    "lr": NUMBER_OR_NULL,
    "evaluation": {**_SCORES, "split": TEXT, "collapsed": TRUTH},
    "seconds": NUMBER_OR_NULL,
    "samples_per_second": NUMBER_OR_NULL,
}
ENVIRONMENT: Mapping[str, Any] = {
    "fairdistill": TEXT, "commit": TEXT_OR_NULL, "python": TEXT, "packages": Each(TEXT_OR_NULL, dict),
    "platform": TEXT, "processor": TEXT_OR_NULL, "threads": WHOLE, "processes": WHOLE, "device": TEXT, "seed": WHOLE,
    "code": Each(TEXT, dict),
}  # fmt: skip
_OPTIONAL = ("teacher", "evaluation")  # null if there is none


def check_shape(path: Path, content: Mapping[str, Any], shape: Mapping[str, Any]) -> None:
    """Check the values of a file; names that are missing or new are left to those who read them.

    Raises:
        RunFolderError: for the first value of another form than expected.
    """
    problem = _problem(content, shape, "")
    if problem:
        raise RunFolderError(f"{path} was edited or is damaged: {problem}")


def check_counts(path: Path, result: Mapping[str, Any]) -> None:
    """Check that the counts of a result are ``[G][C][C]``, for its groups and classes.

    Raises:
        RunFolderError: if they are not.
    """
    for of_attribute in result.get("attributes", {}).values():
        check_counts(path, {**of_attribute, "group_names": result.get("group_names", ())})
    if not {"counts", "class_names", "group_names"} <= result.keys():
        return
    groups, classes = len(result["group_names"]), len(result["class_names"])
    right = [len(group) == classes and all(len(row) == classes for row in group) for group in result["counts"]]
    if not groups or not classes or len(right) != groups or not all(right):
        raise RunFolderError(
            f"{path} was edited or is damaged: its counts do not have the shape {[groups, classes, classes]} of its "
            "groups and classes"
        )
    if any(count < 0 for group in result["counts"] for row in group for count in row):
        raise RunFolderError(f"{path} was edited or is damaged: some of its counts are negative")


def _problem(value: Any, form: Any, where: str) -> str | None:
    """Return what is wrong with a value, None if nothing is."""
    if isinstance(form, Kind):
        return None if _fits(value, form) else f"expected {where} to be {form.name}, but got {repr(value)[:60]}"
    wanted: Any = form.of if isinstance(form, Each) else dict
    if not isinstance(value, wanted):
        kind = "a list" if wanted is list else "named values"
        return f"expected {where or 'it'} to hold {kind}, but got {repr(value)[:60]}"
    if isinstance(form, Each):
        if form.length is not None and len(value) != form.length:
            return f"expected {where} to hold {form.length} values, but got {repr(value)[:60]}"
        items = [(where, item, form.form) for item in (value.values() if wanted is dict else value)]
    else:
        items = [(f"{where}.{name}".lstrip("."), value[name], form[name]) for name in form if name in value]
    inner = (_problem(item, of, at) for at, item, of in items if not (item is None and at in _OPTIONAL))
    return next((problem for problem in inner if problem), None)


def _fits(value: Any, kind: Kind) -> bool:
    if value is None:
        return kind.empty
    if kind is ANYTHING:
        return True
    if isinstance(value, bool) != (kind is TRUTH):
        return False
    largest = _LARGEST_FLOAT if isinstance(value, float) else _LARGEST
    finite = not isinstance(value, int | float) or (math.isfinite(value) and abs(value) < largest)
    return isinstance(value, kind.types) and finite
