"""The command ``train``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairdistill.cli.command import Command
from fairdistill.cli.training import parse_training
from fairdistill.errors import ResourceError, UsageError

COMMAND = Command(
    name="train",
    summary="Train a teacher or a student into a run folder.",
    examples=(
        "train --data digits-s --method scratch --out runs/teacher",
        "train --data digits-s --method mfd --teacher runs/teacher --out runs/mfd",
        "train --data faces.csv --image path --label gender --group race --method ss --model resnet18",
        "train --resume runs/mfd",
    ),
)


def run(arguments: list[str]) -> int:
    """Train a run, or resume one."""
    parser = COMMAND.parser()
    parser.add_argument(
        "--resume", metavar="RUN", type=str,
        help="resume a stopped run; accepts no other options, except --model, --teacher-model and --method if they are "
        "your own code (MODULE:NAME, or FILE.pt2 for a teacher)",
    )  # fmt: skip
    options, others = parse_training(parser, arguments)
    from fairdistill.training import resume, train

    stopped = others["resume"]
    if stopped is None:
        with _saying_how_to_resume(options.out):
            train(options)
        return 0
    if _others(arguments):
        raise UsageError(
            "--resume uses the stopped run's own options; drop all others (--model, --teacher-model and --method may "
            "name your own code)"
        )
    resume(stopped, code=(options.model, options.teacher_model, options.method))
    return 0


@contextmanager
def _saying_how_to_resume(out: str | None) -> Iterator[None]:
    """Say how to go on if the machine gave out after the first checkpoint: the same command refuses the folder."""
    from fairdistill.runs import RunFolder, resume_command

    try:
        yield
    except ResourceError as error:
        if out is None or RunFolder(Path(out)).checkpoint_path.exists():
            error.args = (f"{error}; a run that has a checkpoint is continued with: {resume_command(out or 'RUN')}",)
        raise


def _others(arguments: list[str]) -> list[str]:
    """Return the arguments that do not belong to one of the options of a resumed run."""
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("--resume", "--model", "--teacher-model", "--method"):
        own.add_argument(option)
    return own.parse_known_args(arguments)[1]
