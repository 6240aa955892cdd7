"""Which samples are the better teacher of a last layer: the training samples or the validation samples."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from fairdistill.heads.fitting import FittedOn, HeadFit


@dataclass(frozen=True, eq=False)
class ScoredFit:
    """A head and its accuracy.

    Attributes:
        fit: the head.
        accuracy: of its ``validation_logits``, with every subgroup counted equally; a fraction.
    """

    fit: HeadFit
    accuracy: float


def better_source(fits: Iterable[ScoredFit]) -> FittedOn | None:
    """Return to which samples heads should be fitted: those whose heads have the higher mean accuracy.

    Only methods and settings that were fitted to both count. The gaps of the two kinds of heads must not be compared:
    the errors of the folds' heads are opposite to those of the samples that they are judged on, so that they cancel in
    a cross-fitted gap, while the gap of any other model contains the sampling error of the validation set. Accuracies
    have no such bias, and a much smaller error.

    Returns:
        ``train`` if both are equal; None if nothing was fitted to both.

    Example:
        >>> import torch
        >>> from fairdistill.heads import Head
        >>> head = Head(torch.zeros(2, 3), torch.zeros(2))
        >>> some = [HeadFit("balanced", {}, on, head, torch.zeros(9, 2), 1.0) for on in ("train", "validation")]
        >>> better_source([ScoredFit(some[0], 0.75), ScoredFit(some[1], 0.7)])
        'train'
    """
    found: dict[tuple[object, ...], dict[FittedOn, float]] = {}
    for each in fits:
        key = (each.fit.method, *sorted(each.fit.settings.items()))
        found.setdefault(key, {})[each.fit.fitted_on] = each.accuracy
    gains = [both["validation"] - both["train"] for both in found.values() if len(both) == 2]
    if not gains:
        return None
    return "validation" if statistics.fmean(gains) > 0 else "train"
