"""mfd_loss, forward and backward, against the restatement with loops over cells.

    python -m benchmarks.mfd_loss [--rounds N]

Aims on 2 CPU threads: at least 10 times faster at the CIFAR-10S shape, 5 times at 1,024 x (100, 4, 512), never
slower at any. Exits with 1 where one is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch
from tests.reference import mfd as reference
from torch import Tensor

from benchmarks.timing import hardware, interleaved, median_and_quartiles, ratio
from fairdistill.losses import mfd_loss


@dataclass(frozen=True)
class Case:
    """A batch of ``rows`` with features of ``width`` numbers, and the ratio that is aimed at."""

    name: str
    rows: int
    classes: int
    groups: int
    width: int
    aim: float


CASES = (
    Case("CIFAR-10S, embedding", 128, 10, 2, 256, 10),
    Case("UTKFace, embedding", 128, 3, 4, 512, 1),
    Case("CelebA, embedding", 128, 2, 2, 1024, 1),
    Case("UTKFace, the paper's map", 128, 3, 4, 18_432, 1),
    Case("CelebA, the paper's map", 128, 2, 2, 36_864, 1),
    Case("many classes", 1024, 100, 4, 512, 5),
)


def measure(case: Case, *, rounds: int) -> tuple[str, bool]:
    """Return a line of the table and whether the aim is met."""
    draw = torch.Generator().manual_seed(0)
    student = torch.rand(case.rows, case.width, generator=draw, requires_grad=True)
    teacher = torch.rand(case.rows, case.width, generator=draw)
    cells = torch.randperm(case.rows, generator=draw) % (case.classes * case.groups)  # balanced, as in training
    labels, groups = cells // case.groups, cells % case.groups

    def run(loss: Callable[..., Tensor]) -> None:
        student.grad = None
        loss(student, teacher, labels, groups, num_classes=case.classes, num_groups=case.groups).backward()

    times = interleaved({"slow": lambda: run(reference.mfd_loss), "fast": lambda: run(mfd_loss)}, rounds=rounds)
    slow, fast = (median_and_quartiles(times[name])[0] * 1000 for name in ("slow", "fast"))
    middle, low, high = ratio(times["slow"], times["fast"])
    met = middle >= case.aim
    line = (
        f"{case.name:<26}{case.rows:>6} x ({case.classes}, {case.groups}, {case.width:,})".ljust(56)
        + f"{slow:>9.2f} ms{fast:>9.2f} ms{middle:>8.1f} [{low:.1f}, {high:.1f}]".ljust(44)
        + f"  aim {case.aim:g}{'' if met else '  MISSED'}"
    )
    return line, met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(2)
    print(f"{hardware()}; {rounds} rounds each")
    print(f"{'batch x (classes, groups, features)':<56}{'loops':>12}{'mfd_loss':>12}   ratio [quartiles]")
    lines = [measure(case, rounds=rounds if case.width < 10_000 else max(5, rounds // 4)) for case in CASES]
    print("\n".join(line for line, _ in lines))
    return 0 if all(met for _, met in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
