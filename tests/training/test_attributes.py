"""One network for several yes/no attributes: trained, resumed, audited, used, exported; and what takes only one."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fairdistill
from fairdistill.auditing import AuditOptions
from fairdistill.auditing.attributes import audit_attributes
from fairdistill.auditing.images import read_images
from fairdistill.cli.main import main
from fairdistill.errors import DataError, FairdistillError, RunFolderError, TeacherError, UsageError
from fairdistill.predictions.trained.attribute_evaluation import evaluate_outputs
from fairdistill.tables.reading import header
from fairdistill.training import TrainOptions, resume, train
from fairdistill.training.data.splits import load_data
from tests.training.attributes import NAMES, OPTIONS, draw_attributes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, a teacher and a student of it."""
    out = tmp_path_factory.mktemp("attributes")
    draw_attributes(out)
    train(options(out, "teacher", steps=40), quiet=True)
    train(options(out, "student", method="mfd", teacher=str(out / "teacher")), quiet=True)
    return out


def options(out: Path, name: str, **more: Any) -> TrainOptions:
    own = {**OPTIONS, "image_cache": str(out / "images"), **more.pop("own", {})}
    given = {"model": "digit_net", "steps": 6, "batch_size": 16, "threads": 1, "precision": "float32", **more}
    return TrainOptions(data=str(out / "images.csv"), data_options=own, out=str(out / name), **given)


def test_the_result_holds_every_attribute_and_their_means(folder):
    run = fairdistill.RunFolder.open(folder / "student")
    found = run.result["attributes"]
    assert tuple(found) == NAMES
    assert found["spot"]["class_names"] == ["plain", "marked"]
    for name in ("accuracy", "deo_a", "deo_m", "loss"):
        assert run.result[name] == pytest.approx(np.mean([each[name] for each in found.values()]))
    assert [int(np.sum(each["counts"])) for each in found.values()] == [24, 24, 24]
    assert run.result["teacher"]["accuracy"] > 0.6
    assert {"counts", "class_names"}.isdisjoint(run.result)


def test_a_network_is_judged_by_each_of_its_logits(folder):
    test = fairdistill.data.load(str(folder / "images.csv"), "test", image_cache=str(folder / "images"), **OPTIONS)
    yes = torch.stack([each.labels for each in test.of_attributes()], dim=1)
    logits = torch.where(yes == 1, 2.0, -2.0)
    logits[0, 1] *= -1
    found = evaluate_outputs(logits, test)
    assert [each.accuracy for each in found.each] == [1, pytest.approx(23 / 24), 1]
    assert found.accuracy == pytest.approx(71 / 72)
    shares = logits.sigmoid().log()
    assert evaluate_outputs(shares, test, "probabilities").loss == pytest.approx(found.loss, rel=1e-5)


def test_a_run_that_is_continued_is_the_same(folder):
    short = options(folder, "continued", method="dro", steps=5)
    whole = train(options(folder, "whole", method="dro", steps=5), quiet=True)
    train(short, quiet=True, until=2)
    again = resume(folder / "continued", quiet=True)
    for file in ("predictions.csv", "model.safetensors"):
        assert (again.path / file).read_bytes() == (whole.path / file).read_bytes()


def test_a_run_is_audited_from_its_own_tables(folder, capsys, tmp_path):
    found = audit_attributes(folder / "student", draws=200)
    run = fairdistill.RunFolder.open(folder / "student")
    for each in found.attributes:
        assert each.audit.accuracy.value == pytest.approx(run.result["attributes"][each.attribute]["accuracy"])
        assert each.audit.against is not None
    assert [each.positive for each in found.attributes] == ["yes", "1", "marked"]
    one = fairdistill.audit(folder / "student", label="spot", draws=200)
    assert one.metrics == found.attributes[2].audit.metrics
    with pytest.raises(UsageError, match=r"the label names several attributes; in Python, audit them with"):
        fairdistill.audit(folder / "student")
    with pytest.raises(UsageError, match=r"--label hat: .* was trained on the attributes bright, striped, spot"):
        audit_attributes(folder / "student", label="bright,hat")
    with pytest.raises(UsageError, match="is a run, which knows what means yes; drop --yes-value"):
        audit_attributes(folder / "student", yes_value={"bright": "no"})
    out = str(tmp_path / "audit.json")
    assert main(["audit", str(folder / "student"), "--draws", "200", "--out", out]) == 0
    assert "3 attributes, 2 groups" in capsys.readouterr().out
    assert [each["attribute"] for each in json.loads(Path(out).read_text())["attributes"]] == list(NAMES)


@pytest.mark.parametrize("method", ["scratch", "mfd"])
def test_images_without_some_answers_train_the_others(folder, tmp_path, method):
    table = _with_fewer_answers(folder)
    own = {"method": method, "teacher": str(folder / "teacher") if method == "mfd" else None, "steps": 5}
    given = replace(options(folder, f"fewer-{method}", **own), data=str(table))
    run = train(given, quiet=True, until=2)
    run = resume(run.path, quiet=True)
    found = run.result["attributes"]
    assert [int(np.sum(each["counts"])) for each in found.values()] == [24, 20, 23]
    audited = audit_attributes(run.path, draws=200)
    assert [each.unanswered for each in audited.attributes] == [0, 4, 1]
    for each in audited.attributes:
        assert each.audit.accuracy.value == pytest.approx(found[each.attribute]["accuracy"])
    with (run.path / "predictions.csv").open(newline="") as file:
        said = list(csv.DictReader(file))
    assert [row["striped"] for row in said[:5]] == ["", "", "", "", "0"]
    assert all(0 < float(row["p_striped"]) < 1 for row in said)
    if method == "scratch":
        exported = fairdistill.export(run.path, format="onnx", out=str(tmp_path))
        assert "Audited on 20 to 24 images" in exported.text()


def test_a_split_without_any_answer_to_an_attribute_is_named(folder):
    given = replace(options(folder, "unfit", split_seed=0), data=str(_with_fewer_answers(folder, striped="test")))
    with pytest.raises(DataError, match=r"no image of fewer.csv/test has an answer for striped; add some, or drop it"):
        load_data(given, None)


def _with_fewer_answers(folder: Path, **cut: str) -> Path:
    """Write a table in which some rows have no answer to an attribute; to one that is cut, none of a split has."""
    with (folder / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for split in ("train", "test"):
        of_split = [row for row in rows if row["split"] == split]
        for row in of_split[:4]:
            row["striped"] = ""
        of_split[7]["spot"] = ""
        for name in (name for name, where in cut.items() if where == split):
            for row in of_split:
                row[name] = ""
    _write(folder / "fewer.csv", rows)
    return folder / "fewer.csv"


def test_a_run_is_compared_with_a_table_that_has_a_row_for_each_attribute(folder, tmp_path):
    run = shutil.copytree(folder / "student", tmp_path / "run")
    result = json.loads((run / "result.json").read_text())
    answers = {name: found["class_names"] for name, found in result["attributes"].items()}
    for found in result["attributes"].values():
        found["class_names"] = ["0", "1"]
    (run / "result.json").write_text(json.dumps(result))
    with (run / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row |= {each: answers[name].index(row[each]) for name in NAMES for each in (name, f"pred_{name}")}
    _write(run / "predictions.csv", rows)
    _write(tmp_path / "right.csv", [
        {"id": row["id"], "group": row["group"], "what": name, "label": row[name], "pred": row[name]}
        for row in rows for name in NAMES
    ])  # fmt: skip
    found = audit_attributes(tmp_path / "right.csv", attribute="what", against=run, draws=200)
    for each in found.attributes:
        assert each.audit.against is not None
        assert each.audit.against.accuracy.value == pytest.approx(1 - result["attributes"][each.attribute]["accuracy"])
    with pytest.raises(DataError, match=r"has the classes no, yes, .*right\.csv has 0, 1"):
        audit_attributes(tmp_path / "right.csv", attribute="what", against=folder / "student", draws=200)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_run_is_run_on_other_data_with_the_answers_that_it_knows(folder):
    said = audit_attributes(folder / "teacher", draws=200)
    own = {**OPTIONS, "image_cache": str(folder / "images"), "yes_value": {}}
    again = audit_attributes(folder / "teacher", data=str(folder / "images.csv"), draws=200, precision="float32", **own)
    assert [each.positive for each in again.attributes] == ["yes", "1", "marked"]
    for one, other in zip(said.attributes, again.attributes, strict=True):
        assert one.audit.metrics.accuracy == other.audit.metrics.accuracy


def test_predict_and_load_know_the_attributes(folder, tmp_path):
    table = tmp_path / "said.csv"
    found = fairdistill.predict(folder / "teacher", images=str(folder / "test"), out=str(table), precision="float32")
    assert (found.attributes, found.probabilities.shape) == (True, (24, 3))
    assert header(table, "utf-8") == ["id", *(f"{kind}_{name}" for name in NAMES for kind in ("pred", "p"))]
    assert set(table.read_text().split("\n")[1].split(",")[5:6]) <= {"plain", "marked"}
    network = fairdistill.load(folder / "teacher")
    files = sorted((folder / "test").iterdir())
    said = network.predict(files)
    assert said.class_names == NAMES
    np.testing.assert_allclose(said.probabilities, found.probabilities, atol=1e-5)
    assert said.names[0] == ", ".join(name for name, yes in zip(NAMES, said.predicted[0], strict=True) if yes)


@pytest.mark.parametrize("kind", ["onnx", "safetensors"])
def test_an_exported_file_is_audited_for_each_attribute(folder, tmp_path, kind):
    result = fairdistill.export(folder / "teacher", format=kind, out=str(tmp_path))
    assert result.reaudit is None
    assert [each.attribute for each in result.attributes] == list(NAMES)
    assert {each.reaudit.agreement for each in result.attributes} == {1.0}
    assert "for no attribute are accuracy or DEO_A worse" in result.text()
    assert json.loads((tmp_path / "preprocess.json").read_text())["attributes"]["spot"] == ["plain", "marked"]
    own = {**OPTIONS, "image_cache": str(folder / "images"), "yes_value": {}}
    where = {"data": str(folder / "images.csv"), "rows": "test", "precision": "float32"}
    again = audit_attributes(result.file, draws=200, **where, **own)
    accuracy = [each.audit.accuracy.value for each in audit_attributes(folder / "teacher", draws=200).attributes]
    assert [each.audit.accuracy.value for each in again.attributes] == accuracy


def test_the_value_that_means_yes_is_said_beside_probabilities(folder, tmp_path, capsys):
    assert (
        main(["predict", str(folder / "teacher"), "--images", str(folder / "test"), "--out", str(tmp_path / "p.csv")])
        == 0
    )
    said = "The probabilities are those of bright 'yes', striped '1' and spot 'marked'."
    assert said in capsys.readouterr().out
    assert said in fairdistill.export(folder / "teacher", format="safetensors", reaudit=False, out=str(tmp_path)).text()


def test_inspecting_describes_the_split_that_all_attributes_share(folder, capsys):
    unsplit = folder / "unsplit.csv"
    unsplit.write_text("\n".join(line.rpartition(",")[0] for line in (folder / "images.csv").read_text().splitlines()))
    own = ["--label", "bright,striped,spot", "--group", "side", "--size", "16", "--image-cache", str(folder / "images")]
    assert main(["data", "inspect", "--data", str(unsplit), *own]) == 0
    shown = capsys.readouterr().out
    sizes = [line.split()[-1] for line in shown.splitlines() if line.startswith("test ")]
    assert len(sizes) == 3
    assert len(set(sizes)) == 1
    with pytest.raises(UsageError, match=r"a description is of one label, but .* has several attributes"):
        fairdistill.inspect(unsplit, label="bright,striped", group="side", size=16, cache=False)


@pytest.fixture(scope="module")
def fresh(folder: Path) -> tuple[str, dict[str, Any]]:
    """A table of the test images in another order, without one of the attributes, and how it is read."""
    with (folder / "images.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    path = folder / "fresh.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["spot", "side", "bright", "image"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(reversed(rows))
    own = {"data": str(path), "group": "side", "size": 16, "image_cache": str(folder / "images")}
    return str(path), {**own, "draws": 200, "precision": "float32"}


def test_some_of_a_models_attributes_are_audited_on_fresh_data(folder, fresh):
    known = {each.attribute: each.audit for each in audit_attributes(folder / "teacher", draws=200).attributes}
    found = audit_attributes(folder / "teacher", label="spot,bright", **fresh[1])
    assert [each.attribute for each in found.attributes] == ["spot", "bright"]
    assert [each.positive for each in found.attributes] == ["marked", "yes"]
    for each in found.attributes:
        assert each.audit.metrics.accuracy == known[each.attribute].metrics.accuracy
        assert each.audit.deo_a.value == known[each.attribute].deo_a.value
    with pytest.raises(TeacherError, match=r"has no output for side; its outputs are bright, striped, spot; name some"):
        audit_attributes(folder / "teacher", label="spot,side", **{**fresh[1], "group": "bright"})


@pytest.mark.parametrize("name", ["images.csv", "fresh.csv"])
def test_one_of_a_models_attributes_gets_the_audit_of_a_single_label(folder, fresh, tmp_path, name):
    known = fairdistill.audit(folder / "teacher", label="spot", draws=200)
    said = tmp_path / "said.csv"
    given = {**fresh[1], "data": str(folder / name), "label": "spot"}
    found = fairdistill.audit(folder / "teacher", predictions_out=str(said), **given)
    assert found.class_names == known.class_names == ("plain", "marked")
    assert found.metrics.accuracy == known.metrics.accuracy
    assert found.counts == known.counts
    again = fairdistill.audit(said, classes="plain,marked", draws=200)
    assert again.metrics.accuracy == known.metrics.accuracy
    with pytest.raises(DataError, match=r"column 'bright' has 3 different values .* says only yes or no"):
        fairdistill.audit(folder / "teacher", **{**given, "data": str(_third(folder)), "label": "bright"})


def _third(folder: Path) -> Path:
    path = folder / "third.csv"
    path.write_text((folder / "fresh.csv").read_text().replace(",yes,", ",perhaps,", 3))
    return path


def test_all_attributes_of_a_run_are_audited_on_data_if_none_is_named(folder):
    given = {"group": "side", "size": 16, "image_cache": str(folder / "images"), "precision": "float32", "draws": 200}
    found = audit_attributes(folder / "teacher", data=str(folder / "images.csv"), **given)
    assert [each.attribute for each in found.attributes] == list(NAMES)


def test_rows_drawn_for_a_test_set_do_not_depend_on_which_attributes_are_audited(folder, tmp_path):
    unsplit = tmp_path / "unsplit.csv"
    rows = (folder / "images.csv").read_text().splitlines()
    unsplit.write_text("\n".join(row.rpartition(",")[0] for row in rows))
    trained = {**OPTIONS, "test_share": 0.2, "data_seed": 0, "source": None}
    config = {"data": str(unsplit), "data_options": trained}
    fairdistill.RunFolder.create(tmp_path / "run", config=config, environment={})
    ids = []
    for label in ("bright,striped,spot", "spot,bright", "spot"):
        own = {"group": "side", "size": 16, "image_cache": str(folder / "images"), "label": label}
        given = AuditOptions(data=str(unsplit), data_root=str(folder), data_options=own)
        ids.append(read_images(str(tmp_path / "run"), given)[0].ids)
    assert ids[0] == ids[1] == ids[2]
    assert 0 < len(ids[0]) < 72


def test_runs_of_several_attributes_are_compared_by_their_means(folder):
    rows = fairdistill.compare([folder / "teacher", folder / "student"]).rows
    run = fairdistill.RunFolder.open(folder / "student")
    assert rows[-1].accuracy.mean == pytest.approx(run.result["accuracy"])


def test_an_attribute_that_is_never_yes_in_training_is_named(folder):
    table = folder / "images.csv"
    rows = table.read_text().replace("marked", "plain", 12)
    (folder / "never.csv").write_text(
        rows.replace(",marked,left,train", ",plain,left,train").replace(",marked,right,train", ",plain,right,train")
    )
    given = replace(options(folder, "never"), data=str(folder / "never.csv"))
    with pytest.raises(DataError, match=r"never.csv/train, attribute spot has no samples of class 'marked'"):
        train(given)


def test_what_takes_one_label_says_so_in_a_line(folder, tmp_path):
    data = {"data": str(folder / "images.csv"), **OPTIONS, "image_cache": str(folder / "images")}
    several = "several attributes"
    for name in (folder / "teacher", folder / "teacher" / "model.safetensors"):
        for label in ("bright", "bright,striped"):
            with pytest.raises(UsageError, match=f"of one label, but .*teacher.* {several}: bright, striped, spot; gi"):
                fairdistill.fix(name, budget="1m", out=str(tmp_path / "fix"), **{**data, "label": label})
    with pytest.raises(UsageError, match=f"fix repairs a model of one label, but .* {several}: bright, striped, spot"):
        fairdistill.fix(budget="1m", out=str(tmp_path / "fix"), **data)
    with pytest.raises(RunFolderError, match=f"trained on {several} .* embed colours images by one label"):
        fairdistill.embed(folder / "teacher")
    with pytest.raises(RunFolderError, match=f"trained on {several} .* audit it with: fairdistill audit"):
        fairdistill.report([folder / "teacher"], out=str(tmp_path / "report.html"))
    with pytest.raises(UsageError, match=r"--keep .* is a rule for one label, but bright, striped, spot are trained"):
        train(options(folder, "kept", keep="deo_a subject to accuracy >= 0.5"))
    with pytest.raises(FairdistillError, match=r"trained on the classes|was trained with label"):
        train(
            options(
                folder, "other", method="mfd", teacher=str(folder / "teacher"), own={"label": "bright", "yes_value": {}}
            )
        )
    assert not (tmp_path / "fix").exists()
    assert not (tmp_path / "report.html").exists()
