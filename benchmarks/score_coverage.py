"""How often intervals of AUC, Brier score and impact ratio hold the truth, and how often limits are judged wrongly.

    python -m benchmarks.score_coverage [--repeats 400]

Two tables: 95% intervals of scores and ratios; limits on the worst gap and on harm that lie exactly at the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.timing import hardware
from fairdistill.auditing.subgroups import worst_gap
from fairdistill.metrics import Drawing, Estimate, Resampled, Samples
from fairdistill.metrics.auc import auc_limits
from fairdistill.metrics.brier import brier_limits
from fairdistill.metrics.impact import impact_ratios
from fairdistill.metrics.paired.falls import falls
from fairdistill.text.tables import markdown

Draw = np.random.Generator
Floats = NDArray[np.float64]
Case = tuple[str, float, Callable[[Draw], Estimate]]
"""What it is, the true value, and one drawn estimate of it."""


def samples_of(labels: NDArray[np.int64], groups: NDArray[np.int64], people: int) -> Samples:
    """Return samples of which so many in a row show one person."""
    return Samples(
        labels=labels, groups=groups, sources=np.arange(len(labels)) // people, num_classes=int(labels.max()) + 1,
        num_groups=int(groups.max()) + 1,
    )  # fmt: skip


def alike(draw: Draw, rows: int, people: int) -> Floats:
    """Return normal numbers; half of the variance is shared by the samples of a person."""
    own = draw.standard_normal(rows)
    return own if people == 1 else (own + draw.standard_normal(rows)[np.arange(rows) // people]) / np.sqrt(2)


def two_classes(score: Floats) -> Floats:
    """Return the probabilities of two classes from those of the second."""
    return np.stack([1 - score, score], axis=1)


def auc_cases() -> Iterator[Case]:
    """AUC of normal scores."""
    for own, others, true, people in (
        (20, 20, 0.8, 1), (20, 20, 0.99, 1), (50, 50, 0.95, 1), (20, 200, 0.8, 1), (200, 200, 0.95, 1),
        (100, 100, 0.9, 5),
    ):  # fmt: skip
        labels = np.repeat([1, 0], [own, others])
        samples = samples_of(labels, labels * 0, people)

        def drawn(draw: Draw, samples: Samples = samples, true: float = true, people: int = people) -> Estimate:
            score = alike(draw, len(samples.labels), people) + norm.ppf(true) * np.sqrt(2) * samples.labels
            return auc_limits(two_classes(norm.cdf(score)), samples)[0]

        yield f"AUC of {100 * true:g}, {own} and {others} samples{of_people(people)}", true, drawn


def brier_cases() -> Iterator[Case]:
    """Brier score of a calibrated model with beta-distributed probabilities."""
    for rows, a, b, people in ((20, 1, 1, 1), (50, 8, 0.3, 1), (200, 8, 0.3, 1), (200, 1, 1, 5)):
        labels = np.arange(rows) % 2
        many = np.random.default_rng(1).beta(a, b, 1_000_000)

        def drawn(draw: Draw, rows: int = rows, a: float = a, b: float = b, people: int = people) -> Estimate:
            share = np.repeat(draw.beta(a, b, rows // people), people)
            labels = (norm.cdf(alike(draw, rows, people)) < share).astype(np.int64)
            samples = Samples(
                labels=labels, groups=labels * 0, sources=np.arange(rows) // people, num_classes=2, num_groups=1
            )
            return brier_limits(two_classes(share), samples)[0]

        true = float((many * (1 - many)).mean())
        yield f"Brier score of {100 * true:.1f}, {len(labels)} samples{of_people(people)}", true, drawn


def ratio_cases() -> Iterator[Case]:
    """Impact ratio of a group to one that is selected more often."""
    for rows, rates, people in (
        ((100, 50), (0.5, 0.25), 1), ((1000, 40), (0.6, 0.3), 1), ((500, 500), (0.1, 0.05), 1),
        ((200, 200), (0.6, 0.3), 5),
    ):  # fmt: skip
        groups = np.repeat([0, 1], rows)
        samples = samples_of(groups * 0 + np.arange(len(groups)) % 2, groups, people)

        chance = np.array(rates)[groups]

        def drawn(draw: Draw, samples: Samples = samples, chance: Floats = chance, people: int = people) -> Estimate:
            chosen = norm.cdf(alike(draw, len(samples.labels), people)) < chance
            found = impact_ratios(chosen.astype(np.int64), samples, positive=1).ratio
            return Estimate(*(float(end[1]) for end in (found.middle, found.low, found.high)))

        size = " and ".join(map(str, rows))
        title = f"impact ratio of {100 * rates[1] / rates[0]:g}, rate {100 * rates[0]:g}, {size} samples"
        yield title + of_people(people), rates[1] / rates[0], drawn


def of_people(people: int) -> str:
    """Return how many samples show one person."""
    return "" if people == 1 else f", {people} of each person"


def coverage(repeats: int) -> str:
    """Return the table of intervals."""
    rows: list[tuple[str, ...]] = [
        ("95% interval", "contains the truth", "lies above it", "lies below it", "mean width")
    ]
    for title, true, drawn in (*auc_cases(), *brier_cases(), *ratio_cases()):
        draw = np.random.default_rng(0)
        found = [drawn(draw) for _ in range(repeats)]
        above, below = np.mean([each.low > true for each in found]), np.mean([each.high < true for each in found])
        width = np.mean([each.high - each.low for each in found])
        rows.append((title, *(f"{100 * value:.1f}" for value in (1 - above - below, above, below, width))))
    return markdown(rows)


def limits(repeats: int) -> str:
    """Return the table of limits at the truth: how often each is called exceeded, and how often met."""
    rows: list[tuple[str, ...]] = [("limit exactly at the truth", "called exceeded", "called met")]
    for title, accuracy, lost, size, people in (
        ("2 x 2 subgroups of 200", [0.8, 0.8, 0.8, 0.6], [0.1, 0.04, 0.04, 0.04], 200, 1),
        ("2 x 2 subgroups of 200, no change but for chance", [0.8] * 4, [0.04] * 4, 200, 1),
        ("20 subgroups of 50", [0.8] * 19 + [0.5], [0.1] + [0.04] * 19, 50, 1),
        ("20 subgroups of 20", [0.9] * 20, [0.1] + [0.02] * 19, 20, 1),
        ("2 x 2 subgroups of 200, 5 of each person", [0.8, 0.8, 0.8, 0.6], [0.1, 0.04, 0.04, 0.04], 200, 5),
    ):  # fmt: skip
        cell = np.repeat(np.arange(len(accuracy)), size)
        samples = samples_of(cell % 2, cell // 2, people)
        of_rows, of_lost = np.array(accuracy)[cell], np.array(lost)[cell]
        truth = {"worst gap": float(np.mean(accuracy) - np.min(accuracy)), "harm": max(lost) - 0.04}
        wrong = {name: np.zeros(2) for name in truth}
        draw = np.random.default_rng(0)
        for _ in range(repeats):
            hard = norm.cdf(alike(draw, len(cell), people))
            first, second = hard < of_rows, (hard >= of_lost) & (hard < of_rows + 0.04)
            one = worst_gap(Resampled(first[None], samples, Drawing(draws=500)).one_sided())
            found = falls(first, second, samples)
            for name, low, high in (
                ("worst gap", one.low, one.high), ("harm", found.at_least.max(), found.at_most.max()),
            ):  # fmt: skip
                wrong[name] += [low > truth[name] + 1e-9, high < truth[name] - 1e-9]
        rows += [
            (f"{name}: {title}", *(f"{100 * each / repeats:.1f}" for each in both)) for name, both in wrong.items()
        ]
    return markdown(rows)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=400)
    repeats = parser.parse_args().repeats
    print(f"# Intervals of scores and ratios, and limits\n\nPercent of {repeats} simulated test sets.\n")
    print(f"{coverage(repeats)}\n\n{limits(repeats)}\n\n{hardware()}; `python -m benchmarks.score_coverage`")


if __name__ == "__main__":
    main()
