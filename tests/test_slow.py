"""The list of slow tests names tests that there are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import slow_tests

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("entry", sorted(slow_tests()))
def test_every_slow_test_is_there(entry):
    file, _, test = entry.partition("::")
    defined = {
        node.name for node in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(node, ast.FunctionDef)
    }
    assert not test or test.split("[")[0] in defined


def test_what_is_in_the_list_is_marked_and_nothing_else(request):
    assert request.node.get_closest_marker("slow") is None
    marked = {item.nodeid for item in request.session.items if item.get_closest_marker("slow")}
    nodes = [item.nodeid for item in request.session.items]
    listed = {node for node in nodes if slow_tests() & {node, node.split("[")[0], node.partition("::")[0]}}
    assert marked == listed
