from __future__ import annotations

import pytest

from fairdistill import audit
from fairdistill.errors import DataError
from fairdistill.tables.columns import Columns
from fairdistill.tables.reading import header, place, read_columns

ROWS = '{"id": 1, "label": 10}\n\n{"label": 9, "group": "x"}\n{"label": 10, "group": ""}\n'


def test_columns_are_those_of_all_lines_and_numbers_stay_numbers(tmp_path):
    table = tmp_path / "t.jsonl"
    table.write_text(ROWS)
    assert header(table, "utf-8") == ["id", "label", "group"]
    columns = Columns(table, read_columns(table, ["label", "group"], "utf-8"), {})
    assert columns.codes("label", "label")[1] == ("9", "10")
    assert columns.codes("group", "group", unknown=True)[0].tolist() == [-1, 0, -1]
    assert place(table, 1).endswith("t.jsonl, line 3")
    assert read_columns(table, ["label"], "utf-8", numbers=["label"])["label"].tolist() == [10.0, 9.0, 10.0]


BAD = [
    ('[\n {"a": 1}\n]\n', r"line 1: this is not JSON: .*orient='records', lines=True"),
    ('{"a": 1}\n{"a": \n', "line 2: this is not JSON"),
    ('{"a": 1}\n\n[1]\n', r"line 3: expected a JSON object, but got \[1\]"),
    ('{"a": 1}\n{"a": 1, "b": 2, "a": 3}\n', "line 2: 'a' occurs twice; rename or remove one"),
    ('{"a": "b: \\": ", "c" : 2, "c":3}\n', "line 1: 'c' occurs twice"),
    ('{"a": 1}\n{"a": 1, " a": 3}\n', "line 2: 'a' occurs twice, once with blanks"),
    ("{}\n{}\n", "has no columns: its lines are empty objects"),
    ("[" * 100_000, "line 1: this is not JSON: it is nested more than"),
    ("\n", "is empty; expected at least one JSON object"),
    ('{"a": 1}\n{"a": "x\\ud800"}\n', r"line 2: \\ud800 is half a character"),
    ('{"a": "\\ud83d\\ude00"}\n{"\\uDEAD": 1}\n', r"line 2: \\udead is half a character"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[message for _, message in BAD])
def test_what_is_not_a_table_is_named_with_the_line(tmp_path, text, message):
    (tmp_path / "t.jsonl").write_text(text)
    with pytest.raises(DataError, match=message):
        header(tmp_path / "t.jsonl", "utf-8")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match="there is no table"):
        header(tmp_path / "none.jsonl", "utf-8")
    (tmp_path / "t.jsonl").write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(
        DataError, match=r"is not utf-8 \(byte 0xe9 in line 1\); name its encoding, for example --encoding latin-1"
    ):
        header(tmp_path / "t.jsonl", "utf-8")
    assert read_columns(tmp_path / "t.jsonl", ["a"], "latin-1")["a"].tolist() == ["é"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path, encoding):
    table = tmp_path / "t.jsonl"
    table.write_text(ROWS.replace("x", "é"), encoding=encoding)
    assert read_columns(table, ["group"], "utf-8")["group"].tolist() == [None, "é", None]
    assert place(table, 1).endswith("t.jsonl, line 3")


@pytest.mark.parametrize("suffix", [".ndjson", ".jsonlines", ".JSONL"])
def test_other_extensions_of_json_lines_are_known(tmp_path, suffix):
    (tmp_path / f"t{suffix}").write_text(ROWS)
    assert header(tmp_path / f"t{suffix}", "utf-8") == ["id", "label", "group"]


def test_values_that_are_equal_numbers_but_written_differently_are_told_apart(tmp_path):
    (tmp_path / "t.jsonl").write_text("".join(f'{{"a": {value}}}\n' for value in ("false", "0", '"0"', "0.0")))
    columns = Columns(tmp_path / "t.jsonl", read_columns(tmp_path / "t.jsonl", ["a"], "utf-8"), {})
    codes, names = columns.codes("a", "group")
    assert [names[code] for code in codes.tolist()] == ["False", "0", "0", "0.0"]


def test_predictions_may_be_json_lines(tmp_path):
    lines = [f'{{"label": "{a}", "group": "{g}", "pred": "{p}"}}' for a in "ab" for g in "xy" for p in "aabb"]
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    assert audit(tmp_path / "p.jsonl").accuracy.value == 0.5


@pytest.mark.parametrize("value", ["[]", "[1]", '{"b": 2}'])
def test_a_list_in_place_of_a_number_is_named(value, tmp_path):
    table = tmp_path / "t.jsonl"
    table.write_text(f'{{"a": 1}}\n{{"a": {value}}}\n')
    with pytest.raises(DataError, match=r"line 2: column 'a' has .*, which is not a number"):
        read_columns(table, ["a"], "utf-8", numbers=["a"])
