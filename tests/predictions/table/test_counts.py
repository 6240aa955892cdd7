from __future__ import annotations

import pandas as pd
import pytest

from fairdistill.errors import DataError
from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions

SAMPLES = pd.DataFrame(
    {"label": [0, 0, 1, 1, 0, 1] * 3, "group": ["a", "b", "a", "b", "a", "a"] * 3, "pred": [0, 1, 1, 1, 1, 1] * 3}
)


@pytest.mark.parametrize("name", ["n", "count", "Freq", "COUNT"])
def test_a_table_of_counts_is_refused_with_what_repeats_its_rows(tmp_path, name):
    counts = SAMPLES.groupby(["label", "group", "pred"]).size().reset_index(name=name)
    counts.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match=rf"column '{name}', probably how often .*\[t\.index\.repeat\(t\['{name}'\]\)"):
        read_predictions(tmp_path / "t.csv", TableColumns())
    counts.loc[counts.index.repeat(counts[name])].to_csv(tmp_path / "t.csv", index=False)
    assert len(read_predictions(tmp_path / "t.csv", TableColumns()).labels) == len(SAMPLES)


SITES = SAMPLES.loc[SAMPLES.index.repeat(5)].assign(site=[at % 5 for at in range(5 * len(SAMPLES))])


@pytest.mark.parametrize("name", ["n", "COUNT(*)", "Count of id", "n_images", "Anzahl von id"])
def test_counts_of_the_combinations_of_more_columns_are_refused(tmp_path, name):
    sizes = SITES.groupby([*SAMPLES.columns, "site"]).size()
    counts = sizes.reset_index(name=name).assign(mean=[0.5 + at / 100 for at in range(len(sizes))])
    counts.loc[0, name] += 1  # not all the same
    counts.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match=r"has each combination of the values of its other columns once, and column '"):
        read_predictions(tmp_path / "t.csv", TableColumns())


def test_scores_in_a_table_of_counts_are_refused(tmp_path):
    scores = [round(0.1 * (at % 10), 1) for at in range(40)]
    table = pd.DataFrame({"label": [0, 1] * 20, "group": list("aabb") * 10, "s": scores, "n": [3, 5] * 20})
    table.drop_duplicates().to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(
        DataError, match=r"has each combination of the values of its other columns once, and column 'n'"
    ):
        read_predictions(tmp_path / "t.csv", TableColumns(score="s"))


def test_samples_that_differ_in_enough_columns_are_no_counts(tmp_path):
    few = SITES.drop_duplicates().assign(n=[at % 4 for at in range(len(SITES.drop_duplicates()))])
    one = few.assign(day=[at // 3 for at in range(len(few))])  # many combinations are possible
    one.to_csv(tmp_path / "t.csv", index=False)
    assert len(read_predictions(tmp_path / "t.csv", TableColumns())) == len(few)
    pd.concat([few, few[:1]]).to_csv(tmp_path / "t.csv", index=False)  # one occurs twice
    assert len(read_predictions(tmp_path / "t.csv", TableColumns())) > len(few)


def test_samples_with_such_a_column_and_few_samples_without_are_read(tmp_path):
    SAMPLES.assign(n=range(len(SAMPLES))).to_csv(tmp_path / "t.csv", index=False)
    assert len(read_predictions(tmp_path / "t.csv", TableColumns()).labels) == len(SAMPLES)
    SAMPLES.drop_duplicates().assign(area=7).to_csv(tmp_path / "t.csv", index=False)
    assert len(read_predictions(tmp_path / "t.csv", TableColumns()).labels) == len(SAMPLES.drop_duplicates())


@pytest.mark.parametrize("values", [range(1, 6), ["224x224"] * 5, [0.5, 2, 3, 1, 7], [224] * 5, ["inf", 2, 3, 1, 7]])
def test_a_column_of_what_cannot_be_counts_is_only_called_like_one(tmp_path, values):
    few = SAMPLES.drop_duplicates()
    few.assign(size=list(values)).to_csv(tmp_path / "t.csv", index=False)
    assert len(read_predictions(tmp_path / "t.csv", TableColumns()).labels) == len(few) == 5


def scores_of_classes(samples: int = 12, classes: str = "abc") -> pd.DataFrame:
    """Return a row for each sample and class."""
    ids = [f"i{at}" for at in range(samples) for _ in classes]
    labels = [classes[at % len(classes)] for at in range(samples) for _ in classes]
    groups = ["xy"[at % 2] for at in range(samples) for _ in classes]
    return pd.DataFrame({"id": ids, "label": labels, "group": groups, "pred": list(classes) * samples})


@pytest.mark.parametrize("classes", ["ab", "abc"])
def test_a_row_for_each_sample_and_class_is_refused(tmp_path, classes):
    scores_of_classes(classes=classes).to_csv(tmp_path / "t.csv", index=False)
    number = len(classes)
    message = (
        rf"t\.csv: each value of column 'id' has {number} rows, with one label and {number} different values of column "
        "'pred'.* keep one row for each sample, that of the predicted class"
    )
    with pytest.raises(DataError, match=message):
        read_predictions(tmp_path / "t.csv", TableColumns())


def test_a_row_with_a_score_for_each_of_two_classes_is_refused(tmp_path):
    table = scores_of_classes(classes="ab").assign(score=[0.25, 0.75] * 12).drop(columns="pred")
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match="has 2 rows, with one label and 2 different values of column 'score'"):
        read_predictions(tmp_path / "t.csv", TableColumns(score="score"))
    table.assign(score=[0.25, 0.4] * 12).to_csv(tmp_path / "t.csv", index=False)
    assert len(read_predictions(tmp_path / "t.csv", TableColumns(score="score"))) == 24


@pytest.mark.parametrize(
    ("at", "column", "value"), [(0, "pred", "b"), (0, "label", "b"), (0, "id", "i1"), (0, "id", "")]
)
def test_rows_of_one_sample_that_are_not_its_classes_are_read(tmp_path, at, column, value):
    table = scores_of_classes()
    table.loc[at, column] = value
    table.to_csv(tmp_path / "t.csv", index=False)
    assert len(read_predictions(tmp_path / "t.csv", TableColumns())) == len(table)


def test_few_ids_may_differ_in_all_predictions_by_chance(tmp_path):
    scores_of_classes(samples=9, classes="ab").to_csv(tmp_path / "t.csv", index=False)
    assert len(read_predictions(tmp_path / "t.csv", TableColumns())) == 18
