from __future__ import annotations

import pytest

from fairdistill.tables.weights import weights_note


@pytest.mark.parametrize(
    "name", ["weight", "sample_weight", "WGT", "pweight", "fnlwgt", "PERWT", "Poids", "survey-weights"]
)
def test_a_column_of_weights_is_noted_unless_it_is_used(name):
    assert weights_note(["label", name], ["label"])[0].startswith(
        f"Column '{name}' may hold weights of the samples; an"
    )
    assert weights_note(["label", name], ["label", name]) == []


def test_columns_of_other_weights_are_not():
    assert weights_note(["birth_weight", "weight_kg", "weighted", "wt_class", "heights"], []) == []
