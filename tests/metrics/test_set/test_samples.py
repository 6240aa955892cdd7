from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from fairdistill.metrics import Drawing, Samples, paired_test

LABELS, GROUPS, SOURCES = [0, 1, 1, 0], [0, 0, 1, -1], [7, 7, 8, 9]


def samples(**changed: Any) -> Samples:
    given = {"labels": LABELS, "groups": GROUPS, "sources": SOURCES, "num_classes": 2, "num_groups": 2, **changed}
    return Samples(**given)


@pytest.mark.parametrize("form", [list, np.array, torch.tensor, lambda values: np.array(values, np.int8)])
def test_any_kind_of_integers_makes_the_same_test_set(form: Any) -> None:
    found = samples(labels=form(LABELS), groups=form(GROUPS), sources=form(SOURCES))
    assert found.cells.tolist() == [0, 1, 3, -2]
    for values in (found.labels, found.groups, found.sources):
        assert isinstance(values, np.ndarray)
        assert values.dtype == np.int64


def test_arrays_of_the_right_type_are_kept_and_not_copied() -> None:
    labels = np.array(LABELS)
    assert samples(labels=labels).labels is labels


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": [0, 1, 2, 0]}, r"`labels` to lie in \[0, 1\], but row 2 is 2"),
        ({"labels": [0, 1, -1, 0]}, r"`labels` to lie in \[0, 1\], but row 2 is -1"),
        ({"groups": [0, 2, 1, -1]}, r"`groups` to lie in \[-1, 1\], but row 1 is 2"),
        ({"groups": [0, 0, 1, -2]}, r"`groups` to lie in \[-1, 1\], but row 3 is -2"),
        ({"labels": [0.0, 1.0, 1.0, 0.0]}, "`labels` to be a vector of integers, but got float64"),
        ({"sources": ["a", "a", "b", "c"]}, "`sources` to hold integers, but got <U1; .*return_inverse"),
        ({"sources": [1, 2]}, "`labels`, `groups` and `sources` to have the same length, but got 4, 4 and 2"),
    ],
)
def test_what_is_no_test_set_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        samples(**changed)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"confidence": 95}, "`confidence` to lie between 0 and 1, but got 95"),
        ({"draws": 0}, "`draws` to be a whole number of at least 100, but got 0"),
        ({"draws": 1e4}, "`draws` to be a whole number of at least 100, but got 10000.0"),
        ({"seed": -1}, "`seed` to be a whole number of at least 0, but got -1"),
        ({"design": "stratified"}, "`design` to be random or balanced, but got 'stratified'"),
    ],
)
def test_how_test_sets_cannot_be_drawn_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Drawing(**given)


def test_a_test_takes_tensors() -> None:
    rows = np.arange(40)
    first, second = rows % 3 > 0, rows > 2
    of_arrays = {"labels": rows % 2, "groups": rows // 2 % 2, "sources": rows}
    tensors = samples(**{name: torch.tensor(values) for name, values in of_arrays.items()})
    found = paired_test(torch.tensor(first), torch.tensor(second), tensors, Drawing(draws=100))
    assert found.accuracy == paired_test(first, second, samples(**of_arrays), Drawing(draws=100)).accuracy
