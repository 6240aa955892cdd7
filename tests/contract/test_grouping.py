from __future__ import annotations

from dataclasses import dataclass

import pytest

from fairdistill.contract import build, changed, flat, leaves
from fairdistill.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Budget:
    steps: int | None = None
    lr: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Options:
    method: str = "ss"
    budget: Budget = Budget()


def test_options_are_named_without_their_groups():
    assert list(leaves(Options)) == ["method", "steps", "lr"]
    assert build(Options, {"steps": 3}) == Options(budget=Budget(steps=3))
    assert flat(build(Options, {"steps": 3})) == {"method": "ss", "steps": 3, "lr": 0.1}
    assert build(Options, flat(Options(budget=Budget(lr=2.0)))) == Options(budget=Budget(lr=2.0))


def test_a_change_keeps_the_rest_of_its_group():
    assert changed(Options(budget=Budget(steps=3)), lr=0.5, method="mfd") == Options(
        method="mfd", budget=Budget(steps=3, lr=0.5)
    )


def test_a_group_may_be_given_whole():
    assert build(Options, {"budget": Budget(steps=3), "lr": 0.5}) == Options(budget=Budget(steps=3, lr=0.5))


@pytest.mark.parametrize(("name", "hint"), [("step", "did you mean 'steps'"), ("zzz", "choose from method, steps, lr")])
def test_a_name_that_is_no_option_is_an_error(name: str, hint: str):
    with pytest.raises(UsageError, match=hint):
        build(Options, {name: 1})
