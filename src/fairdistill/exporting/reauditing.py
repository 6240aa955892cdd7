"""Running an exported file on the test set, and comparing it with the model that it was made from."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from fairdistill.auditing import ModelChange, change_between
from fairdistill.data import GroupedDataset
from fairdistill.exporting.correcting import Decide, decided_by_file
from fairdistill.exporting.result import Reaudit, Values
from fairdistill.metrics import accuracy, deo_a, deo_m
from fairdistill.predictions import Predictions, paired
from fairdistill.predictions.trained.attribute_model import load_attribute_model, predictions_of_each
from fairdistill.predictions.trained.model import ModelSource, load_model
from fairdistill.system.runtime import Runtime
from fairdistill.text.lists import listed
from fairdistill.text.numbers import percent

_CPU = Runtime(torch.device("cpu"), torch.float32)


@dataclass(frozen=True)
class Reference:
    """The model that was exported.

    Attributes:
        predictions: on the test set.
        computed: in which precision.
    """

    predictions: Predictions
    computed: str


def reaudit(
    source: ModelSource,
    test: GroupedDataset,
    references: Sequence[Reference],
    *,
    tolerance: float,
    function: Decide | None = None,
) -> list[Reaudit]:
    """Run a file on the test set as anyone else would, on the CPU in float32, and compare.

    Args:
        source: the file.
        test: the test set.
        references: what the model says of it: of each attribute, or of its only label.
        tolerance: how much worse the file may be, a fraction.
        function: what decides from its outputs, if a function beside it does.
    """
    load = load_model if test.attributes is None else load_attribute_model
    model = load(source, test.of_outputs(), _CPU)
    start = time.perf_counter()
    found = predictions_of_each(model, test, where=source.path, runtime=_CPU)
    speed = len(test) / (time.perf_counter() - start)
    if function is not None:
        found = [decided_by_file(each, function) for each in found]
    return [
        _compared(each, test.name, reference, tolerance, speed=speed)
        for each, reference in zip(found, references, strict=True)
    ]


def _compared(found: Predictions, where: str, reference: Reference, tolerance: float, *, speed: float) -> Reaudit:
    before, after = paired(reference.predictions, found)
    change = change_between(before, after, where=before.where)
    own, new = values_of(before), values_of(after)
    reasons = _reasons(own, new, change, tolerance)
    assert before.probabilities is not None
    assert after.probabilities is not None
    return Reaudit(
        where=where,
        rows=len(after),
        computed=reference.computed,
        agreement=float((before.predicted == after.predicted).mean()),
        largest_difference=float(np.abs(before.probabilities - after.probabilities).max()),
        model=own,
        file=new,
        change=change,
        tolerance=tolerance,
        verdict="beyond" if reasons else "within",
        reasons=reasons,
        images_per_second=speed,
        threads=torch.get_num_threads(),
    )


def values_of(predictions: Predictions) -> Values:
    """Return accuracy and DEO."""
    counts = predictions.counts
    return Values(accuracy=accuracy(counts), deo_a=deo_a(counts), deo_m=deo_m(counts))


def _reasons(before: Values, after: Values, change: ModelChange, tolerance: float) -> tuple[str, ...]:
    """Return what is worse beyond the tolerance; an undefined DEO is not."""
    reasons = []
    lost = before.accuracy - after.accuracy
    if lost > tolerance:
        reasons.append(f"accuracy fell by {percent(lost, 2)} points")
    rise = after.deo_a - before.deo_a
    if not math.isnan(rise) and rise > tolerance:
        reasons.append(f"DEO_A rose by {percent(rise, 2)} points")
    harmed = [f"{cell.class_name} of {cell.group}" for cell in change.cells if cell.harmed]
    if harmed:
        reasons.append(f"significantly worse: {listed(harmed, 5, separator='; ')}")
    return tuple(reasons)


def of_file(source: ModelSource, path: str) -> ModelSource:
    """Return where an exported file is; its own metadata tell the rest."""
    complete = not path.endswith(".safetensors")
    return replace(
        source, path=path, network=None if complete else source.network, weights_key=None, size=None, mean=None,
        std=None, of_data=(),
    )  # fmt: skip
