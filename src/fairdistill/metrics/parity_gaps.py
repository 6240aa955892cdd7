"""The differences of demographic parity and equalized odds (`parity.py`) with their intervals and chance levels."""

from __future__ import annotations

import numpy as np

from fairdistill.metrics.arrays import Floats, Ints, empirical_p_value, spread
from fairdistill.metrics.bootstrap.rates import RatedRows, drawn_rates
from fairdistill.metrics.counts import Counts, checked_indices
from fairdistill.metrics.gap.evidence import Evidence, Tally
from fairdistill.metrics.gap.gaps import Gaps
from fairdistill.metrics.gap.grouped import GroupedRows
from fairdistill.metrics.gap.upper import GapInversion
from fairdistill.metrics.gap.values import NO_GAP, UNDEFINED_GAP, Gap
from fairdistill.metrics.test_set.distinct import sources_per_cell
from fairdistill.metrics.test_set.ranks import ranked
from fairdistill.metrics.test_set.samples import DEFAULT_DRAWING, Drawing, Samples

_FEW_COUNTS = 4000  # of groups, classes and outcomes that can be exchanged in a second or two
_FEW_ROWS = 200_000  # of sources with several rows


def parity_gaps(predicted: Ints, samples: Samples, drawing: Drawing = DEFAULT_DRAWING) -> tuple[Gap, Gap]:
    """Return the differences of demographic parity and of equalized odds with their intervals and floors.

    Args:
        predicted: int64 ``[N]`` predicted classes.
        samples: the test set; samples of unknown group do not count.
        drawing: how test sets are drawn; fewer than requested if that takes long, but at least 200.

    Returns:
        The demographic parity difference and the equalized odds difference.

    Raises:
        ValueError: if the predictions are not classes, or not of the samples of the test set.

    Example:
        >>> rows = np.arange(400)
        >>> samples = Samples(labels=rows % 2, groups=rows // 200, sources=rows, num_classes=2, num_groups=2)
        >>> parity, odds = parity_gaps(np.where(rows < 50, 1, rows % 2), samples)
        >>> parity.value, parity.low > 0, odds.value
        (0.125, True, 0.25)
    """
    predicted = checked_indices(predicted, "predicted", low=0, high=samples.num_classes)
    if len(predicted) != len(samples.labels):
        raise ValueError(
            f"Expected argument `predicted` to hold a class of each of the {len(samples.labels)} samples, "
            f"but got {len(predicted)}"
        )
    known = samples.groups >= 0
    if not known.any():
        return UNDEFINED_GAP, UNDEFINED_GAP
    shape = (samples.num_groups, samples.num_classes)
    groups, labels, chosen, sources = (
        each[known] for each in (samples.groups, samples.labels, predicted, samples.sources)
    )
    ranks = ranked(groups=groups, classes=(labels, chosen), codes=np.zeros_like(groups), sources=sources, shape=shape)
    rows = RatedRows(ranks.groups[groups], ranks.classes[labels], ranks.classes[chosen], sources, shape)
    observed = rows.rate_counts
    selection, tpr_fpr = drawn_rates(rows, drawing)
    of_group = int(observed.of_group.max())
    of_rate = int(max(observed.actual.max(), (observed.of_group - observed.actual).max()))
    parity = _gap(observed.selection, selection, _exchanged_over_all(rows, drawing), drawing, most=of_group)
    del selection  # of 1,000 classes and 50 groups, 80 MB
    return parity, _gap(observed.tpr_fpr, tpr_fpr, _exchanged_in_class(rows, drawing), drawing, most=of_rate)


def _gap(rates: Floats, noise: Floats, evidence: Evidence, drawing: Drawing, *, most: int) -> Gap:
    """Return the largest gap of rates ``[G, K]``.

    Args:
        rates: the rates.
        noise: what drawn test sets add to them, ``[B, G, K]``.
        evidence: the rows behind them; its counts are made only if there are few of them.
        drawing: how test sets were drawn.
        most: samples behind the rate of the most.
    """
    if np.isnan(rates).any():
        return UNDEFINED_GAP
    if len(rates) == 1:
        return NO_GAP
    several = len(evidence.rows.sources) > _FEW_ROWS and not evidence.rows.independent
    if np.prod(evidence.rows.shape) <= _FEW_COUNTS and not several:
        return Gaps(rates[None], noise[:, None], evidence, confidence=drawing.confidence).of("max")[0]
    return largest_of_many(rates, noise, confidence=drawing.confidence, resolution=1 / max(1, most))


def largest_of_many(rates: Floats, noise: Floats, *, confidence: float, resolution: float) -> Gap:
    """Return the largest gap of very many rates, whose floor is that of the noise.

    The observed gap is at most the true one plus the largest gap of the noise: this gives the lower end.

    Args:
        rates: float64 ``[G, K]``.
        noise: float64 ``[B, G, K]``: what drawn test sets add to them.
        confidence: of the interval.
        resolution: smallest step of a rate.
    """
    gaps, drawn = spread(rates), spread(noise)
    value, floor = float(gaps.max()), drawn.max(axis=1)
    # What is never the largest, even where it is drawn as large as it can be, decides nothing.
    used = gaps + drawn.max(axis=0) >= min(float(floor.min()), value)
    inverted = GapInversion(rates[None][..., used], noise[:, None][..., used], "max", resolution=resolution)
    tails = ((1 - confidence) / 2, 1 - confidence)
    low, at_least = (max(0.0, value - float(np.quantile(floor, 1 - tail))) for tail in tails)
    high, at_most = (float(end) for end in inverted.high(tails))
    at_most = max(at_least, at_most)
    high = max(high, at_most)
    return Gap(
        value=value,
        low=low,
        high=high,
        estimate=min(max(float(inverted.estimate()), low), high),
        floor=float(floor.mean()),
        floor_low=float(np.quantile(floor, 0.025)),
        floor_high=min(1.0, float(np.quantile(floor, 0.975))),
        p_value=empirical_p_value(value, floor),
        at_least=at_least,
        at_most=at_most,
    )


def _exchanged_over_all(rows: RatedRows, drawing: Drawing) -> Evidence:
    """Return the rows behind selection rates: without a gap, all rows may exchange their groups."""

    def tally(counts: Counts) -> tuple[Floats, Floats]:
        chosen = counts[..., None, :, 0, :]
        return chosen.astype(np.float64), np.broadcast_to(chosen.sum(axis=-1, keepdims=True), chosen.shape)

    return _evidence(rows, np.zeros_like(rows.labels), 1, tally, drawing)


def _exchanged_in_class(rows: RatedRows, drawing: Drawing) -> Evidence:
    """Return the rows behind TPR and FPR: without a gap, rows of a class may exchange their groups."""

    def tally(counts: Counts) -> tuple[Floats, Floats]:
        of_class = counts.sum(axis=-1)
        right = np.einsum("...gcc->...gc", counts)
        wrong, others = counts.sum(axis=-2) - right, of_class.sum(axis=-1, keepdims=True) - of_class
        part, whole = (
            np.concatenate(each, axis=-1)[..., None, :, :].astype(np.float64)
            for each in ((right, wrong), (of_class, others))
        )
        return part, whole

    return _evidence(rows, rows.labels, rows.shape[1], tally, drawing)


def _evidence(rows: RatedRows, strata: Ints, num_strata: int, tally: Tally, drawing: Drawing) -> Evidence:
    groups, classes = rows.shape
    exchanged = GroupedRows(
        groups=rows.groups,
        strata=strata,
        codes=rows.predicted,
        sources=rows.sources,
        shape=(groups, num_strata, classes),
    )
    own = rows.groups * classes + rows.labels
    of_class = sources_per_cell(own, rows.sources, groups * classes).reshape(rows.shape)
    of_group = sources_per_cell(rows.groups, rows.sources, groups)[:, None]
    columns = [np.repeat(of_group, classes, axis=1)]
    if num_strata > 1:
        columns = [of_class, of_group - of_class if rows.outcomes.independent else columns[0]]
    return Evidence(
        rows=exchanged,
        tally=tally,
        independent_rows=np.concatenate(columns, axis=1),
        draws=drawing.draws,
        seed=drawing.seed,
    )
