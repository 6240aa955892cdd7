"""A fix from two tables of predictions."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from fairdistill.cli.main import main
from fairdistill.errors import DataError, RunFolderError, UsageError
from fairdistill.fixing import TableFixOptions, fix_predictions
from fairdistill.fixing.tables.reading import read_both
from fairdistill.posthoc import read_correction
from tests.fixing.conftest import search_quickly


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    search_quickly(monkeypatch)


def written(path, *, seed, rows=1200, form=(4.0, 1.5), names=("cat", "dog"), groups=("a", "b"), start=0):
    """Write predictions that need another threshold for the second group."""
    draw = np.random.default_rng(seed)
    label, group = np.arange(rows) % 2, np.arange(rows) // 2 % 2
    logit = form[0] * (label - 0.5) + draw.normal(0, 1.5, rows) - form[1] * group
    second = 1 / (1 + np.exp(-logit))
    table = pd.DataFrame(
        {
            "id": [f"i{start + row}" for row in range(rows)], "label": np.array(names)[label],
            "group": np.array(groups)[group], f"p_{names[0]}": 1 - second, f"p_{names[1]}": second,
        }
    )  # fmt: skip
    table.to_csv(path, index=False)
    return path


@pytest.fixture
def tables(tmp_path):
    return written(tmp_path / "val.csv", seed=0), written(tmp_path / "test.csv", seed=1, start=10_000)


def test_a_correction_that_the_test_table_confirms_is_recommended(tables, tmp_path, capsys):
    out = tmp_path / "fix"
    code = main(["fix", "--predictions", *map(str, tables), "--group-at-use", "--out", str(out)])
    text = capsys.readouterr().out
    found = json.loads((out / "fix.json").read_text())
    assert code == 0
    assert (found["verdict"], found["family"], found["searched"]["ended"]) == ("use", "correction", "tables")
    assert found["deployed"] == str(tables[1])
    assert "Corrections of the predictions were tried, nothing else, since only tables were given" in text
    assert "decide 'dog' if its probability is above" in text or "add to the logarithm" in text
    assert {path.name for path in out.iterdir()} >= {"recommendation.md", "report.html", "model-card.md"}
    before, after = (found[name]["metrics"]["deo_a"]["value"] for name in ("test_before", "test_after"))
    assert after < before / 2
    stored = read_correction(out)
    table = pd.read_csv(tables[1])
    groups = table["group"].map(stored.group_names.index).to_numpy()
    decided = stored.predict(table[["p_cat", "p_dog"]].to_numpy(), groups, ("cat", "dog"))
    accuracy = (np.array(["cat", "dog"])[decided] == table["label"]).mean()
    assert accuracy == pytest.approx(found["test_after"]["metrics"]["accuracy"]["value"])
    assert "fairdistill export MODEL --correction FOLDER" in text


def test_a_fair_model_is_kept_and_nothing_is_tried(tmp_path):
    many = {"form": (4.0, 0.0), "rows": 4_000}
    paths = [written(tmp_path / f"{seed}.csv", seed=seed, start=100_000 * seed, **many) for seed in (0, 1)]
    result = fix_predictions(*paths, out=str(tmp_path / "fix"), fair_enough=0.1)
    assert (result.verdict, result.searched.ended) == ("fair", "fair")


def test_classes_and_groups_are_matched_by_name(tables, tmp_path):
    table = pd.read_csv(tables[1])
    order = [*table.columns[:3], "p_dog", "p_cat"]
    table[::-1][order].to_csv(tmp_path / "turned.csv", index=False)
    _, plain = read_both(tables, TableFixOptions())
    _, turned = read_both([tables[0], tmp_path / "turned.csv"], TableFixOptions(classes="dog,cat"))
    assert turned.class_names == ("dog", "cat")
    assert turned.group_names == plain.group_names == ("a", "b")
    assert (turned.groups[::-1] == plain.groups).all()
    assert (turned.labels[::-1] == 1 - plain.labels).all()
    assert turned.probabilities is not None
    assert plain.probabilities is not None
    assert (turned.probabilities[::-1, ::-1] == plain.probabilities).all()


def test_without_the_group_at_use_it_says_what_would_help_and_every_reading_counts(tables, tmp_path):
    out = str(tmp_path / "fix")
    result = fix_predictions(*tables, out=out)
    assert (result.verdict, result.reason, result.chosen) == ("unproven", "none better", "keep")
    text = result.text()
    assert "add --group-at-use" in text
    assert "Bring the model and its images (fix MODEL --data ...)" in text
    other = fix_predictions(*tables, out=out, group_at_use=True)
    assert [each.chosen for each in other.test_read_before] == ["keep"]
    written(tables[0], seed=5)
    with pytest.raises(RunFolderError, match="a fix with a different validation table, which has changed since"):
        fix_predictions(*tables, out=out)


def test_ids_that_begin_anew_in_each_table_are_of_different_samples(tables, tmp_path):
    validation, test = tables
    mine, others = pd.read_csv(validation), pd.read_csv(test)
    mine["id"], others["id"] = np.arange(1200), np.random.default_rng(0).permutation(1200)
    mine.to_csv(validation, index=False)
    others.to_csv(test, index=False)
    _, read = read_both(tables, TableFixOptions())
    (note,) = [note for note in read.notes if "ids are in both" in note]
    assert "have another class or group there, so they were taken for different samples" in note
    mine.to_csv(test, index=False)
    mine.loc[:9, "label"] = "dog"  # corrected since
    mine.to_csv(validation, index=False)
    with pytest.raises(DataError, match="divide them, or give different images different ids"):
        read_both(tables, TableFixOptions())


def test_tables_that_do_not_fit_are_one_line(tables, tmp_path, capsys):
    validation, test = tables
    mine = pd.read_csv(validation)
    mine.sample(frac=1, random_state=0).drop(columns="id").to_csv(tmp_path / "same.csv", index=False)
    with pytest.raises(DataError, match=r"val\.csv and .*same\.csv hold the same predictions; what is chosen"):
        fix_predictions(validation, tmp_path / "same.csv", out=str(tmp_path / "a"))
    mine[:600].to_csv(tmp_path / "half.csv", index=False)
    with pytest.raises(DataError, match=r"600 ids are in both .*val\.csv and .*half\.csv, for example i0; what"):
        fix_predictions(validation, tmp_path / "half.csv", out=str(tmp_path / "a"))
    other = written(tmp_path / "o.csv", seed=2, names=("cat", "fox"), start=90_000)
    with pytest.raises(DataError, match=r"the classes of .*val\.csv \(cat, dog\) are not those of .* \(cat, fox\)"):
        fix_predictions(validation, other, out=str(tmp_path / "b"))
    other = written(tmp_path / "g.csv", seed=2, groups=("a", "z"), start=90_000)
    with pytest.raises(DataError, match=r"has the group 'z', of which .*val\.csv has no rows"):
        fix_predictions(validation, other, out=str(tmp_path / "c"))
    table = pd.read_csv(validation)
    table["pred"] = table["label"]
    table[["label", "group", "pred"]].to_csv(tmp_path / "hard.csv", index=False)
    with pytest.raises(DataError, match="has no probabilities, which corrections need"):
        fix_predictions(tmp_path / "hard.csv", test, out=str(tmp_path / "d"))
    with pytest.raises(UsageError, match="no better than guessing"):
        fix_predictions(
            written(tmp_path / "n.csv", seed=3, form=(0.0, 0.0), start=70_000), test, out=str(tmp_path / "e")
        )
    table = pd.read_csv(test)
    table["p_cat"], table["p_dog"] = 0.9, 0.1
    table.to_csv(tmp_path / "one.csv", index=False)
    with pytest.raises(UsageError, match=r"one\.csv predicts 'cat' for every test image, so its gap of 0 says nothing"):
        fix_predictions(validation, tmp_path / "one.csv", out=str(tmp_path / "g"))
    assert main(["fix", "--predictions", str(validation), "--out", str(tmp_path / "f")]) == 2
    assert "needs two tables, of validation and of test images, but got 1" in capsys.readouterr().err
    assert not [name for name in "abcdefg" if (tmp_path / name).exists()]


def test_what_is_given_in_place_of_the_two_tables_is_named(tables, tmp_path, capsys):
    validation, test = map(str, tables)
    assert main(["fix", "model.pt", "--predictions", validation, test, "--out", str(tmp_path / "a")]) == 2
    assert "--predictions needs two tables and no model; leave model.pt out" in capsys.readouterr().err
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(UsageError, match="run is a folder, not a table of predictions; name two tables, of validation"):
        fix_predictions(run, run, out=str(tmp_path / "a"))
    for name in ("validation_predictions.csv", "predictions.csv"):
        (run / name).touch()
    with pytest.raises(
        UsageError, match=r"of a run, name .*run/validation_predictions\.csv and .*run/predictions\.csv"
    ):
        fix_predictions(run, run, out=str(tmp_path / "a"))
    assert not (tmp_path / "a").exists()


def test_the_command_without_data_names_it(capsys):
    assert main(["fix", "model.pt"]) == 2
    assert "or, without the model, --predictions VALIDATION TEST" in capsys.readouterr().err
