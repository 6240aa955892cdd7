"""What a model said of a test set, from a run folder or a table of any software."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os.path import commonprefix
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.config import check_types
from fairdistill.data.columns import Columns, listed, natural
from fairdistill.data.tabular import check_column, header, place, read_columns, several
from fairdistill.errors import DataError, UsageError
from fairdistill.metrics import Counts, group_counts
from fairdistill.runs import RunFolder

_SUM_TOLERANCE = 1e-3


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """A model's predictions of N rows.

    Attributes:
        where: what they are of, for messages.
        ids: object ``[N]``, unique names of the rows, or None.
        sources: int64 ``[N]``: rows with the same number were made from one picture.
        labels: int64 ``[N]`` true classes.
        groups: int64 ``[N]`` groups, -1 where unknown.
        predicted: int64 ``[N]`` predicted classes.
        probabilities: float64 ``[N, C]`` or None.
        class_names: one name a class.
        group_names: one name a group.
        notes: what a reader should know of them, a sentence each.
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

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Which rows are right, bool ``[N]``."""
        return np.asarray(self.labels == self.predicted)

    @property
    def counts(self) -> Counts:
        """Rows of known group by (group, true class, predicted class), int64 ``[G, C, C]``."""
        return group_counts(
            self.labels, self.predicted, self.groups,
            num_classes=len(self.class_names), num_groups=len(self.group_names),
        )  # fmt: skip

    def take(self, rows: NDArray[np.int64]) -> Predictions:
        """Return these rows, in this order."""
        return replace(
            self,
            ids=None if self.ids is None else self.ids[rows],
            sources=self.sources[rows],
            labels=self.labels[rows],
            groups=self.groups[rows],
            predicted=self.predicted[rows],
            probabilities=None if self.probabilities is None else self.probabilities[rows],
        )


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
                    f"{path}: --score takes two classes, but there are {len(class_names)}: {_listed(class_names)}"
                )
            predicted = (values[:, 0] >= found.threshold).astype(np.int64)
            notes = (
                f"A row is predicted {class_names[1]!r} where its {found.score} reaches {found.threshold:g}, else "
                f"{class_names[0]!r}; --classes gives another order",
            )
            if values.min() >= 0 and values.max() <= 1:
                probabilities = np.concatenate([1 - values, values], axis=1)
        else:
            probabilities = _checked(path, scores, values)
            if predicted is None:
                predicted = probabilities.argmax(axis=1)
    assert predicted is not None
    return Predictions(
        where=str(path),
        ids=_ids(columns, found.id) if keep_ids and found.id is not None else None,
        sources=_sources(columns, found.source, len(labels)),
        labels=labels,
        groups=group_codes,
        predicted=predicted,
        probabilities=probabilities,
        class_names=class_names,
        group_names=group_names,
        notes=notes,
    )


def run_predictions(run: RunFolder, name: str = "predictions.csv") -> Predictions:
    """Read one of a finished run's tables of predictions.

    Raises:
        RunFolderError: if the run is not finished.
        DataError: if its table was changed.
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
        ids=_ids(columns, "id"),
        sources=_sources(columns, "source_id", len(frame)),
        labels=_indices(path, "label", frame["label"].to_numpy(), len(class_names)),
        groups=_indices(path, "group", _numbers_or_unknown(columns, "group"), len(group_names), low=-1),
        predicted=_indices(path, "pred", frame["pred"].to_numpy(), len(class_names)),
        probabilities=_checked(path, scores, frame[scores].to_numpy(np.float64)),
        class_names=class_names,
        group_names=group_names,
    )
    if name == "predictions.csv" and found.counts.tolist() != result["counts"]:
        raise DataError(f"{path} was changed: its counts are not those of {run.path / 'result.json'}")
    return found


def paired(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Return two models' predictions of the same rows, in the same order and with the same classes and groups.

    Raises:
        DataError: if their rows, classes or groups differ; the first difference is named.
    """
    for kind in ("class_names", "group_names"):
        one, other = getattr(first, kind), getattr(second, kind)
        if one != other:
            what = "classes" if kind == "class_names" else "groups"
            raise DataError(
                f"{first.where} has the {what} {_listed(one)}, {second.where} has {_listed(other)}; a paired test "
                "needs the same test set" + ("; give both the same --classes" if kind == "class_names" else "")
            )
    if len(first) != len(second):
        raise DataError(
            f"{first.where} has {len(first):,} rows, {second.where} has {len(second):,}; a paired test needs the same "
            "rows"
        )
    if first.ids is not None and second.ids is not None:
        at = {name: row for row, name in enumerate(second.ids.tolist())}
        missing = [name for name in first.ids.tolist() if name not in at]
        if missing:
            raise DataError(
                f"{first.where} names {missing[0]!r}, which {second.where} does not{_more(len(missing) - 1)}; a paired "
                "test needs the same rows"
            )
        second = second.take(np.array([at[name] for name in first.ids.tolist()], np.int64))
    for kind, names in (("labels", first.class_names), ("groups", (*first.group_names, "unknown"))):
        one, other = getattr(first, kind), getattr(second, kind)
        differ = np.flatnonzero(one != other)
        if len(differ):
            row = int(differ[0])
            who = f"row {row + 1}" if first.ids is None else str(first.ids[row])
            order = "" if first.ids is not None else ", in the same order or with --id"
            raise DataError(
                f"{who} is {names[one[row]]} in {first.where} and {names[other[row]]} in {second.where}"
                f"{_more(len(differ) - 1)}; a paired test needs the same test set{order}"
            )
    return first, second


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
                    f"{_listed(tuple(order))}"
                )
    if by_column and len(scores) != len(order):
        raise DataError(
            f"{columns.path} has {len(scores)} columns of probabilities ({_listed(tuple(scores))}) for {len(order)} "
            f"classes ({_listed(tuple(order))}); name the classes in their order with --classes"
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


def _checked(path: Path, scores: list[str], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities; the first row that holds none is an error."""
    wrong = np.argwhere((values < 0) | (values > 1))
    if len(wrong):
        row, column = wrong[0].tolist()
        raise DataError(
            f"{place(path, row)}: column {scores[column]!r} has {values[row, column]:g}, which is no probability; if "
            "these are logits, apply a softmax first, or give the predicted classes alone with --pred"
        )
    sums = values.sum(axis=1)
    off = np.flatnonzero(np.abs(sums - 1) > _SUM_TOLERANCE)
    if len(off):
        row = int(off[0])
        raise DataError(
            f"{place(path, row)}: the probabilities sum to {sums[row]:.6g}, not to 1{_more(len(off) - 1)}; name "
            "every class's column with --prob"
        )
    return values


def _ids(columns: Columns, column: str) -> NDArray[np.object_]:
    import pandas as pd

    values = columns.frame[column]
    empty = np.flatnonzero(values.isna().to_numpy())
    if len(empty):
        raise DataError(
            f"{columns.where(int(empty[0]))}: column {column!r} is empty; every row needs a name of its own"
        )
    twice = np.flatnonzero(pd.Series(values).duplicated().to_numpy())
    if len(twice):
        row = int(twice[0])
        raise DataError(
            f"{columns.where(row)}: column {column!r} has {str(values.iloc[row])!r} again; every row needs a "
            "name of its own"
        )
    return np.asarray(values.astype(str).to_numpy(), object)


def _sources(columns: Columns, column: str | None, rows: int) -> NDArray[np.int64]:
    """Return a number a source; a row whose source is empty is one of its own."""
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
    return f", as in {rows:,} more rows" if rows else ""


def _numbers_or_unknown(columns: Columns, column: str) -> NDArray[np.float64]:
    """Return a column of numbers, -1 where it is empty."""
    codes, found = columns.codes(column, "number", unknown=True)
    for code, name in enumerate(found):
        if not name.removeprefix("-").isdecimal():
            row = int(np.flatnonzero(codes == code)[0])
            raise DataError(f"{columns.where(row)}: column {column!r} has {name!r}, expected a whole number")
    return np.array([*map(float, found), -1.0])[codes]


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown
