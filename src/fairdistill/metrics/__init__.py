"""Fairness metrics from mergeable counts.

Counts, accuracy and DEO need NumPy only and are imported at once. Intervals, noise floors, tests, parity, sizing and
calibration need SciPy, which is imported when one of them is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face
from fairdistill.metrics.counts import Counts, checked_indices, group_counts
from fairdistill.metrics.fairness import (
    accuracy,
    balanced_accuracy,
    cell_accuracy,
    class_balanced_accuracy,
    deo_a,
    deo_by_class,
    deo_m,
    empty_cells,
    group_accuracy,
)
from fairdistill.metrics.group_fairness import FairnessValues, GroupFairness
from fairdistill.metrics.scores import METRICS, SCORES, Scores, higher_is_better
from fairdistill.metrics.test_set.samples import Design, Drawing, Samples

if TYPE_CHECKING:
    from fairdistill.metrics.calibration import (
        calibration_bins,
        expected_calibration_error,
        float_array,
        overall_calibration_error,
        probability_rows,
    )
    from fairdistill.metrics.calibration_limits import Calibration, calibration_limits
    from fairdistill.metrics.estimate import Estimate
    from fairdistill.metrics.gap.values import Gap
    from fairdistill.metrics.noise import chance_deo
    from fairdistill.metrics.paired.changes import Change, GapChange, Paired
    from fairdistill.metrics.paired.judging import judged_cells, paired_test
    from fairdistill.metrics.parity import (
        demographic_parity_difference,
        equalised_odds_difference,
        impact_ratio,
        selection_rates,
        tpr_fpr,
    )
    from fairdistill.metrics.parity_gaps import parity_gaps
    from fairdistill.metrics.resampling import Resampled
    from fairdistill.metrics.sizing import gap_resolved, rows_to_resolve

__all__ = [
    "METRICS", "SCORES", "Calibration", "Change", "Counts", "Design", "Drawing", "Estimate", "FairnessValues", "Gap",
    "GapChange", "GroupFairness", "Paired", "Resampled", "Samples", "Scores", "accuracy", "balanced_accuracy",
    "calibration_bins", "calibration_limits", "cell_accuracy", "chance_deo", "checked_indices",
    "class_balanced_accuracy", "demographic_parity_difference", "deo_a", "deo_by_class", "deo_m", "empty_cells",
    "equalised_odds_difference", "expected_calibration_error", "float_array", "gap_resolved", "group_accuracy",
    "group_counts", "higher_is_better", "impact_ratio", "judged_cells", "overall_calibration_error",
    "paired_test", "parity_gaps", "probability_rows", "rows_to_resolve", "selection_rates", "tpr_fpr",
]  # fmt: skip

# Only these need SciPy.
__getattr__ = lazy_face(
    __name__,
    {
        "calibration": (
            "calibration_bins", "expected_calibration_error", "float_array", "overall_calibration_error",
            "probability_rows",
        ),
        "calibration_limits": ("Calibration", "calibration_limits"),
        "estimate": ("Estimate",),
        "gap.values": ("Gap",),
        "noise": ("chance_deo",),
        "paired.changes": ("Change", "GapChange", "Paired"),
        "paired.judging": ("judged_cells", "paired_test"),
        "parity": (
            "demographic_parity_difference", "equalised_odds_difference", "impact_ratio", "selection_rates", "tpr_fpr",
        ),
        "parity_gaps": ("parity_gaps",),
        "resampling": ("Resampled",),
        "sizing": ("gap_resolved", "rows_to_resolve"),
    },
)  # fmt: skip
