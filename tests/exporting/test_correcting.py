"""A correction beside an exported file: a function that is run and audited, or offsets in the graph."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fairdistill import data
from fairdistill.auditing import audit
from fairdistill.cli.main import main
from fairdistill.errors import DataError, UsageError
from fairdistill.exporting import export
from fairdistill.exporting.correcting import corrected
from fairdistill.posthoc import StoredCorrection
from fairdistill.predictions import Predictions, run_predictions
from fairdistill.runs import RunFolder
from tests.conftest import TINY


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(data.DATASETS, "tiny", TINY)


@pytest.fixture
def said(tiny_teacher) -> Predictions:
    return run_predictions(RunFolder.open(tiny_teacher))


@pytest.fixture
def by_group(said, tmp_path) -> Path:
    """An offset for each group and class that changes many decisions, in another order than the data's."""
    draw = np.random.default_rng(0)
    groups, classes = said.group_names[::-1], said.class_names[::-1]
    offsets = {group: dict(zip(classes, draw.normal(0, 3, len(classes)).tolist(), strict=True)) for group in groups}
    path = tmp_path / "fix" / "correction.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"classes": classes, "groups": groups, "offsets": offsets}))
    return path


def wanted(said: Predictions, path: Path) -> np.ndarray:
    """Return the corrected classes, worked out row by row."""
    content = json.loads(path.read_text())
    found = []
    for shares, group in zip(said.probabilities, said.groups, strict=True):
        own = content["offsets"] if content["groups"] is None else content["offsets"][said.group_names[group]]
        found.append(int(np.argmax([np.log(p) + own[name] for p, name in zip(shares, said.class_names, strict=True)])))
    return np.array(found)


@pytest.mark.parametrize("kind", ["onnx", "pt2"])
def test_what_needs_the_group_becomes_a_function_that_is_audited(kind, said, by_group, tiny_teacher, tmp_path):
    out = tmp_path / "out"
    found = export(tiny_teacher, format=kind, correction=str(by_group.parent), out=str(out), threads=1)
    decided = wanted(said, by_group)
    assert (decided != said.predicted).mean() > 0.2
    assert found.reaudit is not None
    assert found.reaudit.agreement == 1.0
    assert found.reaudit.file.accuracy == pytest.approx((decided == said.labels).mean())
    assert found.reaudit.file.deo_a == pytest.approx(audit(replace(said, predicted=decided), draws=200).deo_a.value)
    assert found.correction is not None
    assert found.correction.uncorrected is not None
    assert found.correction.uncorrected.accuracy == pytest.approx((said.predicted == said.labels).mean())
    assert found.correction.function == str(out / f"decide.{kind}")
    described = json.loads((out / "preprocess.json").read_text())["decision"]
    assert described["file"] == f"decide.{kind}"
    numbers = np.array([described["groups"].index(said.group_names[group]) for group in said.groups])
    logits = np.log(said.probabilities).astype(np.float32)
    if kind == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(out / "decide.onnx"), providers=["CPUExecutionProvider"])
        (again,) = session.run(["decision"], {"logits": logits, "group": numbers})
        (unknown,) = session.run(["decision"], {"logits": logits[:3], "group": np.full(3, -1)})
        metadata = onnxruntime.InferenceSession(found.file).get_modelmeta().custom_metadata_map
        assert json.loads(metadata["decision"])["file"] == "decide.onnx"
    else:
        program = torch.export.load(out / "decide.pt2").module()
        again = program(torch.from_numpy(logits), torch.from_numpy(numbers)).numpy()
        unknown = program(torch.from_numpy(logits[:3]), torch.full((3,), -1)).numpy()
    np.testing.assert_array_equal(again, decided)
    np.testing.assert_array_equal(unknown, logits[:3].argmax(1))


def test_an_offset_for_each_class_is_part_of_the_file(said, tiny_teacher, tmp_path):
    path = tmp_path / "shift.json"
    shift = dict(zip(said.class_names, (2.0, -2.0, 0.0), strict=True))
    path.write_text(json.dumps({"classes": list(said.class_names), "groups": None, "offsets": shift}))
    found = export(tiny_teacher, format="pt2", correction=str(path), out=str(tmp_path / "out"), threads=1)
    assert found.reaudit is not None
    assert found.reaudit.agreement == 1.0
    assert found.reaudit.largest_difference < 1e-5
    assert found.reaudit.file.accuracy == pytest.approx((wanted(said, path) == said.labels).mean())
    assert found.correction is not None
    assert found.correction.function is None
    assert not (tmp_path / "out" / "decide.pt2").exists()
    assert "which is part of the file" in found.text()


def test_an_export_without_it_leaves_no_correction_of_an_earlier_one(by_group, tiny_teacher, tmp_path):
    out = tmp_path / "out"
    export(tiny_teacher, format="pt2", correction=str(by_group), out=str(out), threads=1, reaudit=False)
    assert (out / "decide.pt2").exists()
    export(tiny_teacher, format="safetensors", out=str(out), threads=1, reaudit=False)
    assert not list(out.glob("decide.*"))
    assert not (out / "correction.json").exists()


def test_the_command_names_its_files_and_refuses_in_one_line(by_group, tiny_teacher, tmp_path, capsys):
    out = str(tmp_path / "out")
    arguments = ["export", tiny_teacher, "--format", "pt2", "--correction", str(by_group), "--threads", "1"]
    assert main([*arguments, "--no-reaudit", "--out", out]) == 0
    shown = capsys.readouterr().out
    assert f"{out}/decide.pt2 takes the logits and each person's group and returns the class" in shown
    assert f"{out}/decide.pt2, {out}/correction.json, {out}/preprocess.json" in shown
    arguments = ["export", tiny_teacher, "--format", "safetensors", "--correction", str(by_group)]
    assert main([*arguments, "--out", str(tmp_path / "other")]) == 2
    assert "a file of weights cannot hold an offset for each group and class" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_groups_that_the_correction_does_not_know_are_named(said):
    rows = {"x": dict.fromkeys(said.class_names, 0.0)}
    stored = StoredCorrection.of_settings({"offsets": rows}, said.class_names, ("x",))
    with pytest.raises(DataError, match=r"has the group '.*', which the correction does not know; it was fitted for x"):
        corrected(said, stored)
    other = StoredCorrection.of_settings({"offsets": {"p": 0.0, "q": 0.0}}, ("p", "q"), ())
    with pytest.raises(UsageError, match="is for the classes p, q, but the model has"):
        corrected(said, other)
