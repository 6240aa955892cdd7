from __future__ import annotations

import pytest

from fairdistill.tables.yes_no import attribute_of


@pytest.mark.parametrize("values", [("glasses", "none"), ("none", "glasses")])
def test_the_value_beside_one_that_means_no_is_the_yes_without_a_word(values):
    found = attribute_of("eyewear", values, None)
    assert (found.classes, found.notes) == (("none", "glasses"), ())
