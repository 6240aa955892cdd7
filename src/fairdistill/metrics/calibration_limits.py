"""The calibration error of each group with its interval, and what a perfectly calibrated model would show by chance.

The calibration error adds up absolute differences, so chance makes it larger, especially with few rows: that of a
perfectly calibrated model is not 0. Its *floor* is found by drawing outcomes from the confidences.

The interval is of the error that the same bins would show on a very large test set: sum_m w_m |delta_m|, with w_m the
share of bin m and delta_m its accuracy minus its confidence. With noise e_m and s_m the sign of delta_m,

    tau + sum_m w_m s_m e_m  <=  T = sum_m w_m |delta_m + e_m|  <=  tau + sum_m w_m |e_m|,

so the upper end adds only the noise of a sum to the observed T, and the lower end takes off what absolute noise can
add. In bins whose difference is beyond doubt, the sign is known and the noise counts with its sign there too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from fairdistill.metrics.arrays import Flags, Floats, Ints, empirical_p_value
from fairdistill.metrics.calibration import bin_of, most_probable, probability_rows
from fairdistill.metrics.test_set.distinct import numbered, sources_per_cell
from fairdistill.metrics.test_set.samples import DEFAULT_DRAWING, Drawing, Samples

_BEYOND_DOUBT = 3.0  # standard errors
_NUMBERS = 2e7  # drawn at once


@dataclass(frozen=True)
class Calibration:
    """The expected calibration error of some rows; fractions, NaN where undefined.

    Attributes:
        rows: how many rows it is of.
        value: the error, see :func:`fairdistill.metrics.calibration.expected_calibration_error`.
        low: lower end of its interval.
        high: upper end.
        floor: mean error that a perfectly calibrated model with these confidences shows by chance.
        floor_low: 2.5th percentile of that.
        floor_high: 97.5th percentile.
        p_value: how often such a model shows an error at least as large.
    """

    rows: int
    value: float
    low: float
    high: float
    floor: float
    floor_low: float
    floor_high: float
    p_value: float


UNDEFINED_CALIBRATION = Calibration(0, *[float("nan")] * 7)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Residuals:
    """Right or wrong minus confidence, of the rows of all sets.

    Attributes:
        rows: float64 ``[S, M]``: rows of each set and bin.
        right: float64 ``[S, M]``: how many are right.
        sum: float64 ``[S, M]``: sum of the residuals.
        chance: float64 ``[S, M]``: sum of confidence times one minus confidence.
        confidence: float64 ``[S, M]``: sum of the confidences.
        sources: int64 ``[S]``: independent sources of each set.
        inflation: how much more the sums of bins vary because rows of one source are alike; at least 1.
        total_inflation: the same of sums over bins.
    """

    rows: Floats
    right: Floats
    sum: Floats
    chance: Floats
    confidence: Floats
    sources: Ints
    inflation: float
    total_inflation: float


def calibration_limits(
    probabilities: NDArray[np.floating], samples: Samples, drawing: Drawing = DEFAULT_DRAWING, *, bins: int = 15
) -> list[Calibration]:
    """Return the calibration error of each group and, last, of all rows, those of unknown group included.

    Args:
        probabilities: floating point ``[N, C]``; each row is at least 0 and sums to 1.
        samples: classes, groups and sources of the rows.
        drawing: confidence of the intervals, number of draws (fewer if there are very many groups) and their seed.
        bins: number of bins of equal width over (0, 1].

    Raises:
        ValueError: if a row does not hold probabilities, or they are not of the samples and classes of the test set.

    Example:
        >>> rows = np.arange(100)
        >>> samples = Samples(labels=rows % 2, groups=rows // 50, sources=rows, num_classes=2, num_groups=2)
        >>> sure = np.full((100, 2), [0.9, 0.1])
        >>> found = calibration_limits(sure, samples)[-1]
        >>> found.rows, round(found.value, 3), bool(found.low > found.floor_high)
        (100, 0.4, True)
    """
    share = probability_rows(probabilities)
    if share.shape != (len(samples.labels), samples.num_classes):
        raise ValueError(
            f"Expected argument `probabilities` to be {[len(samples.labels), samples.num_classes]}, "
            f"but got {list(share.shape)}"
        )
    residuals = _residuals(share, samples, bins)
    n = residuals.rows.sum(axis=1)
    draws = max(200, min(drawing.draws, int(_NUMBERS / residuals.rows.size)))
    found = []
    for at, rows in enumerate(n.tolist()):
        if rows == 0:
            found.append(UNDEFINED_CALIBRATION)
            continue
        one = {name: getattr(residuals, name)[at] for name in ("rows", "right", "sum", "chance", "confidence")}
        filled = one["rows"] > 0
        of_set = replace(
            residuals, **{name: values[filled] for name, values in one.items()}, sources=residuals.sources[at]
        )
        # Each set has random numbers of its own, so that the order of the groups does not matter.
        found.append(_limits(of_set, replace(drawing, draws=draws), np.random.default_rng(drawing.seed)))
    return found


def _limits(one: _Residuals, drawing: Drawing, generator: np.random.Generator) -> Calibration:
    """Return the error of one set; its arrays are of the bins that have rows, ``[M]``."""
    n = one.rows.sum()
    value = float(np.abs(one.sum).sum() / n)
    floor = _floor(one, drawing.draws, generator)
    tail = (1 - drawing.confidence) / 2
    share = (one.right + 1) / (one.rows + 2)  # a bin whose rows are all right may have wrong ones
    variance = one.rows * share * (1 - share)
    between = float((one.rows * (np.abs(one.sum / one.rows) - value) ** 2).sum())
    error = np.sqrt((variance.sum() + between) * one.total_inflation) / n
    high = value + float(stdtrit(max(1, one.sources - 1), 1 - tail)) * error
    noise = np.sqrt(variance * one.inflation) * generator.standard_normal((drawing.draws, len(variance)))
    known = np.abs(one.sum) > _BEYOND_DOUBT * np.sqrt(variance * one.inflation)
    added = np.where(known, noise, np.abs(noise)).sum(axis=1)
    added += np.sqrt(between * one.total_inflation) * generator.standard_normal(drawing.draws)
    p_value = empirical_p_value(value, floor)
    low = value - float(np.quantile(added, 1 - tail)) / n
    floor_low, floor_high = np.quantile(floor, [0.025, 0.975])
    return Calibration(
        rows=int(n),
        value=value,
        low=0.0 if p_value > tail else min(max(low, 0.0), value),
        high=min(max(high, value), 1.0),
        floor=float(floor.mean()),
        floor_low=float(floor_low),
        floor_high=min(float(floor_high), 1.0),
        p_value=p_value,
    )


def _floor(one: _Residuals, draws: int, generator: np.random.Generator) -> Floats:
    """Return the errors of drawn outcomes of a perfectly calibrated model, float64 ``[draws]``.

    The number of right rows of a bin is drawn as binomial with the mean confidence, and scaled to the variance that
    the confidences of the bin have.
    """
    mean = np.clip(one.confidence / one.rows, 0, 1)
    drawn = generator.binomial(one.rows.astype(np.int64), mean, size=(draws, len(mean))) - one.rows * mean
    usual = one.rows * mean * (1 - mean)
    scale = np.sqrt(np.divide(one.chance, usual, out=np.zeros_like(usual), where=usual > 0) * one.inflation)
    return np.asarray(np.abs(drawn * scale).sum(axis=1) / one.rows.sum())


def _residuals(share: NDArray[np.floating], samples: Samples, bins: int) -> _Residuals:
    confidence, right = most_probable(share, samples.labels)
    confidence = np.minimum(confidence.astype(np.float64), 1.0)
    bin_ = bin_of(confidence, bins)
    residual = right - confidence
    sets = samples.num_groups + 1
    group = samples.all_groups
    cell = group * bins + bin_

    def by_set(weights: NDArray[np.floating] | Flags | None = None) -> Floats:
        found = np.bincount(cell, weights, minlength=sets * bins).reshape(sets, bins).astype(np.float64)
        found[-1] = found.sum(axis=0)
        return found

    rows, total = by_set(), by_set(residual)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nan_to_num(total[-1] / rows[-1])
    owner = numbered(samples.sources)
    number = int(owner.max(initial=-1)) + 1
    alone = number == len(group)
    of_group = rows.sum(axis=1)[:-1] if alone else sources_per_cell(group, owner, sets)[:-1]
    signed = np.sign(mean)[bin_] * residual
    return _Residuals(
        rows=rows,
        right=by_set(right),
        sum=total,
        chance=by_set(confidence * (1 - confidence)),
        confidence=by_set(confidence),
        sources=np.append(of_group, number).astype(np.int64),
        inflation=1.0 if alone else _inflation(residual - mean[bin_], owner * bins + bin_),
        total_inflation=1.0 if alone else _inflation(signed - signed.mean(), owner),
    )


def _inflation(residual: Floats, cluster: Ints) -> float:
    """Return by how much sums vary more than those of independent rows: sum over clusters of (sum r)^2 by sum r^2."""
    sums = np.bincount(np.unique(cluster, return_inverse=True)[1], residual)
    of_rows = float((residual**2).sum())
    return max(1.0, float((sums**2).sum()) / of_rows) if of_rows > 0 else 1.0
