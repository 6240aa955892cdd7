"""Stopping a run on purpose: the state is saved first, and the message says how to continue."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from fairdistill.errors import TrainingError
from fairdistill.runs import RunFolder, resume_command
from fairdistill.system.signals import signal_of


class Interrupted(TrainingError):  # noqa: N818  # stopping was asked for
    """The run was stopped by a signal; its last checkpoint is whole.

    Args:
        what: what happened.
        run: the run to continue.
        signal_number: the signal.
    """

    def __init__(self, what: str, run: RunFolder, *, signal_number: int) -> None:
        from fairdistill.methods import is_own_method, parts  # need PyTorch, which other commands' help does not
        from fairdistill.models import is_own_code, runs_code

        config = run.config if (run.path / "config.yaml").exists() else {}  # a command of several runs names itself
        named = [
            f" {option} {shlex.quote(name)}"  # its code is imported only if the command names it
            for option, name in (("--model", config.get("model")), ("--teacher-model", config.get("teacher_model")))
            if name is not None and is_own_code(name)
        ]
        if any(map(is_own_method, parts(config.get("method", "")))):
            named.append(f" --method {shlex.quote(config['method'])}")
        if runs_code(config.get("teacher")):
            named.append(f" --teacher-model {shlex.quote(config['teacher'])}")
        super().__init__(f"{what}; continue with: {resume_command(run.path)}{''.join(named)}")
        self.signal_number = signal_number


class Stopped(TrainingError):  # noqa: N818  # what the user asked for is not an error
    """A command of several runs, such as a search or a fix, was stopped by a signal; its run's progress is saved.

    Args:
        where: when or where, for the message: ``during trial 3``.
        stop: how the run was stopped.
    """

    def __init__(self, where: str, stop: Interrupted) -> None:
        super().__init__(f"stopped {where}; progress is saved. Run the same command to continue")
        self.signal_number = stop.signal_number


@contextmanager
def interrupt_named(run: RunFolder) -> Iterator[None]:
    """Say how to continue when a signal to stop comes outside the training steps."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted("stopped", run, signal_number=signal_of(stop)) from None
