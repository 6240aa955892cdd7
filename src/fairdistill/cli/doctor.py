"""The command ``doctor``."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.cli.command import Command, parse

COMMAND = Command(
    name="doctor",
    summary="Say which versions, device, precision and extras this installation has, and how to install what is "
    "missing. The exit code is 0.",
)


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Output."""

    json: bool = False
    """Print the result as JSON."""


def run(arguments: list[str]) -> int:
    """Look at the installation and print it."""
    given = parse(COMMAND, arguments, OutputOptions)
    from fairdistill.diagnosing import diagnose
    from fairdistill.runs import json_text

    result = diagnose()
    print(json_text(result.to_dict()) if given.values["json"] else result.text())
    return 0
