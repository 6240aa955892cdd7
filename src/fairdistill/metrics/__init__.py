"""Fairness metrics from mergeable counts; NumPy only."""

from fairdistill.metrics.counts import Counts, group_counts
from fairdistill.metrics.fairness import accuracy, cell_accuracy, deo_a, deo_by_class, deo_m, empty_cells

__all__ = [
    "Counts", "accuracy", "cell_accuracy", "deo_a", "deo_by_class", "deo_m", "empty_cells", "group_counts",
]  # fmt: skip
