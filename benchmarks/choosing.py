"""Differences between rows of a table, paired by seed, with 95% intervals of Student's t.

    python -m benchmarks.choosing results/digits-s.json di,ss di,mfd mfd,ss

reads what ``fairdistill compare --format json`` wrote. The interval holds the spread over the seeds and takes the test
set as it is.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from scipy import stats

from fairdistill.text.tables import markdown

METRICS = {"accuracy": "Accuracy", "deo_a": "DEO_A", "deo_m": "DEO_M"}


def paired_interval(first: Sequence[float], second: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of the differences and its 95% interval; NaN ends for a single pair."""
    differences = [one - other for one, other in zip(first, second, strict=True)]
    mean = statistics.fmean(differences)
    if len(differences) < 2:
        return mean, math.nan, math.nan
    half = stats.t.ppf(0.975, len(differences) - 1) * statistics.stdev(differences) / math.sqrt(len(differences))
    return mean, mean - half, mean + half


def table(rows: Mapping[str, Mapping[str, Sequence[float]]], pairs: Sequence[tuple[str, str]]) -> str:
    """Return the differences in points as a Markdown table."""
    lines = [("Difference", "n", *METRICS.values())]
    for first, second in pairs:
        cells = []
        for metric in METRICS:
            mean, low, high = paired_interval(rows[first][metric], rows[second][metric])
            cells.append(f"{100 * mean:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]")
        lines.append((f"{first} − {second}", str(len(rows[first]["accuracy"])), *cells))
    return markdown(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Differences between rows, paired by seed, in points.")
    parser.add_argument("file", type=Path)
    parser.add_argument("pairs", nargs="+", metavar="FIRST,SECOND", help="methods, such as di,ss")
    given = parser.parse_args()
    rows = {row["method"]: row["values"] for row in json.loads(given.file.read_text())["rows"]}
    print(table(rows, [(first, second) for first, second in (pair.split(",") for pair in given.pairs)]))


if __name__ == "__main__":
    main()
