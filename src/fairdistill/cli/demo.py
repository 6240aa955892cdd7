"""The command ``demo``."""

from __future__ import annotations

from fairdistill.cli.command import Command, parse
from fairdistill.fixing import DemoOptions

COMMAND = Command(name="demo", summary="Train a biased digit classifier and run `fix` on it (about a minute).")


def run(arguments: list[str]) -> int:
    """Run the demo."""
    options = parse(COMMAND, arguments, DemoOptions).options(DemoOptions)
    from fairdistill.fixing import demo
    from fairdistill.fixing.demo_text import INTRODUCTION, farewell, in_short

    print(INTRODUCTION, flush=True)
    result = demo(options=options)
    print(f"{result.text()}\n\n{in_short(result)}\n\n{farewell(options.out)}")
    return 0
