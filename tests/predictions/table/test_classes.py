from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fairdistill.errors import DataError, UsageError
from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions


@pytest.fixture
def read(tmp_path):
    def reading(text: str, **options: Any) -> Predictions:
        path = tmp_path / "t.csv"
        path.write_text(text)
        return read_predictions(path, TableColumns(**options))

    return reading


def table(labels: str, predictions: str) -> str:
    pairs = zip(labels.split(), predictions.split(), strict=True)
    return "label,group,pred\n" + "".join(f"{label},{'xy'[at % 2]},{pred}\n" for at, (label, pred) in enumerate(pairs))


@pytest.mark.parametrize(
    ("labels", "predictions", "names", "note"),
    [
        ("1.0 0.0 1.0", "1 0 0", ("0", "1"), ""),
        ("1 0 1", "1.00 0.0 0.0", ("0", "1"), ""),
        ("1 0 1", "True True False", ("0", "1"), "Column 'pred' was read with 'False' as '0', 'True' as '1'"),
        ("FALSE TRUE FALSE", "1 1 0", ("FALSE", "TRUE"), "'0' as 'FALSE', '1' as 'TRUE'"),
        ("Yes No Yes", "yes yes no", ("No", "Yes"), "'no' as 'No', 'yes' as 'Yes'"),
        ("-1 1 1", "0 0 1", ("-1", "1"), "Column 'pred' was read with '0' as '-1'"),
        ("a b c", "A c b", ("a", "b", "c"), "'A' as 'a'"),
    ],
)
def test_other_spellings_of_the_labels_are_read_and_said(read, labels, predictions, names, note):
    found = read(table(labels, predictions))
    assert found.class_names == names
    assert note in " ".join(found.notes)
    if len(names) == 2:  # yes, true and 1 sort last
        positive = [{"1": 1, "1.00": 1, "true": 1, "yes": 1}.get(text.lower(), 0) for text in predictions.split()]
        assert found.predicted.tolist() == positive


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ("1 0 1", "0.9 0.2 0.7", r"row 2: column 'pred' has 0\.9, .* 0, 1; .*probability of '1', use --score pred$"),
        ("1 0 1", "1.0 0.2 0.0", r"row 3: column 'pred' has 0\.2, .*use --score pred$"),  # 1.0 alone is a class
        ("1 0 1", "2.5 -0.2 0", r"row 2: column 'pred' has 2\.5.*score of '1', use --score pred and .*--threshold"),
        ("a b c", "0.9 0.2 0.7", "--pred, or one column of probabilities per class with --prob"),
        ("0.9 0.2 0.7", "1 0 1", r"column 'label' has 0\.9.*--label"),
        ("cat dog cat", "0 1 1", r"labels \(cat, dog\) and predictions \(0, 1\) share no value; if 0 = cat, 1 = dog, "
         "add --classes cat,dog"),
        ("cat dog cat", "1 2 2", r"labels \(cat, dog\) and predictions \(1, 2\) share no value; spell the classes"),
    ],
)  # fmt: skip
def test_predictions_that_are_not_classes_are_refused_with_the_likely_option(read, labels, predictions, message):
    with pytest.raises(DataError, match=message):
        read(table(labels, predictions))


@pytest.mark.parametrize("word", ["nan", "NaN", "<NA>", "None"])
def test_a_missing_value_among_numbers_is_no_class(read, word):
    with pytest.raises(
        DataError, match=rf"row 3: column 'label' has '{word}', all other values are numbers; every row"
    ):
        read(table(f"1.0 {word} 0.0", "1 1 0"))
    with pytest.raises(DataError, match=rf"row 4: column 'pred' has '{word}'.*needs a prediction"):
        read(table("1.0 1.0 0.0", f"1 1 {word}"))
    assert read(table("some none some", "some none none")).class_names == ("none", "some")


@pytest.mark.parametrize(("labels", "other"), [("0 1 0 1", "-1"), ("-1 1 -1 1", "0")])
def test_a_number_beside_the_one_that_means_the_same_is_another_class(read, labels, other):
    first = labels.split()[0]
    found = read(table(labels, f"{first} 1 {other} {other}"))
    assert found.correct.tolist() == [True, True, False, False]
    assert set(found.class_names) == {first, "1", other}
    assert read(table(labels, f"{other} 1 {other} {other}")).correct.tolist() == [True, True, True, False]
    assert read(table(labels, f"{first} 1 False True")).correct.all(), "words are read beside numbers"


def test_scores_that_are_no_probabilities_ask_for_the_threshold(read):
    text = "label,group,s\n0,x,-3\n1,y,2.5\n"
    assert read(text, score="s").notes[0].endswith("The scores lie between -3 and 2.5, so check --threshold")
    assert "lie between" not in read(text, score="s", threshold=0.0).notes[0]


def test_scores_that_all_fall_on_one_side_of_the_threshold_are_noted(read):
    text = "label,group,s\n0,x,0.75\n1,y,0.5\n"
    (note,) = read(text, score="s").notes
    assert "between 0.5 and 0.75, so check --threshold; if each is the confidence in the predicted class, name" in note
    assert read(text, score="s", threshold=0.4).notes[0].endswith("between 0.5 and 0.75, so check --threshold")
    assert read(text, score="s", threshold=50.0).notes[0].endswith("between 0.5 and 0.75, so check --threshold")
    assert "lie between" not in read(text, score="s", threshold=0.6).notes[0]


def test_the_suggested_score_column_is_quoted_for_a_shell(read):
    text = "label,group,Scored Probability\n0,x,0.2\n1,y,0.8\n"
    with pytest.raises(DataError, match=r"use --score 'Scored Probability'$"):
        read(text, prob="Scored Probability")


def test_the_confidence_in_the_predicted_class_is_perhaps_meant(read):
    with pytest.raises(DataError, match=r"if it is the confidence in the predicted class, name the column of pred"):
        read(table("a b a", "0.9 0.5 0.8"))
    with pytest.raises(DataError, match=r"not one of the classes a, b; if it is the probability of 'b', use --score"):
        read(table("a b a", "0.9 0.4 0.8"))


def test_labels_that_look_alike_are_named_where_columns_do_not_fit(read):
    text = "label,group,p_cat,p_dog\ncat,x,1,0\nCat,y,1,0\ndog,x,0,1\n"
    with pytest.raises(DataError, match=r"2 probability columns .* for 3 classes .*; write 'cat' and 'Cat' alike"):
        read(text)


def test_the_suggested_options_work(read):
    assert read(table("1 0 1", "0.9 0.2 0.7"), score="pred").correct.all()
    found = read(table("cat dog cat", "0 1 1"), classes="cat,dog")
    assert found.correct.tolist() == [True, True, False]
    assert found.notes == ("Column 'pred' was read with '0' as 'cat', '1' as 'dog'",)
    turned = read(table("cat dog cat", "0 1 1"), classes="dog,cat")
    assert turned.correct.tolist() == [False, False, True]


def test_numbers_that_do_not_begin_with_0_are_no_places_in_the_list(read):
    with pytest.raises(
        DataError, match=r"row 3: column 'label' has the class '1', .*; numbers are places in that list, 0"
    ):
        read(table("2 1 2", "cat dog cat"), classes="dog,cat")
    with pytest.raises(
        DataError, match=r"column 'pred' has the class 'emu', which is not one of dog, cat, the list of --"
    ):
        read(table("cat dog cat", "cat emu cat"), classes="dog,cat")


SHARES = "label,group,p_female,p_male\n0,x,0.7,0.3\n1,y,0.4,0.6\n0,y,0.2,0.8\n"


def test_columns_of_other_names_need_the_order_of_the_classes(read):
    with pytest.raises(DataError, match=r"\(p_female, p_male\) do not say.*\. If 0 = p_female, 1 = p_male, add"):
        read(SHARES)
    found = read(SHARES, classes="0,1")
    assert found.correct.tolist() == [True, True, False]
    assert found.probability_columns == ("p_female", "p_male")
    assert found.notes == ("Probability columns, assigned in the order of --classes: 0 = p_female, 1 = p_male",)
    turned = read(SHARES, classes="1,0")
    assert (turned.class_names, turned.correct.tolist()) == (("1", "0"), [False, False, True])
    named = read(SHARES, classes="male,female")  # 0 is the first of the list
    assert named.class_names == ("male", "female")
    assert named.probability_columns == ("p_male", "p_female")
    assert named.correct.tolist() == [False, False, True]


def test_the_mapping_is_stored_and_said(read):
    found = read("label,group,b_out,a_out\na,x,0.1,0.9\nb,y,0.8,0.2\n", prob="b_out,a_out")
    assert found.class_names == ("b", "a")
    assert found.correct.all()
    assert found.probability_columns == ("b_out", "a_out")
    assert found.notes == ("Probability columns, assigned by name: b = b_out, a = a_out",)


def test_a_list_that_contradicts_the_names_is_refused(read):
    text = "label,group,p_cat,p_dog,p_x\ncat,x,1,0,0\ndog,y,0,1,0\nemu,y,0,0,1\n"
    with pytest.raises(DataError, match="assigns the column 'p_cat' to 'dog', but its name says 'cat'"):
        read(text, classes="dog,cat,emu")
    assert read(text, classes="cat,dog,emu").correct.all()
    with pytest.raises(DataError, match="no column is named after 'emu'; name the columns of all classes"):
        read(text.replace(",p_x", ",x"))


@pytest.mark.parametrize(("column", "scored"), [("p_yes", 1), ("p_no", 0), ("p_1", 1), ("p_0", 0)])
def test_one_column_of_two_classes(read, column, scored):
    names = ("no", "yes") if column in ("p_yes", "p_no") else ("0", "1")
    found = read(f"label,group,{column}\n{names[0]},x,0.25\n{names[1]},y,0.75\n")
    assert found.class_names == names
    assert found.correct.all() == (scored == 1)
    np.testing.assert_allclose(found.probabilities[:, scored], [0.25, 0.75])
    assert f"The column '{column}' is read as the probability of {names[scored]!r}" in found.notes[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pred": "label"}, "the column 'label' is used twice in --label and the predictions"),
        ({"group": "group,label"}, "the column 'label' is used twice in --label and --group"),
        (
            {"group": "group,p_no", "prob": "p_no,p_yes"},
            "the column 'p_no' is used twice in --group and the predictions",
        ),
        ({"source": "label"}, "the column 'label' is used twice in --source and the classes"),
        ({"id": "label"}, "the column 'label' is used twice in --id and the classes"),
        ({"prob": "p_no,p_no"}, "the column 'p_no' is used twice in --prob"),
        ({"classes": ""}, "expected --classes to list names, separated by commas, but got ''"),
        ({"classes": "no,yes,"}, "expected --classes to list names"),
    ],
)
def test_options_that_name_a_thing_twice_or_nothing_are_refused(read, options, message):
    with pytest.raises(UsageError, match=message):
        read("label,group,p_no,p_yes\nno,x,0.5,0.5\nyes,y,0.5,0.5\n", **options)


def test_one_column_of_another_name_is_no_guess(read):
    with pytest.raises(DataError, match=r"'p_x', which is not named after a class.*use --score p_x"):
        read("label,group,p_x\nno,x,0.25\nyes,y,0.75\n")


def test_a_score_named_after_a_class_is_of_this_class(read):
    text = "label,group,cat_score\ncat,x,0.9\ndog,y,0.2\n"
    found = read(text, score="cat_score")
    assert found.correct.all()
    assert found.probabilities[:, 0].tolist() == [0.9, 0.2]
    assert "predicted 'cat', all others 'dog', as its name says" in found.notes[0]
    assert not read(text, score="cat_score", classes="cat,dog").correct.any()  # as the user says


def test_the_order_of_a_score_is_said_where_python_would_sort_otherwise(read):
    text = "label,group,s\n10,x,0.9\n9,y,0.2\n-1,y,0.2\n"
    with pytest.raises(DataError, match="--score needs two classes, but there are 3: -1, 9, 10"):
        read(text, score="s")
    found = read(text.replace("-1,y,0.2\n", ""), score="s")
    assert found.correct.all()
    assert "(classes are in numerical order; Python's sorted() puts '10' first)" in found.notes[0]
    assert "numerical" not in read("label,group,s\n1,x,0.9\n-1,y,0.2\n", score="s").notes[0]


def test_parquet_columns_pass_the_same_door(tmp_path):
    frame = pd.DataFrame({"label": [True, False], "group": ["x", "y"], "pred": [1.0, 0.0]})
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_predictions(tmp_path / "t.parquet", TableColumns()).correct.all()
    frame = pd.DataFrame({"label": [2.0, 1.0], "group": ["x", "y"], "p_1": [0.25, 0.5], "p_2": [0.75, 0.5]})
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_predictions(tmp_path / "t.parquet", TableColumns()).correct.all()


def test_scores_without_decimals_are_not_classes(read):
    with pytest.raises(DataError, match=r"row 2: column 'pred' has 7, one of 12 values .*--score pred .*--thresh"):
        read(table("1 0 " * 6, " ".join(str(7 + 3 * at) for at in range(12))))
    few = read(table("1 0 " * 6, "0 1 2 3 " * 3))  # a model of more classes than the table shows
    assert few.class_names == ("0", "1", "2", "3")


def test_labels_that_measure_something_are_not_classes(read):
    values = " ".join(f"{20 + at / 3:.2f}" for at in range(80))
    with pytest.raises(DataError, match=r"row 3: column 'label' has 20\.33, one of 80 different numbers.*into ranges"):
        read(table(values, values))


FROM_1 = "1 2 1 2 1 1 2 2 1 2 1 2 1 2 1 1 2 2 1 2 " * 2
FROM_0 = "0 1 0 1 0 0 1 1 0 1 0 1 0 1 0 0 1 1 1 0 " * 2


def test_numbered_predictions_follow_classes_that_are_numbers_from_1(read):
    found = read(table(FROM_1, FROM_0), classes="1,2")
    assert found.correct.sum() == 36
    assert found.notes[0] == "Column 'pred' was read with '0' as '1', '1' as '2'"
    turned = read(table(FROM_1, FROM_0.translate(str.maketrans("01", "10"))), classes="2,1")
    assert turned.correct.sum() == 36


@pytest.mark.parametrize(("labels", "predictions"), [("1 2 1", "0 1 1"), (FROM_0, FROM_1)])
def test_numbers_that_are_not_places_ask_for_every_code(read, labels, predictions):
    with pytest.raises(
        DataError, match=r"'0', which is not one of 1, 2, .*; list every code there, also one that only"
    ):
        read(table(labels, predictions), classes="1,2")


@pytest.mark.parametrize(("no", "yes"), [("nein", "ja"), ("non", "oui"), ("no", "sí"), ("нет", "да")])
def test_a_score_is_of_the_class_that_means_yes(read, no, yes):
    text = f"label,group,s\n{yes},x,0.9\n{no},y,0.2\n{yes},y,0.8\n"
    found = read(text, score="s")
    assert found.class_names == (no, yes)
    assert found.correct.all()
    assert not read(text, score="s", classes=f"{yes},{no}").correct.any()


def test_columns_named_yes_and_no_in_any_language_are_those_of_1_and_0(read):
    found = read("label,group,p_nein,p_ja\n0,x,0.7,0.3\n1,y,0.4,0.6\n0,y,0.2,0.8\n")
    assert found.probability_columns == ("p_nein", "p_ja")
    assert (found.class_names, found.correct.tolist()) == (("0", "1"), [True, True, False])


def test_names_that_differ_in_a_number_alone_may_be_places_in_the_list_of_classes(read):
    text = table("cat dog cat dog", "LABEL_0 LABEL_1 LABEL_1 LABEL_1")
    with pytest.raises(DataError, match=r"if LABEL_0 = cat, LABEL_1 = dog, add --classes cat,dog; else"):
        read(text)
    assert read(text, classes="cat,dog").predicted.tolist() == [0, 1, 1, 1]
    with pytest.raises(DataError, match=r"has the class 'LABEL_0', which is not one of cat, dog"):
        read(text.replace("LABEL_1", "LABEL_2"), classes="cat,dog")


def test_a_prefix_of_probability_columns_leaves_out_columns_that_mean_something_else(read):
    text = "label,group,.pred_class,.pred_cat,.pred_dog\ncat,x,dog,0.4,0.6\ndog,y,dog,0.1,0.9\n"  # of tidymodels
    found = read(text, pred=".pred_class", prob=".pred_")
    assert (found.predicted.tolist(), found.probability_columns) == ([1, 1], (".pred_cat", ".pred_dog"))
    assert read(text.replace(".pred_", "p_"), pred="p_class").probability_columns == ("p_cat", "p_dog")
    with pytest.raises(
        DataError, match=r"Name the predictions with --pred, --prob or --score, for example --pred \.pred"
    ):
        read(text)


@pytest.mark.parametrize(("name", "value"), [("p_id", "7"), ("p_max", "0.75")])
def test_a_column_of_no_class_among_the_probabilities_is_named_with_the_others(read, name, value):
    text = f"label,group,p_cat,p_dog,{name}\n" + f"cat,x,0.75,0.25,{value}\ndog,y,0.25,0.75,{value}\n" * 5
    with pytest.raises(DataError, match=rf"no sample has the class of '{name}', so perhaps add --prob p_cat,p_dog; "):
        read(text)
    assert read(text, prob="p_cat,p_dog").correct.all()
    with pytest.raises(DataError, match=r"^((?!no sample).)*$"):
        read(f"label,group,p_cat,p_dog\ncat,x,{value},1\ndog,y,1,1\n")
