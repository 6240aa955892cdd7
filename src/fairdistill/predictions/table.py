"""Tables of predictions, written by any software."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os.path import commonprefix
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import check_types
from fairdistill.errors import DataError, UsageError
from fairdistill.predictions.predictions import Predictions, checked_probabilities, some_of
from fairdistill.predictions.rows import row_names, row_sources
from fairdistill.tables.columns import Columns, check_bins, listed, natural, words_of
from fairdistill.tables.reading import check_column, header, read_columns, several
from fairdistill.tables.sources import source_hint
from fairdistill.tables.spelling import spelling_notes


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
    """Columns with the class probabilities: comma-separated in the order of the classes, or the prefix of their names
    (p_ for p_cat, p_dog). Default: p_, if the table has such columns."""
    score: str | None = None
    """Column with a single score per sample, for two classes; see --threshold."""
    threshold: float = 0.5
    """Samples scoring at least this are assigned to the second class."""
    id: str | None = None
    """Column that identifies each sample, so that two tables can be matched; rows with the same id are not counted as
    independent. Default: id, if the table has it."""
    source: str | None = None
    """Column that identifies the picture or person behind each sample; samples that share one are not counted as
    independent. Default: source_id, if the table has it."""
    unknown: str | None = None
    """Values that mean unknown in the group and source columns, comma-separated, for example NA,?."""
    bin: Mapping[str, str] = field(default_factory=dict)
    """Cut a group column of numbers into ranges, for example age=20,40; can be repeated."""
    classes: str | None = None
    """Class names, comma-separated, in the order of --prob; default: sorted."""
    encoding: str = "utf-8"
    """Text encoding of the table, for example latin-1 or cp1252."""

    def __post_init__(self) -> None:
        check_types(self)
        words_of(self.unknown)
        if self.score is not None and (self.pred is not None or self.prob is not None):
            raise UsageError("--score cannot be combined with --pred or --prob; give the predictions in one form")
        if not np.isfinite(self.threshold):
            raise UsageError(f"expected threshold to be a number, but got {self.threshold}")
        if self.score is None and self.threshold != 0.5:
            raise UsageError(f"--threshold {self.threshold} needs --score; name the score column or drop --threshold")


def read_predictions(path: Path, options: TableColumns) -> Predictions:
    """Read a table of predictions: CSV, TSV or Parquet.

    Args:
        path: the table.
        options: what the columns mean.

    Raises:
        DataError: naming the table, row, column and value, for anything in it that cannot be used.
    """
    names = header(path, options.encoding)
    groups = several(options.group, names)
    found = _resolved(options, names)
    scores = [found.score] if found.score is not None else _probability_columns(found, names)
    for option, column in [
        ("label", found.label), *(("group", name) for name in groups), ("pred", found.pred),
        *(("score" if found.score else "prob", name) for name in scores), ("id", found.id), ("source", found.source),
    ]:  # fmt: skip
        if column is not None:
            check_column(path, names, option, column)
    if found.pred is None and not scores:
        raise DataError(
            f"{path} has no column 'pred' and none starting with 'p_'; its columns are {', '.join(names)}. Name "
            "the predictions with --pred, --prob or --score"
        )
    check_bins(found.bin, groups, "group columns")
    used = [found.label, *groups, found.pred, found.id, found.source]
    texts = [column for column in dict.fromkeys(used) if column is not None]
    frame = read_columns(path, [*texts, *scores], found.encoding, numbers=scores)
    columns = Columns(path, frame, found.bin, words_of(found.unknown))
    group_codes, group_names = columns.crossed(groups)
    labels, predicted, class_names, scores = _classes(columns, found, scores)
    probabilities = None
    if scores:
        values = frame[scores].to_numpy(np.float64)
        if found.score is not None:
            if len(class_names) != 2:
                raise DataError(
                    f"{path}: --score needs two classes, but there are {len(class_names)}: {some_of(class_names)}"
                )
            predicted = (values[:, 0] >= found.threshold).astype(np.int64)
            columns.notes.append(
                f"Samples with {found.score} of at least {found.threshold:g} are predicted {class_names[1]!r}, all "
                f"others {class_names[0]!r}; reverse this with --classes"
            )
            if values.min() >= 0 and values.max() <= 1:
                probabilities = np.concatenate([1 - values, values], axis=1)
        else:
            probabilities = checked_probabilities(path, scores, values)
            if predicted is None:
                predicted = probabilities.argmax(axis=1)
    assert predicted is not None
    if found.source is None:
        columns.notes += source_hint(names, used)
    seen = np.concatenate([labels, predicted[predicted != labels]])
    rows = np.bincount(seen, minlength=len(class_names)).tolist()
    columns.notes += spelling_notes(class_names, rows, column="the classes", kind="class")
    return Predictions(
        where=str(path),
        ids=None if found.id is None else row_names(columns, found.id),
        sources=row_sources(columns, found.id, found.source),
        labels=labels,
        groups=group_codes,
        predicted=predicted,
        probabilities=probabilities,
        class_names=class_names,
        group_names=group_names,
        notes=tuple(columns.notes),
    )


def _resolved(options: TableColumns, names: list[str]) -> TableColumns:
    """Fill in the columns that are recognized by their names."""
    free = options.score is None
    prob = options.prob
    if prob is None and free and any(name.startswith("p_") for name in names):
        prob = "p_"
    return replace(
        options,
        pred=options.pred or ("pred" if free and "pred" in names else None),
        prob=prob,
        id=options.id or ("id" if "id" in names else None),
        source=options.source or ("source_id" if "source_id" in names else None),
    )


def _probability_columns(options: TableColumns, names: list[str]) -> list[str]:
    if options.prob is None:
        return []
    columns = [name for name in names if name.startswith(options.prob)]
    if "," in options.prob or options.prob in names or not columns:
        columns = several(options.prob, names)
    return columns


def _classes(
    columns: Columns, options: TableColumns, scores: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None, tuple[str, ...], list[str]]:
    """Return labels and predictions as class indices, the class names, and the probability columns in that order.

    Columns named after the classes are matched by name, others by position.
    """
    labels, label_names = columns.codes(options.label, "label")
    predicted, pred_names = (None, ()) if options.pred is None else columns.codes(options.pred, "prediction")
    seen = sorted({*label_names, *pred_names}, key=natural)
    by_column = _ends(scores) if options.prob is not None else []
    if options.classes is not None:
        order = list(listed(options.classes))
        if len(set(order)) != len(order):
            raise UsageError(f"--classes {options.classes} names a class twice")
    elif set(seen) <= set(by_column):
        order = by_column
    else:
        order = seen
    for column, codes, found in ((options.label, labels, label_names), (options.pred, predicted, pred_names)):
        for code, name in enumerate(found):
            if name not in order and codes is not None:
                row = int(np.flatnonzero(codes == code)[0])
                raise DataError(
                    f"{columns.where(row)}: column {column!r} has the class {name!r}, which is not one of "
                    f"{some_of(tuple(order))}"
                )
    if by_column and len(scores) != len(order):
        raise DataError(
            f"{columns.path} has {len(scores)} probability columns ({some_of(tuple(scores))}) for {len(order)} "
            f"classes ({some_of(tuple(order))}); list the classes in order with --classes"
        )
    if len(order) < 2:
        raise DataError(f"{columns.path} has a single class, {order[0]!r}; an audit needs at least two")
    at = {name: code for code, name in enumerate(order)}
    labels = np.array([at[name] for name in label_names], np.int64)[labels]
    if predicted is not None:
        predicted = np.array([at[name] for name in pred_names], np.int64)[predicted]
    if set(by_column) == set(order):
        scores = [scores[by_column.index(name)] for name in order]
    return labels, predicted, tuple(order), scores


def _ends(names: list[str]) -> list[str]:
    """Return the names without their common prefix; unchanged if that would leave one empty."""
    shared = len(commonprefix(names))  # noqa: RUF071  # not paths: the prefix is meant letter by letter
    return [name[shared:] for name in names] if all(len(name) > shared for name in names) else names
