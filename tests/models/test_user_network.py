from __future__ import annotations

import sys

import pytest
import torch

from fairdistill.errors import UsageError
from fairdistill.models import build, trust_code


@pytest.mark.parametrize(
    ("factory", "size", "width"),
    [
        ("make", 8, 4),
        ("FunctionalNet", 8, 4),
        ("make_keyword", 8, 4),
        ("make_forwarding", 8, 4),
        ("make_positional", 4, 4),
        ("make_fixed", 4, 5),
    ],
)
def test_a_factory_gets_the_number_of_classes_if_it_takes_it(factory, size, width):
    network = build(f"tests.models.user_net:{factory}", 4).eval()
    assert network(torch.zeros(2, 3, size, size)).shape == (2, width)


def test_a_module_in_the_current_folder_is_found_and_the_path_is_left_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "nets_of_mine.py").write_text(
        "from torch import nn\ndef make(num_classes): return nn.Linear(2, num_classes)"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "nets_of_mine", raising=False)
    path = list(sys.path)
    trust_code("nets_of_mine:make")
    assert build("nets_of_mine:make", 3).out_features == 3
    assert sys.path == path
    del sys.modules["nets_of_mine"]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("raise ValueError('half written')", "ValueError: half written"),
        ("import no_such_package", r"No module named 'no_such_package' \(.*broken_nets.py, line 1"),
        ("def make(:", r"SyntaxError: invalid syntax \(broken_nets.py, line 1\)"),
        ("import sys; sys.exit(2)", "SystemExit: 2"),
        (None, "No module named 'broken_nets'"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_the_folder_and_the_reason(tmp_path, monkeypatch, source, text):
    if source is not None:
        (tmp_path / "broken_nets.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    trust_code("broken_nets:make")
    with pytest.raises(UsageError, match=f"cannot import 'broken_nets' .*{text}") as caught:
        build("broken_nets:make", 3)
    assert (f"searched in {tmp_path} and the installed" in str(caught.value)) == (source is None)


@pytest.mark.parametrize(
    ("factory", "text"),
    [
        ("mak", r"user_net\.py\) has no 'mak'.*did you mean tests\.models\.user_net:make\?"),
        ("an_instance", "expected 'an_instance' in .* to be a function or class, but its type is Linear"),
        ("a_number", "to be a function or class, but its type is int"),
        (
            "fails",
            r"making the network tests.models.user_net:fails failed: KeyError: 'no such block' \(.*user_net.py, line",
        ),
        ("returns_none", "returned a NoneType"),
        ("needs_more", "needs the arguments num_classes, depth"),
        ("make_lazy", "lazy layers.*run it once on an image in make_lazy"),
    ],
)
def test_a_factory_that_makes_no_network_is_named_with_the_reason(factory, text):
    with pytest.raises(UsageError, match=text):
        build(f"tests.models.user_net:{factory}", 3)
