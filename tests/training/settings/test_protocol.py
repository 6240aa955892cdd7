from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from fairdistill.training import HONEST, PAPER, PROTOCOLS, ProtocolName, TrainOptions


def test_there_is_a_protocol_for_each_name():
    assert tuple(PROTOCOLS) == get_args(ProtocolName)
    assert [TrainOptions(protocol=name).rules for name in PROTOCOLS] == [HONEST, PAPER]


def test_what_each_protocol_decides():
    assert dataclasses.asdict(HONEST) == {
        "name": "honest",
        "validates_on_test": False,
        "follows": "cell_loss",
        "keeps": "loss",
        "equal_steps": True,
        "anneals_each": "step",
        "ramp": 1 / 3,
        "drop_last": False,
        "data_seed_follows_run": False,
        "quick_step": True,
        "default_epochs": 50,
    }
    assert dataclasses.asdict(PAPER) == {
        "name": "paper",
        "validates_on_test": True,
        "follows": "loss",
        "keeps": "last",
        "equal_steps": False,
        "anneals_each": "epoch",
        "ramp": 0.0,
        "drop_last": True,
        "data_seed_follows_run": True,
        "quick_step": False,
        "default_epochs": 50,
    }
    assert (HONEST.split, PAPER.split) == ("validation", "test")


@pytest.mark.parametrize(("protocol", "steps"), [(HONEST, 4), (PAPER, 7)])
def test_an_epoch_is_a_pass_over_the_images_or_the_samplers_own(protocol, steps):
    assert protocol.epoch_steps(rows=100, batch_size=30, sampler_steps=7) == steps


@pytest.mark.parametrize(
    ("protocol", "in_steps", "parts"),
    [(HONEST, True, (7, 16)), (HONEST, False, (7, 16)), (PAPER, True, (11, 23)), (PAPER, False, (12, 23))],
)
def test_a_warm_up_is_part_of_the_budget_or_added_to_it(protocol, in_steps, parts):
    assert protocol.divide(23, epoch=4, in_steps=in_steps) == parts


def test_a_protocol_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PAPER.drop_last = False  # type: ignore[misc]
