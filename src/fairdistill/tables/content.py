"""What a file holds in place of a text table, told by its first bytes: a workbook, an archive, JSON.

What can stand in for any file, such as a compressed copy, is in `system/stand_ins.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from fairdistill.system.archives import names_in_archive
from fairdistill.system.stand_ins import stand_in

_START = 256  # bytes
_SAVE = "save its sheet as CSV"
_EXPORT = "export the result of a query as CSV"
_PANDAS = "convert it: pandas.{}(FILE).to_csv('t.csv', index=False)"
_CONVERT = "pandas.read_feather(FILE).to_parquet('t.parquet')"
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (rb"PAR1", "a Parquet file", "give it the extension .parquet"),
    (rb"ARROW1", "an Arrow file", "convert it to Parquet: " + _CONVERT),
    (rb"(?s)\xff{4}.{4}\x10\0\0\0", "an Arrow stream", "convert it to Parquet, for example with pyarrow"),
    (rb"\xd0\xcf\x11\xe0", "an Excel workbook", _SAVE),
    (rb"\$FL[23]", "an SPSS file", _PANDAS.format("read_spss")),
    (rb"<stata_dta>|[\x71-\x73][\x01\x02]\x01\0", "a Stata file", _PANDAS.format("read_stata")),
    (rb"\0{12}\xc2\xea\x81\x60", "a SAS file", _PANDAS.format("read_sas")),
    (rb"SQLite format 3\0", "an SQLite database", _EXPORT),
    (rb"\x93NUMPY", "a NumPy array", "write its columns, with names, as CSV"),
    (rb"%PDF", "a PDF document", "export its table as CSV"),
    (rb"\{\s*\"[^\"]*\"\s*:", "JSON", "write one object a line, and give the file the extension .jsonl"),
    (rb"\[\s*\{", "a JSON list", "write one object a line, and give the file the extension .jsonl"),
    (rb"(?i)(--[^\n]*\n\s*)*(insert\s+into|create\s+table|drop\s+table)\s", "a list of SQL commands", _EXPORT),
    (rb"(?i)--\s*(--\s*)?(mysql|mariadb|postgresql)", "a dump of a database", _EXPORT),
    (rb"(?i)<(!doctype|html|table)", "a web page", "export its table as CSV"),
)


def other_content(path: Path) -> str | None:
    """Return what a file is, if it is surely not a text table, and what to do; None otherwise.

    Args:
        path: a file with any extension.

    Raises:
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(_START)
    if start.startswith(b"PK\x03\x04"):
        return _archive(path)
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    own = next((f"is {what}; {remedy}" for sign, what, remedy in _KINDS if re.match(sign, start)), None)
    return own or stand_in(path)


def no_table(path: Path, suffixes: Collection[str], *, otherwise: str = "") -> str:
    """Return what a file is that does not have the extension of a table, and what to do.

    Args:
        path: the file.
        suffixes: the extensions of tables.
        otherwise: what to do if it was not meant to be a table, from the semicolon on.

    Raises:
        OSError: if it cannot be read.
    """
    other = other_content(path)
    if other is not None:
        return other
    with path.open("rb") as file:
        is_text = b"\0" not in file.read(_START)
    hint = "; give a text table the extension .csv, whatever separates its fields" if is_text else ""
    return f"is not a table ({', '.join(suffixes)}){hint}{otherwise}"


def _archive(path: Path) -> str | None:
    names = names_in_archive(path)
    if any(name.startswith("xl/") for name in names):
        return f"is an Excel workbook; {_SAVE}"
    if "content.xml" in names:
        return f"is an OpenDocument file; {_SAVE}"
    is_model = path.suffix.lower() not in (".csv", ".tsv", ".txt", ".zip")  # PyTorch's files are archives too
    return None if is_model else "is a ZIP archive; unpack it first"
