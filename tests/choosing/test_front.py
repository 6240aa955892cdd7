from __future__ import annotations

import itertools

import numpy as np
import pytest

from fairdistill.choosing import gain, pareto_front, parse_objectives
from fairdistill.errors import UsageError
from fairdistill.metrics import Scores


def test_the_front_is_what_a_slow_restatement_finds():
    draw = np.random.default_rng(0)
    objectives = ("accuracy", "deo_a", "deo_m")
    for count in (2, 3):
        trials = {number: Scores(*draw.integers(0, 5, 3) / 5) for number in range(30)}
        over = objectives[:count]
        kept = set(trials)
        for own, other in itertools.permutations(trials, 2):
            gains = [gain(trials[other], trials[own], metric) for metric in over]
            if all(each >= 0 for each in gains) and any(each > 0 for each in gains):
                kept.discard(own)
        assert pareto_front(trials, over) == sorted(kept)
        assert 0 < len(kept) < 30


def test_trials_of_equal_values_are_all_on_the_front():
    same = Scores(accuracy=0.5, deo_a=0.1, deo_m=0.2)
    assert pareto_front({3: same, 1: same}, ["accuracy", "deo_a"]) == [1, 3]
    assert pareto_front({}, ["accuracy", "deo_a"]) == []


@pytest.mark.parametrize(
    "text",
    [
        "accuracy",
        "accuracy,accuracy",
        "accuracy,loss",
        "",
        "accuracy,deo_a,deo_m,deo_a",
        "accuracy,balanced_accuracy,deo_a,deo_m",
    ],
)
def test_objectives_are_two_or_three_different_metrics(text):
    with pytest.raises(
        UsageError, match="expected --objectives to be two or three of accuracy, balanced_accuracy, deo_a"
    ):
        parse_objectives(text)


def test_objectives_have_one_order():
    assert parse_objectives("DEO_M,deo_a, accuracy") == ("accuracy", "deo_a", "deo_m")
    assert parse_objectives("deo_a,balanced_accuracy") == ("balanced_accuracy", "deo_a")
