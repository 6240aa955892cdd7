from __future__ import annotations

from typing import Any

import pytest

from fairdistill.errors import DataError
from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions


@pytest.fixture
def read(tmp_path):
    def reading(labels: list[Any], predictions: list[Any], **options: Any) -> Predictions:
        path = tmp_path / "t.csv"
        pairs = zip(labels, predictions, strict=True)
        path.write_text(
            "label,group,pred\n"
            + "".join(f'{label},{"xy"[at % 2]},"{pred}"\n' for at, (label, pred) in enumerate(pairs))
        )
        return read_predictions(path, TableColumns(**options))

    return reading


RIGHT = [at % 2 for at in range(40)]
GUESSED = [*RIGHT[:36], 1, 0, 1, 0]  # four of 40 are wrong


def test_percentages_are_recognized_as_probabilities(read):
    shares = [f"{10.5 + 70 * guess}%" for guess in GUESSED]
    with pytest.raises(DataError, match=r"row 2: column 'pred' has 10\.5%, .* 0, 1; .*probability of '1', use --score"):
        read(RIGHT, shares)
    assert read(RIGHT, shares, score="pred").correct.sum() == 36
    with pytest.raises(DataError, match=r"row 2: column 'pred' has 10%.*probability of 'dog', use --score pred$"):
        read([["cat", "dog"][each] for each in RIGHT], [f"{10 + 70 * guess}%" for guess in GUESSED])


def test_few_whole_scores_that_most_samples_have_are_no_classes(read):
    deciles = [3 + 5 * each for each in GUESSED[:20]] + [1, 2, 9, 10] * 5
    with pytest.raises(
        DataError, match=r"has 2, one of 5 values that are not among the classes 0, 1; if it is the score"
    ):
        read(RIGHT, deciles)
    assert read(RIGHT, deciles, score="pred", threshold=5.0).correct.sum() > 15
    few = [*RIGHT[:30], *[3, 4] * 5]  # of a model of more classes
    assert read(RIGHT, few).class_names == ("0", "1", "3", "4")


def test_the_score_is_of_the_class_that_means_yes(read):
    with pytest.raises(DataError, match=r"probability of 'ja', use --score pred$"):
        read([["nein", "ja"][each] for each in RIGHT], [0.25 + 0.5 * each for each in GUESSED])


def test_classes_may_be_percentages(read):
    doses = [f"{10 + 10 * each}%" for each in RIGHT]
    assert read(doses, doses).class_names == ("10%", "20%")


@pytest.mark.parametrize("text", ["[0.1 0.2 0.7]", "[0.1, 0.2]", "tensor([0.5, 0.5])", "(1e-3, 1)", "[[0.1\n 0.9]]"])
def test_lists_of_probabilities_ask_for_a_column_of_each_class(read, text):
    with pytest.raises(DataError, match=r"row 2: column 'pred' has .*, several numbers in one field; .* --prob$"):
        read(RIGHT, [text] * 40)


@pytest.mark.parametrize("text", ["(18, 30]", "[1]"])
def test_classes_may_be_in_brackets(read, text):
    names = [[text, "x"][each] for each in RIGHT]
    assert read([f'"{name}"' for name in names], names).correct.all()


def test_many_values_are_not_listed_as_classes(read):
    with pytest.raises(DataError, match=r"share no value; spell the classes the same way in both columns$"):
        read(RIGHT, [f"x{at}" for at in range(40)])
    with pytest.raises(DataError, match=r"; if 0 = c0, .*, 7 = c7 and 32 more, add --classes with all of them in this"):
        read([f"c{at}" for at in range(40)], range(40))


@pytest.mark.parametrize(
    ("label", "pred", "message"),
    [
        ("{1}", "{0}", r" 5\.0% of them .* 90\.0% if predictions are read one higher; add 1 to the predictions or "
         r"subtract 1 from the labels, or, if they are right as written, add --classes 0,1,2$"),
        ("{0}", "{1}", r"read one lower; subtract 1 from the predictions or add 1 to the labels"),
        ("grade {1}", "grade {0}", r"add --classes 'grade 0,grade 1,grade 2'$"),
    ],
)  # fmt: skip
def test_codes_from_other_starts_are_refused(read, label, pred, message):
    labels = [label.format(each, each + 1) for each in RIGHT]
    predictions = [pred.format(each, each + 1) for each in GUESSED]
    with pytest.raises(DataError, match=message):
        read(labels, predictions)


def test_one_class_of_two_names_is_refused(read):
    labels = [["no", "yes", "maybe"][at % 3] for at in range(60)]
    predictions = [name.replace("maybe", "perhaps") for name in labels[3:]] + ["no", "yes", "no"]
    said = "'maybe' is never predicted and no sample has the label 'perhaps', but 19 of 20 samples of 'maybe' are"
    with pytest.raises(DataError, match=rf"{said} predicted 'perhaps'.* else add --classes maybe,no,perhaps,yes$"):
        read(labels, predictions)
    assert len(read(labels, predictions, classes="no,yes,maybe,perhaps").class_names) == 4


def test_yes_coded_as_1_and_no_as_2_is_refused_beside_0_and_1(read):
    with pytest.raises(DataError, match="'2' is never predicted and no sample has the label '0', but 18 of 20 samples"):
        read([2 - each for each in RIGHT], GUESSED)


def test_a_class_that_samples_of_several_are_predicted_as_is_one_of_its_own(read):
    labels = [["no", "yes", "maybe"][at % 3] for at in range(60)]
    assert len(read(labels, ["other" if at % 2 else "no" for at in range(60)]).class_names) == 4
    few = [*labels[:30], *["no"] * 30]
    assert len(read(few, [name.replace("maybe", "perhaps") for name in few[:27]] + ["no"] * 33).class_names) == 4


def test_single_values_are_classes_however_python_prints_them(read):
    for written in ("tensor({})", "tensor({}, device='cuda:0')", "[{}]", "np.int64({})"):
        assert read(RIGHT, [written.format(each) for each in GUESSED]).correct.sum() == 36
    assert read(RIGHT, [f"np.{each == 1}_" for each in GUESSED]).correct.sum() == 36
    with pytest.raises(DataError, match=r"pred' has tensor\(0\.2\), which is .* probability of '1', use --score pred$"):
        read(RIGHT, [f"tensor({0.2 + 0.5 * each})" for each in GUESSED])


def test_codes_are_read_as_written_where_all_are_listed_or_little_speaks_against_it(read):
    labels = [each + 1 for each in RIGHT]
    assert read(labels, GUESSED, classes="0,1,2").correct.sum() == 2
    assert read(labels[:8], GUESSED[:8]).class_names == ("0", "1", "2")
    assert read(labels, [0, *labels[1:]]).correct.sum() == 39  # a class that no sample has
