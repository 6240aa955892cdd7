"""All heads, fitted to training samples and to cross-fitted folds of validation samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal

import torch
from torch import Tensor

from fairdistill.errors import UsageError
from fairdistill.heads.data import HeadData
from fairdistill.heads.head import Head
from fairdistill.heads.methods import HEAD_METHODS, HeadMethod
from fairdistill.heads.problem import Problem
from fairdistill.heads.standardized import Standardized
from fairdistill.metrics.folds import even_folds

FittedOn = Literal["train", "validation"]


@dataclass(frozen=True, eq=False)
class HeadFit:
    """A fitted head.

    Attributes:
        method: its name in :data:`~fairdistill.heads.HEAD_METHODS`.
        settings: what it was fitted with.
        fitted_on: which samples it was fitted to.
        head: the head, float32, for raw features.
        validation_logits: float32 ``[N, C]`` of the validation samples. If it was fitted to these, each sample's come
            from a head that was fitted to the other folds, and ``head`` was fitted to all of them.
        seconds: what all its fits took.
    """

    method: str
    settings: Mapping[str, float]
    fitted_on: FittedOn
    head: Head
    validation_logits: Tensor
    seconds: float


@dataclass(frozen=True)
class HeadSkipped:
    """A method that could not be fitted.

    Attributes:
        method: its name.
        fitted_on: to which samples.
        reason: why, as part of a sentence.
        empty: the subgroups without samples, as (class, group).
    """

    method: str
    fitted_on: FittedOn
    reason: str
    empty: tuple[tuple[int, int], ...]


def fit_heads(
    validation: HeadData,
    deployed: Head,
    *,
    train: HeadData | None,
    methods: Sequence[str] | None = None,
    folds: int = 5,
    seed: int = 0,
    skipped: Callable[[HeadSkipped], object] = lambda _: None,
) -> Iterator[HeadFit]:
    """Return an iterator that fits one head at each step, the most promising first; stop whenever you like.

    Every method is fitted to the validation samples and, if given, to the training samples: networks memorize their
    training images, so that the features of other images may be the better teacher.

    Args:
        validation: the validation samples.
        deployed: the head in use, of raw features. If it has no bias, that of each fitted head is dropped, also of each
            fold's.
        train: the training samples.
        methods: names in :data:`~fairdistill.heads.HEAD_METHODS`; all by default.
        folds: into how many folds the validation samples are divided, fewer if there are fewer sources; 0: fit to the
            training samples alone.
        seed: of the folds and of drawn batches.
        skipped: called with each method that cannot be fitted, and why.

    Raises:
        UsageError: for an unknown method, a number of folds that is negative or 1, or features of another size than
            the head's.

    Example:
        >>> draw = torch.Generator().manual_seed(0)
        >>> labels, groups = torch.arange(80) % 2, torch.arange(80) // 2 % 2
        >>> features = torch.randn(80, 3, generator=draw) + labels.unsqueeze(1)
        >>> data = HeadData(features, labels, groups, torch.arange(80), num_classes=2, num_groups=2)
        >>> deployed = Head(torch.zeros(2, 3), torch.zeros(2))
        >>> fit = next(fit_heads(data, deployed, train=None, methods=["fair"]))
        >>> fit.fitted_on, dict(fit.settings), tuple(fit.head.weight.shape)
        ('validation', {'strength': 0.3, 'penalty': 0.01}, (2, 3))
    """
    names = list(HEAD_METHODS) if methods is None else list(methods)
    _check(validation, deployed, train, names, folds)
    return _fitted(_Sets(validation, train, deployed, folds, seed), names, skipped)


def _check(validation: HeadData, deployed: Head, train: HeadData | None, names: Sequence[str], folds: int) -> None:
    for name in names:
        if name not in HEAD_METHODS:
            raise UsageError(f"unknown head method {name!r}; choose from {', '.join(HEAD_METHODS)}")
    if folds < 0 or folds == 1:
        raise UsageError(f"Expected argument `folds` to be at least 2, or 0, but got {folds}")
    for data in (validation, train):
        if data is not None and (data.num_classes, data.features.shape[1]) != tuple(deployed.weight.shape):
            raise UsageError(
                f"Expected a head of {data.num_classes} classes and {data.features.shape[1]} features, "
                f"but got {tuple(deployed.weight.shape)}"
            )


@dataclass(frozen=True, eq=False)
class _Sets:
    validation: HeadData
    train: HeadData | None
    deployed: Head
    folds: int
    seed: int

    def outward(self, features: Standardized, head: Head) -> Head:
        """Return the head of the raw features, float32, for one of the standardized features."""
        found = features.outward(head)
        return found if self.deployed.has_bias else Head(found.weight, torch.zeros_like(found.bias))


def _fitted(sets: _Sets, names: Sequence[str], skipped: Callable[[HeadSkipped], object]) -> Iterator[HeadFit]:
    crossed = _Crossed(sets) if sets.folds else None
    trained = None if sets.train is None else _Trained(sets, sets.train)
    for name in names:
        for way in (crossed, trained):
            if way is None:
                continue
            method = HEAD_METHODS[name]
            reason = method.obstacle(way.whole) or way.obstacle
            if reason is not None:
                empty = tuple((int(c), int(g)) for c, g in (way.whole.cells == 0).nonzero())
                skipped(HeadSkipped(name, way.fitted_on, reason, empty))
                continue
            for settings in method.settings:
                start = perf_counter()
                head, logits = way.fit(method, settings)
                yield HeadFit(name, settings, way.fitted_on, head, logits, perf_counter() - start)


def _problem(features: Standardized, data: HeadData, rows: Tensor, sets: _Sets) -> Problem:
    """Return the problem of some rows, in this order, whose features are given."""
    return Problem(
        features, data.labels[rows], data.groups[rows], data.num_groups, features.inward(sets.deployed), sets.seed
    )


class _Trained:
    """Fits to the training samples."""

    fitted_on: FittedOn = "train"
    obstacle: str | None = None

    def __init__(self, sets: _Sets, train: HeadData) -> None:
        self._sets = sets
        self.whole = _problem(Standardized.of([train.features]), train, torch.arange(len(train)), sets)

    def fit(self, method: HeadMethod, settings: Mapping[str, float]) -> tuple[Head, Tensor]:
        head = self._sets.outward(self.whole.features, method.fit(self.whole, **settings))
        return head, head.logits(self._sets.validation.features)


class _Crossed:
    """Fits to the validation samples: one to all of them, and one to all but each fold."""

    fitted_on: FittedOn = "validation"

    def __init__(self, sets: _Sets) -> None:
        self._sets, data = sets, sets.validation
        sources = len(data.sources.unique())
        folds = max(1, min(sets.folds, sources))
        self.obstacle = None if sources > 1 else "cross-fitting needs samples of at least two sources"
        fold = torch.from_numpy(
            even_folds(data.labels.numpy(), data.groups.numpy(), data.sources.numpy(), folds=folds, seed=sets.seed)
        )
        self._rows = [(fold == k).nonzero().flatten() for k in range(folds)]
        self._features = Standardized.of([data.features[rows] for rows in self._rows])
        self.whole = _problem(self._features, data, torch.cat(self._rows), sets)
        self._others = [self._without(k, data, sets) for k in range(folds)]

    def _without(self, fold: int, data: HeadData, sets: _Sets) -> Problem:
        kept = [k for k in range(len(self._rows)) if k != fold] or [fold]
        features = replace(self._features, parts=tuple(self._features.parts[k] for k in kept))
        return _problem(features, data, torch.cat([self._rows[k] for k in kept]), sets)

    def fit(self, method: HeadMethod, settings: Mapping[str, float]) -> tuple[Head, Tensor]:
        logits = torch.empty(len(self.whole.labels), self.whole.num_classes)
        for rows, others, own in zip(self._rows, self._others, self._features.parts, strict=True):
            head = others.deployed if method.obstacle(others) else method.fit(others, **settings)
            dropped = 0.0 if self._sets.deployed.has_bias else self._features.outward(head).bias
            logits[rows] = replace(self._features, parts=(own,)).logits(head) - dropped
        return self._sets.outward(self._features, method.fit(self.whole, **settings)), logits
