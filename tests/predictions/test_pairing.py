from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fairdistill import audit
from fairdistill.errors import DataError
from fairdistill.predictions import Predictions, TableColumns, paired, read_predictions

SIMPLE = "id,label,group,pred\na,cat,x,cat\nb,dog,y,cat\nc,cat,y,cat\nd,dog,x,dog\n"


def read(path: Path) -> Predictions:
    return read_predictions(path, TableColumns())


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def written(text: str, name: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def test_rows_are_paired_by_their_names(write):
    first = read(write(SIMPLE, "a.csv"))
    other = "id,label,group,pred\nd,dog,x,cat\nb,dog,y,dog\na,cat,x,dog\nc,cat,y,cat\n"
    one, two = paired(first, read(write(other, "b.csv")))
    assert one is first
    assert two.ids.tolist() == ["a", "b", "c", "d"]
    assert two.predicted.tolist() == [1, 1, 0, 0]
    assert two.labels.tolist() == first.labels.tolist()
    assert two.sources.tolist() == [2, 1, 3, 0]


def test_without_names_rows_are_paired_in_their_order(write):
    def table(rows: list[str], name: str) -> Predictions:
        return read(write("\n".join(["label,group,pred", *rows]) + "\n", name))

    rows = ["cat,x,cat", "dog,y,cat", "cat,y,cat", "dog,x,dog"]
    first = table(rows, "a.csv")
    _, second = paired(first, table([row[:5] + row[5:].replace("cat", "dog") for row in rows], "b.csv"))
    assert second.predicted.tolist() == [1, 1, 1, 1]
    with pytest.raises(
        DataError,
        match=r"sample 1 is cat in .*a\.csv and dog in .*b\.csv.*same test set in the same order, or sample ids",
    ):
        paired(first, table(rows[::-1], "b.csv"))


# name: (what is changed in the second table, message)
UNPAIRED = {
    "other ids": ({"c,": "z,"}, r"a\.csv contains 'c', which .*b\.csv does not"),
    "a row more": ({"d,dog,x,dog\n": "d,dog,x,dog\ne,dog,x,dog\n"}, r"a\.csv has 4 rows, .*b\.csv has 5"),
    "a row more by name": (
        {"d,dog,x,dog\n": "d,dog,x,dog\ne,dog,x,dog\n"},
        r"5 \(.*b\.csv contains 'e', which .*a\.csv",
    ),
    "a row twice": ({"d,dog,x,dog": "c,cat,y,cat"}, r"a\.csv contains 'c' 1 time, .*b\.csv 2 times"),
    "ids of another column": (
        {"a,cat": "1,cat", "b,dog": "2,dog", "c,cat": "3,cat", "d,dog": "4,dog"},
        r"'a', which .*b\.csv does not \(and 3 more\); they have no id in common, so if other columns hold the ids",
    ),
    "ids with blanks": ({"\nb,": "\nb ,", "\nc,": "\nc ,"}, r"'b', .*not \(and 1 more\); there it is perhaps 'b '"),
    "another label": ({"c,cat,y": "c,dog,y"}, r"c is cat in .*a\.csv and dog in .*b\.csv"),
    "another group": ({"c,cat,y": "c,cat,x"}, r"c is y in .*a\.csv and x in .*b\.csv"),
    "an unknown group": ({"c,cat,y": "c,cat,"}, r"c is y in .*a\.csv and unknown in .*b\.csv"),
    "other classes": (
        {"d,dog,x,dog": "d,dog,x,eel"},
        r"a\.csv has the classes cat, dog, .*b\.csv has cat, dog, eel;.* classes, add --classes cat,dog,eel",
    ),
    "classes in capitals": ({"cat": "CAT"}, r"a\.csv has the classes cat, dog, .*; use the same --classes for both"),
    "ids with folders": (
        {"\na,": "\nval\\a.JPG,", "\nb,": "\nval\\b.JPG,", "\nc,": "\nval\\c.JPG,", "\nd,": "\nval\\d.JPG,"},
        r"'a', .* \(and 3 more\); there it is perhaps 'val\\\\a\.JPG', so write ids alike",
    ),
    "other groups": ({"x": "z"}, r"a\.csv has the groups x, y, .*b\.csv has y, z"),
}


@pytest.mark.parametrize("case", UNPAIRED)
def test_other_rows_are_not_paired(write, case):
    changes, message = UNPAIRED[case]
    text = SIMPLE
    for old, new in changes.items():
        text = text.replace(old, new)
    with pytest.raises(DataError, match=message):
        paired(read(write(SIMPLE, "a.csv")), read(write(text, "b.csv")))


REPEATED = "id,label,group,pred\na,cat,x,cat\na,dog,x,cat\nb,cat,y,cat\nb,cat,y,dog\nc,dog,y,dog\nd,dog,x,dog\n"


def test_rows_of_one_id_are_paired_by_class_and_group(write):
    first = read(write(REPEATED, "a.csv"))
    order = np.array([5, 1, 3, 0, 2, 4])
    lines = REPEATED.splitlines()
    second = read(write("\n".join([lines[0], *(lines[1 + row] for row in order)]) + "\n", "b.csv"))
    one, two = paired(first, second)
    assert one.ids.tolist() == two.ids.tolist()
    assert (one.labels == two.labels).all()
    assert two.predicted.tolist() == [0, 0, 1, 0, 1, 1]  # the two rows of b in the order of the second table
    with pytest.raises(DataError, match=r"a\.csv contains 'b' 2 times, .*b\.csv 1 time"):
        paired(first, read(write(REPEATED.replace("b,cat,y,dog", "c,cat,y,dog"), "b.csv")))


def test_an_id_with_zeros_is_suggested_for_one_without(write):
    numbered = SIMPLE.replace("\na,", "\n007,")
    with pytest.raises(DataError, match=r"contains '007', .*there it is perhaps '7', so write ids alike in both"):
        paired(read(write(numbered, "a.csv")), read(write(SIMPLE.replace("\na,", "\n7,"), "b.csv")))


def test_groups_that_are_the_same_numbers_pair(write):
    text = SIMPLE.replace(",x,", ",1,").replace(",y,", ",2,")
    first, second = write(text, "a.csv"), write(text.replace(",1,", ",1.0,").replace(",2,", ",2.0,"), "b.csv")
    change = audit(first, against=second, draws=200).against
    assert change is not None
    assert change.accuracy.value == 0


def test_ids_in_one_table_alone_are_no_reason_to_pair_by_position(write):
    named, nameless = write(SIMPLE, "a.csv"), write(SIMPLE.replace("id,", "what,"), "b.csv")
    for tables in ((named, nameless), (nameless, named)):
        with pytest.raises(DataError, match=r"a\.csv has sample ids and .*b\.csv has none.*the same id column in both"):
            paired(*map(read, tables))


@pytest.mark.parametrize("name", ["ID", "image_id", "path"])
def test_a_column_named_as_one_of_ids_pairs_rows(write, name):
    first = write(SIMPLE.replace("id,", f"{name},"), "a.csv")
    header, *rows = SIMPLE.replace("id,", f"{name},").splitlines()
    second = write("\n".join([header, *reversed(rows)]), "b.csv")
    one, other = paired(read(first), read(second))
    assert one.ids is not None
    assert other.ids is not None
    assert one.ids.tolist() == other.ids.tolist()


def test_an_empty_id_pairs_with_nothing(write):
    with pytest.raises(DataError, match=r"b\.csv: sample 3 has no id"):
        paired(read(write(SIMPLE, "a.csv")), read(write(SIMPLE.replace("c,cat", ",cat"), "b.csv")))


def test_pairing_by_position_is_noted(write):
    text = "label,group,pred\n" + "cat,x,cat\ndog,y,cat\ncat,y,cat\ndog,x,dog\n" * 20
    first, second = write(text, "a.csv"), write(text.replace("cat,x,cat", "cat,x,dog"), "b.csv")
    by_position = "were paired by their position, because neither has ids"
    assert any(by_position in note for note in audit(first, against=second, draws=200).notes)
    assert not any(by_position in note for note in audit(first, draws=200).notes)
    lines = text.splitlines()
    numbered = "\n".join(["id," + lines[0], *(f"{row},{line}" for row, line in enumerate(lines[1:]))])
    named = [write(numbered, name) for name in ("c.csv", "d.csv")]
    assert not any(by_position in note for note in audit(named[0], against=named[1], draws=200).notes)
