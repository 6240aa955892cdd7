from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from fairdistill.metrics import Drawing, Samples
from fairdistill.metrics.calibration import calibration_bins, expected_calibration_error, overall_calibration_error
from fairdistill.metrics.calibration_limits import UNDEFINED_CALIBRATION, Calibration, calibration_limits

QUICK = Drawing(draws=500)


def two_classes(confidence: Any, right: Any, groups: Any, sources: Any = None) -> tuple[np.ndarray, Samples]:
    """Rows whose first class has this probability, and is the true one if ``right``."""
    confidence = np.asarray(confidence, float)
    n = len(confidence)
    return np.stack([confidence, 1 - confidence], axis=1), Samples(
        labels=np.where(right, 0, 1),
        groups=np.asarray(groups),
        sources=np.arange(n) if sources is None else np.asarray(sources),
        num_classes=2,
        num_groups=2,
    )


def model(rows: int, *, seed: int, shift: float = 0.0, people: int = 1) -> tuple[np.ndarray, Samples]:
    """A model whose accuracy is its confidence plus ``shift``; rows of one person are alike."""
    draw = np.random.default_rng(seed)
    confidence = 0.5 + 0.5 * draw.beta(1.5, 1, rows)
    sources = np.arange(rows) // people
    hard = draw.standard_normal(rows)
    if people > 1:
        hard = (hard + draw.standard_normal(rows)[sources]) / np.sqrt(2)
    right = norm.cdf(hard) < np.clip(confidence + shift, 0, 1)
    return two_classes(confidence, right, np.arange(rows) % 2, sources)


def test_values_are_of_all_rows_and_of_each_group() -> None:
    probabilities, samples = model(300, seed=0)
    unknown = replace(samples, groups=np.where(np.arange(300) % 3 == 0, -1, samples.groups))
    found = calibration_limits(probabilities, unknown, QUICK)
    known = calibration_bins(unknown.labels, probabilities, unknown.groups, num_groups=2)
    everyone = calibration_bins(unknown.labels, probabilities, np.zeros(300, int), num_groups=1)
    assert [each.rows for each in found] == [100, 100, 300]
    assert [each.value for each in found[:2]] == pytest.approx(expected_calibration_error(known).tolist())
    assert found[2].value == pytest.approx(overall_calibration_error(everyone))
    assert found[2].value != pytest.approx(overall_calibration_error(known))


def test_the_floor_worked_by_hand() -> None:
    # one bin of 100 rows, sure by 0.8: the mean of |binomial - 80| / 100 is about sqrt(2 / pi) sqrt(0.16 / 100)
    (*_, found) = calibration_limits(*two_classes([0.8] * 100, np.arange(100) < 80, [0] * 100), Drawing(draws=5000))
    assert found.value == pytest.approx(0.0, abs=1e-12)
    assert found.floor == pytest.approx(np.sqrt(2 / np.pi) * 0.04, rel=0.05)
    assert (found.low, found.p_value) == (0.0, 1.0)
    assert found.high == pytest.approx(1.984 * 0.0399, rel=0.05)  # Student's t, and one row right, one wrong added


def test_confidences_that_differ_within_a_bin_have_their_own_variance() -> None:
    probabilities, samples = two_classes(np.repeat([0.934, 1.0], 100), np.ones(200, bool), np.zeros(200, int))
    found = calibration_limits(probabilities, samples, Drawing(draws=5000))[-1]
    usual = np.sqrt(2 / np.pi) * np.sqrt(100 * 0.934 * 0.066) / 200
    assert found.floor == pytest.approx(usual, rel=0.1)


@pytest.mark.parametrize(("shift", "people"), [(0.0, 1), (-0.1, 1), (0.0, 5), (-0.1, 5)])
def test_the_truth_is_inside_and_chance_is_seldom_taken_for_an_error(shift: float, people: int) -> None:
    inside = significant = 0
    for seed in range(100):
        found = calibration_limits(*model(400, seed=seed, shift=shift, people=people), replace(QUICK, seed=seed))[-1]
        inside += found.low <= -shift <= found.high
        significant += found.p_value <= 0.05
    assert inside >= 93
    assert significant <= 11 if shift == 0 else significant >= 85


def test_rows_of_one_person_make_the_interval_and_the_floor_wider() -> None:
    probabilities, samples = model(400, seed=1, people=10)
    people = calibration_limits(probabilities, samples, QUICK)[-1]
    alone = calibration_limits(probabilities, replace(samples, sources=np.arange(400)), QUICK)[-1]
    assert people.value == alone.value
    assert people.floor > alone.floor
    assert people.high - people.low > alone.high - alone.low


def test_three_rows_that_are_right_do_not_prove_a_calibrated_model() -> None:
    found = calibration_limits(*two_classes([0.99] * 3, [True] * 3, [0] * 3), QUICK)[0]
    assert found.value == pytest.approx(0.01)
    assert found.high > 0.3


def test_a_group_without_rows_and_no_rows_at_all_are_undefined() -> None:
    found = calibration_limits(*two_classes([0.9, 0.8], [True, False], [0, 0]), QUICK)
    assert str(found[1]) == str(UNDEFINED_CALIBRATION)
    assert found[2].rows == 2
    nothing = calibration_limits(*two_classes([], np.zeros(0, bool), np.zeros(0, int)), QUICK)
    assert [str(each) for each in nothing] == [str(UNDEFINED_CALIBRATION)] * 3


def test_ends_are_in_order_and_the_same_call_gives_the_same_bits() -> None:
    probabilities, samples = model(60, seed=2, shift=-0.2)
    found = calibration_limits(probabilities, samples, QUICK)
    assert found == calibration_limits(probabilities, samples, QUICK)
    for each in found:
        assert isinstance(each, Calibration)
        assert 0 <= each.low <= each.value <= each.high <= 1
        assert 0 <= each.floor_low <= each.floor <= each.floor_high <= 1


def test_certain_predictions_show_no_error_by_chance() -> None:
    found = calibration_limits(*two_classes([1.0] * 50, [True] * 50, [0] * 50), QUICK)[0]
    assert (found.value, found.floor, found.p_value) == (0.0, 0.0, 1.0)


def test_what_is_no_probability_is_refused() -> None:
    _, samples = model(2, seed=0)
    with pytest.raises(ValueError, match="row 1 sums to 3"):
        calibration_limits(np.array([[0.5, 0.5], [2.0, 1.0]]), samples)


def test_the_order_of_the_groups_does_not_matter() -> None:
    probabilities, samples = model(200, seed=3)
    turned = replace(samples, groups=1 - samples.groups)
    found, again = (calibration_limits(probabilities, each, QUICK) for each in (samples, turned))
    assert found == [again[1], again[0], again[2]]
