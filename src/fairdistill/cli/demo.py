"""The command ``demo``."""

from __future__ import annotations

from fairdistill.cli.command import Command, parse
from fairdistill.fixing.demo import DemoOptions

COMMAND = Command(name="demo", summary="Train a biased digit classifier and run `fix` on it (about a minute).")


def run(arguments: list[str]) -> int:
    """Run the demonstration."""
    given = parse(COMMAND, arguments, DemoOptions)
    from fairdistill.fixing.demo import demo

    demo(given.options(DemoOptions))
    return 0
