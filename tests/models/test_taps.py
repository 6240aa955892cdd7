from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fairdistill.errors import UsageError
from fairdistill.models import Tapped, TapPoint, cifar_net, digit_net, find_taps

IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def hooks_on(network: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules())


@pytest.mark.parametrize(
    ("make", "size", "map_shape", "hidden"),
    [(cifar_net, 32, (128, 8, 8), 256), (digit_net, 16, (48, 4, 4), 96)],
)
def test_a_conv_net_is_read_at_its_last_map_before_pooling_and_at_its_hidden_activations(make, size, map_shape, hidden):
    network, images = make().eval(), torch.rand(2, 3, size, size)
    taps = Tapped(network, find_taps(network, images))(images)
    before_pooling = network.stages[:-2](images)
    activations = F.relu(network.hidden(network.stages(images).flatten(1)))
    assert before_pooling.shape == (2, *map_shape)
    assert activations.shape == (2, hidden)
    assert torch.equal(taps["map"], before_pooling)
    assert torch.equal(taps["embedding"], activations)
    assert torch.equal(taps["feature"], activations)
    assert torch.equal(taps["logits"], network(images))


@pytest.mark.parametrize("relu_in_head", [False, True])
def test_a_network_that_reuses_one_relu_module_is_read_at_the_end_of_its_last_block(residual_net, relu_in_head):
    network = residual_net(relu_in_head=relu_in_head).eval()
    taps = Tapped(network, find_taps(network, IMAGES))(IMAGES)
    assert taps["map"].shape == (2, 8, 8, 8)
    assert bool((taps["map"] >= 0).all())
    assert torch.equal(network.head_of(taps["map"]), taps["logits"])
    assert torch.equal(network.head(taps["embedding"]), taps["logits"])


@pytest.mark.parametrize("after", [nn.Dropout(0.5), nn.Dropout2d(0.5), nn.MaxPool2d(3, 1, 1), nn.AvgPool2d(3, 1, 1)])
def test_the_map_is_read_before_pooling_or_dropout_that_keeps_its_shape(after):
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    network = nn.Sequential(body, after, nn.Flatten(), nn.Linear(4 * 14 * 14, 3))
    taps = Tapped(network, find_taps(network, IMAGES))(IMAGES)
    assert torch.equal(taps["map"], body(IMAGES))


def test_features_carry_gradients_to_the_first_layer():
    network = digit_net()
    tapped = Tapped(network, find_taps(network, IMAGES))
    for name in ("embedding", "map", "feature", "logits"):
        network.zero_grad()
        tapped(IMAGES)[name].sum().backward()
        gradient = network.stages[0].weight.grad
        assert gradient is not None, name
        assert bool(gradient.any()), name


def test_finding_taps_changes_neither_modes_nor_statistics_nor_hooks(residual_net):
    network = residual_net().train()
    network.bn2.eval()
    modes = [m.training for m in network.modules()]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    find_taps(network, IMAGES)
    with pytest.raises(UsageError, match=r"ResidualNet cannot take images of shape \(5, 16, 16\)"):
        find_taps(network, torch.zeros(2, 5, 16, 16))
    assert [m.training for m in network.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert hooks_on(network) == 0


def test_hooks_are_on_one_instance_alone_and_can_be_removed():
    network, other, forward = digit_net(), digit_net(), type(digit_net()).forward
    tapped = Tapped(network, find_taps(network, IMAGES))
    assert hooks_on(network) == 3
    assert hooks_on(other) == 0
    assert type(network).forward is forward
    tapped.remove()
    assert hooks_on(network) == 0
    assert set(tapped(IMAGES)) == {"logits"}


def test_a_module_that_is_not_there_is_named_with_some_that_are():
    with pytest.raises(UsageError, match=r"tap 'map'.*no module 'layer9'.*output"):
        Tapped(digit_net(), {"map": TapPoint("layer9")})


@pytest.mark.parametrize(
    ("network", "missing"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(768, 3)), "convolution"),
        (nn.Sequential(nn.Conv2d(3, 3, 16), nn.Flatten()), "linear layer"),
    ],
)
def test_a_network_without_convolution_or_head_is_refused(network, missing):
    with pytest.raises(UsageError, match=f"no {missing} in Sequential"):
        find_taps(network, IMAGES)
