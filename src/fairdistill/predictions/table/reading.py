"""Tables of predictions, written by any software."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairdistill.predictions.group_attributes import GroupAttribute
from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.probabilities import checked_probabilities, of_one_column, of_two, sorted_note, ties
from fairdistill.predictions.rows import recognized_ids, row_names, row_sources, training_note
from fairdistill.predictions.table.chosen_columns import ChosenColumns
from fairdistill.predictions.table.classes import Classes, read_classes
from fairdistill.predictions.table.conflicts import conflict_notes
from fairdistill.predictions.table.copies import copies_note
from fairdistill.predictions.table.counts import check_one_class_a_sample, check_rows_are_samples
from fairdistill.predictions.table.options import DEFAULT_THRESHOLD, TableColumns
from fairdistill.tables.columns import Columns, words_of
from fairdistill.tables.cut_off import cut_off_note
from fairdistill.tables.first_row import first_row_note
from fairdistill.tables.order import sorted_differently
from fairdistill.tables.reading import header, read_columns
from fairdistill.tables.several_models import models_column, models_note, repeated_samples_note
from fairdistill.tables.sources import source_hint
from fairdistill.tables.spelling import spelling_notes
from fairdistill.tables.splits import split_column
from fairdistill.tables.weights import weights_note
from fairdistill.text.progress import working

if TYPE_CHECKING:
    import pandas as pd


def read_predictions(
    path: Path, options: TableColumns, *, recognize: bool = True, answered: bool = False
) -> Predictions:
    """Read a table of predictions: CSV, TSV, JSON Lines or Parquet.

    Args:
        path: the table.
        options: what the columns mean.
        recognize: whether columns of probabilities that the options do not name are looked for.
        answered: whether rows without a true class, which are an error otherwise, are left out.

    Raises:
        DataError: naming the table, row, column and value, for anything in it that cannot be used.
    """
    names = header(path, options.encoding)
    chosen = ChosenColumns.of(path, names, options, recognize=recognize)
    groups, scores = chosen.groups, chosen.scores
    used = {*chosen.texts, *scores.columns}
    split, models = split_column(names, used, others=True), models_column(names, used)
    columns = _read(path, chosen, [split, models], answered=answered)
    found = chosen.options
    if found.id != options.id:
        found = replace(found, id=recognized_ids(columns, found.id))
    others = None if answered else (found.source, found.id)  # a word may mean no answer to another attribute
    group_codes, group_names = columns.crossed(groups, others)
    kept = _filled(columns, found.label, found.pred, scores.columns) if answered else None
    classes = read_classes(columns, label=found.label, pred=found.pred, scores=scores, classes=found.classes)
    outputs = _outputs(columns, classes, found)
    if found.id is None:
        read = {*columns.frame.columns}
        check_rows_are_samples(path, names, read, (classes.labels, group_codes, outputs.predicted), found.encoding)
    if found.source is None:
        columns.notes += source_hint(names, chosen.texts)
    columns.notes += [*weights_note(names, used), *cut_off_note(len(columns.frame))]
    columns.notes += first_row_note(columns, [found.label, found.pred, *groups])
    if split is not None:
        columns.notes += training_note(columns, split)
    if models is not None:
        columns.notes += models_note(columns, models)
    columns.notes += _spelling(classes, outputs)
    sources = row_sources(columns, found.id, found.source)
    if not answered and models is None and sources.max() + 1 == len(sources):
        columns.notes += repeated_samples_note(np.stack([classes.labels, group_codes]))
    if found.id is not None and not answered:  # with --attribute, a sample has a row for each
        told, parts = found.pred or found.score, (classes.labels, outputs.predicted)
        if told is not None and sources.max() + 1 < len(sources):
            check_one_class_a_sample(str(path), (found.id, told), columns.distinct(found.id)[0], parts)
        columns.notes += conflict_notes(columns, found.id, classes.labels, group_codes)
    if outputs.probabilities is not None:
        columns.notes += copies_note(classes.labels, group_codes, outputs.probabilities, sources)
    predictions = Predictions(
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
        id_column=found.id,
        attributes=_attributes(columns, groups, (group_codes, group_names)),
    )
    return predictions if kept is None else predictions.take(kept)


def _read(path: Path, chosen: ChosenColumns, others: Sequence[str | None], *, answered: bool) -> Columns:
    """Return the columns that are looked at; of ``answered`` rows alone, only those with a true class must be whole."""
    options, numbers = chosen.options, chosen.scores.columns
    unknown = words_of(options.unknown)

    def with_answer(frame: pd.DataFrame) -> NDArray[np.bool_]:
        return Columns(path, frame, {}, unknown).codes(options.label, "label", unknown=True)[0] >= 0

    texts = [column for column in dict.fromkeys([*chosen.texts, *others]) if column is not None]
    with working(f"reading {path}"):
        frame = read_columns(
            path, [*texts, *numbers], options.encoding, numbers=numbers, needed=with_answer if answered else None
        )
    columns = Columns(path, frame, options.bin, unknown)
    columns.notes += chosen.notes
    return columns


def _spelling(classes: Classes, outputs: _Outputs) -> list[str]:
    """Return notes on classes that look like one another, by how many rows speak of each."""
    seen = np.concatenate([classes.labels, outputs.predicted[outputs.predicted != classes.labels]])
    rows = np.bincount(seen, minlength=len(classes.names)).tolist()
    return spelling_notes(classes.names, rows, column="the classes", kind="class")


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
) -> tuple[GroupAttribute, ...]:
    """Return each group column; a single one is what its combinations are."""
    if len(groups) == 1:
        return (GroupAttribute(groups[0], *crossed),)
    return tuple(GroupAttribute(name, *columns.codes(name, "group", unknown=True)) for name in groups)


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
    known = np.bincount(classes.labels, minlength=len(classes.names)) > 0
    read = checked_probabilities(table.path, classes.columns, values, known if values.shape[1] == len(known) else None)
    predicted, notes = classes.predicted, (*read.notes, *sorted_note(classes.columns, read.values))
    if predicted is None:
        predicted, notes = read.values.argmax(axis=1), (*notes, *ties(read.values))
    return _Outputs(predicted=predicted, probabilities=read.values, columns=classes.columns, notes=notes)


def _scored(values: NDArray[np.float64], classes: Classes, options: TableColumns) -> _Outputs:
    """Return the class that a single score decides: ``classes.scored`` from the threshold on, else the other."""
    high, low = classes.scored, 1 - classes.scored
    note = (
        f"{of_score(str(options.score))} {options.threshold:g} are predicted {classes.names[high]!r}, all "
        f"others {classes.names[low]!r}"
    )
    note += ", as its name says" if high == 0 else ""
    if options.classes is None and sorted_differently(classes.names):
        note += f" (classes are in numerical order; Python's sorted() puts {sorted(classes.names)[0]!r} first)"
    note += "; reverse this with --classes"
    above = values >= options.threshold
    usual = options.threshold == DEFAULT_THRESHOLD
    if (usual and not _in_unit_interval(values)) or above.all() or not above.any():
        note += f". The scores lie between {values.min():g} and {values.max():g}, so check --threshold"
        if usual and above.all() and _in_unit_interval(values):
            note += "; if each is the confidence in the predicted class, name the predicted classes with --pred instead"
    probabilities = of_two(values, high) if _in_unit_interval(values) else None
    return _Outputs(
        predicted=np.where(above, high, low).astype(np.int64),
        probabilities=probabilities, columns=classes.columns if probabilities is not None else None, notes=(note,),
    )  # fmt: skip


def of_score(column: str) -> str:
    """Return how the note on what a score means begins."""
    return f"Samples with {column} of at least"


def _in_unit_interval(values: NDArray[np.float64]) -> bool:
    return bool(values.min() >= 0 and values.max() <= 1)
