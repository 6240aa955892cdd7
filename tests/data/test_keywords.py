from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest

import fairdistill
from fairdistill.auditing import AuditOptions
from fairdistill.data import DATASETS, option_names, split_data_keywords, with_data_keywords
from fairdistill.errors import UsageError
from fairdistill.training import TrainOptions
from fairdistill.tuning.options import TuneOptions


@dataclass(frozen=True, kw_only=True)
class Options:
    seed: int = 0
    group: str = "group"
    label: str = "label"
    data: str | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)


def test_each_keyword_goes_to_whom_it_belongs_and_the_data_set_comes_first():
    keywords = {"seed": 1, "source": "person", "group": "race", "label": "age"}
    found = with_data_keywords(Options, None, keywords, data="faces.csv", but=["label"])
    assert found == Options(seed=1, label="age", data_options={"source": "person", "group": "race"})


@pytest.mark.parametrize(
    ("given", "keywords"), [(None, {"data": Path("faces.csv")}), (Options(data="faces.csv"), {"data": None}),
                            (Options(data="digits-s"), {"data": "faces.csv"}), (Options(data="faces.csv"), {})]
)  # fmt: skip
def test_the_call_names_the_data_set_in_its_keywords_or_its_options(given, keywords):
    assert with_data_keywords(Options, given, {**keywords, "group": "race"}).data_options == {"group": "race"}
    assert with_data_keywords(Options, None, {"group": "race"}) == Options(group="race")
    assert split_data_keywords(TrainOptions, {"skew": 0.9, "lr": 0.1}) == ({"lr": 0.1}, {"skew": 0.9})


def test_keywords_win_over_given_options_of_the_data_set_too():
    given = Options(seed=1, data="digits-s", data_options={"skew": 0.9, "data_seed": 3})
    assert with_data_keywords(Options, given, {"skew": 0.5}).data_options == {"skew": 0.5, "data_seed": 3}
    assert with_data_keywords(Options, given, {}) == given


def test_a_name_that_neither_has_is_an_error():
    with pytest.raises(UsageError, match="Options has no option 'sed'; did you mean 'seed'"):
        with_data_keywords(Options, None, {"sed": 1, "skew": 0.5}, data="digits-s")
    with pytest.raises(UsageError, match="TrainOptions has no option 'label'"):
        with_data_keywords(TrainOptions, None, {"data": "digits-s", "label": "gender"})


@pytest.mark.parametrize(("options", "data"), [(TrainOptions, 3), (TrainOptions, ["faces.csv"]), (AuditOptions, 3)])
def test_data_that_is_no_path_is_refused_as_any_option_is(options, data):
    with pytest.raises(UsageError, match="expected data to be a text, but got"):
        with_data_keywords(options, None, {"data": data})


@pytest.mark.parametrize("data", [*DATASETS, "faces.csv"])
def test_no_option_of_the_data_has_the_name_of_an_option_of_train_or_tune(data):
    others = {field.name for options in (TrainOptions, TuneOptions) for field in fields(options)}
    assert not others & set(option_names(data))


def test_train_and_tune_pass_them_on():
    with pytest.raises(UsageError, match=r"expected skew to .*, but got 7"):
        fairdistill.train(data="digits-s", skew=7.0)
    pytest.importorskip("optuna")
    with pytest.raises(UsageError, match=r"expected skew to .*, but got 7"):
        fairdistill.tune(data="digits-s", method="ss", skew=7.0, search={"lr": "0.1,0.2"}, rule="deo_a")
