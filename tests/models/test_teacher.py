from __future__ import annotations

import pytest
import torch
from torch import nn

from fairdistill.models import Tapped, Teacher, build, find_taps
from tests.models.user_net import OneLogitNet

IMAGES = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def network(residual_net):
    network = residual_net()
    for _ in range(3):
        network(IMAGES)  # so that the statistics are not those of a new network
    return network


def teacher_of(network: nn.Module, *, keep=("map", "logits")) -> Teacher:
    return Teacher(network, find_taps(network, IMAGES), keep=keep)


def test_the_teacher_answers_in_eval_mode_even_when_its_modules_were_set_to_train(network):
    teacher, expected = teacher_of(network), network.eval()(IMAGES)
    for module in teacher._tapped.network.modules():
        module.train()
    statistics = {name: value.clone() for name, value in teacher._tapped.network.state_dict().items()}
    assert torch.equal(teacher(IMAGES)["logits"], expected)
    after = teacher._tapped.network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in statistics.items())
    assert any(name.endswith("running_mean") for name in statistics)


def test_the_teacher_gives_no_gradients_and_keeps_only_what_was_asked_for(network):
    teacher = teacher_of(network, keep=["map"])
    teacher._tapped.network.requires_grad_(True)
    taps = teacher(IMAGES.clone().requires_grad_())
    assert set(taps) == {"map"}
    assert not taps["map"].requires_grad


def test_the_teacher_is_a_copy(network):
    teacher = teacher_of(network)
    before = teacher(IMAGES)["logits"]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    assert torch.equal(teacher(IMAGES)["logits"], before)
    assert all(p.requires_grad for p in network.parameters())
    assert network.training


def test_no_optimizer_and_no_checkpoint_finds_the_teacher(network):
    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.teacher = teacher_of(network)

    assert not isinstance(teacher_of(network), nn.Module)
    assert list(Holder().parameters()) == []
    assert Holder().state_dict() == {}


def test_moving_the_teacher_returns_it(network):
    teacher = teacher_of(network)
    before = teacher(IMAGES)["map"]
    assert teacher.to(torch.device("cpu")) is teacher
    torch.testing.assert_close(teacher(IMAGES)["map"], before)


@pytest.mark.parametrize("make", [OneLogitNet, lambda: build("timm:test_convnext", 3)])
def test_any_network_can_teach(make):
    torch.manual_seed(0)
    network, images = make().eval(), torch.rand(2, 3, 64, 64)
    points = find_taps(network, images)
    teacher = Teacher(network, points, keep=("embedding", "map", "feature", "logits")).to(torch.device("cpu"))
    with torch.no_grad():
        expected = Tapped(network, points)(images)
    for tap, value in teacher(images).items():
        torch.testing.assert_close(value, expected[tap], msg=tap)
        assert not value.requires_grad
