from __future__ import annotations

import sys

import pytest

from fairdistill.errors import RunFolderError, UsageError
from fairdistill.fixing import FixOptions, fix
from fairdistill.fixing.start import _shared, prepare_work
from fairdistill.fixing.work import folder
from fairdistill.models import open_weights, trust_code
from fairdistill.system.clock import Clock
from fairdistill.training import resolve


def test_every_run_has_the_logger_and_the_fix_is_the_same_without_it():
    options = FixOptions(data="digits-s", logger="mlflow")
    base = _shared(options)
    assert base.logger == "mlflow"
    resolved = resolve(base)
    without = FixOptions(data="digits-s")
    assert folder.identity(None, options, resolved, digests={}) == folder.identity(None, without, resolved, digests={})


def test_a_missing_logger_stops_it_before_anything_is_written(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UsageError, match=r"--logger mlflow needs mlflow; .*\[mlflow\]"):
        fix("model.safetensors", data="digits-s", logger="mlflow", out=str(tmp_path / "fix"))
    assert not (tmp_path / "fix").exists()


def test_a_weights_file_is_read_once(deployed, tmp_path, monkeypatch):
    read = []

    def counted(path, **given):
        read.append(str(path))
        return open_weights(path, **given)

    for place in ("own_description", "opening"):
        monkeypatch.setattr(f"fairdistill.predictions.trained.{place}.open_weights", counted)
    options = FixOptions(data="digits-s", device="cpu", threads=1, out=str(tmp_path / "fix"))
    (tmp_path / "fix").mkdir()
    prepare_work(deployed, options, Clock(60.0))
    assert read == [deployed]


def test_a_fix_of_a_network_whose_code_has_changed_is_another(deployed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nets = tmp_path / "my_nets.py"
    nets.write_text("from fairdistill.models import digit_net as make")
    trust_code("my_nets:make")
    options = FixOptions(data="digits-s", model="my_nets:make", device="cpu", threads=1, out=str(tmp_path / "fix"))
    (tmp_path / "fix").mkdir()
    prepare_work(deployed, options, Clock(60.0))
    prepare_work(deployed, options, Clock(60.0))
    nets.write_text("from fairdistill.models import digit_net\nmake = digit_net")
    del sys.modules["my_nets"]
    with pytest.raises(RunFolderError, match=r"a fix with a different my_nets.py, which has changed since"):
        prepare_work(deployed, options, Clock(60.0))
    del sys.modules["my_nets"]
