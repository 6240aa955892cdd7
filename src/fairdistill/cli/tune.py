"""The command ``tune``."""

from __future__ import annotations

from fairdistill.cli.command import Command, offer
from fairdistill.cli.parser import split_repeated
from fairdistill.cli.training import parse_training
from fairdistill.tuning import TuneOptions

COMMAND = Command(
    name="tune",
    summary="Search hyperparameters on validation data, choose a trial by a fixed rule, and read the test set once.",
    examples=("tune --data digits-s --method mfd --teacher runs/teacher --search mfd.strength=0.3:30:log --trials 8",),
)


def run(arguments: list[str]) -> int:
    """Search, choose a trial and print the result."""
    parser = COMMAND.parser()
    offer(parser, TuneOptions)
    arguments, repeated = split_repeated(arguments, TuneOptions)
    options, others = parse_training(parser, arguments)
    from fairdistill.tuning import tune

    result = tune(options, options=TuneOptions(**{**others, **repeated}))
    print(result.text())
    print(f"\nWritten: {', '.join(map(str, result.files))}")
    return 0
