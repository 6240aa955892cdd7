"""How much a network's features reveal about the group: a linear probe within each class."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.permuted_groups import UNDEFINED, AgainstChance, Scores, against_chance, discriminant_scores
from fairdistill.metrics.test_set.samples import Samples

_MAX_DIMS = 256


@dataclass(frozen=True)
class ClassLeakage:
    """How well the group can be predicted from the features of one class.

    The probe's accuracy depends on how large the groups are; compare it with ``majority``. ``balanced`` and ``auc`` do
    not, and say what chance alone would show.

    Attributes:
        rows: samples of the class whose group is known.
        probe: fraction of them whose group the probe predicts correctly; NaN if it could not be measured.
        majority: fraction in the largest group, the accuracy of guessing without features; NaN without samples.
        undefined: why the probe is NaN, None if it is not.
        balanced: balanced accuracy of the discriminant: mean over the groups of the fraction predicted correctly.
        auc: area under the ROC curve of one group against the others, mean over the groups.
    """

    rows: int
    probe: float
    majority: float
    undefined: str | None
    balanced: AgainstChance = UNDEFINED
    auc: AgainstChance = UNDEFINED


@dataclass(frozen=True)
class Leakage:
    """How well the group can be predicted from the features within the classes.

    Attributes:
        rows: samples of the classes that have a probe; the two means are over these.
        probe: mean of the classes' ``probe``, weighted by samples; NaN if no class has one.
        majority: mean of the same classes' ``majority``, weighted by samples.
        by_class: one entry per class; those without a probe say why.
        balanced: the same mean of the classes' ``balanced``.
        auc: the same mean of the classes' ``auc``.
    """

    rows: int
    probe: float
    majority: float
    by_class: tuple[ClassLeakage, ...]
    balanced: AgainstChance = UNDEFINED
    auc: AgainstChance = UNDEFINED


def leakage(features: Any, samples: Samples, *, folds: int = 5, seed: int = 0) -> Leakage:
    """Measure how well a linear model predicts the group from the features of each class.

    Per class c, the accuracy of P(group | feature, class = c) fitted as logistic regression on standardized features
    (of more than 256 dimensions, the first 256 principal components), on samples held out in cross-validation. If it
    is no higher than the fraction in the largest group, a linear model finds no trace of the group. Linear probes are
    those of Alain and Bengio, *Understanding intermediate layers using linear classifier probes* (2016); they are
    fitted within a class because MFD (Jung et al., CVPR 2021, section 3) asks that features do not separate the groups
    of one class.

    Balanced accuracy and AUC do not depend on how large the groups are. They are those of a linear discriminant, which
    is quick enough to be fitted again to permuted groups: :mod:`fairdistill.metrics.permuted_groups`.

    Samples made from one picture, or showing one person, stay in one fold. A class in which the second-largest group
    has fewer pictures than there are folds gets fewer folds, at least 2; if that group does not have two pictures, the
    class has no probe.

    Args:
        features: floating point ``[N, ...]``, flattened; all finite.
        samples: their classes, groups and sources; samples of unknown group are left out.
        folds: parts of the cross-validation, at least 2.
        seed: of the folds.

    Returns:
        Fractions; a value that cannot be measured is NaN, with the reason.

    Raises:
        ValueError: if the numbers of rows differ, a feature is not finite, or there are fewer than two folds.

    Example:
        >>> labels, groups = np.zeros(40, int), np.arange(40) % 2
        >>> samples = Samples(labels=labels, groups=groups, sources=np.arange(40), num_classes=1, num_groups=2)
        >>> found = leakage(groups[:, None] * 2.0, samples)
        >>> found.probe, found.majority, found.auc.value, found.auc.p_value < 0.01
        (1.0, 0.5, 1.0, True)
    """
    x = np.asarray(features)
    x = x.reshape(len(x), math.prod(x.shape[1:]))
    label, group, picture = samples.labels, samples.groups, samples.sources
    if len(x) != len(label):
        raise ValueError(
            f"Expected argument `features` to have a row for each of the {len(label)} samples, but got {len(x)}"
        )
    if folds < 2:
        raise ValueError(f"Expected argument `folds` to be at least 2, but got {folds}")
    bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if bad.size:
        raise ValueError(f"Expected argument `features` to be finite, but row {bad[0]} is not")
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    by_class, drawn = [], []
    # The fits are small: threads do not help, and on a busy machine waiting for each other takes 4 to 10 times longer.
    with threadpool_limits(1, user_api="blas"):
        for c in range(samples.num_classes):
            rows = np.flatnonzero((label == c) & (group >= 0))
            found, probed = _within_class(x[rows], group[rows], picture[rows], folds=folds, seed=seed)
            by_class.append(found)
            if probed is not None:
                drawn.append(probed)
    measured = [found for found in by_class if found.undefined is None]
    if not measured:
        return Leakage(rows=0, probe=float("nan"), majority=float("nan"), by_class=tuple(by_class))
    weight = np.array([found.rows for found in measured], np.float64)

    def mean(values: Sequence[Any]) -> Any:
        return np.average(np.stack(values), axis=0, weights=weight)

    draws = min(len(found.auc) for found in drawn)  # fewer in a class of very many samples
    return Leakage(
        rows=int(weight.sum()),
        probe=float(mean([np.float64(found.probe) for found in measured])),
        majority=float(mean([np.float64(found.majority) for found in measured])),
        by_class=tuple(by_class),
        balanced=against_chance(mean([found.balanced[:draws] for found in drawn])),
        auc=against_chance(mean([found.auc[:draws] for found in drawn])),
    )


def _within_class(
    x: NDArray[Any], group: NDArray[Any], picture: NDArray[Any], *, folds: int, seed: int
) -> tuple[ClassLeakage, Scores | None]:
    n, nan = len(group), float("nan")
    if not n:
        return ClassLeakage(0, nan, nan, "it has no samples with a known group"), None
    present, group, counts = np.unique(group, return_inverse=True, return_counts=True)
    majority = float(counts.max() / n)
    if len(present) < 2:
        return ClassLeakage(n, nan, majority, "all its samples are from one group"), None
    # Fitting and testing both need two groups; a third one smaller than the folds is just predicted worse.
    second = sorted(len(np.unique(picture[group == g])) for g in range(len(present)))[-2]
    folds = min(folds, second)
    if folds < 2:
        return ClassLeakage(n, nan, majority, "only one group has two or more pictures"), None
    probe = _probe(x, group, picture, folds=folds, seed=seed)
    scores = discriminant_scores(_main_directions(x, seed), group, picture, folds=folds, seed=seed)
    balanced, auc = against_chance(scores.balanced), against_chance(scores.auc)
    return ClassLeakage(n, probe, majority, None, balanced=balanced, auc=auc), scores


def _main_directions(x: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """Return the features, of more than 256 dimensions the first 256 principal components."""
    if x.shape[1] <= _MAX_DIMS:
        return x.astype(np.float64)
    from sklearn.decomposition import PCA

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(PCA(min(_MAX_DIMS, len(x) - 1), random_state=seed).fit_transform(x), np.float64)


def _probe(x: NDArray[Any], group: NDArray[Any], picture: NDArray[Any], *, folds: int, seed: int) -> float:
    """Return the fraction of held-out samples whose group is predicted correctly."""
    from sklearn.decomposition import PCA  # takes a second to import, which only this measure needs
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    right = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of groups smaller than the folds, constant features, fits that end early
        split = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        for train, test in split.split(x, group, picture):
            known = np.unique(group[train])
            if len(known) == 1:  # pictures of one group may all have come into one fold
                right += int((group[test] == known[0]).sum())
                continue
            steps: list[Any] = [StandardScaler(), LogisticRegression(max_iter=1000)]
            if x.shape[1] > _MAX_DIMS:
                steps.insert(0, PCA(min(_MAX_DIMS, len(train) - 1), random_state=seed))
            model = make_pipeline(*steps).fit(x[train], group[train])
            right += int((model.predict(x[test]) == group[test]).sum())
    return right / len(group)
