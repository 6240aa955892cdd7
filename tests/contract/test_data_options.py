from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from fairdistill.contract import with_data_keywords
from fairdistill.errors import UsageError

OF_DATA = ("skew", "group")


@dataclass(frozen=True, kw_only=True)
class Options:
    seed: int = 0
    group: str = "group"
    data_options: Mapping[str, Any] = field(default_factory=dict)


def test_each_keyword_goes_to_whom_it_belongs_and_the_data_set_comes_first():
    found = with_data_keywords(Options, None, {"seed": 1, "skew": 0.5, "group": "race"}, OF_DATA)
    assert found == Options(seed=1, data_options={"skew": 0.5, "group": "race"})


def test_keywords_win_over_given_options_of_the_data_set_too():
    given = Options(seed=1, data_options={"skew": 0.9, "size": 64})
    assert with_data_keywords(Options, given, {"skew": 0.5}, OF_DATA).data_options == {"skew": 0.5, "size": 64}
    assert with_data_keywords(Options, given, {}, OF_DATA) == given


def test_a_name_that_neither_has_is_an_error():
    with pytest.raises(UsageError, match="did you mean 'seed'"):
        with_data_keywords(Options, None, {"sed": 1, "skew": 0.5}, OF_DATA)
