from __future__ import annotations

import pytest

from fairdistill.errors import DataError
from fairdistill.tables.reading import read_columns


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "label,group,pred\ncat,A,cat\ncat,A\n",
            "line 3: expected 3 fields as in the header, but got 2; complete this",
        ),
        (
            "label,group,pred\ncat,A\ncat,B,dog\n",
            "line 2: expected 3 fields as in the header, but got 2; complete this",
        ),
        (
            "label,group,pred,in %\ncat,A,cat\ncat,B,dog\n",
            "but got 3; remove the names of columns that are not there, or quote names that contain ','",
        ),
        (
            "label,group,pred\ncat;A;cat\ncat;B;dog\n",
            "the header separates its fields with ',', this line with ';'; use one of them",
        ),
        ("label,group,pred\ncat,A,cat\n(1 row)\n", "remove this line if it is a remark below the table"),
    ],
)
def test_rows_of_fewer_fields_than_the_header_are_told_what_is_missing(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError) as raised:
        read_columns(tmp_path / "t.csv", ["label"], "utf-8")
    assert message in str(raised.value)
    assert "quote fields" not in str(raised.value)
