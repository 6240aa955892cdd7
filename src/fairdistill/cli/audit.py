"""The command ``audit``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fairdistill.auditing import (
    AttributeOptions,
    AuditOptions,
    ComparisonOptions,
    IntervalOptions,
    LimitOptions,
    ModelOptions,
    SelectionOptions,
)
from fairdistill.cli.command import Command, Given, asks_for_help, parse
from fairdistill.cli.parser import peek
from fairdistill.cli.unknown import flags_of
from fairdistill.contract import check_new_file, check_types
from fairdistill.errors import UsageError
from fairdistill.escaping import shown
from fairdistill.predictions import TableColumns
from fairdistill.runs import check_no_input, json_pieces, write_json, write_text
from fairdistill.system.memory import keep_freed_memory
from fairdistill.text.bars import can_show_bars
from fairdistill.text.telling import tell

if TYPE_CHECKING:
    from fairdistill.auditing import AuditResult
    from fairdistill.auditing.attributes import AttributesResult

COMMAND = Command(
    name="audit",
    summary="Audit a table of predictions, a run folder, or, with --data, a model. Exit code 1 if a limit is "
    "exceeded, 3 if the data cannot tell, otherwise 0.",
    source="SOURCE",
    source_help="table (.csv, .tsv, .jsonl, .parquet; - reads one from standard input), run folder, or model with "
    "--data",
    images=True,
    examples=(
        "audit predictions.csv --label gender --group race --max-deo-a 0.05",
        "audit new.csv --against old.csv --max-harm 0.02",
        "audit predictions.csv --max-deo-a 0.05 --markdown >> summary.md",
        "audit deployed.pt --model resnet18 --data faces.csv --image path --label gender --group race",
    ),
)


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Output."""

    out: str | None = None
    """File to write; default: audit.json in the run folder, else in the current folder; none with --json."""
    json: bool = False
    """Print the content of audit.json instead of the text; notes go to standard error."""
    markdown: bool = False
    """Print a short summary in Markdown instead of the text, for example for the job summary of a pipeline; notes go
    to standard error."""
    template: Literal["nyc", "ugesp", "annex-iv"] | None = None
    """Also write a document for auditors, in Markdown with blanks to fill in: nyc (a bias audit under New York City's
    Local Law 144), ugesp (adverse impact, 29 CFR 1607.4 D) or annex-iv (technical documentation under the EU AI Act).
    The first two need --positive."""
    template_out: str | None = None
    """File of the document; default: audit-TEMPLATE.md in the folder of audit.json."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.template is None and self.template_out is not None:
            raise UsageError("--template-out needs --template, which says what to write: nyc, ugesp or annex-iv")
        if self.json and self.markdown:
            raise UsageError("--json and --markdown both say what to print; drop one of them")


def run(arguments: list[str]) -> int:
    """Run the audit, write its result, and return the exit code."""
    data = peek(arguments, "data")
    if data is not None:
        keep_freed_memory()  # a model is run on batches of images
    what: tuple[type, ...] = (TableColumns, AttributeOptions) if data is None else (ModelOptions,)
    if data is None and asks_for_help(arguments):
        what = (*what, ModelOptions)
    kinds = (IntervalOptions, LimitOptions, SelectionOptions, ComparisonOptions)
    given = parse(COMMAND, arguments, *kinds, *what, OutputOptions, data=data, elsewhere=_elsewhere(data))
    output = given.options(OutputOptions)
    out = _out(given.source, output)
    document = _document(given.source, output, given.options(SelectionOptions))
    _check_written(given, out, document)
    from fairdistill.auditing import AuditResult, audit

    options = given.options(AuditOptions, data_options=given.data_options)
    result = _of_attributes(given.source, options, output) or audit(given.source, options=options)
    if out is not None:
        write_json(out, result.to_write())
    if document is not None and output.template is not None and isinstance(result, AuditResult):
        from fairdistill.auditing import documents

        text = documents.document(output.template, result, documents.Provenance.of(given.source, data=data))
        write_text(document, text)
    written = [str(path) for path in (out, given.values.get("predictions_out"), document) if path is not None]
    _show(result, output, written)
    return result.exit_code


def _check_written(given: Given, out: Path | None, document: Path | None) -> None:
    """Raise a UsageError if a file to write is one of those that are read."""
    read = (given.source, *(given.values.get(name) for name in ("against", "validation", "data")))
    files = {"--out": out, "--predictions-out": given.values.get("predictions_out"), "--template-out": document}
    for option, path in files.items():
        if path is not None:
            check_no_input(path, option, read)


def _elsewhere(data: str | None) -> dict[str, str]:
    """Return what to say about the options of the other kind of audit: of a table, or of a model."""
    if data is None:
        return dict.fromkeys(flags_of(ModelOptions), "is for a model; name the images to run it on with --data")
    from fairdistill.data.own.options import TableOptions

    of_images = flags_of(TableOptions)
    of_predictions = [flag for flag in flags_of(TableColumns) if flag not in of_images]
    return dict.fromkeys(of_predictions, "is for a table of predictions; to audit one, drop --data")


def _of_attributes(source: str, options: AuditOptions, output: OutputOptions) -> AttributesResult | None:
    """Return the audits of several attributes; None if ``--label`` names a single one."""
    from fairdistill.auditing.audit import several_named

    if not several_named(source, options):
        return None
    if output.template is not None:
        raise UsageError("--template documents the audit of a single attribute; name one with --label")
    from fairdistill.auditing.attributes import audit_attributes

    return audit_attributes(source, options=options)


def _show(result: AuditResult | AttributesResult, output: OutputOptions, written: list[str]) -> None:
    """Print the result in the form that was asked for; only the text shares its stream with anything else."""
    from fairdistill.auditing import AuditResult
    from fairdistill.auditing.bars import bars

    if not output.json and not output.markdown:
        print(result.text())
        if isinstance(result, AuditResult) and can_show_bars():
            print(f"\n{shown(bars(result))}")
        print(f"\nWritten: {', '.join(written)}")
        return
    for note in _notes(result):
        tell(f"{note}.")
    if written:
        tell(f"Written: {', '.join(written)}")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")  # as JSON is defined to be, and Markdown is read
    if output.markdown:
        print(result.markdown())
        return
    sys.stdout.writelines(json_pieces(result.to_write()))


def _notes(result: AuditResult | AttributesResult) -> Sequence[str]:
    """Return the notes on a result, also those on each of several attributes."""
    from fairdistill.auditing import AuditResult

    if isinstance(result, AuditResult):
        return result.notes
    from fairdistill.auditing.attributes.text import notes_of

    return notes_of(result)


def _out(source: str, options: OutputOptions) -> Path | None:
    """Return the file to write, if any; a folder that cannot be written to is an error before anything is computed."""
    if options.out is None and options.json:
        return None
    path = _folder(source) / "audit.json" if options.out is None else Path(options.out)
    check_new_file(path, "--out")
    return path


def _folder(source: str) -> Path:
    return Path(source) if Path(source).is_dir() else Path()


def _document(source: str, options: OutputOptions, selection: SelectionOptions) -> Path | None:
    """Return the document to write, if any; one that lacks its positive class is an error before anything is read."""
    if options.template is None:
        return None
    if options.template != "annex-iv" and selection.positive is None:
        raise UsageError(
            f"--template {options.template} compares how often groups are selected; name the class that means being "
            "selected with --positive"
        )
    beside = _folder(source) if options.out is None else Path(options.out).parent
    default = beside / f"audit-{options.template}.md"
    path = default if options.template_out is None else Path(options.template_out)
    check_new_file(path, "--template-out")
    return path
