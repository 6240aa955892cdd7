from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fairdistill.errors import UsageError
from fairdistill.heads import Head, logits_toward

ONE = Head(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([0.0, 1.0]))
OTHER = Head(torch.tensor([[3.0, 0.0], [0.0, 0.0]]), torch.tensor([4.0, 1.0]))


def test_logits_by_hand_and_in_blocks() -> None:
    assert ONE.logits(torch.tensor([[3.0, 4.0]])).tolist() == [[3.0, 9.0]]
    many = torch.randn(20_001, 2).bfloat16()
    torch.testing.assert_close(ONE.logits(many), many.float() @ ONE.weight.T + ONE.bias)
    assert ONE.logits(torch.empty(0, 2)).shape == (0, 2)


def test_the_line_by_hand() -> None:
    half = ONE.toward(OTHER, 0.5)
    assert half.weight.tolist() == [[2.0, 0.0], [0.0, 1.0]]
    assert half.bias.tolist() == [2.0, 1.0]
    assert half.has_bias
    assert not replace(ONE, has_bias=False).toward(OTHER, 0.5).has_bias


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.7, 1.0])
def test_logits_of_the_line_lie_on_the_line_of_logits(share: float) -> None:
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    line = logits_toward(ONE.logits(x), OTHER.logits(x), share)
    torch.testing.assert_close(ONE.toward(OTHER, share).logits(x), line)


def test_the_ends_of_the_line_are_the_heads_to_the_bit() -> None:
    a, b = (Head(torch.randn(3, 5), torch.randn(3)) for _ in range(2))
    assert torch.equal(a.toward(b, 0).weight, a.weight)
    assert torch.equal(a.toward(b, 1).weight, b.weight)
    assert torch.equal(a.toward(b, 1).bias, b.bias)


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(UsageError, match=r"\[C, D\] and \[C\], but got \(2, 3\) and \(3,\)"):
        Head(torch.zeros(2, 3), torch.zeros(3))
    with pytest.raises(UsageError, match=r"\(2, 3\) and \(3, 3\)"):
        logits_toward(torch.zeros(2, 3), torch.zeros(3, 3), 0.5)
