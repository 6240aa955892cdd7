"""A fitted correction as a file: read, written, and as offsets of a model's outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import UsageError
from fairdistill.metrics import checked_indices, probability_rows
from fairdistill.posthoc.logit_adjustment import finite_logs
from fairdistill.system.regular import check_readable
from fairdistill.text.parsing import from_json

CORRECTION = "correction.json"
_FAR = 1e30  # an offset that no logit outweighs, for thresholds of 0 and 1
_EXPECTED = (
    'expected {"classes": [...], "groups": [...] and "offsets": {GROUP: {CLASS: number}}, or for two classes '
    '"thresholds": {GROUP: number}; or, without groups, "offsets": {CLASS: number}}'
)


@dataclass(frozen=True, eq=False)
class StoredCorrection:
    """A correction of a model's decisions: argmax_c log p_c + b_gc, or a threshold for each group and two classes.

    A threshold t on the probability of the second class is the offset log((1 - t) / t) of its logarithm.

    Attributes:
        class_names: the classes, in the order of the offsets.
        group_names: the groups; empty if one correction holds for everybody.
        offsets: float64 ``[G, C]``, natural logarithms; G is 1 without groups.
        thresholds: float64 ``[G]``, what the offsets were made from; None if they were fitted themselves.
    """

    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    offsets: NDArray[np.float64]
    thresholds: NDArray[np.float64] | None = None

    @property
    def needs_group(self) -> bool:
        """Whether the group of a person must be known when it is used."""
        return bool(self.group_names)

    @property
    def kind(self) -> str:
        """What it is, in words."""
        if self.thresholds is not None:
            return "a threshold for each group"
        return "an offset for each group and class" if self.group_names else "an offset for each class"

    @classmethod
    def of_settings(
        cls, settings: Mapping[str, Any], class_names: Sequence[str], group_names: Sequence[str]
    ) -> StoredCorrection:
        """Return the correction that a fit recorded, by group name, and by class name for offsets.

        Raises:
            KeyError, TypeError, ValueError: if a value is missing or not a number.
        """
        classes, groups = tuple(class_names), tuple(group_names)
        if "thresholds" in settings:
            cuts = np.array([float(settings["thresholds"][group]) for group in groups])
            if len(classes) != 2 or not ((cuts >= 0) & (cuts <= 1)).all():
                raise ValueError("thresholds need two classes and lie between 0 and 1")
            return cls(classes, groups, np.array([(0.0, _offset(cut)) for cut in cuts.tolist()]), cuts)
        given = settings["offsets"]
        rows = [given[group] for group in groups] if groups else [given]
        offsets = np.array([[float(row[name]) for name in classes] for row in rows])
        if not np.isfinite(offsets).all():
            raise ValueError("an offset is not finite")
        return cls(classes, groups, offsets)

    def content(self) -> dict[str, Any]:
        """Return what is written as ``correction.json``."""
        if self.thresholds is not None:
            settings: dict[str, Any] = {
                "thresholds": dict(zip(self.group_names, self.thresholds.tolist(), strict=True))
            }
        else:
            rows = [dict(zip(self.class_names, row, strict=True)) for row in self.offsets.tolist()]
            settings = {"offsets": dict(zip(self.group_names, rows, strict=True)) if self.group_names else rows[0]}
        return {
            "format_version": 1,
            "correction": self.kind,
            "classes": list(self.class_names),
            "groups": list(self.group_names) or None,
            **settings,
            "unknown_group": "the model's own decision" if self.group_names else None,
        }

    def matrix(self, class_names: Sequence[str]) -> NDArray[np.float64]:
        """Return the offsets in another order of the classes, float64 ``[G + 1, C]``, or ``[1, C]`` without groups.

        The last row, which the group -1 also reads, is that of an unknown group: 0.

        Raises:
            UsageError: if the classes are others.
        """
        if set(class_names) != set(self.class_names):
            raise UsageError(
                f"the correction is for the classes {', '.join(self.class_names)}, but the model has "
                f"{', '.join(class_names)}"
            )
        offsets = self.offsets[:, [self.class_names.index(name) for name in class_names]]
        return np.vstack([offsets, np.zeros(len(class_names))]) if self.group_names else offsets

    def predict(
        self, probabilities: NDArray[Any], groups: NDArray[np.int64], class_names: Sequence[str]
    ) -> NDArray[np.int64]:
        """Return the corrected classes, int64 ``[N]``.

        Args:
            probabilities: ``[N, C]``, in the order of ``class_names``.
            groups: int64 ``[N]`` in the order of ``group_names``, -1 where unknown.
            class_names: the classes of the probabilities and of the answer.
        """
        offsets = self.matrix(class_names)
        if self.group_names:
            offsets = offsets[checked_indices(groups, "groups", low=-1, high=len(self.group_names))]
        return np.asarray((finite_logs(probability_rows(probabilities)) + offsets).argmax(axis=1), dtype=np.int64)


def _offset(threshold: float) -> float:
    if threshold in (0, 1):
        return _FAR if threshold == 0 else -_FAR
    return math.log1p(-threshold) - math.log(threshold)


def read_correction(path: str | Path) -> StoredCorrection:
    """Read ``correction.json``, or that of a folder that ``fix`` wrote.

    Raises:
        UsageError: if there is none, or it cannot be read.
    """
    place = Path(path)
    file = place / CORRECTION if place.is_dir() else place
    try:
        check_readable(file)
        content = from_json(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        hint = "; fix writes one if it recommends a correction (--group-at-use)" if place.is_dir() else ""
        raise UsageError(f"there is no correction {file}{hint}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the correction {file}: {error}") from error
    try:
        groups = content["groups"] or ()
        return StoredCorrection.of_settings(content, _names(content["classes"]), _names(groups))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file} is not a correction ({type(error).__name__}: {error}); {_EXPECTED}") from error


def _names(values: Sequence[Any]) -> tuple[str, ...]:
    if isinstance(values, str) or not all(isinstance(value, str) for value in values) or len(set(values)) < len(values):
        raise ValueError("classes and groups are lists of different names")
    return tuple(values)
