from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fairdistill.metrics import Drawing, Resampled, calibration_limits, judged_cells, paired_test, parity_gaps
from tests.metrics.making import worked

TABLE = worked([[3, 4], [5, 2]], 5)
SAMPLES, RIGHT, QUICK = TABLE.samples(), TABLE.correct, Drawing(draws=100)
CALLS: dict[str, Callable[[Any], object]] = {
    "Resampled": lambda given: Resampled(given, SAMPLES, QUICK),
    "first of paired_test": lambda given: paired_test(given, RIGHT, SAMPLES, QUICK),
    "second of paired_test": lambda given: paired_test(RIGHT, given, SAMPLES, QUICK),
    "judged_cells": lambda given: judged_cells(RIGHT, given, SAMPLES, confidence=0.95),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_predicted_classes_in_place_of_which_are_right_are_named(call: Callable[[Any], object]) -> None:
    with pytest.raises(ValueError, match=r"to be bool: which samples are right, .*; but got int64"):
        call(TABLE.labels)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_flags_of_another_test_set_are_named(call: Callable[[Any], object]) -> None:
    with pytest.raises(ValueError, match=r"with the 20 samples of the test set, but got shape \(7,\)"):
        call(RIGHT[:7])


def test_those_of_one_model_need_no_second_axis() -> None:
    assert Resampled(RIGHT, SAMPLES, QUICK).accuracy() == Resampled(RIGHT[None], SAMPLES, QUICK).accuracy()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: parity_gaps(TABLE.labels + 1, SAMPLES, QUICK), r"`predicted` to lie in \[0, 1\], but row \d+ is 2"),
        (lambda: parity_gaps(TABLE.labels[:7], SAMPLES, QUICK), "`predicted` .* each of the 20 samples, but got 7"),
        (lambda: calibration_limits(np.full((7, 2), 0.5), SAMPLES, QUICK), r"to be \[20, 2\], but got \[7, 2\]"),
        (lambda: calibration_limits(np.full((20, 4), 0.25), SAMPLES, QUICK), r"to be \[20, 2\], but got \[20, 4\]"),
    ],
)
def test_predictions_of_other_classes_or_samples_are_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
