from __future__ import annotations

import json
import sys

import pytest

from fairdistill.errors import UsageError
from fairdistill.system.optional import needed


def test_a_package_that_is_there_is_returned() -> None:
    assert needed("json", extra="none") is json


def test_a_missing_package_is_one_line_that_installs_it() -> None:
    with pytest.raises(UsageError) as caught:
        needed("no_such_package", extra="tune", by="tune needs", name="Nothing", or_=", or do without")
    assert str(caught.value) == ("tune needs Nothing; install it with: pip install 'fairdistill[tune]', or do without")


def test_what_the_package_itself_misses_is_not_taken_for_the_package(tmp_path, monkeypatch) -> None:
    (tmp_path / "broken_package.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_package", raising=False)
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        needed("broken_package", extra="tune")
