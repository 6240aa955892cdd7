"""Several columns of labels: which of their values mean yes, and what does not go with them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fairdistill import data
from fairdistill.data.own.labels import LabelColumns
from fairdistill.errors import DataError, UsageError
from fairdistill.tables.columns import Columns
from fairdistill.tables.reading import header, read_columns
from tests.training.attributes import OPTIONS, draw_attributes


def load(table: str, **options):
    return data.load_splits(table, image_cache=str(Path(table).parent / "cache"), **{**OPTIONS, **options})


def test_the_value_that_means_yes_is_guessed_with_a_note_or_named(tmp_path):
    table = draw_attributes(tmp_path)
    guessed = load(table, yes_value={})["train"]
    assert guessed.attributes is not None
    assert guessed.attributes.answers == (("no", "yes"), ("0", "1"), ("marked", "plain"))
    assert [note for note in guessed.notes if "--yes-value" in note] == [
        "'plain' of 'marked' and 'plain' was taken for the yes of spot; change that with --yes-value"
    ]
    assert not [note for note in load(table)["train"].notes if "--yes-value" in note]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"classes": "a,b"},
            "--classes a,b orders the classes of one column, but --label .* names 3 yes/no attributes",
        ),
        ({"yes_value": {"hat": "on"}}, "--yes-value hat=on: 'hat' is not among the columns of --label"),
        (
            {"yes_value": {"bright": "on"}},
            "column 'bright' has only no and yes, not on, .* for example --yes-value bright=yes",
        ),
        ({"label": "bright,bright"}, "--label bright,bright names the column 'bright' twice"),
        ({"label": "bright"}, "--yes-value spot=marked applies to several columns in --label, but bright is one"),
        ({"label": "bright,hat", "yes_value": {}}, "no column 'hat'"),
        ({"label": "bright,image", "yes_value": {}}, "the column 'image' is used twice"),
        ({"label": "bright,side", "yes_value": {}}, "the column 'side' is used twice"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path, options, message):
    with pytest.raises((UsageError, DataError), match=message):
        load(draw_attributes(tmp_path), **options)


def test_an_attribute_with_other_than_two_values_is_refused_with_the_column(tmp_path):
    table = Path(draw_attributes(tmp_path))
    table.write_text(table.read_text().replace("marked", "unclear", 1))
    with pytest.raises(DataError, match=r"column 'spot' has 3 different values .* take it alone: --label spot"):
        load(str(table))


def test_columns_of_which_each_row_has_one_yes_seem_to_be_classes(tmp_path):
    rows = [f"{at}.png,{at % 3 == 0:d},{at % 3 == 1:d},{at % 3 == 2:d},{'xy'[at % 2]}" for at in range(12)]
    path = tmp_path / "t.csv"

    def notes() -> list[str]:
        path.write_text("\n".join(["image,cat,dog,emu,group", *rows]) + "\n")
        found = LabelColumns.named("cat,dog,emu", header(path, "utf-8"), order=None, yes_values={}, bins={})
        table = Columns(path, read_columns(path, ["cat", "dog", "emu"], "utf-8"), {})
        return [note for note in found.read(table, {}).notes if "exactly one" in note]

    (note,) = notes()
    assert note.startswith("exactly one of cat, dog, emu is a yes in every row; if they are the classes of one label")
    rows[0] = rows[0].replace("1,0,0", "1,1,0")
    assert notes() == []
    rows[0] = rows[0].replace("1,1,0", ",1,0")
    (note,) = notes()


def test_rows_may_lack_answers(tmp_path):
    table = Path(draw_attributes(tmp_path))
    whole = load(str(table))["train"]
    table.write_text(table.read_text().replace("marked", "", 3).replace("yes", "?", 2))
    train = load(str(table), unknown="?")["train"]
    assert train.attributes is not None
    assert (train.answers() < 0).sum(0).tolist() == [2, 0, 3]
    assert "bright?" in train.class_names
    for at, (each, known) in enumerate(zip(train.of_attributes(), whole.of_attributes(), strict=True)):
        rows = (train.answers()[:, at] >= 0).nonzero().flatten()
        assert each.ids == known.subset(rows).ids
        assert torch.equal(each.labels, known.labels[rows])
    assert not [note for note in train.notes if "No row has" in note]
    with pytest.raises(DataError, match=r"column 'bright' has 3 different values .* are named with --unknown"):
        load(str(table))


def test_two_spellings_of_one_answer_are_noted(tmp_path):
    table = Path(draw_attributes(tmp_path))
    table.write_text(table.read_text().replace(",no,", ",Yes,"))
    (note,) = (note for note in load(str(table))["train"].notes if "'bright'" in note)
    assert "differ only in upper and lower case and count as 2 classes" in note


def test_a_second_table_may_hold_other_combinations(tmp_path):
    table = Path(draw_attributes(tmp_path))
    header, *rows = table.read_text().splitlines()
    train = [row for row in rows if ",train" in row and ",yes,1,marked," not in row]
    test = [row for row in rows if ",test" in row and ",no,0,plain," not in row]
    table.write_text("\n".join([header, *train]))
    other = tmp_path / "other.csv"
    other.write_text("\n".join([header, *test]))
    parts = load(str(table), test_data=str(other))
    assert parts["train"].class_names == parts["test"].class_names
    assert {"(none)", "bright, striped, spot"} <= set(parts["test"].class_names)
    marked = [row.split(",")[3] == "marked" for row in test]
    assert parts["test"].of_attributes()[2].labels.bool().tolist() == marked
    other.write_text("\n".join([header, *test]).replace("marked", "spotted"))
    with pytest.raises(DataError, match="call the answers differently: marked and plain, and plain and spotted"):
        load(str(table), test_data=str(other), yes_value={})


def test_one_label_is_asked_for_where_only_one_fits(tmp_path):
    train = load(draw_attributes(tmp_path))["train"]
    with pytest.raises(UsageError, match=r"no, but images.csv/train has several attributes: bright, striped, spot"):
        train.require_one_label("no")
