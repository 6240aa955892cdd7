"""Stopping a run on purpose: the state is saved first, and the message says how to continue."""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fairdistill.errors import TrainingError
from fairdistill.runs import RunFolder, resume_command


class Interrupted(TrainingError):  # noqa: N818  # stopping was asked for
    """The run was stopped by a signal; its last checkpoint is whole.

    Args:
        what: what happened.
        run: the run to continue.
        signal_number: the signal.
    """

    def __init__(self, what: str, run: RunFolder, *, signal_number: int) -> None:
        from fairdistill.models import is_own_code  # needs PyTorch, which other commands' help does not

        config = run.config
        named = [
            f" {option} {shlex.quote(name)}"  # its code is imported only if the command names it
            for option, name in (("--model", config.get("model")), ("--teacher-model", config.get("teacher_model")))
            if name is not None and is_own_code(name)
        ]
        if str(config.get("teacher")).endswith(".pt2"):
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
def signals_caught() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM instead of dying from the first; a second one has its usual effect.

    A process that was started with Ctrl-C ignored, as by ``nohup`` or ``command &`` in a script, keeps ignoring it;
    SIGTERM stops it.
    """
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught  # only the main thread receives signals
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    if before[signal.SIGINT] is signal.SIG_IGN:
        del before[signal.SIGINT]

    def catch(number: int, _frame: object) -> None:
        caught.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, catch)
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupt_named(run: RunFolder) -> Iterator[None]:
    """Say how to continue when Ctrl-C comes outside the training steps."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("stopped", run, signal_number=signal.SIGINT) from None
