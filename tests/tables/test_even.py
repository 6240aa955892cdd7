from __future__ import annotations

from pathlib import Path

import pytest

from fairdistill.tables import even
from fairdistill.tables.even import is_even


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"a,b\n1,2\n3,4\n", True),
        (b"a,b\n1,2\n\n3,4", True),
        (b"a,b\r\n1,2\r\n\r\n3,4\r\n", True),
        ("a,b\né,2\n".encode(), True),
        (b"", True),
        (b"a,b\n1,2,3\n", False),
        (b"a,b\n1\n", False),
        (b"a,b\n1,2\n3", False),
        (b'a,b\n"1",2\n', False),
        (b"a,b\r1,2\r", False),
        ("a,b\né,2\n".encode("latin-1"), False),
    ],
)
@pytest.mark.parametrize("chunk", [2**25, 3])
def test_lines_with_as_many_fields_are_even(
    content: bytes, found: bool, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(even, "_CHUNK", chunk)
    (tmp_path / "t.csv").write_bytes(content)
    assert is_even(tmp_path / "t.csv", encoding="utf-8", separator=",", fields=2) == found


def test_only_plain_encodings_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b\né;2\n", encoding="latin-1")
    assert is_even(tmp_path / "t.csv", encoding="latin-1", separator=";", fields=2)
    assert not is_even(tmp_path / "t.csv", encoding="cp1252", separator=";", fields=2)
