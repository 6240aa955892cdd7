"""The cost of a run in time, memory and disk, measured on a few steps before it starts."""

from __future__ import annotations

import copy
import shutil
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from fairdistill.data import Pipeline
from fairdistill.errors import UsageError
from fairdistill.models import Tapped
from fairdistill.runs import nearest_existing
from fairdistill.text.durations import format_seconds
from fairdistill.training.environment import peak_memory_bytes
from fairdistill.training.options import TrainOptions
from fairdistill.training.setup import Setup, prepare, training_batch, training_pipeline

_PROBES = 3


@dataclass(frozen=True)
class Estimate:
    """The rough cost of a run: seconds, bytes of memory and bytes of disk."""

    seconds: float
    memory: int
    disk: int

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
    step_seconds = _step_seconds(setup, pipeline)
    forward = step_seconds / 3 / batch_size  # a backward pass costs about two forward passes
    evaluations = sum(-(-stage.steps // stage.evaluate_every) for stage in setup.stages)
    evaluated = evaluations * len(validation) + len(test) * evaluators
    disk = memory = taught = 0
    if setup.cache is not None:
        disk = setup.cache.missing_bytes
        _check_room(setup.cache.folder, disk)
        taught = len(train) * (train.recipe.num_states or 1) if disk else 0
        if setup.cache.num_bytes <= setup.options.cache_memory * 2**30:
            memory = setup.cache.num_bytes
    elif setup.method.teacher_taps:
        taught = setup.steps * batch_size
    weights = sum(p.numel() * p.element_size() for p in setup.student.network.parameters())
    disk += (
        7 if setup.options.learning.ema else 6
    ) * weights  # the model, and a checkpoint: weights, best, moments, average
    disk += len(test) * (40 + 12 * train.num_classes) * evaluators
    _check_room(setup.out, disk)
    return Estimate(
        seconds=setup.steps * step_seconds + (evaluated + taught) * forward,
        memory=peak_memory_bytes(setup.runtime.device) + memory,
        disk=disk,
    )


def _step_seconds(setup: Setup, pipeline: Pipeline) -> float:
    """Return how long a forward and a backward pass take on a batch, leaving the student and random numbers alone."""
    network = copy.deepcopy(setup.student.network).train()
    tapped = Tapped(network, setup.student.features.points)
    device, times = setup.runtime.device, []
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        for step in range(_PROBES):
            start = time.perf_counter()
            batch = training_batch(setup, pipeline, step)
            with setup.runtime.autocast():
                loss = torch.nn.functional.cross_entropy(tapped(batch.images)["logits"].float(), batch.labels)
            loss.backward()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            times.append(time.perf_counter() - start)
    return min(statistics.median(times), times[-1])


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


def _check_room(out: Path, needed: int) -> None:
    parent = nearest_existing(out)
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise UsageError(
            f"the run would write {needed / 2**20:,.0f} MiB, but {parent} has {free / 2**20:,.0f} MiB free; "
            "choose another --out and --cache-dir, or add --no-teacher-cache"
        )
