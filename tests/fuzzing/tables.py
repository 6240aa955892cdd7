"""Tables as any software may have written them: columns are named, read, and turned into groups and numbers."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

from fairdistill.tables.columns import Columns
from fairdistill.tables.reading import header, read_columns
from tests.fuzzing.kind import Input, Kind
from tests.fuzzing.mutation import changed_bytes, changed_rows, changed_value

ROWS = [["id", "label", "group", "pred", "p_a", "p_b"]] + [
    [f"x{row}", "ab"[row % 2], "uvw"[row % 3], "ab"[row // 3 % 2], f"0.{row % 9 + 1}", f"0.{9 - row % 9}"]
    for row in range(9)
]
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252")


def written(draw: random.Random, rows: list[list[str]], separator: str) -> bytes:
    """Return the bytes of a table, in a layout and an encoding of choice."""
    text = io.StringIO()
    quoting = draw.choice((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    csv.writer(
        text, delimiter=separator, quoting=quoting, lineterminator=draw.choice(("\n", "\n", "\r\n", "\r"))
    ).writerows(rows)
    given = text.getvalue()
    if draw.random() < 0.1:
        given = f"sep={separator}\n{given}"
    if draw.random() < 0.1:
        given = given.replace(separator, separator + " ")
    return given.encode(draw.choice(ENCODINGS), errors="replace")


def json_lines(rows: list[list[str]]) -> list[dict[str, object]]:
    return [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]


def parquet(rows: list[list[str]], draw: random.Random) -> bytes:
    """Return a Parquet file with numbers, texts and categories."""
    import pyarrow
    import pyarrow.parquet

    columns = dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True))
    arrays = {name: pyarrow.array(values) for name, values in columns.items()}
    arrays["p_a"] = pyarrow.array([float(each) for each in columns["p_a"]])
    arrays["label"] = draw.choice(
        (arrays["label"], arrays["label"].dictionary_encode(), pyarrow.array([[1]] * len(columns["label"])))
    )
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(arrays), file, compression=draw.choice(("snappy", "none", "gzip")))
    return file.getvalue()


class Tables(Kind):
    """CSV, TSV, JSON Lines and Parquet."""

    inputs = 70_000

    def prepare(self, folder: Path) -> None:
        self._folder = folder
        draw = random.Random(0)
        self._parquet = [parquet(ROWS, draw) for _ in range(6)]

    def make(self, draw: random.Random) -> Input:
        form = draw.choices((".csv", ".tsv", ".jsonl", ".parquet"), (55, 10, 25, 10))[0]
        if form == ".parquet":
            return Input(form, changed_bytes(draw, draw.choice(self._parquet)))
        rows = changed_rows(draw, ROWS) if draw.random() < 0.7 else ROWS
        if form == ".jsonl":
            lines = changed_value(draw, json_lines(rows)) if draw.random() < 0.6 else json_lines(rows)
            content = "\n".join(map(json.dumps, lines if isinstance(lines, list) else [lines])).encode()
        else:
            content = written(draw, rows, draw.choice((",", ",", ";", "\t", "|")))
        return Input(form, changed_bytes(draw, content) if draw.random() < 0.6 else content)

    def read(self, given: Input) -> None:
        path = self._folder / f"table{given.form}"
        path.write_bytes(given.content)
        encoding = "utf-8" if len(given.content) % 8 else "latin-1"
        names = header(path, encoding)
        scores = [name for name in names if name.startswith("p_")]
        texts = [name for name in ("label", "group") if name in names] or names[:2]
        wanted = list(dict.fromkeys([*texts, *scores]))
        frame = read_columns(path, wanted, encoding, numbers=[name for name in scores if name not in texts])
        assert {*frame.columns} == {*wanted}
        columns = Columns(path, frame, {}, {"NA"})
        for name in texts:
            codes, known = columns.codes(name, "group", unknown=True)
            assert len(codes) == len(frame)
            assert -1 <= codes.min() <= codes.max() < max(1, len(known))
