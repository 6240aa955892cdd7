"""Commands on an idle machine and beside two busy processes.

    python -m benchmarks.busy [--rounds N] [--tasks train demo fix] [--busy N] [--steps N]

Each round runs every task idle and beside the busy processes, one after another, as a user would from the shell. One
round that is not timed comes first, so that none pays for reading files that are in memory later, and each round begins
with another task:

* `train`: 300 steps on digits-s, in three ways: with `--threads auto` (the default), with `--threads 1`, and as earlier
  versions did, with all threads, which spin while they wait;
* `demo`: the whole command;
* `fix`: 20 seconds of it, which end by the clock, so that its students' steps are compared instead.

A busy process is a loop that never waits. Aims: with two of them at most 2.5 times the idle time, and idle no slower
than `--threads 1` and than earlier versions (within 5%). Exits with 1 where one is missed. Run it on a machine that
does nothing else: everything in it is a ratio of wall-clock times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.timing import hardware
from fairdistill.runs import read_json
from fairdistill.system.threads import processors

AIM_BUSY, AIM_IDLE = 2.5, 1.05
_OURS = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
_SPINNING = {"GOMP_SPINCOUNT": "300000", "KMP_BLOCKTIME": "200", "OPENBLAS_NUM_THREADS": str(processors())}
_LOOP = "while True: pass"

Task = Callable[[Path], float]
"""Runs something in an empty folder; returns its cost, in seconds or seconds per step."""


@contextmanager
def beside(busy: int) -> Iterator[None]:
    """Keep processors busy with loops that never wait."""
    loops = [subprocess.Popen([sys.executable, "-c", _LOOP]) for _ in range(busy)]
    try:
        yield
    finally:
        for each in loops:
            each.kill()
            each.wait()


def seconds(*arguments: str, **environment: str) -> float:
    """Return how long a command takes, without what this process's environment says about threads."""
    inherited = {name: value for name, value in os.environ.items() if name not in _OURS}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "fairdistill", *arguments], env={**inherited, **environment}, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - start


def tasks(wanted: Sequence[str], *, steps: int) -> dict[str, Task]:
    """Return the tasks by name."""
    digits = ("train", "--data", "digits-s", "--steps", str(steps), "--device", "cpu")
    found: dict[str, Task] = {}
    if "train" in wanted:
        found["train"] = lambda out: seconds(*digits, "--out", str(out / "run"))
        found["train --threads 1"] = lambda out: seconds(*digits, "--threads", "1", "--out", str(out / "run"))
        spinning = ("--threads", str(processors()))
        found["train, spinning"] = lambda out: seconds(*digits, *spinning, "--out", str(out / "run"), **_SPINNING)
    if "demo" in wanted:
        found["demo"] = lambda out: seconds("demo", "--out", str(out / "demo"))
    if "fix" in wanted:
        found["fix, per step"] = fix_step
    return found


def fix_step(out: Path) -> float:
    """Return the seconds per step of a fix whose time is given: of its model and its students."""
    took = seconds("fix", "--data", "digits-s", "--budget", "20s", "--device", "cpu", "--out", str(out / "fix"))
    reached: dict[str, int] = read_json(out / "fix" / "plan.json").get("reached", {})
    return took / max(1, sum(reached.values()))


def measured(found: Mapping[str, Task], *, rounds: int, busy: int) -> dict[str, dict[int, list[float]]]:
    """Return the cost of each task by the number of busy processes, for each round after one that is not timed."""
    costs: dict[str, dict[int, list[float]]] = {name: defaultdict(list) for name in found}
    for task in found.values():
        with tempfile.TemporaryDirectory() as folder:
            task(Path(folder))
    for number in range(rounds):
        for others in (0, busy):
            for name in rotated(list(found), number):
                with tempfile.TemporaryDirectory() as folder, beside(others):
                    costs[name][others].append(found[name](Path(folder)))
                cost = costs[name][others][-1]
                print(f"round {number + 1}, {others} busy: {name} {cost:.3g} s", file=sys.stderr, flush=True)
    return costs


def rotated(names: Sequence[str], by: int) -> list[str]:
    """Return names in the same order, beginning with another one.

    Example:
        >>> rotated(["a", "b", "c"], 4)
        ['b', 'c', 'a']
    """
    at = by % max(1, len(names))
    return [*names[at:], *names[:at]]


def spread(ratios: Sequence[float]) -> str:
    """Return the median of the rounds, and the smallest and the largest."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def by_round(numerator: Sequence[float], denominator: Sequence[float]) -> list[float]:
    """Return the ratios of rounds."""
    return [a / b for a, b in zip(numerator, denominator, strict=True)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", choices=["train", "demo", "fix"], default=["train", "demo", "fix"])
    parser.add_argument("--busy", type=int, default=2, help="number of busy processes")
    parser.add_argument("--steps", type=int, default=300, help="steps of a training")
    given = parser.parse_args()
    costs = measured(tasks(given.tasks, steps=given.steps), rounds=given.rounds, busy=given.busy)
    print(f"{hardware()}\n{processors()} processors; {given.rounds} rounds: median (smallest to largest)\n")
    print(f"| task | idle, s | beside {given.busy}, s | ratio |\n| --- | --- | --- | --- |")
    missed = []
    for name, of in costs.items():
        ratios = by_round(of[given.busy], of[0])
        idle, busy = statistics.median(of[0]), statistics.median(of[given.busy])
        print(f"| {name} | {idle:.3g} | {busy:.3g} | {spread(ratios)} |")
        if "spinning" not in name and statistics.median(ratios) > AIM_BUSY:
            missed.append(f"{name}: more than {AIM_BUSY} times as long beside {given.busy} busy processes")
    print()
    for other in ("train --threads 1", "train, spinning"):
        if other in costs:
            ratios = by_round(costs["train"][0], costs[other][0])
            print(f"idle, train against {other.removeprefix('train').strip(' ,')}: {spread(ratios)}")
            if statistics.median(ratios) > AIM_IDLE:
                missed.append(f"idle, train is slower than {other}")
    print("\n".join(["", *(f"missed: {each}" for each in missed)]) if missed else "\nall aims met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
