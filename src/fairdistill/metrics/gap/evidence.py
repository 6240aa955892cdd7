"""What a gap's lower end and its p-value are computed from: the rows, and how they become fractions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fairdistill.metrics.arrays import Flags, Floats, Ints
from fairdistill.metrics.gap.grouped import GroupedRows

Tally = Callable[[Ints], tuple[Floats, Floats]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """The rows behind K quantities of G groups, for M models.

    Attributes:
        rows: of known group; their strata are what groups are exchanged within.
        tally: turns counts ``[..., G, S, codes]`` of such rows into the fractions' numerators ``[..., M, G, K]`` and
            denominators ``[..., 1, G, K]``, both whole numbers.
        independent_rows: int64 ``[G, K]``: independent samples behind each fraction; with fewer than 8, a group is not
            chosen for the lower end.
        draws: random exchanges of groups; fewer if they would take long.
        seed: of the exchanges and of the halves.

    Example:
        The accuracy of each class (K classes, which are the strata) in each group, for one model:

        >>> from fairdistill.metrics.gap.grouped import GroupedRows
        >>> at = np.arange(400)
        >>> right = at % 10 > at % 2
        >>> rows = GroupedRows(
        ...     groups=at % 2, strata=at // 200, codes=right.astype(np.int64), sources=at, shape=(2, 2, 2))
        >>> evidence = Evidence(
        ...     rows=rows, independent_rows=rows.independent_rows,
        ...     tally=lambda counts: (counts[..., None, :, :, 1], counts.sum(-1)[..., None, :, :]))
        >>> part, whole = evidence.tally(rows.counts)
        >>> (part / whole).tolist()
        [[[0.8, 0.8], [0.8, 0.8]]]
    """

    rows: GroupedRows
    tally: Tally
    independent_rows: Ints
    draws: int = 10_000
    seed: int = 0

    def in_strata(self, kept: Flags) -> Evidence:
        """Return the evidence of some strata, ``kept`` ``[S]``, where each is a quantity of its own (K = S)."""
        rows, (groups, _, codes) = self.rows, self.rows.shape
        own = kept[rows.strata]
        place = np.cumsum(kept) - 1
        few = replace(
            rows,
            groups=rows.groups[own],
            strata=place[rows.strata[own]],
            codes=rows.codes[own],
            sources=rows.sources[own],
            shape=(groups, int(kept.sum()), codes),
        )
        return replace(self, rows=few, independent_rows=self.independent_rows[:, kept])

    @property
    def resolution(self) -> float:
        """Smallest step of a fraction: one divided by the samples of the largest group."""
        _, whole = self.tally(self.rows.counts)
        return 1 / max(1, int(whole.max(initial=0)))
