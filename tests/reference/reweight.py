"""Reweighing restated: probabilities counted in a list of rows, and each row's loss by itself."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

Cell = tuple[int, int]


def reweighing(rows: Sequence[Cell]) -> dict[Cell, float]:
    """Return P(class) P(group) / P(class, group) of every cell that has rows."""
    n = len(rows)

    def share(label: int | None, group: int | None) -> float:
        return sum(label in (None, c) and group in (None, g) for c, g in rows) / n

    return {(c, g): share(c, None) * share(None, g) / share(c, g) for c, g in set(rows)}


def reweighted_loss(logits: Tensor, labels: Tensor, groups: Tensor, weights: dict[Cell, float]) -> Tensor:
    """Return the mean over rows of weight times -log softmax(logits)[label]; unknown groups weigh 1."""
    total = logits.new_zeros(())
    for z, label, group in zip(logits, labels.tolist(), groups.tolist(), strict=True):
        total = total + weights.get((label, group), 1.0) * (z.exp().sum().log() - z[label])
    return total / len(logits)
