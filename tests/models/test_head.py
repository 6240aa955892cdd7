import pytest
import torch
from torch import nn

from fairdistill.models.head import with_two_outputs
from fairdistill.models.outputs import class_logits


@pytest.mark.parametrize("bias", [True, False])
def test_weights_of_one_logit_say_the_same_with_two(bias):
    one = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1, bias=bias))
    two = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2, bias=bias))
    two.load_state_dict(with_two_outputs(one))
    rows = torch.randn(5, 3)
    torch.testing.assert_close(two(rows), class_logits(one(rows)))


def test_weights_of_several_outputs_stay_as_they_are():
    network = nn.Linear(3, 5)
    for name, value in network.state_dict().items():
        assert with_two_outputs(network)[name].equal(value)
