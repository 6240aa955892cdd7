"""Several attributes at once: one audit each, the same as alone, from tables and from models."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import fairdistill
from fairdistill.auditing import audit
from fairdistill.auditing.attributes import audit_attributes
from fairdistill.cli.main import main
from fairdistill.errors import DataError, TeacherError, UsageError
from fairdistill.predicting import predict
from tests.training.faces import draw_table

ROWS = [
    {"id": f"{at:03d}", "race": "xy"[at % 2], "smiling": ("no", "yes")[at // 2 % 2], "glasses": at // 4 % 2,
     "hair": ("dark", "fair")[at // 8 % 2]}
    for at in range(160)
]  # fmt: skip
MODULE = "tests.auditing.attributes.test_audit"


def answers(row: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """Return what a model says: worse of the glasses of group y."""
    yes = {"smiling": row["smiling"] == "yes", "glasses": row["glasses"] == 1, "hair": row["hair"] == "fair"}
    said: dict[str, Any] = {}
    for name, true in yes.items():
        wrong = draw.random() < (0.4 if name == "glasses" and row["race"] == "y" else 0.1)
        said[f"p_{name}"] = round(draw.uniform(0.5, 1) if true != wrong else draw.uniform(0, 0.499), 4)
    return said


def write(path: Path, rows: list[dict[str, Any]], *left_out: str) -> str:
    columns = [name for name in rows[0] if name not in left_out]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    draw = random.Random(0)
    return [{**row, **answers(row, draw)} for row in ROWS]


@pytest.fixture
def table(tmp_path, rows):
    return write(tmp_path / "said.csv", rows)


OPTIONS: dict[str, Any] = {"group": "race", "draws": 200}


def test_each_attribute_is_audited_as_if_it_were_alone(table):
    found = audit_attributes(table, label="smiling,glasses", **OPTIONS)
    assert [(each.attribute, each.positive) for each in found.attributes] == [("smiling", "yes"), ("glasses", "1")]
    for each in found.attributes:
        alone = audit(table, label=each.attribute, score=f"p_{each.attribute}", **OPTIONS)
        assert each.audit.metrics == alone.metrics
        assert each.audit.cells == alone.cells
    assert found.worst == "glasses"
    assert found.rows == len(ROWS)
    text = found.text()
    assert "2 attributes, 2 groups" in text
    assert "Largest DEO_A: glasses; the largest of 2 gaps is larger by chance than any one of them." in text


def test_an_attribute_with_one_answer_is_named(tmp_path, rows):
    said = "glasses: the model predicts a single class for every sample, so its gap of 0 says nothing about fairness."
    constant = write(tmp_path / "t.csv", [{**row, "p_glasses": 0.1} for row in rows])
    found = audit_attributes(constant, label="smiling,glasses", **OPTIONS)
    assert said in found.text()
    assert said in found.markdown()
    assert "single class" not in audit_attributes(constant, label="smiling,hair", **OPTIONS).text()


def test_predicted_classes_go_before_probabilities(tmp_path, rows):
    for row in rows:
        row["pred_glasses"] = int(row["p_glasses"] >= 0.8)
        row["pred_smiling"] = row["smiling"]
    found = audit_attributes(write(tmp_path / "t.csv", rows), label="smiling,glasses", **OPTIONS)
    smiling, glasses = (each.audit for each in found.attributes)
    assert smiling.accuracy.value == 1
    wrong = sum(row["pred_glasses"] != row["glasses"] for row in rows)
    assert glasses.accuracy.value == pytest.approx(1 - wrong / len(rows))
    assert glasses.metrics.calibration_error is not None
    bare = write(tmp_path / "bare.csv", rows, "p_smiling", "p_glasses", "p_hair")
    again = audit_attributes(bare, label="smiling,glasses", **OPTIONS)
    assert again.attributes[1].audit.accuracy == glasses.accuracy
    assert again.attributes[1].audit.metrics.calibration_error is None


def test_the_value_that_means_yes_is_named_or_noted(table):
    found = audit_attributes(table, label="glasses,hair", **OPTIONS)
    assert found.attributes[1].positive == "fair"
    assert found.notes == ("'fair' of 'dark' and 'fair' was taken for the yes of hair; change that with --yes-value",)
    turned = audit_attributes(table, label="glasses,hair", yes_value={"hair": "dark"}, **OPTIONS)
    assert turned.notes == ()
    assert turned.attributes[1].audit.accuracy.value == pytest.approx(1 - found.attributes[1].audit.accuracy.value)


def test_other_predictions_and_limits_hold_for_each_attribute(table, tmp_path, rows):
    better = [{**row, "p_glasses": 0.9 if row["glasses"] else 0.1} for row in rows]
    other = write(tmp_path / "better.csv", better)
    found = audit_attributes(other, label="smiling,glasses", against=table, max_deo_a=0.9, **OPTIONS)
    changes = [each.audit.against for each in found.attributes]
    assert [change.accuracy.value > 0.1 for change in changes if change is not None] == [False, True]
    assert found.exit_code == 0
    assert "Limit DEO_A <= 90.0%: met: smiling, glasses." in found.text()
    below = audit_attributes(other, label="smiling,glasses", min_accuracy=1.0, **OPTIONS)
    assert "Limit Accuracy >= 100.0%: not met: smiling" in below.text()
    (_, glasses) = [change for change in changes if change is not None]
    below = found.text().partition(f"Change against {table}, points")[2].splitlines()[1:3]
    assert [line.split()[:2] for line in below] == [
        ["smiling", "+0.0"], ["glasses", f"+{100 * glasses.accuracy.value:.1f}"],
    ]  # fmt: skip
    assert f"| glasses | +{100 * glasses.accuracy.value:.1f} |" in found.markdown()
    alone = audit_attributes(other, label="smiling,glasses", **OPTIONS)
    assert "Change" not in alone.text() + alone.markdown()
    strict = audit_attributes(table, label="smiling,glasses", max_deo_a=0.01, **OPTIONS)
    verdicts = {each.audit.limits[0].verdict for each in strict.attributes}
    assert strict.exit_code == (1 if "beyond" in verdicts else 3)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"label": "smiling,age"}, "has no column 'age'"),
        ({"label": "smiling,id"}, "column 'id' has 160 different values .* take it alone: --label id"),
        ({"label": "smiling,smiling"}, "names the column 'smiling' twice"),
        ({"label": "smiling,hair", "pred": "p"}, r"--pred applies to a single attribute; .* pred_NAME and p_NAME"),
        ({"label": "smiling,hair", "yes_value": {"age": "1"}}, "'age' is not among the columns of --label"),
        ({"label": "smiling,hair", "yes_value": {"hair": "red"}}, "column 'hair' has only dark and fair, not red"),
    ],
)
def test_what_does_not_fit_is_one_line(table, options, text):
    with pytest.raises((DataError, UsageError), match=text) as caught:
        audit_attributes(table, **options, **OPTIONS)
    assert "\n" not in str(caught.value)


def test_corrections_need_probabilities_of_every_attribute(tmp_path, table, rows):
    answered = [{**row, "pred_smiling": row["smiling"]} for row in rows]
    bare = write(tmp_path / "bare.csv", answered, "p_smiling")
    for source, validation in ((table, bare), (bare, table)):
        with pytest.raises(DataError, match=r"bare\.csv has no column 'p_smiling', the probability of 'yes', which"):
            audit_attributes(source, label="smiling,glasses", validation=validation, **OPTIONS)


def test_what_means_yes_is_not_asked_of_a_single_column(table):
    with pytest.raises(
        UsageError, match="--yes-value hair=dark is for several yes/no columns in --label; for a single"
    ):
        audit(table, label="hair", score="p_hair", yes_value={"hair": "dark"}, **OPTIONS)


def test_rows_without_an_answer_are_left_out_of_that_attribute_alone(tmp_path, rows):
    known = audit_attributes(write(tmp_path / "all.csv", rows), label="smiling,glasses", **OPTIONS)
    for row in rows[:12]:
        row["glasses"] = "" if int(row["id"]) % 2 else "n/a"
    some = write(tmp_path / "some.csv", rows)
    given = {"label": "smiling,glasses", "unknown": "n/a", **OPTIONS}
    found = audit_attributes(some, **given)
    smiling, glasses = found.attributes
    assert smiling.audit.metrics == known.attributes[0].audit.metrics
    assert (found.rows, smiling.unanswered, glasses.unanswered) == (160, 0, 12)
    assert found.notes == ("12 samples have no answer for glasses and were left out there",)
    alone = audit(write(tmp_path / "glasses.csv", rows[12:]), label="glasses", score="p_glasses", **OPTIONS)
    assert glasses.audit.metrics == alone.metrics
    assert "12 samples have no answer for glasses and were left out there." in found.text()
    assert found.to_dict()["attributes"][1]["unanswered"] == 12
    better = write(tmp_path / "better.csv", [{**row, "p_glasses": 0.5} for row in rows])
    change = audit_attributes(better, against=some, **given).attributes[1].audit.against
    assert change is not None
    wrong = np.mean([(row["p_glasses"] >= 0.5) != (row["glasses"] == 1) for row in rows[12:]])
    assert change.accuracy.value == pytest.approx(wrong - np.mean([row["glasses"] == 0 for row in rows[12:]]))
    with pytest.raises(
        DataError, match=r"column 'glasses' has 3 different values \(0, 1, n/a\).* named with --unknown"
    ):
        audit_attributes(some, label="smiling,glasses", **OPTIONS)
    for row in rows:
        row["glasses"] = ""
    with pytest.raises(DataError, match=r"column 'glasses' has no value; .*leave it out of --label"):
        audit_attributes(write(tmp_path / "none.csv", rows), label="smiling,glasses", **OPTIONS)


@pytest.mark.parametrize("output", ["", "n/a"])
def test_rows_without_an_answer_need_no_output_either(tmp_path, rows, output):
    known = audit_attributes(write(tmp_path / "fewer.csv", rows[12:]), label="glasses,hair", **OPTIONS)
    for row in rows[:12]:
        row["glasses"], row["hair"], row["p_glasses"], row["p_hair"] = "", "n/a", output, output
    given = {"label": "glasses,hair", "unknown": "n/a", **OPTIONS}
    found = audit_attributes(write(tmp_path / "some.csv", rows), **given)
    assert [each.unanswered for each in found.attributes] == [12, 12]
    for one, other in zip(found.attributes, known.attributes, strict=True):
        assert one.audit.metrics == other.audit.metrics
    rows[20]["p_hair"] = output
    with pytest.raises(DataError, match=r"others.csv, row 22: column 'p_hair' "):
        audit_attributes(write(tmp_path / "others.csv", rows), **given)


def test_answers_that_missing_ones_made_decimal_numbers_are_the_same_answers(tmp_path, rows):
    for row in rows:
        row["pred_glasses"] = int(row["p_glasses"] >= 0.5)
    known = audit_attributes(write(tmp_path / "all.csv", rows[12:]), label="glasses,hair", **OPTIONS).attributes[0]
    for number, row in enumerate(rows):
        row["glasses"] = "" if number < 12 else float(row["glasses"])  # as pandas writes such a column
        row["pred_glasses"] = "" if number < 12 else row["pred_glasses"]
    found = audit_attributes(write(tmp_path / "some.csv", rows), label="glasses,hair", **OPTIONS)
    assert found.attributes[0].audit.metrics == known.audit.metrics
    assert (found.attributes[0].positive, found.attributes[0].unanswered) == ("1", 12)
    assert f"{100 * known.audit.accuracy.value:.1f}" in found.text()


def test_a_word_for_no_answer_need_not_occur_in_every_attribute(tmp_path, rows):
    for row in rows[:12]:
        row["glasses"] = "-1"
    some = write(tmp_path / "some.csv", rows)
    found = audit_attributes(some, label="smiling,glasses", unknown="-1", **OPTIONS)
    assert found.attributes[1].unanswered == 12
    assert not [note for each in found.attributes for note in each.audit.notes if "--unknown" in note]


def test_an_attribute_with_one_answer_and_what_is_no_probability_are_named(tmp_path, rows):
    path = write(tmp_path / "one.csv", [{**row, "glasses": 1} for row in rows])
    with pytest.raises(DataError, match=r"column 'glasses' has only the value '1'; .*leave it out of --label"):
        audit_attributes(path, label="smiling,glasses", **OPTIONS)
    rows[3]["p_glasses"] = 1.75
    with pytest.raises(DataError, match=r"t\.csv, row 5: column 'p_glasses' has 1\.75, .* in a column 'pred_glasses'"):
        audit_attributes(write(tmp_path / "t.csv", rows), label="smiling,glasses", **OPTIONS)


@pytest.fixture
def long(rows):
    """The same answers with a row for each sample and attribute."""
    yes = {"smiling": "yes", "glasses": 1, "hair": "fair"}
    return [
        {"id": row["id"], "race": row["race"], "what": name, "label": int(row[name] == meant),
         "pred": int(row[f"p_{name}"] >= 0.5), "p_1": row[f"p_{name}"]}
        for row in rows for name, meant in yes.items()
    ]  # fmt: skip


def test_a_row_for_each_sample_and_attribute_gives_the_same_audits(table, long, tmp_path):
    path = write(tmp_path / "long.csv", long)
    known = {
        each.attribute: each for each in audit_attributes(table, label="glasses,smiling,hair", **OPTIONS).attributes
    }
    given = {"attribute": "what", **OPTIONS}
    for how in ({}, {"score": "p_1"}, {"prob": "p_1", "pred": "pred"}):
        found = audit_attributes(path, **given, **how)
        assert [each.attribute for each in found.attributes] == ["glasses", "hair", "smiling"]
        assert found.rows == len(ROWS)
        for each in found.attributes:
            alone = known[each.attribute].audit
            assert each.audit.counts == alone.counts
            assert (each.audit.accuracy, each.audit.deo_a) == (alone.accuracy, alone.deo_a)
            if how:
                assert each.audit.metrics.auc == alone.metrics.auc
            assert not [note for note in each.audit.notes if "more than once" in note]
    better = write(tmp_path / "better.csv", [{**row, "pred": row["label"], "p_1": row["label"]} for row in long])
    change = audit_attributes(better, against=path, **given).attributes[0].audit.against
    assert change is not None
    assert change.accuracy.value == pytest.approx(1 - known["glasses"].audit.accuracy.value)
    fewer = audit_attributes(write(tmp_path / "fewer.csv", long[3:]), **given)
    assert (fewer.rows, [each.unanswered for each in fewer.attributes]) == (159, [0, 0, 0])
    lacking = audit_attributes(write(tmp_path / "lacking.csv", [long[0], *long[2:]]), **given)
    assert (lacking.rows, [each.unanswered for each in lacking.attributes]) == (160, [1, 0, 0])
    assert lacking.notes == ("1 sample has no answer for glasses and was left out there",)
    turned = audit_attributes(path, yes_value={"label": "0"}, **given)
    assert {each.positive for each in turned.attributes} == {"0"}


@pytest.mark.parametrize("left_out", [(), ("id",)])
@pytest.mark.parametrize(("answer", "options"), [("", {}), ("n/a", {"unknown": "n/a"})])
def test_rows_of_a_long_table_without_an_answer_are_left_out(long, tmp_path, left_out, answer, options):
    given = {"attribute": "what", **options, **OPTIONS}
    fewer = [row for number, row in enumerate(long) if number % 3 != 1 or number >= 30]  # ten rows of glasses
    known = audit_attributes(write(tmp_path / "fewer.csv", fewer), **given)
    for row in long[1:30:3]:
        row["label"], row["pred"], row["p_1"] = answer, "", ""
    found = audit_attributes(write(tmp_path / "some.csv", long, *left_out), **given)
    assert [each.attribute for each in found.attributes] == ["glasses", "hair", "smiling"]
    assert [each.unanswered for each in found.attributes] == [10, 0, 0]
    for one, other in zip(found.attributes, known.attributes, strict=True):
        assert one.audit.counts == other.audit.counts
    assert "10 samples have no answer for glasses and were left out there" in found.notes


def test_attributes_of_a_long_table_that_look_alike_are_noted(long, tmp_path):
    for row in long[:30:3]:
        row["what"] = "Smiling "
    found = audit_attributes(write(tmp_path / "long.csv", long), attribute="what", **OPTIONS)
    assert [each.attribute for each in found.attributes] == ["Smiling ", "glasses", "hair", "smiling"]
    assert any(
        "'Smiling ' (10 rows) and 'smiling' (150 rows) differ only in blanks and" in note for note in found.notes
    )


def test_the_yes_that_fits_is_named_also_beside_json(rows, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for row in rows:
        row["glasses"] = ("none", "worn")[int(row["glasses"])]
        row["pred_glasses"] = int(row.pop("p_glasses") >= 0.5)
    flags = ["--label", "smiling,glasses", "--group", "race", "--draws", "200"]
    assert main(["audit", write(tmp_path / "t.csv", rows), *flags, "--yes-value", "glasses=none", "--json"]) == 0
    said = capsys.readouterr().err
    assert "glasses: With another order of the outputs" in said
    assert "--yes-value glasses=worn is the yes that fits" in said
    assert "--classes" not in said
    assert main(["audit", "t.csv", *flags, "--yes-value", "glasses=worn", "--json"]) == 0
    assert "that fits" not in capsys.readouterr().err


def test_an_id_that_occurs_twice_for_an_attribute_is_counted_there(long, tmp_path):
    said = "value of column 'id' occurs more than once, in 2 rows (up to 2 each)"
    found = audit_attributes(write(tmp_path / "long.csv", [*long, long[0]]), attribute="what", **OPTIONS)
    notes = {
        each.attribute: [note for note in each.audit.notes if "more than once" in note] for each in found.attributes
    }
    twice = notes.pop(long[0]["what"])
    assert len(twice) == 1
    assert twice[0].startswith(f"1 {said}")
    assert notes
    assert not any(notes.values())


@pytest.mark.parametrize(
    ("change", "options", "text"),
    [
        ({}, {"attribute": "which"}, "has no column 'which'"),
        ({"what": "hat"}, {}, "names a single attribute, 'hat'; drop --attribute"),
        ({}, {"yes_value": {"label": "2"}}, "column 'label' has only 0 and 1, not 2"),
        ({}, {"data": "digits-s"}, "--attribute applies only to tables of predictions"),
        ({}, {"against": "other.csv"}, "other.csv has no row for the attribute 'glasses'; it has hair, hat"),
    ],
)
def test_a_table_of_attributes_that_does_not_fit_is_one_line(long, tmp_path, monkeypatch, change, options, text):
    monkeypatch.chdir(tmp_path)
    write(Path("long.csv"), [{**row, **change} for row in long])
    write(Path("other.csv"), [{**row, "what": "hair" if row["what"] == "hair" else "hat"} for row in long])
    with pytest.raises((DataError, UsageError), match=text):
        audit_attributes("long.csv", **{"attribute": "what", **OPTIONS, **options})


def test_columns_of_which_one_is_a_yes_in_every_row_are_told_to_be_one_label(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("is_cat,is_dog,group,pred\n1,0,A,cat\n0,1,B,cat\n1,0,B,cat\n")
    with pytest.raises(DataError, match=r"exactly one of is_cat, is_dog is a yes in every row, .*\.idxmax\(axis=1\)"):
        audit_attributes(path, label="is_cat,is_dog", group="group")


def test_attributes_of_a_long_table_share_their_two_answers(long, tmp_path):
    for row, answer in zip(long, ("maybe", "yes"), strict=False):
        row["label"] = row["pred"] = answer
    with pytest.raises(
        DataError, match=r"column 'label' has 4 different values \(0, 1, maybe, yes\); the attributes of"
    ):
        audit_attributes(write(tmp_path / "bare.csv", long, "p_1"), attribute="what", **OPTIONS)


def test_missing_answers_name_the_columns(tmp_path):
    with pytest.raises(
        DataError, match=r"neither a column 'pred_smiling' .* nor 'p_smiling' \(the probability of 'yes'"
    ):
        audit_attributes(write(tmp_path / "t.csv", ROWS), label="smiling,glasses", **OPTIONS)


def test_the_command_writes_every_audit(table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["audit", table, "--label", "smiling,glasses", "--group", "race", "--draws", "200"]
    assert main([*arguments, "--max-deo-a", "0.9"]) == 0
    shown = capsys.readouterr().out
    assert shown.endswith("Written: audit.json\n")
    stored = json.loads(Path("audit.json").read_text())
    assert stored["worst"] == "glasses"
    assert [each["attribute"] for each in stored["attributes"]] == ["smiling", "glasses"]
    assert stored["attributes"][0]["audit"]["metrics"]["deo_a"]["value"] >= 0
    with pytest.raises(UsageError, match=r"in Python, audit them with fairdistill\.audit_attributes"):
        fairdistill.audit(table, label="smiling,glasses", group="race")


class Brightness(nn.Module):
    """Three logits: whether an image is red, bright, and green."""

    def __init__(self, sigmoid: bool = False) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.sigmoid = sigmoid

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        red, green, _ = images.mean((2, 3)).unbind(1)
        logits = self.scale * torch.stack([red - green, images.mean((1, 2, 3)), green - red], 1)
        return logits.sigmoid() if self.sigmoid else logits


def with_sigmoid(num_classes: int) -> nn.Module:
    return Brightness(sigmoid=True)


def without(num_classes: int) -> nn.Module:
    return Brightness()


@pytest.fixture
def images(tmp_path):
    path = draw_table(tmp_path / "data", train=8, test=40)
    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        row |= {"bright": str(int(row["ground"] == "light")), "red": "10"[int(row["image"][-5]) % 2], "green": "0"}
    found[0]["green"] = found[-1]["green"] = "1"
    write(path, found)
    return path


def model(folder: Path, network: str, metadata: dict[str, str] | None) -> dict[str, Any]:
    said = {"image_size": "16", "mean": "[0.5,0.5,0.5]", "std": "[0.2,0.2,0.2]", **(metadata or {})}
    save_file(dict(Brightness().state_dict()), folder / "m.safetensors", metadata=said)
    return {
        "model": f"{MODULE}:{network}", "group": "shape", "draws": 200, "cache": False, "device": "cpu",
        "precision": "float32", "size": 16,
    }  # fmt: skip


@pytest.mark.parametrize("network", ["without", "with_sigmoid"])
def test_a_model_has_an_output_for_each_attribute(network, images, tmp_path):
    names = {"class_names": json.dumps(["red", "bright", "green"])}
    options = model(tmp_path, network, names)
    out = tmp_path / "said.csv"
    found = audit_attributes(
        tmp_path / "m.safetensors", data=str(images), label="bright,red,green", predictions_out=str(out), **options
    )
    bright = found.attributes[0].audit
    assert bright.rows == 40
    assert bright.accuracy.value == 1  # by name: its output is the second
    assert bright.model is not None
    assert bright.model.outputs == ("logits" if network == "without" else "probabilities")
    again = audit_attributes(out, label="bright,red,green", draws=200)
    for one, other in zip(again.attributes, found.attributes, strict=True):
        assert (one.audit.accuracy, one.audit.deo_a) == (other.audit.accuracy, other.audit.deo_a)
    said = predict(
        tmp_path / "m.safetensors", images=str(images.parent / "test"), attributes="red,bright,green",
        **{name: options[name] for name in ("model", "device", "precision")},
    )  # fmt: skip
    assert said.predicted.shape == (40, 3)
    with out.open(newline="") as file:
        stored = [float(row["p_bright"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(said.probabilities[:, 1], stored, atol=1e-6)
    assert [each.images for each in said.classes] == said.predicted.sum(0).tolist()
    assert said.text().splitlines()[2].startswith("Attribute")


def test_images_without_an_answer_are_predicted_but_left_out_of_that_attribute(images, tmp_path):
    options = model(tmp_path, "without", {"class_names": json.dumps(["red", "bright", "green"])})
    given = {"data": str(images), "label": "bright,red", **options}
    known = audit_attributes(tmp_path / "m.safetensors", **given)
    with images.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in [row for row in rows if row["split"] == "test"][:5]:
        row["bright"] = ""
    write(images, rows)
    out = tmp_path / "said.csv"
    found = audit_attributes(tmp_path / "m.safetensors", predictions_out=str(out), **given)
    bright, red = found.attributes
    assert (found.rows, bright.unanswered, bright.audit.rows) == (40, 5, 35)
    assert red.audit.counts == known.attributes[1].audit.counts
    assert found.notes == ("5 samples have no answer for bright and were left out there",)
    again = audit_attributes(out, label="bright,red", draws=200)
    assert (again.rows, again.notes) == (40, found.notes)
    assert again.attributes[0].audit.metrics.accuracy == bright.audit.metrics.accuracy
    for row in rows:
        row["bright"] = row["bright"] if row["split"] == "train" else ""
    write(images, rows)
    with pytest.raises(DataError, match=r"no image of images.csv/test has an answer for bright; name only the others"):
        audit_attributes(tmp_path / "m.safetensors", **given)


def test_a_softmax_is_not_one_output_for_each_attribute(images, tmp_path):
    options = model(tmp_path, "softmax", None)
    with pytest.raises(TeacherError, match="classes that exclude each other, not attributes"):
        audit_attributes(tmp_path / "m.safetensors", data=str(images), label="bright,red,green", **options)


def softmax(num_classes: int) -> nn.Module:
    class Softmax(Brightness):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return super().forward(images).softmax(1)

    return Softmax()


def test_one_test_set_is_drawn_for_all_attributes(images, tmp_path):
    options = model(tmp_path, "without", None)
    with images.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[::3]:
        row["green"] = "1"
    write(images, rows, "split")
    given = {"data": str(images), "label": "bright,red,green", **options}
    drawn = audit_attributes(tmp_path / "m.safetensors", rows="test", **given)
    assert 0 < drawn.rows < len(rows)
    assert {each.audit.rows for each in drawn.attributes} == {drawn.rows}
    assert audit_attributes(tmp_path / "m.safetensors", rows="all", **given).rows == len(rows)


def test_inspecting_takes_several_attributes(images, capsys):
    flags = ["--data", str(images), "--label", "bright,red", "--group", "shape", "--size", "16", "--no-cache"]
    assert main(["data", "inspect", *flags]) == 0
    shown = capsys.readouterr().out
    assert shown.count("Attribute ") == 2
    assert "Attribute red, 2 of 2" in shown
    images.write_text(images.read_text().replace("train,1", "train,", 3))
    assert main(["data", "inspect", *flags]) == 0
    assert "3 samples have no answer for bright and were left out there." in capsys.readouterr().out


def test_a_summary_in_markdown_has_the_outcome_and_a_row_for_each_attribute(table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # audit.json is written there
    flags = ["--label", "smiling,glasses", "--group", "race", "--draws", "200", "--max-deo-a", "0.01", "--markdown"]
    code = main(["audit", table, *flags])
    text = capsys.readouterr().out
    assert code == 1
    assert text.startswith("## Fairness audit: fail\n")
    assert "2 attributes, 2 groups." in text
    assert "* DEO\\_A at most 1.0%: exceeded: glasses; undecided: smiling." in text
    assert [line.split("|")[1].strip() for line in text.split("\n") if line.startswith("| ")][2:] == [
        "smiling",
        "glasses",
    ]
    found = audit_attributes(table, label="smiling,glasses", **OPTIONS)
    assert found.markdown().startswith("## Fairness audit: no limit set")


def test_several_attributes_come_from_standard_input(table, monkeypatch):
    named = audit_attributes(table, label="smiling,glasses", **OPTIONS)
    with open(table, "rb") as file:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.read())))
    found = audit_attributes("-", label="smiling,glasses", **OPTIONS)
    assert found.where == "standard input"
    assert [each.audit.metrics for each in found.attributes] == [each.audit.metrics for each in named.attributes]
    with pytest.raises(UsageError, match=r"standard input \(-\) can be read only once"):
        audit_attributes("-", label="smiling,glasses", against="-", **OPTIONS)
    with pytest.raises(UsageError, match=r"standard input \(-\) holds a table of predictions, not a model"):
        audit_attributes("-", data="celeba", target="Smiling,Young")
