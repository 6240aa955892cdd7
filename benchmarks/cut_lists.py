"""Batches cut from one list, as in the authors' code, instead of exactly balanced ones.

    python -m benchmarks.cut_lists FOLDER --data-root DIR [--methods ss,mfd,ss+hkd] [--epochs 10] [--seeds 0-1]
        [--workers 8]

The authors' balanced sampler writes chunks of 120 rows, six of each subgroup of CIFAR-10S, into one list for the whole
epoch, and then cuts the list into batches of 128, so that a batch has up to 8 rows more of some subgroups. Ours takes
the chunks themselves. This trains teachers and students in the `paper` protocol with the authors' batches; `fairdistill
bench` trains them with ours. Everything else is equal, and runs that are finished are not trained again:

    fairdistill compare --format json FOLDER/*-seed*/ > results/cifar10s-cut-lists.json
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import fairdistill.training.setup
from fairdistill.samplers import Balanced
from fairdistill.training import TrainOptions, train


class CutLists(Balanced):
    """Batches of ``batch_size`` rows, cut from the list of all balanced chunks of an epoch.

    Example:
        On CIFAR-10S, 666 chunks of 120 rows make 624 batches of 128.
    """

    def __init__(self, *args: Any, batch_size: int, **keywords: Any) -> None:
        super().__init__(*args, batch_size=batch_size, **keywords)
        self._chunk, self._chunks = self.batch_size, self.steps_per_epoch
        self.batch_size = batch_size
        self.steps_per_epoch = self._chunks * self._chunk // batch_size

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        epoch, position = divmod(step, self.steps_per_epoch)
        first, last = position * self.batch_size, (position + 1) * self.batch_size
        chunks = range(first // self._chunk, -(-last // self._chunk))
        rows = torch.cat([super(CutLists, self).batch(epoch * self._chunks + chunk) for chunk in chunks])
        start = first - chunks.start * self._chunk
        return rows[start : start + self.batch_size]


def run(options: TrainOptions) -> str:
    """Train one run with these batches, unless it is finished."""
    assert options.out is not None
    if not (Path(options.out) / "result.json").exists():
        vars(fairdistill.training.setup)["Balanced"] = CutLists  # the sampler of all balanced methods
        train(options, quiet=True)
    return options.out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", default="cifar10s")
    parser.add_argument("--data-root", default=os.environ.get("FAIRDISTILL_DATA"))
    parser.add_argument("--methods", default="ss,mfd,ss+hkd")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", default="0-1")
    parser.add_argument("--workers", type=int, default=8, help="runs that share the machine")
    given = parser.parse_args()
    first, _, last = given.seeds.partition("-")

    def job(method: str, seed: int, teacher: str | None) -> TrainOptions:
        return TrainOptions(
            data=given.data, data_root=given.data_root, method=method, protocol="paper", epochs=given.epochs,
            seed=seed, teacher=teacher, threads=1, out=str(given.folder / f"{method}-seed{seed}"),
        )  # fmt: skip

    with ProcessPoolExecutor(given.workers, multiprocessing.get_context("spawn")) as pool:
        running = {}
        for seed in range(int(first), int(last or first) + 1):
            running[pool.submit(run, job("scratch", seed, None))] = seed
        while running:
            done = next(as_completed(running))
            seed = running.pop(done)
            print(f"{done.result()}: done", file=sys.stderr, flush=True)
            if Path(done.result()).name.startswith("scratch"):
                for method in given.methods.split(","):
                    running[pool.submit(run, job(method, seed, done.result()))] = seed
    return 0


if __name__ == "__main__":
    sys.exit(main())
