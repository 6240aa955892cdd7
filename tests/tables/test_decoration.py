from __future__ import annotations

import pytest

from fairdistill.errors import DataError
from fairdistill.tables.reading import read_columns

MARKDOWN = "| label | group |\n| :--- | ---: |\n| cat | a |\n"
PSQL = " label | group\n-------+-------\n cat   | a\n"
SQLCMD = "label,group\n-----,-----\ncat,a\n"


@pytest.mark.parametrize("text", [MARKDOWN, PSQL, SQLCMD, SQLCMD.replace(",", ";").replace("-", "=")])
def test_a_rule_below_the_header_is_no_row(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=r"t\.csv, line 2: this line draws a rule below the header"):
        read_columns(tmp_path / "t.csv", ["label"], "utf-8")


def test_signs_for_unknown_and_classes_of_signs_are_read(tmp_path):
    (tmp_path / "t.csv").write_text("label,group\n-,-\n--,a\ncat,--\n")
    assert list(read_columns(tmp_path / "t.csv", ["label"], "utf-8").label) == ["-", "--", "cat"]


@pytest.mark.parametrize("remark", ["(2 rows affected)", "\n(2 rows)\n", "Source: survey of 2026"])
def test_a_remark_below_the_last_row_is_said_to_be_one(tmp_path, remark):
    (tmp_path / "t.csv").write_text(f"label,group\ncat,a\ndog,b\n{remark}")
    with pytest.raises(DataError, match=r"line [45]: expected 2 fields .* got 1; remove this line if it is a remark"):
        read_columns(tmp_path / "t.csv", ["label"], "utf-8")


def test_a_short_row_between_others_is_none(tmp_path):
    (tmp_path / "t.csv").write_text("label,group\ncat,a\ndog\ncat,b\n")
    with pytest.raises(DataError, match=r"line 3: expected 2 fields .* got 1; complete this line"):
        read_columns(tmp_path / "t.csv", ["label"], "utf-8")
