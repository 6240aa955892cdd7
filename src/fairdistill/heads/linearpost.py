"""LinearPost for equal opportunity, without the group at use, folded into one linear head."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from fairdistill.heads.head import Head
from fairdistill.heads.problem import Problem

_ROWS = 2000  # rows that the linear program is solved for; its time grows faster than they do


def linearpost_head(problem: Problem, *, tolerance: float) -> Head:
    """Return the linear head closest to the decisions of :func:`equal_opportunity` on the joint probabilities."""
    joint = problem.joint
    step = -(-len(joint) // _ROWS)
    offsets = torch.from_numpy(equal_opportunity(joint[::step].numpy(), tolerance=tolerance))
    scores = decision_scores(joint, offsets)
    return problem.imitated(F.one_hot(scores.argmax(1), problem.num_classes).double())


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
        joint: float64 ``[N, C, G]``, p(class, group | x). Subgroups with probability 0 throughout are left out.
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
