"""The command ``audit``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fairdistill.auditing import (
    AttributeOptions,
    AuditOptions,
    ComparisonOptions,
    IntervalOptions,
    LimitOptions,
    ModelOptions,
)
from fairdistill.cli.command import Command, Given, asks_for_help, parse
from fairdistill.cli.parser import peek
from fairdistill.contract import check_types
from fairdistill.errors import UsageError
from fairdistill.escaping import shown
from fairdistill.predictions import TableColumns
from fairdistill.runs import write_json
from fairdistill.system.memory import keep_freed_memory
from fairdistill.text.bars import can_show_bars

COMMAND = Command(
    name="audit",
    summary="Audit a table of predictions, a run folder, or, with --data, a model. Exit code 1 if a limit is "
    "exceeded, 3 if the data cannot tell, otherwise 0.",
    source="SOURCE",
    source_help="table (.csv, .tsv, .jsonl, .parquet), run folder, or model with --data",
    images=True,
    examples=(
        "audit predictions.csv --label gender --group race --max-deo-a 0.05",
        "audit new.csv --against old.csv",
        "audit deployed.pt --model resnet18 --data faces.csv --image path --label gender --group race",
    ),
)


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Output."""

    out: str | None = None
    """File to write; default: audit.json in the run folder, else in the current folder."""

    def __post_init__(self) -> None:
        check_types(self)


def run(arguments: list[str]) -> int:
    """Run the audit, write its result, and return the exit code."""
    data = peek(arguments, "data")
    if data is not None:
        keep_freed_memory()  # a model is run on batches of images
    what: tuple[type, ...] = (TableColumns,) if data is None else (ModelOptions,)
    if data is None and asks_for_help(arguments):
        what = (TableColumns, ModelOptions)
    groups = (IntervalOptions, LimitOptions, ComparisonOptions, AttributeOptions)
    given = parse(COMMAND, arguments, *groups, *what, OutputOptions, data=data)
    out = _out(given.source, given.options(OutputOptions))
    from fairdistill.auditing import audit
    from fairdistill.auditing.bars import bars

    options = given.options(AuditOptions, data_options=given.data_options)
    if _several(given.source, options):
        return _attributes(given, options, out)
    result = audit(given.source, options=options)
    write_json(out, result.to_write())
    print(result.text())
    if can_show_bars():
        print(f"\n{shown(bars(result))}")
    written = (str(out), given.values.get("predictions_out"))
    print(f"\nWritten: {', '.join(filter(None, written))}")
    return result.exit_code


def _several(source: str, options: AuditOptions) -> bool:
    """Return whether ``--label`` names several columns."""
    from fairdistill.predictions.attributes import names_several

    if options.data is None:
        return names_several(options.label, source, options.encoding)
    return names_several(options.data_options.get("label"), options.data, options.encoding)


def _attributes(given: Given, options: AuditOptions, out: Path) -> int:
    from fairdistill.auditing.attributes import audit_attributes

    result = audit_attributes(given.source, options=options)
    write_json(out, result.to_write())
    print(result.text())
    written = (str(out), given.values.get("predictions_out"))
    print(f"\nWritten: {', '.join(filter(None, written))}")
    return result.exit_code


def _out(source: str, options: OutputOptions) -> Path:
    """Return the file to write; a folder that cannot be written to is an error before anything is computed."""
    default = Path(source) / "audit.json" if Path(source).is_dir() else Path("audit.json")
    out = default if options.out is None else Path(options.out)
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise UsageError(f"cannot write {out}; choose a file in an existing folder with --out")
    return out
