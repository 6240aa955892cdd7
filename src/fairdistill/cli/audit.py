"""The command ``audit``: which predictions it reads, and where it writes what it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairdistill.auditing import AuditOptions, audit
from fairdistill.auditing.audit import exit_code, run_inputs
from fairdistill.auditing.text import render
from fairdistill.cli.parser import Parser, add_options, peek, split_repeated
from fairdistill.contract import check_types
from fairdistill.errors import UsageError
from fairdistill.predictions import Predictions
from fairdistill.predictions.predictions import run_predictions
from fairdistill.predictions.table import TableColumns, read_predictions
from fairdistill.runs import RunFolder, write_json
from fairdistill.tables.reading import SUFFIXES


@dataclass(frozen=True, kw_only=True)
class CommandOptions:
    """What an audit is compared with, and where it goes."""

    against: str | None = None
    """Another model's predictions of the same rows, a table or a run folder: adds a paired test and what it does to
    each cell. Default for a run: its teacher."""
    validation: str | None = None
    """Table of the model's predictions of validation rows: adds the post-hoc baselines, fitted on them. Default for a
    run, or a model with data: its own."""
    out: str | None = None
    """File to write; default: audit.json in the run folder, else in the current folder."""

    def __post_init__(self) -> None:
        check_types(self)


def run(arguments: list[str]) -> int:
    """Audit a run folder, a table of predictions or a model with a data set; return the exit code."""
    data_name = peek(arguments, "data")
    parser = Parser(
        "audit",
        "Audit a run folder, a table of predictions, or, with --data, a model. Exit code: 0, or 1 if a limit is broken "
        "and 3 if the data cannot tell.",
        arguments="SOURCE",
    )
    parser.add_argument("SOURCE", type=str, help="run folder, table (.csv, .tsv, .parquet), or model with --data")
    add_options(parser, AuditOptions, title="statistics and limits")
    add_options(parser, CommandOptions, title="comparison and output")
    if data_name is None:
        add_options(parser, TableColumns, title="columns of a table")
        given = vars(parser.parse_args(arguments))
        command = CommandOptions(**_taken(given, CommandOptions))
        options = AuditOptions(**_taken(given, AuditOptions))
        columns = TableColumns(**_taken(given, TableColumns))
        predictions, against, validation = _read(given["SOURCE"], command, columns)
    else:
        from fairdistill import data
        from fairdistill.auditing.model import ModelOptions, model_inputs

        own = data.entry(data_name).options
        add_options(parser, ModelOptions, title="model and data")
        add_options(parser, own, title=f"data set {data_name}", unset=True)
        rest, repeated = split_repeated(arguments, own)
        given = vars(parser.parse_args(rest))
        command = CommandOptions(**_taken(given, CommandOptions))
        options = AuditOptions(**_taken(given, AuditOptions))
        if command.validation is not None:
            raise UsageError("--validation is for tables; a model is run over the data's own validation rows")
        model = ModelOptions(**_taken(given, ModelOptions))
        of_data = {name: value for name, value in (_taken(given, own) | repeated).items() if value is not None}
        predictions, validation = model_inputs(given["SOURCE"], model, of_data)
        against = None if command.against is None else _predictions(command.against, TableColumns())
    out = _out(given["SOURCE"], command)
    said = audit(predictions, options, against=against, validation=validation)
    write_json(out, said)
    print(render(said))
    print(f"\nWritten: {out}")
    return exit_code(said)


def _read(
    source: str, command: CommandOptions, columns: TableColumns
) -> tuple[Predictions, Predictions | None, Predictions | None]:
    path = Path(source)
    if path.is_file() and path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{source} is no table ({', '.join(SUFFIXES)}); to audit a model, name its data with --data")
    against = validation = None
    if path.suffix.lower() in SUFFIXES:
        predictions = read_predictions(path, columns, keep_ids=command.against is not None)
    else:
        predictions, against, validation = run_inputs(RunFolder.open(path))
    if command.against is not None:
        against = _predictions(command.against, columns)
    if command.validation is not None:
        validation = _predictions(command.validation, columns)
    return predictions, against, validation


def _predictions(source: str, columns: TableColumns) -> Predictions:
    if Path(source).is_dir():
        return run_predictions(RunFolder.open(source))
    return read_predictions(Path(source), columns)


def _out(source: str, command: CommandOptions) -> Path:
    """Return the file to write; a folder that cannot be written is an error before anything is worked out."""
    if command.out is not None:
        out = Path(command.out)
    else:
        out = Path(source) / "audit.json" if Path(source).is_dir() else Path("audit.json")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise UsageError(f"cannot write {out}; give a file in an existing folder with --out")
    return out


def _taken(given: dict[str, Any], options: type[Any]) -> dict[str, Any]:
    """Return the values of an options class's fields."""
    return {name: given[name] for name in options.__dataclass_fields__ if name in given}
