"""Whether a network's features reveal the group at all, which corrections that do not see the group depend on."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fairdistill.metrics.leakage import leakage
from fairdistill.metrics.permuted_groups import AgainstChance
from fairdistill.predictions import Predictions

_MOST_ROWS = 2_000
_DIRECTIONS = 64


def group_auc(features: Tensor, predictions: Predictions) -> AgainstChance:
    """Return how well a linear probe tells the groups of a class apart, as an area under the ROC curve.

    It is that of :func:`~fairdistill.metrics.leakage.leakage` on up to 2,000 samples and their 64 main directions,
    which takes seconds; 0.5 is chance.

    Args:
        features: floating point ``[N, D]``.
        predictions: for the same N samples, with their groups.
    """
    rows = torch.randperm(len(features), generator=torch.Generator().manual_seed(0))[:_MOST_ROWS]
    chosen = features[rows].float()
    if chosen.shape[1] > _DIRECTIONS and len(chosen) > _DIRECTIONS:
        centered = chosen - chosen.mean(0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            _, _, directions = torch.pca_lowrank(centered, q=_DIRECTIONS, center=False)
        chosen = centered @ directions
    return leakage(chosen.numpy(), predictions.take(rows.numpy()).samples).auc


def auc_in_words(auc: AgainstChance) -> str:
    """Return a remark on what the probe found; empty if it could not be measured."""
    if math.isnan(auc.value):
        return ""
    shown = f"a linear probe tells the groups apart in these features with an AUC of {auc.value:.2f}, 0.5 being chance"
    hidden = "" if auc.p_value < 0.05 else ", so nothing in them shows the group and there is little to correct"
    return shown + hidden
