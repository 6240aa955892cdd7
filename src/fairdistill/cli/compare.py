"""The command ``compare``."""

from __future__ import annotations

from fairdistill.cli.command import Command, parse
from fairdistill.comparing import CompareOptions, compare, formatted

COMMAND = Command(
    name="compare",
    summary="Compare finished runs side by side; runs that differ only in their seeds share a row.",
    source="RUN",
    source_help="run folders, or row files (.json) that an earlier comparison printed; - reads rows from standard "
    "input",
    nargs="+",
    examples=("compare runs/teacher runs/mfd", "compare --format latex runs/*-seed*/"),
)


def run(arguments: list[str]) -> int:
    """Print the table of the given runs."""
    given = parse(COMMAND, arguments, CompareOptions)
    options = given.options(CompareOptions)
    print(formatted(compare(given.source, options=options), options.format))
    return 0
