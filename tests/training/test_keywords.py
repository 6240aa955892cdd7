from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

import fairdistill
from fairdistill.data import DATASETS, option_names
from fairdistill.errors import UsageError
from fairdistill.training.keywords import train_options
from fairdistill.training.options import TrainOptions
from fairdistill.tuning.options import TuneOptions


def test_options_of_the_data_are_keywords_and_override_those_given_before():
    before = TrainOptions(data_options={"skew": 0.5, "data_seed": 3}, method="ss")
    found = train_options(before, {"skew": 0.9, "steps": 7})
    assert (found.data_options, found.method, found.steps) == ({"skew": 0.9, "data_seed": 3}, "ss", 7)
    table = train_options(None, {"data": Path("faces.csv"), "label": "gender", "group": "race"})
    assert (table.data, table.data_options) == ("faces.csv", {"label": "gender", "group": "race"})


@pytest.mark.parametrize("data", [*DATASETS, "faces.csv"])
def test_no_option_of_the_data_has_the_name_of_an_option_of_train_or_tune(data):
    others = {field.name for options in (TrainOptions, TuneOptions) for field in fields(options)}
    assert not others & set(option_names(data))


def test_a_name_of_neither_is_an_error():
    with pytest.raises(UsageError, match="TrainOptions has no option 'steeps'; did you mean 'steps'"):
        train_options(None, {"steeps": 3})
    with pytest.raises(UsageError, match="TrainOptions has no option 'label'"):
        train_options(None, {"data": "digits-s", "label": "gender"})


def test_train_and_tune_pass_them_on():
    with pytest.raises(UsageError, match=r"expected skew to .*, but got 7"):
        fairdistill.train(data="digits-s", skew=7.0)
    pytest.importorskip("optuna")
    with pytest.raises(UsageError, match=r"expected skew to .*, but got 7"):
        fairdistill.tune(data="digits-s", method="ss", skew=7.0, search={"lr": "0.1,0.2"}, rule="deo_a")
