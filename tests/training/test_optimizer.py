import pytest
from torch import nn

from fairdistill.training.optimizer import build_optimizer


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_the_runs_optimizer_is_the_chosen_one(quick, optimizer):
    made = build_optimizer(quick(optimizer=optimizer, lr=0.5, weight_decay=0.25).learning, nn.Linear(1, 1))
    assert type(made).__name__.lower() == optimizer
    assert (made.param_groups[0]["lr"], made.param_groups[0]["weight_decay"]) == (0.5, 0.25)
    assert made.param_groups[0].get("momentum", 0.9) == 0.9
