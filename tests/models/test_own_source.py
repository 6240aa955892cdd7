"""Hashes of one's own code: of which files, as they are or as they were imported, and without importing anything."""

from __future__ import annotations

import hashlib
import importlib
import sys
from pathlib import Path

import pytest

from fairdistill.models.own_source import changed_since_import, code_digests


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder; modules that a test imports are forgotten after it."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def test_it_is_of_the_file_and_of_those_beside_it_that_it_imports(here):
    (here / "my_losses.py").write_text("import math, my_layers\nraise ValueError('it is not run')")
    (here / "my_layers.py").write_text("def late():\n    from my_numbers import ONE\n    return ONE")
    (here / "my_numbers.py").write_text("import my_losses\nONE = 1")
    (here / "unrelated.py").write_text("")
    (here / "math.py").mkdir()
    files = ("my_layers.py", "my_losses.py", "my_numbers.py")
    assert code_digests("ss", "my_losses:Center", None, "my_losses:Other") == {file: sha(here / file) for file in files}
    assert "my_losses" not in sys.modules


def test_a_package_counts_what_it_passes_on(here):
    package = here / "pkg"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("from .losses import Center\nfrom pkg.more import Other\nimport os")
    (package / "losses.py").write_text("from . import base")
    (package / "base.py").write_text("")
    (package / "more.py").write_text("import pkg.deep.far")
    (package / "deep/far.py").write_text("")
    files = ("pkg/__init__.py", "pkg/base.py", "pkg/losses.py", "pkg/more.py")
    assert list(code_digests("pkg:Center")) == list(files)
    assert list(code_digests("pkg.losses:Center")) == ["pkg/base.py", "pkg/losses.py"]
    assert list(code_digests("pkg.deep.far:Center")) == ["pkg/deep/far.py"]


def test_of_an_installed_module_it_is_the_file_alone(here, monkeypatch):
    installed = here / "site-packages"
    installed.mkdir()
    (installed / "their_nets.py").write_text("import their_layers")
    (installed / "their_layers.py").write_text("")
    monkeypatch.syspath_prepend(installed)
    assert code_digests("their_nets:make") == {"their_nets.py": sha(installed / "their_nets.py")}


@pytest.mark.parametrize(
    "name", ["ss", "torchvision:resnet18", "no_such_module:Center", "sys:intern", "pkg/x:y", ":x", "my_losses.py"]
)
def test_what_has_no_source_has_no_hash(here, name):
    assert code_digests(name) == {}


def test_code_that_is_no_python_has_the_hash_of_its_file(here):
    (here / "broken.py").write_text("def f(:")
    assert code_digests("broken:f") == {"broken.py": sha(here / "broken.py")}


def test_what_was_imported_counts_until_it_is_imported_anew(here):
    file = here / "my_losses.py"
    file.write_text("ONE = 1")
    first, module = sha(file), importlib.import_module("my_losses")
    assert (code_digests("my_losses:ONE"), changed_since_import("my_losses:ONE")) == ({"my_losses.py": first}, [])
    file.write_text("ONE = 1.5")
    assert code_digests("my_losses:ONE") == {"my_losses.py": first}
    assert changed_since_import("my_losses:ONE", "ss") == ["my_losses.py"]
    importlib.reload(module)
    assert code_digests("my_losses:ONE") == {"my_losses.py": sha(file)} != {"my_losses.py": first}
    assert changed_since_import("my_losses:ONE") == []
