"""LinearPost for equal opportunity, without the group at use, folded into one linear head."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairdistill.heads.head import Head
from fairdistill.heads.problem import Problem

_ROWS = 2000  # rows that the linear program is solved for; its time grows faster than they do


def linearpost_head(problem: Problem, *, tolerance: float) -> Head:
    """Return the linear head closest to the scores of :func:`fair_scores` on the same rows.

    Where a score is negative, its class gets probability 0.
    """
    scores = fair_scores(problem.joint, problem.joint, problem.cells, tolerance=tolerance).clamp_min(0)
    return problem.imitated(scores / scores.sum(1, keepdim=True))


def fair_scores(joint: Tensor, fitted_on: Tensor, cells: Tensor, *, tolerance: float) -> Tensor:
    """Return scores ``[N, C]`` whose largest is decided for, with nearly equal recalls in all groups.

    The probabilities are first divided by the frequencies of the subgroups, so that :func:`equal_opportunity`
    maximizes the balanced accuracy; on validation images this kept more of it than LinearPost's plain accuracy.

    Args:
        joint: float64 ``[N, C, G]``, p(class, group | x) of the rows to decide.
        fitted_on: those of the rows that the offsets are computed from; of many, some are used.
        cells: int64 ``[C, G]``, the rows of each subgroup that the probabilities were fitted to.
        tolerance: as in :func:`equal_opportunity`.
    """
    even = torch.where(cells > 0, cells.sum() / cells.double().clamp_min(1) / (cells > 0).sum(), 0.0)
    some = fitted_on[:: -(-len(fitted_on) // _ROWS)]
    offsets = torch.from_numpy(equal_opportunity((some * even).numpy(), tolerance=tolerance))
    return decision_scores(joint * even, offsets)


def decision_scores(joint: Tensor, offsets: Tensor) -> Tensor:
    """Return the scores ``[N, C]`` whose largest is decided for: p(c | x) + sum over g of offset_cg p(c, g | x)."""
    return joint.sum(2) + (joint * offsets).sum(2)


def equal_opportunity(joint: NDArray[np.float64], *, tolerance: float) -> NDArray[np.float64]:
    """Return the offsets of the most accurate decisions whose recalls differ by at most ``tolerance`` between groups.

    LinearPost (Xian and Zhao, *A Unified Post-Processing Framework for Group Fairness in Classification*, 2024) for
    equal opportunity in every class, which bounds DEO_M, with unknown groups: with probabilities h of deciding c for x,

        maximize    mean over x of sum_c p(c | x) h(c | x)
        subject to  |r_cg - q_c| <= tolerance / 2 for every subgroup (c, g), with any q_c
        where       r_cg = sum over x of p(c, g | x) h(c | x) / sum over x of p(c, g | x)

    r_cg is the expected recall of class c in group g. By duality the optimum decides for the class with the largest
    p(c | x) + sum over g of offset_cg p(c, g | x), where the offsets are the multipliers of the constraints over the
    frequencies of the subgroups.

    Args:
        joint: float64 ``[N, C, G]``, p(class, group | x), or these times a weight of each subgroup. Subgroups with
            probability 0 throughout are left out.
        tolerance: largest difference between the recalls of two groups, not 0: an exact solution overfits.

    Returns:
        float64 ``[C, G]``.
    """
    import scipy.optimize
    import scipy.sparse

    rows, classes, groups = joint.shape
    frequency = joint.mean(0)
    cells = np.argwhere(frequency > 0)
    # Variables: h, row by row, then q.
    h = np.arange(rows * classes).reshape(rows, classes)
    recall = scipy.sparse.lil_array((len(cells), rows * classes + classes))
    for k, (label, group) in enumerate(cells):
        recall[k, h[:, label]] = joint[:, label, group] / (rows * frequency[label, group])
        recall[k, rows * classes + label] = -1.0
    recall = recall.tocsr()
    whole = scipy.sparse.csr_array(
        (np.ones(rows * classes), (np.repeat(np.arange(rows), classes), h.ravel())), shape=(rows, recall.shape[1])
    )
    solved = scipy.optimize.linprog(
        np.concatenate([-joint.sum(2).ravel() / rows, np.zeros(classes)]),
        A_ub=scipy.sparse.vstack([recall, -recall]), b_ub=np.full(2 * len(cells), tolerance / 2),
        A_eq=whole, b_eq=np.ones(rows), bounds=(0, 1), method="highs",
    )  # fmt: skip
    assert solved.success, solved.message  # deciding for one class at random with equal chances is feasible
    upper, lower = solved.ineqlin.marginals.reshape(2, -1)
    offsets = np.zeros((classes, groups))
    offsets[tuple(cells.T)] = (upper - lower) / frequency[tuple(cells.T)]
    return offsets
