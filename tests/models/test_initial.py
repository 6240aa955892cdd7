from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fairdistill.models import cifar_net, dirac_weights, he_weights, whiten
from fairdistill.models.initial import whitening_filters

IMAGES = F.avg_pool2d(torch.rand(300, 3, 18, 18, generator=torch.Generator().manual_seed(0)), 3, 1)  # neighbors agree


def test_whitened_patches_are_uncorrelated_with_mean_0_and_variance_1():
    weights, biases = whitening_filters(IMAGES, size=(3, 3), at_most=54)
    outputs = F.conv2d(IMAGES, weights, biases)[:, ::2].transpose(0, 1).flatten(1).double()
    assert torch.allclose(outputs.mean(1), torch.zeros(27, dtype=torch.float64), atol=1e-4)
    covariance = torch.cov(outputs)
    assert torch.allclose(covariance, torch.diag(covariance.diagonal()), atol=1e-3)
    assert covariance.diagonal()[0] == pytest.approx(1, abs=1e-3)
    assert (covariance.diagonal() <= 1.001).all()  # less where the eigenvalue is as small as what is added to it


def test_each_filter_is_followed_by_its_negative_and_the_largest_come_first():
    all_weights, _ = whitening_filters(IMAGES, size=(3, 3), at_most=60)
    assert all_weights.shape == (54, 3, 3, 3)
    assert torch.equal(all_weights[0::2], -all_weights[1::2])
    weights, biases = whitening_filters(IMAGES, size=(3, 3), at_most=32)
    assert torch.equal(weights, all_weights[:32])
    assert (weights.flatten(1).norm(dim=1).diff() > -1e-5).all()
    assert weights.shape == (32, 3, 3, 3)
    assert biases.shape == (32,)


@pytest.mark.parametrize("frozen", [True, False])
def test_the_first_convolution_whitens_and_its_weights_may_be_frozen(frozen):
    network = cifar_net()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert whiten(network, IMAGES, frozen=frozen)
    changed = [name for name, value in network.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["stages.0.weight", "stages.0.bias"]
    fixed = [name for name, weight in network.named_parameters() if not weight.requires_grad]
    assert fixed == (["stages.0.weight"] if frozen else [])


def test_channels_beyond_the_filters_keep_their_weights():
    network = nn.Conv2d(3, 64, 3)
    before = network.weight.clone()
    assert whiten(network, IMAGES, frozen=True)
    assert torch.equal(network.weight[:54], whitening_filters(IMAGES, size=(3, 3), at_most=54)[0])
    assert torch.equal(network.weight[54:], before[54:])


@pytest.mark.parametrize("network", [nn.Linear(3, 2), nn.Conv2d(1, 4, 3)])
def test_a_network_without_a_convolution_of_the_images_is_left_alone(network):
    before = network.weight.clone()
    assert not whiten(network, IMAGES, frozen=True)
    assert torch.equal(network.weight, before)
    assert network.weight.requires_grad


def test_he_weights_keep_the_scale_of_activations_and_leave_the_last_layer():
    torch.manual_seed(0)
    network = cifar_net()
    last = network.output.weight.clone()
    he_weights(network)
    assert network.stages[2].weight.std().item() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.03)
    assert network.hidden.weight.std().item() == pytest.approx((2 / 2048) ** 0.5, rel=0.03)
    assert not network.hidden.bias.any()
    assert torch.equal(network.output.weight, last)


def test_dirac_convolutions_pass_their_input_through():
    network = cifar_net()
    first, others = network.stages[0].weight.clone(), network.stages[6].weight[32:].clone()
    he_weights(network)
    first, others = network.stages[0].weight.clone(), network.stages[6].weight[32:].clone()
    dirac_weights(network)
    maps = torch.rand(2, 32, 8, 8)
    assert torch.equal(network.stages[2](maps), maps)
    assert torch.equal(network.stages[6](maps)[:, :32], maps)
    assert torch.equal(network.stages[6].weight[32:], others)
    assert torch.equal(network.stages[0].weight, first)
    assert all(weight.requires_grad for weight in network.parameters())
