from __future__ import annotations

import pytest
import torch
from torch import nn

from fairdistill.models.dropout import Dropout, factors_like


def in_blocks(p: float) -> Dropout:
    dropout = Dropout(p)
    dropout.blocks = True
    return dropout


@pytest.mark.parametrize("rate", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_the_rate_is_exact_and_the_mean_stays(rate, dtype):
    torch.manual_seed(0)
    factors = factors_like(torch.empty(500, 203, dtype=dtype), rate=rate)
    assert factors.shape == (500, 203)
    assert factors.dtype == dtype
    kept = torch.ones((), dtype=dtype).div(1 - rate).item()  # rounded as PyTorch does
    assert sorted(factors.unique().tolist()) == [0.0, kept]
    deviation = (rate * (1 - rate) / factors.numel()) ** 0.5
    assert (factors == 0).double().mean().item() == pytest.approx(rate, abs=4 * deviation)


def test_activations_are_dropped_independently_of_their_neighbours():
    torch.manual_seed(0)
    kept = (factors_like(torch.empty(200_000), rate=0.25) > 0).double() - 0.75
    for distance in [*range(1, 33), 64, 128]:  # within a byte, within a word, between words
        correlation = (kept[:-distance] * kept[distance:]).mean().item() / (0.25 * 0.75)
        assert abs(correlation) < 5 / 200_000**0.5, distance


def test_each_pattern_of_a_byte_is_as_frequent_as_it_should_be():
    torch.manual_seed(0)
    kept = (factors_like(torch.empty(400_000), rate=0.25) > 0).view(-1, 4).long()
    counts = torch.bincount((kept * torch.tensor([8, 4, 2, 1])).sum(1), minlength=16).double()
    expected = torch.tensor([0.75 ** bin(p).count("1") * 0.25 ** (4 - bin(p).count("1")) for p in range(16)]) * 100_000
    assert ((counts - expected) ** 2 / expected).sum().item() < 37.7  # chi square, 15 degrees of freedom, 1 in 1,000


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33])
def test_any_number_of_values_and_no_dimension_will_do(count):
    assert factors_like(torch.empty(count), rate=0.5).shape == (count,)
    assert factors_like(torch.tensor(1.0), rate=0.5).shape == ()


def test_the_layout_of_images_is_kept():
    maps = torch.rand(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    dropped = in_blocks(0.25)(maps)
    assert dropped.is_contiguous(memory_format=torch.channels_last)
    assert dropped.shape == maps.shape
    torch.testing.assert_close(dropped, torch.where(dropped == 0, 0.0, maps * 4 / 3))
    across = torch.ones(4, 6).T
    assert set(in_blocks(0.5)(across).unique().tolist()) <= {0.0, 2.0}


def test_gradients_flow_through_what_is_kept():
    values = torch.rand(64, requires_grad=True)
    dropped = in_blocks(0.25)(values)
    dropped.sum().backward()
    torch.testing.assert_close(values.grad, (dropped != 0) * torch.tensor(4 / 3))


def test_masks_follow_the_global_generator_and_its_saved_state():
    dropout, ones = in_blocks(0.25), torch.ones(1000)
    torch.manual_seed(3)
    first = dropout(ones)
    state = torch.get_rng_state()
    second = dropout(ones)
    assert not torch.equal(first, second)
    torch.set_rng_state(state)
    assert torch.equal(dropout(ones), second)
    torch.manual_seed(3)
    assert torch.equal(dropout(ones), first)


@pytest.mark.parametrize(("p", "blocks"), [(0.25, False), (0.1, True), (0.0, True), (1.0, True)])
def test_pytorch_draws_the_masks_unless_asked_and_for_other_rates(p, blocks):
    ours, theirs, values = Dropout(p), nn.Dropout(p), torch.rand(1000)
    ours.blocks = blocks
    results = []
    for dropout in (ours, theirs):
        torch.manual_seed(0)
        results.append(dropout(values))
    assert torch.equal(*results)


def test_nothing_is_dropped_in_eval_mode_and_no_number_drawn():
    state, values = torch.get_rng_state(), torch.rand(9)
    torch.set_rng_state(state)
    assert in_blocks(0.25).eval()(values) is values
    assert torch.equal(torch.get_rng_state(), state)


def test_an_exported_program_has_pytorchs_dropout():
    graph = torch.export.export(in_blocks(0.25), (torch.ones(8),)).graph
    assert [node.name for node in graph.nodes if node.op == "call_function"] == ["dropout"]
