"""The command ``report``."""

from __future__ import annotations

from fairdistill.cli.command import Command, parse
from fairdistill.reporting import ReportOptions

COMMAND = Command(
    name="report",
    summary="Write a self-contained HTML report of finished runs; runs that differ only in their seeds share a row.",
    source="RUN",
    source_help="run folders",
    nargs="+",
    examples=("report runs/teacher runs/mfd --out report.html",),
)


def run(arguments: list[str]) -> int:
    """Write the report, and the model card if requested."""
    given = parse(COMMAND, arguments, ReportOptions)
    from fairdistill.reporting import report

    result = report(given.source, options=given.options(ReportOptions))
    for path in (result.page, result.card):
        if path is not None:
            print(f"Written: {path}")
    return 0
