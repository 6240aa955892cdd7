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
from fairdistill.metrics.scores import Scores, higher_is_better, improvement

__all__ = [
    "METRICS", "Counts", "Scores", "accuracy", "balanced_accuracy", "cell_accuracy", "deo_a", "deo_by_class", "deo_m",
    "empty_cells", "group_accuracy", "group_counts", "higher_is_better", "improvement",
]  # fmt: skip
