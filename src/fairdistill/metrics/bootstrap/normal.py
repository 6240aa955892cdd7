"""Sums over sources in drawn test sets, where sources are so many and so different that the sums are normal.

Sources of a pool are drawn with replacement, as many as there are. What they add up to then has the covariance
``sum x x' - n m m'`` of the sources' own vectors x with the mean m (the cluster-robust covariance; Liang and Zeger,
1986). Few sums are drawn from it directly. Many are drawn as sums over the sources, each times a normal number (the
multiplier bootstrap; van der Vaart and Wellner, 1996, section 2.9).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array

from fairdistill.metrics.arrays import Floats, Ints
from fairdistill.metrics.test_set.canonical import Hashes

_FEW_SUMS = 1000
_CHUNK = 2**21  # numbers at a time
_WORK = 4e8  # multiplications, about a second
_LEAST = 200  # draws, whatever they take


@dataclass(frozen=True, eq=False)
class SourceSums:
    """What each source adds to some sums.

    Attributes:
        added: sparse float64 ``[S, D]`` of whole numbers.
        pool: int64 ``[S]``: sources of one pool are drawn together.
        content: uint64 ``[S]``: a hash of each source's rows, equal for equal ones.
        num_pools: number of pools.
    """

    added: csr_array
    pool: Ints
    content: Hashes
    num_pools: int

    def deviations(self, draws: int, generator: np.random.Generator) -> Iterator[Floats]:
        """Draw how far the sums are from their expectation, float64 ``[some, D]`` at a time.

        Draws fewer than asked, but at least 200, if there are many sums and sources.
        """
        if self.added.shape[1] <= _FEW_SUMS:
            return self._from_covariance(draws, generator)
        return self._from_multipliers(draws, generator)

    def _from_covariance(self, draws: int, generator: np.random.Generator) -> Iterator[Floats]:
        member = self._member(self.pool)
        size = np.bincount(self.pool, minlength=self.num_pools)
        total = (member.T @ self.added).toarray()  # whole numbers, so that the order of the sources does not matter
        covariance = (self.added.T @ self.added).toarray() - total.T @ (total / np.maximum(size, 1)[:, None])
        root = root_of(covariance)
        chunk = max(1, _CHUNK // max(1, len(root)))
        for start in range(0, draws, chunk):
            yield generator.standard_normal((min(chunk, draws - start), root.shape[1])) @ root.T

    def _from_multipliers(self, draws: int, generator: np.random.Generator) -> Iterator[Floats]:
        _, first, counts = np.unique(self.content, return_index=True, return_counts=True)
        often = counts.astype(np.float64)
        pool = self.pool[first]
        size = np.bincount(pool, often, self.num_pools)
        weighted = diags_array(np.sqrt(often)).tocsr() @ self.added[first]
        member = self._member(pool)
        mean = (diags_array(1 / np.maximum(size, 1)) @ (member.T @ (diags_array(often) @ self.added[first]))).tocsr()
        of_pool = (diags_array(np.sqrt(often)) @ member).tocsr()
        added, of_pool, mean = (csr_array(each, dtype=np.float32) for each in (weighted, of_pool, mean))
        draws = min(draws, max(_LEAST, int(_WORK / (added.nnz + 3 * len(often) + 1))))
        chunk = max(1, _CHUNK // max(1, max(len(often), self.added.shape[1])))
        for start in range(0, draws, chunk):
            drawn = generator.standard_normal((min(chunk, draws - start), len(often)), dtype=np.float32)
            yield np.asarray(drawn @ added - (drawn @ of_pool) @ mean, np.float64)

    def _member(self, pool: Ints) -> csr_array:
        """Return 1 for the pool of each source, sparse ``[S, pools]``."""
        ones = (np.ones(len(pool)), pool, np.arange(len(pool) + 1))
        return csr_array(ones, shape=(len(pool), self.num_pools))


def root_of(covariance: Floats) -> Floats:
    """Return L with ``L L' = covariance``, ``[D, used]``, to a billionth; rounding errors are no variance.

    Example:
        >>> root = root_of(np.array([[4.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
        >>> root.shape, (root @ root.T).round(6).tolist()
        ((3, 2), [[4.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    """
    scale = np.sqrt(np.maximum(covariance.diagonal(), 0))
    used = scale > 1e-6 * scale.max(initial=1e-300)
    correlation = covariance[np.ix_(used, used)] / np.outer(scale[used], scale[used])
    root = np.zeros((len(scale), int(used.sum())))
    root[used] = np.linalg.cholesky(correlation + 1e-9 * np.eye(root.shape[1])) * scale[used, None]
    return root
