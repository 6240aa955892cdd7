"""Fairness metrics from mergeable counts; NumPy only.

Intervals, noise floors, tests and parity are in modules of their own, which need SciPy: ``resampling``, ``paired``,
``parity``, ``sizing``; calibration and leakage in ``calibration`` and ``leakage``.
"""

from fairdistill.metrics.counts import Counts, group_counts
from fairdistill.metrics.fairness import (
    accuracy,
    balanced_accuracy,
    cell_accuracy,
    deo_a,
    deo_by_class,
    deo_m,
    empty_cells,
    group_accuracy,
)
from fairdistill.metrics.names import METRICS
from fairdistill.metrics.samples import Drawing, Samples

__all__ = [
    "METRICS", "Counts", "Drawing", "Samples", "accuracy", "balanced_accuracy", "cell_accuracy", "deo_a",
    "deo_by_class", "deo_m", "empty_cells", "group_accuracy", "group_counts",
]  # fmt: skip
