from __future__ import annotations

import pytest
import torch

from fairdistill.errors import UsageError
from fairdistill.models import NETWORKS, build


@pytest.mark.parametrize(("name", "size"), [("cifar_net", 32), ("digit_net", 16)])
def test_a_network_is_built_by_name_for_any_number_of_classes(name, size):
    assert build(name, 4)(torch.zeros(1, 3, size, size)).shape == (1, 4)
    assert name in NETWORKS


@pytest.mark.parametrize(("name", "way_out"), [("cifarnet", "did you mean 'cifar_net'"), ("?", "Choose one of")])
def test_an_unknown_network_is_answered_with_those_there_are(name, way_out):
    with pytest.raises(UsageError, match=way_out) as caught:
        build(name, 10)
    assert all(known in str(caught.value) for known in NETWORKS)
