"""From a source to the predictions to audit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from pathlib import Path

from fairdistill.auditing.options import AuditOptions
from fairdistill.errors import UsageError
from fairdistill.predictions import Predictions, TableColumns, read_predictions, run_predictions
from fairdistill.predictions.attribute_run import attribute_run, attributes_of_run, run_inputs
from fairdistill.predictions.reordered import in_class_order, in_group_order
from fairdistill.predictions.table.writing import write_predictions
from fairdistill.runs import RunFolder
from fairdistill.system.memory import return_freed_memory
from fairdistill.system.regular import why_not_regular
from fairdistill.system.standard_input import NAME, copied_from_standard_input, is_standard_input
from fairdistill.tables.content import no_table
from fairdistill.tables.frames import FRAME, Frame, written
from fairdistill.tables.parts import tables_in_folder
from fairdistill.tables.reading import SUFFIXES


@dataclass(frozen=True)
class Inputs:
    """The predictions that an audit works with.

    Attributes:
        predictions: of the test set.
        against: another model's, of the same samples.
        validation: the same model's, of a validation set.
    """

    predictions: Predictions
    against: Predictions | None = None
    validation: Predictions | None = None


def read_inputs(source: Predictions | str | Path | Frame, options: AuditOptions) -> Inputs:
    """Read a table or a finished run folder, or run a model on a data set; predictions are returned as they are.

    Other predictions of the same classes get them in the same order. ``-`` is a table on standard input.
    """
    check_standard_input(source, options)
    found = _read(source, options)
    return_freed_memory()
    if found.against is None and found.validation is None and not isinstance(source, Predictions):
        # Nothing to match the samples with, and a million names take much memory.
        found = replace(found, predictions=replace(found.predictions, ids=None))
    return with_equal_order(found)


def check_standard_input(source: object, options: AuditOptions) -> None:
    """Raise a UsageError if standard input stands for two tables, or for a model."""
    if sum(map(is_standard_input, (source, options.against, options.validation))) > 1:
        raise UsageError("standard input (-) can be read only once; name a file for the other table")
    if is_standard_input(source) and options.data is not None:
        raise UsageError("standard input (-) holds a table of predictions, not a model; drop --data")


def with_equal_order(found: Inputs) -> Inputs:
    """Return predictions of which all have their classes and groups in the same order."""

    def ordered(other: Predictions | None) -> Predictions | None:
        if other is None:
            return None
        first = found.predictions
        return in_group_order(in_class_order(other, first.class_names), first.group_names)

    return replace(found, against=ordered(found.against), validation=ordered(found.validation))


def _read(source: Predictions | str | Path | Frame, options: AuditOptions) -> Inputs:
    against, validation = _other("against", options), _other("validation", options)
    if isinstance(source, Predictions):
        return Inputs(source, against, validation)
    if isinstance(source, Frame):
        return Inputs(_from_frame(source, options), against, validation)
    if is_standard_input(source):
        return Inputs(_from_standard_input(options), against, validation)
    if options.data is not None:
        from fairdistill.auditing.model import run_model  # torch, which tables do not need

        predictions, on_validation = run_model(str(source), options)
        if options.predictions_out is not None:
            write_predictions(options.predictions_out, predictions)
        return Inputs(predictions, against, on_validation)
    path = Path(source)
    if path.suffix.lower() in SUFFIXES:
        return Inputs(read_predictions(path, options), against, validation)
    if path.is_file():
        raise UsageError(
            f"{source} {no_table(path, SUFFIXES, otherwise='; to audit a model, name its data with --data')}"
        )
    if path.exists() and (why := why_not_regular(path.stat().st_mode)) and not path.is_dir():
        raise UsageError(f"{source} cannot be read: {why}; pipe a table to standard input instead: ... audit -")
    if (of_attributes := attribute_run(path)) is not None:
        _check_of_run(path, options, {"label"})
        (attribute,) = attributes_of_run(of_attributes, options.label)  # the audit has checked that it is one
        found, taught, validated = run_inputs(of_attributes, attribute)
        assert found is not None, "the run is finished"
        return Inputs(found, against or taught, validation or validated)
    if not (path / "config.yaml").exists():
        if (tables := tables_in_folder(path)) is not None:
            raise UsageError(f"{source} {tables}, or a model with its images (--data)")
        what = "is a folder without config.yaml, so it is not a run folder" if path.exists() else "does not exist"
        raise UsageError(
            f"{source} {what}; expected a table of predictions ({', '.join(SUFFIXES)}), a run folder, or a model with "
            "its images (--data)"
        )
    run = RunFolder.open(path)
    _check_of_run(path, options)
    return Inputs(
        run_predictions(run),
        against or _optional(run, "teacher_predictions.csv"),
        validation or _optional(run, "validation_predictions.csv"),
    )


def _check_of_run(path: Path, options: AuditOptions, used: Collection[str] = ()) -> None:
    """Raise a UsageError for options on the columns of a table if there is only a run, which would ignore them."""
    for other in (options.against, options.validation):
        of_run = isinstance(other, str | Path) and Path(other).is_dir()
        if not (other is None or isinstance(other, Predictions) or of_run):
            return  # they are of this table
    usual = TableColumns()
    for field in fields(TableColumns):
        if field.name not in used and getattr(options, field.name) != getattr(usual, field.name):
            raise UsageError(
                f"--{field.name} says what a table holds, but {path} is a run folder, which has its own classes and "
                f"groups; drop --{field.name}, or audit a table"
            )


def _other(name: str, options: AuditOptions) -> Predictions | None:
    source: Predictions | str | Path | Frame | None = getattr(options, name)
    if source is None or isinstance(source, Predictions):
        return source
    columns = options if options.data is None else TableColumns()
    if isinstance(source, Frame):
        return _from_frame(source, columns, f"{FRAME} ({name})")
    if is_standard_input(source):
        return _from_standard_input(columns)
    path = Path(source)
    if path.is_dir():
        if not (path / "config.yaml").exists() and (tables := tables_in_folder(path)) is not None:
            raise UsageError(f"{source} {tables}")
        return run_predictions(RunFolder.open(source))
    return read_predictions(path, columns)


def _from_standard_input(columns: TableColumns) -> Predictions:
    with copied_from_standard_input("a table of predictions (CSV)", table_suffix) as path:
        return renamed(read_predictions(path, columns), path, NAME)


def _from_frame(frame: Frame, columns: TableColumns, name: str = FRAME) -> Predictions:
    with written(frame, name) as path:
        return renamed(read_predictions(path, replace(columns, encoding="utf-8")), path, name)


def renamed(predictions: Predictions, path: Path, name: str) -> Predictions:
    """Return predictions that were read from a temporary file, with the name of what it is a copy of."""
    notes = tuple(note.replace(str(path), name) for note in predictions.notes)
    return replace(predictions, where=name, notes=notes)


def table_suffix(first: bytes) -> str:
    """Return the kind of a table by its first bytes."""
    return ".parquet" if first.startswith(b"PAR1") else ".jsonl" if first.lstrip()[:1] == b"{" else ".csv"


def _optional(run: RunFolder, name: str) -> Predictions | None:
    return run_predictions(run, name) if (run.path / name).exists() else None
