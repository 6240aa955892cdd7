"""One training step on CIFAR-10S, end to end: plain cross-entropy, as it was before, and mfd.

    FAIRDISTILL_DATA=DIR python -m benchmarks.step [--rounds N] [--threads N]

Same network, precision and batch of 120; sampling, augmentation, forward, backward and optimizer included. Aims: the
plain step at most 0.87 times the one with each ReLU before its pooling, PyTorch's own dropout and an unfused Adam; mfd
at most 1.10 times the plain step with the teacher's features cached, 1.35 with the teacher run in every step; and data
preparation below 5% of a step. Prints which share of the plain step is convolution, and how fast the processor does
that beside a product of two matrices. Exits with 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from benchmarks.convolutions import convolutions, product, run_all
from benchmarks.timing import hardware, interleaved, median_and_quartiles, ratio
from fairdistill.caching import Stored
from fairdistill.data import Pipeline
from fairdistill.models.dropout import Dropout
from fairdistill.system.memory import keep_freed_memory
from fairdistill.training import Setup, TrainOptions, prepare, train
from fairdistill.training.loop import train_step
from fairdistill.training.networks.teacher_cache import CachedTeacher, LiveTeacher
from fairdistill.training.optimization.optimizer import build_optimizer
from fairdistill.training.progress.learner import Learner, build_learner
from fairdistill.types import Batch, Taps


@dataclass(frozen=True)
class Aim:
    """A row of the table, the row it is compared with if any, and the largest ratio that meets the aim if any."""

    row: str
    against: str | None
    most: float | None


AIMS = (
    Aim("plain, as before", None, None),
    Aim("plain", "plain, as before", 0.87),
    Aim("mfd, teacher cached", "plain", 1.10),
    Aim("mfd, teacher run", "plain", 1.35),
    Aim("data", "plain", 0.05),
    Aim("convolutions alone", "plain", None),
)
PRODUCT = "product of matrices"


def stepper(
    setup: Setup, pipeline: Pipeline, teacher: Callable[[Batch], Taps] | None, next_batch: Callable[[], Batch]
) -> Callable[[], object]:
    """Return a function that does one training step of a setup."""
    setup.student.network.train()
    return _step_of(build_learner(setup, teacher), setup, next_batch)


def step_as_before(setup: Setup, next_batch: Callable[[], Batch]) -> Callable[[], object]:
    """Return a function that does the same step as earlier versions did: the same network, computed in another way."""
    network = setup.student.network.train()
    stages = network.get_submodule("stages")
    assert isinstance(stages, nn.Sequential)
    for place, (first, second) in enumerate(itertools.pairwise(list(stages))):
        if isinstance(first, nn.MaxPool2d) and isinstance(second, nn.ReLU):
            stages[place], stages[place + 1] = second, first
    for module in network.modules():
        if isinstance(module, Dropout):
            module.blocks = False
    optimizer = build_optimizer(setup.options.learning, network)
    return _step_of(replace(build_learner(setup, None), optimizer=optimizer), setup, next_batch)


def _step_of(learner: Learner, setup: Setup, next_batch: Callable[[], Batch]) -> Callable[[], object]:
    return lambda: train_step(learner, next_batch(), terms=setup.stages[-1].terms, progress=0.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    keep_freed_memory()  # as the command line does
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        teacher = train(
            TrainOptions(data="cifar10s", steps=1, threads=given.threads, out=str(out / "teacher")), quiet=True
        )
        options = {"data": "cifar10s", "threads": given.threads, "teacher": str(teacher.path), "out": str(out / "run")}
        plain, mfd = (prepare(TrainOptions(method=method, **options)) for method in ("ss", "mfd"))
        assert mfd.teacher is not None
        pipeline = Pipeline(plain.data.train, device=plain.runtime.device, seed=0)
        steps = itertools.count()

        def next_batch() -> Batch:
            step = next(steps)
            return pipeline.train_batch(plain.sampler.batch(step), step=step)

        # Looking up costs the same whatever the numbers are, and computing the real ones takes minutes.
        features = torch.rand(2, len(mfd.data.train), 256, dtype=mfd.runtime.dtype).unbind()
        cached = CachedTeacher({"feature": Stored(features, joined=True, device=mfd.runtime.device)})
        live = LiveTeacher(mfd.teacher.network, mfd.runtime, mfd.method.teacher_taps)
        alone = convolutions(plain.student.network, next_batch().images, plain.runtime.dtype)
        multiply, of_product = product(plain.runtime.dtype, plain.runtime.device)
        times = interleaved(
            {
                "plain, as before": step_as_before(prepare(plain.options), next_batch),
                "plain": stepper(plain, pipeline, None, next_batch),
                "mfd, teacher cached": stepper(mfd, pipeline, cached, next_batch),
                "mfd, teacher run": stepper(prepare(mfd.options), pipeline, live, next_batch),
                "data": next_batch,
                "convolutions alone": lambda: run_all(alone),
                PRODUCT: multiply,
            },
            rounds=given.rounds,
        )
    print(f"{hardware()}; {given.rounds} rounds, batches of {plain.sampler.batch_size}")
    met = report(times)
    speeds = {
        name: operations / median_and_quartiles(times[name])[0] / 1e9
        for name, operations in {
            "convolutions alone": sum(each.operations for each in alone), PRODUCT: of_product,
        }.items()
    }  # fmt: skip
    print(*(f"{name}: {speed:,.0f} GFLOP/s" for name, speed in speeds.items()), sep="\n")
    return 0 if met else 1


def report(times: Mapping[str, Sequence[float]]) -> bool:
    """Print a line for each row; return whether all aims are met."""
    met = True
    for aim in AIMS:
        middle, low, high = (1000 * value for value in median_and_quartiles(times[aim.row]))
        line = f"{aim.row:<22}{middle:>9.2f} ms [{low:.2f}, {high:.2f}]".ljust(52)
        if aim.against is not None:
            share, below, above = ratio(times[aim.row], times[aim.against])
            line += f"{share:>7.3f} of {aim.against} [{below:.3f}, {above:.3f}]"
            if aim.most is not None:
                met = met and share <= aim.most
                line += f"  aim {aim.most:g}{'' if share <= aim.most else '  MISSED'}"
        print(line)
    return met


if __name__ == "__main__":
    sys.exit(main())
