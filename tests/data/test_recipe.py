"""Among how many variants of a training image a network can meet each."""

from __future__ import annotations

import pytest

from fairdistill.data.recipe import Augmenting, Recipe

FLIPPED = Recipe(size=8, flip=True)


@pytest.mark.parametrize(
    ("augmenting", "states"),
    [
        ({}, 2),
        ({"alternating_flip": True}, 2),
        ({"crop_padding": 1}, None),
        ({"cutout": 2}, None),
        ({"policy": "randaug"}, None),
    ],
)
def test_only_flips_leave_few_variants_of_an_image(augmenting, states):
    assert Augmenting(**augmenting).num_states(FLIPPED) == states


def test_an_image_that_is_not_flipped_has_one_variant_and_one_that_is_cropped_at_random_too_many():
    assert Augmenting().num_states(Recipe(size=8)) == 1
    assert Augmenting().num_states(Recipe(size=8, stored=(10, 10), crop="random")) is None
