from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from fairdistill.errors import DataError
from fairdistill.tables.content import other_content
from fairdistill.tables.reading import header

TEXT = b"label,group,pred\n1,a,1\n"


def archive(path: Path, *members: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in members:
            file.writestr(name, "x")
    return path


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(TEXT), "is compressed with gzip; unpack it first"),
        (bz2.compress(TEXT), "is compressed with bzip2; unpack it first"),
        (lzma.compress(TEXT), "is compressed with xz; unpack it first"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "is an Excel workbook; save its sheet as CSV"),
        (b'[\n  {"label": 1}]', "is a JSON list; write one object a line, and give the file the extension .jsonl"),
        (b'{"label": 1}\n{"label": 0}', "is JSON; write one object a line, and give the file the extension .jsonl"),
        (
            b"ARROW1\0\0" + bytes(90),
            "is an Arrow file; convert it to Parquet: pandas.read_feather(FILE).to_parquet('t.parquet')",
        ),
        (
            b"\xff\xff\xff\xff\x68\x0a\0\0\x10\0\0\0",
            "is an Arrow stream; convert it to Parquet, for example with pyarrow",
        ),
        (b"$FL2@(#) SPSS", "is an SPSS file; convert it: pandas.read_spss(FILE).to_csv('t.csv', index=False)"),
        (b"<stata_dta><header>", "is a Stata file; convert it: pandas.read_stata(FILE).to_csv('t.csv', index=False)"),
        (b"\x72\x02\x01\0", "is a Stata file; convert it: pandas.read_stata(FILE).to_csv('t.csv', index=False)"),
        (
            bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf",
            "is a SAS file; convert it: pandas.read_sas(FILE).to_csv('t.csv', index=False)",
        ),
        (b"SQLite format 3\0", "is an SQLite database; export the result of a query as CSV"),
        (b"\x93NUMPY\x01\0", "is a NumPy array; write its columns, with names, as CSV"),
        (b"-- MySQL dump 10.13\n--\n", "is a dump of a database; export the result of a query as CSV"),
        (b"--\n-- PostgreSQL database dump\n", "is a dump of a database; export the result of a query as CSV"),
        (
            b"-- rows\nINSERT INTO t (label) VALUES (1);",
            "is a list of SQL commands; export the result of a query as CSV",
        ),
        (b"\xef\xbb\xbf <!DOCTYPE html>", "is a web page; export its table as CSV"),
    ],
)
def test_other_content_is_named_with_what_to_do(tmp_path, content, what):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert other_content(path) == what
    with pytest.raises(DataError) as raised:
        header(path, "utf-8")
    assert str(raised.value) == f"{path} {what}"


def test_archives_are_told_apart_by_what_is_in_them(tmp_path):
    assert "Excel workbook" in str(other_content(archive(tmp_path / "a.csv", "[Content_Types].xml", "xl/workbook.xml")))
    assert "OpenDocument" in str(other_content(archive(tmp_path / "b.csv", "mimetype", "content.xml")))
    assert other_content(archive(tmp_path / "c.zip", "t.csv")) == "is a ZIP archive; unpack it first"
    assert other_content(archive(tmp_path / "d.pt", "archive/data.pkl")) is None  # PyTorch's


def test_a_parquet_file_without_its_extension_is_named(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"label": [0, 1]}).to_parquet(tmp_path / "t.pq")
    assert other_content(tmp_path / "t.pq") == "is a Parquet file; give it the extension .parquet"


@pytest.mark.parametrize(
    "text", ["label,group\n", "[label];[group]\n", "{label},x\n", '"{""a"": 1}",x\n', "<20,>=20\n", ""]
)
def test_text_is_not_taken_for_anything_else(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert other_content(path) is None
