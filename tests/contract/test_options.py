from __future__ import annotations

from dataclasses import dataclass

import pytest

from fairdistill.contract import groups_of, split_keywords, with_keywords
from fairdistill.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Budget:
    steps: int | None = None
    lr: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Options(Budget):
    method: str = "ss"


def test_keywords_win_over_given_options_and_those_over_the_defaults():
    assert with_keywords(Options, None, {}) == Options()
    assert with_keywords(Options, Options(steps=3, lr=0.2), {"lr": 0.5}) == Options(steps=3, lr=0.5)


@pytest.mark.parametrize(("name", "hint"), [("step", "did you mean 'steps'"), ("zzz", "choose from steps, lr, method")])
def test_a_name_that_is_no_option_is_an_error(name: str, hint: str):
    with pytest.raises(UsageError, match=hint):
        with_keywords(Options, None, {name: 1})


def test_a_group_is_the_class_that_declares_the_option():
    names = {owner.__name__: [field.name for field in fields] for owner, fields in groups_of(Options).items()}
    assert names == {"Budget": ["steps", "lr"], "Options": ["method"]}


@dataclass(frozen=True, kw_only=True)
class Search:
    trials: int = 10
    lr: str = ""


def test_keywords_of_two_classes_are_split_and_a_name_of_both_goes_to_the_first():
    given = {"steps": 3, "trials": 4, "lr": "0.1:1"}
    assert split_keywords("tune", given, Search, Options) == ({"trials": 4, "lr": "0.1:1"}, {"steps": 3})
    assert split_keywords("tune", {}, Search, Options) == ({}, {})


@pytest.mark.parametrize("name", ["trails", "step"])
def test_a_name_of_neither_is_an_error_with_the_closest_of_both(name: str):
    close = {"trails": "trials", "step": "steps"}[name]
    with pytest.raises(UsageError, match=f"tune has no option '{name}'; did you mean '{close}'"):
        split_keywords("tune", {name: 1}, Search, Options)


@pytest.mark.parametrize("given", ["digits-s", {"steps": 3}, Search()])
def test_options_of_another_type_are_an_error(given: object):
    with pytest.raises(UsageError, match="expected Options or options by name, but got "):
        with_keywords(Options, given, {})  # type: ignore[arg-type]
