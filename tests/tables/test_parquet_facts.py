"""pyarrow ends the process, without an exception, when one asks for the metadata of a damaged column."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fairdistill.tables.parquet_facts import column_facts

pa = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")

EVERY_BYTE = """
import sys
from pathlib import Path
from fairdistill.errors import DataError
from fairdistill.tables.reading import header, read_columns
path = Path(sys.argv[1])
content = path.read_bytes()
end = len(content) - 8
read = refused = 0
for at in range(end - int.from_bytes(content[end : end + 4], "little"), end):
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    try:
        read_columns(path, header(path, "utf-8")[:1], "utf-8")
        read += 1
    except DataError:
        refused += 1
print(read, refused)
"""


def test_no_flipped_bit_in_the_footer_ends_the_process(tmp_path):
    path = tmp_path / "t.parquet"
    pa.parquet.write_table(pa.table({"a": ["x", "y"], "b": [1.0, 2.0]}), path, store_schema=False)
    done = subprocess.run(
        [sys.executable, "-c", EVERY_BYTE, str(path)], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]
    read, refused = map(int, done.stdout.split())
    assert read > 50
    assert refused > 50


def test_columns_are_found_with_their_fields_and_their_rows(tmp_path):
    path = tmp_path / "t.parquet"
    rows = {"image": [{"bytes": b"abc", "path": "a"}] * 5, "label": [1, 2, 3, 4, 5]}
    pa.parquet.write_table(pa.table(rows), path, row_group_size=3)
    found = [(number, [part.path_in_schema for part in parts]) for number, parts in column_facts(path, ["image"])]
    assert found == [(3, ["image.bytes", "image.path"]), (2, ["image.bytes", "image.path"])]
    assert [len(parts) for _, parts in column_facts(path, ["image.bytes", "label"])] == [2, 2]
