from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairdistill.errors import DataError
from fairdistill.predictions.probabilities import checked_probabilities, of_two, sorted_note, ties

PATH = Path("t.parquet")  # whose rows are counted without opening it


def checked(values):
    values = np.asarray(values, np.float64)
    return checked_probabilities(PATH, [f"p{at}" for at in range(values.shape[1])], values)


def random(classes: int, rows: int = 400) -> np.ndarray:
    return np.random.default_rng(classes).dirichlet(np.ones(classes), rows)


def three_digits(values: np.ndarray) -> np.ndarray:
    return np.array([[float(f"{value:.3g}") for value in row] for row in values])


@pytest.mark.parametrize("classes", [2, 7, 40, 300])
@pytest.mark.parametrize("decimals", [1, 2, 3, 4])
def test_rounded_probabilities_are_read_whatever_the_number_of_classes(classes, decimals):
    found = checked(random(classes).round(decimals) if decimals > 1 or classes < 40 else random(classes))
    np.testing.assert_allclose(found.values.sum(axis=1), 1, atol=2e-3)


@pytest.mark.parametrize("kind", [three_digits, np.float16, np.float32])
def test_other_roundings_are_read_too(kind):
    for classes in (3, 10):
        assert len(checked(np.asarray(kind(random(classes)), np.float64)).values)


def test_rounded_rows_are_scaled_and_said():
    found = checked([[0.33, 0.33, 0.33], [0.5, 0.25, 0.25]])
    np.testing.assert_allclose(found.values, [[1 / 3] * 3, [0.5, 0.25, 0.25]])
    assert found.notes == (
        "The probabilities of 1 sample sum to 0.99 to 1, as rounding explains; they were scaled to sum to 1",
    )


def test_a_hair_below_0_is_0():
    found = checked([[-1e-9, 1 + 1e-9], [0.5, 0.5]])
    assert found.values.tolist() == [[0, 1], [0.5, 0.5]]
    with pytest.raises(DataError, match=r"row 1: column 'p0' has -0\.01, which is not a probability"):
        checked([[-0.01, 1.01]])


def test_a_class_that_is_missing_is_not_explained_by_rounding():
    for values in (random(7), random(7).round(2), random(7).round(3)):
        with pytest.raises(DataError, match=r"the probabilities sum to .*, not 1 .and .* more.; list the columns"):
            checked(values[:, :6])
    full = random(3)
    full[7] = [0.6, 0.3, 0.0]  # one row of few decimals among others does not make them rounded
    with pytest.raises(DataError, match=r"row 8: the probabilities sum to 0\.9, not 1; list"):
        checked(full)


def test_percentages_are_divided():
    found = checked([[25, 75], [50.5, 49.5]])
    np.testing.assert_allclose(found.values, [[0.25, 0.75], [0.505, 0.495]])
    assert found.notes == ("The probabilities sum to 100 and were divided by 100",)
    with pytest.raises(DataError, match="if these are logits"):
        checked([[25, 75], [2.5, 1.5]])


def test_numbers_whose_sum_overflows_are_no_probabilities():
    with pytest.raises(DataError, match=r"row 1: column 'p0' has 1e\+308"):
        checked([[1e308, 1e308], [1e308, 1e308]])


def test_a_single_row_that_is_no_percentage_is_named():
    with pytest.raises(DataError, match=r"row 2: the probabilities sum to 0\.6, not 1; list"):
        checked([[25, 75], [30, 30], [50, 50]])


def test_ties_are_counted():
    assert ties(np.array([[0.4, 0.4, 0.2], [0.5, 0.3, 0.2]]))[0].startswith("In 1 sample several classes")
    assert ties(np.array([[0.5, 0.3, 0.2]])) == ()


def test_of_two():
    assert of_two(np.array([0.25]), 1).tolist() == [[0.75, 0.25]]
    assert of_two(np.array([0.25]), 0).tolist() == [[0.25, 0.75]]


def test_probabilities_that_fall_in_every_row_are_noted():
    names = ["p1", "p2", "p3"]
    falling = np.sort(random(3, 10), axis=1)[:, ::-1]
    (note,) = sorted_note(names, falling)
    assert note.startswith("In every sample the probabilities fall from p1 to p3, as if each row was sorted")
    assert sorted_note(names, falling[:9]) == ()
    assert sorted_note(names, random(3, 10)) == ()
    assert sorted_note(names, np.tile([0.5, 0.3, 0.2], (10, 1))) == (), "a constant model"
    assert sorted_note(names[:2], np.sort(random(2, 10), axis=1)[:, ::-1]) == (), "a model that predicts one class"
