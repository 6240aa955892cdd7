"""When a trial is stopped early, and how certain the evidence must be.

Optuna's pruners refuse studies with several objectives, so this rule is our own. After a third of its steps, a trial is
stopped if, at two evaluations in a row, the same finished trial was better at the same step by more than a margin in
every objective; or more accurate by more than a margin while the trial itself was no more accurate than always
predicting the most common class. The second case is needed because a model that has learned nothing has a DEO near 0,
which no other model beats. A trial that is stopped might still have ended well; the margin makes that rare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fairdistill.choosing import gain
from fairdistill.metrics import Scores

History = Mapping[int, Scores]
"""What a trial scored on the validation set, by the step of the evaluation."""

_STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Noise:
    """How far chance moves each metric on the validation set.

    With n samples, each classified correctly with probability p, the accuracy has the standard error sqrt(p (1 - p) /
    n). The DEO of a class is the difference between the accuracies of two of its subgroups; with n1 and n2 samples
    there it has sqrt(p (1 - p) (1 / n1 + 1 / n2)), and the class's two smallest subgroups give the largest value.
    DEO_A is the mean over C classes, so its error is the root of the sum of their squares over C; DEO_M is the gap of
    one class, so its error is the largest. The balanced accuracy is the mean of K subgroups, so its error is the root
    of the sum of their squares, each p (1 - p) / n, over K. The mean accuracy of the two trials stands for p. Both
    trials are evaluated on the same samples; as far as they err on the same ones, their difference varies no more than
    each alone.

    Attributes:
        factors: by metric, what sqrt(p (1 - p)) is multiplied by.
        commonest: the share of the most common class, which is the accuracy of always predicting it.
    """

    factors: Mapping[str, float]
    commonest: float

    @classmethod
    def of(cls, cell_counts: Tensor, rows: int) -> Noise:
        """Return the noise on a validation set.

        Args:
            cell_counts: int64 ``[C, G]``, samples by class and group, each at least 1.
            rows: all samples, including those without a group label.

        Example:
            >>> noise = Noise.of(torch.tensor([[4, 4], [4, 4]]), rows=16)
            >>> {metric: round(factor, 3) for metric, factor in noise.factors.items()}
            {'accuracy': 0.25, 'balanced_accuracy': 0.25, 'deo_a': 0.5, 'deo_m': 0.707}
        """
        smallest = cell_counts.double().sort(dim=1).values[:, :2]  # a single group has no gap, so no noise
        of_class = (1 / smallest).sum(1) if cell_counts.shape[1] > 1 else torch.zeros(len(cell_counts)).double()
        return cls(
            {
                "accuracy": math.sqrt(1 / rows),
                "balanced_accuracy": float((1 / cell_counts.double()).sum().sqrt()) / cell_counts.numel(),
                "deo_a": float(of_class.sum().sqrt()) / len(of_class),
                "deo_m": float(of_class.max().sqrt()),
            },
            commonest=float(cell_counts.sum(1).max() / cell_counts.sum()),
        )

    def margin(self, metric: str, first: Scores, second: Scores) -> float:
        """Return by how much two trials must differ to be told apart: two standard errors, a fraction."""
        right = (first.accuracy + second.accuracy) / 2
        return _STANDARD_ERRORS * self.factors[metric] * math.sqrt(right * (1 - right))

    def learned(self, scores: Scores) -> bool:
        """Return whether a trial beats always predicting the most common class by more than the margin."""
        return scores.accuracy > self.commonest + self.margin("accuracy", scores, scores)


def beaten_by(
    history: History, finished: Mapping[int, History], *, steps: int, objectives: Sequence[str], noise: Noise
) -> int | None:
    """Return the finished trial that stops a trial now; None if it continues.

    Args:
        history: of the trial, up to now.
        finished: the histories of the finished trials, by number.
        steps: of the whole trial.
        objectives: the metrics in which it must be worse, all of them.
        noise: see :class:`Noise`.

    Example:
        >>> noise = Noise.of(torch.full((2, 2), 1000), rows=4000)
        >>> good, poor = Scores(0.9, 0.1, 0.2), Scores(0.5, 0.4, 0.6)
        >>> of_others = {0: {20: good, 40: good, 60: good}}
        >>> beaten_by({20: poor, 40: poor}, of_others, steps=60, objectives=["accuracy", "deo_a"], noise=noise)
        0
        >>> beaten_by({20: good, 40: poor}, of_others, steps=60, objectives=["accuracy", "deo_a"], noise=noise)
    """
    last = sorted(history)[-2:]
    if len(last) < 2 or 3 * last[0] < steps or last[1] >= steps:
        return None

    def worse(step: int, other: History) -> bool:
        if step not in other:
            return False
        better, own = other[step], history[step]
        in_what = objectives if noise.learned(own) else ("accuracy",)
        return all(gain(better, own, metric) > noise.margin(metric, own, better) for metric in in_what)

    return next((number for number in sorted(finished) if all(worse(step, finished[number]) for step in last)), None)
