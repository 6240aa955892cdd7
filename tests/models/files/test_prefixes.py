from __future__ import annotations

from fairdistill.models.files.prefixes import common_prefix, fitting_prefixes, without_prefix


def test_stacked_prefixes_are_removed_and_what_is_beside_the_network_stays():
    weights = {"module.net.fc.weight": 1, "module.net.fc.bias": 2, "n_averaged": 3, "criterion.weight": 4}
    assert common_prefix(weights) == "module.net."
    assert without_prefix(weights) == {"fc.weight": 1, "fc.bias": 2, "n_averaged": 3, "criterion.weight": 4}


def test_a_prefix_of_some_names_is_part_of_them():
    assert common_prefix({"backbone.a": 0, "head.a": 0}) == ""
    assert common_prefix({}) == common_prefix({"n_averaged": 0}) == ""


def test_prefixes_under_which_a_whole_network_lies_are_found():
    assert fitting_prefixes(["a.x", "a.y", "b.x", "xx", "y"], ["x", "y"]) == ["a."]
    assert fitting_prefixes(["x", "y"], ["x", "y"]) == [""]
    assert fitting_prefixes(["x"], []) == []
