from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from fairdistill.models import cifar_net, digit_net
from fairdistill.models.dropout import Dropout

NETS = [
    pytest.param(cifar_net, 32, (32, 32, 64, 64, 128, 128), 256, id="cifar_net"),
    pytest.param(digit_net, 16, (12, 12, 24, 24, 48, 48), 96, id="digit_net"),
]


def test_cifar_net_has_the_number_of_parameters_worked_out_by_hand():
    # 3x3 convolutions, in * out * 9 + out: 896 + 9,248 + 18,496 + 36,928 + 73,856 + 147,584 = 287,008.
    # 32 pixels are halved three times, 128 * 4 * 4 = 2,048: 2,048 * 256 + 256 = 524,544; 256 * 10 + 10 = 2,570.
    assert sum(p.numel() for p in cifar_net(10).parameters()) == 287_008 + 524_544 + 2_570 == 814_122


@pytest.mark.parametrize(("make", "size", "channels", "hidden"), NETS)
def test_six_convolutions_in_three_stages_then_one_hidden_layer(make, size, channels, hidden):
    network = make(7)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert tuple(m.out_channels for m in convolutions) == channels
    assert {(m.kernel_size, m.padding, m.stride) for m in convolutions} == {((3, 3), (1, 1), (1, 1))}
    assert [(m.in_features, m.out_features) for m in network.modules() if isinstance(m, nn.Linear)] == [
        (channels[-1] * (size // 8) ** 2, hidden),
        (hidden, 7),
    ]
    assert network(torch.zeros(2, 3, size, size)).shape == (2, 7)


@pytest.mark.parametrize(("make", "size", "channels", "hidden"), NETS)
def test_pooling_and_dropout_of_a_quarter_follow_every_second_convolution(make, size, channels, hidden):
    kinds = [type(m) for m in make().stages]
    pooled_first = [nn.Conv2d, nn.ReLU, nn.Conv2d, nn.MaxPool2d, nn.ReLU, Dropout]
    assert kinds == [*pooled_first, *pooled_first, nn.Conv2d, nn.ReLU, nn.Conv2d, nn.ReLU, nn.MaxPool2d, Dropout]
    assert [m.p for m in make().modules() if isinstance(m, nn.Dropout)] == [0.25] * 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])  # of the latter's few numbers many are tied
@pytest.mark.parametrize(("make", "size", "channels", "hidden"), NETS)
def test_it_is_the_papers_network_to_the_last_bit_with_each_relu_before_its_pooling(
    make, size, channels, hidden, dtype
):
    network = make()
    paper = copy.deepcopy(network)
    for place in (3, 9):
        paper.stages[place], paper.stages[place + 1] = paper.stages[place + 1], paper.stages[place]
    for each in paper.modules():
        if isinstance(each, Dropout):
            each.__class__ = nn.Dropout
    images = torch.rand(8, 3, size, size)
    for each in (network, paper):
        torch.manual_seed(1)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            each(images).logsumexp(1).sum().backward()
    for ours, theirs in zip(network.parameters(), paper.parameters(), strict=True):
        assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize(("make", "size", "channels", "hidden"), NETS)
def test_dropout_acts_in_training_and_not_in_eval_mode(make, size, channels, hidden):
    network, images = make(), torch.rand(2, 3, size, size)
    assert not torch.equal(network(images), network(images))
    network.eval()
    assert torch.equal(network(images), network(images))


def test_the_weights_follow_the_global_seed():
    weights = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        weights.append(digit_net().output.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
