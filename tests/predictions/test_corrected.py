from __future__ import annotations

import numpy as np
import pytest

from fairdistill.errors import DataError
from fairdistill.posthoc import GroupLogitAdjustment, GroupThresholds
from fairdistill.predictions.corrected import correction_fits
from tests.predictions.biased import biased


def test_two_classes_have_thresholds_and_offsets_as_fitted_by_hand():
    given = biased()
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
    given = biased()
    some = given.take(np.flatnonzero((given.labels == 0) | (given.groups == 0)))
    with pytest.raises(DataError, match="b in group y"):
        correction_fits(2)[name](some)
