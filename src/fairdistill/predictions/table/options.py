"""The options that say what the columns of a table of predictions mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fairdistill.contract import check_types
from fairdistill.errors import UsageError
from fairdistill.tables.columns import words_of

DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, kw_only=True)
class TableColumns:
    """Columns of a table."""

    label: str = "label"
    """Column with the true class."""
    group: str = "group"
    """Column with the group; several columns, comma-separated, are combined. An empty value means unknown."""
    pred: str | None = None
    """Column with the predicted class; default: pred, if the table has it."""
    prob: str | None = None
    """Columns with the class probabilities: comma-separated, or the prefix of their names (p_ for p_cat, p_dog). Names
    that do not contain the classes need --classes. Default: p_, if the table has such columns."""
    score: str | None = None
    """Column with a single score per sample, for two classes; see --threshold."""
    threshold: float = DEFAULT_THRESHOLD
    """Samples scoring at least this are assigned to the class that the score's column is named after, else to the
    second class."""
    id: str | None = None
    """Column that identifies each sample, so that two tables can be matched; rows with the same id are not counted as
    independent. Default: id, or else a column named after samples or files, for example image_id or path."""
    source: str | None = None
    """Column that identifies the picture or person behind each sample; samples that share one are not counted as
    independent. Default: source_id, if the table has it."""
    unknown: str | None = None
    """Values that mean unknown in the group and source columns, and in several columns of --label, comma-separated, for
    example NA,?."""
    bin: Mapping[str, str] = field(default_factory=dict)
    """Cut a group column of numbers into ranges, for example age=20,40; can be repeated."""
    classes: str | None = None
    """Class names, comma-separated; probability columns with other names and numbered predictions follow this order.
    Default: sorted, numbers by value."""
    encoding: str = "utf-8"
    """Text encoding of the table, for example latin-1 or cp1252."""

    def __post_init__(self) -> None:
        check_types(self)
        words_of(self.unknown)
        if self.score is not None and (self.pred is not None or self.prob is not None):
            raise UsageError("--score cannot be combined with --pred or --prob; give the predictions in one form")
        if not np.isfinite(self.threshold):
            raise UsageError(f"expected threshold to be a number, but got {self.threshold}")
        if self.score is None and self.threshold != DEFAULT_THRESHOLD:
            raise UsageError(f"--threshold {self.threshold} needs --score; name the score column or drop --threshold")
