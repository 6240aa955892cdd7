from __future__ import annotations

import numpy as np
import pytest

from fairdistill.errors import DataError
from fairdistill.posthoc import GroupLogitAdjustment, GroupThresholds
from fairdistill.predictions import Predictions
from fairdistill.predictions.corrected import correction_fits


def predictions(classes: int, *, rows: int = 240) -> Predictions:
    labels, groups = np.arange(rows) % classes, np.arange(rows) // classes % 2
    logits = np.random.default_rng(0).normal(size=(rows, classes)) + np.eye(classes)[labels]
    logits[:, 0] += groups
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return Predictions(
        where="made", ids=None, sources=np.arange(rows), labels=labels, groups=groups,
        predicted=probabilities.argmax(1), probabilities=probabilities,
        class_names=tuple("abc"[:classes]), group_names=("x", "y"),
    )  # fmt: skip


def test_two_classes_have_thresholds_and_offsets_as_fitted_by_hand():
    given = predictions(2)
    fits = correction_fits(2)
    assert list(fits) == ["group thresholds", "group logit adjustment"]
    thresholds, offsets = (fit(given) for fit in fits.values())
    cuts = GroupThresholds.fit(given.probabilities[:, 1], given.labels, given.groups, num_groups=2)
    adjustment = GroupLogitAdjustment.fit(given.probabilities, given.labels, given.groups, num_groups=2)
    assert thresholds.thresholds == tuple(cuts.thresholds)
    assert offsets.offsets == tuple(map(tuple, adjustment.offsets))
    assert thresholds.offsets is None
    assert offsets.thresholds is None
    assert thresholds.decide(given).tolist() == cuts.predict(given.probabilities[:, 1], given.groups).tolist()
    assert offsets.decide(given).tolist() == adjustment.predict(given.probabilities, given.groups).tolist()


def test_more_classes_have_offsets_alone():
    assert list(correction_fits(3)) == ["group logit adjustment"]


@pytest.mark.parametrize("name", list(correction_fits(2)))
def test_an_empty_subgroup_is_named(name):
    given = predictions(2)
    some = given.take(np.flatnonzero((given.labels == 0) | (given.groups == 0)))
    with pytest.raises(DataError, match="b in group y"):
        correction_fits(2)[name](some)
