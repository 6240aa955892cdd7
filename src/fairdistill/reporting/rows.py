"""One row of a report: the runs of one method, with the intervals of their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fairdistill.auditing import ModelChange, model_change, worst_of
from fairdistill.comparing import CompareRow
from fairdistill.metrics import Drawing, Resampled, judged_cells, paired_test
from fairdistill.metrics.arrays import Floats
from fairdistill.metrics.auc import auc_values
from fairdistill.metrics.brier import brier_limits
from fairdistill.metrics.impact import impact_ratios
from fairdistill.predictions import Predictions, paired, run_predictions
from fairdistill.reporting.result import GroupScores, ReportRow
from fairdistill.reporting.teachers import Teachers
from fairdistill.runs import RunFolder


def report_row(row: CompareRow, first: Predictions, teachers: Teachers, drawing: Drawing) -> ReportRow:
    """Return what a report says of one method.

    Args:
        row: the method and its runs.
        first: predictions of the first run of the report: they set the order of the images, classes and groups.
        teachers: of its runs and others.
        drawing: confidence, draws and seed of the intervals.
    """
    runs = [RunFolder.open(path) for path in row.paths]
    tables = [paired(first, run_predictions(run))[1] for run in runs]
    correct, scores = np.stack([table.correct for table in tables]), _scores(tables)
    del tables  # their probabilities may be large
    sample = Resampled(correct, first.samples, drawing)
    group, cell = worst_of(sample, first)
    return ReportRow(
        label=row.label,
        runs=row.paths,
        seeds=row.seeds,
        steps=row.steps,
        samples=row.samples,
        accuracy=sample.accuracy(),
        worst_group=group,
        worst_cell=cell,
        deo_a=sample.gap("mean"),
        deo_m=sample.gap("max"),
        change=_change([teachers.correct(run) for run in runs], correct, first, drawing),
        groups=tuple(
            GroupScores(
                group=name,
                rows=int(sample.rows[at].sum()),
                accuracy=sample.group_accuracy(at),
                **{each: float(values[at]) for each, values in scores.items()},
            )
            for at, name in enumerate(first.group_names)
        ),
        cells=tuple(map(tuple, sample.shares.mean(axis=0).tolist())),
        collapsed=row.collapsed,
        draws=sample.draws,
    )


def _scores(tables: Sequence[Predictions]) -> dict[str, Floats]:
    """Return the AUC, Brier score and impact ratio of each group, ``[G]``: the means over the runs."""
    found: dict[str, list[Floats]] = {"auc": [], "brier": [], "impact_ratio": []}
    for table in tables:
        assert table.probabilities is not None  # a run always has some
        found["auc"].append(auc_values(table.probabilities, table.samples))
        brier = brier_limits(table.probabilities, table.samples)[: len(table.group_names)]
        found["brier"].append(np.array([each.value for each in brier]))
        found["impact_ratio"].append(impact_ratios(table.predicted, table.samples).ratio.middle)
    return {name: np.mean(values, axis=0) for name, values in found.items()}


def _change(
    of_teachers: Sequence[NDArray[np.bool_] | None], correct: NDArray[np.bool_], first: Predictions, drawing: Drawing
) -> ModelChange | None:
    """Return the change from the teacher; None unless every run has its teacher's predictions."""
    known = [each for each in of_teachers if each is not None]
    if len(known) < len(correct):
        return None
    taught = np.stack(known)
    change = model_change(paired_test(taught, correct, first.samples, drawing), first)
    if len(taught) == 1:
        return change
    # A few seeds say little about others, but a subgroup is also harmed, or helped, where every single seed shows it.
    by_seed = [
        judged_cells(one, other, first.samples, confidence=drawing.confidence)
        for one, other in zip(taught, correct, strict=True)
    ]
    harmed, helped = (
        np.all([(sign * value > 0) & significant for value, significant in by_seed], axis=0) for sign in (-1, 1)
    )
    cells = (
        replace(cell, harmed=cell.harmed or bool(worse), helped=cell.helped or bool(better))
        for cell, worse, better in zip(change.cells, harmed, helped, strict=True)
    )
    return replace(change, cells=tuple(cells))
