from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from fairdistill.errors import UsageError
from fairdistill.models import class_logits

LOGITS = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.mark.parametrize(
    "output",
    [
        LOGITS,
        {"loss": torch.zeros(()), "logits": LOGITS},
        SimpleNamespace(logits=LOGITS),
        namedtuple("Outputs", "logits aux")(LOGITS, None),
    ],
)
def test_logits_are_found_in_what_networks_return(output):
    assert class_logits(output) is LOGITS


def test_logits_of_a_convolution_lose_their_last_dimensions():
    assert torch.equal(class_logits(LOGITS[:, :, None, None]), LOGITS)


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 1, 1, 1)])
def test_one_logit_becomes_two_with_the_probabilities_of_its_sigmoid(shape):
    z = torch.tensor([0.5, -2.0]).reshape(shape).requires_grad_()
    logits = class_logits({"logits": z})
    positive = torch.sigmoid(torch.tensor([0.5, -2.0]))
    torch.testing.assert_close(F.softmax(logits, 1), torch.stack((1 - positive, positive), 1))
    # cross-entropy of softmax(0, z) is that of the sigmoid, gradient included: sigmoid(z) - y
    F.cross_entropy(logits, torch.tensor([1, 0]), reduction="sum").backward()
    torch.testing.assert_close(z.grad.reshape(-1), positive - torch.tensor([1.0, 0.0]))


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (torch.zeros(2, 3, 4, 4), r"shape \(2, 3, 4, 4\)"),
        (torch.zeros(2, 0), r"shape \(2, 0\)"),
        (torch.zeros(()), r"shape \(\)"),
        ((LOGITS, None), "a tuple of 2: Tensor, NoneType"),
        ({"scores": LOGITS}, "a dict with the keys scores"),
        (None, "a NoneType"),
        (LOGITS.argmax(1), r"whole numbers \(torch\.int64\), such as the numbers of the predicted classes"),
        (LOGITS > 2, r"whole numbers \(torch\.bool\)"),
    ],
)
def test_anything_else_is_named(output, text):
    with pytest.raises(UsageError, match=text):
        class_logits(output)
