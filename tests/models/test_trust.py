"""Files cannot choose which code is imported: a run of the user's own network asks for its name again."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
import safetensors.torch
import yaml

import fairdistill
from fairdistill.cli.main import main
from fairdistill.errors import FairdistillError
from fairdistill.models import digit_net
from fairdistill.models.files.safe_file import DIGEST
from fairdistill.models.programs import exported
from fairdistill.models.trust import check_trusted, trust_code
from fairdistill.training import train

NETS = """
from pathlib import Path
Path("imported").touch()
from fairdistill.models import digit_net
def make(num_classes):
    return digit_net(num_classes)
"""
ASKS = "is code that a file names, not you, so it was not imported"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A current folder with a module that leaves a mark when it is imported."""
    (tmp_path / "nets_here.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "nets_here", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of two steps whose network is digit_net."""
    path = tmp_path_factory.mktemp("runs") / "run"
    train(data="digits-s", method="scratch", steps=2, threads=1, out=str(path), quiet=True)
    return path


def renamed(run, network: str):
    """Let a run folder say that its network is another one."""
    config = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump({**config, "model": network}))
    if (run / "model.safetensors").exists():
        with safetensors.safe_open(run / "model.safetensors", "pt") as file:
            tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
        metadata.pop(DIGEST, None)
        safetensors.torch.save_file(tensors, run / "model.safetensors", {**metadata, "network": network})
    return run


@pytest.fixture
def run(made, folder):
    """A finished run that names the module in the current folder."""
    return renamed(shutil.copytree(made, folder / "run"), "nets_here:make")


@pytest.fixture
def stopped(run):
    """The same run before its end."""
    for name in ("result.json", "model.safetensors", "predictions.csv"):
        (run / name).unlink()
    return run


def shown(capsys) -> str:
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_code_is_refused_until_it_is_named():
    with pytest.raises(FairdistillError, match=f"nets:make {ASKS}.*--model nets:make"):
        check_trusted("nets:make")
    trust_code(None, "nets:make")
    check_trusted("nets:make")
    with pytest.raises(FairdistillError, match="nets:other"):
        check_trusted("nets:other")


@pytest.mark.parametrize("network", ["os:_exit", "nets_here:make", "this:d"])
def test_no_command_imports_what_a_run_folder_names(run, network, capsys):
    renamed(run, network)
    sys.modules.pop("this", None)
    with pytest.raises(FairdistillError, match=ASKS):
        fairdistill.load(run)
    teach = ["train", "--data", "digits-s", "--method", "hkd", "--steps", "2", "--teacher", "run", "--out", "new"]
    for command in (
        ["audit", "run", "--data", "digits-s"], ["embed", "run"], teach,
        ["fix", "run", "--data", "digits-s", "--budget", "1m", "--out", "fixed"],
    ):  # fmt: skip
        assert main(command) == 2
        assert f"{network} {ASKS}" in shown(capsys)
    assert not (run.parent / "imported").exists()
    assert "this" not in sys.modules


def test_a_weights_file_cannot_name_code_either(folder, capsys):
    metadata = {"network": "nets_here:make", "class_names": json.dumps(list("0123456789"))}
    safetensors.torch.save_file(digit_net(10).state_dict(), "weights.safetensors", metadata)
    assert main(["audit", "weights.safetensors", "--data", "digits-s"]) == 2
    assert ASKS in shown(capsys)
    assert not (folder / "imported").exists()


@pytest.mark.parametrize("key", ["model", "teacher_model"])
def test_a_stopped_run_cannot_name_code_either(stopped, key, made, capsys):
    config = yaml.safe_load((stopped / "config.yaml").read_text())
    weights = made.parent / "model.safetensors"
    safetensors.torch.save_file(digit_net(10).state_dict(), weights)
    more = {"teacher": str(weights), "method": "hkd", "model": "digit_net"} if key == "teacher_model" else {}
    (stopped / "config.yaml").write_text(yaml.safe_dump({**config, **more, key: "nets_here:make"}))
    assert main(["train", "--resume", "run"]) == 2
    assert ASKS in shown(capsys)
    assert not (stopped.parent / "imported").exists()


def test_a_run_is_used_if_the_command_names_its_code(run, capsys):
    assert fairdistill.load(run, model="nets_here:make").training is False
    assert (run.parent / "imported").exists()
    assert main(["audit", "run", "--data", "digits-s", "--model", "nets_here:make", "--draws", "200"]) == 0
    assert main(["embed", "run", "--model", "nets_here:make", "--samples", "40", "--dims", "2"]) == 0
    capsys.readouterr()


def test_a_stopped_run_is_resumed_if_the_command_names_its_code(stopped, capsys):
    assert main(["train", "--resume", "run", "--model", "nets_here:make"]) == 0
    assert (stopped / "result.json").exists()
    assert main(["train", "--resume", "run", "--model", "nets_here:make", "--lr", "0.1"]) == 2
    assert "--resume uses the stopped run's own options" in shown(capsys)


def test_a_run_teaches_if_the_command_names_its_code(run, capsys):
    teach = ["train", "--data", "digits-s", "--method", "hkd", "--steps", "2", "--teacher", "run", "--threads", "1"]
    assert main([*teach, "--teacher-model", "nets_here:make", "--out", "student"]) == 0
    capsys.readouterr()


def test_a_run_cannot_name_an_exported_program_either(stopped, capsys, monkeypatch):
    monkeypatch.setattr(exported.torch.export, "load", lambda path: pytest.fail("the program was read"))
    config = yaml.safe_load((stopped / "config.yaml").read_text())
    (stopped / "config.yaml").write_text(
        yaml.safe_dump({**config, "model": "digit_net", "method": "hkd", "teacher": str(stopped / "t.pt2")})
    )
    (stopped / "t.pt2").write_bytes(b"no program")
    assert main(["train", "--resume", "run"]) == 2
    assert "t.pt2 is code that a file names, not you, so it was not read" in shown(capsys)
    assert main(["train", "--resume", "run", "--teacher-model", "run/t.pt2"]) == 2
    assert "is not an exported program, or is damaged" in shown(capsys)
