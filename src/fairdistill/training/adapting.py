"""The number of CPU threads of a run in progress: set at its start, and chosen again if the machine changes."""

from __future__ import annotations

from dataclasses import replace

import torch

from fairdistill.system.clock import changed
from fairdistill.training.active_run import ActiveRun
from fairdistill.training.pace import Threads, chooses_threads, time_steps

_LEAST_STEPS = 150  # between two choices
_CHANGED = 1.5  # the factor by which steps must have become slower or faster


def begin_with(run: ActiveRun, threads: Threads | int) -> None:
    """Give a run that chooses its threads this number of them, or as many as there are."""
    if not chooses_threads(run.setup):
        return
    threads = Threads(threads) if isinstance(threads, int) else threads
    run.progress.threads = replace(threads, number=min(threads.number, run.setup.most_threads))
    torch.set_num_threads(run.progress.threads.number)


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
