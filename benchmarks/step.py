"""One mfd training step on CIFAR-10S, end to end, against the plain cross-entropy step.

    FAIRDISTILL_DATA=DIR python -m benchmarks.step [--rounds N] [--threads N]

Same network, precision and batch of 120; sampling, augmentation, forward, backward and optimizer included. Aims:
at most 1.10 times the plain step with the teacher's features cached, 1.35 with the teacher run in every step, and
data preparation below 5% of a step. Exits with 1 where one is missed.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.timing import hardware, interleaved, median_and_quartiles, ratio
from fairdistill.caching import Stored
from fairdistill.data import Pipeline
from fairdistill.training import Setup, TrainOptions, prepare, train
from fairdistill.training.learner import build_learner
from fairdistill.training.loop import train_step
from fairdistill.training.teacher_cache import CachedTeacher, LiveTeacher
from fairdistill.types import Batch, Taps

AIMS = {"mfd, teacher cached": 1.10, "mfd, teacher run": 1.35}
AIM_DATA = 0.05


def stepper(
    setup: Setup, pipeline: Pipeline, teacher: Callable[[Batch], Taps] | None, next_batch: Callable[[], Batch]
) -> Callable[[], object]:
    """Return a function that does one training step of a setup."""
    setup.student.network.train()
    learner = build_learner(setup, teacher)

    def step() -> object:
        return train_step(learner, next_batch(), terms=setup.stages[-1].terms, progress=0.0)

    return step


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
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
        times = interleaved(
            {
                "plain": stepper(plain, pipeline, None, next_batch),
                "mfd, teacher cached": stepper(mfd, pipeline, cached, next_batch),
                "mfd, teacher run": stepper(prepare(mfd.options), pipeline, live, next_batch),
                "data": next_batch,
            },
            rounds=given.rounds,
        )
    print(f"{hardware()}; {given.rounds} rounds, batches of {plain.sampler.batch_size}")
    met = []
    for name, seconds in times.items():
        middle, low, high = (1000 * value for value in median_and_quartiles(seconds))
        line = f"{name:<22}{middle:>9.2f} ms [{low:.2f}, {high:.2f}]".ljust(52)
        if name != "plain":
            share, below, above = ratio(seconds, times["plain"])
            aim = AIMS.get(name, AIM_DATA)
            met.append(share <= aim)
            line += f"{share:>7.3f} of plain [{below:.3f}, {above:.3f}]  aim {aim:g}{'' if met[-1] else '  MISSED'}"
        print(line)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
