from __future__ import annotations

import pytest

from fairdistill.tables.layout import Layout
from fairdistill.tables.quotes import unclosed_quote


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("lines", "opened"),
    [
        (["a,b", "1,x", '2,"x', "3,x", "4,x"], 3),
        (["a,b", '1,"x', 'y"', '2,"x', "3,x"], 4),
        (["a,b", '1,"x', 'y","z', "2,x"], 3),
        (["a,b", '1,"x', '2,"x"', "3,x"], 2),
        (["a,b", '1,"x', 'y"', '2,"x,""y"""', "3,x"], None),
        (["a,b", '1,"x"y', "2,x"], None),
        (["a,b", "", '1,"', "", ""], 3),
    ],
)
def test_the_line_that_opens_a_quote(tmp_path, lines, opened, end):
    path = tmp_path / "t.csv"
    for last in ("", end):
        path.write_bytes((end.join(lines) + last).encode())
        assert unclosed_quote(path, Layout(encoding="utf-8", separator=","), fields=2) == opened
