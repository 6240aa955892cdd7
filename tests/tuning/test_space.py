from __future__ import annotations

import pytest

from fairdistill import methods
from fairdistill.errors import UsageError
from fairdistill.tuning.space import Listed, Range, gridded, parse_space


def space(method="mfd", **search):
    return parse_space(
        {name.replace("__", "."): text for name, text in search.items()}, methods.parse(method, data="x")
    )


def test_ranges_and_lists_are_read():
    assert space(mfd__strength="0.3:30:log", lr="1e-4:1e-2", batch_size="32,64") == {
        "mfd.strength": Range(0.3, 30.0, log=True), "lr": Range(1e-4, 1e-2), "batch_size": Listed((32, 64)),
    }  # fmt: skip


def test_whole_numbers_stay_whole():
    found = space("ad", adversary__hidden="8:64:log", batch_size="16:64")
    assert found == {"adversary.hidden": Range(8, 64, log=True, whole=True), "batch_size": Range(16, 64, whole=True)}
    points = gridded(found, trials=9)["adversary.hidden"].values
    assert points == (8, 23, 64)
    assert all(isinstance(point, int) for point in points)


def test_a_setting_is_searched_under_its_former_name_too():
    assert space(mmd__strength="0.3:30") == {"mfd.strength": Range(0.3, 30.0)}


@pytest.mark.parametrize(("method", "name"), [("mfd", "mfd.strength"), ("at", "at.strength")])
def test_the_one_strength_of_a_method_is_searched_around_its_value_by_default(method, name):
    paper = methods.parse(method, data="x").settings[name]
    assert parse_space({}, methods.parse(method, data="x")) == {
        name: Range(pytest.approx(paper / 10), pytest.approx(paper * 10), log=True)
    }


@pytest.mark.parametrize(("method", "why"), [("ss", "no strength"), ("fitnet", "more than one strength")])
def test_without_one_strength_it_is_said_what_may_be_searched(method, why):
    with pytest.raises(UsageError, match=rf"method '{method}' has {why}, .* you can search: .*lr, weight_decay") as e:
        parse_space({}, methods.parse(method, data="x"))
    assert ("hint.strength" in str(e.value)) == (method == "fitnet")


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ({"mfd__strenght": "1,2"}, "cannot search 'mfd.strenght'; did you mean 'mfd.strength'? With --method mfd"),
        ({"epochs": "1,2"}, "you can search: mfd.strength, mfd.bandwidth, lr, weight_decay, batch_size"),
        ({"lr": "2:1"}, "--search lr=2:1: 2 is not less than 1; expected NAME=LOW:HIGH"),
        ({"lr": "1:1"}, "1 is not less than 1"),
        ({"lr": "0:1:log"}, "a range with :log must start above 0"),
        ({"lr": "1:2:lin"}, "only :log may follow the second number, not 'lin'"),
        ({"lr": "1,two,3"}, "'two' is not a number"),
        ({"lr": "1:"}, "'' is not a number"),
        ({"lr": "1,inf"}, "'inf' is not finite"),
        ({"lr": "1"}, "at least two different values"),
        ({"lr": "1,2,1"}, "at least two different values"),
        ({"batch_size": "8.5:20"}, "batch_size must be a whole number, not 8.5"),
    ],
)
def test_what_cannot_be_searched_is_said(search, said):
    with pytest.raises(UsageError) as e:
        space(**search)
    assert said in str(e.value)


def test_a_grid_has_evenly_spaced_points_of_its_ranges():
    two = {"a": Range(1, 100, log=True), "b": Range(0, 1), "c": Listed((1, 2))}
    assert gridded(two, trials=18) == {
        "a": Listed((1, 10.0, 100)), "b": Listed((0, 0.5, 1)), "c": Listed((1, 2)),
    }  # fmt: skip
    with pytest.raises(UsageError, match="a grid over a, b needs at least two points for each, 8 trials in total"):
        gridded(two, trials=7)


@pytest.mark.parametrize("given", [(0.3, 30.0), [1, 3], 3])
def test_what_is_searched_is_given_as_text(given):
    with pytest.raises(UsageError, match=r"expected search\['lr'\] to be a text such as '0.3:30:log', but got "):
        space(lr=given)
