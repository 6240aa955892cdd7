"""Lists of methods and data sets in help texts are made from METHODS and DATASETS."""

from __future__ import annotations

import pytest

from fairdistill import cli
from fairdistill.cli.lists import filled, method_names
from fairdistill.data import DATASETS
from fairdistill.methods import METHODS


def test_help_names_are_those_of_the_methods():
    assert method_names() == list(METHODS)
    assert filled("{methods}; {datasets}; {other}") == f"{', '.join(METHODS)}; {', '.join(DATASETS)}; {{other}}"


@pytest.mark.parametrize(
    ("command", "lists"),
    [
        (["train"], METHODS),
        (["train"], DATASETS),
        (["audit", "--data", "digits-s"], DATASETS),
        (["fix"], DATASETS),
        (["data", "inspect"], DATASETS),
    ],
)
def test_help_lists_every_one(capsys, command, lists):
    assert cli.main([*command, "--help"]) == 0
    assert ", ".join(lists) in " ".join(capsys.readouterr().out.split())
