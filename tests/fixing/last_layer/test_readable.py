from __future__ import annotations

import torch

from fairdistill.fixing.last_layer.readable import auc_in_words, group_auc
from tests.fixing.making import predictions


def test_a_group_that_the_features_show_is_read_and_one_that_they_hide_is_not():
    given = predictions(((75, 100),) * 4)
    noise = torch.randn(400, 100, generator=torch.Generator().manual_seed(0))
    shown = noise + 3.0 * torch.from_numpy(given.groups)[:, None]
    found = group_auc(shown, given)
    assert found.value > 0.99
    assert auc_in_words(found).endswith("with an AUC of 1.00, 0.5 being chance")
    hidden = group_auc(noise, given)
    assert 0.35 < hidden.value < 0.65
    assert "so nothing in them shows the group" in auc_in_words(hidden)


def test_without_two_groups_nothing_is_said():
    given = predictions(((75, 100), (75, 100), (0, 0), (0, 0)))
    assert auc_in_words(group_auc(torch.randn(200, 4), given)) == ""
