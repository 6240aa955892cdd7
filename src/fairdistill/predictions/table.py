"""Tables of predictions, written by any software."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os.path import commonprefix
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import check_types
from fairdistill.errors import DataError, UsageError
from fairdistill.predictions.predictions import Predictions, checked_probabilities, row_names, some_of, source_numbers
from fairdistill.tables.columns import Columns, listed, natural
from fairdistill.tables.reading import check_column, header, read_columns, several


@dataclass(frozen=True, kw_only=True)
class TableColumns:
    """Which columns of a table of predictions mean what."""

    label: str = "label"
    """Column of true classes."""
    group: str = "group"
    """Column of groups; several, comma-separated, are crossed into one. Empty is unknown."""
    pred: str | None = None
    """Column of predicted classes; default: pred, if there is one."""
    prob: str | None = None
    """Columns of class probabilities: comma-separated in the order of the classes, or the beginning of their names,
    such as p_ for p_cat, p_dog; default: p_, if there are such."""
    score: str | None = None
    """Column of one score; a row is of the second class where it reaches --threshold."""
    threshold: float = 0.5
    """Score from which on a row is of the second class."""
    id: str | None = None
    """Column that names each row, so that two tables can be paired; default: id, if there is one."""
    source: str | None = None
    """Column that says which rows were made from one picture, or show one person; default: source_id, if there is
    one."""
    classes: str | None = None
    """Classes, comma-separated, in the order of --prob; default: sorted."""
    encoding: str = "utf-8"
    """Text encoding of the table, such as latin-1 or cp1252."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.score is not None and (self.pred is not None or self.prob is not None):
            raise UsageError("--score excludes --pred and --prob: say once what the model predicts")
        if not np.isfinite(self.threshold):
            raise UsageError(f"expected threshold to be a number, but got {self.threshold}")
        if self.score is None and self.threshold != 0.5:
            raise UsageError(f"--threshold {self.threshold} is for a --score; name its column, or leave it out")


def read_predictions(path: Path, options: TableColumns, *, keep_ids: bool = True) -> Predictions:
    """Read a table of predictions: CSV, TSV or Parquet.

    Args:
        path: the table.
        options: which columns mean what.
        keep_ids: whether the rows' names are needed.

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
            f"{path} has no column 'pred' and none that begins with 'p_'; it has {', '.join(names)}. Say what the "
            "model predicts with --pred, --prob or --score"
        )
    used = [found.label, *groups, found.pred, found.id if keep_ids else None, found.source]
    texts = [column for column in dict.fromkeys(used) if column is not None]
    frame = read_columns(path, [*texts, *scores], found.encoding, numbers=scores)
    columns = Columns(path, frame, {})
    group_codes, group_names = columns.crossed(groups)
    labels, predicted, class_names, scores = _classes(columns, found, scores)
    probabilities = None
    notes: tuple[str, ...] = ()
    if scores:
        values = frame[scores].to_numpy(np.float64)
        if found.score is not None:
            if len(class_names) != 2:
                raise DataError(
                    f"{path}: --score takes two classes, but there are {len(class_names)}: {some_of(class_names)}"
                )
            predicted = (values[:, 0] >= found.threshold).astype(np.int64)
            notes = (
                f"A row is predicted {class_names[1]!r} where its {found.score} reaches {found.threshold:g}, else "
                f"{class_names[0]!r}; --classes gives another order",
            )
            if values.min() >= 0 and values.max() <= 1:
                probabilities = np.concatenate([1 - values, values], axis=1)
        else:
            probabilities = checked_probabilities(path, scores, values)
            if predicted is None:
                predicted = probabilities.argmax(axis=1)
    assert predicted is not None
    return Predictions(
        where=str(path),
        ids=row_names(columns, found.id) if keep_ids and found.id is not None else None,
        sources=source_numbers(columns, found.source, len(labels)),
        labels=labels,
        groups=group_codes,
        predicted=predicted,
        probabilities=probabilities,
        class_names=class_names,
        group_names=group_names,
        notes=notes,
    )


def _resolved(options: TableColumns, names: list[str]) -> TableColumns:
    """Fill in the columns that are found by their names."""
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
    """Return labels and predictions as numbers of the classes, the classes, and their columns in the same order.

    Columns that are named after the classes are matched by their names, others by their places.
    """
    labels, label_names = columns.codes(options.label, "label")
    predicted, pred_names = (None, ()) if options.pred is None else columns.codes(options.pred, "prediction")
    seen = sorted({*label_names, *pred_names}, key=natural)
    by_column = _ends(scores) if options.prob is not None else []
    if options.classes is not None:
        order = list(listed(options.classes))
        if len(set(order)) != len(order):
            raise UsageError(f"--classes {options.classes}: a class is named twice")
    elif set(seen) <= set(by_column):
        order = by_column
    else:
        order = seen
    for column, codes, found in ((options.label, labels, label_names), (options.pred, predicted, pred_names)):
        for code, name in enumerate(found):
            if name not in order and codes is not None:
                row = int(np.flatnonzero(codes == code)[0])
                raise DataError(
                    f"{columns.where(row)}: column {column!r} has the class {name!r}, which is not among "
                    f"{some_of(tuple(order))}"
                )
    if by_column and len(scores) != len(order):
        raise DataError(
            f"{columns.path} has {len(scores)} columns of probabilities ({some_of(tuple(scores))}) for {len(order)} "
            f"classes ({some_of(tuple(order))}); name the classes in their order with --classes"
        )
    if len(order) < 2:
        raise DataError(f"{columns.path} has one class, {order[0]!r}; there is nothing to tell apart")
    at = {name: code for code, name in enumerate(order)}
    labels = np.array([at[name] for name in label_names], np.int64)[labels]
    if predicted is not None:
        predicted = np.array([at[name] for name in pred_names], np.int64)[predicted]
    if set(by_column) == set(order):
        scores = [scores[by_column.index(name)] for name in order]
    return labels, predicted, tuple(order), scores


def _ends(names: list[str]) -> list[str]:
    """Return the names without what they all begin with; whole where one would be empty."""
    shared = len(commonprefix(names))  # noqa: RUF071  # they are no paths: letter by letter is meant
    return [name[shared:] for name in names] if all(len(name) > shared for name in names) else names
