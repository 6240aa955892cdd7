"""What early stopping saves in a search, and whether it changes what the search finds.

    python -m benchmarks.early_stopping [--trials 8] [--steps 400] [--seeds 1] [--search lr=1e-6:0.1:log]

For each seed one study of a hyper-parameter of mfd on digits-s runs with early stopping and once more without. Printed
are the steps of all trials, how many were stopped, and whether the front and the chosen trial are the same. With equal
proposals the two studies differ in early stopping alone; TPE sees that a trial was stopped, so the points are drawn at
random.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.timing import hardware
from fairdistill.text.tables import markdown
from fairdistill.training import TrainOptions, train
from fairdistill.tuning import TuneOptions, TuneResult, tune


def studies(out: Path, *, seed: int, trials: int, steps: int, search: str) -> tuple[TuneResult, TuneResult]:
    """Return the study with early stopping and the one without, of one teacher."""
    common = TrainOptions(steps=steps, seed=seed, threads=1, device="cpu", out=str(out / "teacher"))
    train(common, quiet=True)
    found = []
    for early in (True, False):
        options = TrainOptions(
            method="mfd", teacher=str(out / "teacher"), steps=steps, seed=seed, threads=1, device="cpu",
            out=str(out / f"early-{early}"), cache_dir=str(out / "cache"),
        )  # fmt: skip
        wanted = TuneOptions(
            search=dict([search.split("=")]), sampler="random", trials=trials, early_stopping=early, test=False,
            rule="deo_a subject to accuracy >= teacher - 0.005",
        )  # fmt: skip
        found.append(tune(options, options=wanted, quiet=True))
    return found[0], found[1]


def row(seed: int, early: TuneResult, whole: TuneResult) -> tuple[str, ...]:
    """Return a line of the table."""
    steps = [sum(each.steps or 0 for each in result.trials) for result in (early, whole)]
    stopped = [each for each in early.trials if each.state == "stopped early"]
    missed = sorted({each.number for each in stopped} & set(whole.front))
    return (
        str(seed), f"{steps[1]:,}", f"{steps[0]:,}", f"{100 * (1 - steps[0] / steps[1]):.0f}%", str(len(stopped)),
        "same" if early.front == whole.front else f"without {', '.join(map(str, missed))}",
        "same" if early.chosen == whole.chosen else f"{early.chosen} instead of {whole.chosen}",
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--search", default="lr=1e-6:0.1:log")
    given = parser.parse_args()
    print(f"mfd on digits-s, {given.search}, {given.trials} trials of {given.steps} steps; {hardware()}\n")
    rows: list[tuple[str, ...]] = [("seed", "steps", "with early stopping", "saved", "stopped", "front", "chosen")]
    for seed in range(given.seeds):
        with tempfile.TemporaryDirectory() as folder:
            pair = studies(Path(folder), seed=seed, trials=given.trials, steps=given.steps, search=given.search)
        rows.append(row(seed, *pair))
    print(markdown(rows))


if __name__ == "__main__":
    main()
