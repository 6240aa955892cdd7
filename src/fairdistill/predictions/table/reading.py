"""Tables of predictions, written by any software."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import check_types
from fairdistill.errors import DataError, UsageError
from fairdistill.predictions.attributes import Attribute
from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.probabilities import checked_probabilities, of_one_column, of_two, ties
from fairdistill.predictions.rows import row_names, row_sources, split_column, training_note
from fairdistill.predictions.table.class_columns import Scores
from fairdistill.predictions.table.classes import Classes, read_classes
from fairdistill.predictions.table.copies import copies_note
from fairdistill.predictions.table.matching import class_of_column
from fairdistill.tables.columns import Columns, check_bins, listed, words_of
from fairdistill.tables.order import sorted_differently
from fairdistill.tables.reading import check_column, header, read_columns, several
from fairdistill.tables.sources import source_hint
from fairdistill.tables.spelling import spelling_notes
from fairdistill.text.progress import working

if TYPE_CHECKING:
    import pandas as pd

_DEFAULT_THRESHOLD = 0.5
_PREFIX = "p_"  # of columns that are recognized as probabilities


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
    threshold: float = _DEFAULT_THRESHOLD
    """Samples scoring at least this are assigned to the class that the score's column is named after, else to the
    second class."""
    id: str | None = None
    """Column that identifies each sample, so that two tables can be matched; rows with the same id are not counted as
    independent. Default: id, if the table has it."""
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
        if self.score is None and self.threshold != _DEFAULT_THRESHOLD:
            raise UsageError(f"--threshold {self.threshold} needs --score; name the score column or drop --threshold")


def read_predictions(
    path: Path, options: TableColumns, *, recognize: bool = True, answered: bool = False
) -> Predictions:
    """Read a table of predictions: CSV, TSV or Parquet.

    Args:
        path: the table.
        options: what the columns mean.
        recognize: whether columns of probabilities that the options do not name are looked for.
        answered: whether rows without a true class, which are an error otherwise, are left out.

    Raises:
        DataError: naming the table, row, column and value, for anything in it that cannot be used.
    """
    names = header(path, options.encoding)
    groups = several(options.group, names)
    found, unused = _resolved(path, options, names, recognize)
    scores = _scores(found, names)
    for option, column in [
        ("label", found.label), *(("group", name) for name in groups), ("pred", found.pred),
        *(("score" if found.score else "prob", name) for name in scores.columns),
        ("id", found.id), ("source", found.source),
    ]:  # fmt: skip
        if column is not None:
            check_column(path, names, option, column)
    _check_different(found, groups, scores)
    if found.pred is None and not scores.columns:
        raise DataError(
            f"{path} has no column 'pred' and none starting with 'p_'; its columns are {', '.join(names)}. Name "
            "the predictions with --pred, --prob or --score"
        )
    check_bins(found.bin, groups, "group columns")
    used = [found.label, *groups, found.pred, found.id, found.source]
    split = split_column(names, {*used, *scores.columns})
    texts = [column for column in dict.fromkeys([*used, split]) if column is not None]
    unknown = words_of(found.unknown)

    def with_answer(frame: pd.DataFrame) -> NDArray[np.bool_]:
        return Columns(path, frame, {}, unknown).codes(found.label, "label", unknown=True)[0] >= 0

    with working(f"reading {path}"):
        frame = read_columns(
            path, [*texts, *scores.columns], found.encoding, numbers=scores.columns,
            needed=with_answer if answered else None,
        )  # fmt: skip
    columns = Columns(path, frame, found.bin, unknown)
    columns.notes += unused
    others = None if answered else (found.source, found.id)  # a word may mean no answer to another attribute
    group_codes, group_names = columns.crossed(groups, others)
    kept = _filled(columns, found.label, found.pred, scores.columns) if answered else None
    classes = read_classes(columns, label=found.label, pred=found.pred, scores=scores, classes=found.classes)
    outputs = _outputs(columns, classes, found)
    if found.source is None:
        columns.notes += source_hint(names, used)
    if split is not None:
        columns.notes += training_note(columns, split)
    seen = np.concatenate([classes.labels, outputs.predicted[outputs.predicted != classes.labels]])
    rows = np.bincount(seen, minlength=len(classes.names)).tolist()
    columns.notes += spelling_notes(classes.names, rows, column="the classes", kind="class")
    sources = row_sources(columns, found.id, found.source)
    if outputs.probabilities is not None and len(np.unique(sources)) == len(sources):
        columns.notes += copies_note(classes.labels, group_codes, outputs.probabilities)
    read = Predictions(
        where=str(path),
        ids=None if found.id is None else row_names(columns, found.id),
        sources=sources,
        labels=classes.labels,
        groups=group_codes,
        predicted=outputs.predicted,
        probabilities=outputs.probabilities,
        class_names=classes.names,
        group_names=group_names,
        notes=(*classes.notes, *outputs.notes, *columns.notes),
        probability_columns=outputs.columns,
        attributes=_attributes(columns, groups, (group_codes, group_names)),
    )
    return read if kept is None else read.take(kept)


def _filled(columns: Columns, label: str, pred: str | None, scores: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the rows with a true class, None if all have one; give the others any, so that the table can be read."""
    codes, _ = columns.codes(label, "label", unknown=True)
    if not (codes < 0).any():
        return None
    for name in (label, pred):
        if name is not None:
            values = columns.frame[name].astype(object)
            known = values[codes >= 0].dropna()
            columns.frame[name] = values.mask(codes < 0, known.iloc[0] if len(known) else None)
    for name in scores:
        values = columns.frame[name]
        columns.frame[name] = values.mask(codes < 0, values[codes >= 0].max())
    return np.flatnonzero(codes >= 0)


def _attributes(
    columns: Columns, groups: list[str], crossed: tuple[NDArray[np.int64], tuple[str, ...]]
) -> tuple[Attribute, ...]:
    """Return each group column; a single one is what its combinations are."""
    if len(groups) == 1:
        return (Attribute(groups[0], *crossed),)
    return tuple(Attribute(name, *columns.codes(name, "group", unknown=True)) for name in groups)


def _resolved(
    path: Path, options: TableColumns, names: list[str], recognize: bool
) -> tuple[TableColumns, tuple[str, ...]]:
    """Fill in the columns that are recognized by their names; also return a note on one that only looks like it."""
    free = options.score is None
    pred = options.pred or ("pred" if free and "pred" in names else None)
    prob = options.prob
    notes: tuple[str, ...] = ()
    if recognize and prob is None and free:
        offered = [name for name in names if name.startswith(_PREFIX)]
        notes = _unrelated(path, options, names, offered) if pred is not None else ()
        prob = _PREFIX if offered and not notes else None
    found = replace(
        options,
        pred=pred,
        prob=prob,
        id=options.id or ("id" if "id" in names else None),
        source=options.source or ("source_id" if "source_id" in names else None),
    )
    return found, notes


def _unrelated(path: Path, options: TableColumns, names: list[str], offered: list[str]) -> tuple[str, ...]:
    """Return a note if the only column that could hold probabilities is not named after a class, such as ``p_id``."""
    if len(offered) != 1 or options.label not in names:
        return ()
    labels = Columns(path, read_columns(path, [options.label], options.encoding), {})
    _, classes = labels.codes(options.label, "label", unknown=True)
    if class_of_column(offered[0], listed(options.classes) if options.classes else classes, prefix=_PREFIX) is not None:
        return ()
    return (
        f"The column {offered[0]!r} is not named after a class, so it was not read; if it holds probabilities, name it "
        "with --score",
    )


def _scores(options: TableColumns, names: list[str]) -> Scores:
    if options.score is not None:
        return Scores(columns=(options.score,), single=True)
    if options.prob is None:
        return Scores()
    columns = tuple(name for name in names if name.startswith(options.prob))
    if "," in options.prob or options.prob in names or not columns:
        return Scores(columns=tuple(several(options.prob, names)))
    return Scores(
        columns=columns, prefix=options.prob if all(len(name) > len(options.prob) for name in columns) else ""
    )


def _check_different(options: TableColumns, groups: list[str], scores: Scores) -> None:
    """Raise a UsageError if a column is named for two things of which each needs one of its own."""
    outputs = [options.pred, *scores.columns]
    uses: list[tuple[list[str | None], str]] = [
        ([options.label, *groups], "--label and --group"),
        (outputs, "--prob"),
        ([options.label, *outputs], "--label and the predictions"),
        ([*groups, *outputs], "--group and the predictions"),
        ([options.label, *outputs, options.id], "--id and the classes"),
        ([options.label, *outputs, options.source], "--source and the classes"),
    ]
    for given, what in uses:
        twice = next((name for name in given if name is not None and given.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"the column {twice!r} is used twice in {what}; use each column once")


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    """What a model says of each sample, and how this was read."""

    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None = None
    columns: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def _outputs(table: Columns, classes: Classes, options: TableColumns) -> _Outputs:
    if not classes.columns:
        assert classes.predicted is not None
        return _Outputs(predicted=classes.predicted)
    values = table.frame[list(classes.columns)].to_numpy(np.float64)
    if options.score is not None:
        return _scored(values[:, 0], classes, options)
    if len(classes.columns) < len(classes.names):
        values = of_one_column(table.path, classes.columns[0], values[:, 0], classes.scored)
    read = checked_probabilities(table.path, classes.columns, values)
    predicted, notes = classes.predicted, read.notes
    if predicted is None:
        predicted, notes = read.values.argmax(axis=1), (*notes, *ties(read.values))
    return _Outputs(predicted=predicted, probabilities=read.values, columns=classes.columns, notes=notes)


def _scored(values: NDArray[np.float64], classes: Classes, options: TableColumns) -> _Outputs:
    """Return the class that a single score decides: ``classes.scored`` from the threshold on, else the other."""
    high, low = classes.scored, 1 - classes.scored
    note = (
        f"Samples with {options.score} of at least {options.threshold:g} are predicted {classes.names[high]!r}, all "
        f"others {classes.names[low]!r}"
    )
    note += ", as its name says" if high == 0 else ""
    if options.classes is None and sorted_differently(classes.names):
        note += f" (classes are in numerical order; Python's sorted() puts {sorted(classes.names)[0]!r} first)"
    note += "; reverse this with --classes"
    if options.threshold == _DEFAULT_THRESHOLD and not _in_unit_interval(values):
        note += f". The scores lie between {values.min():g} and {values.max():g}, so check --threshold"
    probabilities = of_two(values, high) if _in_unit_interval(values) else None
    return _Outputs(
        predicted=np.where(values >= options.threshold, high, low).astype(np.int64),
        probabilities=probabilities, columns=classes.columns if probabilities is not None else None, notes=(note,),
    )  # fmt: skip


def _in_unit_interval(values: NDArray[np.float64]) -> bool:
    return bool(values.min() >= 0 and values.max() <= 1)
