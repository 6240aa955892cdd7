"""Predictions of a model, read from run folders and matched between two models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError
from fairdistill.metrics import Counts, Samples, group_counts
from fairdistill.predictions.model_reading import ModelReading
from fairdistill.runs import RunFolder
from fairdistill.tables.columns import Columns
from fairdistill.tables.reading import check_column, header, place, read_columns

_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """A model's predictions for N samples.

    Attributes:
        where: where they come from, for messages.
        ids: object ``[N]``, unique names of the samples, or None.
        sources: int64 ``[N]``: samples with the same number were made from one picture or show one person.
        labels: int64 ``[N]`` true classes.
        groups: int64 ``[N]`` groups, -1 where unknown.
        predicted: int64 ``[N]`` predicted classes.
        probabilities: float64 ``[N, C]`` or None.
        class_names: one name per class.
        group_names: one name per group.
        notes: what a reader should know about them, one sentence each.
        model: how the model that made them was read; None if it was not run here.
    """

    where: str
    ids: NDArray[np.object_] | None
    sources: NDArray[np.int64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None
    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    model: ModelReading | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def samples(self) -> Samples:
        """The samples without the predictions, in the form that the statistics take."""
        return Samples(
            labels=self.labels,
            groups=self.groups,
            sources=self.sources,
            num_classes=len(self.class_names),
            num_groups=len(self.group_names),
        )

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Which samples are classified correctly, bool ``[N]``."""
        return np.asarray(self.labels == self.predicted)

    @property
    def counts(self) -> Counts:
        """Samples of known group by (group, true class, predicted class), int64 ``[G, C, C]``."""
        return group_counts(
            self.labels, self.predicted, self.groups,
            num_classes=len(self.class_names), num_groups=len(self.group_names),
        )  # fmt: skip

    def take(self, rows: NDArray[np.int64]) -> Predictions:
        """Return these samples, in this order."""
        return replace(
            self,
            ids=None if self.ids is None else self.ids[rows],
            sources=self.sources[rows],
            labels=self.labels[rows],
            groups=self.groups[rows],
            predicted=self.predicted[rows],
            probabilities=None if self.probabilities is None else self.probabilities[rows],
        )


def run_predictions(run: RunFolder, name: str = "predictions.csv") -> Predictions:
    """Read one of a finished run's tables of predictions.

    Raises:
        RunFolderError: if the run is not finished.
        DataError: if the table was changed afterwards.
    """
    result = run.result
    path = run.path / name
    names = header(path, "utf-8")
    scores = [column for column in names if column.startswith("p_")]
    used = ["id", "source_id", "label", "group", "pred"]
    for column in used:
        check_column(path, names, column, column)
    frame = read_columns(path, [*used, *scores], "utf-8", numbers=["label", "pred", *scores])
    columns = Columns(path, frame, {})
    class_names, group_names = tuple(result["class_names"]), tuple(result["group_names"])
    found = Predictions(
        where=str(path),
        ids=row_names(columns, "id"),
        sources=source_numbers(columns, "source_id", len(frame)),
        labels=_indices(path, "label", frame["label"].to_numpy(), len(class_names)),
        groups=_indices(path, "group", _numbers_or_unknown(columns, "group"), len(group_names), low=-1),
        predicted=_indices(path, "pred", frame["pred"].to_numpy(), len(class_names)),
        probabilities=checked_probabilities(path, scores, frame[scores].to_numpy(np.float64)),
        class_names=class_names,
        group_names=group_names,
    )
    if name == "predictions.csv" and found.counts.tolist() != result["counts"]:
        raise DataError(f"{path} was changed after the run: its counts differ from those in {run.path / 'result.json'}")
    return found


def paired(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Return two models' predictions for the same samples in the same order.

    Raises:
        DataError: if their samples, classes or groups differ; the first difference is named.
    """
    for kind in ("class_names", "group_names"):
        one, other = getattr(first, kind), getattr(second, kind)
        if one != other:
            what = "classes" if kind == "class_names" else "groups"
            raise DataError(
                f"{first.where} has the {what} {some_of(one)}, {second.where} has {some_of(other)}; a paired test "
                "needs the same test set" + ("; use the same --classes for both" if kind == "class_names" else "")
            )
    if len(first) != len(second):
        raise DataError(
            f"{first.where} has {len(first):,} rows, {second.where} has {len(second):,}; a paired test needs the same "
            "samples"
        )
    if first.ids is not None and second.ids is not None:
        at = {name: row for row, name in enumerate(second.ids.tolist())}
        missing = [name for name in first.ids.tolist() if name not in at]
        if missing:
            raise DataError(
                f"{first.where} contains {missing[0]!r}, which {second.where} does not{_more(len(missing) - 1)}; a "
                "paired test needs the same samples"
            )
        second = second.take(np.array([at[name] for name in first.ids.tolist()], np.int64))
    for kind, names in (("labels", first.class_names), ("groups", (*first.group_names, "unknown"))):
        one, other = getattr(first, kind), getattr(second, kind)
        differ = np.flatnonzero(one != other)
        if len(differ):
            row = int(differ[0])
            who = f"row {row + 1}" if first.ids is None else str(first.ids[row])
            order = "" if first.ids is not None else " in the same order, or sample ids (--id)"
            raise DataError(
                f"{who} is {names[one[row]]} in {first.where} and {names[other[row]]} in {second.where}"
                f"{_more(len(differ) - 1)}; a paired test needs the same test set{order}"
            )
    return first, second


def checked_probabilities(path: Path, scores: list[str], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities; an error names the first row that does not hold probabilities."""
    wrong = np.argwhere((values < 0) | (values > 1))
    if len(wrong):
        row, column = wrong[0].tolist()
        raise DataError(
            f"{place(path, row)}: column {scores[column]!r} has {values[row, column]:g}, which is not a probability; "
            "if these are logits, apply a softmax first, or give only the predicted classes with --pred"
        )
    sums = values.sum(axis=1)
    off = np.flatnonzero(np.abs(sums - 1) > _SUM_TOLERANCE)
    if len(off):
        row = int(off[0])
        raise DataError(
            f"{place(path, row)}: the probabilities sum to {sums[row]:.6g}, not 1{_more(len(off) - 1)}; list "
            "the columns of all classes with --prob"
        )
    return values


def row_names(columns: Columns, column: str) -> NDArray[np.object_]:
    """Return a column of unique names; an error names the first row that is empty or repeats one."""
    import pandas as pd

    values = columns.frame[column]
    empty = np.flatnonzero(values.isna().to_numpy())
    if len(empty):
        raise DataError(f"{columns.where(int(empty[0]))}: column {column!r} is empty; every row needs a unique name")
    twice = np.flatnonzero(pd.Series(values).duplicated().to_numpy())
    if len(twice):
        row = int(twice[0])
        raise DataError(
            f"{columns.where(row)}: column {column!r} repeats {str(values.iloc[row])!r}; every row needs a unique name"
        )
    return np.asarray(values.astype(str).to_numpy(), object)


def source_numbers(columns: Columns, column: str | None, rows: int) -> NDArray[np.int64]:
    """Return the source of each row as a number; a row whose source is empty gets one of its own."""
    import pandas as pd

    if column is None:
        return np.arange(rows)
    codes = pd.factorize(columns.frame[column])[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return codes


def _indices(path: Path, column: str, values: NDArray[np.float64], stop: int, *, low: int = 0) -> NDArray[np.int64]:
    wrong = np.flatnonzero((values != np.floor(values)) | (values < low) | (values >= stop))
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"{place(path, row)}: column {column!r} has {values[row]:g}, expected a whole number below {stop}"
        )
    return values.astype(np.int64)


def _more(rows: int) -> str:
    return f" (and {rows:,} more)" if rows else ""


def _numbers_or_unknown(columns: Columns, column: str) -> NDArray[np.float64]:
    """Return a column of numbers, -1 where empty."""
    codes, found = columns.codes(column, "number", unknown=True)
    for code, name in enumerate(found):
        if not name.removeprefix("-").isdecimal():
            row = int(np.flatnonzero(codes == code)[0])
            raise DataError(f"{columns.where(row)}: column {column!r} has {name!r}, expected a whole number")
    return np.array([*map(float, found), -1.0])[codes]


def some_of(names: tuple[str, ...]) -> str:
    """Return the first names and the number of those left out."""
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown
