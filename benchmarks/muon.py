"""Muon's Newton-Schulz iteration, on the narrow matrix alone, beside the iteration as its paper writes it.

    python -m benchmarks.muon [--rounds N] [--threads N]

One round orthogonalizes a gradient of each hidden weight of a network, as one optimizer step does. Both are checked to
give the same result first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.timing import hardware, interleaved, median_and_quartiles, ratio
from fairdistill.models import build
from fairdistill.training.optimization.muon import orthogonalized

NETWORKS = {"cifar_net": 10, "resnet18": 2}


def as_written(matrix: Tensor) -> Tensor:
    """Return the same matrix, by X <- a X + (b S + c S S) X with S = X X', each time from the whole X."""
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.shape[0] <= matrix.shape[1]
    found = matrix if wide else matrix.T
    found = found / (found.norm() + 1e-7)
    for _ in range(5):
        square = found @ found.T
        found = torch.addmm(found, torch.addmm(square, square, square, beta=b, alpha=c), found, beta=a)
    return found if wide else found.T


def gradients(network: nn.Module) -> list[Tensor]:
    """Return a random gradient of each hidden weight, as a matrix; the last layer is none of them."""
    weights = [each for each in network.parameters() if each.ndim > 1][:-1]
    return [torch.randn(each.flatten(1).shape) for each in weights]


def _each(function: Callable[[Tensor], Tensor], matrices: Sequence[Tensor]) -> None:
    for matrix in matrices:
        function(matrix)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    print(f"{hardware()}; {given.rounds} rounds, {given.threads} thread(s), float32")
    for name, classes in NETWORKS.items():
        matrices = gradients(build(name, classes))
        for each in matrices:
            torch.testing.assert_close(orthogonalized(each), as_written(each), rtol=0, atol=1e-4)
        tasks = {"as written": partial(_each, as_written, matrices), "ours": partial(_each, orthogonalized, matrices)}
        times = interleaved(tasks, rounds=given.rounds)
        for how, seconds in times.items():
            middle, low, high = (1000 * value for value in median_and_quartiles(seconds))
            share, below, above = ratio(seconds, times["as written"])
            print(
                f"{name:<12}{how:<12}{middle:>8.1f} ms [{low:.1f}, {high:.1f}]{share:>8.2f} [{below:.2f}, {above:.2f}]"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
