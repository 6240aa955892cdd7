"""Random swaps of the values of two models, source by source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from fairdistill.metrics.normal import root_of

_FEW_TYPES = 2000
_FEW_CELLS = 1000
_MANY_SOURCES = 200  # of a cell, from which on a sum of swaps is normal


@dataclass(frozen=True)
class Swaps:
    """Types of sources whose two values differ.

    Attributes:
        weight: int64 ``[T]``: sources of each type that are swapped one by one.
        apart: sparse float64 ``[T, cells]``: what a swapped source of each type adds to the first value of each cell.
        mean: float64 ``[cells]``: what other sources add on average.
        root: float64 ``[cells, used]``: a root of the covariance of what they add, which is normal.
    """

    weight: NDArray[np.int64]
    apart: csr_array
    mean: NDArray[np.float64]
    root: NDArray[np.float64]

    @classmethod
    def of(cls, apart: csr_array, weight: NDArray[np.int64]) -> Swaps:
        """Take types together if there are very many, except those with rows in a cell of few differing sources."""
        cells = apart.shape[1]
        differ = np.diff(apart.indptr) > 0
        weight, apart = weight[differ], apart[differ]
        if len(weight) <= _FEW_TYPES or cells > _FEW_CELLS:
            return cls(weight, apart, np.zeros(cells), np.zeros((cells, 0)))
        present = csr_array((np.ones(apart.nnz), apart.indices, apart.indptr), shape=apart.shape)
        rare = present @ (weight @ present < _MANY_SOURCES).astype(np.float64) > 0
        many, often = apart[~rare], weight[~rare]
        covariance = (many.T @ (many * often[:, None])).toarray() / 4
        return cls(weight[rare], apart[rare], often @ many / 2, root_of(covariance))

    def drawn(self, draws: int, generator: np.random.Generator) -> NDArray[np.float64]:
        """Return what swapped sources add to the first value of each cell, ``[draws, cells]``."""
        often = generator.binomial(self.weight[:, None], 0.5, size=(len(self.weight), draws)).T
        normal = generator.standard_normal((draws, self.root.shape[1])) @ self.root.T
        return np.asarray(self.mean + often @ self.apart + normal)
