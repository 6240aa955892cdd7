from __future__ import annotations

import pytest

from fairdistill.cli.parser import peek, split_settings, values_of
from fairdistill.errors import UsageError


def test_values_are_found_in_the_order_in_which_they_are_given():
    arguments = ["--data", "a", "--data=b", "--steps", "3", "--data", "c"]
    assert values_of(arguments, "data") == ["a", "b", "c"]
    assert peek(arguments, "data") == "c"


def test_settings_are_separated_and_an_option_without_its_value_is_left_to_the_parser():
    arguments = ["--set", "mfd.strength=7", "--steps", "3", "--set=kd.temperature=4", "--set"]
    assert split_settings(arguments, "set") == (
        ["--steps", "3", "--set"],
        {"mfd.strength": "7", "kd.temperature": "4"},
    )


def test_a_name_with_two_values_is_an_error_that_names_both():
    with pytest.raises(UsageError, match="--bin gives age two values, 20 and 30; name it once"):
        split_settings(["--bin", "age=20", "--bin=age=30"], "bin")
    assert split_settings(["--bin", "age=20", "--bin=age=20"], "bin") == ([], {"age": "20"})
