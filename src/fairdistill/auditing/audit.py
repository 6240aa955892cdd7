"""The audit: how unequally a model treats groups, with what certainty, from predictions of any software."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import check_types
from fairdistill.errors import DataError, UsageError
from fairdistill.metrics import Counts, empty_cells
from fairdistill.metrics.calibration import calibration_bins, expected_calibration_error, overall_calibration_error
from fairdistill.metrics.paired import Paired, paired_test
from fairdistill.metrics.parity import parity_gaps
from fairdistill.metrics.resampling import Resampled
from fairdistill.metrics.sizing import gap_resolved, rows_to_resolve
from fairdistill.posthoc import GroupLogitAdjustment, GroupThresholds
from fairdistill.predictions import Predictions
from fairdistill.predictions.predictions import paired, run_predictions
from fairdistill.predictions.table import TableColumns, read_predictions
from fairdistill.runs import RunFolder

FORMAT_VERSION = 1
_RESOLVED = (0.02, 0.05, 0.1)
_MEMORY = 2**31

Verdict = Literal["within", "beyond", "undecided"]
EXIT_CODES: Mapping[Verdict, int] = {"within": 0, "beyond": 1, "undecided": 3}


@dataclass(frozen=True, kw_only=True)
class IntervalOptions:
    """How intervals are found."""

    confidence: float = 0.95
    """Confidence of every interval."""
    draws: int = 10_000
    """Test sets that are drawn for the intervals."""
    seed: int = 0
    """Seed of the draws."""

    def __post_init__(self) -> None:
        check_types(self)
        if not 0 < self.confidence < 1:
            raise UsageError(f"expected confidence to lie between 0 and 1, but got {self.confidence}")
        if not 100 <= self.draws <= 1_000_000:
            raise UsageError(f"expected draws to lie in 100 to 1,000,000, but got {self.draws}")
        if self.seed < 0:
            raise UsageError(f"expected seed to be at least 0, but got {self.seed}")
        needed = math.ceil(10 / (1 - self.confidence))
        if self.draws < min(needed, 1_000_000):
            raise UsageError(f"confidence {self.confidence:g} needs at least {needed:,} draws, but got {self.draws:,}")

    @property
    def drawing(self) -> dict[str, Any]:
        """The three options, by argument of the statistics."""
        return {"confidence": self.confidence, "draws": self.draws, "seed": self.seed}


@dataclass(frozen=True, kw_only=True)
class AuditOptions(IntervalOptions):
    """How an audit is done, and the limits it is held to."""

    max_deo_a: float | None = None
    """Limit of DEO_A, a fraction: exit 0 if its interval lies within, 1 if beyond, 3 if the data cannot tell."""
    max_deo_m: float | None = None
    """Limit of DEO_M, likewise."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_deo_a", "max_deo_m"):
            limit = getattr(self, name)
            if limit is not None and not 0 <= limit <= 1:
                raise UsageError(f"expected {name} to be a fraction in [0, 1], but got {limit}; 5% is 0.05")


def audit(
    source: Predictions | str | Path,
    options: AuditOptions | None = None,
    *,
    columns: TableColumns | None = None,
    against: Predictions | None = None,
    validation: Predictions | None = None,
) -> dict[str, Any]:
    """Return everything an audit says; ``audit.json`` holds it as it is.

    Args:
        source: a model's predictions of a test set: themselves, a table of them, or a finished run folder, which brings
            its teacher's and its validation predictions along.
        options: see :class:`AuditOptions`.
        columns: what the columns of a table mean.
        against: another model's predictions of the same rows, such as the teacher's: adds a paired test.
        validation: the model's predictions of validation rows: adds the post-hoc baselines, fitted on them.

    Raises:
        DataError: if there are not at least two classes and two groups, or a table cannot be used or does not fit.
        RunFolderError: if a folder is no finished run.

    Example:
        >>> import numpy as np
        >>> rows = np.arange(400)
        >>> said = audit(Predictions(
        ...     where="made up", ids=None, sources=rows, labels=rows % 2, groups=rows // 2 % 2,
        ...     predicted=np.where(rows < 40, 0, rows % 2), probabilities=None,
        ...     class_names=("no", "yes"), group_names=("a", "b")))
        >>> said["metrics"]["accuracy"]["value"], said["empty_cells"]
        (0.95, [])
    """
    options = options or AuditOptions()
    if isinstance(source, Predictions):
        predictions = source
    elif Path(source).is_dir():
        predictions, of_teacher, on_validation = run_inputs(RunFolder.open(source))
        against, validation = against or of_teacher, validation or on_validation
    else:
        predictions = read_predictions(Path(source), columns or TableColumns(), keep_ids=against is not None)
    _check(predictions)
    counts = predictions.counts
    sample = _sample(predictions, options)
    *by_group, calibration = _calibration(predictions)
    metrics = _metrics(predictions, sample, options) | {"calibration_error": calibration}
    collapsed = len(np.unique(predictions.predicted)) == 1
    return {
        "format_version": FORMAT_VERSION,
        "where": predictions.where,
        "rows": len(predictions),
        "unknown_groups": int((predictions.groups < 0).sum()),
        "sources": len(np.unique(predictions.sources)),
        "class_names": list(predictions.class_names),
        "group_names": list(predictions.group_names),
        "confidence": options.confidence,
        "draws": sample.draws,
        "seed": options.seed,
        "metrics": metrics,
        "classes": _classes(predictions, sample),
        "groups": _groups(predictions, sample, by_group),
        "cells": _cells(predictions, sample),
        "counts": counts.tolist(),
        "empty_cells": [list(cell) for cell in empty_cells(counts)],
        "collapsed": collapsed,
        "sizing": sizing(counts, metrics["accuracy"]["value"], options.confidence),
        "limits": _limits(metrics, options, collapsed=collapsed),
        "notes": _notes(predictions),
        "against": None if against is None else _against(predictions, against, options),
        "posthoc": None if validation is None else _posthoc(predictions, validation, options),
    }


def run_inputs(run: RunFolder) -> tuple[Predictions, Predictions | None, Predictions | None]:
    """Return a finished run's predictions of the test set, its teacher's, and its own of the validation set."""
    own = run_predictions(run)
    found = [
        run_predictions(run, name) if (run.path / name).exists() else None
        for name in ("teacher_predictions.csv", "validation_predictions.csv")
    ]
    return own, found[0], found[1]


def exit_code(said: Mapping[str, Any]) -> int:
    """Return 0 if every limit is kept, 1 if one is certainly broken, 3 if the data cannot tell."""
    verdicts = {limit["verdict"] for limit in said["limits"]}
    return next((EXIT_CODES[verdict] for verdict in ("beyond", "undecided") if verdict in verdicts), 0)


def _check(predictions: Predictions) -> None:
    for names, what in ((predictions.class_names, "class"), (predictions.group_names, "group")):
        if len(names) < 2:
            known = f"one {what}, {names[0]!r}" if names else f"no {what} at all"
            raise DataError(f"{predictions.where} has {known}; a gap between groups needs two of each")
    size = 8 * len(predictions.group_names) * len(predictions.class_names) ** 2
    if size > _MEMORY:
        raise DataError(
            f"{predictions.where} has {len(predictions.group_names):,} groups and {len(predictions.class_names):,} "
            "classes: "
            f"counting every pair of classes in each would take {size / 2**30:,.1f} GiB; join classes or groups, or "
            "see whether a column of numbers is taken for one of names"
        )


def _notes(predictions: Predictions) -> list[str]:
    """Return what a reader should know of the predictions, a sentence each."""
    notes = list(predictions.notes)
    known = np.isin(np.arange(len(predictions.class_names)), predictions.labels)
    never = [predictions.class_names[label] for label in np.unique(predictions.predicted).tolist() if not known[label]]
    if never:
        notes.append(
            f"No row is labelled {', '.join(map(repr, never[:5]))}, which the model predicts; if these are other "
            "spellings of the labels, write them alike"
        )
    given = predictions.probabilities
    if given is not None:
        other = int((given.argmax(axis=1) != predictions.predicted).sum())
        if other:
            notes.append(
                f"In {other:,} rows another class than the predicted one is the most probable: the calibration error "
                "is of the probabilities"
            )
    return notes


def _metrics(predictions: Predictions, sample: Resampled, options: AuditOptions) -> dict[str, Any]:
    parity, odds = parity_gaps(predicted=predictions.predicted, **predictions.sample, **options.drawing)
    return {
        "accuracy": asdict(sample.accuracy()),
        "balanced_accuracy": asdict(sample.balanced_accuracy()),
        **worst(sample, predictions.class_names, predictions.group_names),
        "deo_a": asdict(sample.gap("mean")),
        "deo_m": asdict(sample.gap("max")),
        "demographic_parity": asdict(parity),
        "equalised_odds": asdict(odds),
    }


def worst(sample: Resampled, class_names: Sequence[str], group_names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the worst group and the worst cell, and which they are."""
    of_group, group = sample.worst_group()
    of_cell, cell = sample.worst_cell()
    return {
        "worst_group": {**asdict(of_group), "group": None if group is None else group_names[group]},
        "worst_cell": {
            **asdict(of_cell),
            "group": None if cell is None else group_names[cell[0]],
            "class": None if cell is None else class_names[cell[1]],
        },
    }


def _calibration(predictions: Predictions) -> list[float | None]:
    """Return the expected calibration error of each group and, last, of all of them; None without probabilities."""
    groups = len(predictions.group_names)
    if predictions.probabilities is None:
        return [None] * (groups + 1)
    bins = calibration_bins(predictions.labels, predictions.probabilities, predictions.groups, num_groups=groups)
    return [*expected_calibration_error(bins).tolist(), overall_calibration_error(bins)]


def _classes(predictions: Predictions, sample: Resampled) -> list[dict[str, Any]]:
    gaps = sample.gap_by_class()
    return [
        {
            "class": name,
            "rows": int(sample.all_rows[:, label].sum()),
            "accuracy": asdict(sample.class_accuracy(label)),
            "deo": asdict(gaps[label]),
        }
        for label, name in enumerate(predictions.class_names)
    ]


def _groups(predictions: Predictions, sample: Resampled, calibration: Sequence[float | None]) -> list[dict[str, Any]]:
    return [
        {
            "group": name,
            "rows": int(sample.rows[group].sum()),
            "accuracy": asdict(sample.group_accuracy(group)),
            "calibration_error": calibration[group],
        }
        for group, name in enumerate(predictions.group_names)
    ]


def _cells(predictions: Predictions, sample: Resampled) -> list[dict[str, Any]]:
    values, limits = sample.cell_accuracy()
    return [
        {
            "group": group_name,
            "class": class_name,
            "rows": int(sample.rows[group, label]),
            "accuracy": {
                "value": float(values[group, label]),
                "low": float(limits.low[group, label]),
                "high": float(limits.high[group, label]),
            },
        }
        for group, group_name in enumerate(predictions.group_names)
        for label, class_name in enumerate(predictions.class_names)
    ]


def sizing(counts: Counts, accuracy: float, confidence: float) -> dict[str, Any]:
    """Return what gap the smallest cell can show, and how many rows smaller ones need; for independent rows."""
    smallest = int(counts.sum(axis=2).min())
    return {
        "power": 0.8,
        "smallest_cell": smallest,
        "gap_resolved": gap_resolved(smallest, accuracy=accuracy, confidence=confidence),
        "rows_needed": [
            {"gap": gap, "rows": rows_to_resolve(gap, accuracy=accuracy, confidence=confidence)} for gap in _RESOLVED
        ],
    }


def _limits(metrics: Mapping[str, Any], options: AuditOptions, *, collapsed: bool) -> list[dict[str, Any]]:
    found = []
    for name in ("deo_a", "deo_m"):
        limit = getattr(options, f"max_{name}")
        if limit is None:
            continue
        low, high = metrics[name]["low"], metrics[name]["high"]
        verdict: Verdict = "within" if high <= limit else "beyond" if low > limit else "undecided"
        if collapsed:  # its gap of 0 says nothing
            verdict = "undecided"
        found.append({"metric": name, "limit": limit, "verdict": verdict})
    return found


def _against(predictions: Predictions, other: Predictions, options: AuditOptions) -> dict[str, Any]:
    other, own = paired(other, predictions)
    found = paired_test(other.correct, own.correct, **own.sample, **options.drawing)
    return {"where": other.where, **described(found, own.class_names, own.group_names)}


def described(found: Paired, class_names: Sequence[str], group_names: Sequence[str]) -> dict[str, Any]:
    """Return a paired test with the names of its cells."""
    return {
        **{name: asdict(getattr(found, name)) for name in ("accuracy", "deo_a", "deo_m")},
        "cells": [
            {
                "group": group_names[cell.group],
                "class": class_names[cell.label],
                **{key: value for key, value in asdict(cell).items() if key not in ("group", "label")},
                "harmed": cell.harmed,
                "helped": cell.helped,
            }
            for cell in found.cells
        ],
        "worst_groups": found.worst_groups,
        "best_groups": found.best_groups,
        "levels_down": found.levels_down,
        "share_levelled_down": found.share_levelled_down,
    }


def _posthoc(predictions: Predictions, validation: Predictions, options: AuditOptions) -> list[dict[str, Any]]:
    """Fit the post-hoc baselines on validation predictions and audit them on the test set."""
    for kind, what in (("class_names", "classes"), ("group_names", "groups")):
        if getattr(validation, kind) != getattr(predictions, kind):
            raise DataError(f"{validation.where} has other {what} than {predictions.where}; both must be of one model")
    if predictions.probabilities is None or validation.probabilities is None:
        which = predictions if predictions.probabilities is None else validation
        raise DataError(f"{which.where} has no probabilities; the post-hoc baselines need them: name them with --prob")
    groups, labels = validation.groups, validation.labels
    given: dict[str, Any] = {
        "num_groups": len(predictions.group_names),
        "group_names": predictions.group_names,
    }
    found = []
    if len(predictions.class_names) == 2:
        thresholds = GroupThresholds.fit(validation.probabilities[:, 1], labels, groups, **given)
        predicted = thresholds.predict(predictions.probabilities[:, 1], predictions.groups)
        found.append(("group thresholds", predicted, {"thresholds": thresholds.thresholds.tolist()}))
    offsets = GroupLogitAdjustment.fit(validation.probabilities, labels, groups, **given)
    predicted = offsets.predict(predictions.probabilities, predictions.groups)
    found.append(("group logit adjustment", predicted, {"offsets": offsets.offsets.tolist()}))
    return [_adjusted(name, predictions, predicted, fitted, options) for name, predicted, fitted in found]


def _adjusted(
    name: str, predictions: Predictions, predicted: NDArray[np.int64], fitted: Mapping[str, Any], options: AuditOptions
) -> dict[str, Any]:
    own = replace(predictions, predicted=predicted, where=f"{predictions.where} with {name}")
    sample = _sample(own, options)
    change = _against(own, predictions, options)
    return {
        "method": name,
        "needs_group": True,
        **fitted,
        "accuracy": asdict(sample.accuracy()),
        "deo_a": asdict(sample.gap("mean")),
        "deo_m": asdict(sample.gap("max")),
        "change": {key: change[key] for key in ("accuracy", "deo_a", "deo_m", "levels_down")},
    }


def _sample(predictions: Predictions, options: AuditOptions) -> Resampled:
    return Resampled(predictions.correct[None], **predictions.sample, **options.drawing)
