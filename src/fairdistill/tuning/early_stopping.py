"""When a trial is given up: the rule of early stopping, and how sure it has to be.

Optuna's pruners refuse studies with several objectives, so the rule is our own. A trial is stopped when, after a third
of its steps, at two evaluations in a row, one and the same finished trial was better at the same step in every
objective by more than a margin; or was more accurate by more than a margin, while the trial itself was not more
accurate than always naming the commonest class. The second is there because a model that has learned nothing has a DEO
near 0, which nobody beats. What is stopped might still have ended well: the margin is there to make that rare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fairdistill.choosing import Values, gain

History = Mapping[int, Values]
"""What a trial did on the validation rows, by the step of the evaluation."""

_STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Noise:
    """How far chance moves each metric on the validation rows, in standard errors at an accuracy of one half.

    With n rows that are each right with probability p, the accuracy has the standard error sqrt(p (1 - p) / n). The DEO
    of a class is the difference of two of its cells' accuracies; cells of n1 and n2 rows, both right with probability
    p, give it sqrt(p (1 - p) (1 / n1 + 1 / n2)), and the class's two smallest cells give the most. DEO_A is the mean
    over C classes, so its error is the root of the sum of their squares over C; DEO_M is the gap of one class, so its
    error is the largest. For p stands the mean accuracy of the two trials. Both are judged on the same rows, and where
    they err on the same rows, their difference varies no more than each alone.

    Attributes:
        factors: by metric, what sqrt(p (1 - p)) is multiplied with.
        commonest: the share of the commonest class, the accuracy of always naming it.
    """

    factors: Mapping[str, float]
    commonest: float

    @classmethod
    def of(cls, cell_counts: Tensor, rows: int) -> Noise:
        """Return the noise on validation rows.

        Args:
            cell_counts: int64 ``[C, G]``, rows by class and group, each at least 1.
            rows: all rows, those of unknown group among them.

        Example:
            >>> noise = Noise.of(torch.tensor([[4, 4], [4, 4]]), rows=16)
            >>> {metric: round(factor, 3) for metric, factor in noise.factors.items()}
            {'accuracy': 0.25, 'deo_a': 0.5, 'deo_m': 0.707}
        """
        smallest = cell_counts.double().sort(dim=1).values[:, :2]  # of one group there is no gap and no noise
        of_class = (1 / smallest).sum(1) if cell_counts.shape[1] > 1 else torch.zeros(len(cell_counts)).double()
        return cls(
            {
                "accuracy": math.sqrt(1 / rows),
                "deo_a": float(of_class.sum().sqrt()) / len(of_class),
                "deo_m": float(of_class.max().sqrt()),
            },
            commonest=float(cell_counts.sum(1).max() / cell_counts.sum()),
        )

    def margin(self, metric: str, first: Values, second: Values) -> float:
        """Return by how much two trials have to differ to be told apart: two standard errors, a fraction."""
        right = (first["accuracy"] + second["accuracy"]) / 2
        return _STANDARD_ERRORS * self.factors[metric] * math.sqrt(right * (1 - right))

    def learned(self, values: Values) -> bool:
        """Return whether a trial is more accurate than always naming the commonest class, beyond the margin."""
        return values["accuracy"] > self.commonest + self.margin("accuracy", values, values)


def beaten_by(
    history: History, finished: Mapping[int, History], *, steps: int, objectives: Sequence[str], noise: Noise
) -> int | None:
    """Return the finished trial for which a trial is stopped now, None if it goes on.

    Args:
        history: of the trial, up to now.
        finished: the histories of the finished trials, by number.
        steps: of the whole trial.
        objectives: the metrics in all of which it has to be worse.
        noise: see :class:`Noise`.

    Example:
        >>> noise = Noise.of(torch.full((2, 2), 1000), rows=4000)
        >>> good, poor = {"accuracy": 0.9, "deo_a": 0.1}, {"accuracy": 0.5, "deo_a": 0.4}
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
