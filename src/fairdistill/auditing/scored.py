"""What a model's probabilities are worth in each group, and how often each group is selected."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fairdistill.auditing.options import AuditOptions
from fairdistill.auditing.values import ImpactRatio
from fairdistill.errors import UsageError
from fairdistill.metrics import Calibration, Estimate, calibration_limits
from fairdistill.metrics.auc import MOST, auc_limits
from fairdistill.metrics.brier import brier_limits
from fairdistill.metrics.calibration_limits import UNDEFINED_CALIBRATION
from fairdistill.metrics.estimate import UNDEFINED
from fairdistill.metrics.impact import impact_ratios
from fairdistill.predictions import Predictions
from fairdistill.text.lists import listed

_NAMED = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """One entry for each group and, last, one for all samples; undefined without probabilities.

    Attributes:
        calibration: calibration error.
        auc: area under the ROC curve.
        brier: Brier score.
        impact: impact ratio; the last is the smallest of the groups.
        given: whether there are probabilities.
    """

    calibration: list[Calibration]
    auc: list[Estimate]
    brier: list[Estimate]
    impact: list[ImpactRatio]
    given: bool

    def error(self, at: int) -> float | None:
        """Return a calibration error; None without probabilities."""
        return self.calibration[at].value if self.given else None


def scored_of(predictions: Predictions, options: AuditOptions) -> Scored:
    """Return what the probabilities and the predictions of each group show.

    Raises:
        UsageError: if the positive class is no class.
    """
    shares, samples, confidence = predictions.probabilities, predictions.samples, options.confidence
    entries = len(predictions.group_names) + 1
    calibration, auc, brier = [UNDEFINED_CALIBRATION] * entries, [UNDEFINED] * entries, [UNDEFINED] * entries
    if shares is not None:
        calibration = calibration_limits(shares, samples, options.drawing)
        auc, brier = (limits(shares, samples, confidence=confidence) for limits in (auc_limits, brier_limits))
    return Scored(
        calibration=calibration,
        auc=auc,
        brier=brier,
        impact=_impact(predictions, positive_class(predictions, options), confidence),
        given=shares is not None,
    )


def positive_class(predictions: Predictions, options: AuditOptions) -> int | None:
    """Return the class that means being selected, None if none is named.

    Raises:
        UsageError: if it is no class.
    """
    names = predictions.class_names
    if options.positive is None:
        return None
    if options.positive not in names:
        raise UsageError(
            f"--positive {options.positive} is not a class of {predictions.where}; choose from {listed(names, _NAMED)}"
        )
    return names.index(options.positive)


def auc_left_out(predictions: Predictions) -> tuple[str, ...]:
    """Return a note if there are too many probabilities for the AUC; none otherwise."""
    shares = predictions.probabilities
    if shares is None or len(shares) * (shares.shape[1] if shares.shape[1] > 2 else 1) <= MOST:
        return ()
    return (f"The AUC is left out: it is computed from at most {MOST:,} scores, and these are {shares.size:,}",)


def _impact(predictions: Predictions, positive: int | None, confidence: float) -> list[ImpactRatio]:
    found = impact_ratios(predictions.predicted, predictions.samples, positive=positive, confidence=confidence)
    groups, classes = predictions.group_names, predictions.class_names
    each = [
        ImpactRatio(value=value, low=low, high=high, group=group, class_name=classes[label], reference=groups[other])
        for group, value, low, high, label, other in zip(
            groups, found.ratio.middle.tolist(), found.ratio.low.tolist(), found.ratio.high.tolist(),
            found.label.tolist(), found.reference.tolist(), strict=True,
        )
    ]  # fmt: skip
    known = [ratio for ratio in each if not math.isnan(ratio.value)]
    none = ImpactRatio(value=math.nan, low=math.nan, high=math.nan, group=None, class_name=None, reference=None)
    smallest = min(known, key=lambda ratio: ratio.value) if len(known) == len(each) and known else none
    return [*each, smallest]
