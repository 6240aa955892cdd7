"""How often intervals for small subgroups and for calibration hold the truth, and how often named gaps are detected.

    python -m benchmarks.small_subgroups [--repeats 200]

Four tables: the worst subgroup, pooled estimates, calibration errors, and the gaps that audits say they detect in 80%.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from benchmarks.timing import hardware
from fairdistill.auditing.sizing import Worth
from fairdistill.metrics import Drawing, Resampled, Samples, calibration_limits
from fairdistill.metrics.pooled import pooled_accuracy
from fairdistill.metrics.sizing import gaps_detected

Floats = NDArray[np.float64]
Draw = np.random.Generator


@dataclass(frozen=True)
class Design:
    """A model's true accuracies ``[G, C]``, the rows of each subgroup, and how rows belong together.

    Attributes:
        accuracy: of each subgroup.
        rows: of each subgroup.
        people: rows of one person, of any classes of one group.
        shared: whether every picture is shown in every group.
    """

    accuracy: Any
    rows: Any
    people: int = 1
    shared: bool = False

    def drawn(self, draw: Draw, accuracy: Floats | None = None) -> tuple[NDArray[np.bool_], Samples]:
        """Return which rows are right, and the rows."""
        truth = np.asarray(self.accuracy if accuracy is None else accuracy, float)
        rows = np.broadcast_to(self.rows, truth.shape)
        group, label = (np.repeat(index, rows.ravel()) for index in np.indices(truth.shape).reshape(2, -1))
        n = len(group)
        source = np.arange(n)
        if self.people > 1:
            order = np.lexsort((np.random.default_rng(1).random(n), group))
            source[order] = np.arange(n) // self.people
        if self.shared:
            source = np.tile(np.arange(n // len(truth)), len(truth))
        hard = draw.standard_normal(n)
        if self.people > 1 or self.shared:
            common = 2.0 if self.shared else 1.0
            hard = (hard + common * draw.standard_normal(n)[source]) / np.sqrt(1 + common**2)
        samples = Samples(labels=label, groups=group, sources=source, num_classes=truth.shape[1], num_groups=len(truth))
        return norm.cdf(hard) < truth[group, label], samples


WORST = {
    "2 x 2, 20 rows, all at 5%": Design(np.full((2, 2), 0.05), 20),
    "2 x 2, 20 rows, all at 50%": Design(np.full((2, 2), 0.5), 20),
    "2 x 2, 20 rows, all at 95%": Design(np.full((2, 2), 0.95), 20),
    "one at 0%, others at 90%, 20 rows": Design([[0.0, 0.9], [0.9, 0.9]], 20),
    "200 equal subgroups of 20 rows": Design(np.full((20, 10), 0.8), 20),
    "one of 3 rows is the worst": Design([[0.8, 0.8], [0.8, 0.6]], [[200, 200], [200, 3]]),
    "one of 3 rows is the best": Design([[0.8, 0.8], [0.8, 0.9]], [[200, 200], [200, 3]]),
    "people with 5 rows, 2 x 5, 100 rows": Design(np.full((2, 5), 0.8), 100, people=5),
    "people with 5 rows, 2 x 2, 20 rows": Design(np.full((2, 2), 0.8), 20, people=5),
}
SIZES = {
    "2 x 3, 100 rows": Design(np.full((2, 3), 0.8), 100),
    "3 x 2, one group of 60 rows, others of 200": Design(np.full((3, 2), 0.7), [[200] * 2, [200] * 2, [60] * 2]),
    "4 x 3, 100 rows": Design(np.full((4, 3), 0.75), 100),
    "2 x 5, people with 5 rows": Design(np.full((2, 5), 0.8), 100, people=5),
    "2 x 5, the same pictures in both groups": Design(np.full((2, 5), 0.8), 100, shared=True),
}


def worst(design: Design, repeats: int) -> tuple[float, float]:
    """Return how often the lower end is above the lowest true accuracy, and the upper end below it."""
    truth, draw, missed = float(np.min(design.accuracy)), np.random.default_rng(0), np.zeros(2)
    for seed in range(repeats):
        right, samples = design.drawn(draw)
        found, _ = Resampled(right[None], samples, Drawing(draws=500, seed=seed)).worst_cell()
        missed += [found.low > truth + 1e-4, found.high < truth - 1e-4]
    return float(missed[0] / repeats), float(missed[1] / repeats)


def _mixed(draw: Draw) -> Any:
    return np.where(draw.random((6, 3)) < 0.3, 20, 200)


POOLED: dict[str, tuple[tuple[int, int], Callable[[Draw], Any], float, float]] = {
    "6 x 3, 20 or 200 rows, pattern only": ((6, 3), _mixed, 0.0, 1.2),
    "the same, subgroups differ (sd 0.3)": ((6, 3), _mixed, 0.3, 1.2),
    "the same, much (sd 0.8)": ((6, 3), _mixed, 0.8, 1.2),
    "2 x 2, 20 rows": ((2, 2), lambda draw: np.full((2, 2), 20), 0.3, 1.2),
    "6 x 3, 20 rows, around 95%": ((6, 3), lambda draw: np.full((6, 3), 20), 0.3, 3.0),
}
CALIBRATION = ((60, 0.0, 1), (400, 0.0, 1), (4000, 0.0, 1), (400, 0.1, 1), (400, 0.0, 5), (400, 0.1, 5))


def pooled(case: str, repeats: int) -> tuple[float, float, float]:
    """Return how often intervals hold the truth, and the root mean square error of pooled and of raw accuracies."""
    (groups, classes), rows_of, apart, base = POOLED[case]
    draw, found = np.random.default_rng(0), []
    for seed in range(repeats):
        logit = base + draw.normal(0, 0.5, (groups, 1)) + draw.normal(0, 0.5, classes)
        truth = expit(logit + draw.normal(0, apart, (groups, classes)))
        rows = rows_of(draw)
        shares = draw.binomial(rows, truth) / rows
        limits = pooled_accuracy(shares, rows.astype(float), seed=seed)
        held = (limits.low <= truth) & (truth <= limits.high)
        found.append([held.mean(), ((limits.middle - truth) ** 2).mean(), ((shares - truth) ** 2).mean()])
    share, error, raw = np.mean(found, axis=0).tolist()
    return share, error**0.5, raw**0.5


def calibration(rows: int, shift: float, people: int, repeats: int) -> tuple[float, float]:
    """Return how often intervals hold the truth, and how often p is at most .05, for a model that is ``shift`` off."""
    draw, held, significant = np.random.default_rng(0), 0, 0
    for seed in range(repeats):
        confidence = 0.6 + 0.4 * draw.beta(1.5, 1, rows)
        person = np.arange(rows) // people
        hard = draw.standard_normal(rows)
        if people > 1:
            hard = (hard + draw.standard_normal(rows)[person]) / np.sqrt(2)
        right = norm.cdf(hard) < confidence - shift
        samples = Samples(
            labels=np.where(right, 0, 1), groups=np.zeros(rows, np.int64), sources=person, num_classes=2, num_groups=1
        )
        found = calibration_limits(
            np.stack([confidence, 1 - confidence], axis=1), samples, Drawing(draws=1000, seed=seed)
        )[-1]
        held += found.low <= shift <= found.high
        significant += found.p_value <= 0.05
    return held / repeats, significant / repeats


def detected(design: Design, repeats: int) -> tuple[float, float]:
    """Return the gap that `sizing` names for the last group, and how often an audit detects it."""
    draw, middle = np.random.default_rng(0), float(np.mean(design.accuracy))
    right, samples = design.drawn(draw)
    worth = Worth.of(Resampled(right[None], samples, Drawing(draws=2000)))
    gap = float(gaps_detected(worth.rows, accuracy=middle, correlation=worth.correlation)[-1])
    truth = np.full(np.shape(design.accuracy), middle + gap / 2)
    truth[-1] -= gap
    found = 0
    for seed in range(repeats):
        right, samples = design.drawn(draw, truth)
        found += Resampled(right[None], samples, Drawing(draws=500, seed=seed)).gap("mean").p_value <= 0.05
    return gap, found / repeats


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=200)
    repeats = parser.parse_args().repeats
    error = 100 * np.sqrt(0.95 * 0.05 / repeats)
    print(f"{repeats} test sets each; standard error of a 95: {error:.1f}, of an 80: {40 / np.sqrt(repeats):.1f}")
    print(f"{hardware()}\n")
    print("| worst subgroup | holds the truth | lies above | lies below |\n| --- | ---: | ---: | ---: |")
    for name, design in WORST.items():
        above, below = worst(design, repeats)
        print(f"| {name} | {100 * (1 - above - below):.0f} | {100 * above:.1f} | {100 * below:.1f} |", flush=True)
    print("\n| pooled estimates | hold the truth | their error | error of raw ones |\n| --- | ---: | ---: | ---: |")
    for name in POOLED:
        share, of_pooled, of_raw = pooled(name, repeats)
        print(f"| {name} | {100 * share:.0f} | {100 * of_pooled:.1f} | {100 * of_raw:.1f} |", flush=True)
    print("\n| calibration error | holds the truth | p at most .05 |\n| --- | ---: | ---: |")
    for rows, shift, people in CALIBRATION:
        held, significant = calibration(rows, shift, people, repeats)
        name = f"{rows:,} rows, {100 * shift:.0f} points off" + (f", people with {people} rows" if people > 1 else "")
        print(f"| {name} | {100 * held:.0f} | {100 * significant:.0f} |", flush=True)
    print("\n| sizing | gap named, points | detected |\n| --- | ---: | ---: |")
    for name, design in SIZES.items():
        gap, share = detected(design, repeats)
        print(f"| {name} | {100 * gap:.1f} | {100 * share:.0f} |", flush=True)


if __name__ == "__main__":
    main()
