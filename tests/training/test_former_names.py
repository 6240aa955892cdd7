"""Runs of earlier versions, whose terms had other names: read, resumed to the same bits, and set as before."""

from __future__ import annotations

import json
import signal
from functools import partial

import pytest
import torch
import yaml

from fairdistill.contract import former_names
from fairdistill.models import read_weights
from fairdistill.runs.folder import RunFolder
from fairdistill.training import Interrupted, TrainOptions, resume, train
from tests.stops import in_step
from tests.training.test_resume import stopped

METHOD = "mfd+mfd-self+hkd"


@pytest.fixture
def options(quick, make_teacher):
    teacher = make_teacher(network="cifar_net", image_size=16)  # wider than the student: the term has a projector

    def of(**changes):
        return quick(method=METHOD, teacher=teacher, teacher_size=32, **changes)

    return of


def as_written_before(run: RunFolder) -> None:
    """Rewrite a run folder's terms to the names that an earlier version gave them."""
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    config |= {"set": former_names(config["set"]), "format_version": 1}  # whose checkpoints have no digest
    (run.path / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    rows = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    lines = [json.dumps({**row, "loss": former_names(row["loss"])}) + "\n" for row in rows]
    (run.path / "log.jsonl").write_text("".join(lines))
    state = torch.load(run.checkpoint_path, weights_only=True)
    keys = former_names({key.removeprefix("terms."): value for key, value in state["objective"].items()})
    state["objective"] = {f"terms.{key}": value for key, value in keys.items()}
    state["meter"]["sums"] = former_names(state["meter"]["sums"])
    torch.save(state, run.checkpoint_path)


def test_a_run_stopped_under_an_earlier_version_goes_on_to_the_same_bits(options, tmp_path):
    whole = train(options(out=str(tmp_path / "whole")), quiet=True)
    with stopped(in_step(8, partial(signal.raise_signal, signal.SIGINT)), Interrupted):
        train(options(out=str(tmp_path / "stopped")), quiet=True)
    run = RunFolder.open(tmp_path / "stopped")
    as_written_before(run)
    assert "terms.mmd.projector.layer.weight" in torch.load(run.checkpoint_path, weights_only=True)["objective"]
    assert "mmd.strength: 3.0" in (run.path / "config.yaml").read_text()
    assert '"self_mmd":' in (run.path / "log.jsonl").read_text()

    again = resume(run.path, quiet=True)
    for name, value in read_weights(whole.path / "model.safetensors")[0].items():
        assert torch.equal(read_weights(again.path / "model.safetensors")[0][name], value)
    assert (again.path / "predictions.csv").read_bytes() == (whole.path / "predictions.csv").read_bytes()
    assert [row["loss"] for row in again.read_log()] == [row["loss"] for row in whole.read_log()]
    assert again.config["set"] == whole.config["set"]
    assert set(again.read_log()[0]["loss"]) == {"ce", "kd", "mfd", "mfd-self"}


@pytest.mark.parametrize("former", ["mmd.strength", "mfd.strength"])
def test_a_setting_has_its_former_name_as_an_alias(former):
    assert TrainOptions(method="mfd", set={former: 5.0}).set == {"mfd.strength": 5.0}


def test_of_a_setting_under_both_names_the_later_holds():
    assert TrainOptions(set={"mmd.strength": 5.0, "mfd.strength": 7.0}).set == {"mfd.strength": 7.0}
    assert TrainOptions(set={"mfd.strength": 5.0, "mmd.strength": 7.0}).set == {"mfd.strength": 7.0}
