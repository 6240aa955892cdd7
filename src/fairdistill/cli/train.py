"""The command ``train``."""

from __future__ import annotations

from fairdistill.cli.command import Command
from fairdistill.cli.training import parse_training
from fairdistill.errors import UsageError

COMMAND = Command(name="train", summary="Train a teacher or a student into a run folder.")


def run(arguments: list[str]) -> int:
    """Train a run, or resume one."""
    parser = COMMAND.parser()
    parser.add_argument("--resume", metavar="RUN", type=str, help="resume a stopped run; accepts no other options")
    options, others = parse_training(parser, arguments)
    from fairdistill.training import resume, train

    stopped = others["resume"]
    if stopped is None:
        train(options)
        return 0
    if [item for item in arguments if item not in ("--resume", stopped, f"--resume={stopped}")]:
        raise UsageError("--resume uses the stopped run's own options; drop all others")
    resume(stopped)
    return 0
