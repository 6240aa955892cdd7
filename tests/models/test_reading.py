from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fairdistill.errors import UsageError
from fairdistill.models.reading import OutputReading, logits_of_probabilities, output_kind, reading_of

LOGITS = 3 * torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
STEEP = torch.tensor([[40.0, 0.0], [0.0, -200.0]])


@pytest.mark.parametrize(
    ("outputs", "ending", "kind"),
    [
        (LOGITS, "linear", "logits"),
        (F.softmax(LOGITS, 1), "softmax", "probabilities"),
        (F.softmax(LOGITS, 1), None, "probabilities"),
        (F.softmax(LOGITS, 1).bfloat16(), None, "probabilities"),
        (F.log_softmax(LOGITS, 1), "log_softmax", "logits"),
        (LOGITS.sigmoid(), "sigmoid", "probabilities"),
        (LOGITS.sigmoid(), "linear", "logits"),
        (LOGITS[:, :1].sigmoid(), "sigmoid", "probabilities"),
        (LOGITS[:, :1].sigmoid(), None, "probabilities"),
        (LOGITS[:, :1].sigmoid(), "linear", "probabilities"),
        (LOGITS[:, :1], "linear", "logits"),
        (torch.full((9, 1), 0.1), "linear", "logits"),
        (torch.full((9, 1), 0.1), "sigmoid", "probabilities"),
        (F.softmax(LOGITS, 1) * float("nan"), "softmax", "logits"),
        (torch.cat([F.softmax(LOGITS, 1), LOGITS]), None, "logits"),
    ],
)
def test_probabilities_are_told_from_logits(outputs, ending, kind):
    assert output_kind(outputs, ending) == kind


def test_the_logits_of_probabilities_have_them_as_their_softmax_at_every_temperature():
    for temperature in (1, 4):
        given = F.softmax(logits_of_probabilities(F.softmax(LOGITS, 1)) / temperature, 1)
        torch.testing.assert_close(given, F.softmax(LOGITS / temperature, 1))
    positive = LOGITS[:, :1]
    torch.testing.assert_close(logits_of_probabilities(positive.sigmoid())[:, 1:], positive, atol=1e-4, rtol=1e-4)


def test_certain_probabilities_stay_finite():
    for certain in (torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0], [1.0]]), F.softmax(STEEP, 1)):
        logits = logits_of_probabilities(certain)
        assert logits.isfinite().all()
        assert (F.softmax(logits, 1) - F.softmax(logits, 1).round()).abs().max() < 1e-6


def test_outputs_that_do_not_sum_to_one_are_divided_by_their_sum():
    given = torch.tensor([[0.9, 0.3], [0.2, 0.2]])
    torch.testing.assert_close(F.softmax(logits_of_probabilities(given), 1), given / given.sum(1, keepdim=True))


class Ends(nn.Module):
    def __init__(self, end: str) -> None:
        super().__init__()
        self.norm, self.head, self.end = nn.BatchNorm2d(3), nn.Linear(48, 3), end

    def forward(self, images: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
        logits = self.head(self.norm(images).flatten(1))
        if self.end == "softmax" or (self.end == "softmax in eval mode" and not self.training):
            return logits.softmax(1)
        return {"logits": logits} if self.end == "dict" else logits


IMAGES = torch.rand(6, 3, 4, 4, generator=torch.Generator().manual_seed(1))


def test_an_attached_reading_gives_logits_in_the_order_of_the_classes_and_leaves_the_weights_alone():
    network = Ends("softmax").eval()
    expected = network(IMAGES).log()[:, [2, 0, 1]]
    before = list(network.state_dict())
    OutputReading("probabilities", (2, 0, 1)).attach(network)
    torch.testing.assert_close(network(IMAGES), expected)
    assert list(network.state_dict()) == before


def test_a_reading_that_changes_nothing_leaves_the_network_as_it_is():
    network = Ends("dict")
    OutputReading().attach(network)
    assert isinstance(network(IMAGES), dict)


def test_outputs_that_turn_out_not_to_be_probabilities_are_an_error():
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    OutputReading("probabilities").attach(network)
    with (
        torch.no_grad(),
        pytest.raises(UsageError, match=r"taken for probabilities, but one of them is .*--model-outputs"),
    ):
        network(100 * IMAGES)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("softmax", OutputReading("probabilities", in_training="probabilities")),
        ("softmax in eval mode", OutputReading("probabilities", in_training="logits")),
        ("linear", OutputReading()),
        ("dict", OutputReading()),
    ],
)
def test_an_untrained_network_is_read_by_what_it_ends_in(end, expected):
    network = Ends(end)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert reading_of(network, size=4) == expected
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_network_that_ends_in_softmax_only_in_eval_mode_is_trained_on_its_logits():
    network = Ends("softmax in eval mode")
    reading_of(network, size=4).attach(network)
    logits = network(IMAGES)
    assert (logits > 0).any()
    (logits.logsumexp(1).sum()).backward()
    assert network.head.weight.grad is not None
    torch.testing.assert_close(network.eval()(IMAGES).exp().sum(1), torch.ones(6))
