"""Predictions of a model, and those that run folders hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError, UsageError
from fairdistill.metrics import Counts, Design, Samples, checked_indices, group_counts
from fairdistill.metrics.counts import as_array
from fairdistill.metrics.test_set.distinct import distinct
from fairdistill.metrics.test_set.sparse_counts import SparseCounts
from fairdistill.predictions.group_attributes import GroupAttribute
from fairdistill.predictions.model_reading import ModelReading
from fairdistill.predictions.probabilities import checked_probabilities
from fairdistill.predictions.rows import unique_names
from fairdistill.runs import RunFolder
from fairdistill.tables.columns import Columns
from fairdistill.tables.reading import check_column, header, place, read_columns
from fairdistill.tables.sources import sources_of
from fairdistill.text.lists import listed
from fairdistill.text.sentences import capitalized


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """A model's predictions for N samples, which :func:`~fairdistill.audit` takes in place of a table.

    It may be made from integer arrays, lists or tensors of any kind.

    Attributes:
        where: where they come from, for messages.
        ids: object ``[N]``, names of the samples, or None; rows that share one are predictions for one sample.
        sources: int64 ``[N]``: samples with the same number were made from one picture or show one person;
            ``np.arange(N)`` if all are independent.
        labels: int64 ``[N]`` true classes.
        groups: int64 ``[N]`` groups, -1 where unknown.
        predicted: int64 ``[N]`` predicted classes.
        probabilities: float64 ``[N, C]`` or None.
        class_names: one name per class.
        group_names: one name per group.
        notes: what a reader should know about them, one sentence each.
        model: how the model that made them was read; None if it was not run here.
        design: how the samples were drawn: at random, or as many of each subgroup as planned.
        probability_columns: the column of each class's probability in a table, or a single one for two classes; None
            if they do not come from a table with probabilities.
        id_column: the column of ids in a table; None if they do not come from one.
        attributes: the group columns of a table, whose combinations are the groups; none if they are not known.

    Raises:
        ValueError: if the lengths differ, a value is not an integer in its range (the row is named), or the
            probabilities have another shape.

    Example:
        >>> found = Predictions(
        ...     where="my model", ids=None, sources=np.arange(4), labels=[0, 0, 1, 1], groups=[0, 1, 0, 1],
        ...     predicted=[0, 1, 1, 1], probabilities=None, class_names=("cat", "dog"), group_names=("day", "night"),
        ... )  # fmt: skip
        >>> found.correct.tolist()
        [True, False, True, True]
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
    design: Design = "random"
    probability_columns: tuple[str, ...] | None = None
    id_column: str | None = None
    attributes: tuple[GroupAttribute, ...] = ()

    def __post_init__(self) -> None:
        classes, samples = len(self.class_names), self.samples
        predicted = checked_indices(self.predicted, "predicted", low=0, high=classes)
        probabilities = None if self.probabilities is None else as_array(self.probabilities)
        rows = len(samples.labels)
        if len(predicted) != rows or (self.ids is not None and len(self.ids) != rows):
            others = f"{len(predicted)} predicted" + ("" if self.ids is None else f" and {len(self.ids)} ids")
            raise ValueError(f"Expected as many predicted classes and ids as labels, but got {rows} labels, {others}")
        if probabilities is not None and probabilities.shape != (rows, classes):
            raise ValueError(
                f"Expected argument `probabilities` to be {[rows, classes]}, but got {list(probabilities.shape)}"
            )
        checked = {"labels": samples.labels, "groups": samples.groups, "sources": samples.sources}
        for name, value in {**checked, "predicted": predicted, "probabilities": probabilities}.items():
            object.__setattr__(self, name, value)

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
    def num_sources(self) -> int:
        """Number of sources."""
        return len(distinct(self.sources))

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

    @property
    def sparse_counts(self) -> SparseCounts:
        """The same, in little memory where there are many classes."""
        return SparseCounts(
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
            attributes=tuple(each._replace(codes=each.codes[rows]) for each in self.attributes),
        )


def run_predictions(run: RunFolder, name: str = "predictions.csv") -> Predictions:
    """Read one of a finished run's tables of predictions.

    Raises:
        RunFolderError: if the run is not finished.
        DataError: if the table was changed afterwards.
    """
    result = run.result_for_one_label("its predictions are read for one label")
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
        ids=unique_names(columns, "id"),
        sources=sources_of(columns, "source_id"),
        labels=_indices(path, "label", frame["label"].to_numpy(), len(class_names)),
        groups=_indices(path, "group", _numbers_or_unknown(columns, "group"), len(group_names), low=-1),
        predicted=_indices(path, "pred", frame["pred"].to_numpy(), len(class_names)),
        probabilities=checked_probabilities(path, scores, frame[scores].to_numpy(np.float64)).values,
        class_names=class_names,
        group_names=group_names,
        notes=tuple(capitalized(note) for note in result.get("notes", ()) if note),
        design="random" if name == "validation_predictions.csv" else run_design(run),
    )
    if name == "predictions.csv" and found.counts.tolist() != result["counts"]:
        raise DataError(
            f"{path} was changed after the run: its counts differ from those in {run.path / 'result.json'}; restore "
            "it, or train the run again"
        )
    return found


def run_design(run: RunFolder) -> Design:
    """Return how the test set of a run was sampled; at random if its data set is no longer known."""
    from fairdistill.data import design_of  # which a table of predictions has no need of

    try:
        return design_of(run.config["data"], run.config["data_options"])
    except UsageError:
        return "random"


def _indices(path: Path, column: str, values: NDArray[np.float64], stop: int, *, low: int = 0) -> NDArray[np.int64]:
    wrong = np.flatnonzero((values != np.floor(values)) | (values < low) | (values >= stop))
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"{place(path, row)}: column {column!r} has {values[row]:g}, expected a whole number below {stop}"
        )
    return values.astype(np.int64)


def _numbers_or_unknown(columns: Columns, column: str) -> NDArray[np.float64]:
    """Return a column of numbers, -1 where empty."""
    codes, found = columns.codes(column, "number", unknown=True)
    for code, name in enumerate(found):
        if not name.removeprefix("-").isdecimal():
            row = int(np.flatnonzero(codes == code)[0])
            raise DataError(f"{columns.where(row)}: column {column!r} has {name!r}, expected a whole number")
    return np.array([*map(float, found), -1.0])[codes]


def some_of(names: Sequence[str]) -> str:
    """Return the first names and the number of those left out."""
    return listed(names, 8)
