from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fairdistill import data
from fairdistill.data.own.options import TableOptions
from fairdistill.data.own.table import Rows, read_rows
from fairdistill.errors import DataError, UsageError
from fairdistill.tables.bins import bin_edges, bin_names
from fairdistill.tables.columns import cross
from fairdistill.tables.order import natural

SIMPLE = "image,label,group,split\na.png,cat,x,train\nb.png,dog,y,train\nsub/c.png,cat,y,test\nd.png,dog,x,test\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path, base: Path | None = None, **options: Any) -> Rows:
    return read_rows(path, base or path.parent, TableOptions(**options))


@pytest.mark.parametrize("name", ["is_valid", "fold", "Usage"])
def test_a_column_of_splits_that_is_not_called_so_is_noted(tmp_path, name):
    (note,) = read(write(tmp_path / "t.csv", SIMPLE.replace("split", name))).notes
    assert note.startswith(f"Column {name!r} may say which images are for training")
    assert note.endswith(f"--split {name}")


def test_a_table_says_names_classes_groups_and_splits(tmp_path):
    rows = read(write(tmp_path / "t.csv", SIMPLE))
    assert rows.names.tolist() == ["a.png", "b.png", "sub/c.png", "d.png"]
    assert (rows.class_names, rows.group_names) == (("cat", "dog"), ("x", "y"))
    assert rows.labels.tolist() == [0, 1, 0, 1]
    assert rows.groups.tolist() == [0, 1, 1, 0]
    assert rows.splits.tolist() == [0, 0, 2, 2]


def test_tsv_and_parquet_say_the_same_as_csv(tmp_path):
    csv = read(write(tmp_path / "t.csv", SIMPLE))
    tsv = read(write(tmp_path / "t.tsv", SIMPLE.replace(",", "\t")))
    pd.read_csv(tmp_path / "t.csv").to_parquet(tmp_path / "t.parquet")
    parquet = read(tmp_path / "t.parquet")
    for other in (tsv, parquet):
        for field in ("names", "labels", "groups", "splits"):
            assert (getattr(csv, field) == getattr(other, field)).all()
        assert (csv.class_names, csv.group_names) == (other.class_names, other.group_names)


def test_a_parquet_table_gives_its_index_and_whole_numbers_though_some_are_missing(tmp_path):
    frame = pd.DataFrame({"image": ["a.png", "b.png", "c.png"], "label": [10, 9, 10], "group": [1, None, 2]})
    frame["group"] = frame["group"].astype("Int64")
    frame.set_index("image").to_parquet(tmp_path / "t.parquet")
    rows = read(tmp_path / "t.parquet")
    assert rows.names.tolist() == ["a.png", "b.png", "c.png"]
    assert (rows.class_names, rows.group_names) == (("9", "10"), ("1", "2"))
    assert rows.groups.tolist() == [0, -1, 1]


def test_a_parquet_table_of_categories_may_name_more_than_occur(tmp_path):
    frame = pd.DataFrame({"image": ["a.png", "b.png"], "label": ["x", "y"], "group": ["", "g"]})
    frame["label"] = pd.Categorical(frame["label"], ["z", "y", "x"])
    frame["group"] = frame["group"].astype("category")
    frame.to_parquet(tmp_path / "t.parquet")
    rows = read(tmp_path / "t.parquet")
    assert (rows.class_names, rows.group_names) == (("x", "y"), ("g",))
    assert rows.groups.tolist() == [-1, 0]


def test_a_column_of_lists_is_named(tmp_path):
    pd.DataFrame({"image": ["a.png", "b.png"], "label": [[1], [2]], "group": ["x", "y"]}).to_parquet(
        tmp_path / "t.parquet"
    )
    with pytest.raises(
        DataError, match=r"t\.parquet, row 1: column 'label' has .*, which is neither text nor a number"
    ):
        read(tmp_path / "t.parquet")


def test_blank_lines_do_not_count(tmp_path):
    rows = read(write(tmp_path / "t.csv", "\n\n" + SIMPLE.replace("d.png", "\nd.png")))
    assert rows.names.tolist() == ["a.png", "b.png", "sub/c.png", "d.png"]


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path):
    text = 'image,label,group\n\na.png,0,"x\ny"\n\n\nb.png,,y\n'
    with pytest.raises(DataError, match=r"t\.csv, row 6: column 'label' is empty"):
        read(write(tmp_path / "t.csv", text))


def test_numbers_are_classes_in_the_order_of_their_values(tmp_path):
    rows = read(write(tmp_path / "t.csv", "image,label,group\na.png,10,x\nb.png,9,y\n"))
    assert rows.class_names == ("9", "10")
    pd.DataFrame({"image": ["a.png", "b.png"], "label": [10, 9], "group": [True, False]}).to_parquet(
        tmp_path / "t.parquet"
    )
    assert read(tmp_path / "t.parquet").class_names == ("9", "10")


def test_group_columns_are_crossed_and_only_what_occurs_is_a_group(tmp_path):
    text = "image,label,race,sex\na.png,0,A,m\nb.png,1,B,m\nc.png,0,A,f\nd.png,1,,f\n"
    rows = read(write(tmp_path / "t.csv", text), group="race,sex")
    assert rows.group_names == ("A, f", "A, m", "B, m")
    assert rows.groups.tolist() == [1, 2, 0, -1]


def test_a_group_column_may_have_a_comma_in_its_name(tmp_path):
    rows = read(write(tmp_path / "t.csv", 'image,label,"race,sex"\na.png,0,A\nb.png,1,B\n'), group="race,sex")
    assert rows.group_names == ("A", "B")


def test_only_an_empty_group_is_unknown(tmp_path):
    text = "image,label,group\na.png,0,NA\nb.png,1,None\nc.png,1,nan\nd.png,0,\n"
    rows = read(write(tmp_path / "t.csv", text))
    assert set(rows.group_names) == {"NA", "None", "nan"}
    assert rows.groups.tolist()[3] == -1
    assert (rows.groups[:3] >= 0).all()


def test_splits_are_mapped_and_an_unknown_one_is_named(tmp_path):
    table = write(tmp_path / "t.csv", SIMPLE.replace("test", "holdout"))
    with pytest.raises(DataError, match=r"row 4: column 'split' has 'holdout'.*--split-map holdout=test"):
        read(table)
    assert read(table, split_map={"holdout": "test"}).splits.tolist() == [0, 0, 2, 2]
    with pytest.raises(UsageError, match=r"--split-map dev=val: column 'split' .* holds only holdout, train"):
        read(table, split_map={"dev": "val"})
    with pytest.raises(UsageError, match="the split must be one of train, val, test"):
        read(table, split_map={"holdout": "exam"})


def test_usual_words_of_splits_are_read(tmp_path):
    table = write(tmp_path / "t.csv", SIMPLE.replace("train", "Training").replace("test", "validation"))
    assert read(table).splits.tolist() == [0, 0, 1, 1]
    assert read(table, split_map={"validation": "test"}).splits.tolist() == [0, 0, 2, 2]
    assert read(write(table, SIMPLE.replace("test", "VALIDATE"))).splits.tolist() == [0, 0, 1, 1]
    with pytest.raises(DataError, match=r"row 2: column 'split' has '0'.*--split-map 0=train"):
        read(write(tmp_path / "t.csv", SIMPLE.replace("train", "0").replace("test", "2")))
    capital = write(tmp_path / "t.csv", SIMPLE.replace("split", "Split"))
    assert read(capital).splits.tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize(
    ("train", "test", "options"),
    [
        ("0.0", "2.0", "--split-map 0.0=train --split-map 2.0=test"),
        ("training set", "test set", "--split-map 'test set'=test --split-map 'training set'=train"),
        ("train-2017", "test", "--split-map train-2017=train"),
    ],
)
def test_the_message_says_how_to_name_all_splits(tmp_path, train, test, options):
    table = write(tmp_path / "t.csv", SIMPLE.replace(",train\n", f",{train}\n").replace(",test\n", f",{test}\n"))
    with pytest.raises(DataError, match=f"for example {re.escape(options)}$"):
        read(table)


@pytest.mark.parametrize(
    ("column", "train", "test", "options"),
    [
        ("is_train", "1", "0", "--split-map 0=test --split-map 1=train"),
        ("is_test", "0", "1", "--split-map 0=train --split-map 1=test"),
        ("is_valid", "False", "True", "--split-map False=train --split-map True=val"),
        ("fold", "True", "False", "--split-map False=test --split-map True=train"),
        ("fold", "0", "1", "--split-map 0=train --split-map 1=val"),
    ],
)
def test_yes_and_no_mean_what_the_column_asks(tmp_path, column, train, test, options):
    text = SIMPLE.replace(",split", f",{column}").replace(",train\n", f",{train}\n").replace(",test\n", f",{test}\n")
    with pytest.raises(DataError, match=f"for example {re.escape(options)}$"):
        read(write(tmp_path / "t.csv", text), split=column)


def test_ids_that_repeat_are_said_unless_there_is_a_source(tmp_path):
    rows = "a.png,cat,x,p1\nb.png,dog,y,p1\nc.png,cat,y,p2\nd.png,dog,x,\ne.png,dog,x,\n"
    table = write(tmp_path / "t.csv", "image,label,group,id\n" + rows)
    (note,) = read(table).notes
    assert note.startswith("1 value of column 'id' occurs more than once; if rows with the same one show one person")
    assert not any("more than once" in note for note in read(table, source="id").notes)
    unique = write(tmp_path / "t.csv", "image,label,group,id\n" + rows.replace("b.png,dog,y,p1", "b.png,dog,y,p3"))
    assert read(unique).notes == ()


@pytest.mark.parametrize("name", ["ID", "case_id"])
def test_a_column_named_as_one_of_ids_is_looked_at(tmp_path, name):
    table = write(tmp_path / "t.csv", f"image,label,group,{name}\na.png,cat,x,1\nb.png,dog,y,1\n")
    assert f"add --source {name}" in read(table).notes[0]


def test_a_split_map_without_a_column_of_splits_is_refused(tmp_path):
    table = write(tmp_path / "t.csv", SIMPLE.replace("split", "fold"))
    with pytest.raises(
        UsageError, match=r"no column 'split'; it has image, label, group, fold\. Choose one with --split"
    ):
        read(table, split_map={"val": "test"})
    assert read(table, split="fold", split_map={"train": "val"}).splits.tolist() == [1, 1, 2, 2]


@pytest.mark.parametrize("columns", [{"group": "label"}, {"label": "group"}, {"group": "split,split"}])
def test_a_column_that_is_named_twice_is_refused(tmp_path, columns):
    with pytest.raises(UsageError, match="is used twice in --label and --group"):
        read(write(tmp_path / "t.csv", SIMPLE), **columns)


def test_fields_may_be_separated_by_semicolons(tmp_path):
    found = read(write(tmp_path / "t.csv", SIMPLE.replace(",", ";")))
    assert found.class_names == read(write(tmp_path / "u.csv", SIMPLE)).class_names


def test_a_suffix_may_be_written_large(tmp_path):
    assert read(write(tmp_path / "t.TSV", SIMPLE.replace(",", "\t"))).labels.tolist() == [0, 1, 0, 1]


def test_numbers_are_binned(tmp_path):
    table = write(tmp_path / "t.csv", "image,age,group\na.png,19.9,x\nb.png,20,y\nc.png,40,x\nd.png,39,y\n")
    rows = read(table, label="age", bin={"age": "20,40"})
    assert rows.class_names == ("<20", "20 to <40", ">=40")
    assert rows.labels.tolist() == [0, 1, 2, 1]


def test_bins_are_named_by_every_digit_of_their_edges():
    assert bin_names(bin_edges("income", "1234567.5,12345678")) == (
        "<1234567.5", "1234567.5 to <12345678", ">=12345678",
    )  # fmt: skip


def test_a_binned_group_may_be_unknown_and_must_be_a_number(tmp_path):
    text = "image,label,age\na.png,0,12\nb.png,1,\nc.png,1,old\n"
    with pytest.raises(DataError, match=r"row 4: column 'age' has 'old', which is not a number"):
        read(write(tmp_path / "t.csv", text), group="age", bin={"age": "20"})
    rows = read(write(tmp_path / "t.csv", text.replace("old", "30")), group="age", bin={"age": "20"})
    assert rows.groups.tolist() == [0, -1, 1]


@pytest.mark.parametrize(("column", "text"), [("age", "20,x"), ("age", "40,20"), ("age", ""), ("age", "nan")])
def test_bins_must_rise(column, text):
    with pytest.raises(UsageError, match="--bin age"):
        bin_edges(column, text)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=6, unique=True))
def test_every_bin_has_a_name(edges):
    found = bin_edges("age", ",".join(map(str, sorted(edges))))
    assert len(bin_names(found)) == len(edges) + 1 == len(set(bin_names(found)))


def test_classes_are_ordered_as_a_models_outputs(tmp_path):
    table = write(tmp_path / "t.csv", SIMPLE)
    rows = read(table, classes="dog, cat")
    assert rows.class_names == ("dog", "cat")
    assert rows.labels.tolist() == [1, 0, 1, 0]
    wild = write(tmp_path / "c.csv", SIMPLE.replace("dog", '"dog, wild"'))
    assert read(wild, classes='cat, "dog, wild"').class_names == ("cat", "dog, wild")
    with pytest.raises(DataError, match=r"row 2: the class 'cat' is not in --classes dog,cow; .* double quotes"):
        read(table, classes="dog,cow")
    with pytest.raises(UsageError, match="--classes dog,cat,dog names a class twice"):
        read(table, classes="dog,cat,dog")


def test_bins_may_be_cut_from_decimal_commas(tmp_path):
    table = write(tmp_path / "t.csv", SIMPLE.replace(",", ";").replace("cat", "9,5").replace("dog", "10,5"))
    assert read(table, bin={"label": "10"}).class_names == ("<10", ">=10")
    assert set(read(table, bin={"label": "10"}).labels.tolist()) == {0, 1}


def test_listed_classes_may_be_spelled_otherwise(tmp_path):
    table = write(tmp_path / "t.csv", SIMPLE.replace("dog", "1.0").replace("cat", "2.0"))
    found = read(table, classes="2,1")
    assert found.class_names == ("2", "1")


def test_another_encoding_is_read_when_it_is_said_and_named_when_it_is_not(tmp_path):
    table = write(tmp_path / "t.csv", SIMPLE.replace("dog", "vögel"), "latin-1")
    with pytest.raises(DataError, match=r"t\.csv is not utf-8 \(byte 0xf6.*--encoding latin-1"):
        read(table)
    wide = write(tmp_path / "wide.csv", SIMPLE, "utf-16")  # its byte order mark says so
    assert read(wide).class_names == read(wide, encoding="utf-16").class_names == ("cat", "dog")
    assert read(table, encoding="latin-1").class_names == ("cat", "vögel")
    with pytest.raises(DataError, match="unknown encoding 'klingon'"):
        read(table, encoding="klingon")


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    table = write(tmp_path / "t.csv", "\ufeff" + SIMPLE)
    for encoding in ("utf-8", "utf8", "UTF_8", "U8"):
        assert read(table, encoding=encoding).names[0] == "a.png"


@pytest.mark.parametrize("path", ["../x.png", "a/../../x.png", "/etc/x.png", ".."])
def test_a_path_that_leaves_the_root_is_named(tmp_path, path):
    table = write(tmp_path / "t.csv", SIMPLE.replace("b.png", path))
    with pytest.raises(DataError, match=r"t\.csv, row 3: .* is outside .*--data-root"):
        read(table)


def test_paths_that_all_lead_out_of_the_tables_folder_are_read_from_the_folder_that_holds_them(tmp_path):
    (tmp_path / "faces" / "in").mkdir(parents=True)
    (tmp_path / "tables").mkdir()
    text = SIMPLE.replace("sub/", "")
    for name in ("a.png", "b.png", "c.png", "d.png"):
        text = text.replace(name, f"../faces/in/{name}" if name == "b.png" else f"../faces/{name}")
    rows = read(write(tmp_path / "tables" / "t.csv", text))
    assert rows.names.tolist()[:2] == ["a.png", "in/b.png"]
    assert (rows.source.where, len(rows.notes)) == (str(tmp_path / "faces"), 1)
    assert f"all image paths lead out of the table's folder, so they are read relative to {tmp_path}" in rows.notes[0]


@pytest.mark.parametrize("start", ["/9j/", "iVBORw0KGgo", "data:image/webp;base64,"])
@pytest.mark.parametrize("length", [100, 10_000])
def test_base64_is_not_a_path(tmp_path, start, length):
    table = write(tmp_path / "t.csv", SIMPLE.replace("b.png", f'"{start}{"A" * length}"'))
    with pytest.raises(DataError, match=r"t\.csv, row 3: column 'image' holds images as Base64 text, .*; write them"):
        read(table)


@pytest.mark.parametrize("url", ["https://example.com/b.png", "s3://faces/b.png", "file:///data/b.png"])
def test_a_url_is_not_a_path(tmp_path, url):
    table = write(tmp_path / "t.csv", SIMPLE.replace("b.png", url))
    with pytest.raises(DataError, match=rf"t\.csv, row 3: '{url}' is a URL; name files on this machine"):
        read(table)


def test_paths_are_relative_to_the_root_and_normalised(tmp_path):
    table = write(tmp_path / "t.csv", SIMPLE.replace("a.png", "./x/../a.png").replace("b.png", f"{tmp_path}/in/b.png"))
    assert read(table).names.tolist()[:2] == ["a.png", "in/b.png"]
    assert read(table, base=tmp_path.parent, image="image").names.tolist()[1] == f"{tmp_path.name}/in/b.png"


BAD = [
    ("image,label,group\n", "a header but no rows"),
    ("", "is empty"),
    ("image,label,group,label\na.png,0,x,1\n", "2 columns named 'label'"),
    (
        "image,klass,group\na.png,0,x\n",
        "no column 'label'; its columns are image, klass, group. Choose one with --label",
    ),
    ("image,label\na.png,0\n", "no column 'group'.*--group"),
    ("image,label,group\na.png,,x\nb.png,1,y\n", "row 2: column 'label' is empty"),
    ("image,label,group\n,0,x\nb.png,1,y\n", "row 2: column 'image' is empty"),
    ("image,label,group\na.png,0,x\nb,c.png,1,y\n", "line 3: expected 3 fields as in the header, but got 4"),
    ("image,label,group\na.png,0\nb.png,1,y\n", "line 2: expected 3 fields as in the header, but got 2"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[message for _, message in BAD])
def test_a_table_that_cannot_be_used_is_named_with_the_place(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / "t.csv", text))


def test_what_is_no_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there is no table .*none\.csv"):
        read(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"there is no table .*none\.parquet"):
        read(tmp_path / "none.parquet")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read(write(tmp_path / "t.parquet", "no parquet"))


def test_a_bin_of_another_column_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--bin age: only the label and group columns can be binned"):
        read(write(tmp_path / "t.csv", SIMPLE), bin={"age": "20"})


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=20))
def test_natural_order_is_that_of_the_numbers(numbers):
    assert sorted((f"img{n}.png" for n in numbers), key=natural) == [f"img{n}.png" for n in sorted(numbers)]


def test_no_two_names_are_the_same_in_natural_order():
    names = ["1", "01", "001", "a1", "a01"]
    assert len({natural(name) for name in names}) == len(names)


@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 3)), min_size=1, max_size=30))
def test_crossing_keeps_every_known_pair_apart(pairs):
    first, second = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    codes, names = cross([first, second], [("a", "b", "c"), ("w", "x", "y", "z")])
    for (a, b), code in zip(pairs, codes.tolist(), strict=True):
        assert code == -1 if min(a, b) < 0 else names[code] == f"{'abc'[a]}, {'wxyz'[b]}"
    assert set(codes[codes >= 0].tolist()) == set(range(len(names)))


def test_without_a_split_a_share_of_every_cell_is_the_test_set(tmp_path):
    draw = np.random.default_rng(0)
    lines = ["image,label,group"]
    for number in range(40):
        Image.fromarray(draw.integers(0, 256, (6, 6, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{number % 2},{number // 2 % 2}")
    table = write(tmp_path / "t.csv", "\n".join(lines))
    options = {"size": 6, "image_cache": str(tmp_path / "cache")}
    parts = data.load_splits(str(table), **options)
    assert parts["test"].cell_counts().tolist() == [[2, 2], [2, 2]]
    assert parts["train"].cell_counts().tolist() == [[8, 8], [8, 8]]
    assert "8 of 40 rows were drawn for the test set; a model that saw them in train" in parts["train"].notes[0]
    assert data.load(str(table), "test", **options).ids == parts["test"].ids
    assert data.load(str(table), "test", data_seed=1, **options).ids != parts["test"].ids


PEOPLE = "image,label,group,who\na.png,cat,x,ann\nb.png,dog,y,ben\nc.png,cat,y,\nd.png,dog,x,ann\n"


def test_sources_come_from_a_column(tmp_path):
    table = write(tmp_path / "t.csv", PEOPLE)
    rows = read(table, source="who")
    assert rows.sources is not None
    assert rows.sources.tolist() == ["ann", "ben", "", "ann"]
    assert rows.notes[0].startswith("The 4 rows come from 3 sources (column 'who')")
    assert rows.notes[1].startswith("1 row has no source in column 'who'")
    assert read(table).sources is None
    assert read(write(table, PEOPLE.replace("who", "source_id"))).sources is not None
    assert any("--source person" in note for note in read(write(table, PEOPLE.replace("who", "person"))).notes)
    with pytest.raises(DataError, match=r"no column 'whom'.*--source"):
        read(table, source="whom")


def test_unknown_values_and_look_alikes_of_a_table(tmp_path):
    table = write(tmp_path / "t.csv", PEOPLE.replace("d.png,dog,x", "d.png,Dog,?").replace("ben", "?"))
    rows = read(table)
    assert "In column 'group', '?' (1 row) counts as a group" in rows.notes[0]
    assert "In column 'label', 'Dog' (1 row) and 'dog' (1 row) differ only in upper and lower case" in rows.notes[1]
    rows = read(table, unknown="?", source="who")
    assert (rows.groups.tolist(), rows.group_names) == ([0, 1, 1, -1], ("x", "y"))
    assert rows.sources is not None
    assert rows.sources.tolist() == ["ann", "", "", "ann"]
    with pytest.raises(UsageError, match="expected unknown to list values"):
        TableOptions(unknown="")


def images_of(folder: Path, people: int, *, split: str = "") -> Path:
    lines = ["image,label,group,who" + (",split" if split else "")]
    for row in range(8 * people):
        name = f"{row}.png"
        Image.new("RGB", (4, 4), (row % 256, row // 256, 9)).save(folder / name)
        which = f",{split.split()[row % len(split.split())]}" if split else ""
        lines.append(f"{name},{'ab'[row % 2]},{'xy'[row // 2 % 2]},p{row // 8}{which}")
    return write(folder / "t.csv", "\n".join(lines) + "\n")


def test_a_person_is_in_one_split_wherever_it_is_cut(tmp_path):
    table = images_of(tmp_path, 20)
    options = {"size": 4, "image_cache": str(tmp_path / "cache")}
    parts = data.load_splits(str(table), source="who", **options)
    train, validation = data.cut_validation(parts["train"], split_seed=0)
    people = [set(part.source_ids) for part in (train, validation, parts["test"])]
    assert sum(map(len, people)) == len(set.union(*people)) == 20
    assert all(name.startswith("p") for each in people for name in each)
    shared = data.load_splits(str(table), **options)
    names = [{int(name.split(".")[0]) // 8 for name in shared[split].ids} for split in ("train", "test")]
    assert names[0] & names[1]


def test_a_person_of_the_test_set_is_left_out_of_training(tmp_path):
    table = images_of(tmp_path, 6, split="train train train test")
    options = {"size": 4, "image_cache": str(tmp_path / "cache"), "source": "who"}
    parts = data.load_splits(str(table), **options)
    assert any("6 of 6 sources are in more than one split" in note for note in parts["train"].notes)
    with pytest.raises(DataError, match=r"no row is left.* also in t\.csv/test; give every source a single split"):
        data.without_duplicates(parts["train"], parts["test"])


@pytest.mark.parametrize(
    ("split", "whole", "rows"), [("", "unsplit", 48), ("", "always", 48), ("train test", "always", 48)]
)
def test_all_rows_are_one_test_set_on_request(tmp_path, split, whole, rows):
    table = images_of(tmp_path, 6, split=split)
    parts = data.load_splits(str(table), ["val", "test"], whole=whole, size=4, image_cache=str(tmp_path / "cache"))
    assert {name: len(part) for name, part in parts.items()} == {"test": 48}
    assert parts["test"].name == "t.csv"
    assert "all 48 rows were read" in parts["test"].notes[-1]
    assert ("since no split is given" in parts["test"].notes[-1]) == (not split)


def test_given_splits_are_kept_and_those_of_built_in_data_too(tmp_path):
    table = images_of(tmp_path, 6, split="train train test test")
    parts = data.load_splits(str(table), ["test"], whole="unsplit", size=4, image_cache=str(tmp_path / "cache"))
    assert (len(parts["test"]), parts["test"].name) == (24, "t.csv/test")
    assert len(data.load_splits("digits-s", ["test"], whole="unsplit")["test"]) == 1194
    with pytest.raises(UsageError, match="digits-s has splits of its own"):
        data.load_splits("digits-s", whole="always")


@pytest.mark.parametrize("columns", [{"split": "label"}, {"source": "label"}, {"image": "label"}, {"image": "group"}])
def test_a_column_that_has_two_meanings_is_refused(tmp_path, columns):
    with pytest.raises(UsageError, match=r"is used twice in --(split|source|image) and --label or --group"):
        read(write(tmp_path / "t.csv", SIMPLE), **columns)
