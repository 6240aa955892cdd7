"""Standard input in place of a file."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from fairdistill.errors import DataError, UsageError
from fairdistill.system.standard_input import copied_from_standard_input


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def given(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_it_is_a_file_for_as_long_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, b"a,b\n\xff\n")
    with copied_from_standard_input("a table", lambda first: first[:1].decode()) as path:
        assert path.read_bytes() == b"a,b\n\xff\n"
        assert path.name == "inputa"
    assert not path.parent.exists()


def test_errors_name_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise DataError(f"{path}, row 3: column 'p' is empty")

    given(monkeypatch, b"a")
    with pytest.raises(DataError, match=r"^standard input, row 3: "), copied_from_standard_input("x", str) as path:
        fail(path)


@pytest.mark.parametrize(
    ("stream", "state"),
    [(None, "is closed"), (Terminal(), "is a terminal"), (io.TextIOWrapper(io.BytesIO()), "is empty")],
)
def test_nothing_to_read_is_said_at_once(monkeypatch: pytest.MonkeyPatch, stream: object, state: str) -> None:
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(UsageError, match=f"standard input {state}"), copied_from_standard_input("a table", str):
        pytest.fail("nothing can be read")
