"""How often the 95% intervals hold the truth: test sets drawn from known accuracies, easy and hard ones.

    python -m benchmarks.coverage [--repeats 400] [--draws 1000]

Each row is a case: a model (and a second one for the paired test) with known accuracy in every subgroup, one class of
one group.
Per case many test sets are drawn, and each interval is looked at. The percentile interval of the bootstrap, which is
the usual one, is computed from the same draws. `shared` cases have the same pictures in every group, as on CIFAR-10S.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.timing import hardware
from fairdistill.metrics import Change, Drawing, Estimate, Resampled, Samples, paired_test
from fairdistill.metrics.intervals import over, spread

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A model, and a second one, by the true accuracy in each subgroup, ``[G, C]``."""

    first: Floats
    second: Floats
    rows: int
    shared: bool = False
    people: bool = False


def _case(groups: int, classes: int, accuracy: float, gap: float, rows: int, *, shared: bool = False) -> Case:
    """Return a case whose first model's groups lie evenly ``gap`` apart, whose second model has no gap."""
    step = np.linspace(gap / 2, -gap / 2, groups)[:, None]
    return Case(accuracy + np.repeat(step, classes, axis=1), np.full((groups, classes), accuracy), rows, shared)


CASES: Mapping[str, Case] = {
    "CIFAR-10S, no gap": _case(2, 10, 0.8, 0.0, 1000, shared=True),
    "CIFAR-10S, gap of 2 in every class": _case(2, 10, 0.8, 0.02, 1000, shared=True),
    "CIFAR-10S, gap of 20 in every class": _case(2, 10, 0.8, 0.2, 1000, shared=True),
    "UTKFace, no gap": _case(4, 3, 0.75, 0.0, 100),
    "UTKFace, gap of 8 in every class": _case(4, 3, 0.75, 0.08, 100),
    "UTKFace, gaps of 5, 15 and 40": Case(
        np.array([[0.76, 0.80, 0.90], [0.71, 0.75, 0.70], [0.74, 0.65, 0.50], [0.75, 0.70, 0.60]]),
        np.full((4, 3), 0.75), 100,
    ),
    "7 groups, 40 samples, no gap": _case(7, 2, 0.72, 0.0, 40),
    "7 groups, 40 samples, gap of 20": _case(7, 2, 0.72, 0.2, 40),
    "20 samples per subgroup, no gap": _case(2, 2, 0.9, 0.0, 20),
    "20 samples per subgroup, gap of 20": _case(2, 2, 0.85, 0.2, 20),
    "99% accuracy, no gap": _case(2, 2, 0.99, 0.0, 200),
    "20 groups, one 15 points worse": Case(
        np.where(np.arange(20)[:, None] == 0, 0.7, np.full((20, 2), 0.85)), np.full((20, 2), 0.85), 100,
    ),
    "people with 5 photographs, no gap": Case(np.full((2, 5), 0.8), np.full((2, 5), 0.8), 100, people=True),
    "people with 5 photographs, gap of 20": Case(
        np.repeat([[0.9], [0.7]], 5, axis=1), np.full((2, 5), 0.8), 100, people=True
    ),
}  # fmt: skip

_COLUMNS = (
    "accuracy", "worst subgroup", "DEO of a class", "DEO_A", "DEO_M", "DEO_A, percentile", "change of accuracy",
    "change of DEO_A", "change of DEO_M",
)  # fmt: skip


def covered(case: Case, repeats: int, draws: int) -> Floats:
    """Return the share of test sets whose intervals hold the truth, one a column of the table."""
    groups, classes = case.first.shape
    labels = np.tile(np.repeat(np.arange(classes), case.rows), groups)
    group = np.repeat(np.arange(groups), classes * case.rows)
    n = len(labels)
    pictures = classes * case.rows
    sources = np.tile(np.arange(pictures), groups) if case.shared else np.arange(n)
    if case.people:  # five rows of one group each, of any classes
        mixed = np.random.default_rng(1).permuted(np.arange(n).reshape(groups, -1), axis=1).ravel()
        sources[mixed] = np.arange(n) // 5
    truth = {which: over(spread(case.first), which) for which in ("each", "mean", "max")}
    change = {which: over(spread(case.second), which) - truth[which] for which in ("mean", "max")}
    gaps = truth["each"].tolist()
    found: list[list[float]] = []
    generator = np.random.default_rng(0)
    for repeat in range(repeats):
        # How hard a row is: the same for both models in part, and for all rows of one picture in part.
        hard = generator.standard_normal(n)
        if case.shared:
            hard = (hard + 2 * np.tile(generator.standard_normal(pictures), groups)) / np.sqrt(5)
        if case.people:
            hard = (hard + generator.standard_normal(n)[sources]) / np.sqrt(2)
        other = 0.7 * hard + np.sqrt(1 - 0.7**2) * generator.standard_normal(n)
        first = norm.cdf(hard) < case.first[group, labels]
        second = norm.cdf(other) < case.second[group, labels]
        samples = Samples(labels=labels, groups=group, sources=sources, num_classes=classes, num_groups=groups)
        drawing = Drawing(draws=draws, seed=repeat)
        sample = Resampled(first[None], samples, drawing)
        pair = paired_test(first, second, samples, drawing)
        usual = np.quantile(over(spread(sample.shares + sample.noise), "mean"), [0.025, 0.975])
        by_class = [
            _holds(gap.low, gap.high, case_gap) for gap, case_gap in zip(sample.gap_by_class(), gaps, strict=True)
        ]
        ends: list[tuple[Estimate | Change, Any]] = [
            (sample.accuracy(), case.first.mean()),
            (sample.worst_cell()[0], case.first.min()),
            (sample.gap("mean"), truth["mean"]),
            (sample.gap("max"), truth["max"]),
            (pair.accuracy, case.second.mean() - case.first.mean()),
            (pair.deo_a, change["mean"]),
            (pair.deo_m, change["max"]),
        ]
        held = [float(_holds(each.low, each.high, float(true))) for each, true in ends]
        of_usual = _holds(float(usual[0]), float(usual[1]), float(truth["mean"]))
        found.append([*held[:2], float(np.mean(by_class)), *held[2:4], float(of_usual), *held[4:]])
    return np.asarray(np.mean(found, axis=0))


def _holds(low: float, high: float, truth: float) -> bool:
    return bool(low - 2e-4 <= truth <= high + 2e-4)  # ends are found to 0.0001


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    error = 100 * np.sqrt(0.95 * 0.05 / options.repeats)
    print(
        f"{options.repeats} test sets per case, {options.draws:,} resamples each; standard error of a 95: {error:.1f}"
    )
    print(f"{hardware()}\n")
    print("| case | " + " | ".join(_COLUMNS) + " |")
    print("| --- |" + " ---: |" * len(_COLUMNS))
    for name, case in CASES.items():
        shares = covered(case, options.repeats, options.draws)
        print(f"| {name} | " + " | ".join(f"{100 * share:.0f}" for share in shares) + " |", flush=True)


if __name__ == "__main__":
    main()
