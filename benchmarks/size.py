"""Time and memory of commands on large inputs.

    python -m benchmarks.size [--tasks audit report dry-run table flat] [--rounds N] [--minutes M]

Each task is a command, run as a user would from the shell, in a process of its own, which therefore counts all of its
start; its inputs are made up beforehand (`benchmarks.size_inputs`):

* `audit`: a CSV file of 1,000,000 predictions, 1,000 classes x 50 groups;
* `report`: 60 finished runs (15 recipes x 4 seeds) with 10,000 test images, 10 classes x 2 groups, each with a teacher;
* `dry-run`: `bench --dry-run` of 5,004 jobs on digits-s, in the paper's protocol, whose data differ from seed to seed;
* `table`: `data inspect` of a CSV file of 1,000,000 rows, which name 1,000 images;
* `flat`: a training on digits-s for `--minutes`, evaluated every 8 steps. Its resident memory is read twice a second;
  the growth is that of a line fitted to what follows the first third.

Exits with 1 where an aim is missed. Aims are for an idle machine; memory does not depend on that.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20
AIM_PAGE = 8.0  # MB
AIM_GROWTH = 20.0  # MiB, from the end of the first third on
_EVERY = 0.5  # seconds between two looks at a process's memory
_ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, kw_only=True)
class Task:
    """A command and its aims.

    Attributes:
        command: its arguments, given the folder with its inputs, in which it is run.
        seconds: at most.
        mib: of peak memory, at most; None: no aim.
    """

    command: Callable[[Path], Sequence[str]]
    seconds: float
    mib: float | None = None


def _runs(folder: Path) -> Sequence[str]:
    return sorted(str(path) for path in (folder / "runs").iterdir())


TASKS: Mapping[str, Task] = {
    "audit": Task(
        command=lambda _: ("audit", "predictions.csv", "--out", "audit.json"), seconds=20, mib=1e9 / MIB
    ),
    "report": Task(command=lambda folder: ("report", *_runs(folder), "--out", "report.html"), seconds=8),
    "dry-run": Task(
        command=lambda _: ("bench", "digits-s", "--seeds", "0-416", "--dry-run", "--out", "grid"), seconds=3
    ),
    "table": Task(
        command=lambda _: (
            "data", "inspect", "--data", "table.csv", "--source", "person", "--size", "16", "--image-cache", "cache",
        ),
        seconds=15, mib=0.6e9 / MIB,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds, seconds of processor time, and peak memory in MiB of one command."""

    seconds: float
    busy: float
    mib: float


@contextmanager
def inputs(task: str) -> Iterator[Path]:
    """Give a folder with the inputs of a task."""
    with tempfile.TemporaryDirectory() as name:
        code = "import sys; from benchmarks import size_inputs; size_inputs.main(*sys.argv[1:])"
        subprocess.run(
            [sys.executable, "-c", code, task, name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        yield Path(name)


def started(arguments: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a command in a folder."""
    source = str(Path(__file__).resolve().parent.parent / "src")
    path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-m", "fairdistill", *arguments], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, **_ONE_CORE, "PYTHONPATH": path},
    )  # fmt: skip


def costs_of(task: str, rounds: int) -> tuple[list[Cost], float]:
    """Return what a task costs in each round, and the size of the page that it writes in MB, 0 without one."""
    found = []
    with inputs(task) as folder:
        given = set(folder.iterdir())
        for _ in range(rounds):
            for path in set(folder.iterdir()) - given:  # what the round before has written, caches too
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            start = time.perf_counter()
            process = started(TASKS[task].command(folder), folder)
            _, status, used = os.wait4(process.pid, 0)
            found.append(Cost(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))
            if status:
                raise SystemExit(f"{task} failed")
        page = folder / "report.html"
        return found, page.stat().st_size / 1e6 if page.exists() else 0.0


@dataclass(frozen=True)
class Growth:
    """The resident memory of a long training, in MiB.

    Attributes:
        minutes: how long it was watched.
        evaluations: how many there were.
        start: memory at the end of the first third.
        peak: the largest value.
        grown: by how much it grew from there to the end, on a line fitted to the values.
        error: the standard error of that, as if the values were independent.
    """

    minutes: float
    evaluations: int
    start: float
    peak: float
    grown: float
    error: float

    @property
    def per_hour(self) -> float:
        """The slope in MiB per hour."""
        return self.grown / (self.minutes * 2 / 3) * 60


def growth(minutes: float) -> Growth:
    """Train for some minutes and return how its memory grew; then it is stopped with SIGTERM."""
    command = ("train", "--data", "digits-s", "--method", "mfd", "--teacher", "teacher", "--steps", "100000000")
    times, values = list[float](), list[float]()
    with inputs("flat") as folder:
        process = started((*command, "--threads", "1", "--out", "run"), folder)
        log = folder / "run" / "log.jsonl"
        while not log.exists() and process.poll() is None:
            time.sleep(_EVERY)
        start = time.perf_counter()
        while (now := time.perf_counter() - start) < 60 * minutes and process.poll() is None:
            times.append(now)
            values.append(resident(process.pid))
            time.sleep(_EVERY)
        process.terminate()
        if process.wait() != 128 + signal.SIGTERM:
            raise SystemExit(f"the training ended with {process.returncode}")
        evaluations = len(log.read_bytes().splitlines())
    late = [at for at, now in enumerate(times) if now > 20 * minutes]
    slope, error = line(times[late[0] :], values[late[0] :])
    span = 40 * minutes
    return Growth(minutes, evaluations, values[late[0]], max(values), slope * span, error * span)


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def line(at: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return the slope of the least-squares line and its standard error."""
    fitted = statistics.linear_regression(at, values)
    apart = [value - fitted.intercept - fitted.slope * x for x, value in zip(at, values, strict=True)]
    spread = sum((x - statistics.fmean(at)) ** 2 for x in at)
    return fitted.slope, (sum(each**2 for each in apart) / max(1, len(at) - 2) / spread) ** 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = [*TASKS, "flat"]
    parser.add_argument("--tasks", nargs="+", choices=every, default=every)
    parser.add_argument("--rounds", type=int, default=1, help="how often each command is run")
    parser.add_argument("--minutes", type=float, default=0.5, help="how long the training takes; 120 for two hours")
    given = parser.parse_args()
    missed = list[str]()
    print(f"{given.rounds} rounds: median (smallest to largest)\n")
    print("| task | seconds | aim | busy | peak MiB | aim |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in [each for each in TASKS if each in given.tasks]:
        task, (costs, page) = TASKS[name], costs_of(name, given.rounds)
        seconds, busy, mib = ([getattr(cost, what) for cost in costs] for what in ("seconds", "busy", "mib"))
        aim = "" if task.mib is None else f"{task.mib:,.0f}"
        print(
            f"| {name} | {spread(seconds)} | {task.seconds:g} | {spread(busy)} | {spread(mib, 0)} | {aim} |", flush=True
        )
        if statistics.median(seconds) > task.seconds:
            missed.append(f"{name}: more than {task.seconds:g} s")
        if task.mib is not None and max(mib) > task.mib:
            missed.append(f"{name}: more than {task.mib:,.0f} MiB")
        if name == "report":
            note = f"the page of `report` has {page:.1f} MB (aim {AIM_PAGE:g})"
            missed += [f"report: the page has {page:.1f} MB"] if page > AIM_PAGE else []
    if "report" in given.tasks:
        print(f"\n{note}")
    if "flat" in given.tasks:
        grew = growth(given.minutes)
        print(
            f"\nflat: {grew.evaluations:,} evaluations in {grew.minutes:g} minutes; after the first third "
            f"{grew.start:,.0f} MiB, then {grew.grown:+.1f} ± {grew.error:.1f} MiB to the end (aim {AIM_GROWTH:g}), "
            f"{grew.per_hour:+,.1f} MiB per hour; peak {grew.peak:,.0f} MiB"
        )
        missed += [f"flat: grew by {grew.grown:.1f} MiB"] if grew.grown > AIM_GROWTH else []
    from benchmarks.timing import hardware  # loads PyTorch, which would count in every child's peak

    print(f"\n{hardware()}")
    print("\n".join(["", *(f"missed: {each}" for each in missed)]) if missed else "\nall aims met")
    return 1 if missed else 0


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return the median, with the smallest and the largest if there are several."""
    middle = f"{statistics.median(values):,.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


if __name__ == "__main__":
    sys.exit(main())
