from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from fairdistill.errors import DataError
from fairdistill.tables.layout import layout_of
from fairdistill.tables.reading import check_column, header, place, read_columns, several

ROWS = [("a", "0.25", "x, y"), ("b", "0.5", "z"), ("c", "1", "")]


def written(path: Path, separator: str, *, decimal: str = ".", encoding: str = "utf-8", start: str = "") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        file.write(start)
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(["name", "value", "note"])
        writer.writerows([name, value.replace(".", decimal), note] for name, value, note in ROWS)
    return path


@pytest.mark.parametrize(
    ("name", "separator", "how"),
    [
        ("t.csv", ",", {}),
        ("t.csv", ";", {}),
        ("t.csv", ";", {"decimal": ","}),
        ("t.csv", "\t", {"decimal": ","}),
        ("t.csv", "|", {}),
        ("t.csv", ",", {"decimal": ","}),  # in quotes, as some spreadsheets write them
        ("t.tsv", "\t", {}),
        ("t.tsv", ",", {}),
        ("t.csv", ";", {"start": "sep=;\r\n", "decimal": ","}),
        ("t.csv", ",", {"encoding": "utf-8-sig"}),
        ("t.csv", "\t", {"encoding": "utf-16"}),
    ],
)
def test_tables_are_read_as_spreadsheets_write_them(tmp_path, name, separator, how):
    path = written(tmp_path / name, separator, **how)
    assert header(path, "utf-8") == ["name", "value", "note"]
    frame = read_columns(path, ["value", "name", "note"], "utf-8", numbers=["value"])
    assert frame["value"].tolist() == [0.25, 0.5, 1.0]
    assert frame["name"].tolist() == ["a", "b", "c"]
    assert frame["note"].tolist()[:2] == ["x, y", "z"]
    assert place(path, 1).endswith(f"row {4 if 'start' in how else 3}")


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (["25%", "50 %"], [0.25, 0.5]),
        (["2,5%", "50,0%"], [0.025, 0.5]),
        (["-0,5", "12"], [-0.5, 12.0]),
        ([" 0.5 ", "1e-3"], [0.5, 0.001]),
    ],
)
def test_numbers_with_percent_signs_and_decimal_commas(tmp_path, values, read):
    path = tmp_path / "t.csv"
    path.write_text("a;b\n" + "".join(f"x;{value}\n" for value in values))
    assert read_columns(path, ["b"], "utf-8", numbers=["b"])["b"].tolist() == pytest.approx(read)


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (["1,045,000", "850"], [1_045_000, 850]),
        (["1,234.5", "0.25"], [1234.5, 0.25]),
        (["1.234,5", "12"], [1234.5, 12]),
        (["23\u202f500", "-1\u202f000,5"], [23_500, -1000.5]),
    ],
)
def test_signs_that_can_only_separate_thousands_are_left_out(tmp_path, values, read):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f'x,"{value}"\n' for value in values), encoding="utf-8")
    assert read_columns(path, ["b"], "utf-8", numbers=["b"])["b"].tolist() == read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('a,b\nx,"1,000"\nx,"2,000"\n', r"row 2: column 'b' has '1,000', which is not a number"),  # thousands?
        ('a,b\nx,"0,5"\nx,0.25\n', r"row 2: column 'b' has '0,5', which is not a number"),
        ("a;b\nx;0,5\n\nx;half\n", r"row 4: column 'b' has 'half', which is not a number"),
        ("a;b\nx;0,5\nx;\n", r"row 3: column 'b' is empty; every row needs a number, so fill it in or drop the row"),
        ("a;b\nx;[0.1, 0.9]\n", r"row 2: column 'b' has \[0\.1, 0\.9\], .*; give each of its values a column"),
        ("a;b\nx;50%\nx;0.5\n", r"row 2: column 'b' has '50%', which is not a number"),
    ],
)
def test_what_is_not_a_number_is_named_with_row_and_column(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_columns(path, ["b"], "utf-8", numbers=["b"])


def test_blanks_around_names_and_after_separators_do_not_matter(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(' id , label, "a, b" \n1, cat , "x, y"\n2, , z\n')
    assert header(path, "utf-8") == ["id", "label", "a, b"]
    frame = read_columns(path, ["id", "label", "a, b"], "utf-8", numbers=["id"])
    assert frame["id"].tolist() == [1.0, 2.0]
    assert frame["label"].isna().tolist() == [False, True]
    assert frame["label"][0] == "cat"
    assert frame["a, b"].tolist() == ["x, y", "z"]
    path.write_text("id,label \n1, cat\n")  # blanks of the fields are kept unless they follow every name
    assert read_columns(path, ["label"], "utf-8")["label"].tolist() == [" cat"]
    pd.DataFrame({" label": ["cat"], "id ": [1]}).to_parquet(tmp_path / "t.parquet")
    assert header(tmp_path / "t.parquet", "utf-8") == ["label", "id"]
    assert read_columns(tmp_path / "t.parquet", ["id", "label"], "utf-8")["label"].tolist() == ["cat"]


def test_a_field_may_be_longer_than_the_csv_module_allows(tmp_path):
    path = tmp_path / "t.csv"
    limit = csv.field_size_limit()
    path.write_text(f"a,b\n1,{'x' * 200_000}\n2,y\n3\n")
    with pytest.raises(DataError, match=r"line 4: expected 2 fields as in the header, but got 1"):
        read_columns(path, ["a"], "utf-8", numbers=["a"])
    path.write_text(f"a,b\n1,{'x' * 200_000}\n2,y\nz,y\n")
    with pytest.raises(DataError, match=r"row 4: column 'a' has 'z'"):
        read_columns(path, ["a"], "utf-8", numbers=["a"])
    assert csv.field_size_limit() == limit


def test_columns_without_a_name_are_left_behind(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b;;\n1;2;;\n")
    assert read_columns(path, ["b"], "utf-8", numbers=["b"])["b"].tolist() == [2.0]
    path.write_text("a;b; b\n1;2;3\n")
    with pytest.raises(
        DataError, match=r"2 columns named 'b'; rename or remove one, or add a header if the first line is not"
    ):
        header(path, "utf-8")


def test_a_separator_in_a_name_or_a_text_is_not_taken_for_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('id,"note; in; short; words",b\n1,"x; y",2\n')
    assert layout_of(path, "utf-8").separator == ","
    path.write_text("id;age, years;b\n1;20;2\n2;30;2\n")
    assert header(path, "utf-8") == ["id", "age, years", "b"]


def test_the_line_that_is_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("a,b\n1,x\n2,caf\u00e9\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"is not utf-8 \(byte 0xe9 in line 3\).*--encoding latin-1"):
        header(path, "utf-8")
    path.write_bytes("a,b\n1,\u201cx\u201d\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"line 2\).*--encoding cp1252"):
        header(path, "utf-8")


def test_utf_16_without_a_mark_is_recognized(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("a,b\n1,x\n".encode("utf-16-le"))
    with pytest.raises(DataError, match="looks like UTF-16, so name its encoding: --encoding utf-16-le"):
        header(path, "utf-8")
    assert header(path, "utf-16-le") == ["a", "b"]


def test_a_column_in_other_case_is_suggested(tmp_path):
    with pytest.raises(DataError, match=r"has no column 'label'; did you mean 'Label'.* Choose one with --label"):
        check_column(tmp_path / "t.csv", ["Label", "x"], "label", "label")
    with pytest.raises(DataError, match="single column, 'label group'; separate its fields with commas, semicolons or"):
        check_column(tmp_path / "t.csv", ["label group"], "label", "label")


@pytest.mark.parametrize("at", ["name", "value"])
def test_a_parquet_file_whose_texts_are_not_utf8_is_refused(at, tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    pd.DataFrame({"label": ["zebra", "zebra"]}).to_parquet(path, compression=None)
    word = b"label" if at == "name" else b"zebra"
    path.write_bytes(path.read_bytes().replace(word, b"\xe5" + word[1:]))
    with pytest.raises(DataError, match=r"t\.parquet"):
        read_columns(path, header(path, "utf-8"), "utf-8")


def test_utf_32_is_recognized_by_its_mark_and_big_endian_utf_16_without_one_named(tmp_path):
    path = written(tmp_path / "t.csv", ",", encoding="utf-32")
    assert header(path, "utf-8") == ["name", "value", "note"]
    assert read_columns(path, ["value"], "utf-8", numbers=["value"])["value"].tolist() == [0.25, 0.5, 1.0]
    path.write_bytes("a,b\n1,x\n".encode("utf-16-be"))
    with pytest.raises(DataError, match="--encoding utf-16-be"):
        header(path, "utf-8")
    assert header(path, "utf-16-be") == ["a", "b"]


@pytest.mark.parametrize("again", ["name,value,note", "Name,VALUE,note"])
@pytest.mark.parametrize("numbers", [[], ["value"]])
def test_a_header_that_occurs_again_is_named(tmp_path, numbers, again):
    path = tmp_path / "t.csv"
    path.write_text(f'name,value,note\na,1,"x\ny"\n{again}\nb,2,z\n')
    with pytest.raises(DataError, match=r"t\.csv, line 4: the header occurs again; remove this line"):
        read_columns(path, ["name", "value"], "utf-8", numbers=numbers)


def test_values_may_be_called_as_their_columns_are(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("hat,glasses,id\nhat,glasses,1\nnone,none,2\n")
    assert read_columns(path, ["hat", "glasses"], "utf-8")["hat"].tolist() == ["hat", "none"]


@pytest.mark.parametrize(
    ("start", "line"), [("Results of May, 2026\n", 2), ("# made by x\n# version 2\n", 3), (",,\n\n", 3)]
)
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_above_the_header_are_named(tmp_path, start, line, separator, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes(f"{start}id,label,group\n1,cat,a\n".replace(",", separator).encode(encoding))
    with pytest.raises(DataError, match=rf"no column 'label' in its first line, but line {line} looks like the header"):
        check_column(path, header(path, "utf-8"), "label", "label")


@pytest.mark.parametrize("row", ["1,cat,a", "x,cat,a", "cat,1.5,a"])
def test_a_value_is_no_header(tmp_path, row):
    path = tmp_path / "t.csv"
    path.write_text(f"id,label,group\n{row}\n")
    with pytest.raises(DataError, match="no column 'cat'; its columns are id, label, group"):
        check_column(path, header(path, "utf-8"), "label", "cat")


@pytest.mark.parametrize("values", [[[0.3, 0.7], [0.6, 0.4]], [{"cat": 0.3}, {"cat": 0.6}]])
def test_lists_in_a_parquet_file_are_named_where_numbers_are_needed(tmp_path, values):
    pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    pd.DataFrame({"label": ["cat", "dog"], "probs": values}).to_parquet(path)
    with pytest.raises(
        DataError, match=r"t\.parquet, row 1: column 'probs' has [\[{].*; give each of its values a col"
    ):
        read_columns(path, ["label", "probs"], "utf-8", numbers=["probs"])


@pytest.mark.parametrize("dictionary", [False, True])
def test_texts_that_a_parquet_file_holds_as_bytes_are_read(tmp_path, dictionary):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"

    def column(*values: bytes | None) -> object:
        return arrow.array(values).dictionary_encode() if dictionary else arrow.array(values)

    parquet.write_table(arrow.table({"a": column(b"caf\xc3\xa9", None, b""), "b": column(b"x", b"\xe9", b"y")}), path)
    frame = read_columns(path, ["a"], "utf-8")
    assert frame["a"].tolist()[0] == "caf\u00e9"
    assert frame["a"].isna().tolist() == [False, True, True]
    with pytest.raises(DataError, match="column 'b' holds bytes that are not text in UTF-8"):
        read_columns(path, ["b"], "utf-8")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b,c\n1,"x\ny",0\n2,"z,0\n' + "3,x,0\n" * 5, 4),
        ('a,b,c\n1,x,0\n2,x,"z\n' + "3,x,0\n" * 5, 3),  # whose record has as many fields as the header
        ('a,b,c\n1,x,0\n2,x,"z', 3),
        ('a,b,c\n1,x,"0"\n2,x,"z\n3,x,"0"\n4,x,"0"\n', 3),  # the next quote closes it: two rows would be one
        ('"a","b","c"\n"1","x","0\n"2","x","0"\n"3","x","0"\n', 2),
        ('sep=;\na;b;c\n1;x;"0\n2;x;0\n', 3),
    ],
)
def test_a_quote_that_is_not_closed_is_named_with_the_line_that_opens_it(tmp_path, text, line):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(
        DataError, match=rf't\.csv, line {line}: a quote \("\) opens a field here and is not closed; close'
    ):
        read_columns(path, ["a"], "utf-8")


@pytest.mark.parametrize("sign", [",", ";", "|"])
def test_a_first_line_with_a_separator_that_pandas_cannot_read_is_left_out(tmp_path, sign):
    path = tmp_path / "t.csv"
    path.write_text(f"sep=ü\na{sign}b\n1{sign}2\n", encoding="utf-8")
    assert read_columns(path, ["a", "b"], "utf-8").to_dict("list") == {"a": ["1"], "b": ["2"]}


def test_quotes_inside_fields_and_line_breaks_in_quotes_are_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b,c\n1,5" tall,0\n2,"5"" tall,\nthin",0\n3,"two\n\nlines","0"\n')
    assert read_columns(path, ["b"], "utf-8")["b"].tolist() == ['5" tall', '5" tall,\nthin', "two\n\nlines"]


def test_fields_in_single_quotes_are_named_as_such(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("'id','label'\n'1','cat'\n")
    with pytest.raises(DataError, match=r"no column 'label': its fields are in single quotes, .*; write double quotes"):
        check_column(path, header(path, "utf-8"), "label", "label")


def test_of_many_columns_some_are_listed(tmp_path):
    path = tmp_path / "t.csv"
    names = [f"c{at}" for at in range(100)]
    path.write_text(",".join(names) + "\n")
    with pytest.raises(DataError, match=r"; its columns are c0, .*, c29 and 70 more\. Choose one with --label"):
        check_column(path, names, "label", "label")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_fields_that_a_spreadsheet_is_told_to_take_as_text_are_that_text(tmp_path, encoding):
    path = tmp_path / "t.csv"
    path.write_text('="id",p,group\n="007","=""0.5""",A\n="",0.25,"=""B, C"""\n', encoding=encoding)
    assert header(path, "utf-8") == ["id", "p", "group"]
    frame = read_columns(path, ["id", "p", "group"], "utf-8", numbers=["p"])
    assert frame["id"].isna().tolist() == [False, True]
    assert (frame["id"][0], frame["p"].tolist(), frame["group"].tolist()) == ("007", [0.5, 0.25], ["A", "B, C"])


def test_a_column_with_a_comma_is_one_of_several_in_quotes():
    names = ["sex", "race, ethnicity", 'a "b"']
    assert several('sex, "race, ethnicity"', names) == ["sex", "race, ethnicity"]
    assert several("race, ethnicity", names) == ["race, ethnicity"]
    assert several('sex,a "b"', names) == ["sex", 'a "b"']


def test_rows_that_all_have_more_fields_than_the_header_are_told_so(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('"label","group"\n"1","cat","A"\n"2","dog","B"\n')  # as write.table(sep = ",") writes it in R
    with pytest.raises(DataError, match=r"line 2: expected 2 fields .* got 3; name the other columns in the header"):
        read_columns(path, ["label"], "utf-8")
    path.write_text("label,group\ncat,A\ndog,B,C\n")
    with pytest.raises(DataError, match=r"line 3: expected 2 .* got 3; quote fields that contain the separator, ','"):
        read_columns(path, ["label"], "utf-8")


def test_two_encodings_in_one_table_are_told_apart_from_a_single_other_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("label,group\n1,Européen\n0,Européen\n".encode() + "1,Européen\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"mixes two encodings: line 4 is not utf-8 \(byte 0xe9\), but 2 other lines"):
        read_columns(path, ["label"], "utf-8")
    path.write_bytes("label,group\n1,Européen\n".encode() + "1,Européen\n0,Européen\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"in line 3.*--encoding latin-1"):
        read_columns(path, ["label"], "utf-8")


def test_characters_of_no_width_around_a_name_do_not_count_and_others_are_shown(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\ufeff\ufeff label\u200b,group\n1,a\n", encoding="utf-8")
    assert header(path, "utf-8") == ["label", "group"]
    assert read_columns(path, ["label"], "utf-8")["label"].tolist() == ["1"]
    with pytest.raises(DataError, match=r"no column 'label'; did you mean 'la\\u200bbel'\?"):
        check_column(path, ["la\u200bbel", "group"], "label", "label")
