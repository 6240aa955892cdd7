from __future__ import annotations

import functools
import math

import numpy as np
import pytest

from fairdistill.choosing import FunctionRule, chooser
from fairdistill.errors import UsageError

MODELS = {
    0: {"accuracy": 0.9, "worst_group": 0.5},
    1: {"accuracy": 0.8, "worst_group": 0.7},
    2: {"accuracy": 0.85, "worst_group": 0.7},
}


def worst_first(model, deployed):
    return -model["worst_group"]


def test_the_lowest_value_wins_then_the_higher_accuracy():
    rule = chooser(worst_first)
    assert sorted(MODELS, key=lambda number: rule.standing(MODELS[number], MODELS[0])) == [2, 1, 0]


@pytest.mark.parametrize("refused", [None, float("nan")])
def test_a_model_with_none_or_nan_is_never_chosen(refused):
    rule = FunctionRule(lambda model, deployed: refused if model["accuracy"] < deployed["accuracy"] else 1)
    standings = [rule.standing(model, MODELS[0]) for model in MODELS.values()]
    assert [standing[0] for standing in standings] == [0, math.inf, math.inf]
    assert rule.missed(MODELS[1], MODELS[0]) == [f"{rule} does not allow it"]
    assert rule.missed(MODELS[0], MODELS[0]) == []


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), np.int64(2)])
def test_any_real_number_is_a_value(value):
    assert FunctionRule(lambda model, deployed: value).standing(MODELS[0], None) == (0, value, -0.9)


@pytest.mark.parametrize("value", [True, np.bool_(True), "0.1", np.array([0.1])])
def test_anything_else_is_an_error_that_names_the_function(value):
    with pytest.raises(UsageError, match=r"the rule .*<lambda> returned .*; return a number"):
        FunctionRule(lambda model, deployed: value).standing(MODELS[0], None)


def test_a_failing_function_is_an_error_that_names_it_and_the_metrics():
    def mine(model, deployed):
        return model["f1"]

    with pytest.raises(UsageError, match=r"mine failed with KeyError: 'f1'; the metrics are accuracy, balanced"):
        FunctionRule(mine).standing(MODELS[0], None)
    with pytest.raises(UsageError, match=r"<lambda> failed with ZeroDivisionError"):
        FunctionRule(lambda model, deployed: 1 / 0).standing(MODELS[0], None)


def test_it_is_recorded_by_the_qualified_name_of_the_function():
    assert str(chooser(worst_first)) == f"{__name__}.worst_first"
    assert str(FunctionRule(functools.partial(worst_first))) == "functools.partial"
    assert chooser(worst_first).metric is None


def test_what_is_neither_text_nor_function_is_no_rule():
    with pytest.raises(UsageError, match="expected rule to be a text or a function"):
        chooser(0.5)
