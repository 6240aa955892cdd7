"""The formulas of the heads again, row by row."""

from __future__ import annotations

import math
from collections.abc import Sequence


def probabilities(logits: Sequence[float]) -> list[float]:
    exponentials = [math.exp(z - max(logits)) for z in logits]
    return [e / sum(exponentials) for e in exponentials]


def balanced_cross_entropy(logits: Sequence[Sequence[float]], labels: Sequence[int], groups: Sequence[int]) -> float:
    losses: dict[tuple[int, int], list[float]] = {}
    for z, label, group in zip(logits, labels, groups, strict=True):
        if group >= 0:
            losses.setdefault((label, group), []).append(-math.log(probabilities(z)[label]))
    return sum(sum(cell) / len(cell) for cell in losses.values()) / len(losses)


def soft_gap(logits: Sequence[Sequence[float]], labels: Sequence[int], groups: Sequence[int], rounding: float) -> float:
    right: dict[int, dict[int, list[float]]] = {}
    for z, label, group in zip(logits, labels, groups, strict=True):
        if group >= 0:
            right.setdefault(label, {}).setdefault(group, []).append(probabilities(z)[label])
    total = 0.0
    for by_group in right.values():
        means = [sum(values) / len(values) for values in by_group.values()]
        middle = sum(means) / len(means)
        variance = sum((mean - middle) ** 2 for mean in means) / len(means)
        total += math.sqrt(variance + rounding**2) - rounding
    return total


def corrected(joint: Sequence[Sequence[float]], prior: Sequence[Sequence[float]], power: float) -> list[float]:
    weighed = [
        sum(p / q**power for p, q in zip(row, of_class, strict=True) if q > 0)
        for row, of_class in zip(joint, prior, strict=True)
    ]
    return [value / sum(weighed) for value in weighed]


def afr_weights(logits: Sequence[Sequence[float]], labels: Sequence[int], gamma: float) -> list[float]:
    raw = [
        math.exp(-gamma * probabilities(z)[label]) / list(labels).count(label)
        for z, label in zip(logits, labels, strict=True)
    ]
    return [value / sum(raw) for value in raw]
