"""From a source to the predictions of each attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fairdistill.auditing.options import AuditOptions
from fairdistill.auditing.source import Inputs, check_standard_input, renamed, table_suffix, with_equal_order
from fairdistill.errors import DataError, UsageError
from fairdistill.predictions import Predictions, TableColumns
from fairdistill.predictions.attribute_run import attribute_run, attributes_of_run, run_attribute, run_inputs
from fairdistill.predictions.table.long_table import read_long
from fairdistill.predictions.table.yes_no import attributes_of, read_attribute
from fairdistill.runs import RunFolder
from fairdistill.system.standard_input import NAME, copied_from_standard_input, is_standard_input
from fairdistill.tables.frames import FRAME, Frame, written
from fairdistill.tables.reading import SUFFIXES
from fairdistill.tables.yes_no import Attribute


@dataclass(frozen=True)
class AttributeInputs:
    """The attributes, and for each the predictions that its audit works with."""

    attributes: tuple[Attribute, ...]
    each: tuple[Inputs, ...]

    @classmethod
    def of(
        cls,
        attributes: tuple[Attribute, ...],
        found: Sequence[Predictions],
        against: Sequence[Predictions | None],
        validation: Sequence[Predictions | None],
    ) -> AttributeInputs:
        """Return the predictions of each attribute together."""
        inputs = (Inputs(*parts) for parts in zip(found, against, validation, strict=True))
        return cls(attributes, tuple(map(with_equal_order, inputs)))


def read_attributes(source: str | Path | Frame, options: AuditOptions) -> AttributeInputs:
    """Read a table or a finished run, or run a model on a data set. ``-`` is a table on standard input.

    Raises:
        UsageError: for anything else, or options that do not fit.
        DataError: naming the table and the column, for an attribute that is not yes or no.
    """
    check_standard_input(source, options)
    if isinstance(source, Frame):
        with written(source) as path:
            attributes, found = _in_table(path, replace(options, encoding="utf-8"))
            found = [renamed(each, path, FRAME) for each in found]
    elif options.data is not None:
        from fairdistill.auditing.attribute_model import run_model  # torch, which tables do not need

        of_model = run_model(str(source), options)
        against = _others("against", options, of_model.attributes)
        return AttributeInputs.of(of_model.attributes, of_model.test, against, of_model.validation)
    elif is_standard_input(source):
        with copied_from_standard_input("a table of predictions (CSV)", table_suffix) as path:
            attributes, found = _in_table(path, options)
            found = [renamed(each, path, NAME) for each in found]
    elif (run := attribute_run(source)) is not None:
        if options.attribute is not None:
            raise UsageError(f"{source} is a run, which has a column for each attribute; drop --attribute")
        if options.yes_value:
            raise UsageError(f"{source} is a run, which knows what means yes; drop --yes-value")
        return _of_run(run, options)
    else:
        attributes, found = _in_table(_table(source), options)
    against, validation = (_others(name, options, attributes) for name in ("against", "validation"))
    if options.attribute is None and options.validation is not None:
        _check_probabilities(attributes, found, validation)
    return AttributeInputs.of(attributes, found, against, validation)


def _check_probabilities(attributes: tuple[Attribute, ...], *tables: Sequence[Predictions | None]) -> None:
    for attribute, *each in zip(attributes, *tables, strict=True):
        name, (_, yes) = attribute.name, attribute.classes
        for predictions in each:
            if predictions is not None and predictions.probabilities is None:
                raise DataError(
                    f"{predictions.where} has no column 'p_{name}', the probability of {yes!r}, which corrections that "
                    "are fitted on validation predictions need"
                )


def _in_table(path: Path, options: AuditOptions) -> tuple[tuple[Attribute, ...], list[Predictions]]:
    if options.attribute is not None:
        return read_long(path, options, yes_values=options.yes_value, column=options.attribute)
    attributes = attributes_of(path, options, options.yes_value)
    return attributes, [read_attribute(path, options, each) for each in attributes]


def _of_run(run: RunFolder, options: AuditOptions) -> AttributeInputs:
    attributes = attributes_of_run(run, options.label)
    tables, taught, validated = zip(*(run_inputs(run, each) for each in attributes), strict=True)
    found = [each for each in tables if each is not None]
    rows = run.result["test_rows"]
    return AttributeInputs.of(
        tuple(each.lacking(rows - len(said)) for each, said in zip(attributes, found, strict=True)),
        found,
        taught if options.against is None else _others("against", options, attributes),
        validated if options.validation is None else _others("validation", options, attributes),
    )


def _table(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{source}: several attributes are audited from a table of predictions ({', '.join(SUFFIXES)}), a run that "
            "was trained on them, or a model with --data"
        )
    return path


def _others(name: str, options: AuditOptions, attributes: tuple[Attribute, ...]) -> Sequence[Predictions | None]:
    source: str | Path | Predictions | Frame | None = getattr(options, name)
    if source is None:
        return [None] * len(attributes)
    if isinstance(source, Predictions):
        raise UsageError(f"for several attributes, {name} is a table or a run with other predictions, not Predictions")
    if isinstance(source, Frame):
        called = f"{FRAME} ({name})"
        with written(source, called) as path:
            found = _others_in_table(path, replace(options, encoding="utf-8"), attributes)
            return [renamed(each, path, called) for each in found]
    run = attribute_run(source)
    if run is not None:
        own = {each.name: each for each in attributes_of_run(run, ",".join(each.name for each in attributes))}
        return [run_attribute(run, own[each.name]) for each in attributes]
    return _others_in_table(_table(source), options, attributes)


def _others_in_table(path: Path, options: AuditOptions, attributes: tuple[Attribute, ...]) -> list[Predictions]:
    if options.attribute is None:
        columns = options if options.data is None else TableColumns()
        return [read_attribute(path, columns, each) for each in attributes]
    own, found = _in_table(path, options)
    by_name = {each.name: said for each, said in zip(own, found, strict=True)}
    for each in attributes:
        if each.name not in by_name:
            raise DataError(f"{path} has no row for the attribute {each.name!r}; it has {', '.join(by_name)}")
    return [by_name[each.name] for each in attributes]
