"""The cost of a run in time, memory and disk, measured on a few steps before it starts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from fairdistill.data import Pipeline
from fairdistill.errors import UsageError
from fairdistill.runs import nearest_existing
from fairdistill.system.atomic import size_text
from fairdistill.text.durations import format_seconds
from fairdistill.training.machine.environment import peak_memory_bytes
from fairdistill.training.machine.pace import time_steps
from fairdistill.training.options import TrainOptions
from fairdistill.training.setup import Setup, prepare, training_pipeline


@dataclass(frozen=True)
class Estimate:
    """The rough cost of a run: seconds, bytes of memory and bytes of disk, with a number of CPU threads."""

    seconds: float
    memory: int
    disk: int
    threads: int

    def __str__(self) -> str:
        return (
            f"about {format_seconds(self.seconds)}, {self.memory / 2**30:.1f} GiB of memory, "
            f"{self.disk / 2**20:,.0f} MiB of disk"
        )


def estimate(setup: Setup, pipeline: Pipeline) -> Estimate:
    """Time a few steps on a copy of the student, and add up the memory and disk it will need.

    Raises:
        UsageError: if the disk has too little space for what the run will write.
    """
    train, validation, test = setup.data
    batch_size, evaluators = setup.sampler.batch_size, 1 if setup.teacher is None else 2
    threads, step_seconds = time_steps(setup, pipeline)
    forward = step_seconds / 3 / batch_size  # a backward pass costs about two forward passes
    evaluations = sum(-(-stage.steps // stage.evaluate_every) for stage in setup.stages)
    evaluated = evaluations * len(validation) + len(test) * evaluators
    disk = memory = taught = 0
    needed: dict[Path, int] = {}
    if setup.cache is not None:
        disk = needed[setup.cache.folder] = setup.cache.missing_bytes
        taught = setup.cache.num_images if disk else 0
        if setup.cache.num_bytes <= setup.options.cache_memory * 2**30:
            memory = setup.cache.num_bytes
    elif setup.method.teacher_taps:
        taught = setup.steps * batch_size
    weights = sum(p.numel() * p.element_size() for p in setup.student.network.parameters())
    checkpoint = (5 if setup.options.learning.ema else 4) * weights  # weights, best, moments, average
    own = 2 * weights + checkpoint + len(test) * (40 + 12 * train.num_outputs) * evaluators
    disk += own
    needed[setup.out] = own + checkpoint  # the former one stays until the next is whole
    _check_room(needed)
    return Estimate(
        seconds=setup.steps * step_seconds + (evaluated + taught) * forward,
        memory=peak_memory_bytes(setup.runtime.device) + memory,
        disk=disk,
        threads=threads,
    )


def seconds_of(options: TrainOptions) -> float:
    """Return roughly how long a run will take, measured on a few of its steps; nothing is written.

    Raises:
        UsageError: for options that do not fit, or too little disk space.
        DataError: for data that does not fit.
    """
    threads = torch.get_num_threads()
    setup = prepare(options)
    try:
        return estimate(setup, training_pipeline(setup)).seconds
    finally:
        torch.set_num_threads(threads)


def _check_room(needed: Mapping[Path, int]) -> None:
    """Check that each disk has room for all that will be written to it.

    Args:
        needed: bytes by folder; a folder need not exist yet.

    Raises:
        UsageError: naming the disk that is too small.
    """
    together: dict[int, int] = {}
    for folder, size in needed.items():
        disk = nearest_existing(folder).stat().st_dev
        together[disk] = together.get(disk, 0) + size
        free = shutil.disk_usage(nearest_existing(folder)).free
        if free < together[disk]:
            raise UsageError(
                f"the run would write {size_text(together[disk])} to the disk of {nearest_existing(folder)}, which has "
                f"{size_text(free)} free; free some space, choose another --out and --cache-dir, or add "
                "--no-teacher-cache"
            )
