from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from fairdistill.errors import DataError, RunFolderError, UsageError
from fairdistill.predictions.predictions import Predictions, run_predictions
from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions
from fairdistill.runs.folder import RunFolder
from fairdistill.tables.reading import read_columns

SIMPLE = "id,label,group,pred\na,cat,x,cat\nb,dog,y,cat\nc,cat,y,cat\nd,dog,x,dog\n"
SHARES = "label,group,p_cat,p_dog\ncat,x,0.75,0.25\ndog,y,0.625,0.375\ncat,y,0.5,0.5\ndog,x,0.25,0.75\n"
SCORES = "label,group,score\nno,x,0.2\nyes,y,0.5\nno,y,0.7\nyes,x,0.49\n"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(text: str, name: str = "t.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return written


def read(path: Path, **options: Any) -> Predictions:
    return read_predictions(path, TableColumns(**options))


def test_a_table_of_predicted_classes(write):
    found = read(write(SIMPLE))
    assert (found.class_names, found.group_names) == (("cat", "dog"), ("x", "y"))
    assert found.labels.tolist() == [0, 1, 0, 1]
    assert found.groups.tolist() == [0, 1, 1, 0]
    assert found.predicted.tolist() == [0, 0, 0, 1]
    assert found.correct.tolist() == [True, False, True, True]
    assert found.ids.tolist() == ["a", "b", "c", "d"]
    assert found.sources.tolist() == [0, 1, 2, 3]
    assert found.probabilities is None
    assert found.counts.tolist() == [[[1, 0], [0, 1]], [[1, 0], [1, 0]]]
    assert (len(found), found.where) == (4, str(found.where))


def test_tsv_and_parquet_say_the_same_as_csv(write, tmp_path):
    csv = read(write(SHARES))
    tsv = read(write(SHARES.replace(",", "\t"), "t.tsv"))
    pd.read_csv(tmp_path / "t.csv").to_parquet(tmp_path / "t.parquet")
    for other in (tsv, read(tmp_path / "t.parquet")):
        for field in ("labels", "groups", "predicted", "sources", "probabilities"):
            np.testing.assert_array_equal(getattr(csv, field), getattr(other, field))
        assert (csv.class_names, csv.group_names) == (other.class_names, other.group_names)


def test_a_parquet_table_of_numbers_may_have_missing_groups_and_float32_probabilities(tmp_path):
    frame = pd.DataFrame({"label": [10, 9, 10], "group": pd.array([1, None, 2], "Int64"), "id": [7, 8, 9]})
    shares = np.array([[0.3, 0.7], [0.9, 0.1], [0.2, 0.8]], np.float32)
    frame[["p_9", "p_10"]] = shares
    frame.to_parquet(tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet")
    assert (found.class_names, found.group_names) == (("9", "10"), ("1", "2"))
    assert found.labels.tolist() == found.predicted.tolist() == [1, 0, 1]
    assert found.groups.tolist() == [0, -1, 1]
    assert found.ids.tolist() == ["7", "8", "9"]
    np.testing.assert_array_equal(found.probabilities, shares.astype(np.float64))


def test_the_most_probable_class_is_the_prediction_and_the_first_of_equals(write):
    found = read(write(SHARES))
    assert found.predicted.tolist() == [0, 0, 0, 1]
    assert found.probabilities.tolist() == [[0.75, 0.25], [0.625, 0.375], [0.5, 0.5], [0.25, 0.75]]


def test_a_column_of_predictions_goes_before_the_probabilities(write):
    found = read(write(SHARES.replace("\n", ",dog\n").replace("p_dog,dog", "p_dog,pred")))
    assert found.predicted.tolist() == [1, 1, 1, 1]
    assert found.probabilities is not None


def test_classes_are_in_the_order_of_the_columns_named_after_them(write):
    found = read(write("label,group,p_dog,p_cat,p_eel\ncat,x,0.25,0.75,0\ndog,y,0.5,0.25,0.25\n"))
    assert found.class_names == ("dog", "cat", "eel")  # eel has no row
    assert found.labels.tolist() == found.predicted.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_the_beginning_of_the_names_may_be_another(write, tmp_path, name):
    write(SHARES.replace("p_", "prob: "))
    if name.endswith("parquet"):
        pd.read_csv(tmp_path / "t.csv").to_parquet(tmp_path / name)
    found = read(tmp_path / name, prob="prob: ")
    assert found.class_names == ("cat", "dog")
    assert found.predicted.tolist() == [0, 0, 0, 1]


def test_listed_columns_are_in_the_order_of_the_classes(write):
    path = write("label,group,first,second\ncat,x,0.75,0.25\ndog,y,0.25,0.75\n")
    with pytest.raises(DataError, match="If cat = first, dog = second, add --classes cat,dog; otherwise"):
        read(path, prob="first,second")
    assert read(path, prob="first,second", classes="cat,dog").predicted.tolist() == [0, 1]
    turned = read(path, prob="second,first", classes="dog,cat")
    assert turned.class_names == ("dog", "cat")
    assert turned.labels.tolist() == turned.predicted.tolist() == [1, 0]
    assert turned.probabilities.tolist() == [[0.25, 0.75], [0.75, 0.25]]


def test_listed_columns_named_after_the_classes_say_their_order(write):
    path = write("label,group,cat,dog\ncat,x,0.75,0.25\ndog,y,0.25,0.75\n")
    found = read(path, prob="dog,cat")
    assert found.class_names == ("dog", "cat")
    assert found.labels.tolist() == found.predicted.tolist() == [1, 0]


@pytest.mark.parametrize("options", [{"prob": "p_dog,p_cat"}, {"classes": "dog,cat"}])
def test_columns_named_after_classes_are_never_taken_for_others(write, options):
    # p_cat is the probability of cat, however the columns or the classes are listed.
    path = write("label,group,p_cat,p_dog\ncat,x,0.75,0.25\ndog,y,0.25,0.75\n")
    found = read(path, **options)
    cat = found.class_names.index("cat")
    assert found.probabilities[:, cat].tolist() == [0.75, 0.25]
    assert found.correct.tolist() == [True, True]


def test_numbered_columns_stand_for_numbered_classes(write):
    columns = ",".join(f"p_{c}" for c in range(11))
    rows = "".join(f"{c},x,{','.join(str(float(c == k)) for k in range(11))}\n" for c in (10, 2, 9))
    found = read(write(f"label,group,{columns}\n{rows}"))
    assert found.class_names == tuple(map(str, range(11)))
    assert found.labels.tolist() == found.predicted.tolist() == [10, 2, 9]


def test_a_class_may_be_predicted_that_no_row_has(write):
    found = read(write("label,group,pred\na,x,a\nb,x,c\na,y,b\n"))
    assert found.class_names == ("a", "b", "c")
    assert found.predicted.tolist() == [0, 2, 1]


def test_a_score_is_compared_with_the_threshold(write):
    path = write(SCORES)
    found = read(path, score="score")
    assert found.class_names == ("no", "yes")
    assert found.predicted.tolist() == [0, 1, 1, 0]  # 0.5 reaches 0.5
    np.testing.assert_allclose(found.probabilities, [[0.8, 0.2], [0.5, 0.5], [0.3, 0.7], [0.51, 0.49]])
    assert read(path, score="score", threshold=0.6).predicted.tolist() == [0, 0, 1, 0]
    turned = read(path, score="score", classes="yes,no")
    assert turned.predicted.tolist() == [0, 1, 1, 0]
    assert turned.labels.tolist() == [1, 0, 1, 0]


def test_a_score_that_is_no_probability_gives_predictions_alone(write):
    found = read(write(SCORES.replace("0.7", "-3.5")), score="score", threshold=0.0)
    assert found.probabilities is None
    assert found.predicted.tolist() == [1, 1, 0, 1]


def test_a_score_goes_before_columns_that_would_be_found_by_name(write):
    found = read(write("label,group,pred,p_a,s\na,x,b,7,0.1\nb,y,a,8,0.9\n"), score="s")
    assert found.predicted.tolist() == [0, 1]


def test_a_single_column_that_is_only_called_like_a_probability_is_left_out_if_predictions_are_there(write):
    text = "label,group,pred,p_id\ncat,x,cat,7a\ndog,y,cat,8b\n"
    found = read(write(text))
    assert (found.predicted.tolist(), found.probabilities) == ([0, 0], None)
    text_of_note = "The column 'p_id' is not named after a class, so it was not read"
    assert found.notes[-1] == f"{text_of_note}; if it holds probabilities, name it with --score"
    assert read(write(f"{text}emu,x,cat,9c\n")).notes[-1] == text_of_note  # --score is for two classes
    write(text)
    named = read(write(text.replace("p_id", "p_dog").replace("7a", "0.25").replace("8b", "0.75")))
    assert named.probabilities[:, 1].tolist() == [0.25, 0.75]
    with pytest.raises(DataError, match="row 2: column 'p_id' has '7a', which is not a number"):
        read(write(text.replace("pred", "other")))
    with pytest.raises(DataError, match="row 2: column 'p_id' has '7a', which is not a number"):
        read(write(text), prob="p_")


@pytest.mark.parametrize("option", ["label", "group", "pred", "prob", "score", "id", "source"])
def test_an_option_without_a_name_is_not_left_out(write, option):
    path = write("id,source_id,label,group,pred\n1,1,cat,x,cat\n2,2,dog,y,cat\n")
    with pytest.raises(DataError, match=rf"has no column ''; its columns are .* Choose one with --{option}$"):
        read(path, **{option: ""})


def test_columns_that_are_only_called_like_probabilities_are_left_out_if_predictions_are_there(write):
    text = "label,group,pred,p_value,p_adj\ncat,x,cat,7,1\ndog,y,cat,8,0\n"
    found = read(write(text))
    assert (found.predicted.tolist(), found.probabilities) == ([0, 0], None)
    assert found.notes[-1] == (
        "The columns 'p_value', 'p_adj' are not named after classes, so they were not read; if they hold "
        "probabilities, add --prob p_ and, with --classes, the classes in their order"
    )
    rest = text.replace("7,1", "0.5,0.5").replace("8,0", "0.25,0.75")
    assert read(write(rest), prob="p_", classes="cat,dog").probabilities.tolist() == [[0.5, 0.5], [0.25, 0.75]]
    assert read(write(rest), classes="cat,dog").probabilities is not None
    assert read(write(rest.replace("p_value", "p_cat").replace("p_adj", "p_dog"))).probabilities is not None
    with pytest.raises(DataError, match="do not say which class each belongs to"):
        read(write(text.replace("pred", "other")))


def test_crossed_groups_have_names_of_their_own(write):
    found = read(write('label,pred,race,sex\n0,0,"a, b",c\n1,1,a,"b, c"\n0,1,a,c\n'), group="race,sex")
    assert found.group_names == ('a, "b, c"', "a, c", '"a, b", c')
    found = read(write('label,pred,race,sex\n0,0,"a, b",c\n1,1,a,c\n'), group="race,sex")
    assert found.group_names == ("a, c", "a, b, c")


def test_group_columns_are_crossed_and_an_empty_one_is_unknown(write):
    text = "label,pred,race,sex\n0,0,A,m\n1,1,B,m\n0,1,A,f\n1,1,,f\n0,0,B,\n"
    found = read(write(text), group="race,sex")
    assert found.group_names == ("A, f", "A, m", "B, m")
    assert found.groups.tolist() == [1, 2, 0, -1, -1]
    assert found.counts.sum() == 3


def test_rows_of_one_source_have_one_number_and_an_empty_source_is_one_of_its_own(write):
    text = "label,group,pred,source_id\n0,x,0,s\n1,y,1,t\n0,y,0,s\n1,x,1,\n0,x,0,\n"
    sources = read(write(text)).sources
    assert sources[0] == sources[2]
    assert len(set(sources.tolist())) == 4
    renamed = read(write(text.replace("source_id", "person")), source="person").sources
    assert renamed.tolist() == sources.tolist()
    assert read(write(text.replace("source_id", "person"))).sources.tolist() == [0, 1, 2, 3, 4]


def test_other_columns_and_texts_are_read_as_they_are(write):
    found = read(write('y,g,"y,hat",note\n01,NA,1,7\n1,nan,01,\n'), label="y", group="g", pred="y,hat")
    assert found.class_names == ("01", "1")
    assert found.group_names == ("NA", "nan")
    assert found.predicted.tolist() == [1, 0]


def test_another_encoding_is_read_and_named_where_it_is_missing(write):
    path = write("label,group,pred\nä,x,ä\nö,ü,ä\n", encoding="latin-1")
    found = read(path, encoding="latin-1")
    assert (found.class_names, found.group_names) == (("ä", "ö"), ("x", "ü"))
    with pytest.raises(DataError, match=r"t\.csv is not utf-8 .*--encoding latin-1"):
        read(path)


def test_a_byte_order_mark_is_no_part_of_a_name(write):
    assert read(write("\ufefflabel,group,pred\na,x,a\nb,y,a\n")).class_names == ("a", "b")


# name: (table, options, what the message says)
BROKEN: dict[str, tuple[str, dict[str, Any], str]] = {
    "no label": (
        SIMPLE.replace("label", "y"),
        {},
        r"t\.csv has no column 'label'; its columns are id, y, group, pred\. Choose one with --label",
    ),
    "no group": (
        SIMPLE,
        {"group": "race,sex"},
        r"no column 'race'; its columns are id, label, group, pred\. Choose one with --group",
    ),
    "no such pred": (SIMPLE, {"pred": "yhat"}, "no column 'yhat'; its columns are .* with --pred"),
    "no such prob": (SHARES, {"prob": "q_cat,q_dog"}, "no column 'q_cat'; its columns are .* with --prob"),
    "no such beginning": (SHARES, {"prob": "q_"}, "no column 'q_'; its columns are .* with --prob"),
    "no such score": (SHARES, {"score": "s"}, "no column 's'; its columns are .* with --score"),
    "no such id": (SIMPLE, {"id": "name"}, "no column 'name'; its columns are .* with --id"),
    "no such source": (SIMPLE, {"source": "person"}, "no column 'person'; its columns are .* with --source"),
    "no predictions": (
        "label,group,x\na,x,1\n",
        {},
        "no column 'pred' and none starting with 'p_'; its columns are label, group, x.*--pred, --prob or --score",
    ),
    "empty file": ("", {}, r"t\.csv is empty; expected a header"),
    "header only": ("label,group,pred\n", {}, r"t\.csv has a header but no rows"),
    "one class": ("label,group,pred\na,x,a\na,y,a\n", {}, r"t\.csv has a single class, 'a'"),
    "a column twice": ("label,group,pred,pred\na,x,a,b\n", {}, "2 columns named 'pred'"),
    "a field too many": (
        SIMPLE + "e,cat,x,cat,5\n",
        {},
        r"t\.csv, line 6: expected 4 fields as in the header, but got 5",
    ),
    "an empty label": (SIMPLE.replace("b,dog", "b,"), {}, r"t\.csv, row 3: column 'label' is empty.*needs a label"),
    "an empty prediction": (
        SIMPLE.replace("c,cat,y,cat", "c,cat,y,"),
        {},
        r"t\.csv, row 4: column 'pred' is empty.*needs a prediction",
    ),
    "not 1 in sum": (
        SHARES.replace("0.625", "0.7"),
        {},
        r"t\.csv, row 3: the probabilities sum to 1\.075, not 1.*--prob; if each class has a score of its own.*--pred",
    ),
    "a class without a column": (
        "label,group,p_a,p_b\na,x,0.5,0.5\nc,y,0.5,0.5\nb,y,1,0\n",
        {},
        r"2 probability columns \(p_a, p_b\) for 3 classes \(a, b, c\).*--classes",
    ),
    "a percentage": (
        "label,group,p_yes\nyes,x,0.5\nno,y,34\n",
        {},
        r"t\.csv, row 3: column 'p_yes' has 34, which is not a probability.*--score p_yes and .*--threshold",
    ),
    "logits": (
        SHARES.replace("0.625,0.375", "2.5,-1.5"),
        {},
        r"t\.csv, row 3: column 'p_cat' has 2\.5, which is not a probability.* logits, apply a softmax first.*--pred",
    ),
    "negative": (
        SHARES.replace("0.625,0.375", "1.0,-0.25"),
        {},
        r"t\.csv, row 3: column 'p_dog' has -0\.25, which is not a probability",
    ),
    "infinite": (SHARES.replace("0.625", "inf"), {}, r"t\.csv, row 3: column 'p_cat' has inf"),
    "an empty probability": (SHARES.replace("0.625", ""), {}, r"t\.csv, row 3: column 'p_cat' is empty"),
    "a NaN probability": (
        SHARES.replace("0.625", "nan"),
        {},
        r"t\.csv, row 3: column 'p_cat' has 'nan', which is not a number",
    ),
    "NA for a probability": (
        SHARES.replace("0.625", "NA"),
        {},
        r"t\.csv, row 3: column 'p_cat' has 'NA', which is not a number",
    ),
    "a text for a probability": (
        SHARES.replace("0.5,0.5", "0.5,half"),
        {},
        r"t\.csv, row 4: column 'p_dog' has 'half', which is not a number",
    ),
    "a text for a score": (
        SCORES.replace("0.49", "high"),
        {"score": "score"},
        r"t\.csv, row 5: column 'score' has 'high', which is not a number",
    ),
    "a score for three classes": (
        SCORES + "maybe,x,0.3\n",
        {"score": "score"},
        "--score needs two classes, but there are 3: maybe, no, yes",
    ),
    "a label outside": (
        SIMPLE,
        {"classes": "cat,eel"},
        r"t\.csv, row 3: column 'label' has the class 'dog', which is not one of cat, eel",
    ),
    "a prediction outside": (
        SIMPLE.replace("d,dog,x,dog", "d,cat,x,eel"),
        {"classes": "cat,dog"},
        r"t\.csv, row 5: column 'pred' has the class 'eel', which is not one of cat, dog",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_used_is_named_with_its_place_and_the_way_out(write, case):
    text, options, message = BROKEN[case]
    with pytest.raises(DataError, match=message):
        read(write(text), **options)


def test_a_table_that_is_not_there_is_named(tmp_path):
    for name in ("none.csv", "none.parquet"):
        with pytest.raises(DataError, match=f"there is no table .*{name}"):
            read(tmp_path / name)


def test_rows_of_parquet_are_counted_from_one_and_shown_as_they_are(tmp_path):
    frame = pd.DataFrame({"label": ["a", "b", None], "group": ["x", "y", "x"], "pred": ["a", "b", "a"]})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet, row 3: column 'label' is empty"):
        read(tmp_path / "t.parquet")
    frame = pd.DataFrame({"label": ["a", "b"], "group": ["x", "y"], "p_a": [0.5, np.nan], "p_b": [0.5, 1.0]})
    frame.to_parquet(tmp_path / "u.parquet")
    with pytest.raises(DataError, match=r"u\.parquet, row 2: column 'p_a' is empty"):
        read(tmp_path / "u.parquet")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"score": "s", "pred": "pred"}, "--score cannot be combined with --pred or --prob"),
        ({"score": "s", "prob": "p_"}, "--score cannot be combined with --pred or --prob"),
        ({"threshold": float("nan")}, "threshold to be a number, but got nan"),
        ({"threshold": "high"}, "threshold to be a number, but got 'high'"),
        ({"label": 3}, "label to be a text, but got 3"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, text):
    with pytest.raises(UsageError, match=text):
        TableColumns(**options)


def test_a_class_named_twice_is_refused(write):
    with pytest.raises(UsageError, match="--classes cat,dog,cat names a class twice"):
        read(write(SIMPLE), classes="cat,dog,cat")


def test_take_gives_rows_in_another_order(write):
    found = read(
        write(
            SHARES.replace("label", "id,label", 1)
            .replace("\ncat,x", "\na,cat,x")
            .replace("\ndog,y", "\nb,dog,y")
            .replace("\ncat,y", "\nc,cat,y")
            .replace("\ndog,x", "\nd,dog,x")
        )
    )
    taken = found.take(np.array([3, 0]))
    assert taken.ids.tolist() == ["d", "a"]
    assert taken.labels.tolist() == [1, 0]
    assert taken.groups.tolist() == [0, 0]
    assert taken.sources.tolist() == [3, 0]
    assert taken.probabilities.tolist() == [[0.25, 0.75], [0.75, 0.25]]


def test_numbers_are_read_as_the_same_float64_that_python_reads(tmp_path):
    values = np.random.default_rng(0).random(200)
    path = tmp_path / "t.csv"
    path.write_text("name,value\n" + "".join(f"{at},{value!r}\n" for at, value in enumerate(values.tolist())))
    frame = read_columns(path, ["name", "value"], "utf-8", numbers=["value"])
    assert frame["value"].dtype == np.float64
    np.testing.assert_allclose(frame["value"], values, rtol=1e-15)
    assert frame["name"].tolist()[:3] == ["0", "1", "2"]  # text, since it was not asked for as a number


def test_only_the_first_value_that_is_no_number_is_named(write):
    path = write("a,b\n1,2\n3,x\ny,4\n")
    with pytest.raises(DataError, match=r"t\.csv, row 4: column 'a' has 'y', which is not a number"):
        read_columns(path, ["a", "b"], "utf-8", numbers=["a", "b"])
    assert read_columns(path, ["a", "b"], "utf-8", numbers=[])["a"].tolist() == ["1", "3", "y"]


# --- a run folder


@pytest.fixture
def run(tiny_teacher: str, tmp_path: Path) -> RunFolder:
    return RunFolder.open(shutil.copytree(tiny_teacher, tmp_path / "run"))


def rewritten(run: RunFolder, column: str, value: str, row: int = 1) -> None:
    path = run.path / "predictions.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[row, column] = value
    frame.to_csv(path, index=False)


def test_a_run_folder_gives_what_its_result_says(run):
    found, result = run_predictions(run), run.result
    assert found.counts.tolist() == result["counts"]
    assert list(found.class_names) == result["class_names"]
    assert list(found.group_names) == result["group_names"]
    assert found.correct.mean() == pytest.approx(result["accuracy"])
    assert (found.predicted == found.probabilities.argmax(axis=1)).all()
    assert len(found) == len(set(found.ids)) == 30
    assert len(set(found.sources.tolist())) == 30


def test_a_run_folder_read_as_a_table_says_the_same(run):
    of_run, of_table = run_predictions(run), read(run.path / "predictions.csv")
    for field in ("ids", "labels", "groups", "predicted", "probabilities"):
        np.testing.assert_array_equal(getattr(of_run, field), getattr(of_table, field))
    assert of_table.class_names == ("0", "1", "2")


def test_an_unknown_group_of_a_run_stays_unknown(run):
    row = (run.path / "predictions.csv").read_text().splitlines()[2].split(",")
    label, group, pred = (int(value) for value in row[2:5])
    rewritten(run, "group", "")
    with pytest.raises(
        DataError, match=r"predictions\.csv was changed after the run: its counts differ from those in .*result\.json"
    ):
        run_predictions(run)
    counts = [[list(line) for line in of_group] for of_group in run.result["counts"]]
    counts[group][label][pred] -= 1
    run.write_json("result.json", {**run.result, "counts": counts})
    found = run_predictions(run)
    assert found.groups[1] == -1
    assert (found.groups[[0, 2, 3]] >= 0).all()


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("label", "3", r"predictions\.csv, row 3: column 'label' has 3, expected a whole number below 3"),
        ("label", "-1", "column 'label' has -1"),
        ("pred", "0.5", "row 3: column 'pred' has 0.5, expected a whole number below 3"),
        ("pred", "cat", "row 3: column 'pred' has 'cat', which is not a number"),
        ("group", "2", "row 3: column 'group' has 2, expected a whole number below 2"),
        ("group", "old", "row 3: column 'group' has 'old'"),
        ("p_1", "1.5", "row 3: column 'p_1' has 1.5, which is not a probability"),
        ("p_1", "", "row 3: column 'p_1' is empty"),
        ("id", "test-0", "column 'id' repeats '.*'"),
    ],
)
def test_a_changed_table_of_a_run_is_named(run, column, value, text):
    value = pd.read_csv(run.path / "predictions.csv")["id"][0] if column == "id" else value
    rewritten(run, column, value)
    with pytest.raises(DataError, match=text):
        run_predictions(run)


def test_a_table_of_a_run_without_a_column_is_named(run):
    path = run.path / "predictions.csv"
    pd.read_csv(path).drop(columns="source_id").to_csv(path, index=False)
    with pytest.raises(DataError, match="no column 'source_id'"):
        run_predictions(run)


def test_a_run_that_is_not_finished_is_refused(run):
    (run.path / "result.json").unlink()
    with pytest.raises(RunFolderError, match="--resume"):
        run_predictions(run)


def made_up(**changed: Any) -> Predictions:
    given: dict[str, Any] = {
        "where": "made up", "ids": None, "sources": [0, 1, 2, 3], "labels": [0, 0, 1, 1], "groups": [0, 1, 0, -1],
        "predicted": [0, 1, 1, 1], "probabilities": None, "class_names": ("a", "b"), "group_names": ("x", "y"),
    }  # fmt: skip
    return Predictions(**{**given, **changed})


@pytest.mark.parametrize("form", [list, np.array, torch.tensor])
def test_any_kind_of_integers_makes_the_same_predictions(form: Any) -> None:
    found = made_up(
        labels=form([0, 0, 1, 1]), predicted=form([0, 1, 1, 1]), probabilities=form([[0.75, 0.25], [0.5, 0.5]] * 2)
    )
    assert found.counts.tolist() == [[[1, 0], [0, 1]], [[0, 1], [0, 0]]]
    assert found.probabilities is not None
    assert found.probabilities.shape == (4, 2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": [0, 0, 2, 1]}, r"`labels` to lie in \[0, 1\], but row 2 is 2"),
        ({"groups": [0, 0, 2, 1]}, r"`groups` to lie in \[-1, 1\], but row 2 is 2"),
        ({"predicted": [0, 0, 2, 1]}, r"`predicted` to lie in \[0, 1\], but row 2 is 2"),
        ({"predicted": [0.0, 0.0, 1.0, 1.0]}, "`predicted` to be a vector of integers, but got float64"),
        ({"predicted": [0, 1]}, "but got 4 labels, 2 predicted"),
        ({"ids": np.array(["a", "b"], object)}, "but got 4 labels, 4 predicted and 2 ids"),
        ({"sources": ["a", "b", "c", "d"]}, "`sources` to hold integers, but got <U1"),
        ({"probabilities": [[0.5, 0.5]]}, r"`probabilities` to be \[4, 2\], but got \[1, 2\]"),
    ],
)
def test_what_are_no_predictions_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made_up(**changed)
