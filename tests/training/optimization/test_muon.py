from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from fairdistill.training.optimization.muon import MOMENTUM, Muon, orthogonalized
from fairdistill.training.optimization.optimizer import build_optimizer
from fairdistill.training.settings.recipe import Learning


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 9, 6), nn.ReLU(), nn.Linear(6, 2))


def step(model: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    optimizer.zero_grad()
    images = torch.rand(4, 3, 5, 5, generator=torch.Generator().manual_seed(seed))
    model(images).square().mean().backward()
    optimizer.step()


@pytest.mark.parametrize("shape", [(8, 27), (27, 8), (16, 16)])
def test_singular_values_come_near_1_and_singular_vectors_stay(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    found = left.T @ orthogonalized(matrix) @ right.T
    assert torch.allclose(found, torch.diag(found.diagonal()), atol=1e-4)
    assert found.diagonal().min() > 0.6
    assert found.diagonal().max() < 1.3
    assert values.max() / values.min() > 1.5


def newton_schulz(matrix: torch.Tensor) -> torch.Tensor:
    """The iteration as it is written: the whole matrix is multiplied each time, here in float64."""
    found = matrix.double() / matrix.double().norm()
    for _ in range(5):
        square = found @ found.T
        found = 3.4445 * found + (-4.7750 * square + 2.0315 * square @ square) @ found
    return found


@pytest.mark.parametrize("shape", [(8, 27), (27, 8), (16, 16), (64, 576)])
@pytest.mark.parametrize("rank", [None, 1, 4])
def test_it_is_the_iteration_whatever_the_rank(shape, rank):
    generator = torch.Generator().manual_seed(2)
    matrix = torch.randn(shape, generator=generator)
    if rank is not None:  # the other singular values are 10,000 times smaller
        low = torch.randn(shape[0], rank, generator=generator) @ torch.randn(rank, shape[1], generator=generator)
        matrix = low + 1e-4 * matrix
    assert torch.allclose(orthogonalized(matrix).double(), newton_schulz(matrix), atol=1e-4)


def test_a_step_is_the_equation_of_its_documentation():
    model = network()
    made = build_optimizer(Learning(optimizer="muon", lr=0.1, weight_decay=0.5), model)
    weight, buffer = model[0].weight.detach().clone(), torch.zeros_like(model[0].weight)
    for seed in range(3):
        twin = copy.deepcopy(model)
        images = torch.rand(4, 3, 5, 5, generator=torch.Generator().manual_seed(seed))
        twin(images).square().mean().backward()
        gradient = twin[0].weight.grad
        buffer = MOMENTUM * buffer + gradient
        direction = orthogonalized((gradient + MOMENTUM * buffer).reshape(8, 27)).reshape(8, 3, 3, 3)
        weight = weight - 0.1 * (0.5 * weight + 0.2 * 27**0.5 * direction)
        step(model, made, seed)
        assert torch.allclose(model[0].weight, weight, atol=1e-5)


def test_the_last_layer_the_biases_and_the_terms_are_trained_by_adamw():
    model, term = network(), nn.Parameter(torch.ones(3, 3))
    made = build_optimizer(Learning(optimizer="muon", lr=0.01, weight_decay=0.1), model, [term])
    assert isinstance(made, Muon)
    twin = copy.deepcopy(model)
    others = [twin[0].bias, twin[2].bias, twin[4].weight, twin[4].bias]
    adamw = torch.optim.AdamW(others, lr=0.01, weight_decay=0.1)
    step(model, made, 0)
    step(twin, adamw, 0)
    for ours, theirs in zip((model[0].bias, model[2].bias, model[4].weight, model[4].bias), others, strict=True):
        assert torch.equal(ours, theirs)
    assert not torch.equal(model[2].weight, twin[2].weight)
    assert any(each is term for each in made.param_groups[1]["params"])


def test_frozen_weights_are_not_trained():
    model = network()
    model[0].weight.requires_grad_(False)
    before = model[0].weight.clone()
    for name in ("adam", "adamw", "sgd", "nesterov", "muon"):
        made = build_optimizer(Learning(optimizer=name, lr=0.1, weight_decay=0.5), model)
        step(model, made, 0)
        assert torch.equal(model[0].weight, before)


def test_it_goes_on_from_its_state():
    model = network()
    learning = Learning(optimizer="muon", lr=0.01)
    made = build_optimizer(learning, model)
    step(model, made, 0)
    twin = copy.deepcopy(model)
    resumed = build_optimizer(learning, twin)
    resumed.load_state_dict(copy.deepcopy(made.state_dict()))
    for seed in (1, 2):
        step(model, made, seed)
        step(twin, resumed, seed)
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_network_without_hidden_weights_is_trained_by_adamw_alone():
    model = nn.Sequential(nn.Flatten(), nn.Linear(75, 2))
    made = build_optimizer(Learning(optimizer="muon"), model)
    assert [group["hidden"] for group in made.param_groups] == [False]
    step(model, made, 0)
