from __future__ import annotations

import pytest

from fairdistill.errors import UsageError
from fairdistill.runs import RunFolder
from fairdistill.tracking import check_logger, logged
from fairdistill.tracking.backend import Backend

ROW = {"epoch": 1, "step": 8, "stage": "train", "loss": {"ce": 2.0}, "lr": 0.1, "seconds": 1.0}


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(tmp_path / "run", config={"method": "ss", "lr": 0.1}, environment={})


@pytest.fixture
def backend(monkeypatch):
    """Return what the logger was given, with the functions that take it."""
    seen = {"ids": [], "rows": [], "closed": []}

    def open_(tracked):
        seen["ids"].append(tracked.id)
        return Backend(lambda values, step: seen["rows"].append((step, values)), seen["closed"].append, "somewhere")

    monkeypatch.setattr("fairdistill.tracking.logger._BACKENDS", {"tensorboard": open_})
    return seen


def test_it_gets_every_row_as_numbers_and_the_end(run, backend):
    said = []
    with logged("tensorboard", run, said.append) as log:
        log(ROW)
    assert backend["rows"] == [(8, {"epoch": 1, "loss/ce": 2.0, "lr": 0.1})]
    assert backend["closed"] == [True]
    assert said == ["logging to somewhere"]


def test_a_run_keeps_its_identity_when_it_resumes(run, backend):
    for _ in range(2):
        with logged("tensorboard", run, print):
            pass
    assert backend["ids"][0] == backend["ids"][1] == run.logger_id


def test_an_error_of_the_run_passes_and_is_told(run, backend):
    with pytest.raises(RuntimeError, match="diverged"), logged("tensorboard", run, print):
        raise RuntimeError("diverged")
    assert backend["closed"] == [False]


@pytest.mark.parametrize("failing", ["open", "write", "close"])
def test_its_failure_is_one_line_and_never_stops_the_run(run, failing, monkeypatch):
    calls = []

    def fail(*_):
        calls.append(failing)
        raise ConnectionError("no\nnetwork")

    def open_(_):
        nothing = lambda *_: None  # noqa: E731
        return Backend(fail if failing == "write" else nothing, fail if failing == "close" else nothing, "somewhere")

    monkeypatch.setattr("fairdistill.tracking.logger._BACKENDS", {"mlflow": fail if failing == "open" else open_})
    said = []
    with logged("mlflow", run, said.append) as log:
        log(ROW)
        log(ROW)
    assert said[-1] == (
        "warning: --logger mlflow failed, so the run continues without it (ConnectionError: no network)"
    )
    assert calls == [failing]


def test_without_a_logger_nothing_is_written(run):
    with logged(None, run, pytest.fail) as log:
        log(ROW)
    assert run.logger_id is None


def test_an_absent_package_is_one_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    with pytest.raises(UsageError, match=r"--logger wandb needs wandb; .*pip install 'fairdistill\[wandb\]'"):
        check_logger("wandb")
