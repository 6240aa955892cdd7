"""How often the 95% intervals miss the truth at each end, and how often the tests see what is not there.

    python -m benchmarks.coverage [--repeats 400] [--draws 1000] [--only TEXT] [--workers 2]

Each row is a design of benchmarks/designs.py. Per design many test sets are drawn, and each interval is looked at: an
entry such as `95 (3, 2)` says that 95% of the intervals contain the truth, 3% lie above it (the lower end misses) and
2% below it. The second table shows how often each p-value is at most 0.05, in bold where there is nothing to find, and
how often a limit on DEO_A would be judged wrongly, at the limit where that is most likely: called broken although DEO_A
keeps it, or called kept although it is broken (at most 5, since the ends of a limit are one-sided).
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat as always

import numpy as np

from benchmarks.designs import DESIGNS, Design, deo
from benchmarks.timing import hardware
from fairdistill.metrics import Change, Drawing, Estimate, Resampled, paired_test, parity_gaps
from fairdistill.metrics.arrays import spread
from fairdistill.metrics.gap.true_gaps import over

INTERVALS = (
    "accuracy", "worst group", "worst subgroup", "DEO of a class", "DEO_A", "DEO_A, percentile", "DEO_M", "parity",
    "change of accuracy", "change of DEO_A", "change of DEO_M", "change of worst groups",
)  # fmt: skip
TESTS = ("DEO_A", "DEO_M", "parity", "change of accuracy", "change of DEO_A", "change of DEO_M")
GATE = ("limit wrongly broken", "limit wrongly kept")
_ENDS_FOUND_TO = 2e-4


def tried(name: str, seed: int, draws: int) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """Return for one test set which ends miss, a share where there are several intervals, and each test's p-value.

    A verdict on a limit counts as 0 if it is wrong, as 1 if not.
    """
    design = DESIGNS[name]
    drawn = design.test_set(seed)
    how = Drawing(draws=draws, seed=seed, design="random" if design.drawn else "balanced")
    sample = Resampled(drawn.first[None], drawn.samples, how)
    pair = paired_test(drawn.first, drawn.second, drawn.samples, how)
    gaps = {"DEO_A": sample.gap("mean"), "DEO_M": sample.gap("max")}
    gaps["parity"] = parity_gaps(drawn.predicted, drawn.samples, how)[0]
    changes = {"change of DEO_A": pair.deo_a, "change of DEO_M": pair.deo_m}
    usual = np.nanquantile(over(spread(sample.shares + sample.noise), "mean"), [0.025, 0.975])
    found: dict[str, Estimate | Change] = {
        "accuracy": sample.accuracy(), "worst group": sample.worst_group()[0],
        "worst subgroup": sample.worst_cell()[0], **gaps, "change of accuracy": pair.accuracy, **changes,
        "change of worst groups": pair.worst_groups,
    }  # fmt: skip
    missed = {each: _missed(at.low, at.high, design.truth[each]) for each, at in found.items()}
    missed["DEO_A, percentile"] = _missed(float(usual[0]), float(usual[1]), design.truth["DEO_A"])
    by_class = [
        _missed(gap.low, gap.high, float(true))
        for gap, true in zip(sample.gap_by_class(), spread(design.first), strict=True)
    ]
    low, high = np.mean(by_class, axis=0)
    missed["DEO of a class"] = float(low), float(high)
    tests = {each: gap.p_value for each, gap in gaps.items()} | {each: at.p_value for each, at in changes.items()}
    tests["change of accuracy"] = pair.accuracy.p_value
    broken, kept = _missed(gaps["DEO_A"].at_least, gaps["DEO_A"].at_most, design.truth["DEO_A"])
    return missed, {**tests, "limit wrongly broken": 1 - broken, "limit wrongly kept": 1 - kept}


def _missed(low: float, high: float, truth: float) -> tuple[float, float]:
    return float(low > truth + _ENDS_FOUND_TO), float(high < truth - _ENDS_FOUND_TO)


def rows_of(name: str, repeats: int, draws: int, workers: ProcessPoolExecutor) -> tuple[str, str]:
    """Return a design's row of each table."""
    found = list(workers.map(tried, always(name, repeats), range(repeats), always(draws), chunksize=10))
    ends = np.array([[missed[each] for each in INTERVALS] for missed, _ in found])
    low, high = 100 * ends.mean(axis=0).T
    entries = [f"{100 - a - b:.0f} ({a:.0f}, {b:.0f})" for a, b in zip(low, high, strict=True)]
    p_values = np.array([[tests[each] for each in (*TESTS, *GATE)] for _, tests in found])
    shares = 100 * (p_values <= 0.05).mean(axis=0)
    null = nulls(DESIGNS[name])
    tests = [
        f"**{share:.0f}**" if each in null else f"{share:.0f}"
        for each, share in zip((*TESTS, *GATE), shares, strict=True)
    ]
    return f"| {name} | {' | '.join(entries)} |", f"| {name} | {' | '.join(tests)} |"


def nulls(design: Design) -> set[str]:
    """Return the tests that have nothing to find in a design."""
    found = {each for each in TESTS if abs(design.truth[each]) < 1e-9}
    return found - ({"DEO_A", "DEO_M"} if deo(design.first, "max") > 1e-9 else set())


def _table(columns: tuple[str, ...], rows: list[str]) -> str:
    return "\n".join([f"| case | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns), *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", default="", help="designs whose name contains this text")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    error = 100 * np.sqrt(0.95 * 0.05 / given.repeats)
    print(f"{given.repeats} test sets per case, {given.draws:,} resamples each; standard error of a 95: {error:.1f}")
    print(f"{hardware()}\n")
    with ProcessPoolExecutor(given.workers) as workers:
        found = []
        for name in DESIGNS:
            if given.only in name:
                found.append(rows_of(name, given.repeats, given.draws, workers))
                print("\n".join(found[-1]), flush=True)
    print("\n" + _table(INTERVALS, [intervals for intervals, _ in found]))
    print("\n" + _table((*TESTS, *GATE), [tests for _, tests in found]))


if __name__ == "__main__":
    main()
