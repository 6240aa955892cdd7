"""One order of groups and classes, whatever they are called: results must not depend on how a table is sorted.

Random numbers are given to cells in this order, so that a table with renamed or reordered groups and classes gets the
same intervals. Cells, groups and classes are told apart by what is in them, as in the colour refinement of graphs
(Weisfeiler and Leman, 1968): a group's colour is made from those of its cells, and a cell's new colour from its own and
those of its group and its class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.arrays import Ints

Hashes = NDArray[np.uint64]

_BROKEN_TIES = 64


def canonical_order(counts: Ints) -> tuple[Ints, Ints]:
    """Return an order of the groups and one of the strata that depend on the counts alone, not on their places.

    Args:
        counts: int64 ``[G, S, K]``: rows of each outcome in each cell.

    Returns:
        ``group_order`` ``[G]`` and ``stratum_order`` ``[S]``: ``counts[group_order][:, stratum_order]`` is the same
        for every order of the groups and of the strata.

    Example:
        >>> counts = np.array([[[5, 1], [4, 2]], [[3, 3], [6, 0]]])
        >>> groups, strata = canonical_order(counts)
        >>> turned = counts[::-1, ::-1]
        >>> again, too = canonical_order(turned)
        >>> bool((counts[groups][:, strata] == turned[again][:, too]).all())
        True
    """
    groups, strata, codes = counts.shape
    content = (mixed(np.arange(codes)) * mixed(counts)).sum(axis=2, dtype=np.uint64)
    group, stratum = np.indices((groups, strata)).reshape(2, -1)
    return Coloured.of(Facts(content.ravel(), group, (stratum,), groups, strata)).orders()


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of groups and classes.

    Attributes:
        content: uint64 ``[R]``: a hash of each fact, for example of the counts in a cell.
        group: int64 ``[R]``: the group it is about.
        classes: int64 ``[R]`` each: the classes it is about, for example the true and the predicted one.
        num_groups: G.
        num_classes: C.
    """

    content: Hashes
    group: Ints
    classes: tuple[Ints, ...]
    num_groups: int
    num_classes: int


@dataclass(frozen=True, eq=False)
class Coloured:
    """Groups and classes with colours: equal ones look alike.

    Attributes:
        facts: what they are told apart by.
        groups: uint64 ``[G]``.
        classes: uint64 ``[C]``.
    """

    facts: Facts
    groups: Hashes
    classes: Hashes

    @classmethod
    def of(cls, facts: Facts) -> Coloured:
        """Colour the groups and classes of some facts."""
        start = cls(facts, np.ones(facts.num_groups, np.uint64), np.ones(facts.num_classes, np.uint64))
        return start._refined()

    @property
    def of_facts(self) -> Hashes:
        """A colour of each fact, uint64 ``[R]``."""
        colour = mixed(self.facts.content ^ mixed(self.groups)[self.facts.group])
        for role, own in enumerate(self.facts.classes):
            colour = mixed(colour ^ mixed(self.classes + np.uint64(role))[own])
        return colour

    def orders(self) -> tuple[Ints, Ints]:
        """Return an order of the groups and one of the classes; what looks alike is told apart one by one."""
        found = self
        for _ in range(_BROKEN_TIES):
            twin = _tied(found.groups)
            if twin is not None:
                groups = found.groups.copy()
                groups[[twin]] = mixed(groups[[twin]] + np.uint64(1))
                found = Coloured(self.facts, groups, found.classes)._refined()
                continue
            twin = _tied(found.classes)
            # Once all groups differ, classes with a single role that look alike are alike.
            if twin is None or len(self.facts.classes) == 1:
                break
            classes = found.classes.copy()
            classes[[twin]] = mixed(classes[[twin]] + np.uint64(1))
            found = Coloured(self.facts, found.groups, classes)._refined()
        return np.argsort(found.groups, kind="stable"), np.argsort(found.classes, kind="stable")

    def _refined(self) -> Coloured:
        found, kinds = self, _kinds(self)
        while True:
            colour = found.of_facts
            groups = mixed(found.groups + summed(self.facts.group, colour, self.facts.num_groups))
            classes = found.classes
            for role, own in enumerate(self.facts.classes):
                classes = mixed(classes + summed(own, mixed(colour + np.uint64(role)), self.facts.num_classes))
            found = Coloured(self.facts, groups, classes)
            before, kinds = kinds, _kinds(found)
            if kinds == before:
                return found


def mixed(values: NDArray[np.integer]) -> Hashes:
    """Return a hash of each number (the finalizer of SplitMix64; Steele, Lea and Flood, 2014), uint64."""
    found = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        found ^= found >> np.uint64(shift)
        found *= np.uint64(factor)
    return np.asarray(found ^ (found >> np.uint64(31)))


def summed(index: Ints, hashes: Hashes, length: int) -> Hashes:
    """Return the sum of the hashes of each index, modulo 2^64: the same in any order, uint64 ``[length]``."""
    found = np.zeros(length, np.uint64)
    np.add.at(found, index, hashes)
    return found


def _kinds(found: Coloured) -> int:
    return len(np.unique(found.groups)) + len(np.unique(found.classes))


def _tied(colours: Hashes) -> int | None:
    """Return one of the items whose colour is the smallest that occurs more than once; None if all differ."""
    _, first, often = np.unique(colours, return_index=True, return_counts=True)
    return int(first[often > 1][0]) if (often > 1).any() else None
