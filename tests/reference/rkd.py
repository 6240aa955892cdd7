"""Relational distillation restated: pair by pair and triple by triple."""

from __future__ import annotations

import torch
from torch import Tensor


def rkd_loss(student: Tensor, teacher: Tensor, *, distance: float, angle: float) -> Tensor:
    """Return distance * mean over pairs + angle * mean over triples of the Huber losses."""
    s, t = student.flatten(1), teacher.flatten(1)
    n = len(s)
    pairs = [(i, j) for i in range(n) for j in range(n)]
    d_s, d_t = distances(s), distances(t)
    loss = s.new_zeros(())
    for pair in pairs:
        loss = loss + distance * huber(d_s[pair], d_t[pair]) / n**2
    for i, j in pairs:
        for k in range(n):
            loss = loss + angle * huber(cosine(s, i, j, k), cosine(t, i, j, k)) / n**3
    return loss


def huber(x: Tensor, y: Tensor) -> Tensor:
    """Return 1/2 (x - y)^2 up to a difference of 1, from there on linear."""
    off = (x - y).abs()
    return off**2 / 2 if off <= 1 else off - 0.5


def distances(points: Tensor) -> dict[tuple[int, int], Tensor]:
    """Return |p_i - p_j| over the mean of those that are not 0."""
    n = len(points)
    found = {
        (i, j): ((points[i] - points[j]) ** 2).sum().sqrt() if are_apart(points, i, j) else points.new_zeros(())
        for i in range(n)
        for j in range(n)
    }
    apart = [length for length in found.values() if length > 0]
    mean = torch.stack(apart).mean() if apart else points.new_ones(())
    return {pair: length / mean for pair, length in found.items()}


def cosine(points: Tensor, i: int, j: int, k: int) -> Tensor:
    """Return the cosine of the angle at p_i between p_j and p_k; 0 where one of them is p_i."""
    if not (are_apart(points, i, j) and are_apart(points, i, k)):
        return points.new_zeros(())
    left, right = points[j] - points[i], points[k] - points[i]
    return (left * right).sum() / ((left**2).sum() * (right**2).sum()).sqrt()


def are_apart(points: Tensor, i: int, j: int) -> bool:
    """Return whether two points are further from each other than the rounding of float32."""
    square = torch.stack([((p - q) ** 2).sum() for p in points for q in points]).mean()
    return bool(((points[i] - points[j]) ** 2).sum() > 1e-7 * square)
