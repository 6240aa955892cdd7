"""Choosing the number of CPU threads of a run in progress again if the machine changes."""

from __future__ import annotations

from dataclasses import replace

import torch

from fairdistill.system.clock import changed
from fairdistill.training.machine.pace import Threads, time_steps
from fairdistill.training.progress.active_run import ActiveRun

_LEAST_STEPS = 150  # between two choices
_CHANGED = 1.5  # the factor by which steps must have become slower or faster


def adapt(run: ActiveRun, step_seconds: float) -> None:
    """Choose the number of threads of a run again if the machine has become busier or freer since the last choice.

    Args:
        run: the run, after an evaluation.
        step_seconds: seconds per step since the evaluation before.
    """
    setup, progress, threads = run.setup, run.progress, run.progress.threads
    if threads is None or setup.options.compile:  # compiled code has a fixed number
        return
    if threads.step_seconds is None:
        progress.threads = replace(threads, step_seconds=step_seconds)
    elif changed(threads.step_seconds, step_seconds, factor=_CHANGED) and progress.step - threads.since >= _LEAST_STEPS:
        number, _ = time_steps(setup, run.pipeline)
        if number != threads.number:
            run.console.say(
                f"step {progress.step}: {number} instead of {threads.number} CPU threads, which is faster now"
            )
        progress.threads = Threads(number, since=progress.step)
        torch.set_num_threads(number)
