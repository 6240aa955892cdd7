"""Prior correction that does not see the group, folded into one linear head."""

from __future__ import annotations

from fairdistill.heads.head import Head
from fairdistill.heads.joint import corrected
from fairdistill.heads.problem import Problem


def blind_head(problem: Problem, *, power: float) -> Head:
    """Return the linear head closest to the probabilities corrected for the mixture of subgroups.

    :func:`~fairdistill.heads.joint.corrected` is not linear in the features, so a linear head is fitted to its
    probabilities on the same rows.
    """
    cells = problem.cells.double()
    return problem.imitated(corrected(problem.joint, cells / cells.sum(), power))
