"""A run with a logger: it gets what the log gets, and the result, through pauses and kills."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module

import pytest

from fairdistill.errors import UsageError
from fairdistill.training import resume, train
from tests.stops import Killed, at_call, kill

TRAINING = import_module("fairdistill.training.train")  # the face has the function of this name


@pytest.fixture
def sent(monkeypatch):
    """Return the rows that the logger was given."""
    rows = []

    @contextmanager
    def logged(name, folder, say):
        yield rows.append if name else lambda row: None

    monkeypatch.setattr(TRAINING, "logged", logged)
    monkeypatch.setattr(TRAINING, "check_logger", lambda name: None)
    return rows


def test_it_gets_each_row_of_the_log_and_the_result(quick, sent):
    seen = []
    folder = train(quick(logger="tensorboard"), quiet=True, watch=seen.append)
    assert sent[:-1] == seen == folder.read_log()
    result = folder.result
    assert sent[-1]["step"] == result["budget"]["steps"]
    assert sent[-1]["evaluation"]["split"] == "test"
    assert sent[-1]["evaluation"]["deo_a"] == result["deo_a"]


def test_the_run_computes_the_same_without_one(quick, sent, tmp_path):
    logged = train(quick(logger="tensorboard", out=str(tmp_path / "logged")), quiet=True)
    plain = train(quick(out=str(tmp_path / "plain")), quiet=True)
    model = "model.safetensors"
    assert (logged.path / model).read_bytes() == (plain.path / model).read_bytes()


def test_a_row_that_was_saved_but_not_sent_is_sent_when_the_run_resumes(quick, sent, monkeypatch):
    options = quick(logger="tensorboard")
    loop = TRAINING.train_student
    with monkeypatch.context() as patch:
        patch.setattr(
            TRAINING, "train_student", lambda run, watch, until: loop(run, at_call(2, kill, watch), until=until)
        )
        with pytest.raises(Killed):
            train(options, quiet=True)
    folder = resume(options.out, quiet=True)
    steps = [row["step"] for row in folder.read_log()]
    assert [row["step"] for row in sent[:-1]] == steps


def test_a_missing_package_stops_it_before_anything_is_written(quick, monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    options = quick(logger="wandb", out=str(tmp_path / "run"))
    with pytest.raises(UsageError, match="--logger wandb needs wandb"):
        train(options, quiet=True)
    assert not (tmp_path / "run").exists()
