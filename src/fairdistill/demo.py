"""The demonstration: a biased teacher, two students and what they show, on handwritten digits."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from fairdistill.comparison import CompareOptions, Comparison, Row, compare, render
from fairdistill.config import check_types
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.runs import RunFolder
from fairdistill.training import TrainOptions, resume, train

_METHODS = ("scratch", "ss", "mfd")


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Options of the demonstration."""

    seeds: int = 1
    """Repeat it with this many seeds, for a mean and a spread."""
    out: str = "fairdistill-demo"
    """Folder of the run folders; finished runs in it are shown again, not trained again."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.seeds < 1:
            raise UsageError(f"expected seeds to be at least 1, but got {self.seeds}")


def demo(options: DemoOptions) -> Comparison:
    """Train a teacher, ``ss`` and ``mfd`` for each seed, print the comparison and what it means.

    Returns:
        The comparison that was printed.
    """
    out = Path(options.out)
    print(
        "Handwritten digits on grey or coloured paper. In training 95% of the digits 0-4 are on grey paper and\n"
        "95% of 5-9 on coloured paper; in the test every digit is on both. A fair classifier reads the digit.\n",
        flush=True,
    )
    runs = []
    for seed in range(options.seeds):
        for method in _METHODS:
            teacher = None if method == "scratch" else str(out / f"scratch-seed{seed}")
            path = out / f"{method}-seed{seed}"
            wanted = TrainOptions(method=method, seed=seed, teacher=teacher, out=str(path))
            runs.append(_finished_run(wanted, path))
    comparison = compare([run.path for run in runs])
    print(render(comparison, CompareOptions()))
    print()
    print(in_words(*comparison.rows))
    print(f"\nRun folders: {out}/. How sure is all this? fairdistill audit {out}/mfd-seed0")
    print(f"As a page: fairdistill report {out}/*-seed*", flush=True)
    if options.seeds == 1:
        print(f"One seed shows no spread: fairdistill demo --seeds 4 --out {out}")
    return comparison


def in_words(teacher: Row, ss: Row, mfd: Row) -> str:
    """Return what the comparison means, in two plain sentences."""
    accuracy, gap, worst = (100 * teacher.mean(metric) for metric in ("accuracy", "deo_a", "deo_m"))
    first = (
        f"The teacher reads {accuracy:.0f}% of the digits, but the same digit is not read equally well on both papers: "
        f"the two differ by {gap:.0f} percentage points on average over the digits (DEO_A) and by {worst:.0f} for the "
        "worst digit (DEO_M)."
    )
    new_accuracy, new_gap = (100 * mfd.mean(metric) for metric in ("accuracy", "deo_a"))
    gained = new_accuracy >= accuracy
    closed = new_gap < gap
    if closed and gained:
        verdict = "it is fairer and no less accurate"
    elif closed:
        verdict = "it is fairer, at a price in accuracy"
    else:
        verdict = "this time it is not fairer"
    second = (
        f"The mfd student, distilled from that teacher in as many steps, has a gap of {new_gap:.0f} points at "
        f"{new_accuracy:.0f}% accuracy, so {verdict}; balanced batches alone (ss) come to "
        f"{100 * ss.mean('deo_a'):.0f} points at {100 * ss.mean('accuracy'):.0f}%."
    )
    return f"{first}\n{second}"


def _finished_run(wanted: TrainOptions, path: Path) -> RunFolder:
    if not (path / "config.yaml").exists():
        return train(wanted)
    run = RunFolder.open(path)
    config = run.config
    teacher = Path(wanted.teacher).absolute() if wanted.teacher else None
    given = {"method": wanted.method, "seed": wanted.seed, "data": wanted.data, "teacher": teacher and str(teacher)}
    if any(config[name] != value for name, value in given.items()):
        raise RunFolderError(f"{path} holds another run; delete it or give another --out")
    if run.finished:
        print(f"{path} is finished already; delete it to train it again", file=sys.stderr)
        return run
    return resume(path)
