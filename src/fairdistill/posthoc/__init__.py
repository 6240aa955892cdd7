"""Post-hoc baselines: decisions corrected for each group, without changing the model.

Training methods should beat these two. Both are fitted on the predictions for a validation set and then applied to
those for the test set. Unlike a distilled model, both need to know a person's group when the model is used. Samples of
unknown group (-1) are left out of the fit; their predictions are not corrected.
"""

from __future__ import annotations

from fairdistill.posthoc.logit_adjustment import GroupLogitAdjustment, finite_logs
from fairdistill.posthoc.stored import CORRECTION, StoredCorrection, read_correction
from fairdistill.posthoc.thresholds import GroupThresholds

__all__ = [
    "CORRECTION", "GroupLogitAdjustment", "GroupThresholds", "StoredCorrection", "finite_logs", "read_correction",
]  # fmt: skip
