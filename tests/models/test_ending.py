from __future__ import annotations

import pytest
import torch
from torch import nn

from fairdistill.models.ending import last_operation
from fairdistill.models.programs.exported import load_program

BODY = (nn.Flatten(), nn.Linear(12, 2))


class Then(nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self.body, self.function = nn.Sequential(*BODY), function

    def forward(self, images: torch.Tensor) -> object:
        return self.function(self.body(images))


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda z: z, "linear"),
        (lambda z: z.softmax(1), "softmax"),
        (nn.Softmax(dim=1), "softmax"),
        (lambda z: torch.sigmoid(z[:, :1]).squeeze(1), "sigmoid"),
        (lambda z: z.sigmoid_(), "sigmoid"),
        (lambda z: {"logits": z.float().contiguous()}, "linear"),
        (lambda z: {"loss": None, "logits": z.log_softmax(1)}, "log_softmax"),
        (lambda z: torch.cat([z, z], 1), "cat"),
    ],
)
def test_the_operation_behind_changes_of_shape_is_named(function, name):
    assert last_operation(Then(function).eval(), torch.rand(3, 3, 2, 2)) == name


@pytest.mark.parametrize(
    ("function", "name"), [(lambda z: z[:, :1].squeeze(1), "linear"), (lambda z: z.sigmoid(), "sigmoid")]
)
@pytest.mark.parametrize("rows", [2, 3])
def test_an_exported_program_ends_in_what_its_network_ends_in(tmp_path, function, name, rows):
    program = torch.export.export(Then(function).eval(), (torch.rand(rows, 3, 2, 2),))
    torch.export.save(program, tmp_path / "m.pt2")
    loaded = load_program(tmp_path / "m.pt2")
    loaded.raw = True
    assert last_operation(loaded, torch.rand(2, 3, 2, 2)) == name


def test_a_network_that_returns_its_input_ends_in_nothing():
    assert last_operation(nn.Identity(), torch.rand(3, 2)) is None
