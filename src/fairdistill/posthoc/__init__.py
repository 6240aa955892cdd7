"""Fairness after training: decisions corrected for each group, without touching the model.

Two baselines that training methods should beat. Both are fitted on the predictions for validation rows and then
applied to those for test rows. Both need the group of a person when the model is used, which a distilled model does
not. Rows of unknown group (-1) are left out of the fit, and later predicted as if nothing had been fitted.
"""

from __future__ import annotations

from fairdistill.posthoc.logit_adjustment import GroupLogitAdjustment
from fairdistill.posthoc.thresholds import GroupThresholds

__all__ = ["GroupLogitAdjustment", "GroupThresholds"]
